"""Catalogue: rows of either Cypher version become one value, which survives the run record."""

from __future__ import annotations

import json

from graphmigrate.schema.catalogue import Catalogue, index_of
from graphmigrate.schema.model import ObjectType, SchemaObject

T = ObjectType


def index_row(name, type_="RANGE", labels=("A",), properties=("p",), **more):
    return {
        "name": name,
        "type": type_,
        "entityType": "NODE",
        "labelsOrTypes": list(labels) if labels else None,
        "properties": list(properties) if properties else None,
        "owningConstraint": None,
        "state": "ONLINE",
        "populationPercent": 100.0,
        "failureMessage": "",
    } | more


def constraint_row(name, type_, labels=("A",), properties=("p",), **more):
    return {
        "name": name,
        "type": type_,
        "entityType": "NODE",
        "labelsOrTypes": list(labels),
        "properties": list(properties),
        "propertyType": None,
        "ownedIndex": None,
    } | more


CONSTRAINTS = [
    constraint_row("unique", "UNIQUENESS", ownedIndex="unique"),
    constraint_row("typed", "NODE_PROPERTY_TYPE", propertyType="INTEGER | LIST<STRING NOT NULL> | STRING"),
    constraint_row("there", "NODE_PROPERTY_EXISTENCE"),
    constraint_row("future", "NODE_LABEL_EXISTENCE", properties=()),
]
INDEXES = [
    index_row("unique", owningConstraint="unique"),
    index_row("words", "FULLTEXT", ("A", "B"), ("p", "q")),
    index_row("tokens", "LOOKUP", None, None),
    index_row("slow", "TEXT", state="POPULATING", populationPercent=12.5),
    index_row("broken", "POINT", state="FAILED", failureMessage="out of space"),
]
CATALOGUE = Catalogue.from_rows(CONSTRAINTS, INDEXES)


def test_type_names_of_both_cypher_versions_mean_the_same():
    pairs = {
        T.UNIQUENESS: [
            "UNIQUENESS",
            "NODE_PROPERTY_UNIQUENESS",
            "RELATIONSHIP_UNIQUENESS",
            "RELATIONSHIP_PROPERTY_UNIQUENESS",
        ],
        T.KEY: ["NODE_KEY", "RELATIONSHIP_KEY"],
        T.EXISTENCE: ["NODE_PROPERTY_EXISTENCE", "RELATIONSHIP_PROPERTY_EXISTENCE"],
        T.PROPERTY_TYPE: ["NODE_PROPERTY_TYPE", "RELATIONSHIP_PROPERTY_TYPE"],
        T.OTHER_CONSTRAINT: ["GRAPH_TYPE_OF_2030"],
    }
    for kind, names in pairs.items():
        for name in names:
            catalogue = Catalogue.from_rows([constraint_row("c", name)], [])
            assert catalogue.constraints["c"].object.type is kind


def test_names_are_of_both_kinds_and_owned_indexes_belong_to_their_constraint():
    assert CATALOGUE.names() == {"unique", "typed", "there", "future", "words", "tokens", "slow", "broken"}
    assert CATALOGUE.indexes["unique"].owner == "unique"
    assert CATALOGUE.holder("unique").object.type is T.UNIQUENESS
    assert CATALOGUE.holder("nothing") is None


def test_finds_by_definition_whatever_the_name():
    assert CATALOGUE.find(SchemaObject(T.UNIQUENESS, "node", ("A",), ("p",), "other")).name == "unique"
    assert CATALOGUE.find(SchemaObject(T.RANGE, "node", ("A",), ("p",))).owner == "unique"
    assert CATALOGUE.find(SchemaObject(T.RANGE, "relationship", ("A",), ("p",))) is None
    assert CATALOGUE.find(SchemaObject(T.FULLTEXT, "node", ("B", "A"), ("p", "q"))) is None
    typed = SchemaObject(
        T.PROPERTY_TYPE, "node", ("A",), ("p",), None, "STRING | INTEGER | LIST<STRING NOT NULL>"
    )
    assert CATALOGUE.find(typed).name == "typed"
    other = SchemaObject(T.PROPERTY_TYPE, "node", ("A",), ("p",), None, "STRING")
    assert CATALOGUE.find(other) is None
    assert CATALOGUE.sibling(other).name == "typed"


def test_indexes_that_are_not_online_say_why():
    left = [each for each in CATALOGUE.indexes.values() if each.state != "ONLINE"]
    assert {(each.name, each.state, each.population, each.failure) for each in left} == {
        ("slow", "POPULATING", 12.5, None),
        ("broken", "FAILED", 100.0, "out of space"),
    }


def test_an_orphan_is_unowned_of_the_same_name_and_schema_and_never_online():
    wanted = SchemaObject(T.UNIQUENESS, "node", ("A",), ("p",), "c")
    left = Catalogue.from_rows([], [index_row("c", state="POPULATING")])
    assert left.orphan_of(wanted).name == "c"
    assert left.orphan_of(SchemaObject(T.UNIQUENESS, "node", ("A",), ("p",))).name == "c"
    assert left.orphan_of(SchemaObject(T.UNIQUENESS, "node", ("A",), ("p",), "d")) is None
    assert left.orphan_of(SchemaObject(T.EXISTENCE, "node", ("A",), ("p",), "c")) is None
    assert Catalogue.from_rows([], [index_row("c")]).orphan_of(wanted) is None
    assert CATALOGUE.orphan_of(SchemaObject(T.UNIQUENESS, "node", ("A",), ("p",), "unique")) is None


def test_json_is_compact_and_keeps_what_decides():
    text = CATALOGUE.to_json()
    again = Catalogue.from_json(text)
    assert again.names() == CATALOGUE.names()
    assert {each.object for each in again.constraints.values()} == {
        each.object for each in CATALOGUE.constraints.values()
    }
    assert {(each.object, each.owner) for each in again.indexes.values()} == {
        (each.object, each.owner) for each in CATALOGUE.indexes.values()
    }
    assert again.indexes["slow"].state == "POPULATING"
    assert again.to_json() == text
    assert len(json.loads(text)) == 8
    assert Catalogue.from_json(Catalogue().to_json()) == Catalogue()


def test_objects_come_and_go_with_the_index_behind_them():
    unique = SchemaObject(T.UNIQUENESS, "node", ("N",), ("k",), "u")
    grown = CATALOGUE.with_object(unique)
    assert grown.names() - CATALOGUE.names() == {"u"}
    assert grown.find(index_of(unique)).owner == "u"
    assert grown.without(grown.constraints["u"]) == CATALOGUE


def test_a_name_chosen_by_the_server_is_filled_in_later():
    nameless = SchemaObject(T.UNIQUENESS, "node", ("N",), ("k",))
    expected = Catalogue().with_object(nameless)
    assert expected.names() == frozenset()
    assert expected.anonymous
    assert expected.find(nameless) is not None
    assert Catalogue.from_json(expected.to_json()).find(nameless) is not None
    named = SchemaObject(T.UNIQUENESS, "node", ("N",), ("k",), "constraint_1")
    later = Catalogue().with_object(named)
    assert expected.with_names_of(later) == later
    assert expected.with_names_of(Catalogue()).anonymous

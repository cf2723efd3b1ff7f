"""Constraints and indexes as DDL and as words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.schema.model import DdlAction, ObjectType, SchemaObject, describe, identifier, render
from graphmigrate.schema.property_types import normalise_text
from graphmigrate.schema.reader import read_ddl

T = ObjectType


names = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=12
)


simple_types = st.sampled_from(["BOOLEAN", "STRING", "INTEGER", "FLOAT", "ZONED DATETIME", "POINT"])


member_types = simple_types | simple_types.map(lambda name: f"LIST<{name} NOT NULL>")


property_types = st.lists(member_types, min_size=1, max_size=4).map(
    lambda all_: normalise_text(" | ".join(all_))
)


@st.composite
def schema_objects(draw):
    kinds = [kind for kind in ObjectType if not kind.name.startswith("OTHER")]
    kind = draw(st.sampled_from(kinds))
    several_labels = kind in {T.FULLTEXT, T.VECTOR}
    one_property = kind in {T.TEXT, T.POINT, T.EXISTENCE, T.PROPERTY_TYPE}
    lookup = kind is T.LOOKUP
    return SchemaObject(
        kind,
        draw(st.sampled_from(["node", "relationship"])),
        () if lookup else tuple(draw(st.lists(names, min_size=1, max_size=3 if several_labels else 1))),
        () if lookup else tuple(draw(st.lists(names, min_size=1, max_size=1 if one_property else 3))),
        draw(st.none() | names),
        draw(property_types) if kind is T.PROPERTY_TYPE else None,
    )


@given(schema_objects(), st.booleans())
def test_what_is_rendered_is_read_back(target, guarded):
    of = "constraint" if target.type.is_constraint else "index"
    assert read_ddl(render(target, guarded=guarded)) == DdlAction("create", of, guarded, target.name, target)


def test_names_are_quoted_only_where_needed():
    assert [identifier(name) for name in ("plain_1", "a b", "a`b", "1a", "for", "a\\u0041")] == [
        "plain_1",
        "`a b`",
        "`a``b`",
        "`1a`",
        "`for`",
        "`a\\u005cu0041`",
    ]


def test_descriptions_for_people():
    index = SchemaObject(T.FULLTEXT, "node", ("Project", "Data set"), ("name", "description"), "search")
    assert describe(index) == "a full-text index on (:Project|`Data set` {name, description})"
    typed = SchemaObject(T.PROPERTY_TYPE, "relationship", ("T",), ("p",), "t", "STRING")
    assert describe(typed) == "a property type constraint on ()-[:T {p}]-() IS :: STRING"
    assert describe(SchemaObject(T.LOOKUP, "node", (), ())) == "a token lookup index of labels"
    assert describe(SchemaObject(T.EXISTENCE, "node", ("A",), ("p",))).startswith("an existence constraint")
    with pytest.raises(ValueError, match="no DDL"):
        render(SchemaObject(T.OTHER_INDEX, "node", (), (), "future"))

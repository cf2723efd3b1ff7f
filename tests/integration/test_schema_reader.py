"""The reader and the rules of compare, put to a real server."""

from __future__ import annotations

import neo4j
import pytest
from neo4j.exceptions import Neo4jError

from graphmigrate.schema.catalogue import Catalogue
from graphmigrate.schema.compare import apply, conflict, holds
from graphmigrate.schema.model import render
from graphmigrate.schema.property_types import normalise_text
from graphmigrate.schema.reader import read_ddl
from tests.conftest import quoted
from tests.unit.schema.test_compare import CONFLICTS
from tests.unit.schema.test_reader import READABLE, UNREADABLE

pytestmark = pytest.mark.depends_on_version

CONSTRAINTS = (
    "SHOW CONSTRAINTS YIELD name, type, entityType, labelsOrTypes, properties, propertyType, ownedIndex"
)
INDEXES = (
    "SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, owningConstraint, state, "
    "populationPercent, failureMessage"
)
VECTOR_OPTIONS = " OPTIONS {indexConfig: {`vector.dimensions`: 4, `vector.similarity_function`: 'cosine'}}"
PROPERTY_TYPES = [
    *(
        "STRING",
        "VARCHAR",
        "BOOL",
        "BOOLEAN",
        "INT",
        "INTEGER",
        "SIGNED INTEGER",
        "FLOAT",
        "DATE",
        "DURATION",
        "POINT",
    ),
    *("LOCAL TIME", "LOCAL DATETIME", "ZONED TIME", "ZONED DATETIME", "TIME WITHOUT TIMEZONE"),
    *("TIME WITH TIME ZONE", "TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP WITH TIMEZONE"),
    *("LIST<INT NOT NULL>", "ARRAY<STRING!>", "STRING NOT NULL LIST", "FLOAT! ARRAY", "STRING | STRING"),
    *(
        "POINT | LIST<STRING NOT NULL> | LIST<BOOL NOT NULL> | INT | STRING",
        "ANY<INT | STRING>",
        "ANY VALUE<INT>",
    ),
    *(
        "STRING NOT NULL",
        "LIST<INTEGER>",
        "LIST<STRING NOT NULL> NOT NULL",
        "ANY",
        "MAP",
        "PROPERTY VALUE",
        "DATETIME",
    ),
    *(
        "LIST<LIST<INTEGER NOT NULL> NOT NULL>",
        "LIST<STRING NOT NULL | INTEGER NOT NULL>",
        "NODE",
        "NULL",
        "TIME",
    ),
]


@pytest.fixture
def bare(driver):
    """A database without the two token lookup indexes of every new one, which are put back for whoever tests after us."""
    clear(driver)
    yield driver
    clear(driver)
    run(driver, "CREATE LOOKUP INDEX node_labels IF NOT EXISTS FOR (n) ON EACH labels(n)")
    run(driver, "CREATE LOOKUP INDEX relationship_types IF NOT EXISTS FOR ()-[r]-() ON EACH type(r)")


def run(driver, text):
    with driver.session() as session:
        return list(session.run(text))


def read(driver, prefix=""):
    rows = ([record.data() for record in run(driver, prefix + query)] for query in (CONSTRAINTS, INDEXES))
    return Catalogue.from_rows(*rows)


def clear(driver):
    catalogue = read(driver)
    constraints = [f"DROP CONSTRAINT {quoted(name)}" for name in catalogue.constraints]
    indexes = [f"DROP INDEX {quoted(name)}" for name, entry in catalogue.indexes.items() if not entry.owner]
    with driver.session() as session, session.begin_transaction() as transaction:
        for drop in constraints + indexes:
            transaction.run(drop).consume()
        transaction.commit()


def explained(driver, text) -> str | None:
    """What the server itself makes of a statement, in its own canonical words; None where it refuses it."""
    try:
        with driver.session() as session:
            plan = session.run("EXPLAIN " + text).consume().plan
    except Neo4jError:
        return None
    while plan and "Details" not in plan["args"]:
        plan = plan["children"][0]
    return plan["args"]["Details"] if plan else None


def speaks_cypher_25(driver) -> bool:
    return explained(driver, "CYPHER 25 CREATE INDEX x FOR (n:A) ON (n.p)") is not None


@pytest.mark.parametrize("text", READABLE, ids=lambda text: text[:70])
def test_what_is_read_is_what_the_server_makes(request, session_driver, text):
    action = read_ddl(text)
    if "CYPHER 25" in text and not speaks_cypher_25(session_driver):
        pytest.skip("this server speaks Cypher 5 only")
    if action.target is None or action.target.type.needs_enterprise:
        assert explained(session_driver, text) is not None
        return
    driver = request.getfixturevalue("bare" if "LOOKUP" in text else "driver")
    run(driver, text if "VECTOR" not in text else text.partition(" OPTIONS")[0] + VECTOR_OPTIONS)
    catalogue = read(driver)
    assert holds(action, catalogue)
    found = catalogue.find(action.target)
    assert found.object.definition == action.target.definition
    assert action.name in {None, found.name}
    if "VECTOR" not in text:  # render writes no options, and a vector index needs some
        assert run(driver, render(found.object)) == []
        assert read(driver).names() == catalogue.names()
    run(driver, f"DROP {action.of} `{found.name.replace('`', '``')}`")
    assert not holds(action, read(driver))


@pytest.mark.parametrize(
    "text", [text for text in READABLE if "CREATE CONSTRAINT" in text], ids=lambda text: text[:70]
)
def test_the_servers_own_words_for_a_constraint_read_the_same(session_driver, text):
    details = explained(session_driver, text)
    again, action = read_ddl("CREATE " + details), read_ddl(text)
    assert again is not None
    assert again.target.definition == action.target.definition


@pytest.mark.parametrize("property_type", PROPERTY_TYPES)
def test_property_types_are_normalised_as_the_server_does(session_driver, property_type):
    text = f"CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS :: {property_type}"
    details, action = explained(session_driver, text), read_ddl(text)
    assert (action is None) == (details is None)
    if action is not None:
        assert action.target.property_type == normalise_text(details.partition(" IS :: ")[2])
        assert action.target.property_type == details.partition(" IS :: ")[2]


def test_conflicts_are_the_servers(bare):
    for before, statement, refuses, words in CONFLICTS:
        if any(each in " ".join([*before, statement]) for each in ("IS NOT NULL", "IS KEY")):
            continue  # Enterprise Edition only
        clear(bare)
        for each in before:
            run(bare, each)
        there, action = read(bare), read_ddl(statement)
        try:
            run(bare, statement)
        except Neo4jError:
            assert refuses, statement
        else:
            assert not refuses, statement
        after = read(bare)
        assert (conflict(action, there) is None) == (words is None)
        assert after.names() == apply([action], there).names()
        assert holds(action, after) == (words is None) or (refuses and after.names() == there.names())


def test_type_names_of_every_cypher_version_are_known(bare: neo4j.Driver):
    for text in (
        "CREATE CONSTRAINT a FOR (n:A) REQUIRE n.p IS UNIQUE",
        "CREATE TEXT INDEX t FOR (n:A) ON (n.p)",
    ):
        run(bare, text)
    run(bare, "CREATE CONSTRAINT b FOR ()-[r:T]-() REQUIRE (r.p, r.q) IS UNIQUE")
    prefixes = ["", "CYPHER 5 ", "CYPHER 25 "] if speaks_cypher_25(bare) else ["", "CYPHER 5 "]
    catalogues = [read(bare, prefix) for prefix in prefixes]
    assert all(each.names() == {"a", "b", "t"} for each in catalogues)
    assert all(each.constraints == catalogues[0].constraints for each in catalogues)
    assert not any(entry.object.type.name.startswith("OTHER") for entry in catalogues[0].constraints.values())


def test_what_is_not_read_is_refused_or_no_ddl_or_needs_parameters(session_driver):
    """The reader may not know what the server does; here it does not miss a plain form by mistake."""
    known_gaps = (
        "EXPLAIN",
        "PROFILE",
        "USE",
        "MATCH",
        "CREATE (n:A)",
        "CREATE DATABASE",
        "CREATE USER",
        "CREATE INDEX ``",
    )
    for text in UNREADABLE:
        if text.strip(" ;") and not text.startswith(known_gaps) and "$" not in text and len(text) < 1000:
            assert explained(session_driver, text) is None, text

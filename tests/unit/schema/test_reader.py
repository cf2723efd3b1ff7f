"""read_ddl: every form of DDL, what it must not read, and a round trip with render."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.schema.model import DdlAction, ObjectType, SchemaObject
from graphmigrate.schema.reader import read_ddl

T = ObjectType


def created(kind, entity, labels, properties, name="x", property_type=None, guarded=False):
    target = SchemaObject(kind, entity, tuple(labels), tuple(properties), name, property_type)
    return DdlAction("create", "constraint" if kind.is_constraint else "index", guarded, name, target)


INDEXES = {
    "CREATE INDEX x FOR (n:A) ON (n.p)": created(T.RANGE, "node", "A", "p"),
    "CREATE RANGE INDEX x FOR (n:A) ON (n.p, n.q)": created(T.RANGE, "node", "A", "pq"),
    "CREATE INDEX x FOR (n:A) ON n.p": created(T.RANGE, "node", "A", "p"),
    "CREATE INDEX x FOR ()-[r:T]-() ON (r.p)": created(T.RANGE, "relationship", "T", "p"),
    "CREATE INDEX x FOR ()-[r:T]->() ON (r.p)": created(T.RANGE, "relationship", "T", "p"),
    "CREATE INDEX x FOR ()<-[r:T]-() ON r.p": created(T.RANGE, "relationship", "T", "p"),
    "CREATE INDEX x FOR ()<-[r:T]->() ON (r.p)": created(T.RANGE, "relationship", "T", "p"),
    "CREATE INDEX x FOR ()\u2014[r:T]\u2014() ON (r.p)": created(T.RANGE, "relationship", "T", "p"),
    "CREATE TEXT INDEX x FOR (n:A) ON (n.p)": created(T.TEXT, "node", "A", "p"),
    "CREATE POINT INDEX x FOR (n:A) ON n.p OPTIONS {indexConfig: {`spatial.wgs-84.min`: [-9, -9]}}": created(
        T.POINT, "node", "A", "p"
    ),
    "CREATE FULLTEXT INDEX x FOR (n:A|B) ON EACH [n.p, n.q]": created(T.FULLTEXT, "node", "AB", "pq"),
    "CREATE FULLTEXT INDEX x FOR ()-[r:T|U]-() ON EACH [r.p]": created(T.FULLTEXT, "relationship", "TU", "p"),
    "CREATE VECTOR INDEX x FOR (n:A) ON (n.p) OPTIONS {indexConfig: {`vector.dimensions`: 4}}": created(
        T.VECTOR, "node", "A", "p"
    ),
    "CYPHER 25 CREATE VECTOR INDEX x FOR (n:A|B) ON n.p WITH [n.q, n.r]": created(
        T.VECTOR, "node", "AB", "pqr"
    ),
    "CREATE LOOKUP INDEX x FOR (n) ON EACH labels(n)": created(T.LOOKUP, "node", "", ""),
    "CREATE LOOKUP INDEX x FOR ()-[r]-() ON EACH type(r)": created(T.LOOKUP, "relationship", "", ""),
    "CREATE LOOKUP INDEX x FOR ()-[r]-() ON type(r)": created(T.LOOKUP, "relationship", "", ""),
}


CONSTRAINTS = {
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS UNIQUE": created(T.UNIQUENESS, "node", "A", "p"),
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE (n.p, n.q) IS NODE UNIQUE": created(
        T.UNIQUENESS, "node", "A", "pq"
    ),
    "CREATE CONSTRAINT x FOR ()-[r:T]-() REQUIRE r.p IS RELATIONSHIP UNIQUE": created(
        T.UNIQUENESS, "relationship", "T", "p"
    ),
    "CREATE CONSTRAINT x FOR ()-[r:T]-() REQUIRE (r.p) IS REL UNIQUE OPTIONS {}": created(
        T.UNIQUENESS, "relationship", "T", "p"
    ),
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE (n.p, n.q) IS NODE KEY": created(T.KEY, "node", "A", "pq"),
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS KEY": created(T.KEY, "node", "A", "p"),
    "CREATE CONSTRAINT x FOR ()-[r:T]-() REQUIRE r.p IS RELATIONSHIP KEY": created(
        T.KEY, "relationship", "T", "p"
    ),
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS NOT NULL": created(T.EXISTENCE, "node", "A", "p"),
    "CREATE CONSTRAINT x FOR ()-[r:T]-() REQUIRE (r.p) IS NOT NULL": created(
        T.EXISTENCE, "relationship", "T", "p"
    ),
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS :: VARCHAR": created(
        T.PROPERTY_TYPE, "node", "A", "p", property_type="STRING"
    ),
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS TYPED INT | STRING": created(
        T.PROPERTY_TYPE, "node", "A", "p", property_type="STRING | INTEGER"
    ),
    "CREATE CONSTRAINT x FOR ()-[r:T]-() REQUIRE r.p :: FLOAT NOT NULL LIST": created(
        T.PROPERTY_TYPE, "relationship", "T", "p", property_type="LIST<FLOAT NOT NULL>"
    ),
}


NAMES = {
    "CREATE INDEX FOR (n:A) ON (n.p)": created(T.RANGE, "node", "A", "p", name=None),
    "CREATE INDEX IF NOT EXISTS FOR (n:A) ON (n.p)": created(
        T.RANGE, "node", "A", "p", name=None, guarded=True
    ),
    "CREATE INDEX `IF` IF NOT EXISTS FOR (n:A) ON (n.p)": created(
        T.RANGE, "node", "A", "p", name="IF", guarded=True
    ),
    "CREATE INDEX IF FOR (n:A) ON (n.p)": created(T.RANGE, "node", "A", "p", name="IF"),
    "CREATE INDEX FOR FOR (n:A) ON (n.p)": created(T.RANGE, "node", "A", "p", name="FOR"),
    "CREATE CONSTRAINT UNIQUE FOR (n:A) REQUIRE n.p IS UNIQUE": created(
        T.UNIQUENESS, "node", "A", "p", name="UNIQUE"
    ),
    "create /* ; */ index `we``ird;` // FOR\n if not exists for (`n`` `:`La bel`) on (`n`` `.`p.q`);": created(
        T.RANGE, "node", ["La bel"], ["p.q"], name="we`ird;", guarded=True
    ),
    "CREATE INDEX u\\u0041 FOR (n:\\u0041B) ON (n.\\u0070)": created(T.RANGE, "node", ["AB"], "p", name="uA"),
    "CYPHER 5 CREATE INDEX x FOR (n:A) ON (n.p)": created(T.RANGE, "node", "A", "p"),
    "CYPHER runtime=slotted CREATE INDEX x FOR (n:A) ON (n.p)": created(T.RANGE, "node", "A", "p"),
    "CYPHER 25 planner = dp CREATE INDEX größe FOR (n:Ä) ON (n.ö)": created(
        T.RANGE, "node", ["Ä"], ["ö"], name="größe"
    ),
    "DROP INDEX x": DdlAction("drop", "index", False, "x"),
    "DROP CONSTRAINT `a b` IF EXISTS": DdlAction("drop", "constraint", True, "a b"),
    "DROP INDEX IF IF EXISTS;": DdlAction("drop", "index", True, "IF"),
}


READABLE = INDEXES | CONSTRAINTS | NAMES


UNREADABLE = [
    "",
    ";",
    "MATCH (n) RETURN n",
    "CREATE (n:A)",
    "CREATE DATABASE x",
    "CREATE USER x IF NOT EXISTS SET PASSWORD 'y'",
    "EXPLAIN CREATE INDEX x FOR (n:A) ON (n.p)",
    "PROFILE CREATE INDEX x FOR (n:A) ON (n.p)",
    "USE other CREATE INDEX x FOR (n:A) ON (n.p)",
    "CREATE INDEX $name FOR (n:A) ON (n.p)",
    "DROP INDEX $name",
    "DROP CONSTRAINT $`name` IF EXISTS",
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS UNIQUE OPTIONS $options",
    "CREATE VECTOR INDEX x FOR (n:A) ON (n.p) OPTIONS {indexConfig: {`vector.dimensions`: $d}}",
    'CREATE INDEX "x" FOR (n:A) ON (n.p)',
    "CREATE INDEX x FOR (n:A) ON (m.p)",
    "CREATE INDEX x FOR (n:A|B) ON (n.p)",
    "CREATE INDEX x FOR (n) ON (n.p)",
    "CREATE INDEX x FOR (:A) ON (n.p)",
    "CREATE INDEX x FOR (n:A) ON ()",
    "CREATE INDEX x FOR (n:A) ON (n.p,)",
    "CREATE INDEX x FOR (n:A) ON (n.p) extra",
    "CREATE INDEX x FOR (n:A) ON (n.p); DROP INDEX y",
    "CREATE INDEX x ON :A(p)",
    "CREATE INDEX ON :A(p)",
    "CREATE INDEX x, y FOR (n:A) ON (n.p)",
    "CREATE BTREE INDEX x FOR (n:A) ON (n.p)",
    "CREATE OR REPLACE INDEX x FOR (n:A) ON (n.p)",
    "CREATE FULLTEXT INDEX x FOR (n:A) ON (n.p)",
    "CREATE LOOKUP INDEX x FOR (n) ON EACH type(n)",
    "CREATE LOOKUP INDEX x FOR (n:A) ON EACH labels(n)",
    "CREATE CONSTRAINT x ON (n:A) ASSERT n.p IS UNIQUE",
    "CREATE CONSTRAINT x FOR (n:A|B) REQUIRE n.p IS UNIQUE",
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS REL UNIQUE",
    "CREATE CONSTRAINT x FOR ()-[r:T]-() REQUIRE r.p IS NODE KEY",
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE (n.p, n.q) IS NOT NULL",
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE (n.p, n.q) IS :: STRING",
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS :: STRING NOT NULL",
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS :: MAP",
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS :: " + "LIST<" * 5000 + "INTEGER" + ">" * 5000,
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS NULL",
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS UNIQUE OPTIONS {a: {}",
    "CREATE INDEX x FOR (n:A) ON (n.p) /* open",
    "DROP INDEX ON :A(p)",
    "DROP CONSTRAINT x IF EXIST",
    "DROP x",
    "DROP INDEX",
    "CYPHER 25",
    "CYPHER 25 runtime CREATE INDEX x FOR (n:A) ON (n.p)",
]


@pytest.mark.parametrize(("text", "expected"), READABLE.items(), ids=list(READABLE))
def test_reads(text, expected):
    assert read_ddl(text) == expected


@pytest.mark.parametrize("text", UNREADABLE, ids=lambda text: text[:60])
def test_gives_none_rather_than_a_guess(text):
    assert read_ddl(text) is None


@pytest.mark.parametrize("text", [text for text in INDEXES | CONSTRAINTS if " x FOR " in text])
def test_a_guard_changes_only_the_guard(text):
    guarded, plain = read_ddl(text.replace(" x FOR ", " x IF NOT EXISTS FOR ")), read_ddl(text)
    assert guarded is not None
    assert plain is not None
    assert (guarded.guarded, plain.guarded) == (True, False)
    assert guarded.target == plain.target


@given(st.text(max_size=60) | st.lists(st.sampled_from(list(READABLE)), max_size=2).map(" ".join))
def test_any_text_is_read_or_not_but_never_fails(text):
    assert read_ddl(text) is None or isinstance(read_ddl(text), DdlAction)


PLAIN = [
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS UNIQUE",
    "create constraint `a b` if not exists for (n:A) require (n.p, n.`q r`) is unique",
    "CREATE CONSTRAINT x FOR ()-[r:T]-() REQUIRE (r.p) IS UNIQUE",
    "CREATE INDEX x FOR (n:A) ON (n.p)",
    "CREATE RANGE INDEX x IF NOT EXISTS FOR ()-[r:T]-() ON (r.p, r.q) // why",
    "DROP INDEX x",
    "DROP CONSTRAINT `x y` IF EXISTS",
]


NOT_PLAIN = [
    "CYPHER 25 CREATE INDEX x FOR (n:A) ON (n.p)",
    "CREATE INDEX x FOR (n:A) ON (n.p) OPTIONS {}",
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS UNIQUE OPTIONS {}",
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS NODE UNIQUE",
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS NODE KEY",
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS NOT NULL",
    "CREATE CONSTRAINT FOR (n:A) REQUIRE n.p IS UNIQUE",
    "CREATE INDEX FOR (n:A) ON (n.p)",
    "CREATE INDEX x FOR (n:A) ON n.p",
    "CREATE INDEX x FOR ()-[r:T]->() ON (r.p)",
    "CREATE INDEX `a\\u0062` FOR (n:A) ON (n.p)",
    "CREATE INDEX `a``b` FOR (n:A) ON (n.p)",
    "CREATE INDEX x FOR (n:\u00c4) ON (n.p)",
    "CREATE TEXT INDEX x FOR (n:A) ON (n.p)",
    "CREATE LOOKUP INDEX x FOR (n) ON EACH labels(n)",
    "DROP INDEX ``",
]


@pytest.mark.parametrize(
    ("text", "plain"), [*((each, True) for each in PLAIN), *((each, False) for each in NOT_PLAIN)]
)
def test_only_these_forms_need_no_question_to_the_server(text: str, plain: bool) -> None:
    action = read_ddl(text)
    assert action is not None
    assert action.plain is plain


@pytest.mark.parametrize(
    ("written", "dimensions"),
    [
        ("1536", 1536),
        ("0", 0),
        ("-1", -1),
        ("4097, a: 1", 4097),
        ("1 + 2", None),
        ("'3'", None),
        ("3.0", None),
    ],
)
def test_the_dimensions_of_a_vector_index(written: str, dimensions: int | None) -> None:
    options = f"{{indexConfig: {{`vector.similarity_function`: 'cosine', `vector.dimensions`: {written}}}}}"
    action = read_ddl(f"CREATE VECTOR INDEX x FOR (n:A) ON (n.p) OPTIONS {options}")
    assert action is not None
    assert action.dimensions == dimensions

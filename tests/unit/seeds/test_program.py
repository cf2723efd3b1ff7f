"""What a seed sends: statements with parameters, and row blocks whose rows travel as lists or whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmigrate.seeds.program import Rows, Statements
from tests.seed_programs import program, refusal, sent


def test_rows_travel_as_lists_where_only_columns_are_used(tmp_path: Path) -> None:
    body = "CREATE (:A {a: row.a, b: row . b, `row`: {{ 7 }}, c: row.`a`})-[:row]->(x {row: 1}) SET x.row = `row`.b.c;"
    built = program(tmp_path, f"{{% unwind row in [{{'a': 1, 'b': 2}}] %}}\n{body}\n{{% endunwind %}}")
    [part] = built.parts
    assert isinstance(part, Rows)
    assert part.columns is None  # {row: 1} may be a use of the variable: rows whole are always right
    body = "CREATE (:A {a: row.a, b: row . b, c: row.`a`, d: {{ 7 }}}) WITH * SET x.row = `row`.b.c, y = n.row.a;"
    [part] = program(tmp_path, f"{{% unwind row in [{{'a': 1, 'b': 2}}] %}}{body}{{% endunwind %}}").parts
    assert isinstance(part, Rows)
    assert part.columns == ("a", "b")
    assert part.query.text == (
        "UNWIND $rows AS row CREATE (:A {a: row[0], b: row[1], c: row[0], d: $p1})"
        " WITH * SET x.row = row[1].c, y = n.row.a"
    )
    assert list(part.source.lists(part.columns)) == [[1, 2]]


@pytest.mark.parametrize(
    "body",
    [
        "CREATE (n) SET n += row",
        "RETURN row['a']",
        "RETURN row.a, row",
        "RETURN row.text.join('a')",
        "RETURN [row IN [{a: 1}] | row.zzz]",
        "WITH {zzz: 1} AS row RETURN row.zzz",
        "CALL (row) { RETURN row.a AS x } RETURN x",
    ],
)
def test_rows_travel_whole_where_the_body_needs_them(tmp_path: Path, body: str) -> None:
    [part] = program(tmp_path, f"{{% unwind row in [{{'a': 1}}] %}}{body}{{% endunwind %}}").parts
    assert isinstance(part, Rows)
    assert part.columns is None
    assert f" AS row {body}" in part.query.text
    assert list(part.source.values()) == [{"a": 1}]


def test_ranges_are_lazy_and_not_limited(tmp_path: Path) -> None:
    [part] = program(tmp_path, "{% unwind i in range(10**12) %}CREATE (:A {i: i}){% endunwind %}").parts
    assert isinstance(part, Rows)
    assert part.source.size == 10**12
    assert next(part.source.values(10**11)) == 10**11
    assert refusal(tmp_path, "RETURN {{ range(10**9) }}").error_code == "GM553"


def test_blocks_and_statements_keep_their_order(tmp_path: Path) -> None:
    built = program(tmp_path, "A;B;{% for x in [1, 2] %}{% unwind r in [x] %}C{% endunwind %};{% endfor %}D".replace(
        "A;B;", "RETURN 1; RETURN 2;").replace("C", "RETURN r").replace("D", "RETURN 3"))  # fmt: skip
    assert [type(part) for part in built.parts] == [Statements, Rows, Rows, Statements]
    assert built.total_rows() == 2


@pytest.mark.parametrize(
    ("text", "creates"),
    [
        ("CREATE (:A)", True),
        ("create\n// x\n (:A)", True),
        ("\\u0043REATE (:A)", True),
        ("INSERT (:A)", True),
        ("CREATE p = (:A)", True),
        ("FOREACH (x IN [1] | CREATE (:A))", True),
        ("MERGE (:A) ON CREATE SET a.x = 1", False),
        ("MATCH (n:CREATE) SET n.CREATE = 'CREATE (:A)' // CREATE (:B)", False),
        ("RETURN `CREATE` (1)", False),
        ("{% unwind i in [1] %}CREATE (:A){% endunwind %}", True),
        ("{% unwind i in [1] %}CALL apoc.create.node(['A'], {i: i}) YIELD node{% endunwind %}", True),
        ("call `apoc`.`refactor`.cloneNodes([1])", True),
        ("CALL apoc.merge.node(['A'], {i: 1}) YIELD node RETURN node", False),
        ("CALL apoc.create.setProperty(n, 'a', 1) YIELD node RETURN node", False),
        ("CALL genai.vector.encodeBatch(['a'], 'x', {}) YIELD vector RETURN vector", False),
        ("MATCH (n:A) CALL (n) { SET n.x = 1 }", False),
        ("CALL { MATCH (n:A) SET n.x = 1 }", False),
        ("CALL db.awaitIndexes(60)", False),
        ("CALL apoc.load.json('x') YIELD value MERGE (:A {i: value.i})", False),
        ("MATCH (n:CALL) SET n.call = n.CALL", False),
    ],
)
def test_a_create_clause_is_found_by_its_tokens(tmp_path: Path, text: str, creates: bool) -> None:
    assert program(tmp_path, text).creates is creates


@pytest.mark.parametrize("prefix", ["CYPHER 5 ", "CYPHER runtime=slotted // here\n", "USE neo4j "])
def test_a_prefix_stands_before_the_rows(tmp_path: Path, prefix: str) -> None:
    text = f"{{% unwind row in [{{'a': 1}}] %}}{prefix}MERGE (:A {{a: row.a}}){{% endunwind %}}"
    [part] = program(tmp_path, text).parts
    assert isinstance(part, Rows)
    assert part.query.text == f"{prefix}UNWIND $rows AS row MERGE (:A {{a: row[0]}})"
    assert part.plain is not None


def test_parameters_are_numbered_afresh_so_that_equal_statements_are_equal(tmp_path: Path) -> None:
    found = sent(tmp_path, "{% for i in range(3) %}CREATE (:A {a: {{ i }}, b: {{ 'x' }}});\n{% endfor %}")
    assert {text for text, _ in found} == {"CREATE (:A {a: $p1, b: $p2})"}
    assert [values["p1"] for _, values in found] == [0, 1, 2]

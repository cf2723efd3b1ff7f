"""Loading seeds into a real Neo4j: values, batches, resuming, reloading, refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import neo4j
import pytest

from graphmigrate import seeds as seeding
from graphmigrate.database.connection import Database
from graphmigrate.errors import (
    HistoryMismatch,
    PreflightError,
    Problem,
    SeedFailed,
    Severity,
    UsageError,
)
from graphmigrate.events import (
    Event,
    Listener,
    SeedLoaded,
    SeedProgress,
    SeedSkipped,
    SeedStarted,
    Warned,
    ignore,
)
from graphmigrate.seeds.checks import check
from graphmigrate.seeds.loader import run
from tests.databases import ask, database_of

if TYPE_CHECKING:
    from graphmigrate.results import LoadedSeed, SkippedSeed

Seeds = Callable[..., Path]


@pytest.fixture
def seeds(tmp_path: Path) -> Seeds:
    def write(**files: str) -> Path:
        folder = tmp_path / "seeds"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.cypher.j2").write_text(text)
        return folder

    return write


@pytest.fixture
def database(ledger_ready: neo4j.Driver) -> Database:
    return database_of(ledger_ready)


def load(
    database: Database,
    folder: Path,
    *,
    force: bool = False,
    allow_duplicates: bool = False,
    listen: Listener = ignore,
    **choices: Any,
) -> tuple[tuple[LoadedSeed, ...], tuple[SkippedSeed, ...]]:
    prepared = seeding.prepare(folder, **choices)
    decided = seeding.decide(database, prepared, force=force, allow_duplicates=allow_duplicates)
    return run(database, decided, listen=listen), decided.skipped


def ledger_rows(database: Database) -> list[dict[str, Any]]:
    return [row[0] for row in ask(database, "MATCH (s:__GraphMigrateSeed) RETURN s {.*} ORDER BY s.key")]


@pytest.mark.depends_on_version
def test_values_arrive_as_they_are(database: Database, seeds: Seeds) -> None:
    hostile = "x'}) DETACH DELETE n //\\u0027 `$p1"
    folder = seeds(
        a="---\nvars:\n  text: ''\n  day: 2024-02-29\n  tags: [a, b]\n---\n"
        "CREATE (:{{ 'A `label' | identifier }} {text: {{ text }}, day: {{ day }}, tags: {{ tags }},"
        " number: {{ 1.5 }}, none: {{ none }}, flag: {{ true }}});\n"
    )
    loaded, skipped = load(database, folder, variables={"text": hostile})
    assert [each.name for each in loaded] == ["a"]
    assert skipped == ()
    [[labels, properties]] = ask(
        database, "MATCH (n) WHERE n.text IS NOT NULL RETURN labels(n), properties(n)"
    )
    assert labels == ["A `label"]
    assert properties.pop("day").iso_format() == "2024-02-29"
    assert properties == {"text": hostile, "tags": ["a", "b"], "number": 1.5, "flag": True}
    assert loaded[0].changes == {"nodes_created": 1, "properties_set": 5, "labels_added": 1}


@pytest.mark.depends_on_version
def test_every_source_in_batches(database: Database, seeds: Seeds) -> None:
    folder = seeds(
        a="{% unwind row in csv('data/p.csv') %}\n"
        "CREATE (:P {name: row.name, age: toInteger(row.age)});\n{% endunwind %}\n"
        "{% unwind row in jsonl('data/q.jsonl') %}CREATE (q:Q) SET q += row{% endunwind %}"
        "{% unwind i in range(25) %}CREATE (:R {i: i}){% endunwind %}"
        "{% unwind r in [{'x': 1}, {'x': 2, 'y': 3}] %}"
        "CREATE (:S {x: r.x, y: r.y, z: {{ 7 }}}){% endunwind %}"
        "MATCH (r:R {i: 3}), (s:S {x: 1}) CREATE (r)-[:TO]->(s);"
    )
    (folder / "data").mkdir()
    people = [("Ann", "1"), ('B"o, x', ""), ("C\nD", "3")] * 9
    quoted = "\r\n".join('"' + name.replace('"', '""') + '",' + age for name, age in people)
    (folder / "data" / "p.csv").write_bytes(b"\xef\xbb\xbfname,age\r\n" + quoted.encode() + b"\r\n")
    (folder / "data" / "q.jsonl").write_text('{"a": [1, 2], "b": "ü"}\n\n{"a": [3]}\n')
    events: list[Event] = []
    loaded, _ = load(database, folder, listen=events.append)
    assert loaded[0].rows == 27 + 2 + 25 + 2
    assert loaded[0].changes["nodes_created"] == 56
    assert loaded[0].changes["relationships_created"] == 1
    assert ask(database, "MATCH (p:P {name: 'B\"o, x'}) RETURN count(p), count(p.age)") == [[9, 0]]
    assert ask(database, "MATCH (p:P {name: 'C\nD', age: 3}) RETURN count(p)") == [[9]]
    assert ask(database, "MATCH (q:Q) RETURN q.a, q.b ORDER BY q.a") == [[[1, 2], "ü"], [[3], None]]
    assert ask(database, "MATCH (r:R) RETURN sum(r.i)") == [[300]]
    assert ask(database, "MATCH (s:S) RETURN s.x, s.y, s.z ORDER BY s.x") == [[1, None, 7], [2, 3, 7]]
    [row] = ledger_rows(database)
    assert (row["key"], row["state"], row["rows"]) == ("default/seed/a@1", "loaded", 56)
    assert row["installed_by"] == "tester"
    assert isinstance(events[0], SeedStarted)
    told = [event.rows for event in events if isinstance(event, SeedProgress)]
    assert told == sorted(told)
    assert {27, 29, 54, 56} <= set(told)  # one part ends before the next begins
    assert len(told) >= 9
    assert isinstance(events[-1], SeedLoaded)


def test_an_unchanged_seed_is_skipped_and_writes_nothing(database: Database, seeds: Seeds) -> None:
    folder = seeds(
        a="MERGE (:A {id: 1});", b="---\ndepends: a\n---\nMATCH (a:A) MERGE (a)-[:HAS]->(:B {id: 2});"
    )
    load(database, folder)
    before = ask(database, "MATCH (n) RETURN n {.*} AS n ORDER BY n.key, n.id")
    events: list[Event] = []
    loaded, skipped = load(database, folder, listen=events.append)
    assert loaded == ()
    assert [each.name for each in skipped] == ["a", "b"]
    assert all(isinstance(event, SeedSkipped) for event in events)
    assert ask(database, "MATCH (n) RETURN n {.*} AS n ORDER BY n.key, n.id") == before


def test_a_changed_merge_seed_is_loaded_again(database: Database, seeds: Seeds) -> None:
    folder = seeds(a="MERGE (:A {id: 1});")
    load(database, folder)
    seeds(a="MERGE (n:A {id: 1}) ON CREATE SET n.fresh = true SET n.name = 'x';")
    loaded, _ = load(database, folder)
    assert len(loaded) == 1
    assert ask(database, "MATCH (a:A) RETURN a.name, a.fresh") == [["x", None]]
    assert [row["key"] for row in ledger_rows(database)] == ["default/seed/a@1", "default/seed/a@2"]
    assert len(load(database, folder, force=True)[0]) == 1


def test_a_changed_data_file_is_a_changed_seed(database: Database, seeds: Seeds) -> None:
    folder = seeds(a="{% unwind row in csv('p.csv') %}MERGE (:P {id: row.id}){% endunwind %}")
    (folder / "p.csv").write_text("id\n1\n")
    load(database, folder)
    (folder / "p.csv").write_text("id\r\n1\r\n")
    assert load(database, folder)[0] == ()
    (folder / "p.csv").write_text("id\n1\n2\n")
    assert len(load(database, folder)[0]) == 1


def test_a_create_seed_is_not_loaded_twice_by_accident(database: Database, seeds: Seeds) -> None:
    folder = seeds(a="---\nvars:\n  n: 1\n---\nCREATE (:A {n: {{ n }}});")
    load(database, folder)
    with pytest.raises(UsageError, match="everything twice") as forced:
        load(database, folder, force=True)
    assert forced.value.error_code == "GM556"
    with pytest.raises(HistoryMismatch, match=r"its variables \(n\) changed") as changed:
        load(database, folder, variables={"n": "2"})
    assert changed.value.error_code == "GM555"
    load(database, folder, variables={"n": "2"}, allow_duplicates=True)
    assert ask(database, "MATCH (a:A) RETURN a.n ORDER BY a.n") == [[1], [2]]


def test_nothing_is_loaded_where_the_last_seed_has_a_syntax_error(database: Database, seeds: Seeds) -> None:
    folder = seeds(a="CREATE (:A);", z="\nCREATE (:Z {x: {{ 1 }}});\nMATCH (n:Z)\n  RETRUN n;")
    with pytest.raises(PreflightError) as raised:
        load(database, folder)
    place = raised.value.place
    assert place is not None
    assert (place.file, place.line, place.column) == (str(folder / "z.cypher.j2"), 4, 3)
    assert raised.value.exit_code == 2
    assert ask(database, "MATCH (n) RETURN count(n)") == [[0]]


@pytest.mark.depends_on_version
def test_server_errors_in_rewritten_row_blocks_name_the_template_line(
    database: Database, seeds: Seeds
) -> None:
    folder = seeds(
        a="{% unwind row in [{'id': 1, 'long_name': 2}] %}\n"
        "CREATE (:A {id: row.id, x: row.long_name,\n  y: {{ 1 }}}) RETRUN 1\n"
        "{% endunwind %}"
    )
    with pytest.raises(PreflightError) as raised:
        load(database, folder)
    assert raised.value.place is not None
    assert (raised.value.place.line, raised.value.place.column) == (3, 16)


def fail_at(database: Database, folder: Path, rows: int, **options: Any) -> None:
    """Load until so many rows are committed, then die without a word."""

    class Died(Exception):
        pass

    def listen(event: Event) -> None:
        if isinstance(event, SeedProgress) and event.rows >= rows:
            raise Died

    with pytest.raises(Died):
        load(database, folder, listen=listen, **options)


MIXED = (
    "CREATE (:Start);\n{% unwind i in range(35) %}CREATE (:R {i: i}){% endunwind %}"
    "CREATE (:Middle);\nCREATE (:Middle);"
    "{% unwind row in csv('p.csv') %}CREATE (:P {id: row.id}){% endunwind %}"
)


@pytest.mark.parametrize("rows", [0, 10, 30, 35, 45, 58])
@pytest.mark.parametrize("batch_rows", [10, 7, 1000])
def test_an_interrupted_load_continues_where_it_stopped(
    ledger_ready: neo4j.Driver, seeds: Seeds, rows: int, batch_rows: int
) -> None:
    folder = seeds(a=MIXED)
    (folder / "p.csv").write_text("id\n" + "".join(f"{number}\n" for number in range(23)))
    fail_at(database_of(ledger_ready), folder, rows)
    second = database_of(ledger_ready, run="run-2", batch_rows=batch_rows)
    load(second, folder)
    assert ask(second, "MATCH (n:R) RETURN count(n), count(DISTINCT n.i)") == [[35, 35]]
    assert ask(second, "MATCH (n:P) RETURN count(n), count(DISTINCT n.id)") == [[23, 23]]
    assert ask(second, "MATCH (n:Start|Middle) RETURN count(n)") == [[3]]
    [row] = ledger_rows(second)
    assert (row["state"], row["rows"]) == ("loaded", 58)


def test_an_interrupted_load_that_changed_wants_force(database: Database, seeds: Seeds) -> None:
    folder = seeds(a=MIXED)
    (folder / "p.csv").write_text("id\n1\n")
    fail_at(database, folder, 20)
    [[loaded]] = ask(database, "MATCH (n:R) RETURN count(n)")
    assert loaded >= 20
    seeds(a=MIXED.replace("{i: i}", "{i: i + 0}"))
    with pytest.raises(
        HistoryMismatch, match=rf"interrupted after {loaded} rows, and since then its files changed"
    ) as raised:
        load(database, folder)
    assert raised.value.error_code == "GM554"
    assert "--force --allow-duplicates" in (raised.value.hint or "")
    [info] = seeding.catalogue(folder, database)
    assert info.state == "interrupted"
    load(database, folder, force=True, allow_duplicates=True)
    assert ask(database, "MATCH (n:R) RETURN count(n)") == [[loaded + 35]]


@pytest.mark.parametrize("sessions", [1, 2])
def test_a_load_goes_on_where_only_later_rows_were_corrected(
    ledger_ready: neo4j.Driver, seeds: Seeds, sessions: int
) -> None:
    database = database_of(ledger_ready, batch_rows=7, seed_sessions=sessions)
    call = "csv('p.csv', types={'n': 'int', 'day': 'date'})"
    body = "CREATE (:P {id: row.id, n: row.n, day: row.day})"
    folder = seeds(a=f"CREATE (:Start);{{% unwind row in {call} %}}{body}{{% endunwind %}}CREATE (:End);")
    rows = [f"{number},{number},2024-01-{number % 28 + 1:02}" for number in range(60)]

    def write(*lines: str) -> None:
        (folder / "p.csv").write_text("\n".join(["id,n,day", *lines, ""]))

    write(*rows[:43], "43,x,2024-01-01", *rows[44:])
    with pytest.raises(SeedFailed, match="'n' is int") as raised:
        load(database, folder)
    assert "a change of what is kept needs --force" in str(raised.value.hint)
    [[kept]] = ask(database, "MATCH (n:P) RETURN count(n)")
    assert 0 < kept <= 43
    write("0,7,2024-01-01", *rows[1:])
    with pytest.raises(HistoryMismatch, match="its files changed, also in what is loaded") as changed:
        load(database, folder)
    assert (changed.value.error_code, changed.value.exit_code) == ("GM554", 6)
    write(*rows)
    events: list[Event] = []
    load(database, folder, listen=events.append)
    first = next(event for event in events if isinstance(event, SeedProgress))
    assert (first.rows, first.total_rows) == (kept, 60)
    assert ask(database, "MATCH (n:P) RETURN count(n), count(DISTINCT n.id), sum(n.n)") == [[60, 60, 1770]]
    assert ask(database, "MATCH (n:Start|End) RETURN count(n)") == [[2]]
    assert load(database, folder)[0] == ()


def test_the_failing_row_is_named_and_the_rows_before_it_are_kept(database: Database, seeds: Seeds) -> None:
    database.driver.execute_query("CREATE CONSTRAINT c FOR (n:R) REQUIRE n.i IS UNIQUE")
    folder = seeds(
        a="\n{% unwind row in csv('r.csv') %}\nMATCH (x:X) CREATE (:R {i: row.i, j: row.j}){% endunwind %}"
    )
    database.driver.execute_query("CREATE (:X)")
    lines = [f"{i % 25},{i}" for i in range(30)]
    (folder / "r.csv").write_text("\n".join(["i,j", *lines, ""]))
    with pytest.raises(
        SeedFailed, match=r"failed at row 26 of r\.csv, {'i': '0', 'j': '25'}: .*already exists"
    ) as raised:
        load(database, folder)
    assert raised.value.exit_code == 5
    place = raised.value.place
    assert place is not None
    assert (place.file, place.line) == (str(folder / "r.csv"), 27)
    assert f"{folder / 'a.cypher.j2'}:3" in (raised.value.hint or "")
    assert "kept (25 rows)" in (raised.value.hint or "")
    assert ask(database, "MATCH (n:R) RETURN count(n)") == [[25]]
    database.driver.execute_query("DROP CONSTRAINT c")
    loaded, _ = load(database, folder)
    assert loaded[0].rows == 5
    assert ask(database, "MATCH (n:R) RETURN count(n)") == [[30]]


def test_a_key_without_an_index_is_told_with_the_constraint_to_make(database: Database, seeds: Seeds) -> None:
    folder = seeds(
        a="{% unwind i in range(3) %}MERGE (:Book {isbn: i}){% endunwind %}\n"
        "{% unwind i in range(3) %}MATCH (a:Book {isbn: i}) MATCH (b:`Old shop` {id: i, at: i})"
        " MERGE (a)-[:AT]->(b){% endunwind %}"
    )

    def told() -> list[Problem]:
        events: list[Event] = []
        load(database, folder, force=True, listen=events.append)
        checked: list[Event] = []
        check(database, seeding.prepare(folder), rows=False, listen=checked.append)
        found = [event.problem for event in events if isinstance(event, Warned)]
        assert found == [event.problem for event in checked if isinstance(event, Warned)]
        return found

    first, second = told()
    assert (first.code, first.severity, first.place.line if first.place else 0) == (
        "GM557",
        Severity.WARNING,
        1,
    )
    assert (
        first.message
        == "No constraint or index finds (:Book {isbn}): each row reads every Book that there is."
    )
    for each in (first, second):
        statement = str(each.hint).removeprefix("Put into a migration: ")
        database.driver.execute_query(statement.removesuffix(";"))
    assert told() == []


def test_what_another_row_block_reads_whole_for_each_row_is_told(database: Database, seeds: Seeds) -> None:
    database.driver.execute_query("CREATE CONSTRAINT b FOR (n:Book) REQUIRE n.isbn IS UNIQUE")
    folder = seeds(
        a="{% unwind i in range(3) %}MATCH (a:Author), (s:Shop) WHERE a.name ENDS WITH toString(i)"
        " MERGE (b:Book {isbn: i}) MERGE (a)-[:WROTE]->(b){% endunwind %}\n"
        "{% unwind i in range(3) %}MATCH (b:Book {isbn: i}) WITH b, i SET b.seen = i{% endunwind %}"
    )
    database.driver.execute_query("UNWIND range(0, 20) AS i CREATE (:Author {name: 'a' + i}), (:Shop)")
    events: list[Event] = []
    load(database, folder, listen=events.append)
    told = [event.problem for event in events if isinstance(event, Warned)]
    assert sorted(each.message for each in told) == [
        f"The server's plan reads every {name} that there is for each row." for name in ("Author", "Shop")
    ]
    assert {(each.code, str(each.place)) for each in told} == {("GM557", f"{folder / 'a.cypher.j2'}:1:27")}
    assert "by a property that has a constraint or an index" in str(told[0].hint)


def test_the_failing_row_of_several_sessions_is_named(database: Database, seeds: Seeds) -> None:
    database.driver.execute_query("CREATE CONSTRAINT c FOR (n:R) REQUIRE n.i IS UNIQUE")
    folder = seeds(a="{% unwind i in range(60) %}CREATE (:R {i: i % 47}){% endunwind %}")
    with pytest.raises(
        SeedFailed, match=r"failed at row \d+ of range\(60\), \d+: .*already exists"
    ) as raised:
        load(database, folder)
    [[kept]] = ask(database, "MATCH (n:R) RETURN count(n)")
    assert f"kept ({kept} rows)" in (raised.value.hint or "")
    database.driver.execute_query("DROP CONSTRAINT c")
    assert load(database, folder)[0][0].rows == 60 - kept
    assert ask(database, "MATCH (n:R) RETURN count(n), count(DISTINCT n.i)") == [[60, 47]]


def test_a_bad_row_names_its_line(database: Database, seeds: Seeds) -> None:
    folder = seeds(a="{% unwind row in csv('p.csv') %}CREATE (:P {id: row.id}){% endunwind %}")
    (folder / "p.csv").write_text("id,x\n" + "1,2\n" * 14 + "1,2,3\n" + "1,2\n" * 9)
    with pytest.raises(SeedFailed, match="3 fields, the header has 2") as raised:
        load(database, folder)
    place = raised.value.place
    assert place is not None
    assert (place.file, place.line, place.column) == (str(folder / "p.csv"), 16, 5)
    assert raised.value.error_code == "GM118"


def test_a_number_too_large_names_its_line(database: Database, seeds: Seeds) -> None:
    folder = seeds(a="{% unwind row in jsonl('p.jsonl') %}CREATE (:P {id: row.id}){% endunwind %}")
    (folder / "p.jsonl").write_text('{"id": 1}\n\n{"id": 9223372036854775808}\n')
    with pytest.raises(SeedFailed, match="64 bits") as raised:
        load(database, folder)
    assert raised.value.place is not None
    assert raised.value.place.line == 3
    assert ask(database, "MATCH (n) RETURN count(n)") == [[0]]


@pytest.mark.parametrize(
    "statement",
    [
        "MATCH (n) DETACH DELETE n",
        "MATCH (n) CALL (n) { DETACH DELETE n }",
        "MATCH (n) \\u0044ETACH \\u0044ELETE n",
    ],
)
def test_deleting_everything_leaves_the_ledger_as_it_is(
    database: Database, seeds: Seeds, statement: str
) -> None:
    database.driver.execute_query("CREATE (:Kept)")
    folder = seeds(a="MERGE (:A);", b=f"---\ndepends: a\n---\n{statement};\nMERGE (:B);")
    load(database, folder)
    assert ask(database, "MATCH (n:Kept|A) RETURN count(n)") == [[0]]
    assert ask(database, "MATCH (n:B) RETURN count(n)") == [[1]]
    assert sorted(row["name"] for row in ledger_rows(database)) == ["a", "b"]


def test_a_seed_that_yields_no_statement_is_loaded(database: Database, seeds: Seeds) -> None:
    folder = seeds(a="{% for i in [] %}CREATE (:A);{% endfor %}\n// really\n")
    assert load(database, folder)[0][0].rows == 0
    assert load(database, folder)[0] == ()


def test_states_and_profiles(database: Database, seeds: Seeds) -> None:
    folder = seeds(a="MERGE (:A);", b="---\nprofiles: [demo]\ndepends: a\n---\nMERGE (:B);", c="MERGE (:C);")
    assert [info.state for info in seeding.catalogue(folder)] == [None, None, None]
    loaded, skipped = load(database, folder)
    assert [each.name for each in loaded] == ["a", "c"]
    assert [(each.name, each.reason) for each in skipped] == [("b", "it belongs to the profile demo")]
    seeds(c="MERGE (:C2);")
    assert [info.state for info in seeding.catalogue(folder, database)] == [
        "loaded",
        "new",
        "changed",
    ]
    loaded, skipped = load(database, folder, profile="demo")
    assert [each.name for each in loaded] == ["b"]
    assert [each.name for each in skipped] == ["a", "c"]

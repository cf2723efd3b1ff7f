"""Profiles, protected targets, resets, and what a load says at its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count as counting
from pathlib import Path
from typing import Any

import neo4j
import pytest

from graphmigrate.errors import HistoryMismatch, SeedFailed, UsageError
from graphmigrate.events import Event, Notice
from graphmigrate.seeds.batches import Work
from tests.projects import Project, count, rows


def write(project: Project, **files: str) -> Project:
    folder = project.folder / "seeds"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.cypher.j2").write_text(text)
    return project


class Died(Exception):
    pass


@contextmanager
def dying(method: str, at: int) -> Iterator[None]:
    """What is done here dies when that method of Work is called for the ``at``-th time."""
    run, calls = getattr(Work, method), counting(1)

    def failing(self: Any, *arguments: Any) -> Any:
        if next(calls) == at:
            raise Died
        return run(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Work, method, failing)
        with pytest.raises(Died):
            yield


CREATING = (
    "---\nreset: |\n  MATCH (n:P) WITH n LIMIT $batch\n  DETACH DELETE n\n---\n"
    "{% unwind i in range(2500) %}CREATE (:P {i: i}){% endunwind %}\n"
)
DEPENDENT = (
    "---\ndepends: a\nvars: {kind: one}\nreset: MATCH (q:Q)<-[:OF]-(:P) WHERE q.kind = {{ kind }} DETACH DELETE q\n---\n"
    "MATCH (p:P {i: 7}) CREATE (p)-[:OF]->(:Q {kind: {{ kind }}});"
)


@pytest.mark.depends_on_version
def test_a_reset_removes_in_batches_and_loads_again(project: Project, driver: neo4j.Driver) -> None:
    project.more["batch_rows"] = 1000
    write(project, a=CREATING, b=DEPENDENT)
    project.call("seed")
    result = project.call("seed", reset=True)
    assert [each.name for each in result.loaded] == ["a", "b"]
    assert rows(driver, "MATCH (p:P) RETURN count(p), count(DISTINCT p.i)") == [[2500, 2500]]
    assert rows(driver, "MATCH (:P)-[:OF]->(q:Q) RETURN count(q), COUNT { (:Q) }") == [[1, 1]]
    assert result.totals.labels == {"P": 2500, "Q": 1}
    assert result.totals.relationship_types == {"OF": 1}
    told = [
        each.text for each in project.events if isinstance(each, Notice) and each.text.startswith("Reset")
    ]
    assert told == [
        "Reset b: 1 nodes deleted, 1 relationships deleted.",
        "Reset a: 2,500 nodes deleted.",
    ]
    keys = rows(driver, "MATCH (s:__GraphMigrateSeed) RETURN s.key, s.state ORDER BY s.key")
    assert keys == [[f"default/seed/{name}@{n}", "loaded"] for name in "ab" for n in (1, 2)]


def test_an_interrupted_reset_goes_on_where_it_stopped(project: Project, driver: neo4j.Driver) -> None:
    project.more["batch_rows"] = 1000
    write(project, a=CREATING)
    project.call("seed")
    with dying("__call__", 3):
        project.call("seed", reset=True)
    assert count(driver, "P") == 500
    assert [each.state for each in project.call("seeds")] == ["interrupted"]
    assert len(project.call("seed").loaded) == 1
    assert rows(driver, "MATCH (p:P) RETURN count(p), count(DISTINCT p.i)") == [[2500, 2500]]
    assert project.call("seed").loaded == ()


VISITS = (
    "---\nvars: {shop: north}\nreset: |\n  MATCH (v:Visit {shop: {{ shop }}})\n  WITH v LIMIT $batch\n"
    "  DETACH DELETE v\n---\n"
    "{% unwind i in range(2500) %}CREATE (:Visit {shop: {{ shop }}, i: i}){% endunwind %}\n"
)


@pytest.mark.parametrize("goes_on", ["the same", "forced", "reset"])
def test_a_reset_removes_what_was_loaded_with_other_variables(
    project: Project, driver: neo4j.Driver, goes_on: str
) -> None:
    """Also where it was interrupted, and the seed was edited since: nothing of the first load stays."""
    project.more["batch_rows"] = 1000
    write(project, visits=VISITS)
    project.call("seed")
    with dying("__call__", 2):
        project.call("seed", ["visits"], variables={"shop": "south"}, reset=True)
    assert count(driver, "Visit") == 1500
    shop, options = "south", {"force": goes_on == "forced", "reset": goes_on == "reset"}
    if goes_on != "the same":
        shop = "east"
        with pytest.raises(HistoryMismatch, match="The reset of seed 'visits' was interrupted") as raised:
            project.call("seed", names=["visits"], variables={"shop": shop})
        assert "graphmigrate seed visits --reset" in str(raised.value.hint)
    project.call("seed", names=["visits"], variables={"shop": shop}, **options)
    found = rows(driver, "MATCH (v:Visit) RETURN v.shop, count(v), count(DISTINCT v.i)")
    assert found == [[shop, 2500, 2500]]


def test_force_loads_nothing_that_the_named_seed_depends_on(project: Project, driver: neo4j.Driver) -> None:
    write(project, a="CREATE (:P {i: 7});", b="---\ndepends: a\n---\nCREATE (:Q);")
    project.call("seed")
    result = project.call("seed", names=["b"], force=True, allow_duplicates=True)
    assert [each.name for each in result.loaded] == ["b"]
    assert (count(driver, "P"), count(driver, "Q")) == (1, 2)


def test_what_the_server_says_shows_nothing_of_the_environment(
    project: Project, driver: neo4j.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANT", "pl4nted")
    project.more["env_allowed"] = ("TENANT",)
    driver.execute_query("CREATE CONSTRAINT p FOR (n:P) REQUIRE n.i IS UNIQUE")
    write(project, a="CREATE (:P {i: {{ env('TENANT') }}});\nCREATE (:P {i: {{ env('TENANT') }}});")
    with pytest.raises(SeedFailed, match=r"already exists .*\*\*\*") as raised:
        project.call("seed")
    assert "pl4nted" not in str(raised.value)


def test_only_named_seeds_are_reset_and_those_without_a_reset_refuse(
    project: Project, driver: neo4j.Driver
) -> None:
    write(project, a="CREATE (:P {i: 7});", b=DEPENDENT)
    project.call("seed")
    with pytest.raises(UsageError) as raised:
        project.call("seed", reset=True)
    assert raised.value.error_code == "GM531"
    assert count(driver, "Q") == 1
    assert [each.name for each in project.call("seed", names=["b"], reset=True).loaded] == ["b"]
    assert (count(driver, "P"), count(driver, "Q")) == (1, 1)


def test_a_reset_of_everything_leaves_the_history_and_has_its_place(
    project: Project, driver: neo4j.Driver
) -> None:
    write(project, a="---\nvars: {}\nreset: MATCH (n) DETACH DELETE n\n---\nCREATE (:P);")
    project.call("seed")
    assert [each.name for each in project.call("seed", reset=True).loaded] == ["a"]
    assert count(driver, "P") == 1
    assert project.call("seed").loaded == ()
    write(project, a="---\nreset: |\n  MATCH (n:P)\n  DETACH DELETED n\n---\nCREATE (:P);")
    with pytest.raises(Exception, match="refuses") as raised:
        project.call("seed", reset=True)
    assert raised.value.place.line == 4  # type: ignore[attr-defined]


def test_a_reset_that_never_ends_is_ended(
    project: Project, driver: neo4j.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphmigrate.seeds import loader

    monkeypatch.setattr(loader, "MOST_BATCHES", 5)
    write(project, a="---\nreset: MATCH (n:P) WITH n LIMIT $batch SET n.x = 1\n---\nCREATE (:P);")
    project.call("seed")
    with pytest.raises(SeedFailed) as raised:
        project.call("seed", reset=True)
    assert raised.value.error_code == "GM505"


def test_a_protected_target_wants_a_profile_and_a_yes(project: Project, driver: neo4j.Driver) -> None:
    project.more["protected"] = True
    write(project, a="---\nprofiles: {demo: {n: 3}, ci: }\nvars: {n: 1}\n---\nCREATE (:P {n: {{ n }}});")
    for options in ({}, {"profile": "demo"}, {"yes": True}, {"names": ["a"], "yes": True}):
        with pytest.raises(UsageError) as raised:
            project.call("seed", **options)
        assert raised.value.error_code == "GM530"
    assert count(driver, "P") == 0
    project.call("seed", profile="demo", yes=True)
    assert rows(driver, "MATCH (p:P) RETURN p.n") == [[3]]


def test_a_given_variable_beats_the_profiles(project: Project, driver: neo4j.Driver) -> None:
    write(project, a="---\nprofiles: {demo: {n: 3}, ci: }\nvars: {n: 1}\n---\nCREATE (:P {n: {{ n }}});")
    project.call("seed", profile="demo", variables={"n": "9"})
    project.call("seed", profile="ci", allow_duplicates=True)
    assert rows(driver, "MATCH (p:P) RETURN p.n ORDER BY p.n") == [[1], [9]]


def test_rows_without_a_match_are_counted(project: Project, driver: neo4j.Driver) -> None:
    write(
        project,
        a="CREATE (:P {i: 1});\n"
        "{% unwind row in [{'i': 1}, {'i': 1}, {'i': 2}, {'i': 3}] %}\n"
        "MATCH (p:P {i: row.i}) CREATE (p)-[:OF]->(:Q)\n{% endunwind %}\n"
        "{% unwind i in range(4000) %}MATCH (p:P {i: i}) SET p.seen = true{% endunwind %}",
    )
    result = project.call("seed")
    assert result.loaded[0].unmatched == 2 + 3999
    assert result.loaded[0].unmatched_rows == (
        "row 3 of this list: {'i': 2}",
        "row 4 of this list: {'i': 3}",
        *(f"row {i + 1} of range(4000): {i}" for i in (0, 2, 3)),
    )
    assert count(driver, "Q") == 2


@pytest.mark.parametrize("strict", [True, False])
def test_a_row_without_a_match_can_be_an_error(project: Project, driver: neo4j.Driver, strict: bool) -> None:
    front = "" if strict else "---\nunmatched: error\n---\n"
    write(
        project,
        a=front
        + "{% unwind row in csv('x.csv') %}MATCH (p:P {i: row.i}) CREATE (p)-[:OF]->(:Q){% endunwind %}",
    )
    (project.folder / "seeds" / "x.csv").write_text("i\n1\n2\n3\n")
    driver.execute_query("CREATE (:P {i: '1'}), (:P {i: '3'})")
    with pytest.raises(
        SeedFailed, match=r"failed at row 2 of x\.csv, {'i': '2'}: MATCH found nothing for it"
    ) as raised:
        project.call("seed", strict=strict)
    assert raised.value.place is not None
    assert (raised.value.place.file, raised.value.place.line) == (str(project.folder / "seeds" / "x.csv"), 3)
    assert count(driver, "Q") == 1
    driver.execute_query("CREATE (:P {i: '2'})")
    project.call("seed", strict=strict)
    assert count(driver, "Q") == 3


def test_rows_without_a_match_can_be_ignored(project: Project, driver: neo4j.Driver) -> None:
    write(
        project,
        a="---\nunmatched: ignore\n---\n{% unwind i in range(3) %}MATCH (p:P {i: i}) SET p.x = 1{% endunwind %}",
    )
    assert project.call("seed", strict=True).loaded[0].unmatched == 0


@pytest.mark.depends_on_version
@pytest.mark.parametrize("unique", [True, False])
def test_rows_are_counted_alike_by_counters_and_by_the_statement(
    project: Project, driver: neo4j.Driver, unique: bool
) -> None:
    kind = "CONSTRAINT p FOR (n:P) REQUIRE n.i IS UNIQUE" if unique else "INDEX p FOR (n:P) ON (n.i)"
    driver.execute_query(f"CREATE {kind}")
    driver.execute_query("UNWIND range(0, 2999) AS i CREATE (:P {i: i})")
    if not unique:
        driver.execute_query("CREATE (:P {i: 1})")
    write(
        project,
        a="{% unwind i in range(12000) %}\n"
        "MATCH (a:P {i: i}) MATCH (b:P {i: {{ 7 }}}) CREATE (a)-[:OF]->(b)-[:OF]->(a)\n{% endunwind %}",
    )
    [loaded] = project.call("seed").loaded
    assert (loaded.rows, loaded.unmatched) == (12000, 9000)
    assert loaded.changes["relationships_created"] == 6000 + 2 * (not unique)


def test_two_loads_at_once(project: Project, driver: neo4j.Driver, tmp_path: Path) -> None:
    """One loads; the other waits for it, then finds nothing to do."""
    import threading

    write(project, a="{% unwind i in range(20000) %}CREATE (:P {i: i}){% endunwind %}")
    results: list[Any] = []
    events: list[Event] = []

    def load() -> None:
        one = Project(project.target, project.folder)
        results.append(one.call("seed"))
        events.extend(one.events)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(200)
    assert sorted(len(each.loaded) for each in results) == [0, 0, 1]
    assert rows(driver, "MATCH (p:P) RETURN count(p), count(DISTINCT p.i)") == [[20000, 20000]]

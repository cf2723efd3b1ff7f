"""What the history makes of each seed: which options are for which seeds, and what a reset removes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from graphmigrate import seeds
from graphmigrate.database.connection import Database
from graphmigrate.errors import GraphMigrateError, HistoryMismatch, UsageError
from graphmigrate.seeds import ledger
from graphmigrate.seeds.frontmatter import to_json
from graphmigrate.seeds.ledger import SeedRow
from graphmigrate.seeds.plan import LOADED, LOADING, RESETTING, Decision, PreparedSeed

VISITS = (
    "---\nvars: {shop: north}\nreset: |\n  MATCH (v:Visit {shop: {{ shop }}})\n  DETACH DELETE v\n---\n"
    "CREATE (:Visit {shop: {{ shop }}});"
)


def prepared(folder: Path, name: str, variables: dict[str, Any] | None = None) -> seeds.Preparation:
    return seeds.prepare(folder, names=[name] if name else [], variables=variables)


def row(seed: PreparedSeed, state: str = LOADED, generation: int = 1, **others: Any) -> SeedRow:
    made = SeedRow(
        f"default/seed/{seed.name}@{generation}",
        seed.name,
        seed.checksum,
        seed.variables,
        state,
        1,
        0,
        0,
        0,
        "r",
    )
    return replace(made, **others)


def decide(
    preparation: seeds.Preparation, *rows: SeedRow, before: SeedRow | None = None, **options: Any
) -> list[Decision]:
    """Decide by these newest rows; ``before`` is what a reset that was interrupted removes."""
    history = {each.name: each for each in rows}
    made = {name: each for name, each in history.items() if each.state != RESETTING}
    if before:
        made[before.name] = before
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "read_loads", lambda _: (history, made))
        return list(
            seeds.decide(cast(Database, SimpleNamespace(settings=None)), preparation, **options).decisions
        )


def refused(kind: type[GraphMigrateError], *arguments: Any, **options: Any) -> GraphMigrateError:
    with pytest.raises(kind) as raised:
        decide(*arguments, **options)
    return raised.value


@pytest.fixture
def two(tmp_path: Path) -> Path:
    (tmp_path / "a.cypher.j2").write_text("CREATE (:A);")
    (tmp_path / "b.cypher.j2").write_text("---\ndepends: a\n---\nCREATE (:B);")
    return tmp_path


def test_force_and_duplicates_are_for_the_named_seeds(two: Path) -> None:
    """What the hint of an interrupted load says loads that seed anew, and nothing that it depends on."""
    preparation = prepared(two, "b")
    a, b = preparation.seeds
    rows = (row(a), row(b, LOADING, checksum="before"))
    hint = refused(HistoryMismatch, preparation, *rows).hint
    assert hint is not None
    assert hint.endswith("graphmigrate seed b --force --allow-duplicates (it uses CREATE)")
    of_a, of_b = decide(preparation, *rows, force=True, allow_duplicates=True)
    assert (of_a.skip, of_b.skip, of_b.generation) == ("unchanged since it was loaded", None, 2)
    refusal = refused(UsageError, preparation, *rows, force=True)
    assert refusal.message.split()[2] == "'b'"


def test_duplicates_of_a_dependency_are_not_allowed(two: Path) -> None:
    preparation = prepared(two, "b")
    a, b = preparation.seeds
    refusal = refused(HistoryMismatch, preparation, row(a, checksum="before"), row(b), allow_duplicates=True)
    assert (refusal.error_code, "'a'" in refusal.message) == ("GM555", True)


def test_without_names_force_is_for_all(two: Path) -> None:
    preparation = prepared(two, "")
    decisions = decide(
        preparation, *(row(each) for each in preparation.seeds), force=True, allow_duplicates=True
    )
    assert [(each.skip, each.generation) for each in decisions] == [(None, 2), (None, 2)]


def test_a_reset_that_was_interrupted_is_not_forgotten(tmp_path: Path) -> None:
    (tmp_path / "visits.cypher.j2").write_text(VISITS)
    preparation = prepared(tmp_path, "visits")
    [seed] = preparation.seeds
    interrupted, before = row(seed, RESETTING, 2, checksum="before"), row(seed, checksum="before")
    refusal = refused(HistoryMismatch, preparation, interrupted, before=before)
    assert refusal.error_code == "GM554"
    assert refusal.message == "The reset of seed 'visits' was interrupted, and since then its files changed."
    assert refusal.hint == "Undo that to continue there; or reset it anew: graphmigrate seed visits --reset"
    for options in ({"force": True}, {"force": True, "allow_duplicates": True}, {"reset": True}):
        [decision] = decide(preparation, interrupted, before=before, **options)
        assert (decision.generation, decision.reset, decision.resume) == (3, True, None)


def test_a_forced_seed_without_its_reset_is_not_loaded_beside_what_is_left(tmp_path: Path) -> None:
    (tmp_path / "visits.cypher.j2").write_text("MERGE (:Visit);")
    preparation = prepared(tmp_path, "visits")
    [seed] = preparation.seeds
    interrupted = row(seed, RESETTING, 2, checksum="before")
    assert refused(UsageError, preparation, interrupted, force=True).error_code == "GM531"


@pytest.mark.parametrize("state", [LOADED, LOADING])
def test_a_reset_removes_what_was_loaded_with_other_variables(tmp_path: Path, state: str) -> None:
    (tmp_path / "visits.cypher.j2").write_text(VISITS)
    north, south = (prepared(tmp_path, "visits", {"shop": shop}) for shop in ("north", "south"))
    [decision] = decide(south, row(north.seeds[0], state), reset=True)
    assert [query.parameters for query in decision.seed.reset] == [{"p1": "north"}]
    assert decision.seed.variables == south.seeds[0].variables
    assert [query.parameters for query in decision.seed.program.queries] == [{"p1": "south"}]


def test_a_reset_goes_on_with_the_variables_of_what_it_removes(tmp_path: Path) -> None:
    (tmp_path / "visits.cypher.j2").write_text(VISITS)
    north, south = (prepared(tmp_path, "visits", {"shop": shop}) for shop in ("north", "south"))
    interrupted = row(south.seeds[0], RESETTING, 2)
    [decision] = decide(south, interrupted, before=row(north.seeds[0]))
    assert (decision.resume, decision.generation) == (interrupted, 2)
    assert [query.parameters for query in decision.seed.reset] == [{"p1": "north"}]


def test_variables_that_the_reset_no_longer_takes_are_said(tmp_path: Path) -> None:
    (tmp_path / "visits.cypher.j2").write_text(
        VISITS.replace("shop:", "store:").replace("{ shop }", "{ store }")
    )
    preparation = prepared(tmp_path, "visits")
    before = row(preparation.seeds[0], variables=to_json({"shop": "north", "api_token": "pl4nted"}))
    refusal = refused(UsageError, preparation, before, reset=True)
    assert refusal.error_code == "GM571"
    assert refusal.message == (
        "The seed 'visits' was loaded with other variables (api_token = ***, shop = 'north'), and its reset cannot"
        " be rendered with these: In this template 'store' is undefined."
    )
    assert refusal.place is not None
    assert refusal.place.line == 4

"""A sampled fault campaign: whatever dies, running again ends as if nothing had happened. `make chaos` tries every point."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.arena import Arena, Tally, arena
from tests.chaos.kinds import KINDS, Sample
from tests.chaos.runners import runners
from tests.conftest import Neo4jTarget

# The first takes half a minute a point; tests/integration/test_undo.py kills an undo; a squash is killed where it is begun.
LEFT_TO_THE_CAMPAIGN = {"full-disk", "undo", "again", "squash"}


@pytest.fixture(scope="module")
def ground(neo4j_target: Neo4jTarget, tmp_path_factory: Any) -> Iterator[Arena]:
    folder: Path = tmp_path_factory.mktemp("corpus")
    with runners(neo4j_target.env) as warm, arena(neo4j_target, folder, warm) as made:
        yield made


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in LEFT_TO_THE_CAMPAIGN])
def test_exactly_once(ground: Arena, kind: str) -> None:
    tally: Tally = KINDS[kind](ground, Sample.for_tests())
    assert tally.points > 0
    assert tally.notes == []
    assert (tally.doubles, tally.stuck, tally.unequal) == (0, 0, 0)

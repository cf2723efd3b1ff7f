"""Where the command line takes its settings from."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from graphmigrate.cli.render.style import Style, error_lines, problem_lines
from graphmigrate.errors import GraphMigrateError
from graphmigrate.settings import load
from graphmigrate.settings.sources import NAMES
from tests.hostile import HOSTILE, assert_harmless

PLAIN, WIDE = Style(), Style(width=40)


VARIABLES = ["NEO4J_URI", "NEO4J_USERNAME", "NEO4J_DATABASE", "NEO4J_AUTH", "NEO4J_CA_FILE"]


OURS = [f"GRAPHMIGRATE_{name.upper()}" for name in NAMES]


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from([*VARIABLES, *OURS]), HOSTILE, min_size=1))
def test_the_environment(environment: dict[str, str]) -> None:
    """It is refused with a message, or becomes a value; the ledger's name alone is part of keys."""
    refusal = None
    try:
        with TemporaryDirectory() as folder:
            loaded = load(folder=Path(folder), environment=environment)
    except GraphMigrateError as error:
        refusal = error
    if refusal:
        assert refusal.exit_code == 2
        assert_harmless(error_lines(refusal, PLAIN))
        return
    assert re.fullmatch(r"[\w.-]+", loaded.settings.ledger)
    for each in loaded.warnings:
        assert_harmless(problem_lines(each, PLAIN))

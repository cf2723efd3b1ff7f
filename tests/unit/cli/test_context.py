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

# What steers a terminal: escape, bell, C1 control sequences, line ends, changes of direction, half a surrogate pair.
PIECES = [
    "\x1b[2J",
    "\x1b]0;x\x07",
    "\x9b31m",
    "\r",
    "\n",
    "\x85",
    "\u2028",
    "\u202e",
    "\u2066",
    "\udc9b",
    "\x00",
    "\t",
    "\x7f",
    "\U000e0001",
]


HOSTILE = st.lists(st.sampled_from([*PIECES, "a", " ", "`", "\\u001b"]), min_size=1).map("".join)


PLAIN, WIDE = Style(), Style(width=40)


def assert_harmless(lines: list[str] | str) -> None:
    for line in lines.split("\n") if isinstance(lines, str) else lines:
        assert line.isprintable(), ascii(line)


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

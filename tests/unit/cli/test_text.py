"""Results as text."""

from __future__ import annotations

import pytest

from graphmigrate.cli.render.style import (
    Style,
    cells,
    table,
)
from graphmigrate.cli.render.text import refusal
from graphmigrate.errors import Problem, Severity

PLAIN = Style()


def test_a_table_of_long_names_fits_sixty_columns() -> None:
    headers = ("NAME", "STATE", "DESCRIPTION", "PROFILES", "DEPENDS ON", "VARIABLES")
    long = "a-rather-long-name-of-something"
    lines = table(headers, [(long, "loaded", f"{long} {long}", long, long, long)], Style(width=60))
    assert max(map(cells, lines)) <= 60
    assert all(head[:6] in lines[0] for head in headers)
    whole = table(headers, [(long, "loaded", f"{long} {long}", long, long, long)], PLAIN)
    assert f"{long} {long}" in whole[1]  # piped, nothing is cut


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ([], None),
        (["GM602"], "1 problem; nothing would be applied"),
        (["GM508", "GM602"], "2 problems; nothing would be applied"),
    ],
)
def test_where_a_run_would_stop(codes: list[str], said: str | None) -> None:
    warning = Problem("GM220", "This index has no name of its own.", severity=Severity.WARNING)
    assert refusal([warning, *(Problem(code, "Wrong.") for code in codes)]) == said

from __future__ import annotations

import pytest

from graphmigrate.cli.render.style import (
    Style,
    cells,
    clean,
    duration,
    error_lines,
    problem_lines,
    shorten,
    table,
)
from graphmigrate.errors import MigrationFailed, Place, Problem, ProjectError, Severity

PLAIN = Style()


def test_an_error_is_shown_at_its_place() -> None:
    place = Place("migrations/V3__x.cypher", 2, 9, "CREATE (n:Person {id: 1})")
    error = MigrationFailed("Node(1) already exists.", hint="Look at it.", place=place)
    assert error_lines(error, PLAIN) == [
        "error[GM501]: Node(1) already exists.",
        "  --> migrations/V3__x.cypher:2:9",
        "  2 | CREATE (n:Person {id: 1})",
        "    |         ^",
        "  hint: Look at it.",
    ]


def test_the_caret_stands_under_tabs_and_wide_letters() -> None:
    lines = problem_lines(Problem("GM1", "x", place=Place("f", 10, 5, "\t日本\tX")), PLAIN)
    source, caret = lines[2], lines[3]
    assert cells(source[: source.index("X")]) == caret.index("^")


def test_a_long_line_is_cut_around_the_caret() -> None:
    source = "a" * 5000 + "!" + "b" * 5000
    lines = problem_lines(Problem("GM1", "x", place=Place("f", 1, 5001, source)), Style(width=80))
    assert all(cells(line) <= 80 for line in lines[1:])
    assert lines[2][lines[3].index("^")] == "!"


def test_a_column_beyond_the_line_is_its_end() -> None:
    lines = problem_lines(Problem("GM1", "x", place=Place("f", 1, 99, "abc")), PLAIN)
    assert lines[3] == "    |    ^"


def test_each_problem_is_shown_once() -> None:
    first = Problem("GM112", "twice", "rename one")
    second = Problem("GM123", "no semicolon", severity=Severity.WARNING)
    lines = error_lines(ProjectError("2 problems.", problems=[first, second]), PLAIN)
    assert lines == [
        "error[GM101]: 2 problems.",
        "error[GM112]: twice",
        "  hint: rename one",
        "warning[GM123]: no semicolon",
    ]
    single = ProjectError("twice", hint="rename one", code="GM112", problems=[first])
    assert error_lines(single, PLAIN) == ["error[GM112]: twice", "  hint: rename one"]


def test_nothing_steers_the_terminal() -> None:
    problem = Problem(
        "GM1", "bad \x1b[2J name", "see \x07", Place("a\x1b]0;x\x07.cypher", 1, 1, "x \x1b[31m y")
    )
    text = "\n".join(problem_lines(problem, PLAIN))
    assert not any(ord(each) < 32 for each in text if each != "\n")
    assert clean("a\u202eb") == "a\\u202eb"


def test_tables_are_whole_when_piped() -> None:
    lines = table(["NAME", "COUNT"], [["x" * 500, "1"], ["日本", "22"]], PLAIN, right=["COUNT"])
    assert "x" * 500 in lines[1]
    assert lines[2].endswith("   22")
    assert len({cells(line) for line in lines}) == 1


@pytest.mark.parametrize("width", [30, 40, 79, 200])
def test_tables_fit_a_terminal(width: int) -> None:
    rows = [["1", "a long description " * 5, "日本" * 30], ["22", "short", ""]]
    lines = table(["V", "DESCRIPTION", "X"], rows, Style(width=width))
    assert all(cells(line) <= width for line in lines)
    assert lines[2].startswith("22  short")


def test_shortening_counts_columns() -> None:
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("日本語", 4) == "日…"
    assert shorten("abc", 3) == "abc"


def test_colours_only_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def fileno(self) -> int:
            raise OSError

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
    assert Style.of(Terminal()) == Style(True, 80)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    assert Style.of(Terminal()) == Style(False, 120)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert Style.of(Terminal()) == Style(False, 120)
    assert Style.of(None) == Style()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0004, "0 ms"),
        (0.054, "54 ms"),
        (1.26, "1.3 s"),
        (59.9, "59.9 s"),
        (61, "1 min 01 s"),
        (7322, "2 h 02 min"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said

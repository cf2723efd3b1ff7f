"""Names and texts from files, the environment and the server: none of them may steer the terminal."""

from __future__ import annotations

import json
import logging
import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmigrate import results
from graphmigrate.cli.context import CliContext
from graphmigrate.cli.failures import as_ours
from graphmigrate.cli.options import CommandLine, read_shared
from graphmigrate.cli.render import json as as_json
from graphmigrate.cli.render import text
from graphmigrate.cli.render.style import Style, error_lines, problem_lines
from graphmigrate.cli.seeds import QueryReport, SummaryReport, WhereReport, summary_lines
from graphmigrate.errors import GraphMigrateError, Place, Problem
from graphmigrate.migrations.files import collect
from graphmigrate.migrations.reader import read
from graphmigrate.results import State
from tests.hostile import HOSTILE, assert_harmless

PLAIN, WIDE = Style(), Style(width=40)


def problem(said: str) -> Problem:
    return Problem("GM101", said, said, Place(said, 1, 2, said))


@settings(max_examples=50)
@given(HOSTILE)
def test_errors(said: str) -> None:
    error = GraphMigrateError(said, hint=said, place=Place(said, 1, 2, said), problems=[problem(said)])
    for style in (PLAIN, WIDE):
        assert_harmless(error_lines(error, style))
    assert_harmless(error_lines(as_ours(ValueError(said)), PLAIN))
    encoded = as_json.encode(as_json.error_object(error))
    assert_harmless(encoded)
    assert json.loads(encoded)["error"]["message"] == said


@settings(max_examples=50, deadline=None)  # the first drawn table imports rich
@given(HOSTILE)
def test_results(said: str) -> None:
    now = datetime.now(UTC)
    target = results.Target(said, said, said, said)
    row = results.StatusRow("1", said, State.APPLIED, said, now, said, None, said, said)
    statement = results.PlannedStatement(said, 1, "data", said)
    planned = results.PlannedMigration("1", said, said, 2, 3, (statement,))
    skipped = results.SkippedMigration("1", said, said)
    seed = results.SeedInfo(said, said, said, (said,), (said,), {said: said}, said)
    action = results.RepairAction("1", said, said, said)
    where = WhereReport(said, said, said, said, said)
    query = QueryReport(said, (said,), ((said,), ({said: [said]},)))
    for style in (PLAIN, WIDE):
        assert_harmless(text.target_line(target))
        assert_harmless(text.status(results.Status(target, (row,)), style))
        assert_harmless(
            text.plan(results.PlanResult(target, (planned,), (skipped,), (problem(said),)), style)
        )
        assert_harmless(text.repair(results.RepairResult((action,)), style))
        assert_harmless(text.seed_list([seed], style))
        assert_harmless(summary_lines(SummaryReport({said: 1}, {said: 2}, query, where), style))
    for value in (row, planned, seed, action, query, target):
        assert_harmless(as_json.encode(value))


@settings(max_examples=50)
@given(HOSTILE)
def test_what_is_said_to_a_person(said: str) -> None:
    session = CliContext()
    written: list[str] = []
    session.write = lambda _stream, line: written.append(line)  # type: ignore[method-assign]
    session.say(said)
    assert_harmless("\n".join(written))


def test_the_traceback_of_debug(capsys: pytest.CaptureFixture[str]) -> None:
    from graphmigrate.cli.failures import report

    line = CommandLine()
    line.given["debug"] = True
    line.cli.secrets.append("hunter2-hunter2")
    try:
        raise ValueError("\x1b]0;x\x07 and hunter2-hunter2")
    except ValueError as error:
        report(error, line)
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "hunter2" not in said
    assert_harmless(said)


@pytest.mark.parametrize("arguments", [["--debug"], ["--log-format", "json"], ["--log-format", "text"]])
def test_log_lines(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    line = CommandLine()
    read_shared(line, arguments)
    session = line.cli
    session.secrets.append("hunter2-hunter2")
    loggers = [logging.getLogger(name) for name in ("neo4j", "graphmigrate")]
    before = [(each.handlers[:], each.level) for each in loggers]
    try:
        for each in loggers:
            each.handlers.clear()  # a command that ran in this process may have set its own up
        session.set_up_logging()
        for each in loggers:
            each.warning("\x9b31m \x7f %s", SimpleNamespace(auth="hunter2-hunter2"))
    finally:
        for each, (handlers, level) in zip(loggers, before, strict=True):
            each.handlers[:] = handlers
            each.setLevel(level)
    said = capsys.readouterr().err
    assert said.count("***") == 2
    assert "hunter2" not in said
    assert_harmless(said)
    if "json" in arguments:
        assert all(json.loads(line)["message"].startswith("\x9b31m \x7f") for line in said.splitlines())


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from(["V1__", "V2__", "v3_", "", "R__"]), HOSTILE), min_size=1, max_size=4)
)
def test_names_of_migration_files(names: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as made:
        for prefix, rest in names:
            name = f"{prefix}{rest}.cypher".replace("\x00", "").replace("\x9b", "\udc9b")
            with suppress(UnicodeEncodeError):  # half a pair that no file system can hold
                Path(made, name).write_text("RETURN 1;")
        folder = collect(Path(made))
        for each in folder.problems:
            assert_harmless(problem_lines(each, PLAIN))
            assert_harmless(as_json.encode(each))
        for file in folder.files:
            assert re.fullmatch(r"[0-9._]+|R__[\w.-]+", file.version.text)  # what goes into keys
            migration, problems = read(file)
            assert [each.text for each in migration.statements] == ["RETURN 1"], problems

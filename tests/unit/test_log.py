"""Events as log records."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

import graphmigrate
from graphmigrate.errors import Place, Problem, Severity
from graphmigrate.events import Holder, LockAwaited, SeedProgress, Warned
from graphmigrate.log import JsonFormatter, log, logged


def test_events_are_logged_and_passed_on(caplog: pytest.LogCaptureFixture) -> None:
    problem = Problem("GM112", "odd", "fix it", Place("V1__a.cypher", 3, 7), Severity.WARNING)
    events = [SeedProgress("people", 10), LockAwaited(Holder("r", "h", "u"), 1.5), Warned(problem)]
    heard: list[object] = []
    with caplog.at_level(logging.DEBUG, "graphmigrate"):
        for event in events:
            logged(heard.append)(event)
    assert heard == events
    assert [(each.name, each.levelname) for each in caplog.records] == [
        ("graphmigrate.seed", "DEBUG"),
        ("graphmigrate.migrate", "INFO"),
        ("graphmigrate.migrate", "WARNING"),
    ]
    lines = [json.loads(JsonFormatter().format(each)) for each in caplog.records]
    assert lines[0]["event"] == "SeedProgress"
    assert lines[0]["rows"] == 10
    assert lines[1]["holder"]["host"] == "h"
    assert lines[2]["problem"] == {"code": "GM112", "hint": "fix it", "place": "V1__a.cypher:3:7"}
    assert lines[2]["message"] == "V1__a.cypher:3:7: odd"


def test_nothing_is_printed_unless_logging_is_set_up(capfd: pytest.CaptureFixture[str]) -> None:
    code = (
        "from graphmigrate.log import log; from graphmigrate.events import Warned; "
        "from graphmigrate.errors import Problem; log(Warned(Problem('GM000', 'odd')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert capfd.readouterr() == ("", "")


def test_log_is_a_listener() -> None:
    listen: graphmigrate.events.Listener = log  # type: ignore[name-defined]
    listen(SeedProgress("people", 1))

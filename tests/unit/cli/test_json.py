from __future__ import annotations

import io
import json
import math
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import neo4j.time
import pytest
from jsonschema import Draft7Validator
from neo4j.spatial import WGS84Point

from graphmigrate.cli.failures import report
from graphmigrate.cli.options import CommandLine
from graphmigrate.cli.render.json import FORMAT, encode, error_object, plain
from graphmigrate.errors import Place, Problem, ProjectError
from graphmigrate.results import State
from graphmigrate.value import Value
from scripts.json_fields import OBJECTS, objects_in, written_types
from scripts.json_schemas import all_schemas, file_name

DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "json-output.md"
EXAMPLES = dict(re.findall(r"```json ([\w ]+)\n(.*?)```", DOCUMENT.read_text(), re.DOTALL))


@pytest.mark.parametrize("command", OBJECTS)
def test_each_command_has_an_example_with_its_fields(command: str) -> None:
    example = json.loads(EXAMPLES.get(command, EXAMPLES["server status"]))
    Draft7Validator(json.loads(all_schemas()[file_name(command)])).validate(example)
    assert example.pop("format") == FORMAT
    check(example, OBJECTS[command])


def check(value: object, made: type) -> None:
    assert isinstance(value, dict)
    wanted = written_types(made)
    assert list(value) == list(wanted)
    for name, annotation in wanted.items():
        for inner in objects_in(annotation):
            each = value[name]
            for one in each if isinstance(each, list) else [each]:
                if one is not None:
                    check(one, inner)


def test_the_error_example_is_what_is_printed() -> None:
    example = json.loads(EXAMPLES["error"])["error"]
    place = Place(**example["place"])
    error = ProjectError(example["message"], hint=example["hint"], place=place, code=example["code"])
    made = json.loads(encode(error_object(error)))
    assert made == {"format": FORMAT, "error": example}
    Draft7Validator(json.loads(all_schemas()["error.json"])).validate(made)


def test_a_local_server_is_shown_without_its_password() -> None:
    from graphmigrate.cli.server import _report
    from graphmigrate.server import Server

    server = Server(
        "jvm", "5.26.25", "bolt://h:1", "http://h:2", "neo4j", "secret", Path("p"), Path("d"), False
    )
    report = _report(server)
    assert (report.bolt_uri, report.password_file, report.ephemeral) == ("bolt://h:1", "p", False)
    assert "secret" not in encode(report)


def test_problems_of_an_error_are_listed() -> None:
    problem = Problem("GM112", "twice", "rename", Place("a.cypher", 2, 3, "x"))
    error = ProjectError("two problems", problems=[problem])
    assert json.loads(encode(error_object(error)))["error"]["problems"] == [
        {
            "code": "GM112",
            "message": "twice",
            "hint": "rename",
            "place": {"file": "a.cypher", "line": 2, "column": 3, "source": "x"},
            "severity": "error",
        }
    ]


class Holder(Value):
    at: datetime
    took: timedelta
    state: State
    where: Path
    values: tuple[object, ...]


def test_values_become_plain() -> None:
    holder = Holder(
        datetime(2026, 1, 31, 12, tzinfo=UTC),
        timedelta(milliseconds=1500),
        State.OUT_OF_ORDER,
        Path("a/b"),
        (1, None),
    )
    assert plain(holder) == {
        "at": "2026-01-31T12:00:00+00:00",
        "took": 1.5,
        "state": "out of order",
        "where": "a/b",
        "values": [1, None],
    }


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (math.nan, "nan"),
        (math.inf, "inf"),
        (b"\x00\xff", "00ff"),
        (neo4j.time.Date(2026, 1, 31), "2026-01-31"),
        (neo4j.time.Duration(days=1), "P1D"),
        (WGS84Point((1.5, 2.5)), {"srid": 4326, "coordinates": [1.5, 2.5]}),
        ({"ä": [True]}, {"ä": [True]}),
    ],
)
def test_values_of_a_query(value: object, wanted: object) -> None:
    assert plain(value) == wanted
    assert json.loads(encode(value)) == wanted


class Stream(io.TextIOWrapper):
    """A pipe of this encoding, made as Python makes standard output."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def written(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "ascii", "cp1252"])
@pytest.mark.parametrize("failed", [False, True])
def test_json_is_json_in_every_encoding(encoding: str, failed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    out, err, said = Stream(encoding), Stream(encoding), "caf\xe9 \U0001f600 \x9b"
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    line = CommandLine()
    line.given["output"] = "json"
    if failed:
        assert report(ProjectError(said), line) == 2
    else:
        line.cli.result({"said": said}, lambda _: [])
    found = json.loads(out.written())
    assert (found["error"]["message"] if failed else found["said"]) == said
    assert ("é" in out.written()) == encoding.lower().startswith("utf")


def test_secrets_are_replaced_before_they_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    line = CommandLine()
    line.given["output"] = "json"
    line.cli.secrets += ["12345678", 'pass"word\\']
    line.cli.result({'pass"word\\': 12345678, "said": ['a pass"word\\ and 12345678']}, lambda _: [])
    assert json.loads(capsys.readouterr().out) == {
        "format": FORMAT,
        'pass"word\\': 12345678,
        "said": ["a *** and ***"],
    }


def test_an_error_after_the_result_adds_no_second_object(capsys: pytest.CaptureFixture[str]) -> None:
    line = CommandLine()
    line.given["output"] = "json"
    line.cli.result({"done": True}, lambda _: [])
    assert report(ProjectError("too late"), line) == 2
    out, err = capsys.readouterr()
    assert json.loads(out) == {"format": FORMAT, "done": True}
    assert "too late" in err

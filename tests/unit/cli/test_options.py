from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphmigrate.cli.app import run
from graphmigrate.cli.context import CliContext
from graphmigrate.cli.failures import report
from graphmigrate.cli.options import CommandLine, read_shared


@pytest.fixture(autouse=True)
def clean_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("NEO4J_", "GRAPHMIGRATE_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for folder in ("migrations", "first", "second"):
        (tmp_path / folder).mkdir()


def migration_made(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [
        (["--migrations", "first", "new", "x"], "first"),
        (["new", "--migrations", "first", "x"], "first"),
        (["new", "x", "--migrations=first"], "first"),
        (["--migrations", "first", "new", "x", "--migrations", "second"], "second"),
        (["--migrations", "first", "--migrations", "second", "new", "x"], "second"),
    ],
)
def test_options_stand_before_or_after_the_command_and_the_later_wins(
    arguments: list[str], folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 0
    assert migration_made(capsys) == f"{folder}/V1__x.cypher"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["statsu"], "Did you mean 'status'?"),
        (["frobnicate"], "graphmigrate --help"),
        (["migrate", "--dryrun"], "Did you mean '--dry-run'?"),
        (["migrate", "--datbase", "x"], "Did you mean '--database'?"),
        (["--datbase", "x", "migrate"], "Did you mean '--database'?"),
        (["seed", "--profil", "x"], "Did you mean '--profile'?"),
        (["baseline"], "VERSION"),
        (["migrate", "surplus"], "surplus"),
        (["migrate", "--lock-timeout", "soon"], "number of seconds"),
        (["migrate", "--lock-timeout", "-1"], "number of seconds"),
        (["migrate", "--lock-timeout", "nan"], "number of seconds"),
        (["--output", "xml", "status"], "'xml'"),
        (["seed", "--set", "novalue"], "NAME=VALUE"),
        (["new"], "DESCRIPTION"),
        ([], "No command"),
    ],
)
def test_usage_errors_end_with_2_and_a_hint(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "error[GM1" in err
    assert "  hint: " in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--password=hunter22", "status"],
        ["--password", "hunter22", "status"],
        ["--password", "status"],
        ["seed", "--password", "list"],
        ["status", "--password", "hunter22"],
        ["status", "--password=hunter22", "--debug"],
        ["seed", "--password", "hunter22"],
        ["--output", "json", "status", "--password", "hunter22"],
    ],
)
def test_a_password_on_the_command_line_is_refused_and_not_repeated(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert "GM155" in err
    assert "NEO4J_PASSWORD" in err
    assert "hunter22" not in out + err


@pytest.mark.parametrize(
    "arguments",
    [["--password", "--quiet", "status"], ["status", "--password"], ["seed", "list", "--password"]],
)
def test_without_a_terminal_the_password_cannot_be_asked_for(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert run([*arguments, "--uri", "bolt://127.0.0.1:1"]) == 2
    assert "GM150" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--output", "json", "frobnicate"], {}),
        (["--output=json", "migrate", "--frobnicate"], {}),
        (["migrate", "--frobnicate", "--output", "json"], {}),
        (["migrate", "--output", "text", "--output", "json", "surplus"], {}),
        (["frobnicate"], {"GRAPHMIGRATE_OUTPUT": "json"}),
        (["--output", "json"], {}),
    ],
)
def test_usage_errors_are_json_too(
    arguments: list[str],
    environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert run(arguments) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert list(error) == ["code", "message", "hint", "place", "problems"]
    assert error["code"] == "GM150"


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["seed", "--", "--output", "json", "--debug"], {}),
        (["--debug", "seed", "--", "x"], {"debug": True}),
        (["migrate", "--no-such", "--output=json", "-q"], {"output": "json", "quiet": True}),
        (["migrate", "--output", "xml"], {}),
    ],
)
def test_options_are_known_where_the_command_line_is_wrong(
    arguments: list[str], given: dict[str, object]
) -> None:
    line = CommandLine()
    read_shared(line, arguments)
    assert line.given == given


@pytest.mark.parametrize("arguments", [["--help"], ["seed", "--help"], ["--version"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_gone_is_no_error(arguments: list[str], unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "graphmigrate", *arguments],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_pipe_that_breaks_elsewhere_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BrokenPipeError) as broken:
        raise BrokenPipeError
    assert report(broken.value, CommandLine()) == 5
    assert "GM179" in capsys.readouterr().err


def test_quiet_keeps_results_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    (Path("migrations") / "v2__wrong.cypher").write_text("RETURN 1;")
    assert run(["new", "x"]) == 0
    loud = capsys.readouterr()
    assert "GM113" in loud.err
    assert run(["new", "y", "-q"]) == 0
    quiet = capsys.readouterr()
    assert (quiet.out, quiet.err) == ("migrations/V2__y.cypher\n", "")
    assert run(["validate", "--offline", "--quiet"]) == 2
    findings = capsys.readouterr()
    assert "GM113" in findings.out
    assert findings.err == ""


def test_secrets_are_taken_out_in_every_shape() -> None:
    cli = CliContext()
    cli.secrets.append("p'a\"s\\s w/ör")
    text = cli.mask("1 p'a\"s\\s w/ör 2 p'a\\\"s\\\\s w/ör 3 p%27a%22s%5Cs%20w%2F%C3%B6r 4")
    assert text == "1 *** 2 *** 3 *** 4"


def test_an_unexpected_error_is_one_line_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import graphmigrate.migrator

    class Broken:
        def __init__(self, settings: object, **_: object) -> None:
            self.settings = settings

        def __enter__(self) -> None:
            raise KeyError(f"lost {self.settings.password!s}")

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(graphmigrate.migrator, "Migrator", Broken)
    monkeypatch.setenv("NEO4J_PASSWORD", "hunter22")
    assert run(["status", "--uri", "bolt://127.0.0.1:1"]) == 5
    short = capsys.readouterr().err
    assert "error[GM179]: Internal error: KeyError: 'lost ***'" in short
    assert "--debug" in short
    assert "Traceback" not in short
    assert run(["status", "--uri", "bolt://127.0.0.1:1", "--debug", "--output", "json"]) == 5
    out, err = capsys.readouterr()
    assert "Traceback" in err
    assert "hunter22" not in out + err
    assert json.loads(out)["error"]["code"] == "GM179"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], ["migrate", "seed", "server", "NEO4J_URI", "--password-file"]),
        (["migrate", "-h"], ["--lock-timeout", "--dry-run"]),
        (["seed", "--help"], ["--profile", "seed [OPTIONS] [NAME]", "seed list", "load  "]),
        (["seed", "list", "--help"], ["--offline"]),
        (["repair", "--help"], ["--accept", "--forget"]),
        (["completion", "--help"], ["codes.\n\n  bash   echo", "newer)\n  zsh    echo"]),
    ],
)
def test_help(arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert all(word in out for word in words)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    from graphmigrate import __version__

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"graphmigrate {__version__}\n"


def test_no_database_named_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status"]) == 2
    err = capsys.readouterr().err
    assert "GM151" in err
    assert "NEO4J_URI" in err
    assert "graphmigrate server start" in err


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["migrat"], "migrate"),
        (["server", "strat"], "start"),
        (["status", "--exit-cod"], "--exit-code"),
        (["--outptu", "json", "status"], "--output"),
        (["status", "--output", "jsn"], "json"),
        (["server", "start", "--provider", "dokcer"], "docker"),
        (["completion", "bsh"], "bash"),
    ],
)
def test_commands_options_and_values_are_suggested(
    arguments: list[str], near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert f"hint: Did you mean {near!r}?" in capsys.readouterr().err

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from graphmigrate.cli.app import COMMANDS, run
from graphmigrate.cli.project import next_version
from graphmigrate.database.version import Version
from graphmigrate.migrations.files import collect

NOW = datetime(2026, 1, 31, 12, 30, 45, tzinfo=UTC)

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith(("NEO4J_", "GRAPHMIGRATE_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("versions", "wanted"),
    [
        ([], "1"),
        (["1"], "2"),
        (["2", "10", "9"], "11"),
        (["007"], "008"),
        (["099"], "100"),
        (["999"], "1000"),
        (["1.2"], "1.3"),
        (["1_9"], "1_10"),
        (["2.0.9"], "2.0.10"),
        (["1.0"], "1.1"),
        (["20250101"], "20260131"),
        (["202501011200"], "202601311230"),
        (["20250101120000"], "20260131123045"),
        (["20250101_120000"], "20260131_123045"),
        (["20260131"], "20260132"),
        (["20991231120000"], "20991231120001"),
        (["12345678"], "12345679"),
    ],
)
def test_the_next_version_continues_the_folders_manner(versions: list[str], wanted: str) -> None:
    parsed = [Version.parse(each) for each in versions]
    assert next_version(parsed, NOW) == wanted
    assert not parsed or Version.parse(wanted) > max(parsed)


def test_new_prints_the_path_of_a_template(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "migrations").mkdir()
    (folder / "migrations" / "V7__x.cypher").write_text("RETURN 1;")
    assert run(["new", "Add users"]) == 0
    out, err = capsys.readouterr()
    assert out == "migrations/V8__Add_users.cypher\n"
    assert err == "No database was named: the version follows the files alone.\n"
    text = (folder / "migrations" / "V8__Add_users.cypher").read_text()
    assert text.startswith("// Add users\n")
    assert all(line.startswith("//") for line in text.splitlines())
    assert run(["new", "then", "more", "--output", "json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made == {"format": 1, "version": "9", "file": "migrations/V9__then_more.cypher", "undo": None}
    assert run(["new", "--with-undo", "towns"]) == 0
    assert capsys.readouterr().out == "migrations/V10__towns.cypher\nmigrations/U10__towns.cypher\n"


def test_the_template_says_that_it_is_empty_and_nothing_else(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "migrations").mkdir()
    run(["new", "x"])
    capsys.readouterr()
    assert run(["validate", "--offline", "--output", "json"]) == 2
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem["code"] == "GM121"
    file = folder / "migrations" / "V1__x.cypher"
    file.write_text(file.read_text() + "RETURN 1;\n")
    assert run(["validate", "--offline"]) == 0


@pytest.mark.parametrize(
    ("description", "name"),
    [
        ("add users", "V1__add_users.cypher"),
        ("  add -- users!  ", "V1__add_--_users.cypher"),
        ("größe & länge", "V1__größe_länge.cypher"),
        ("a/../../b", "V1__a_b.cypher"),
        ("__x__", "V1__x.cypher"),
        ("a__b", "V1__a_b.cypher"),
        ("what? \x1b[31m", "V1__what_31m.cypher"),
    ],
)
def test_descriptions_become_names_that_are_read_again(folder: Path, description: str, name: str) -> None:
    (folder / "migrations").mkdir()
    assert run(["new", "--", description]) == 0
    assert os.listdir(folder / "migrations") == [name]
    assert not collect(folder / "migrations").problems


@pytest.mark.parametrize("description", ["", " ", "!!", "__", "V3__x", "x.cypher", "a" * 300, "ü" * 100])
def test_unusable_descriptions(folder: Path, description: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "migrations").mkdir()
    assert run(["new", "--", description]) == 2
    assert "GM150" in capsys.readouterr().err
    assert os.listdir(folder / "migrations") == []


def test_new_makes_the_folder(folder: Path) -> None:
    assert run(["new", "x"]) == 0
    assert (folder / "migrations" / "V1__x.cypher").exists()


def test_init_makes_a_valid_project(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "shop", "--output", "json"]) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert report["folder"] == "shop"
    assert report["kept"] == []
    assert (
        "Next: cd shop && graphmigrate server start (or set NEO4J_URI), then graphmigrate migrate" in said.err
    )
    made = {str(each.relative_to(folder / "shop")) for each in (folder / "shop").rglob("*") if each.is_file()}
    assert made == set(report["created"])
    assert {"graphmigrate.toml", ".gitignore"} <= made
    assert ".env" in (folder / "shop" / ".gitignore").read_text()
    os.chdir(folder / "shop")
    assert run(["validate", "--offline"]) == 0
    assert run(["seed", "list", "--offline", "--output", "json"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)["seeds"]] == ["people"]
    assert run(["new", "more"]) == 0
    assert capsys.readouterr().out == "migrations/V3__more.cypher\n"


def test_init_for_agents_names_commands_and_exit_codes_that_exist(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "--agents"]) == 0
    text = (folder / "AGENTS.md").read_text()
    named = set(re.findall(r"`graphmigrate ([a-z]+)", text))
    assert named - {each for section in COMMANDS.values() for each in section} == set()
    documented = (ROOT / "docs/reference/exit-codes.md").read_text()
    codes = re.findall(r"(?:^|\. )(\d) ", text.partition("## Exit codes")[2], re.MULTILINE)
    assert codes == ["0", "1", "2", "3", "4", "5", "6"]
    assert all(f"| {code} |" in documented for code in codes)
    assert run(["init", "--agents"]) == 0
    assert "already: AGENTS.md" in capsys.readouterr().err


def test_init_again_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["init"])
    before = {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    capsys.readouterr()
    assert run(["init", "--output", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["created"] == []
    assert set(report["kept"]) == {"graphmigrate.toml", ".gitignore", "migrations/", "seeds/"}
    assert {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()} == before


def test_init_leaves_what_is_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "migrations").mkdir()
    (folder / "migrations" / "V1__mine.cypher").write_text("RETURN 1;")
    (folder / ".gitignore").write_text("*.log\n.env\n")
    (folder / "pyproject.toml").write_text("[tool.graphmigrate]\nledger = 'mine'\n")
    assert run(["init"]) == 0
    out, err = capsys.readouterr()
    assert os.listdir(folder / "migrations") == ["V1__mine.cypher"]
    assert not (folder / "graphmigrate.toml").exists()
    assert (folder / ".gitignore").read_text() == "*.log\n.env\n"
    assert "seeds/people.cypher.j2" in out
    for kept in ("migrations/", ".gitignore", "pyproject.toml"):
        assert f"Left alone, because it is there already: {kept}" in err
    assert "Add this line to .gitignore: .graphmigrate/" in err
    assert "Add this line to .gitignore: .env" not in err


@pytest.mark.parametrize("made", ["file", "link"])
def test_init_where_it_cannot_write(folder: Path, made: str, capsys: pytest.CaptureFixture[str]) -> None:
    if made == "file":
        (folder / "taken").write_text("")
    else:
        (folder / "taken").symlink_to("nowhere/at/all")
    assert run(["init", "taken"]) == 2
    assert "GM167" in capsys.readouterr().err


def test_a_seed_named_like_a_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "seeds").mkdir()
    (folder / "seeds" / "list.cypher.j2").write_text("RETURN 1;")
    assert run(["seed", "list"]) == 0
    assert "graphmigrate seed load list" in capsys.readouterr().err


def test_the_project_above_is_used_and_named(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "graphmigrate.toml").write_text("")
    (folder / "src").mkdir()
    monkeypatch.chdir(folder / "src")
    assert run(["new", "x"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{folder}/migrations/V1__x.cypher\n"
    assert f"The project is in {folder}" in err


@pytest.mark.parametrize(("files", "said"), [(1, "1 file is well-formed"), (3, "3 files are well-formed")])
def test_validate_offline_says_what_it_did_not_check(
    folder: Path, files: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "migrations").mkdir()
    for number in range(1, files + 1):
        (folder / "migrations" / f"V{number}__x.cypher").write_text("MERG (a:B);\n")
    assert run(["validate", "--offline"]) == 0
    assert capsys.readouterr().err == f"{said}; the Cypher was not checked, because no server was asked.\n"


@pytest.mark.parametrize(
    ("word", "leads"),
    [
        ("up", "migrate"),
        ("upgrade", "migrate"),
        ("info", "status"),
        ("history", "status"),
        ("create", "new"),
        ("down", "graphmigrate undo"),
        ("rollback", "graphmigrate undo"),
        ("reset", "seed --reset"),
    ],
)
def test_commands_of_other_tools_lead_on(word: str, leads: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([word]) == 2
    assert leads in capsys.readouterr().err.partition("hint: ")[2]


def test_help_of_a_command_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["migrate"], ["seed", "list"], []):
        assert run(["help", *words]) == 0
        asked = capsys.readouterr().out
        assert run([*words, "--help"]) == 0
        assert capsys.readouterr().out == asked


def test_short_options_of_other_tools(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-V"]) == 0
    assert capsys.readouterr().out.startswith("graphmigrate ")
    assert run(["status", "-v"]) == 2
    assert "-V shows the version" in capsys.readouterr().err

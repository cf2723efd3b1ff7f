"""action.yml and the pre-commit hooks: of the shape that their hosts read, and no shell made of inputs."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from graphmigrate.cli.app import run

ROOT = Path(__file__).parents[2]
STEPS = ROOT / "scripts" / "ci"
ACTION = YAML(typ="safe", pure=True).load((ROOT / "action.yml").read_text())
RUNS = ACTION["runs"]["steps"]


def test_the_action_is_valid_by_its_schema() -> None:
    folder = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / "github-actions.json").read_text())
    assert [error.message for error in Draft7Validator(schema).iter_errors(ACTION)] == []


@pytest.mark.parametrize("path", sorted((ROOT / ".github/workflows").iterdir()), ids=lambda path: path.stem)
def test_workflows_are_valid_pinned_and_of_least_permissions(path: Path) -> None:
    folder = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / "github-workflows.json").read_text())
    workflow = YAML(typ="safe", pure=True).load(path.read_text())
    assert [error.message for error in Draft7Validator(schema).iter_errors(workflow)] == []
    assert workflow["permissions"] == {}
    used = re.findall(r"uses: (\S+)(.*)", path.read_text())
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_release_notes_are_those_of_the_changelog(tmp_path: Path) -> None:
    def notes(version: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, tmp_path / "scripts" / "release-notes", version]
        return subprocess.run(words, capture_output=True, text=True)

    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "release-notes", tmp_path / "scripts")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n')
    changelog = "# Changelog\n\n## [Unreleased]\n\n- new\n\n## [1.1.0] - 2026-01-01\n\n- old\n"
    (tmp_path / "CHANGELOG.md").write_text(changelog)
    assert "no section [1.2.0]" in notes("1.2.0").stderr
    assert "pyproject.toml has 1.2.0" in notes("1.1.0").stderr
    (tmp_path / "CHANGELOG.md").write_text(changelog.replace("Unreleased", "1.2.0"))
    assert notes("1.2.0").stdout == "- new\n"


def test_every_step_is_a_script_of_this_repository() -> None:
    named = [
        re.fullmatch(r'"\$GITHUB_ACTION_PATH/scripts/ci/(\w+)"', step["run"])[1]  # type: ignore[index]
        for step in RUNS
    ]
    assert named == ["install", "database", "validate", "plan", "migrate", "seed", "test", "stop"]
    assert all(os.access(STEPS / name, os.X_OK) for name in named)


def test_inputs_reach_scripts_by_the_environment_and_are_declared() -> None:
    used = set(re.findall(r"\binputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])
    read = {
        name
        for path in STEPS.iterdir()
        for name in re.findall(r"\b(?:INPUT|GITHUB)_\w+", re.sub(r"(?m)^\s*#.*", "", path.read_text()))
    }
    given = {name for step in RUNS for name in step.get("env", {})}
    by_github = {"PATH", "OUTPUT", "STEP_SUMMARY", "ACTIONS", "EVENT_PATH", "REPOSITORY", "API_URL"}
    for_make_only = {"INPUT_PYTHON", "INPUT_TIMEOUT"}
    assert given == read - {f"GITHUB_{name}" for name in by_github} - for_make_only


def test_the_action_judges_files_as_the_hooks_do() -> None:
    hooks = YAML(typ="safe", pure=True).load((ROOT / ".pre-commit-hooks.yaml").read_text())
    for hook in hooks:
        assert hook["entry"].removesuffix(" --quiet") in (STEPS / "validate").read_text()


def test_a_given_database_is_changed_only_when_told_so() -> None:
    conditions = {step["name"]: step.get("if", "") for step in RUNS}
    for name in ("Migrate", "Seed", "Test"):
        assert f"inputs.uri == '' && '{name.lower()}'" in conditions[name]


def test_gitlab_s_service_gets_no_variable_that_neo4j_would_refuse() -> None:
    blocks = re.findall(
        r"^```yaml\n(.*?)^```", (ROOT / "docs/how-to/ci.md").read_text(), re.MULTILINE | re.DOTALL
    )
    recipe = next(
        YAML(typ="safe", pure=True).load(each)["graph"] for each in blocks if "\n  services:" in each
    )
    assert {name for name in recipe["variables"] if name.startswith("NEO4J_")} == {"NEO4J_AUTH"}


def test_the_hooks_run_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in list(os.environ):
        if name.startswith(("NEO4J_", "GRAPHMIGRATE_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(ROOT)
    hooks = YAML(typ="safe", pure=True).load((ROOT / ".pre-commit-hooks.yaml").read_text())
    for hook in hooks:
        assert {"id", "name", "entry", "language"} <= set(hook)
        program, *arguments = shlex.split(hook["entry"])
        assert (program, hook["language"], hook["pass_filenames"]) == ("graphmigrate", "python", False)
        assert run(arguments) == 0, capsys.readouterr().err
        assert any(
            re.search(hook["files"], name) for name in ("migrations/V1__a.cypher", "seeds/a.cypher.j2")
        )


def test_the_hooks_say_that_they_do_not_check_the_cypher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "V1__a.cypher").write_text("MERG (:A);")
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "a.cypher.j2").write_text("MERG (:A);")
    monkeypatch.chdir(tmp_path)
    for hook in YAML(typ="safe", pure=True).load((ROOT / ".pre-commit-hooks.yaml").read_text()):
        assert run(shlex.split(hook["entry"])[1:]) == 0  # only a server could see it
        assert "a server checks the Cypher" in hook["description"]
        assert "syntax" not in hook["description"]

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from graphmigrate.cli.app import run
from graphmigrate.cli.render import ci
from graphmigrate.errors import Place, Problem, ProjectError, Severity

WRONG = Problem("GM123", "100% wrong,\nreally: <b>", "Add a ;", Place("migrations/V1__ä.cypher", 3, 7))
ODD = Problem("GM133", "odd", severity=Severity.WARNING)


def test_a_finding_is_one_workflow_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "graph").mkdir()
    monkeypatch.chdir(tmp_path / "graph")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert ci.workflow_commands([WRONG, ODD]) == [
        "::error title=GM123,file=graph/migrations/V1__ä.cypher,line=3,col=7::"
        "100%25 wrong,%0Areally: <b>%0AAdd a ;",
        "::warning title=GM133::odd",
    ]
    [line] = ci.workflow_commands([Problem("GM101", "x", place=Place("a,b:c.cypher", 1))])
    assert "file=graph/a%2Cb%3Ac.cypher," in line


def test_a_report_has_a_case_for_each_file() -> None:
    text = "\n".join(ci.junit("validate", ["migrations/V2__b.cypher"], [WRONG, ODD]))
    assert text.isascii()
    [suite] = ElementTree.fromstring(text)
    assert suite.attrib == {"name": "validate", "tests": "3", "failures": "1", "errors": "0"}
    clean, failed, elsewhere = suite
    assert [each.get("name") for each in suite] == [
        "migrations/V2__b.cypher",
        "migrations/V1__ä.cypher",
        ci.NOWHERE,
    ]
    assert len(clean) == 0
    assert failed[0].get("message") == "100% wrong,\nreally: <b>".replace("\n", " ")
    assert (failed[0].text or "").endswith("Add a ;")
    assert elsewhere[0].tag == "system-out"


def test_a_report_without_files_and_findings_still_has_a_case() -> None:
    [suite] = ElementTree.fromstring("\n".join(ci.junit("plan", [], [])))
    assert suite.get("tests") == "1"


def test_an_error_is_its_findings() -> None:
    assert ci.of_error(ProjectError("two", problems=[WRONG, ODD])) == (WRONG, ODD)
    assert ci.of_error(ProjectError("one", hint="h", code="GM113")) == (Problem("GM113", "one", "h"),)


@pytest.mark.parametrize(
    ("output", "found"), [("github", "::error title=GM113"), ("junit", '<failure type="GM113"')]
)
def test_validate_and_errors_are_printed(
    output: str,
    found: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "v1__a.cypher").write_text("RETURN 1;\n")
    assert run(["validate", "--offline", "--output", output]) == 2
    assert found in capsys.readouterr().out
    (tmp_path / "graphmigrate.toml").write_text("ledgr = 'a'\n")
    assert run(["validate", "--offline", "--output", output]) == 2
    assert "GM157" in capsys.readouterr().out


@pytest.mark.parametrize("output", ["github", "junit", "markdown"])
def test_other_commands_refuse_it(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--output", output]) == 2
    assert f"'explain' has no {output} output" in capsys.readouterr().err

"""What the documentation takes from the code is what the code says; every error code has its page."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from graphmigrate.cli.app import run
from graphmigrate.cypher.model import Kind
from graphmigrate.database.backoff import RETRIES
from graphmigrate.errors import TITLES
from graphmigrate.migrations.files import collect
from graphmigrate.migrations.header import OPTION_WORDS
from graphmigrate.migrations.model import Options
from graphmigrate.migrations.reader import read
from graphmigrate.migrations.segments import segments_of

ROOT = Path(__file__).parents[2]
PAGES = {page.stem: page for page in sorted((ROOT / "docs" / "errors").glob("GM*.md"))}
CODE = re.compile(r"GM\d{3}")


def codes_of_the_package() -> set[str]:
    """Every code that the package gives to an error or a finding: a string that is a code, beside its entry in TITLES."""
    trees = (ast.parse(path.read_text()) for path in (ROOT / "graphmigrate").rglob("*.py"))
    strings = Counter(
        node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)
    )
    return {each for each, times in strings.items() if CODE.fullmatch(str(each)) and times > (each in TITLES)}


def test_generated_pages_are_not_stale() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "reference", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, (
        f"run scripts/reference, and commit what it writes:\n{done.stdout}{done.stderr}"
    )


def test_every_code_is_in_the_registry_and_every_entry_is_used() -> None:
    codes = codes_of_the_package()
    assert sorted(codes - set(TITLES)) == [], "add these to TITLES in errors.py, then run make reference"
    assert sorted(set(TITLES) - codes) == [], "nothing raises these any more: delete them from TITLES"
    assert list(TITLES) == sorted(TITLES)


def test_every_page_belongs_to_a_code() -> None:
    titles = {code: page.read_text().partition("\n")[0] for code, page in PAGES.items()}
    assert titles == {code: f"# {code}: {TITLES.get(code)}" for code in PAGES}


@pytest.mark.parametrize("code", PAGES)
def test_a_page_has_cause_cure_and_example(code: str) -> None:
    text = PAGES[code].read_text()
    title, cause, cure, example = re.split(r"\n## (?:Cause|Cure|Example)\n", text)
    assert re.fullmatch(rf"# {code}: \S.+\n", title)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Cause", "Cure", "Example"]
    assert all(len(each.split()) > 2 for each in (cause, cure))
    assert code in example or code == "GM000"


def test_the_page_on_migrations_names_every_word_of_a_header_and_kind() -> None:
    text = (ROOT / "docs" / "reference" / "migrations.md").read_text()
    cells = dict(re.findall(r"^\| (`[^|]+) \| ([^|]+) \|", text, re.MULTILINE))
    words = {word: default for word, default in cells.items() if "`" in word}
    for word in OPTION_WORDS:
        assert any(re.search(rf"`{word}\b", each) for each in words), word
    assert words["`max-batches N`"] == f"{Options().max_batches:,}"
    assert words["`retry N`"] == str(RETRIES)
    assert set(map(str, Kind)) <= {each.strip("`") for each in cells}


def test_the_example_of_the_page_on_migrations_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "reference" / "migrations.md").read_text()
    [(name, content)] = re.findall(r"^`(V[^`]+)`:\n\n```cypher\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (tmp_path / name).write_text(content)
    [file] = collect(tmp_path).files
    migration, problems = read(file)
    assert problems == ()
    assert (migration.header.options.timeout, migration.header.options.retry) == (600, 2)
    assert [each.subject for each in migration.header.conditions] == ["version"]
    assert [each.kind for each in segments_of(migration)] == [Kind.SCHEMA, Kind.DATA]


@pytest.mark.parametrize("written", ["GM602", "gm602", "602", "error[GM602]:"])
def test_explain_prints_the_page(written: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", written]) == 0
    assert capsys.readouterr().out == PAGES["GM602"].read_text()


def test_explain_lists_the_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--output", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)["codes"]
    assert {each["code"]: each["title"] for each in listed} == TITLES


def test_explain_shows_what_a_code_without_a_page_means(capsys: pytest.CaptureFixture[str]) -> None:
    without = next(code for code in TITLES if code not in PAGES)
    assert run(["explain", without]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"# {without}: {TITLES[without]}\n")
    assert "hint" in said


def test_explain_suggests_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "GM606x9"]) == 0  # what follows the number is of no matter
    assert run(["explain", "GM699"]) == 2
    assert "error[GM150]: There is no error code 'GM699'." in capsys.readouterr().err

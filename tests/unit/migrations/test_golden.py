"""Every file in tests/golden is read and compared with the .expected.json beside it.

To write them anew, then look at the difference: GRAPHMIGRATE_GOLDEN=write pytest tests/unit/migrations/test_golden.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from graphmigrate.database.version import Version
from graphmigrate.migrations.model import Condition, Migration, MigrationFile, checksum
from graphmigrate.migrations.reader import read

GOLDEN = Path(__file__).parents[2] / "golden"
FILES = sorted(GOLDEN.glob("*.cypher"))


def read_golden(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    shown = Path(path.name)
    file = MigrationFile(Version.parse("1"), path.stem, shown, path.name, checksum(content), content)
    migration, problems = read(file)
    return {
        "checksum": file.checksum,
        "header": shown_header(migration),
        "statements": [
            {
                "at": str(statement.place),
                "kind": statement.kind.value,
                "text": statement.text,
                "terminated": statement.terminated,
            }
            for statement in migration.statements
        ],
        "problems": [
            f"{problem.severity.value} {problem.code} {problem.place}: {problem.message} | {problem.hint}"
            for problem in problems
        ],
    }


def shown_header(migration: Migration) -> dict[str, object]:
    def condition(each: Condition) -> str:
        return f"{each.place}: {each.mode} {each.subject} {each.operator} {each.value}"

    return {
        "conditions": [condition(each) for each in migration.header.conditions],
        "options": vars(migration.header.options),
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    expected = path.with_suffix(".expected.json")
    found = json.dumps(read_golden(path), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("GRAPHMIGRATE_GOLDEN") == "write":
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")


def test_no_expectation_without_its_file() -> None:
    assert {path.name.removesuffix(".expected.json") for path in GOLDEN.glob("*.json")} == {
        path.stem for path in FILES
    }

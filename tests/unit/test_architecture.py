"""The arrows of the house point one way (docs/architecture.md)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "graphmigrate"
BASE = {"value", "errors", "settings", "events", "results", "log"}
ALLOWED = {
    "value": set(),
    "errors": {"value"},
    "events": {"value", "errors"},
    "results": {"value", "errors"},
    "settings": {"value", "errors"},
    "log": {"value", "errors", "events"},
    "cypher": BASE,
    "schema": BASE | {"cypher"},
    "database": BASE | {"cypher", "schema"},
    "migrations": BASE | {"cypher", "schema", "database"},
    "seeds": BASE | {"cypher", "schema", "database"},
    "server": BASE,
    "doctor": BASE | {"database", "migrations"},
    "migrator": BASE | {"cypher", "schema", "database", "migrations", "seeds"},
    "testing": BASE | {"cypher", "database", "migrations", "server", "migrator"},
}
DRIVER_OWNERS = {"database", "seeds", "migrations", "migrator", "server", "testing"}
LIBRARIES = {
    "neo4j": DRIVER_OWNERS,
    "click": {"cli", "server"},
    "jinja2": {"seeds"},
    "rich": {"cli"},
    "pytest": {"testing"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names]
                if node.module == "graphmigrate"
                else []
            )
            found.update(names or [node.module])
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    here = room(path)
    rooms = {name.split(".")[1] for name in imports(path) if name.startswith("graphmigrate.")} - {here}
    if here in ALLOWED:
        assert rooms <= ALLOWED[here], f"{here} must not import {sorted(rooms - ALLOWED[here])}"
    assert "cli" not in rooms or here in {"__main__", "cli"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_libraries_stay_in_their_rooms(path: Path) -> None:
    for name in imports(path):
        owners = LIBRARIES.get(name.split(".")[0])
        assert owners is None or room(path) in owners, f"{room(path)} must not import {name}"


def test_the_map_names_files_that_are_there() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`([\w/]+\.py)`", page)) - {"tests/unit/test_architecture.py"}
    assert len(named) > 20
    assert [each for each in sorted(named) if not (PACKAGE / each).exists()] == []

"""The arrows of the house point one way (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "graphmigrate"
BASE = {"errors", "config", "events", "results"}
ALLOWED = {
    "errors": set(),
    "config": {"errors"},
    "events": {"errors"},
    "results": {"errors"},
    "logs": {"errors", "events"},
    "cypher": BASE,
    "project": BASE | {"cypher"},
    "schema": BASE | {"cypher"},
    "history": BASE | {"project"},
    "segments": BASE | {"project", "schema", "cypher"},
    "plan": BASE | {"project", "schema", "cypher", "history", "segments"},
    "checks": BASE | {"project", "schema", "cypher", "segments", "plan"},
    "settling": BASE | {"project", "schema", "cypher", "history", "segments"},
    "database": BASE | {"project", "schema", "cypher", "history"},
    "seeding": BASE | {"cypher", "database"},
    "server": BASE,
    "outcome": BASE,
    "runner": BASE | {"outcome", "project", "schema", "cypher", "history", "segments", "plan", "database"},
    "workspace": BASE | {"project", "history", "database"},
    "doctor": BASE | {"database", "workspace"},
    "planning": BASE | {"cypher", "project", "history", "plan", "checks", "database", "workspace"},
    "applying": BASE
    | {
        "project",
        "history",
        "plan",
        "checks",
        "planning",
        "outcome",
        "repairing",
        "recovery",
        "runner",
        "database",
        "workspace",
    },
    "testing": BASE | {"cypher", "project", "server", "migrator"},
    "pytest_plugin": BASE | {"testing", "migrator"},
}
DRIVER_OWNERS = {
    "database",
    "seeding",
    "runner",
    "migrator",
    "workspace",
    "recovery",
    "server",
    "pytest_plugin",
    "testing",
    "testcontainers",
}
LIBRARIES = {
    "neo4j": DRIVER_OWNERS,
    "click": {"cli", "server"},
    "jinja2": {"seeding"},
    "rich": {"cli"},
    "pytest": {"pytest_plugin", "testing"},
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
    rooms = {name.split(".")[1] for name in imports(path) if name.startswith("graphmigrate.")} - {
        here,
        "__version__",
    }
    if here in ALLOWED:
        assert rooms <= ALLOWED[here], f"{here} must not import {sorted(rooms - ALLOWED[here])}"
    assert not {"cli", "pytest_plugin"} & rooms or here in {"__main__", "cli"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_libraries_stay_in_their_rooms(path: Path) -> None:
    for name in imports(path):
        owners = LIBRARIES.get(name.split(".")[0])
        assert owners is None or room(path) in owners, f"{room(path)} must not import {name}"

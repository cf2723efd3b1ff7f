"""What a template makes: the program of a small seed, what it sends, or why it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphmigrate.errors import GraphMigrateError
from graphmigrate.seeds import prepare
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.seeds.program import Program

EVIL = "'}) DETACH DELETE n // ` \\u0027 $p1 {{ 1 }}"
MACRO = "{% macro m() %}text{% endmacro %}"


def program(folder: Path, text: str, others: dict[str, str] | None = None, **variables: Any) -> Program:
    defaults = ", ".join(
        f"{name}: {'text' if isinstance(value, str) else 'null'}" for name, value in variables.items()
    )
    front = f"---\nvars: {{{defaults}}}\n---\n" if variables else ""
    (folder / "a.cypher.j2").write_text(front + text)
    for name, content in (others or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    [seed] = prepare(folder, variables=variables).seeds
    return seed.program


def sent(
    folder: Path, text: str, others: dict[str, str] | None = None, **variables: Any
) -> list[tuple[str, Any]]:
    """What is sent: texts and parameters."""
    return [(query.text, query.parameters) for query in program(folder, text, others, **variables).queries]


def refusal(
    folder: Path, text: str, others: dict[str, str] | None = None, **variables: Any
) -> GraphMigrateError:
    with pytest.raises(SeedFileError) as raised:
        program(folder, text, others, **variables)
    assert raised.value.exit_code == 2
    return raised.value

"""The queries that a project's pages show: every ```cypher block, with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from graphmigrate.cypher.statements import split
from graphmigrate.errors import Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK: Final = re.compile(r"^([ \t]*)```cypher[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
# As people type it into Neo4j Browser and cypher-shell: ":param name => 'x'" and ":param name: 'x'".
_PARAMETER: Final = re.compile(r"^\s*:params?\s+(\w+)\s*(?:=>|:)\s*(.+?);?\s*$")


@dataclass(frozen=True, slots=True)
class Documented:
    """One statement of a page; ``parameters`` are expressions in Cypher by name."""

    text: str
    place: Place
    parameters: dict[str, str] = field(default_factory=dict)


def documented(root: Path, name: str) -> Iterator[Documented]:
    """Give the statements of one page, or of all that a pattern such as ``docs/**/*.md`` matches.

    Raises UsageError (GM150) where there is no such page.
    """
    pages = sorted(root.glob(name))
    if not pages:
        raise UsageError(
            f"graphmigrate_docs names {name!r}, and there is no such page under {root}.",
            hint="Names begin at pytest's root folder; patterns such as docs/*.md work.",
            code="GM150",
        )
    for page in pages:
        yield from _of_page(page.read_text("utf-8"), page.relative_to(root).as_posix())


def _of_page(text: str, name: str) -> Iterator[Documented]:
    for block in _BLOCK.finditer(text):
        before = text.count("\n", 0, block.start(2))
        kept: list[str] = []
        parameters: dict[str, str] = {}
        for line in block[2].splitlines():
            found = _PARAMETER.match(line)
            if found:
                parameters[found[1]] = found[2]
            kept.append("" if found else line)
        for statement in split("\n".join(kept), name):
            place = Place(name, before + statement.place.line, statement.place.column)
            yield Documented(statement.text, place, parameters)

"""What is known of procedures: which touch no node, and which run a text.

Sources: the documentation of Neo4j's procedures, of APOC and of Graph Data Science, and what the procedures did when they
were tried.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphmigrate.cypher.lexer import TokenKind
from graphmigrate.cypher.reader import split_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphmigrate.cypher.lexer import Token

_READING = re.compile(
    r"db\.(?:labels|propertykeys|relationshiptypes|info|ping|awaitindex(?:es)?|resample\w+|clearquerycaches)"
    r"|db\.(?:schema|stats|index)\..+|db\.prepareforreplanning|dbms\..+|tx\..+|genai\..+"
    r"|apoc\.(?:load|meta|export|util|log|monitor|schema|config|metrics|stats)\..+|apoc\.(?:help|version|warmup\.run)"
    r"|apoc\.periodic\.(?:list|cancel)|apoc\.refactor\.rename\.type(?:property)?|gds\.(?!.*write|util\.asnode).+"
)
_NAMED_LABEL = "apoc.refactor.rename.label"
_TEXTS = {
    **dict.fromkeys(
        (
            *("run", "doit", "runmany", "runmanyreadonly", "runwrite", "runschema", "runtimeboxed"),
            *("mapparallel", "mapparallel2", "parallel", "parallel2"),
            *("runfirstcolumn", "runfirstcolumnsingle", "runfirstcolumnmany"),
        ),
        ("apoc.cypher.", (0,)),
    ),
    "iterate": ("apoc.periodic.", (0, 1)),
    "commit": ("apoc.periodic.", (0,)),
    **dict.fromkeys(("submit", "repeat", "countdown"), ("apoc.periodic.", (1,))),
}
_BRANCHES = {"apoc.when": (1, 2), "apoc.do.when": (1, 2)}
_CASES = {"apoc.case", "apoc.do.case"}


def touches_no_node(name: str, arguments: Sequence[Token]) -> bool:
    """Whether a procedure is known to read only, or to change nodes of one label only; ``name`` is in lower case."""
    if name == _NAMED_LABEL:
        return bool(arguments) and _text(split_at(arguments, ",")[0]) is not None
    return _READING.fullmatch(name) is not None


def text_arguments(name: str, arguments: Sequence[Token]) -> list[Token | None] | None:
    """Return the texts that a procedure runs, None for each that is not literal; None where it runs no text."""
    given = split_at(arguments, ",")  # without brackets the arguments are parameters
    if name in _CASES:
        branches = split_at(given[0][1:-1], ",")[1::2] if given[0] and given[0][0].text == "[" else [()]
        return [_text(each) for each in (*branches, *given[1:2])]
    prefix, _, last = name.rpartition(".")
    known, positions = _TEXTS.get(last, ("", ()))
    if known != prefix + ".":
        positions = _BRANCHES.get(name, ())
    if not positions:
        return None
    return [_text(given[at]) if at < len(given) else None for at in positions]


def _text(argument: Sequence[Token]) -> Token | None:
    return argument[0] if len(argument) == 1 and argument[0].kind is TokenKind.STRING else None

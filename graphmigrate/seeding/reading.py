"""What seeding asks of the Cypher reader: tokens, statements, CREATE clauses, the uses of a row variable."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphmigrate.cypher.model import Statement
    from graphmigrate.errors import Place


class Sort(Enum):
    """What a token is, as far as seeds care."""

    WORD = "word"
    QUOTED = "quoted"
    PARAMETER = "parameter"
    NUMBER = "number"
    STRING = "string"
    COMMENT = "comment"
    SPACE = "space"
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One token of a text; ``value`` is what it means: a name without its backticks, Unicode escapes decoded."""

    sort: Sort
    start: int
    end: int
    value: str


# --- the two functions below are bound to graphmigrate.cypher ---
def lexemes(text: str) -> list[Lexeme]: ...


def statements(text: str, place: Callable[[int], Place]) -> list[Statement]: ...


_MEANINGLESS = frozenset({Sort.SPACE, Sort.COMMENT})


def _meaningful(tokens: Sequence[Lexeme]) -> list[Lexeme]:
    return [token for token in tokens if token.sort not in _MEANINGLESS]


def creates(tokens: Sequence[Lexeme]) -> bool:
    """Whether there is a CREATE clause (or INSERT, its name in GQL); ``ON CREATE SET`` of a MERGE is none."""
    words = _meaningful(tokens)
    for index, token in enumerate(words):
        if token.sort is not Sort.WORD or token.value.upper() not in {"CREATE", "INSERT"}:
            continue
        before = words[index - 1] if index else None
        after = words[index + 1 : index + 3]
        if before is not None and (before.value in {".", ":"} or before.value.upper() == "ON"):
            continue
        if after and (after[0].value == "(" or (len(after) > 1 and after[1].value == "=")):
            return True
    return False


def row_columns(
    tokens: Sequence[Lexeme], variable: str
) -> tuple[tuple[str, ...] | None, list[tuple[int, int, str]]]:
    """Find every ``row.name`` (start, end, name), and the columns where these are the only uses of the variable."""
    words = _meaningful(tokens)
    uses: list[tuple[int, int, str]] = []
    whole = False
    for index, token in enumerate(words):
        if token.sort not in {Sort.WORD, Sort.QUOTED} or token.value != variable:
            continue
        if index and words[index - 1].value == "." and words[index - 1].sort is Sort.SYMBOL:
            continue  # a property of that name, of something else
        name = _property(words, index)
        if name is None or _is_call(words, index):
            whole = True
        else:
            uses.append((token.start, name.end, name.value))
    columns = tuple(dict.fromkeys(name for _, _, name in uses))
    return (None if whole or not columns else columns), uses


def _property(words: Sequence[Lexeme], index: int) -> Lexeme | None:
    following = words[index + 1 : index + 3]
    if len(following) == 2 and following[0].sort is Sort.SYMBOL and following[0].value == ".":
        return following[1] if following[1].sort in {Sort.WORD, Sort.QUOTED} else None
    return None


def _is_call(words: Sequence[Lexeme], index: int) -> bool:
    """Whether this is the namespace of a function: ``row.text.join(…)``."""
    while _property(words, index) is not None:
        index += 2
    after = words[index + 1] if index + 1 < len(words) else None
    return after is not None and after.value == "(" and after.sort is Sort.SYMBOL

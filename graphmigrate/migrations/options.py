"""The words after ``// graphmigrate:``, such as ``batch 10000, timeout 30s``."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from graphmigrate.errors import Place, Problem
from graphmigrate.migrations.model import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|s|m|h)", re.IGNORECASE)
_INTEGER = re.compile(r"[0-9][0-9_]{0,17}")


def _count(text: str) -> int | None:
    number = int(text.replace("_", "")) if _INTEGER.fullmatch(text) else 0
    return number if number > 0 else None


def _retries(text: str) -> int | None:
    return int(text) if re.fullmatch("[0-9]{1,3}", text) else None


def _duration(text: str) -> float | None:
    match = _DURATION.fullmatch("".join(text.split()))
    seconds = float(match.group(1)) * _SECONDS[match.group(2).lower()] if match else 0.0
    return seconds if seconds > 0 else None


def _transaction(text: str) -> str | None:
    return text.lower() if text.lower() in {"segment", "statement"} else None


def _language(text: str) -> str | None:
    return text if text in {"5", "25"} else None


def _nothing(text: str) -> bool | None:
    return None if text else True


# word: (field of Options, reader, what is right)
_WORDS: dict[str, tuple[str, Callable[[str], Any], str]] = {
    "batch": ("batch", _count, "`batch 10000`"),
    "max-batches": ("max_batches", _count, "`max-batches 500`"),
    "transaction": ("transaction", _transaction, "`transaction statement` or `transaction segment`"),
    "repeatable": ("repeatable", _nothing, "`repeatable`, without a value"),
    "timeout": ("timeout", _duration, "`timeout 30s` (units: ms, s, m, h)"),
    "cypher": ("cypher", _language, "`cypher 5` or `cypher 25`"),
    "retry": ("retry", _retries, "`retry 3`"),
}
OPTION_WORDS = tuple(_WORDS)


def read_options(lines: Iterable[tuple[str, Place]]) -> tuple[Options, tuple[Problem, ...]]:
    """Read all option lines of one migration: each is the text after the colon, and its place."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for line, place in lines:
        for item in line.split(","):
            problem = _read_item(item.strip(), found, place)
            if problem:
                problems.append(problem)
    if "max_batches" in found and "batch" not in found and not problems:
        place = next(place for line, place in lines if "max-batches" in line.lower())
        message = "`max-batches` has no effect without `batch`."
        problems.append(Problem("GM124", message, "Add `batch 10000`, or delete it.", place))
    return Options(**found), tuple(problems)


def _read_item(item: str, found: dict[str, Any], place: Place) -> Problem | None:
    """Add one item to ``found``, or say what is wrong with it."""
    word, _, value = re.sub(r"[\s=:]+", " ", item).partition(" ")
    known = _WORDS.get(word.lower().replace("_", "-"))
    if known is None:
        return _unknown(word, place)
    name, read, right = known
    if name in found:
        return Problem("GM124", f"`{word}` is said twice.", "Delete one of them.", place)
    parsed = read(value)
    if parsed is None:
        message = f"`{value}` is no value for `{word}`." if value else f"`{word}` needs a value."
        return Problem("GM124", message, f"Write {right}.", place)
    found[name] = parsed
    return None


def _unknown(word: str, place: Place) -> Problem:
    if not word:
        return Problem("GM124", "An option is missing here.", f"Known are {', '.join(OPTION_WORDS)}.", place)
    close = get_close_matches(word.lower(), OPTION_WORDS, n=1)
    hint = f"Did you mean `{close[0]}`?" if close else f"Known are {', '.join(OPTION_WORDS)}."
    return Problem("GM124", f"`{word}` is not an option of graphmigrate.", hint, place)

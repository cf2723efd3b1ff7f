"""YAML 1.2 as values with their places: texts stay texts, and no document can do more than hold values."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# ruamel.yaml reads some hundred thousand characters a second.
MAX_TEXT = 1024 * 1024
# Aliases of aliases would unfold to more values than there is memory.
MAX_UNFOLDED = 1_000_000
_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "seq", "map")
)
_TEXT = "tag:yaml.org,2002:str"
_WORDS = dict.fromkeys(("", "~", "null", "Null", "NULL")) | {
    form: word == "true" for word in ("true", "false") for form in (word, word.title(), word.upper())
}
_INTEGER = re.compile(r"[-+]?\d+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF|nan|NaN|NAN)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*")
_ZERO_FIRST = re.compile(r"[-+]?0\d")


class BadYaml(Exception):
    """A YAML text that cannot be read; line and column are 1-based."""

    def __init__(self, message: str, line: int = 1, column: int = 1, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.hint = hint


class Document:
    """The nodes of the one document of a text, which know where they stand; raise BadYaml where it is wrong."""

    def __init__(self, text: str) -> None:
        self.root = _compose(text)
        self._unfolded = 0
        self._around: set[int] = set()

    def value(self, node: Any = None) -> Any:
        """Return the value of a node, or of the whole document."""
        node = self.root if node is None else node
        try:
            return None if node is None else self._made(node)
        except RecursionError:
            raise BadYaml("This is nested too deeply.") from None

    def pairs(self, node: Any) -> Iterator[tuple[str, Any, Any]]:
        """Yield the keys of a map as texts, with the nodes of key and value."""
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key.value, str) or (key.style is None and _is_other(key)):
                written = key.value if isinstance(key.value, str) else "a list or map"
                raise bad_at(key, f"A key must be a text, not {written}.", "Write it in quotes.")
            if key.value in seen:
                raise bad_at(key, f"The key {key.value!r} stands here twice.", "Remove one of them.")
            seen.add(key.value)
            yield key.value, key, value

    def items(self) -> list[tuple[int, int]]:
        """Return line and column of each item of the list that the document is."""
        found = self.root.value if self.root is not None and self.root.tag.endswith(":seq") else []
        return [place_of(node) for node in found]

    def _made(self, node: Any) -> Any:
        self._unfolded += 1
        if self._unfolded > MAX_UNFOLDED:
            raise bad_at(node, f"The aliases in this unfold to over {MAX_UNFOLDED:,} values.")
        if id(node) in self._around:
            raise bad_at(node, "This alias stands inside what it stands for.")
        self._around.add(id(node))
        try:
            return self._make(node)
        finally:
            self._around.remove(id(node))

    def _make(self, node: Any) -> Any:
        if node.tag not in _TAGS:
            hint = "Only texts, numbers, true, false, null, dates, lists and maps are read."
            written = node.tag.replace("tag:yaml.org,2002:", "!!")
            raise bad_at(node, f"The YAML tag {written!r} is not known.", hint)
        if isinstance(node.value, str):
            return _scalar(node)
        if node.tag.endswith(":seq"):
            return [self._made(item) for item in node.value]
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key, key_node, value_node in self.pairs(node):
            value = self._made(value_node)
            if key == "<<" and key_node.style is None:
                for each in reversed(value if isinstance(value, list) else [value]):  # the first one counts
                    if not isinstance(each, dict):
                        raise bad_at(value_node, "What '<<' merges must be a map.")
                    merged.update(each)
            else:
                own[key] = value
        return merged | own


def load(text: str) -> Any:
    """Return the value of the one document of a text; raise BadYaml."""
    return Document(text).value()


def place_of(node: Any) -> tuple[int, int]:
    """Return line and column (1-based) of a node."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def bad_at(node: Any, message: str, hint: str | None = None) -> BadYaml:
    """Return the error for a node."""
    return BadYaml(message, *place_of(node), hint)


def _compose(text: str) -> Any:
    import ruamel.yaml  # takes a tenth of a second

    try:
        return ruamel.yaml.YAML(typ="safe", pure=True).compose(text)
    except RecursionError:
        raise BadYaml("This is nested too deeply.") from None
    except ruamel.yaml.error.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        context = getattr(error, "context", None) or ""
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        why = " ".join((f"{context} {problem}" if context.startswith("expected") else problem).split())
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise BadYaml(f"This is not valid YAML: {why}.", *place) from None
    except (ValueError, AssertionError, IndexError) as error:
        raise BadYaml(f"This is not valid YAML: {error}.") from None


def _is_other(key: Any) -> bool:
    """Whether a key without quotes is a number, a boolean, a date or null, as YAML 1.1 or 1.2 reads it."""
    return key.tag != _TEXT and key.value not in {"<<", "="} and not isinstance(_scalar(key), str)


def _scalar(node: Any) -> Any:
    """Return a scalar by the core schema of YAML 1.2, with dates: NO is a text, and so is 1_000."""
    text: str = node.value
    if node.style is not None or node.tag == _TEXT:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _ZERO_FIRST.match(text) and _FLOAT.fullmatch(text):
        hint = f"A text: '{text}'. A number: {text.lstrip('+-0') or '0'}."
        raise bad_at(node, f"A number has no leading zeros: {text}.", hint)
    try:
        if _INTEGER.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            return float(text)
        if special := _SPECIAL.fullmatch(text):
            return float(special[1] + special[2])
        if _DATE.fullmatch(text):
            return datetime.date.fromisoformat(text)
        return datetime.datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else text
    except ValueError as error:
        raise bad_at(node, f"This is not valid YAML: {error}.", "Write a text in quotes.") from None

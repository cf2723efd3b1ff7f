"""Values that the Cypher reader produces."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmigrate.cypher.lexer import fingerprint
from graphmigrate.errors import Place
from graphmigrate.value import NOTHING, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Kind(StrEnum):
    """How a statement must be executed (see the Cypher Manual, "CALL subqueries in transactions"); ``code`` is Python."""

    SCHEMA = "schema"
    DATA = "data"
    AUTOCOMMIT = "autocommit"
    SYSTEM = "system"
    CODE = "code"


class Edit(NamedTuple):
    """A piece of text that stands in the place of a piece of a file."""

    begin: int
    end: int
    source_begin: int
    source_end: int


class Statement(Value):
    """One Cypher statement of a file.

    ``text`` is what is sent to the server: from its first token to its last, without the final semicolon.
    ``start`` is the offset of ``text`` in ``source``, the whole decoded file, both in characters. ``language`` is the
    version of Cypher that the file asks for, where the statement does not name one itself. ``parameters`` are the values
    that ``:param`` lines before it gave to the parameters that it uses. ``edits`` are the places in ``text`` where the value of
    a placeholder stands, and those of the placeholders, from ``start`` on.
    """

    text: str
    file: str
    source: str
    start: int
    kind: Kind
    terminated: bool = True
    language: str | None = None
    parameters: Mapping[str, Any] = NOTHING
    edits: tuple[Edit, ...] = ()

    def __hash__(self) -> int:
        return hash((self.file, self.start, self.text))  # the values of parameters may be lists

    @property
    def fingerprint(self) -> str:
        """What the ledger keeps of it, to see whether a statement that was committed is still the same, its values too."""
        return fingerprint(self.text, self.parameters)

    @property
    def sent(self) -> str:
        """What is sent to the server; a newline after the language keeps the columns."""
        return f"CYPHER {self.language}\n{self.text}" if self.language else self.text

    @property
    def place(self) -> Place:
        """Where the statement begins."""
        return self.place_at(0)

    def place_at(self, offset: int) -> Place:
        """Where in the file stands what is at ``offset`` of ``text``."""
        return place_at(self.file, self.source, self.start + source_offset(self.edits, offset))

    def place_of(self, line: int, column: int) -> Place:
        """Translate a position in ``sent`` (1-based, as the server reports it) to one in the file.

        The server counts columns in UTF-16 code units, so an emoji counts twice (seen on 5.26 and 2026.05).
        """
        line -= 1 if self.language else 0
        return self.place_at(server_offset(self.text, line, column))


def server_offset(text: str, line: int, column: int) -> int:
    """Return the offset in a text of a position (1-based) whose columns are UTF-16 code units."""
    lines = text.split("\n")
    line = min(max(line, 1), len(lines))
    before = lines[line - 1].encode("utf-16-le", "surrogatepass")[: 2 * max(column - 1, 0)]
    offset = sum(len(each) + 1 for each in lines[: line - 1]) + len(before.decode("utf-16-le", "ignore"))
    return min(offset, len(text))


def edit_text(source: str, replacements: Iterable[tuple[int, int, str]]) -> tuple[str, tuple[Edit, ...]]:
    """Return a text with some of its ranges replaced (begin, end and text of each, in order), and where that was done."""
    parts: list[str] = []
    edits: list[Edit] = []
    copied = length = 0
    for begin, end, text in replacements:
        parts += (source[copied:begin], text)
        length += begin - copied
        edits.append(Edit(length, length + len(text), begin, end))
        length, copied = length + len(text), end
    return "".join([*parts, source[copied:]]), tuple(edits)


def source_offset(edits: tuple[Edit, ...], offset: int) -> int:
    """Return where in the source stands what is at ``offset`` of the text with these edits."""
    shift = 0
    for edit in edits:
        if offset < edit.begin:
            break
        if offset < edit.end:
            return edit.source_begin
        shift = edit.source_end - edit.end
    return offset + shift


def offset_of(text: str, place: Place) -> int:
    """Return the character offset of a 1-based line and column: the way back from ``place_at``."""
    lines = text.split("\n")
    return sum(len(each) + 1 for each in lines[: place.line - 1]) + place.column - 1


def place_at(file: str, source: str, offset: int) -> Place:
    """Return the 1-based line and column of a character offset, with the line of source."""
    begin = source.rfind("\n", 0, offset) + 1
    end = source.find("\n", offset)
    line = source[begin : end if end >= 0 else len(source)].rstrip("\r")
    return Place(file, source.count("\n", 0, offset) + 1, offset - begin + 1, line)

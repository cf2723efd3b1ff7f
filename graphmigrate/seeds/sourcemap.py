"""From a position in what is sent to the server back to the line of the template it came from."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from graphmigrate.seeds.pieces import Fragment, Placeholder, RowBlock, Token

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphmigrate.errors import Place
    from graphmigrate.seeds.pieces import Piece

# What a value looks like until it has its number; never a name that could collide, because it is always
# renumbered.
PLACEHOLDER = "$p"


class Places(Protocol):
    """What finds a place in a template; a Rendering does."""

    def place(self, template: str, line: int, column: int = 1) -> Place:
        """Give a place in one of the templates, with its line of source."""


class Written:
    """Pieces written one after the other as one text, in which every value is ``$p``."""

    def __init__(self, pieces: Iterable[Piece], rendering: Places) -> None:
        self.rendering = rendering
        self.pieces: list[Fragment | Placeholder | Token] = []
        self.starts: list[int] = []
        texts: list[str] = []
        length = 0
        for piece in pieces:
            if isinstance(piece, RowBlock):
                raise TypeError("row blocks are not text")
            text = PLACEHOLDER if isinstance(piece, Placeholder) else piece.text
            self.pieces.append(piece)
            self.starts.append(length)
            texts.append(text)
            length += len(text)
        self.text = "".join(texts)

    def end(self, index: int) -> int:
        """Give the offset after piece ``index``."""
        return self.starts[index + 1] if index + 1 < len(self.starts) else len(self.text)

    def place(self, offset: int) -> Place:
        """Give the place in a template of a character of the text."""
        index = max(bisect_right(self.starts, offset) - 1, 0)
        while index > 0 and self.starts[index] == len(self.text) and not self._length(index):
            index -= 1
        if not self.pieces:
            return self.rendering.place("", 1)
        piece = self.pieces[index]
        if isinstance(piece, Fragment):
            line, column = self._within(piece, offset - self.starts[index])
            return self.rendering.place(piece.origin.template, line, column)
        return self.rendering.place(piece.origin.template, piece.origin.line, self._column(index))

    def _length(self, index: int) -> int:
        return self.end(index) - self.starts[index]

    def _within(self, piece: Fragment, offset: int) -> tuple[int, int]:
        before = piece.text[:offset]
        breaks = before.count("\n")
        if breaks:
            return piece.origin.line + breaks, len(before) - before.rfind("\n")
        return piece.origin.line, self._first_column(piece) + offset

    def _first_column(self, piece: Fragment) -> int:
        """Find where in its line a fragment begins: Jinja knows lines only."""
        line = self.rendering.place(piece.origin.template, piece.origin.line).source or ""
        first, rest, _ = piece.text.partition("\n")
        if rest and line.endswith(first):
            return len(line) - len(first) + 1
        return max(line.find(first), 0) + 1

    def _column(self, index: int) -> int:
        """Find the column of a value or token: where the text before it ends, if on the same line."""
        origin = self.pieces[index].origin
        before = self.pieces[index - 1] if index else None
        if isinstance(before, Fragment) and before.origin.template == origin.template:
            line, column = self._within(before, len(before.text))
            if line == origin.line:
                return column
        source = self.rendering.place(origin.template, origin.line).source or ""
        return max(source.find("{{"), 0) + 1


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``start`` to ``end`` of a text."""

    start: int
    end: int
    text: str


class Edited:
    """A stretch of a text with edits made in it, and the way back."""

    def __init__(
        self, written: Written, start: int, end: int, edits: Sequence[Edit], prefix: str = ""
    ) -> None:
        self.written = written
        self._new: list[int] = []
        self._old: list[int] = []
        self._verbatim: list[bool] = []
        self._parts: list[str] = [prefix]
        self._length = len(prefix)
        position = start
        for edit in sorted(edits, key=lambda each: each.start):
            self._add(written.text[position : edit.start], position, verbatim=True)
            self._add(edit.text, edit.start, verbatim=False)
            position = edit.end
        self._add(written.text[position:end], position, verbatim=True)
        self.text = "".join(self._parts)
        self._parts.clear()

    def _add(self, text: str, old: int, *, verbatim: bool) -> None:
        if text:
            self._parts.append(text)
            self._new.append(self._length)
            self._old.append(old)
            self._verbatim.append(verbatim)
            self._length += len(text)

    def place(self, offset: int) -> Place:
        """Give the place in a template of a character of the edited text."""
        if not self._new:
            return self.written.place(0)
        index = max(bisect_right(self._new, offset) - 1, 0)
        inside = max(offset - self._new[index], 0) if self._verbatim[index] else 0
        return self.written.place(self._old[index] + inside)

    def place_of(self, line: int, column: int) -> Place:
        """Give the place for a 1-based line and column, as the server reports them."""
        lines = self.text.split("\n")
        line = min(max(line, 1), len(lines))
        offset = sum(len(each) + 1 for each in lines[: line - 1]) + column - 1
        return self.place(min(max(offset, 0), max(len(self.text) - 1, 0)))

"""Rendered text: where values, identifiers and literals are in it, and the way back to the line of the template."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphmigrate.cypher.lexer import Token, TokenKind, unquoted
from graphmigrate.cypher.lexer import tokens as cut
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.pieces import Fragment, MadeToken, Placeholder, RowBlock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphmigrate.errors import Place
    from graphmigrate.seeds.pieces import Piece
    from graphmigrate.seeds.template import Rendering

# What a value looks like until it has its number; never a name that could collide, because it is always
# renumbered.
PLACEHOLDER = "$p"


class Written:
    """Pieces written one after the other as one text, in which every value is ``$p``."""

    def __init__(self, pieces: Iterable[Piece], rendering: Rendering) -> None:
        self.rendering = rendering
        self.pieces: list[Fragment | Placeholder | MadeToken] = []
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
        """Return the offset after piece ``index``."""
        return self.starts[index + 1] if index + 1 < len(self.starts) else len(self.text)

    def place(self, offset: int) -> Place:
        """Return the place in a template of a character of the text."""
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

    def __init__(self, written: Written, start: int, end: int, edits: Sequence[Edit]) -> None:
        self.written = written
        self._new: list[int] = []
        self._old: list[int] = []
        self._verbatim: list[bool] = []
        self._parts: list[str] = []
        self._length = 0
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
        """Return the place in a template of a character of the edited text."""
        if not self._new:
            return self.written.place(0)
        index = max(bisect_right(self._new, offset) - 1, 0)
        inside = max(offset - self._new[index], 0) if self._verbatim[index] else 0
        return self.written.place(self._old[index] + inside)

    def place_of(self, line: int, column: int) -> Place:
        """Return the place for a 1-based line and column, as the server reports them."""
        lines = self.text.split("\n")
        line = min(max(line, 1), len(lines))
        offset = sum(len(each) + 1 for each in lines[: line - 1]) + column - 1
        return self.place(min(max(offset, 0), max(len(self.text) - 1, 0)))


def checked_tokens(written: Written, given: frozenset[str] = frozenset()) -> list[Token]:
    """Read the text as tokens and see that each value, identifier and literal is read as exactly itself.

    ``given`` are the parameters that have a value already.
    """
    tokens = list(cut(written.text))
    starts = [token.start for token in tokens]
    own: set[int] = set()
    for index, piece in enumerate(written.pieces):
        if isinstance(piece, Fragment):
            continue
        start, end = written.starts[index], written.end(index)
        position = bisect_left(starts, start)
        fitting = position < len(tokens) and starts[position] == start
        if fitting and isinstance(piece, MadeToken) and piece.text.startswith("-"):
            position += 1
            start += 1
            fitting = position < len(tokens) and starts[position] == start
        if (
            not fitting
            or tokens[position].end != end
            or not _is(tokens[position], piece)
            or not _stands_alone(tokens, position, piece)
        ):
            raise _misplaced(written, index, tokens)
        own.add(start)
    for token in tokens:
        if token.kind is TokenKind.PARAMETER and token.start not in own and unquoted(token) not in given:
            name = written.text[token.start : token.end]
            raise SeedFileError(
                f"Nothing gives the parameter {name} a value.",
                hint="Write {{ name }}: each value becomes a parameter by itself.",
                place=written.place(token.start),
                code="GM129",
            )
    return tokens


def _is(token: Token, piece: Piece) -> bool:
    if isinstance(piece, Placeholder):
        return token.kind is TokenKind.PARAMETER
    if isinstance(piece, MadeToken) and piece.kind == "identifier":
        return token.kind is TokenKind.NAME
    return token.kind in {TokenKind.NUMBER, TokenKind.WORD}


_WORDLIKE = frozenset({TokenKind.WORD, TokenKind.NUMBER, TokenKind.PARAMETER, TokenKind.NAME})


def _stands_alone(tokens: Sequence[Token], position: int, piece: Piece) -> bool:
    """Whether nothing touches it that other releases of Cypher might read as one word with it."""
    if isinstance(piece, MadeToken) and piece.kind == "identifier":
        return True
    before = tokens[position - 1] if position else None
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    if before is not None and (before.kind in _WORDLIKE or before.text == "$"):
        return False
    return after is None or after.kind not in _WORDLIKE


def _misplaced(written: Written, index: int, tokens: Sequence[Token]) -> SeedFileError:
    piece = written.pieces[index]
    start = written.starts[index]
    around = next((token for token in tokens if token.start <= start < token.end), None)
    what = f"What {piece.kind!r} made" if isinstance(piece, MadeToken) else "A value"
    place = written.place(start)
    if around is not None and _is_inside(around, "'", '"') and around.start < start:
        return SeedFileError(
            f"{what} stands inside quotes, where Cypher reads no parameter.",
            hint=f"Join the texts instead: {_concatenation(written, around)}",
            place=place,
            code="GM575",
        )
    if around is not None and _is_inside(around, "/") and around.start < start:
        hint = "Use a template comment for what is not sent: {# … #}"
        return SeedFileError(
            f"{what} stands inside a comment of Cypher.", hint=hint, place=place, code="GM575"
        )
    if around is not None and _is_inside(around, "`") and around.start < start:
        hint = "Make the whole name, without backticks around it: {{ (prefix ~ name) | identifier }}"
        return SeedFileError(f"{what} stands inside backticks.", hint=hint, place=place, code="GM575")
    return SeedFileError(
        f"{what} stands directly beside other text, so that Cypher would read both as one word.",
        hint="Put a space between them; or build the value in the template: {{ prefix ~ name }}",
        place=place,
        code="GM575",
    )


def _is_inside(around: Token, *openings: str) -> bool:
    return around.kind is not TokenKind.PUNCTUATION and around.text[0] in openings


def _concatenation(written: Written, around: Token) -> str:
    """Write the string literal as a concatenation of what stands in it."""
    quote = written.text[around.start]
    parts: list[str] = []
    position = around.start + 1
    for index, start in enumerate(written.starts):
        if around.start < start < around.end and not isinstance(written.pieces[index], Fragment):
            parts.append(quote + written.text[position:start] + quote if start > position else "")
            spelled = written.place(start).source or ""
            column = written.place(start).column - 1
            closing = spelled.find("}}", column)
            parts.append(
                spelled[column : closing + 2]
                if spelled[column:].startswith("{{") and closing > 0
                else "{{ … }}"
            )
            position = written.end(index)
    rest = written.text[position : around.end]
    parts.append(quote + rest if rest != quote else "")
    return " + ".join(part for part in parts if part)

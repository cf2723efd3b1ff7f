"""Rendered text: each value, name and number in it is read as exactly itself, and has its place in the template."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from graphmigrate.cypher.lexer import TokenKind, is_significant, tokens, unquoted
from graphmigrate.cypher.model import offset_of
from graphmigrate.cypher.statements import scan
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.seeds.template import IDENTIFIER, TEXT, VALUE, Piece

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphmigrate.cypher.lexer import Token
    from graphmigrate.cypher.model import Statement
    from graphmigrate.errors import Place
    from graphmigrate.seeds.template import Rendering, RowBlock

_PLACEHOLDER = "$p"  # until it has its number


class Written:
    """Pieces written one after the other as one text, in which every value is ``$p``."""

    def __init__(self, pieces: Iterable[Piece | RowBlock], rendering: Rendering) -> None:
        self.rendering = rendering
        self.pieces = [piece for piece in pieces if isinstance(piece, Piece)]
        self.starts: list[int] = []
        texts: list[str] = []
        length = 0
        for piece in self.pieces:
            texts.append(_PLACEHOLDER if piece.kind == VALUE else piece.text)
            self.starts.append(length)
            length += len(texts[-1])
        self.text = "".join(texts)

    def end(self, index: int) -> int:
        """Return the offset after piece ``index``."""
        return self.starts[index + 1] if index + 1 < len(self.starts) else len(self.text)

    def place(self, offset: int) -> Place:
        """Return the place in a template of a character of the text."""
        if not self.pieces:
            return self.rendering.place("", 1)
        index = max(bisect_right(self.starts, offset) - 1, 0)
        while index > 0 and self.starts[index] == len(self.text) == self.end(index):
            index -= 1
        inside = offset - self.starts[index] if self.pieces[index].kind == TEXT else 0
        return self.rendering.place(self.pieces[index].template, *self._position(index, inside))

    def _position(self, index: int, inside: int) -> tuple[int, int]:
        """Return line and column of a character of a piece. Jinja knows lines only: columns are found in the line."""
        piece = self.pieces[index]
        if piece.kind == TEXT and (breaks := piece.text.count("\n", 0, inside)):
            return piece.line + breaks, inside - piece.text.rfind("\n", 0, inside)
        source = self.rendering.place(piece.template, piece.line).source or ""
        if piece.kind == TEXT:
            first, more, _ = piece.text.partition("\n")
            begin = len(source) - len(first) if more and source.endswith(first) else source.find(first)
            return piece.line, max(begin, 0) + 1 + inside
        before = self.pieces[index - 1] if index else piece
        if before.kind == TEXT and before.template == piece.template:
            line, column = self._position(index - 1, len(before.text))
            if line == piece.line:
                return line, column
        return piece.line, max(source.find("{{"), 0) + 1


# ---- each value, name and number is read as exactly itself


def read(written: Written, given: str = "") -> tuple[list[Statement], list[Token]]:
    """Return the statements of a text and its significant tokens; ``given`` is a parameter that has a value already."""
    words = list(tokens(written.text))
    starts = [token.start for token in words]
    own: set[int] = set()
    for index, piece in enumerate(written.pieces):
        if piece.kind != TEXT:
            start = written.starts[index] + (piece.kind != VALUE and piece.text.startswith("-"))
            at = bisect_left(starts, start)
            if (
                at == len(words)
                or words[at][2:] != (start, written.end(index))
                or not _fits(words, at, piece)
            ):
                raise _misplaced(written, index, words)
            own.add(start)
    for token in words:
        if token.kind is TokenKind.PARAMETER and token.start not in own and unquoted(token) != given:
            message = f"Nothing gives the parameter {written.text[token.start : token.end]} a value."
            hint = "Write {{ name }}: each value becomes a parameter by itself."
            raise SeedFileError(message, hint=hint, place=written.place(token.start), code="GM129")
    return _split(written), list(filter(is_significant, words))


def _split(written: Written) -> list[Statement]:
    found, problems = scan(written.text, "")
    placed = []
    for each in problems:
        place = written.place(offset_of(written.text, each.place)) if each.place else None
        placed.append(each._replace(place=place))
    if placed:
        first = placed[0]
        raise SeedFileError(
            first.message, hint=first.hint, place=first.place, code=first.code, problems=placed
        )
    if found and found[0].source != written.text:
        raise SeedFileError(
            "There is a byte-order mark (U+FEFF) or a carriage return inside this template.",
            hint="Delete it: it is invisible, and Cypher does not take it for white space.",
            place=written.place(0),
        )
    return list(found)


_WORDLIKE = frozenset({TokenKind.WORD, TokenKind.NUMBER, TokenKind.PARAMETER, TokenKind.NAME})


def _fits(words: Sequence[Token], at: int, piece: Piece) -> bool:
    """Whether the token is what the piece is, and nothing touches it that a release of Cypher might read as one word with it."""
    if piece.kind == IDENTIFIER:
        return words[at].kind is TokenKind.NAME
    kinds = {TokenKind.PARAMETER} if piece.kind == VALUE else {TokenKind.NUMBER, TokenKind.WORD}
    before, after = words[at - 1 : at], words[at + 1 : at + 2]
    return words[at].kind in kinds and not any(
        token.kind in _WORDLIKE or (token.text == "$" and token in before) for token in (*before, *after)
    )


def _misplaced(written: Written, index: int, words: Sequence[Token]) -> SeedFileError:
    piece, start = written.pieces[index], written.starts[index]
    what = "A value" if piece.kind == VALUE else f"What {piece.kind!r} made"
    around = next((token for token in words if token.start < start < token.end), None)
    opening = around.text[0] if around and around.kind is not TokenKind.PUNCTUATION else ""
    message = f"{what} stands directly beside other text, so that Cypher would read both as one word."
    hint = "Put a space between them; or build the value in the template: {{ prefix ~ name }}"
    if around and opening and opening in "'\"":
        message = f"{what} stands inside quotes, where Cypher reads no parameter."
        hint = f"Join the texts instead: {_concatenation(written, around)}"
    elif opening == "/":
        message = f"{what} stands inside a comment of Cypher."
        hint = "Use a template comment for what is not sent: {# … #}"
    elif opening == "`":
        message = f"{what} stands inside backticks."
        hint = "Make the whole name, without backticks around it: {{ (prefix ~ name) | identifier }}"
    return SeedFileError(message, hint=hint, place=written.place(start), code="GM575")


def _concatenation(written: Written, around: Token) -> str:
    """Write the string literal as a concatenation of what stands in it."""
    quote = written.text[around.start]
    parts: list[str] = []
    position = around.start + 1
    for index, start in enumerate(written.starts):
        if around.start < start < around.end and written.pieces[index].kind != TEXT:
            place = written.place(start)
            spelled = (place.source or "")[place.column - 1 :]
            closing = spelled.find("}}")
            whole = spelled.startswith("{{") and closing > 0
            parts += [quote + written.text[position:start] + quote if start > position else ""]
            parts += [spelled[: closing + 2] if whole else "{{ … }}"]
            position = written.end(index)
    rest = written.text[position : around.end]
    return " + ".join(part for part in (*parts, rest and quote + rest) if part and part != 2 * quote)

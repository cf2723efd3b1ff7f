"""Where values, identifiers and literals stand in rendered text: each must be read as exactly itself."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from graphmigrate.seeds.cypher import Lexeme, Sort, lexemes
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.pieces import Fragment, Piece, Placeholder, Token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphmigrate.seeds.sourcemap import Written


def checked_tokens(written: Written, given: frozenset[str] = frozenset()) -> list[Lexeme]:
    """Read the text as tokens and see that each value, identifier and literal is read as exactly itself.

    ``given`` are the parameters that have a value already.
    """
    tokens = lexemes(written.text)
    starts = [token.start for token in tokens]
    own: set[int] = set()
    for index, piece in enumerate(written.pieces):
        if isinstance(piece, Fragment):
            continue
        start, end = written.starts[index], written.end(index)
        position = bisect_left(starts, start)
        fitting = position < len(tokens) and starts[position] == start
        if fitting and isinstance(piece, Token) and piece.text.startswith("-"):
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
        if token.sort is Sort.PARAMETER and token.start not in own and token.value[1:] not in given:
            name = written.text[token.start : token.end]
            raise SeedFileError(
                f"Nothing gives the parameter {name} a value.",
                hint="Write {{ name }}: each value becomes a parameter by itself.",
                place=written.place(token.start),
                code="GM579",
            )
    return tokens


def _is(token: Lexeme, piece: Piece) -> bool:
    if isinstance(piece, Placeholder):
        return token.sort is Sort.PARAMETER
    if isinstance(piece, Token) and piece.kind == "identifier":
        return token.sort is Sort.QUOTED
    return token.sort in {Sort.NUMBER, Sort.WORD}


_WORDLIKE = frozenset({Sort.WORD, Sort.NUMBER, Sort.PARAMETER, Sort.QUOTED})


def _stands_alone(tokens: Sequence[Lexeme], position: int, piece: Piece) -> bool:
    """Whether nothing touches it that other releases of Cypher might read as one word with it."""
    if isinstance(piece, Token) and piece.kind == "identifier":
        return True
    before = tokens[position - 1] if position else None
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    if before is not None and (before.sort in _WORDLIKE or before.value == "$"):
        return False
    return after is None or after.sort not in _WORDLIKE


def _misplaced(written: Written, index: int, tokens: Sequence[Lexeme]) -> SeedFileError:
    piece = written.pieces[index]
    start = written.starts[index]
    around = next((token for token in tokens if token.start <= start < token.end), None)
    what = f"What {piece.kind!r} made" if isinstance(piece, Token) else "A value"
    place = written.place(start)
    if around is not None and around.sort is Sort.STRING and around.start < start:
        return SeedFileError(
            f"{what} stands inside quotes, where Cypher reads no parameter.",
            hint=f"Join the texts instead: {_concatenation(written, around)}",
            place=place,
            code="GM575",
        )
    if around is not None and around.sort is Sort.COMMENT and around.start < start:
        hint = "Use a template comment for what is not sent: {# … #}"
        return SeedFileError(
            f"{what} stands inside a comment of Cypher.", hint=hint, place=place, code="GM575"
        )
    if around is not None and around.sort is Sort.QUOTED and around.start < start:
        hint = "Make the whole name, without backticks around it: {{ (prefix ~ name) | identifier }}"
        return SeedFileError(f"{what} stands inside backticks.", hint=hint, place=place, code="GM575")
    return SeedFileError(
        f"{what} stands directly beside other text, so that Cypher would read both as one word.",
        hint="Put a space between them; or build the value in the template: {{ prefix ~ name }}",
        place=place,
        code="GM576",
    )


def _concatenation(written: Written, around: Lexeme) -> str:
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

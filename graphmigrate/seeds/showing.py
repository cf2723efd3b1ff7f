"""What a seed would send, to be looked at: each text once, with its parameters and its first rows."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from graphmigrate.cypher.lexer import Token, TokenKind, tokens, unquoted
from graphmigrate.errors import PreflightError, SeedFailed
from graphmigrate.results import SeedShowResult, ShownStatement
from graphmigrate.seeds.checks import checked_rows
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.frontmatter import from_json
from graphmigrate.seeds.program import Rows, Statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphmigrate.seeds.prepare import PreparedSeed
    from graphmigrate.seeds.program import Query

HIDDEN = "***"
# Shorter ones are hidden where they are the whole value, but not inside other texts.
_SHORTEST = 4


def show_seed(seed: PreparedSeed, rows: int) -> SeedShowResult:
    """Return every text that the seed sends, with the first ``rows`` rows of each block.

    Neighbouring statements of the same text are shown once, with the first one's parameters. What came from the
    environment is replaced by asterisks. Raises SeedFileError for a row that cannot be read.
    """
    mask = Mask(seed.secrets)
    statements: list[ShownStatement] = []
    for part in seed.program.parts:
        if isinstance(part, Statements):
            for _, alike in groupby(part.queries, key=lambda query: query.text):
                queries = list(alike)
                statements.append(_statement(queries[0], len(queries), mask))
        else:
            statements.append(_block(part, rows, mask))
    return SeedShowResult(
        seed.name,
        seed.file.file,
        seed.file.front.depends,
        mask.value(from_json(seed.variables)),
        tuple(statements),
    )


def _statement(query: Query, times: int, mask: Mask) -> ShownStatement:
    text, parameters = mask.cypher(query.text), mask.value(query.parameters)
    return ShownStatement(query.place.file, query.place.line, text, parameters, times=times, rows_of=None)


def _block(part: Rows, rows: int, mask: Mask) -> ShownStatement:
    place = part.query.place
    found = list(islice(checked_rows(part), rows))
    return ShownStatement(
        place.file,
        place.line,
        mask.cypher(part.query.text),
        mask.value(part.query.parameters),
        times=None,
        rows_of=mask.inside(part.source.label),
        columns=part.columns or part.source.columns,
        rows=tuple(mask.value(found)),
        total=part.source.size,
    )


class Mask:
    """Replaces what came from the environment by asterisks: also in other case, trimmed, or read as a number."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in (secret, secret.strip() or secret)}
        self._whole = {form.casefold() for form in forms}
        self._numbers = {number for form in forms if (number := _number(form)) is not None}
        # Between backticks a name's own backticks are doubled.
        parts = {part for form in forms for part in (form, form.replace("`", "``")) if len(form) >= _SHORTEST}
        longest = sorted(parts, key=len, reverse=True)
        self._inside = re.compile("|".join(map(re.escape, longest)), re.IGNORECASE) if parts else None

    def value(self, value: Any) -> Any:
        """Replace them in texts and numbers, however deep in lists and maps they are."""
        if not self._whole:
            return value
        if isinstance(value, str):
            return HIDDEN if value.casefold() in self._whole else self.inside(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return HIDDEN if value in self._numbers else value
        if isinstance(value, dict):
            return {self.value(key): self.value(each) for key, each in value.items()}
        if type(value) in (list, tuple):
            return [self.value(each) for each in value]
        return value

    def inside(self, text: str) -> str:
        """Replace those of some length wherever they stand in a text."""
        return self._inside.sub(HIDDEN, text) if self._inside else text

    def cypher(self, text: str) -> str:
        """Replace them where ``identifier`` and ``literal`` write values: in names between backticks, and as numbers."""
        if not self._whole:
            return text
        return "".join(self._token(token, text[token.start : token.end]) for token in tokens(text))

    def _token(self, token: Token, written: str) -> str:
        if token.kind is TokenKind.NAME:
            return f"`{HIDDEN}`" if unquoted(token).casefold() in self._whole else self.inside(written)
        if token.kind is TokenKind.NUMBER:
            number = _number(written)  # its sign is a token of its own
            return HIDDEN if number in self._numbers or (number and -number in self._numbers) else written
        return written


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


@contextmanager
def hiding(seeds: Iterable[PreparedSeed]) -> Iterator[None]:
    """Replace what came from the environment in errors: a server repeats in them what it was sent."""
    mask = Mask(secret for seed in seeds for secret in seed.secrets)
    try:
        yield
    except (SeedFailed, PreflightError, SeedFileError) as error:
        problems = [replace(each, message=mask.inside(each.message)) for each in error.problems]
        message = mask.inside(error.message)
        if message == error.message and problems == list(error.problems):
            raise
        # Without its cause, which says it in the server's own words.
        raise type(error)(
            message, hint=error.hint, place=error.place, code=error.error_code, problems=problems
        ) from None

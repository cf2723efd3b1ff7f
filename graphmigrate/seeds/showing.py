"""What a seed would send, to be looked at: each text once, with its parameters and its first rows."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from graphmigrate.errors import PreflightError, SeedFailed
from graphmigrate.results import SeedShowResult, ShownStatement
from graphmigrate.seeds.checks import checked_rows
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.seeds.frontmatter import from_json
from graphmigrate.seeds.program import Rows, Statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphmigrate.seeds.plan import PreparedSeed
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
    variables = mask.value(from_json(seed.variables))
    return SeedShowResult(seed.name, seed.file.file, seed.file.front.depends, variables, tuple(statements))


def _statement(query: Query, times: int | None, mask: Mask, rows_of: str | None = None) -> ShownStatement:
    text, parameters = mask.cypher(query.text), mask.value(query.parameters)
    return ShownStatement(query.place.file, query.place.line, text, parameters, times=times, rows_of=rows_of)


def _block(part: Rows, rows: int, mask: Mask) -> ShownStatement:
    return replace(
        _statement(part.query, None, mask, mask.inside(part.source.label)),
        columns=part.columns or part.source.columns,
        rows=tuple(mask.value(list(islice(checked_rows(part), rows)))),
        total=part.source.size,
    )


class Mask:
    """Replaces what came from the environment by asterisks: also in other case, trimmed, or read as a number."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in (secret, secret.strip() or secret)}
        self._whole = {form.casefold() for form in forms}
        self._numbers = {number for form in forms if (number := _number(form)) is not None}
        # Between backticks a name's own backticks are doubled.
        written = forms | {form.replace("`", "``") for form in forms}
        long = sorted((form for form in written if len(form) >= _SHORTEST), key=len, reverse=True)
        inside = list(map(re.escape, long))
        names = [f"(?<=`){re.escape(form)}(?=`)" for form in written]
        numbers = [rf"(?<![\w.]){re.escape(str(abs(number)))}(?![\w.])" for number in self._numbers]
        self._inside = re.compile("|".join(inside), re.IGNORECASE) if inside else None
        self._cypher = re.compile("|".join(names + inside + numbers), re.IGNORECASE) if forms else None

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
        """Replace also what ``identifier`` and ``literal`` write: names between backticks, and numbers."""
        return self._cypher.sub(HIDDEN, text) if self._cypher else text


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

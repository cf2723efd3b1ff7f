"""Checks before a load: the server agrees, an index finds keys, rows can be read; and what would be sent, to be looked at."""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from graphmigrate.cypher.clauses import judge
from graphmigrate.database.catalogue import read_catalogue
from graphmigrate.database.failures import code_of, message_of, position_of
from graphmigrate.database.guard import allowed_names, any_label
from graphmigrate.database.preflight import explain_all
from graphmigrate.errors import PreflightError, Problem, SeedFailed, Severity, raise_all
from graphmigrate.events import Listener, Warned, ignore
from graphmigrate.results import CheckedSeed, SeedShowResult, ShownStatement
from graphmigrate.schema.model import ObjectType, identifier, render, uniqueness
from graphmigrate.seeds.batches import EXAMPLES, Limits, batches, picker
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.seeds.frontmatter import from_json
from graphmigrate.seeds.program import BATCH, ROWS, Rows, Statements
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from graphmigrate.database.connection import Database
    from graphmigrate.seeds.batches import Batch
    from graphmigrate.seeds.plan import Preparation, PreparedSeed
    from graphmigrate.seeds.program import Query

HIDDEN = "***"
# Shorter ones are hidden where they are the whole value, but not inside other texts.
_SHORTEST = 4
# So many keys are remembered: more would not fit into the memory that a load may take.
MOST_KEYS = 200_000
_SCANS = {"NodeByLabelScan", "AllNodesScan", "DirectedRelationshipTypeScan", "UndirectedRelationshipTypeScan"}


# ---- statements


def check_statements(database: Database, seeds: Iterable[PreparedSeed]) -> list[Problem]:
    """EXPLAIN every distinct statement; return warnings (GM557) for what reads all nodes of a label for each row.

    Raises PreflightError (GM201, GM520) with all refusals, each at its line.
    """
    seeds = list(seeds)
    refused = list(_reaching_ours(seeds, allowed_names(database.settings.allow)))
    raise_all(refused, PreflightError, "{count} statements may reach graphmigrate's own nodes.", code="GM520")
    asked = {
        query.text: (query, part, more) for query, part, more in _queries(seeds, database.settings.batch_rows)
    }
    texts = [(query.text, {**query.parameters, **more}) for query, _, more in asked.values()]
    answers = explain_all(database, texts)
    found = list(zip(asked.values(), answers, strict=True))
    problems = [_refusal(query, answer) for (query, *_), answer in found if isinstance(answer, Exception)]
    raise_all(problems, PreflightError, "The server refuses {count} statements.", code="GM201")
    blocks = [
        (part, getattr(answer, "plan", None)) for (_, part, _), answer in found if isinstance(part, Rows)
    ]
    return list(_slow_blocks(database, blocks)) if blocks else []


def _reaching_ours(seeds: Iterable[PreparedSeed], allowed: Collection[str]) -> Iterator[Problem]:
    """Yield the refusal of each row block, and each reset in batches, that may reach nodes of any label."""
    for seed in seeds:
        blocks = [(part.query, "batch of rows") for part in seed.program.blocks]
        resets = [(query, "batch") for query in seed.reset if BATCH in query.parameters]
        for query, repeated in blocks + resets:
            if seed.name not in allowed and judge(query.text).refused:
                yield any_label(query.text, query.place, seed.name, batches=repeated, allowed=False)


def _queries(
    seeds: Iterable[PreparedSeed], size: int
) -> Iterator[tuple[Query, Statements | Rows, dict[str, Any]]]:
    """Yield each query with the rows of a whole batch: Neo4j plans for lists of about one size, and keeps the plan."""
    for seed in seeds:
        for part in (Statements(seed.reset), *seed.program.parts):
            if isinstance(part, Rows):
                yield part.query, part, {ROWS: [{} if part.columns is None else []] * size}
            else:
                yield from ((query, part, {}) for query in part.queries)


def _refusal(query: Query, error: Exception) -> Problem:
    position, place = position_of(error), query.place
    if position:
        line, column = position
        place = query.place_of(line - 1, column)  # the first line is that of EXPLAIN
    message = f"The server refuses this statement: {message_of(error)} [{code_of(error)}]"
    return Problem("GM201", message, "Nothing was loaded. Fix the template and run again.", place)


def _slow_blocks(database: Database, blocks: Iterable[tuple[Rows, Any]]) -> Iterator[Problem]:
    """Yield a warning for each key of a plain load that no index finds, and for each scan that another block does for a row."""
    indexed = [
        (entry.object.labels[0], frozenset(entry.object.properties))
        for entry in read_catalogue(database).indexes.values()
        if entry.object.entity == "node" and entry.object.type in {ObjectType.RANGE, ObjectType.TEXT}
    ]
    told: set[tuple[Any, ...]] = set()
    for part, plan in blocks:
        for each in part.plain.lookups if part.plain else ():
            key = (each.labels, frozenset(each.columns))
            found = any(label in each.labels and names <= key[1] for label, names in indexed)
            if not found and key not in told:
                told.add(key)
                yield _without_index(*key, part.query)
        for kind, name in () if part.plain else dict.fromkeys(_scans(plan)):
            words = set(re.findall(r"\w+", part.query.text))
            if not any(label == name and names <= words for label, names in indexed):
                yield _scan(kind, name, part.query)


def _without_index(labels: Iterable[str], names: Iterable[str], query: Query) -> Problem:
    label, properties = min(labels), sorted(names)
    shown = f"(:{identifier(label)} {{{', '.join(map(identifier, properties))}}})"
    message = f"No constraint or index finds {shown}: each row reads every {label} that there is."
    hint = f"Put into a migration: {render(uniqueness(label, properties), guarded=False)};"
    return Problem("GM557", message, hint, query.place, severity=Severity.WARNING)


def _scans(plan: Any, *, each_row: bool = False) -> Iterator[tuple[str, str]]:
    """Yield what the plan of a row block reads whole for each row: kind and name; ``each_row`` tells that it is under one."""
    if not plan:
        return
    kind = plan["operatorType"].partition("@")[0]
    if each_row and kind in _SCANS:
        yield kind, plan.get("args", {}).get("Details", "").partition(":")[2].partition("]")[0].strip("`")
    rows = False
    for child in plan.get("children", ()):
        # What stands to the right of the rows runs for each of them, except in a join.
        yield from _scans(child, each_row=each_row or rows)
        rows = rows or (_has_rows(child) and "HashJoin" not in kind)


def _has_rows(plan: Any) -> bool:
    return plan["operatorType"].startswith("Unwind") or any(map(_has_rows, plan.get("children", ())))


def _scan(kind: str, name: str, query: Query) -> Problem:
    what = f"every {name}" if name else "every node"
    hint = (
        f"Let it find (:{name} …) by a property that has a constraint or an index."
        if name
        else "Name a label."
    )
    if "Relationship" in kind:
        hint = "Begin its pattern at a node that an index finds."
    message = f"The server's plan reads {what} that there is for each row."
    return Problem("GM557", message, hint, query.place, severity=Severity.WARNING)


# ---- rows


def check(
    database: Database | None, preparation: Preparation, *, rows: bool, listen: Listener = ignore
) -> tuple[CheckedSeed, ...]:
    """Let the server, if there is one, check every statement, and read every row where ``rows`` says so; load nothing.

    Raises PreflightError (GM201) with everything that the server refuses, or SeedFileError for a bad row.
    """
    with hiding(preparation.seeds):
        problems = check_statements(database, preparation.seeds) if database is not None else []
        checked = [_check_rows(seed, problems, rows=rows) for seed in preparation.seeds]
        for problem in problems:
            listen(Warned(problem))
        return tuple(checked)


def _check_rows(seed: PreparedSeed, problems: list[Problem], *, rows: bool) -> CheckedSeed:
    """Count what the seed sends; add a warning (GM557) for rows that the statement would change twice."""
    blocks, again = seed.program.blocks, Repeats()
    total = seed.program.total_rows()
    if rows:
        limits = Limits(1000, 1_000_000)
        watched = (again.watch(part, batches(0, checked_rows(part), limits)) for part in blocks)
        total = sum(len(batch.items) for found in watched for batch in found)
    if again.count and seed.file.front.unmatched != "ignore":
        told = "1 row" if again.count == 1 else f"{again.count:,} rows"
        message = f"An earlier row of {seed.name} with the same key has other values: {told}."
        place, hint = blocks[0].query.place, "\n".join(again.examples)
        problems.append(Problem("GM557", message, hint, place, severity=Severity.WARNING))
    return CheckedSeed(seed.name, len(seed.program.queries) - len(blocks), len(blocks), total)


def checked_rows(part: Rows, rows: Iterable[tuple[int, Any]] | None = None) -> Iterator[Any]:
    """Yield each row, or these numbered ones, as it would be sent. Raises SeedFileError (GM553) for one that cannot be sent."""
    for index, row in enumerate(part.rows()) if rows is None else rows:
        try:
            yield parameter(row)
        except SeedFileError as error:
            message = f"Row {index + 1} of {part.source.label}: {error.message}"
            place = part.source.place(index) or part.query.place
            raise SeedFileError(message, hint=error.hint, place=place, code="GM553") from error


def row_shown(part: Rows, number: int, row: Any) -> str:
    """Return a row with its place."""
    place = part.source.place(number)
    where = f"{place.file}:{place.line}" if place else f"row {number + 1:,} of {part.source.label}"
    return f"{where}: {part.shown(row)}"


class Repeats:
    """Finds rows of plain loads that change again what an earlier row changed: the same key with other values.

    ``examples`` are the first of them. ``strict`` makes one an error, after the rows before it.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.count = 0
        self.examples: list[str] = []

    def watch(self, part: Rows, found: Iterable[Batch]) -> Iterator[Batch]:
        """Yield the batches of a row block."""
        plain = part.plain
        names = [name for each in plain.lookups for name in each.columns.values()] if plain else []
        pick = [picker(name, part.columns) for name in names if name is not None]
        seen: dict[int, int] = {}
        for batch in found:
            try:
                keys = [hash(key) for key in zip(*(map(each, batch.items) for each in pick), strict=True)]
            except TypeError:  # a list is no key
                keys = []
            if not plain or not plain.changes or not keys:
                yield batch
                continue
            fresh = dict(zip(keys, batch.marks, strict=True))
            at = None
            if len(fresh) < len(keys) or not seen.keys().isdisjoint(fresh):
                at = self._repeated(part, batch, keys, seen)
            elif len(seen) < MOST_KEYS:
                seen |= fresh
            if at is None:
                yield batch
                continue
            if at:
                yield batch.first(at)
            raise SeedFileError(
                f"This row changes again what an earlier row with the same key changed: {part.shown(batch.items[at])}.",
                hint="Correct the file; or write unmatched: ignore into the front matter, where the last row is to count.",
                place=part.source.place(batch.numbers[at]) or part.query.place,
                code="GM551",
            )

    def _repeated(self, part: Rows, batch: Batch, keys: list[int], seen: dict[int, int]) -> int | None:
        for at, (key, mark) in enumerate(zip(keys, batch.marks, strict=True)):
            before = seen.get(key, mark)
            if before != mark:
                self.count += 1
                if self.strict:
                    return at
                if len(self.examples) < EXAMPLES:
                    self.examples.append(row_shown(part, batch.numbers[at], batch.items[at]))
            if len(seen) < MOST_KEYS:
                seen[key] = mark
        return None


# ---- what would be sent


def show(preparation: Preparation, name: str, *, rows: int) -> SeedShowResult:
    """Return every text that the seed ``name`` would send, with the first ``rows`` rows of each block; ask no database.

    Neighbouring statements of the same text are shown once, with the first one's parameters. What came from the
    environment is replaced by asterisks. Raises SeedFileError for a row that cannot be read.
    """
    [seed] = [each for each in preparation.seeds if each.name == name]
    mask = Mask(seed.secrets)
    statements: list[ShownStatement] = []
    with hiding([seed]):
        for part in seed.program.parts:
            if isinstance(part, Rows):
                statements.append(_block(part, rows, mask))
                continue
            for _, alike in groupby(part.queries, key=lambda query: query.text):
                queries = list(alike)
                statements.append(_statement(queries[0], len(queries), mask))
    variables = mask.value(from_json(seed.variables))
    return SeedShowResult(seed.name, seed.file.file, seed.file.front.depends, variables, tuple(statements))


def _statement(query: Query, times: int | None, mask: Mask, rows_of: str | None = None) -> ShownStatement:
    text, parameters = mask.cypher(query.text), mask.value(query.parameters)
    return ShownStatement(query.place.file, query.place.line, text, parameters, times=times, rows_of=rows_of)


def _block(part: Rows, rows: int, mask: Mask) -> ShownStatement:
    return _statement(part.query, None, mask, mask.inside(part.source.label))._replace(
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
        problems = [each._replace(message=mask.inside(each.message)) for each in error.problems]
        message = mask.inside(error.message)
        if message == error.message and problems == list(error.problems):
            raise
        # Without its cause, which says it in the server's own words.
        raise type(error)(
            message, hint=error.hint, place=error.place, code=error.error_code, problems=problems
        ) from None

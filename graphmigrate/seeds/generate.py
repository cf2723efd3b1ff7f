"""``generate(n, …)``: rows made up, the same on every machine, from any row on and however many there are.

A column is a value, or a specification: ``random.*``, ``choice``, ``sequence``, ``ref``, ``concat`` and ``fake.*``.
"""

from __future__ import annotations

import datetime
import functools
import math
import re
import uuid
from itertools import accumulate, islice
from random import Random
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds.files import BAD_SPECIFICATION, SeedFileError, no_column
from graphmigrate.seeds.rows import Source
from graphmigrate.seeds.values import NoValue, parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Make = Callable[[Random, int], Any]  # from random numbers and a row's number to a value

# A column's random numbers begin anew with each so many rows: a resumed load makes at most these again.
CHUNK = 1_000
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PATTERN = re.compile(r"([^{}]*)\{(?::(0?\d{1,2})d?)?\}([^{}]*)")
_LONGEST = 1_000_000


class Specification(NoValue):
    """How the values of a column are made; only ``{{ … }}`` writes the next value that it makes."""

    def __init__(self, name: str, make: Make) -> None:
        self.name = name
        self.make = make

    def refusal(self) -> SeedFileError:
        """See NoValue."""
        return SeedFileError(
            f"{self.name} makes a value for each row: it is none by itself.",
            hint="Use it as a column: generate(100, name=fake.name()), or write it out alone: {{ fake.name() }}."
            " Join texts with concat(…).",
            code=BAD_SPECIFICATION,
        )


class GenerateSource(Source):
    """``size`` rows of these columns; ``key`` is what the random numbers depend on."""

    columns: tuple[str, ...]

    def __init__(self, size: int, columns: Mapping[str, Any], key: str) -> None:
        self.label = f"generate({size})"
        self.size: int = size
        self.columns = tuple(columns)
        self._makes = {name: _maker(value) for name, value in columns.items()}
        self._key = key

    def _chunk(self, name: str, number: int) -> list[Any]:
        """Return the values that a column has in the rows of a chunk."""
        random = Random(f"{self._key}\0{name}\0{number}")  # noqa: S311 - made up data, the same in each run
        make, first = self._makes[name], number * CHUNK
        return [make(random, row) for row in range(first, min(first + CHUNK, self.size))]

    def column(self, name: str) -> Callable[[int], Any]:
        """Return the function from a row's number to the value of a column, which keeps what it has made."""
        if name not in self._makes:
            raise no_column(self.label, name, self.columns, BAD_SPECIFICATION)
        chunk = functools.cache(functools.partial(self._chunk, name))
        return lambda row: chunk(row // CHUNK)[row % CHUNK]

    def lists(self, names: Sequence[str], skip: int = 0) -> Iterator[list[Any]]:
        """See Source; only these columns are made."""
        if not names:
            yield from ([] for _ in range(skip, self.size))
            return
        for number in range(skip // CHUNK, -(-self.size // CHUNK)):
            rows = zip(*(self._chunk(name, number) for name in names), strict=True)
            yield from map(list, islice(rows, max(0, skip - number * CHUNK), None))


# ---- arguments


def wrong(takes: str, example: str) -> SeedFileError:
    """Return the error for arguments that the function of an example does not take (GM593)."""
    message = f"{example.partition('(')[0]} takes {takes}."
    return SeedFileError(message, hint=f"For example: {example}", code=BAD_SPECIFICATION)


def _check(ok: object, takes: str, example: str) -> None:
    if not ok:
        raise wrong(takes, example)


def _maker(value: Any) -> Make:
    """Return what makes the values of a specification, or repeats a value that is the same in every row."""
    if isinstance(value, Specification):
        return value.make
    fixed = parameter(value)
    return lambda _random, _row: fixed


def row_count(name: str, count: Any) -> int:
    """Return a number of rows, which may be written as 1000 * 0.5."""
    if isinstance(count, float) and count.is_integer():
        count = int(count)
    _check(_whole(count) and count >= 0, "a number of rows, from 0 upwards", f"{name}(1000)")
    return int(count)


def _whole(*values: Any) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def _number(*values: Any) -> bool:
    return all(_whole(value) or (isinstance(value, float) and math.isfinite(value)) for value in values)


def _moment(value: Any) -> datetime.datetime | None:
    try:
        text = value.isoformat() if isinstance(value, datetime.date) else value
        found = datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


# ---- random.*


def _integer(low: Any, high: Any) -> Specification:
    ok = _whole(low, high) and low <= high
    _check(ok, "two whole numbers, the lower first", "random.int(18, 90)")
    return Specification("random.int", lambda random, _: random.randint(low, high))


def _fraction(low: Any = 0.0, high: Any = 1.0, digits: Any = None) -> Specification:
    ok = _number(low, high) and low <= high and (digits is None or _whole(digits))
    _check(ok, "two numbers, the lower first, and digits", "random.float(0, 1, digits=3)")
    if digits is None:
        return Specification("random.float", lambda random, _: float(random.uniform(low, high)))
    return Specification("random.float", lambda random, _: round(float(random.uniform(low, high)), digits))


def _normal(mean: Any = 0.0, deviation: Any = 1.0, digits: Any = 6) -> Specification:
    """Return a specification of rounded numbers: the last bit of a logarithm is not the same on every machine."""
    ok = _number(mean, deviation) and deviation > 0 and _whole(digits)
    _check(ok, "a mean, a deviation above 0 and digits", "random.normal(170, 10, digits=1)")
    return Specification("random.normal", lambda rng, _: round(rng.normalvariate(mean, deviation), digits))


def _boolean(probability: Any = 0.5) -> Specification:
    ok = _number(probability) and 0 <= probability <= 1
    _check(ok, "a probability from 0 to 1", "random.bool(0.9)")
    return Specification("random.bool", lambda random, _: random.random() < probability)


def _between(first: Any, last: Any, example: str) -> tuple[datetime.datetime, datetime.timedelta]:
    start, end = _moment(first), _moment(last)
    if start is None or end is None or start > end:
        raise wrong("two dates, the earlier first", example)
    return start, end - start


def _date(first: Any, last: Any) -> Specification:
    start, length = _between(first, last, "random.date('2020-01-01', '2024-12-31')")
    day, days = start.date(), length.days
    return Specification("random.date", lambda random, _: day + datetime.timedelta(random.randint(0, days)))


def _datetime(first: Any, last: Any) -> Specification:
    start, length = _between(first, last, "random.datetime('2024-01-01T00:00:00', '2024-12-31T23:59:59')")
    seconds = int(length.total_seconds())

    def make(random: Random, _: int) -> datetime.datetime:
        return start + datetime.timedelta(0, random.randint(0, seconds))

    return Specification("random.datetime", make)


def _text(length: Any, alphabet: Any = _LETTERS) -> Specification:
    ok = _whole(length) and 0 <= length <= _LONGEST and isinstance(alphabet, str) and alphabet
    _check(ok, "a length and an alphabet", "random.text(8, 'abcdef0123456789')")
    return Specification("random.text", lambda random, _: "".join(random.choices(alphabet, k=length)))


def _identifier() -> Specification:
    def make(random: Random, _: int) -> str:
        return str(uuid.UUID(int=random.getrandbits(128), version=4))

    return Specification("random.uuid", make)


def _vector(dimensions: Any, low: Any = -1.0, high: Any = 1.0) -> Specification:
    ok = _whole(dimensions) and 0 < dimensions <= 65_536 and _number(low, high)
    _check(ok, "a number of dimensions, and two numbers", "random.vector(384)")
    numbers = range(dimensions)
    return Specification("random.vector", lambda random, _: [random.uniform(low, high) for _ in numbers])


def _sample(items: Any, low: Any, high: Any = None) -> Specification:
    most = low if high is None else high
    ok = isinstance(items, (list, tuple)) and _whole(low, most) and 0 <= low <= most <= len(items)
    takes, example = "a list, and how many items of it: from and to", "random.sample(['red', 'green'], 1, 2)"
    _check(ok, takes, example)
    values = parameter(items)

    def make(random: Random, _: int) -> list[Any]:
        return [values[at] for at in sorted(random.sample(range(len(values)), random.randint(low, most)))]

    return Specification("random.sample", make)


def choice(items: Any, weights: Any = None) -> Specification:
    """Return a specification of one of these values or specifications; ``weights`` are how often each comes."""
    example = "choice(['Utrecht', 'Gent'], weights=[3, 1])"
    _check(isinstance(items, (list, tuple)) and items, "a list that is not empty", example)
    limits = None
    if weights is not None:
        ok = isinstance(weights, (list, tuple)) and len(weights) == len(items) and _number(*weights)
        _check(ok, "as many weights as there are values", example)
        _check(min(weights) >= 0 and sum(weights) > 0, "weights that are not negative and not all 0", example)
        limits = list(accumulate(weights))
    makers = [_maker(item) for item in items]

    def make(random: Random, row: int) -> Any:
        return random.choices(makers, cum_weights=limits)[0](random, row)

    return Specification("choice", make)


FUNCTIONS: dict[str, Callable[..., Specification]] = {
    "bool": _boolean, "choice": choice, "date": _date, "datetime": _datetime, "float": _fraction, "int": _integer,
    "normal": _normal, "sample": _sample, "text": _text, "uuid": _identifier, "vector": _vector,
}  # fmt: skip


# ---- what needs no random numbers, and references


def _numbered(pattern: Any, start: Any, step: int) -> Callable[[int], Any]:
    """Return the function from a row's number to what ``sequence`` makes in it."""
    if pattern is None:
        return lambda row: start + step * row
    found = _PATTERN.fullmatch(pattern) if isinstance(pattern, str) else None
    if found is None:
        raise wrong("a text with one {} for the number", "sequence('person-{}') or sequence('P{:06}')")
    before, width, after = found.groups()
    return lambda row: f"{before}{start + step * row:{width or ''}}{after}"


def sequence(pattern: Any = None, start: Any = 1, step: Any = 1) -> Specification:
    """Return a specification that counts 1, 2, 3 …, or of a text with that number in it."""
    _check(_whole(start, step), "whole numbers as start and step", "sequence('P{:06}', start=100)")
    at = _numbered(pattern, start, step)
    return Specification("sequence", lambda _, row: at(row))


def ref(rows: Any = None, column: Any = None, skew: Any = 1, start: Any = 1) -> Specification:
    """Return a specification that refers to a row which is there before this one is.

    ``ref(n)`` and ``ref(n, 'P{:06}')`` are what ``sequence`` makes in one of n rows, ``ref(people, 'id')`` what
    a column has in a row of another block, and ``ref()`` what ``sequence()`` makes in a row above this one (null
    in the first). A ``skew`` of 2 or more prefers early rows, so that a few are referred to often.
    """
    _check(_whole(skew) and 1 <= skew <= 10, "a skew from 1 to 10", "ref(1000, skew=3)")
    _check(_whole(start), "a whole number as start", "ref(1000, start=0)")
    if isinstance(rows, GenerateSource):
        ok = isinstance(column, str)
        _check(ok, "a block and the name of one of its columns", "ref(people, 'id')")
        value, count = rows.column(str(column)), rows.size
    else:
        value, count = _numbered(column, start, 1), -1 if rows is None else row_count("ref", rows)

    def make(random: Random, row: int) -> Any:
        there = row if count < 0 else count
        share = place = random.random()
        for _ in range(skew - 1):  # products are the same on every machine; powers need not be
            place *= share
        return value(min(int(place * there), there - 1)) if there else None

    return Specification("ref", make)


def concat(*parts: Any) -> Specification:
    """Return a specification of the parts joined to one text; null where one is null, as in Cypher."""
    makers = [_maker(part) for part in parts]

    def make(random: Random, row: int) -> str | None:
        values = [one(random, row) for one in makers]
        return None if None in values else "".join(map(str, values))

    return Specification("concat", make)

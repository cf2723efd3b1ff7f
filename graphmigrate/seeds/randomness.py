"""``random.*``, ``choice``, ``sequence``, ``ref``, ``concat`` and ``column``: specifications of columns."""

from __future__ import annotations

import datetime
import functools
import math
import re
import uuid
from bisect import bisect_right
from itertools import accumulate
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds.specifications import Specification, below, bind, bits, subkey, unit, wrong
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphmigrate.seeds.specifications import At, Columns

LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DAY = datetime.timedelta(days=1)
_PATTERN = re.compile(r"([^{}]*)\{(?::(0?\d{1,2})d?)?\}([^{}]*)")
_LONGEST = 1_000_000
_MOST = 10_000


def _simple(name: str, at: Callable[[int, int], Any]) -> Specification:
    """Make a specification that needs only its key and the row's number."""
    return Specification(name, lambda key, _: lambda row: at(key, row))


def integer(low: Any, high: Any) -> Specification:
    """Make whole numbers from ``low`` to ``high``, both included."""
    if not (_whole(low) and _whole(high) and low <= high):
        raise wrong("random.int", "two whole numbers, the lower first", "random.int(18, 90)")
    count = high - low + 1
    return _simple("random.int", lambda key, row: low + below(key, row, count))


def fraction(low: Any = 0.0, high: Any = 1.0, digits: Any = None) -> Specification:
    """Make floating-point numbers from ``low`` up to ``high``, rounded to ``digits`` where that is given."""
    if not (_number(low) and _number(high) and low <= high and (digits is None or _whole(digits))):
        raise wrong(
            "random.float", "two numbers, the lower first, and digits", "random.float(0, 1, digits=3)"
        )
    span = high - low
    if digits is None:
        return _simple("random.float", lambda key, row: low + span * unit(key, row))
    return _simple("random.float", lambda key, row: round(low + span * unit(key, row), digits))


def normal(mean: Any = 0.0, deviation: Any = 1.0, digits: Any = 6) -> Specification:
    """Make floating-point numbers of the normal distribution.

    They are rounded, because the last bit of a logarithm is not the same on every machine.
    """
    if not (_number(mean) and _number(deviation) and deviation > 0 and _whole(digits)):
        raise wrong(
            "random.normal", "a mean, a deviation above 0 and digits", "random.normal(170, 10, digits=1)"
        )
    inverse = NormalDist(mean, deviation).inv_cdf
    return _simple(
        "random.normal", lambda key, row: round(inverse(unit(key, row) * (1 - 2.0**-52) + 2.0**-54), digits)
    )


def boolean(probability: Any = 0.5) -> Specification:
    """Make true in this share of the rows."""
    if not (_number(probability) and 0 <= probability <= 1):
        raise wrong("random.bool", "a probability from 0 to 1", "random.bool(0.9)")
    return _simple("random.bool", lambda key, row: unit(key, row) < probability)


def date(first: Any, last: Any) -> Specification:
    """Make dates from ``first`` to ``last``, both included."""
    start, end = (_date(each) for each in (first, last))
    if start is None or end is None or start > end:
        raise wrong("random.date", "two dates, the earlier first", "random.date('2020-01-01', '2024-12-31')")
    count = (end - start).days + 1
    return _simple("random.date", lambda key, row: start + below(key, row, count) * _DAY)


def moment(first: Any, last: Any) -> Specification:
    """Make zoned dates and times, to the second; without a zone they are UTC."""
    start, end = (_moment(each) for each in (first, last))
    if start is None or end is None or start > end:
        hint = "random.datetime('2024-01-01T00:00:00', '2024-12-31T23:59:59')"
        raise wrong("random.datetime", "two dates with times, the earlier first", hint)
    count = int((end - start).total_seconds()) + 1
    return _simple(
        "random.datetime", lambda key, row: start + datetime.timedelta(seconds=below(key, row, count))
    )


def text(length: Any, alphabet: Any = LETTERS) -> Specification:
    """Make texts of this length made of the characters of ``alphabet``."""
    if not (_whole(length) and 0 <= length <= _LONGEST and isinstance(alphabet, str) and alphabet):
        raise wrong("random.text", "a length and an alphabet", "random.text(8, 'abcdef0123456789')")
    count = len(alphabet)

    def at(key: int, row: int) -> str:
        own = bits(key, row)
        return "".join(alphabet[below(own, place, count)] for place in range(length))

    return _simple("random.text", at)


def identifier() -> Specification:
    """Make UUIDs of version 4, as texts."""

    def at(key: int, row: int) -> str:
        own = bits(key, row)
        return str(uuid.UUID(int=(bits(own, 0) << 64) | bits(own, 1), version=4))

    return _simple("random.uuid", at)


def vector(dimensions: Any, low: Any = -1.0, high: Any = 1.0) -> Specification:
    """Make lists of floating-point numbers."""
    if not (_whole(dimensions) and 0 < dimensions <= 65_536 and _number(low) and _number(high)):
        raise wrong("random.vector", "a number of dimensions, and two numbers", "random.vector(384)")
    span = high - low

    def at(key: int, row: int) -> list[float]:
        own = bits(key, row)
        return [low + span * unit(own, place) for place in range(dimensions)]

    return _simple("random.vector", at)


def point(west: Any = -180.0, south: Any = -90.0, east: Any = 180.0, north: Any = 90.0) -> Specification:
    """Make points (WGS 84) in the rectangle of these longitudes and latitudes, with six decimals."""
    numbers = (west, south, east, north)
    if not (all(map(_number, numbers)) and -180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise wrong(
            "random.point", "west, south, east and north in degrees", "random.point(3.3, 50.7, 7.2, 53.6)"
        )

    def at(key: int, row: int) -> Any:
        from neo4j.spatial import WGS84Point

        own = bits(key, row)
        longitude = west + (east - west) * unit(own, 0)
        return WGS84Point((round(longitude, 6), round(south + (north - south) * unit(own, 1), 6)))

    return _simple("random.point", at)


def choice(items: Any, weights: Any = None) -> Specification:
    """Choose one of these values, or specifications; ``weights`` say how often each of them."""
    if not isinstance(items, (list, tuple)) or not items:
        raise wrong("choice", "a list that is not empty", "choice(['Utrecht', 'Gent'], weights=[3, 1])")
    pick = _pick(items, weights)

    def make(key: int, columns: Columns) -> At:
        bound = [bind(item, subkey(key, number), columns) for number, item in enumerate(items)]
        return lambda row: bound[pick(key, row)](row)

    if any(isinstance(item, Specification) for item in items):
        return Specification("choice", make)
    values = parameter(items)
    return _simple("choice", lambda key, row: values[pick(key, row)])


def _pick(items: Sequence[Any], weights: Any) -> Callable[[int, int], int]:
    count = len(items)
    if weights is None:
        return lambda key, row: below(key, row, count)
    if not isinstance(weights, (list, tuple)) or len(weights) != count or not all(map(_number, weights)):
        raise wrong("choice", "as many weights as there are values", "choice(['a', 'b'], weights=[3, 1])")
    limits = list(accumulate(weights))
    if min(weights) < 0 or limits[-1] <= 0:
        raise wrong("choice", "weights that are not negative and not all 0")
    return lambda key, row: min(bisect_right(limits, unit(key, row) * limits[-1]), count - 1)


def sample(items: Any, low: Any, high: Any = None) -> Specification:
    """Make lists of ``low`` to ``high`` different ones of these values, in their order."""
    most = low if high is None else high
    if not isinstance(items, (list, tuple)) or not (
        _whole(low) and _whole(most) and 0 <= low <= most <= len(items)
    ):
        raise wrong(
            "random.sample", "a list and how many of it, or from how many to how many",
            "random.sample(['red', 'green', 'blue'], 1, 2)",
        )  # fmt: skip
    values = parameter(items)

    def at(key: int, row: int) -> list[Any]:
        own = bits(key, row)
        wanted = low + below(own, 0, most - low + 1)
        chosen: list[Any] = []
        for place, value in enumerate(values):
            if below(own, place + 1, len(values) - place) < wanted - len(chosen):
                chosen.append(value)
        return chosen

    return _simple("random.sample", at)


def several(item: Any, low: Any, high: Any) -> Specification:
    """Make lists of ``low`` to ``high`` values, each made anew."""
    if not (_whole(low) and _whole(high) and 0 <= low <= high <= _MOST):
        raise wrong(
            "random.list",
            f"a specification and how many, from and to (at most {_MOST:,})",
            "random.list(fake.word(), 1, 5)",
        )

    def make(key: int, columns: Columns) -> At:
        bound = [bind(item, subkey(key, place), columns) for place in range(high)]

        def at(row: int) -> list[Any]:
            return [one(row) for one in bound[: low + below(key, row, high - low + 1)]]

        return at

    return Specification("random.list", make)


def maybe(item: Any, probability: Any = 0.5) -> Specification:
    """Make a value in this share of the rows, else null."""
    if not (_number(probability) and 0 <= probability <= 1):
        raise wrong("random.maybe", "a value and a probability from 0 to 1", "random.maybe(fake.name(), 0.9)")

    def make(key: int, columns: Columns) -> At:
        one = bind(item, subkey(key, 0), columns)
        return lambda row: one(row) if unit(key, row) < probability else None

    return Specification("random.maybe", make)


def pool(item: Any, size: Any) -> Specification:
    """Choose one of ``size`` values that are made when they are first needed, and kept: for what is slow to make."""
    if not (_whole(size) and 0 < size <= _LONGEST):
        raise wrong("random.pool", "a specification and how many of it", "random.pool(fake.name(), 1000)")

    def make(key: int, columns: Columns) -> At:
        one = functools.cache(bind(item, subkey(key, 0), columns))
        return lambda row: one(below(key, row, size))

    return Specification("random.pool", make)


def numbered(pattern: Any, start: int, step: int) -> Callable[[int], Any]:
    """Return the function from a row's number to what ``sequence`` says in it."""
    if pattern is None:
        return lambda row: start + step * row
    found = _PATTERN.fullmatch(pattern) if isinstance(pattern, str) else None
    if found is None:
        raise wrong(
            "sequence", "a text with one {} for the number", "sequence('person-{}') or sequence('P{:06}')"
        )
    before, width, after = found.groups()
    return lambda row: f"{before}{start + step * row:{width or ''}}{after}"


def sequence(pattern: Any = None, start: Any = 1, step: Any = 1) -> Specification:
    """Count 1, 2, 3 …, or a text with that number in it."""
    if not (_whole(start) and _whole(step)) or (_whole(pattern) and (start, step) != (1, 1)):
        raise wrong("sequence", "whole numbers as start and step", "sequence('P{:06}', start=100)")
    if _whole(pattern):
        pattern, start = None, pattern
    at = numbered(pattern, start, step)
    return Specification("sequence", lambda _key, _columns: at)


def concat(*parts: Any) -> Specification:
    """Join the parts to one text; null where one of them is null, as in Cypher."""

    def make(key: int, columns: Columns) -> At:
        bound = [bind(part, subkey(key, number), columns) for number, part in enumerate(parts)]

        def at(row: int) -> str | None:
            values = [one(row) for one in bound]
            return None if None in values else "".join(map(str, values))

        return at

    return Specification("concat", make)


def column(name: Any) -> Specification:
    """Say what another column of the same row says."""
    if not isinstance(name, str):
        raise wrong("column", "the name of a column of the same block", "column('first_name')")
    return Specification("column", lambda _key, columns: columns(str(name)))


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return _whole(value) or (isinstance(value, float) and math.isfinite(value))


def _date(value: Any) -> datetime.date | None:
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime) else None


def _moment(value: Any) -> datetime.datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC)
    if not isinstance(value, datetime.datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)


FUNCTIONS: dict[str, Callable[..., Specification]] = {
    "bool": boolean, "choice": choice, "date": date, "datetime": moment, "float": fraction, "int": integer,
    "list": several, "maybe": maybe, "normal": normal, "point": point, "pool": pool, "sample": sample, "text": text,
    "uuid": identifier, "vector": vector,
}  # fmt: skip

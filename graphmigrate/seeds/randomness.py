"""What columns are made of: ``random.*``, ``choice``, ``sequence``, ``ref``, ``concat``, ``column`` and Faker's ``fake.*``."""

from __future__ import annotations

import datetime
import functools
import math
import re
import threading
import uuid
from collections.abc import Mapping
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds.files import BAD_SPECIFICATION, SeedFileError, did_you_mean
from graphmigrate.seeds.generate import GenerateSource, Specification, bind, row_count, wrong
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphmigrate.seeds.generate import Columns, Make

DEFAULT_LOCALE = "en_US"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PATTERN = re.compile(r"([^{}]*)\{(?::(0?\d{1,2})d?)?\}([^{}]*)")
_LONGEST = 1_000_000
_MOST = 10_000


def _check(ok: object, name: str, takes: str, example: str) -> None:
    if not ok:
        raise wrong(name, takes, example)


def _simple(name: str, make: Make) -> Specification:
    """Return a specification that needs nothing but random numbers and the row's number."""
    return Specification(name, lambda _key, _columns: make)


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
    _check(ok, "random.int", "two whole numbers, the lower first", "random.int(18, 90)")
    return _simple("random.int", lambda random, _: random.randint(low, high))


def _fraction(low: Any = 0.0, high: Any = 1.0, digits: Any = None) -> Specification:
    ok = _number(low, high) and low <= high and (digits is None or _whole(digits))
    _check(ok, "random.float", "two numbers, the lower first, and digits", "random.float(0, 1, digits=3)")
    if digits is None:
        return _simple("random.float", lambda random, _: float(random.uniform(low, high)))
    return _simple("random.float", lambda random, _: round(float(random.uniform(low, high)), digits))


def _normal(mean: Any = 0.0, deviation: Any = 1.0, digits: Any = 6) -> Specification:
    """Return a specification of rounded numbers: the last bit of a logarithm is not the same on every machine."""
    ok = _number(mean, deviation) and deviation > 0 and _whole(digits)
    example = "random.normal(170, 10, digits=1)"
    _check(ok, "random.normal", "a mean, a deviation above 0 and digits", example)
    return _simple("random.normal", lambda random, _: round(random.normalvariate(mean, deviation), digits))


def _check_probability(name: str, value: Any, example: str) -> None:
    _check(_number(value) and 0 <= value <= 1, name, "a probability from 0 to 1", example)


def _boolean(probability: Any = 0.5) -> Specification:
    _check_probability("random.bool", probability, "random.bool(0.9)")
    return _simple("random.bool", lambda random, _: random.random() < probability)


def _date(first: Any, last: Any) -> Specification:
    start, end = _moment(first), _moment(last)
    if start is None or end is None or start > end:
        raise wrong("random.date", "two dates, the earlier first", "random.date('2020-01-01', '2024-12-31')")
    day, days = start.date(), (end - start).days
    return _simple("random.date", lambda random, _: day + datetime.timedelta(random.randint(0, days)))


def _datetime(first: Any, last: Any) -> Specification:
    start, end = _moment(first), _moment(last)
    if start is None or end is None or start > end:
        example = "random.datetime('2024-01-01T00:00:00', '2024-12-31T23:59:59')"
        raise wrong("random.datetime", "two dates with times, the earlier first", example)
    seconds = int((end - start).total_seconds())
    return _simple(
        "random.datetime", lambda random, _: start + datetime.timedelta(0, random.randint(0, seconds))
    )


def _text(length: Any, alphabet: Any = _LETTERS) -> Specification:
    ok = _whole(length) and 0 <= length <= _LONGEST and isinstance(alphabet, str) and alphabet
    _check(ok, "random.text", "a length and an alphabet", "random.text(8, 'abcdef0123456789')")
    return _simple("random.text", lambda random, _: "".join(random.choices(alphabet, k=length)))


def _identifier() -> Specification:
    return _simple("random.uuid", lambda random, _: str(uuid.UUID(int=random.getrandbits(128), version=4)))


def _vector(dimensions: Any, low: Any = -1.0, high: Any = 1.0) -> Specification:
    ok = _whole(dimensions) and 0 < dimensions <= 65_536 and _number(low, high)
    _check(ok, "random.vector", "a number of dimensions, and two numbers", "random.vector(384)")
    return _simple("random.vector", lambda random, _: [random.uniform(low, high) for _ in range(dimensions)])


def choice(items: Any, weights: Any = None) -> Specification:
    """Return a specification of one of these values or specifications; ``weights`` are how often each comes."""
    example = "choice(['Utrecht', 'Gent'], weights=[3, 1])"
    _check(isinstance(items, (list, tuple)) and items, "choice", "a list that is not empty", example)
    limits = None
    if weights is not None:
        ok = isinstance(weights, (list, tuple)) and len(weights) == len(items) and _number(*weights)
        _check(ok, "choice", "as many weights as there are values", example)
        ok = min(weights) >= 0 and sum(weights) > 0
        _check(ok, "choice", "weights that are not negative and not all 0", example)
        limits = list(accumulate(weights))
    numbers = range(len(items))

    def make(key: str, columns: Columns) -> Make:
        bound = [bind(item, f"{key}\0{number}", columns) for number, item in enumerate(items)]
        return lambda random, row: bound[random.choices(numbers, cum_weights=limits)[0]](random, row)

    return Specification("choice", make)


def _sample(items: Any, low: Any, high: Any = None) -> Specification:
    most = low if high is None else high
    ok = isinstance(items, (list, tuple)) and _whole(low, most) and 0 <= low <= most <= len(items)
    example = "random.sample(['red', 'green', 'blue'], 1, 2)"
    _check(ok, "random.sample", "a list, and how many items of it: from and to", example)
    values = parameter(items)
    numbers = range(len(values))

    def make(random: Random, _: int) -> list[Any]:
        return [values[number] for number in sorted(random.sample(numbers, random.randint(low, most)))]

    return _simple("random.sample", make)


def _list(item: Any, low: Any, high: Any) -> Specification:
    takes = f"a specification and how many, from and to (at most {_MOST:,})"
    ok = _whole(low, high) and 0 <= low <= high <= _MOST
    _check(ok, "random.list", takes, "random.list(fake.word(), 1, 5)")

    def make(key: str, columns: Columns) -> Make:
        one = bind(item, f"{key}\0", columns)
        return lambda random, row: [one(random, row) for _ in range(random.randint(low, high))]

    return Specification("random.list", make)


def _maybe(item: Any, probability: Any = 0.5) -> Specification:
    _check_probability("random.maybe", probability, "random.maybe(fake.name(), 0.9)")

    def make(key: str, columns: Columns) -> Make:
        one = bind(item, f"{key}\0", columns)
        return lambda random, row: one(random, row) if random.random() < probability else None

    return Specification("random.maybe", make)


def _pool(item: Any, size: Any) -> Specification:
    """Return a specification of one of ``size`` values, made once and kept: for what is slow to make."""
    ok = _whole(size) and 0 < size <= _LONGEST
    _check(ok, "random.pool", "a specification and how many of it", "random.pool(fake.name(), 1000)")

    def make(key: str, columns: Columns) -> Make:
        one = bind(item, f"{key}\0", columns)

        @functools.cache
        def values() -> list[Any]:
            own = Random(f"{key}\0pool")  # noqa: S311 - made up data
            return [one(own, number) for number in range(size)]

        return lambda random, _: values()[random.randrange(size)]

    return Specification("random.pool", make)


FUNCTIONS: dict[str, Callable[..., Specification]] = {
    "bool": _boolean, "choice": choice, "date": _date, "datetime": _datetime, "float": _fraction, "int": _integer,
    "list": _list, "maybe": _maybe, "normal": _normal, "pool": _pool, "sample": _sample, "text": _text,
    "uuid": _identifier, "vector": _vector,
}  # fmt: skip


# ---- what needs no random numbers, and references


def _numbered(pattern: Any, start: int, step: int) -> Callable[[int], Any]:
    """Return the function from a row's number to what ``sequence`` makes in it."""
    if pattern is None:
        return lambda row: start + step * row
    found = _PATTERN.fullmatch(pattern) if isinstance(pattern, str) else None
    if found is None:
        example = "sequence('person-{}') or sequence('P{:06}')"
        raise wrong("sequence", "a text with one {} for the number", example)
    before, width, after = found.groups()
    return lambda row: f"{before}{start + step * row:{width or ''}}{after}"


def sequence(pattern: Any = None, start: Any = 1, step: Any = 1) -> Specification:
    """Return a specification that counts 1, 2, 3 …, or of a text with that number in it."""
    ok = _whole(start, step) and (not _whole(pattern) or (start, step) == (1, 1))
    _check(ok, "sequence", "whole numbers as start and step", "sequence('P{:06}', start=100)")
    at = _numbered(None, pattern, step) if _whole(pattern) else _numbered(pattern, start, step)
    return _simple("sequence", lambda _, row: at(row))


def ref(rows: Any = None, column: Any = None, skew: Any = 1, start: Any = 1) -> Specification:
    """Return a specification that refers to a row which is there before this one is.

    ``ref(n)`` and ``ref(n, 'P{:06}')`` are what ``sequence`` makes in one of n rows, ``ref(people, 'id')`` what
    a column has in a row of another block, and ``ref()`` what ``sequence()`` makes in a row above this one (null
    in the first). A ``skew`` of 2 or more prefers early rows, so that a few are referred to often.
    """
    _check(_whole(skew) and 1 <= skew <= 10, "ref", "a skew from 1 to 10", "ref(1000, skew=3)")
    _check(_whole(start), "ref", "a whole number as start", "ref(1000, start=0)")
    if isinstance(rows, GenerateSource):
        takes = "a block and the name of one of its columns"
        _check(isinstance(column, str), "ref", takes, "ref(people, 'id')")
        value, count = rows.column(str(column)), rows.size
    else:
        value = _numbered(column, start, 1)
        count = -1 if rows is None else row_count("ref", rows)

    def make(random: Random, row: int) -> Any:
        there = row if count < 0 else count
        share = place = random.random()
        for _ in range(skew - 1):  # products are the same on every machine; powers need not be
            place *= share
        return value(min(int(place * there), there - 1)) if there else None

    return _simple("ref", make)


def concat(*parts: Any) -> Specification:
    """Return a specification of the parts joined to one text; null where one is null, as in Cypher."""

    def make(key: str, columns: Columns) -> Make:
        bound = [bind(part, f"{key}\0{number}", columns) for number, part in enumerate(parts)]

        def joined(random: Random, row: int) -> str | None:
            values = [one(random, row) for one in bound]
            return None if None in values else "".join(map(str, values))

        return joined

    return Specification("concat", make)


def column(name: Any) -> Specification:
    """Return a specification of what another column of the same row has."""
    _check(isinstance(name, str), "column", "the name of a column of the same block", "column('first_name')")

    def make(_: str, columns: Columns) -> Make:
        at = columns(str(name))
        return lambda _, row: at(row)

    return Specification("column", make)


# ---- fake.*

# Methods that look at the clock: a load that is resumed later would get other rows. A test finds them.
CLOCK = re.compile(
    r"am_pm|birth_number|businesses_ogrn|credit_card_(expire|full)|curp|date.*|day_of_.*|elector_code"
    r"|(future|past)_date.*|individuals_ogrn|iso8601|minguo_year|month.*|passport_(dates|dob|full|gender)|pesel"
    r"|(simple_)?profile|py(dict|iterable|list|set|struct|tuple)|rfc|rvnr|ssn|time(_.*)?|traditional_month_name"
    r"|unix_time|year"
)


class Locale:
    """One Faker, for one language; templates reach the methods of its providers and nothing else."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._faker = _generator(name)
        self._lock = threading.Lock()
        self._methods = {
            method
            for provider in self._faker.get_providers()
            for method in dir(provider)
            if not method.startswith("_") and callable(getattr(provider, method, None))
        } - {"add_provider"}

    def member(self, name: str) -> Callable[..., Specification]:
        """Return the function that makes the specification of ``fake.<name>(…)`` (GM593)."""
        if CLOCK.fullmatch(name):
            raise _differing(name)
        if name not in self._methods:
            near = did_you_mean(name, self._methods, "methods").partition(" Known")[0]
            hint = near if near.startswith("Did") else "Faker's own documentation lists them by provider."
            if name == "unique":
                hint = "Make a text unique with its row's number: concat(fake.user_name(), sequence())"
            raise SeedFileError(f"Faker has no {name!r} ({self.name}).", hint=hint, code=BAD_SPECIFICATION)
        return lambda *arguments, **options: self._specification(name, arguments, options)

    def _specification(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Specification:
        arguments = tuple(parameter(argument) for argument in arguments)
        options = {key: parameter(option) for key, option in options.items()}
        method = getattr(self._faker, name)

        def value(random: Random, _: int) -> Any:
            with self._lock:
                self._faker.seed_instance(random.getrandbits(64))
                return plain(method(*arguments, **options))

        try:
            same = all(value(Random(seed), 0) == value(Random(seed), 0) for seed in range(4))  # noqa: S311
        except SeedFileError:
            raise
        except Exception as error:
            message = f"fake.{name} cannot be called like this: {error} ({type(error).__name__})."
            hint = "Its arguments are those of Faker's method of that name."
            raise SeedFileError(message, hint=hint, code=BAD_SPECIFICATION) from None
        if not same:
            raise _differing(name)
        return _simple(f"fake.{name}", value)


def _differing(name: str) -> SeedFileError:
    message = f"fake.{name} looks at the clock or at this machine: two runs would differ."
    hint = "Use random.date('1950-01-01', '2005-12-31'), random.datetime(…) or random.text(…)."
    return SeedFileError(message, hint=hint, code=BAD_SPECIFICATION)


def _generator(locale: str) -> Any:
    try:
        import faker  # takes half a second, and is an extra
    except ImportError:
        message = "fake.* needs the package Faker, which is not installed."
        hint = "Install it: pip install 'graphmigrate[faker]'"
        raise SeedFileError(message, hint=hint, code=BAD_SPECIFICATION) from None
    try:
        return faker.Factory.create(locale)
    except (AttributeError, ValueError):
        from faker.config import AVAILABLE_LOCALES

        known = did_you_mean(locale, AVAILABLE_LOCALES, "locales").partition(" Known")[0]
        hint = f"{known} For example: en_US, nl_NL, de_DE."
        raise SeedFileError(f"Faker has no locale {locale!r}.", hint=hint, code=BAD_SPECIFICATION) from None


def plain(value: Any) -> Any:
    """Return what Faker made as a value for Neo4j: decimal numbers become floating-point ones."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [plain(item) for item in value]
        return sorted(items, key=repr) if isinstance(value, (set, frozenset)) else items
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return parameter(value)

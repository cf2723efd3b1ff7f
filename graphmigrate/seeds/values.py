"""Values that Neo4j takes as parameters (Cypher Manual, "Values and types").

What the driver takes for each: Python Driver Manual, "Data types and mapping to Cypher types".
"""

from __future__ import annotations

import datetime
import math
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jinja2 import Undefined

from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.pieces import Text

CODE = "GM553"
MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)
MAX_LIST = 1_000_000
_TEMPORAL = (datetime.date, datetime.time, datetime.timedelta)
_DRIVER_TYPES = frozenset({"Date", "Time", "DateTime", "Duration", "Vector"})


class Offset(datetime.tzinfo):
    """A fixed offset from UTC, with the name of its region as ``key`` where it has one.

    The driver asks a zone about its own kind of dates and times. ``zoneinfo`` reads those as if they were Python's,
    which ends in a wrong offset or in a crash of the process (seen with driver 6.4.1), and ``datetime.timezone`` refuses
    times.
    """

    def __init__(self, offset: datetime.timedelta, key: str | None = None) -> None:
        self._offset = offset
        self.key = key

    def utcoffset(self, dt: object) -> datetime.timedelta:  # noqa: ARG002
        """See datetime.tzinfo."""
        return self._offset

    def dst(self, dt: object) -> None:
        """See datetime.tzinfo."""

    def tzname(self, dt: object) -> str:  # noqa: ARG002
        """See datetime.tzinfo."""
        return self.key or str(self._offset)


def with_fixed_offset(moment: datetime.datetime) -> datetime.datetime:
    """Return the same moment in the same region, in a form that the driver can send."""
    key = getattr(moment.tzinfo, "key", None)
    return moment.replace(tzinfo=Offset(moment.utcoffset() or datetime.timedelta(), key))


def parameter(value: Any) -> Any:
    """Return ``value`` as the driver takes it; raises SeedFileError (GM553) where Neo4j has no such value."""
    if isinstance(value, datetime.datetime) and isinstance(value.tzinfo, zoneinfo.ZoneInfo):
        return with_fixed_offset(value)
    if value is None or isinstance(value, (bool, float, *_TEMPORAL)) or is_driver_value(value):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, Mapping):
        return {_key(key): parameter(each) for key, each in value.items()}
    foreign = type(value).__module__.startswith("jinja2.")  # `loop` and the like are iterators too
    if isinstance(value, (Sequence, Iterator, set, frozenset)) and not foreign:
        return _items(value)
    return _unfit(value)


def is_driver_value(value: Any) -> bool:
    """Whether this is one of the driver's own types, told without importing the driver."""
    kinds = type(value).__mro__
    return any(
        kind.__module__.partition(".")[0] == "neo4j"
        and (kind.__name__ in _DRIVER_TYPES or kind.__name__ == "Point")
        for kind in kinds
    )


def _text(value: str) -> str:
    plain = str(value)
    try:
        plain.encode()
    except UnicodeEncodeError:
        raise SeedFileError(
            f"This text cannot be stored: it holds half of a character (position {_surrogate(plain)}).",
            code=CODE,
        ) from None
    return plain


def _surrogate(text: str) -> int:
    return next(index for index, character in enumerate(text, 1) if "\ud800" <= character <= "\udfff")


def _integer(value: int) -> int:
    if MIN_INTEGER <= value <= MAX_INTEGER:
        return value
    raise SeedFileError(
        f"The number {value if abs(value) < 10**40 else 'here'} is too large: Neo4j's integers have 64 bits.",
        hint="Keep it as a text or as a floating-point number.",
        code=CODE,
    )


def _key(key: Any) -> str:
    if isinstance(key, str):
        return _text(key)
    raise SeedFileError(f"A map's key must be a text, not {key!r}.", code=CODE)


def _items(value: Any) -> list[Any]:
    result: list[Any] = []
    ordered = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
    for each in ordered:
        result.append(parameter(each))
        if len(result) > MAX_LIST:
            raise SeedFileError(
                f"This list has over {MAX_LIST:,} items: too many for one parameter.",
                hint="Send them as rows: {% unwind row in … %} … {% endunwind %}",
                code=CODE,
            )
    return result


def _unfit(value: Any) -> Any:
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    if isinstance(value, Text):
        raise SeedFileError(
            "Template text cannot be part of a value.",
            hint="The result of a macro, an include or a set block is Cypher text: write it out alone.",
            code="GM575",
        )
    kind = type(value).__name__
    hint = (
        "Call it: {{ name(…) }}"
        if callable(value)
        else "Neo4j takes texts, numbers, booleans, dates, lists and maps."
    )
    raise SeedFileError(f"A {kind} cannot be a value in Neo4j.", hint=hint, code=CODE)


def literal(value: Any) -> str:
    """Write a number or boolean as Cypher text; raises SeedFileError (GM575) for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(_integer(value))
    if isinstance(value, float) and math.isfinite(value):
        return repr(float(value))
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    raise SeedFileError(
        f"'literal' takes a number or a boolean, not {_shown(value)}.",
        hint="Write {{ value }} without the filter: it becomes a parameter. Names go through 'identifier'.",
        code="GM575",
    )


def _shown(value: Any) -> str:
    return "template text" if isinstance(value, Text) else f"a {type(value).__name__}"

"""Values that Neo4j takes as parameters, and the types that texts in data files are read as.

What the driver takes: Python Driver Manual, "Data types and mapping to Cypher types".
"""

from __future__ import annotations

import datetime
import json
import math
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from graphmigrate.seeds.files import BAD_OPTION, SeedFileError, did_you_mean
from graphmigrate.settings.values import NO, YES

if TYPE_CHECKING:
    from collections.abc import Callable

    Converter = Callable[[str], Any]

CODE = "GM553"
MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)
MAX_LIST = 1_000_000
SEPARATOR = ";"
_PLAIN = (bool, float, datetime.date, datetime.time, datetime.timedelta)


class NoValue:
    """Something in a template that is no value: every operator and conversion of it raises its ``refusal``."""

    def refusal(self) -> SeedFileError:
        """Return the error that says what it is, and how it is used."""
        raise NotImplementedError

    def _refuse(self, *_: object) -> NoReturn:
        raise self.refusal()

    __hash__ = None  # type: ignore[assignment]
    __str__ = __repr__ = __format__ = __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __index__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = _refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __pow__ = __rpow__ = __neg__ = _refuse


def parameter(value: Any) -> Any:
    """Return ``value`` as the driver takes it; raise SeedFileError (GM553) where Neo4j has no such value."""
    if isinstance(value, datetime.datetime) and isinstance(value.tzinfo, zoneinfo.ZoneInfo):
        # The driver asks zones about its own kind of dates; zoneinfo answers those wrongly (driver 6.4.1).
        return value.replace(tzinfo=datetime.timezone(value.utcoffset() or datetime.timedelta()))
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, Mapping):
        return {_key(key): parameter(item) for key, item in value.items()}
    foreign = type(value).__module__.startswith("jinja2.")  # `loop` and the like are iterators too
    if isinstance(value, (Sequence, Iterator, set, frozenset)) and not foreign:
        return _items(value)
    return _unfit(value)


def _text(value: str) -> str:
    plain = str(value)
    try:
        plain.encode()
    except UnicodeEncodeError as error:
        message = f"This text cannot be stored: it holds half of a character (position {error.start + 1})."
        raise SeedFileError(message, code=CODE) from None
    return plain


def _integer(value: int) -> int:
    if MIN_INTEGER <= value <= MAX_INTEGER:
        return value
    shown = value if abs(value) < 10**40 else "here"
    message = f"The number {shown} is too large: Neo4j's integers have 64 bits."
    raise SeedFileError(message, hint="Keep it as a text or as a floating-point number.", code=CODE)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return _text(key)
    raise SeedFileError(f"A map's key must be a text, not {key!r}.", code=CODE)


def _items(value: Any) -> list[Any]:
    result: list[Any] = []
    for item in sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value:
        result.append(parameter(item))
        if len(result) > MAX_LIST:
            message = f"This list has over {MAX_LIST:,} items: too many for one parameter."
            hint = "Send them as rows: {% unwind row in … %} … {% endunwind %}"
            raise SeedFileError(message, hint=hint, code=CODE)
    return result


def _unfit(value: Any) -> Any:
    from jinja2 import Undefined

    if isinstance(value, (NoValue, Undefined)):
        str(value)  # raises what says it better
    hint = "Neo4j takes texts, numbers, booleans, dates, lists and maps."
    if callable(value):
        hint = "Call it: {{ name(…) }}"
    raise SeedFileError(f"A {type(value).__name__} cannot be a value in Neo4j.", hint=hint, code=CODE)


def literal(value: Any) -> str:
    """Return a number or boolean as Cypher text; raise SeedFileError (GM575) for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(_integer(value))
    if isinstance(value, float) and math.isfinite(value):
        return repr(float(value))
    parameter(value)
    message = f"'literal' takes a number or a boolean, not a {type(value).__name__}."
    hint = "Write {{ value }} without the filter: it becomes a parameter. Names go through 'identifier'."
    raise SeedFileError(message, hint=hint, code="GM575")


# ---- types of columns


class Unfit(ValueError):
    """A text that cannot be read as a type; the message says why."""


def converter(kind: str, separator: str = SEPARATOR, decimal: str = ".") -> Converter:
    """Return what reads a text as the type ``kind``; it raises Unfit.

    ``separator`` parts the items of a list. Raise SeedFileError (GM591) for an unknown type.
    """
    name = kind.strip().lower()
    if name.endswith("[]"):
        return _list_of(converter(name[:-2], separator, decimal), separator)
    name = _OTHER_NAMES.get(name, name)
    if name == "float" and decimal != ".":
        return _float_with(decimal)
    if name in _TYPES:
        return _TYPES[name]
    hint = f"{did_you_mean(kind, NAMES, 'types')} Other types are made in Cypher: duration(row.x), point(…)."
    raise SeedFileError(f"There is no type {kind!r}.", hint=hint, code=BAD_OPTION)


def _whole(text: str) -> int:
    try:
        number = int("" if "_" in text else text)
    except ValueError:
        raise Unfit("it is not a whole number") from None
    if MIN_INTEGER <= number <= MAX_INTEGER:
        return number
    raise Unfit("it is too large, because Neo4j's integers have 64 bits")


def _float(text: str) -> float:
    try:
        return float("" if "_" in text else text)
    except ValueError:
        raise Unfit("it is not a number") from None


def _float_with(decimal: str) -> Converter:
    def number(text: str) -> float:
        if "." in text:  # it could part thousands or a fraction
            raise Unfit(f"the decimal sign is {decimal!r}, and there is a '.'")
        return _float(text.replace(decimal, "."))

    return number


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word in YES or word in NO:
        return word in YES
    raise Unfit("it is neither true nor false")


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text.strip())
    except ValueError:
        raise Unfit("it is not written like 2024-02-29") from None


def _datetime(text: str) -> datetime.datetime:
    """Read a zoned one; without a zone it is UTC, as in Cypher's ``datetime()``."""
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        raise Unfit("it is not written like 2024-02-29T10:11:12Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def _list_of(convert: Converter, separator: str) -> Converter:
    def items(text: str) -> list[Any]:
        if not text.startswith("["):
            return [convert(item) for item in text.split(separator)]
        try:  # one in brackets is a JSON list, as many programs write them
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise Unfit("it is not a list in JSON") from None
        if None in found:
            raise Unfit("a list in Neo4j holds no nulls")
        return [convert(item if isinstance(item, str) else json.dumps(item)) for item in found]

    return items


_TYPES: dict[str, Converter] = {
    "int": _whole, "float": _float, "bool": _boolean, "string": str, "date": _date, "datetime": _datetime,
}  # fmt: skip
_OTHER_NAMES = {"integer": "int", "number": "float", "boolean": "bool", "text": "string"}
NAMES = tuple(_TYPES)

"""Texts and JSON values as Neo4j's types (Cypher Manual, "Property, structural, and constructed values").

A converter takes one value that is not null and gives what the driver takes, or raises ValueError, whose text
says what is wrong with it.
"""

from __future__ import annotations

import datetime
import json
import re
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds.errors import BAD_OPTION, SeedFileError, did_you_mean
from graphmigrate.seeds.values import MAX_INTEGER, MIN_INTEGER, Offset, with_fixed_offset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from fractions import Fraction

    Converter = Callable[[Any], Any]

SEPARATOR = ";"


class Unfit(ValueError):
    """A value that cannot be read as a type; the text says why."""


# Of what is written as one text: hostile ones would keep a pattern busy.
_LONGEST = 1_000
SPELLINGS = {
    "integer": "int", "boolean": "bool", "str": "string", "text": "string", "number": "float", "double": "float",
    "zoned datetime": "datetime", "local datetime": "localdatetime", "zoned time": "time", "local time": "localtime",
}  # fmt: skip
_TRUE = frozenset({"true", "yes", "on", "t", "y", "1"})
_FALSE = frozenset({"false", "no", "off", "f", "n", "0"})
_SRIDS = {"": 4326, "wgs-84": 4326, "wgs-84-3d": 4979, "cartesian": 7203, "cartesian-3d": 9157}
_THIRD_DIMENSION = {4326: 4979, 7203: 9157}
_COORDINATES = (("longitude", "latitude", "height"), ("x", "y", "z"))
_VECTORS = ("f32", "f64", "i8", "i16", "i32", "i64")
_POINT = re.compile(r"(?:SRID=(\d+);)?\s*+(?:POINT\s*+Z?\s*+\(([^()]*+)\)|([^()]*+))", re.IGNORECASE)
_FRACTION = re.compile(r"[.,](\d{7,})")
_ZONE = re.compile(r"(.*?)\[([\w+/-]+)\]")
_NUMBER = r"([+-]?\d+(?:[.,]\d+)?)"
_DURATION = re.compile(
    rf"([+-]?)P(?=.)(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:T(?=.)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
)


def converters(
    types: Mapping[str, str], *, separator: str = SEPARATOR, decimal: str = "."
) -> dict[str, Converter]:
    """Return the converter of each column; ``separator`` parts the items of a list (GM591 for an unknown type)."""
    return {name: converter(kind, separator, decimal) for name, kind in types.items()}


def converter(kind: str, separator: str = SEPARATOR, decimal: str = ".") -> Converter:
    """Return the converter for a type's name, such as ``int``, ``date``, ``string[]``, ``point:cartesian``."""
    name = " ".join(kind.lower().split())
    if name.endswith("[]"):
        return _list_of(converter(name[:-2].strip(), separator, decimal), separator)
    name, _, variant = SPELLINGS.get(name, name).partition(":")
    if name == "float" and decimal != ".":
        return _float_with(decimal)
    if name == "point" and variant in _SRIDS:
        return lambda value: _point(value, _SRIDS[variant])
    if name == "vector" and variant in ("", *_VECTORS):
        return _vector(variant or "f32", separator)
    if name in _SCALARS and not variant:
        return _SCALARS[name]
    raise SeedFileError(
        f"There is no type {kind!r}.", hint=did_you_mean(kind, NAMES, "types"), code=BAD_OPTION
    )


def _integer(value: Any) -> int:
    if isinstance(value, str):
        if "_" in value:
            raise Unfit("not a whole number")
        number = int(value)
    elif isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise Unfit("not a whole number")
    else:
        number = int(value)
    if MIN_INTEGER <= number <= MAX_INTEGER:
        return number
    raise Unfit("too large: Neo4j's integers have 64 bits")


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError
    if isinstance(value, str) and "_" in value:
        raise Unfit("not a number")
    return float(value)


def _float_with(decimal: str) -> Converter:
    def number(value: Any) -> float:
        if isinstance(value, str):
            if "." in value:  # whether it parts thousands or a fraction, nobody knows
                raise Unfit(f"the decimal sign is {decimal!r}, and there is a '.'")
            value = value.replace(decimal, ".")
        return _float(value)

    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise Unfit("neither true nor false")


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _text(value: Any) -> str:
    if isinstance(value, str):
        if len(value) > _LONGEST:
            raise Unfit("too long")
        return value.strip()
    if isinstance(value, (datetime.date, datetime.time)):  # YAML has dates of its own
        return value.isoformat()
    raise TypeError


def _date(value: Any) -> datetime.date:
    return datetime.date.fromisoformat(_text(value))


def _moment(text: str) -> Any:
    """Read a date and time; with more than microseconds it becomes the driver's own type."""
    return _exact(datetime.datetime.fromisoformat(text), text)


def _exact(moment: Any, text: str) -> Any:
    import neo4j.time

    long = _FRACTION.search(text) if len(text) > 15 else None
    if not long:
        return moment
    own: Any = neo4j.time.DateTime if isinstance(moment, datetime.datetime) else neo4j.time.Time
    return own.from_native(moment).replace(nanosecond=int(long[1][:9].ljust(9, "0")))


def _datetime(value: Any) -> Any:
    """Read a zoned one; without a zone it is UTC, as in Cypher's ``datetime()``."""
    text = _text(value)
    region = _ZONE.fullmatch(text) if text.endswith("]") else None
    if region:
        from zoneinfo import ZoneInfo

        moment = datetime.datetime.fromisoformat(region[1])
        try:
            zone = ZoneInfo(region[2])
        except (KeyError, OSError, ValueError):
            raise Unfit(f"there is no time zone {region[2]!r}") from None
        there = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)
        return _exact(with_fixed_offset(there), region[1])
    moment = _moment(text)
    return moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment


def _local_datetime(value: Any) -> Any:
    return _without_zone(_moment(_text(value)))


def _without_zone(moment: Any) -> Any:
    if moment.tzinfo is not None:
        raise Unfit("it has a time zone; the type for that is the one without 'local'")
    return moment


def _clock(text: str) -> Any:
    return _exact(datetime.time.fromisoformat(text), text)


def _time(value: Any) -> Any:
    time = _clock(_text(value))
    return time.replace(tzinfo=Offset(time.utcoffset() or datetime.timedelta()))


def _local_time(value: Any) -> Any:
    return _without_zone(_clock(_text(value)))


def _duration(value: Any) -> Any:
    import neo4j.time

    found = _DURATION.fullmatch(_text(value).upper())
    if not found:
        raise Unfit("not an ISO 8601 duration, such as P1Y2M3DT4H5M6.5S")
    sign = -1 if found[1] == "-" else 1
    parts = [sign * _exactly(text) if text else 0 for text in found.groups()[1:]]
    years, months, weeks, days, hours, minutes, seconds = parts
    for name, number in (("years", years), ("months", months)):
        if number.denominator > 1:
            raise Unfit(f"{name} can only be whole: they differ in length")
    days += 7 * weeks
    whole = int(days)  # what is left of a day becomes hours, as in Cypher's duration()
    seconds += 3600 * hours + 60 * minutes + 86_400 * (days - whole)
    return neo4j.time.Duration(
        months=int(12 * years + months), days=whole, nanoseconds=int(1_000_000_000 * seconds)
    )


def _exactly(text: str) -> int | Fraction:
    """Read a number without loss: binary floating point has no 0.001, and decimal contexts round."""
    from fractions import Fraction

    return Fraction(text.replace(",", ".")) if "." in text or "," in text else int(text)


def _point(value: Any, srid: int) -> Any:
    """Read ``x y`` (longitude first), ``POINT(x y)``, ``SRID=7203;POINT(x y)``, a list or a map of coordinates."""
    import neo4j.spatial

    if isinstance(value, str):
        found = _POINT.fullmatch(_text(value))
        if not found:
            raise Unfit("not a point, such as 'POINT(5.1 52.1)' or '5.1 52.1', longitude first")
        srid = int(found[1]) if found[1] else srid
        value = re.split(r"[\s,;]+", (found[2] or found[3] or "").strip())
    elif isinstance(value, dict):
        names = next((names for names in _COORDINATES if names[0] in value), ())
        if not names or not set(value) <= set(names):
            raise Unfit("not a point: a map of one has longitude and latitude, or x and y")
        srid = 7203 if names[0] == "x" and srid == 4326 else srid
        value = [value[name] for name in names if name in value]
    coordinates = [_float(each) for each in value]
    if len(coordinates) == 3:
        srid = _THIRD_DIMENSION.get(srid, srid)
    elif len(coordinates) != 2:
        raise Unfit("a point has two or three coordinates")
    if srid not in _SRIDS.values() or (srid in _THIRD_DIMENSION.values()) != (len(coordinates) == 3):
        raise Unfit(f"there is no coordinate system {srid} of {len(coordinates)} dimensions")
    geographic = srid in {4326, 4979}
    kind: Any = neo4j.spatial.WGS84Point if geographic else neo4j.spatial.CartesianPoint
    return kind(coordinates)


def _list_of(convert: Converter, separator: str) -> Converter:
    def items(value: Any) -> list[Any]:
        return [convert(each) for each in _parts(value, separator)]

    return items


def _parts(value: Any, separator: str) -> Sequence[Any]:
    """Cut a text at the separator; one in brackets is a JSON list, as many programs write them."""
    if isinstance(value, str):
        value = json.loads(value) if value.startswith("[") else value.split(separator)
    if not isinstance(value, list):
        raise Unfit("not a list")
    if any(each is None for each in value):
        raise Unfit("a list in Neo4j holds no nulls")
    return value


def _vector(kind: str, separator: str) -> Converter:
    try:
        from neo4j.vector import Vector
    except ImportError:
        raise SeedFileError(
            "The installed Neo4j driver knows no vectors.",
            hint="Use the type 'float[]', or install neo4j>=6.",
            code=BAD_OPTION,
        ) from None
    number: Converter = _float if kind.startswith("f") else _integer

    def vector(value: Any) -> Any:
        return Vector([number(each) for each in _parts(value, separator)], kind)  # type: ignore[call-overload]

    return vector


_SCALARS: dict[str, Converter] = {
    "int": _integer,
    "float": _float,
    "bool": _boolean,
    "string": _string,
    "date": _date,
    "time": _time,
    "localtime": _local_time,
    "datetime": _datetime,
    "localdatetime": _local_datetime,
    "duration": _duration,
}
NAMES = (*_SCALARS, "point", "vector")


def reason(error: Exception) -> str:
    """Say what a converter found wrong; empty where only Python's own words are known."""
    return str(error) if isinstance(error, Unfit) else ""

"""Results and errors as JSON, documented in ``docs/reference/json-output.md``."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from graphmigrate.log import printable
from graphmigrate.value import Value

if TYPE_CHECKING:
    from graphmigrate.errors import GraphMigrateError


FORMAT = 1  # of every JSON object; it rises where a field's meaning changes or a field goes


def encode(value: object, *, ascii_only: bool = False, indent: int | None = 2) -> str:
    """Return one JSON object as text."""
    return printable(json.dumps(plain(value), indent=indent, ensure_ascii=ascii_only))


def error_object(error: GraphMigrateError) -> dict[str, object]:
    """Return ``{"format", "error": {code, message, hint, place, problems}}``."""
    content = {
        "code": error.error_code,
        "message": error.message,
        "hint": error.hint,
        "place": error.place,
        "problems": error.problems,
    }
    return {"format": FORMAT, "error": content}


def plain(value: Any) -> Any:
    """Turn a result into what JSON knows.

    Times are ISO 8601, durations of ours seconds, bytes hexadecimal, numbers that JSON lacks texts; nodes,
    relationships and paths of a query are objects.
    """
    if value is None or (isinstance(value, (bool, int, str)) and not isinstance(value, Enum)):
        return value
    for kinds, translate in _TRANSLATIONS:
        if isinstance(value, kinds):
            return translate(value)
    if isinstance(value, Value):
        return {name: plain(getattr(value, name)) for name in value._fields}
    return _of_the_driver(value)


def _float(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _sequence(value: Any) -> Any:
    if hasattr(value, "srid"):  # a spatial point of the driver is a tuple too
        return {"srid": value.srid, "coordinates": [plain(each) for each in value]}
    if hasattr(value, "iso_format"):  # and so is a duration
        return value.iso_format()
    return [plain(each) for each in value]


_TRANSLATIONS: tuple[tuple[Any, Any], ...] = (
    (Enum, lambda value: value.value),
    (float, _float),
    (dict, lambda value: {str(key): plain(each) for key, each in value.items()}),
    ((list, tuple), _sequence),
    ((datetime, date, time), lambda value: value.isoformat()),
    (timedelta, lambda value: value.total_seconds()),
    (PurePath, str),
    ((bytes, bytearray), lambda value: bytes(value).hex()),
)


def _of_the_driver(value: Any) -> Any:
    """Read the driver's own types by their shape: this module must not import the driver."""
    if hasattr(value, "iso_format"):
        return value.iso_format()
    if hasattr(value, "labels"):
        return {"labels": sorted(value.labels), "properties": plain(dict(value.items()))}
    if hasattr(value, "relationships"):
        return {"nodes": plain(value.nodes), "relationships": plain(value.relationships)}
    if hasattr(value, "type") and hasattr(value, "items"):
        return {"type": value.type, "properties": plain(dict(value.items()))}
    return str(value)

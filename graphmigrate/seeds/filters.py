"""The filters and functions a template may use: a short list of harmless ones, all deterministic."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from jinja2.filters import FILTERS

from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.pieces import Text, _refuse

if TYPE_CHECKING:
    from collections.abc import Callable

# Left out on purpose: safe, escape, e, forceescape, xmlattr, tojson, urlize and striptags make or mark text;
# pprint shows internals; random differs from run to run, which would make an interrupted load resume with
# other values.
HARMLESS = (
    "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "first", "float",
    "format", "groupby", "indent", "int", "items", "join", "last", "length", "list", "lower", "map",
    "max", "min", "reject", "rejectattr", "replace", "reverse", "round", "select", "selectattr", "slice",
    "sort", "string", "sum", "title", "trim", "truncate", "unique", "upper", "wordcount",
)  # fmt: skip


def harmless_filters() -> dict[str, Callable[..., Any]]:
    """Return Jinja's own filters of the list, each made to refuse template text."""
    return {name: _values_only(FILTERS[name]) for name in HARMLESS}


def _values_only(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def checked(*arguments: Any, **options: Any) -> Any:
        for each in (*arguments, *options.values()):
            if isinstance(each, Text):
                _refuse("with a filter")(each)
        return function(*arguments, **options)

    return checked


def unknown_filter(name: str) -> SeedFileError:
    """Say why a filter is not there."""
    known = ", ".join(sorted([*HARMLESS, "identifier", "literal"]))
    return SeedFileError(f"There is no filter {name!r} in seeds.", hint=f"There are: {known}.", code="GM572")

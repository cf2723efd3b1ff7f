"""The filters and functions a template may use: a short list of harmless ones, all deterministic."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from jinja2.filters import FILTERS

from graphmigrate.seeds import row_filters
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.pieces import Text, _refuse
from graphmigrate.seeds.rows import RangeSource, RowList, Source, as_source

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
    """Give Jinja's own filters of the list, and those on rows, each refusing template text as its input."""
    own = {"where": row_filters.where, "limit": row_filters.limit}
    jinja = {name: FILTERS[name] for name in HARMLESS}
    every = {**jinja, **own, "select": _select(jinja["select"])}
    return {name: _values_only(function) for name, function in every.items()}


def _select(jinja: Callable[..., Any]) -> Callable[..., Any]:
    """Let ``select`` choose columns of rows, and items of other lists, as in Jinja."""

    @wraps(jinja)
    def select(context: Any, value: Any, /, *arguments: Any, **options: Any) -> Any:
        if isinstance(value, RowList):
            value = as_source(value)
        if isinstance(value, Source) and not isinstance(value, RangeSource):
            return row_filters.select(value, *arguments, **options)
        return jinja(context, value, *arguments, **options)

    return select


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
    known = ", ".join(sorted([*HARMLESS, "identifier", "limit", "literal", "where"]))
    return SeedFileError(f"There is no filter {name!r} in seeds.", hint=f"There are: {known}.", code="GM572")

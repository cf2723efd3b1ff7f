"""The functions and filters of a template: sources of rows, generated rows, values of the environment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

from jinja2.filters import FILTERS
from jinja2.utils import Cycler, Joiner, Namespace

from graphmigrate.seeds import randomness
from graphmigrate.seeds.csv_rows import CsvSource, Dialect
from graphmigrate.seeds.errors import (
    BAD_OPTION,
    BAD_SPECIFICATION,
    NO_VARIABLE,
    SeedFileError,
    did_you_mean,
)
from graphmigrate.seeds.generate import Generators
from graphmigrate.seeds.json_rows import JsonLinesSource, read_json, read_yaml
from graphmigrate.seeds.pieces import Text, _refuse
from graphmigrate.seeds.rows import RangeSource
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from graphmigrate.seeds.generate import Specification

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
        for value in (*arguments, *options.values()):
            if isinstance(value, Text):
                _refuse("with a filter")(value)
        return function(*arguments, **options)

    return checked


def unknown_filter(name: str) -> SeedFileError:
    """Return the error for a filter that is not there."""
    hint = did_you_mean(name, [*HARMLESS, "identifier", "literal"], "filters")
    return SeedFileError(f"There is no filter {name!r} in seeds.", hint=hint, code="GM572")


class Named(ABC):
    """Something of which a template reaches the members listed here, and nothing else."""

    @abstractmethod
    def member(self, name: str) -> Any:
        """Return the member of this name; raise SeedFileError where there is none."""


class RandomNames(Named):
    """The name ``random`` in a template."""

    def member(self, name: str) -> Any:
        """See Named."""
        if name not in randomness.FUNCTIONS:
            hint = did_you_mean(name, randomness.FUNCTIONS, "functions")
            raise SeedFileError(f"There is no random.{name}.", hint=hint, code=BAD_SPECIFICATION)
        return randomness.FUNCTIONS[name]


class FakeNames(Named):
    """The name ``fake`` in a template: ``fake.name()``, or ``fake('nl_NL').name()`` for another language."""

    def __init__(
        self, locales: Callable[[str], randomness.Locale], locale: str = randomness.DEFAULT_LOCALE
    ) -> None:
        self._locales = locales
        self._locale = locale

    def __call__(self, locale: Any) -> FakeNames:
        """Choose another language."""
        if isinstance(locale, str):
            self._locales(str(locale))
            return FakeNames(self._locales, str(locale))
        parameter(locale)
        raise SeedFileError("fake(…) takes the name of a locale, as 'nl_NL'.", code=BAD_SPECIFICATION)

    def member(self, name: str) -> Any:
        """See Named."""
        return self._locales(self._locale).member(name)


class Functions:
    """The functions of one rendering; remembers what was read, because it is part of the seed's checksum.

    ``environment`` are the variables that the configuration allows, with their values or None.
    """

    def __init__(self, root: Path, seed: str, environment: Mapping[str, str | None]) -> None:
        self._root = root
        self._environment = environment
        self._generators = Generators(seed)
        self.files: set[str] = set()
        self.variables: dict[str, str] = {}

    def by_name(self) -> dict[str, Any]:
        """Return what a template calls: functions, never classes, because a class has attributes."""
        return {
            "range": lambda *limits: RangeSource(*limits),
            "csv": self._csv,
            "jsonl": self._reading(JsonLinesSource, "jsonl", ("types", "encoding", "separator")),
            "json": self._reading(read_json, "json", ("types", "separator")),
            "yaml": self._reading(read_yaml, "yaml", ("types", "separator")),
            "generate": lambda count, /, *more, **columns: self._generators.generate(count, *more, **columns),
            "fake": FakeNames(cache(randomness.Locale)),
            "random": RandomNames(),
            "choice": randomness.choice,
            "sequence": randomness.sequence,
            "ref": randomness.ref,
            "concat": randomness.concat,
            "column": randomness.column,
            "env": self._env,
            "dict": lambda *pairs, **items: dict(*pairs, **items),
            "namespace": lambda *pairs, **items: Namespace(*pairs, **items),
            "cycler": lambda *items: Cycler(*items),
            "joiner": lambda separator=", ": Joiner(separator),
        }

    def made(self, specification: Specification) -> Any:
        """Return a value for a specification that is written out by itself, the n-th of this rendering."""
        return self._generators.made(specification)

    def _csv(self, name: Any, **options: Any) -> CsvSource:
        given = _options("csv", options, [field.name for field in fields(Dialect)])
        return CsvSource(self._root, self._file(name), Dialect(**given))

    def _reading(self, read: Callable[..., Any], function: str, known: Sequence[str]) -> Callable[..., Any]:
        return lambda name, **options: read(
            self._root, self._file(name), **_options(function, options, known)
        )

    def _file(self, name: Any) -> str:
        if not isinstance(name, str):
            parameter(name)
            raise SeedFileError(f"The name of a file is a text, not a {type(name).__name__}.", code="GM583")
        self.files.add(str(name))
        return str(name)

    def _env(self, name: Any, *default: Any) -> Any:
        """Return the value of an environment variable, where the configuration allows it (GM572)."""
        if not isinstance(name, str) or len(default) > 1:
            parameter(name)
            raise SeedFileError("env(…) takes a name, and a default.", code=NO_VARIABLE)
        if name not in self._environment:
            allowed = ", ".join(sorted(self._environment)) or "none"
            raise SeedFileError(
                f"The environment variable {str(name)!r} is not one that seeds may read.",
                hint=f'List it in the configuration: env_allowed = ["{name}"] (now: {allowed}).',
                code=NO_VARIABLE,
            )
        value = self._environment[name]
        if value is not None:
            self.variables[str(name)] = value
            return value
        if default:
            return default[0]
        raise SeedFileError(
            f"The environment variable {str(name)!r} is not set.",
            hint=f"Set it in the real environment (.env does not count here), or write a default: "
            f"env('{name}', 'default')",
            code=NO_VARIABLE,
        )


def _options(function: str, given: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known, "options")
            raise SeedFileError(f"{function}(…) has no option {name!r}.", hint=hint, code=BAD_OPTION)
    return {name: parameter(value) for name, value in given.items()}

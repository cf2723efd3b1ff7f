"""The functions of a template: sources of rows, generated rows, values of the environment."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds import randomness
from graphmigrate.seeds.csv_rows import CsvSource, Dialect
from graphmigrate.seeds.files import (
    BAD_OPTION,
    BAD_SPECIFICATION,
    NO_VARIABLE,
    OUTSIDE,
    SeedFileError,
    did_you_mean,
)
from graphmigrate.seeds.generate import Generators
from graphmigrate.seeds.rows import JsonLinesSource, RangeSource, read_json, read_yaml
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


class _Random:
    """The name ``random`` in a template."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "jinja_")):
            raise AttributeError(name)
        if name not in randomness.FUNCTIONS:
            hint = did_you_mean(name, randomness.FUNCTIONS, "functions")
            raise SeedFileError(f"There is no random.{name}.", hint=hint, code=BAD_SPECIFICATION)
        return randomness.FUNCTIONS[name]


class _Fake:
    """The name ``fake`` in a template: ``fake.name()``, or ``fake('nl_NL').name()`` for another language."""

    def __init__(self, locales: Callable[[str], randomness.Locale], locale: str) -> None:
        self._locales = locales
        self._locale = locale

    def __call__(self, locale: Any) -> _Fake:
        """Choose another language."""
        if isinstance(locale, str):
            self._locales(str(locale))
            return _Fake(self._locales, str(locale))
        parameter(locale)
        raise SeedFileError("fake(…) takes the name of a locale, as 'nl_NL'.", code=BAD_SPECIFICATION)

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "jinja_")):
            raise AttributeError(name)
        return self._locales(self._locale).member(name)


class Functions:
    """The functions of one rendering; remembers what was read, because it is part of the seed's checksum.

    ``environment`` are the variables that the configuration allows, with their values or None.
    """

    def __init__(self, root: Path, seed: str, environment: Mapping[str, str | None]) -> None:
        self._root = root
        self._environment = environment
        generators = Generators(seed)
        self._generate, self.made = generators.generate, generators.made
        self.files: set[str] = set()
        self.variables: dict[str, str] = {}

    def by_name(self) -> dict[str, Any]:
        """Return what a template calls besides Jinja's own functions."""
        return {
            "range": RangeSource,
            "csv": self._csv,
            "jsonl": self._reading(JsonLinesSource, "jsonl", ("types", "encoding", "separator")),
            "json": self._reading(read_json, "json", ("types", "separator")),
            "yaml": self._reading(read_yaml, "yaml", ("types", "separator")),
            "generate": self._generate,
            "fake": _Fake(cache(randomness.Locale), randomness.DEFAULT_LOCALE),
            "random": _Random(),
            "choice": randomness.choice,
            "sequence": randomness.sequence,
            "ref": randomness.ref,
            "concat": randomness.concat,
            "column": randomness.column,
            "env": self._env,
        }

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
            raise SeedFileError(f"The name of a file is a text, not a {type(name).__name__}.", code=OUTSIDE)
        self.files.add(str(name))
        return str(name)

    def _env(self, name: Any, *default: Any) -> Any:
        """Return the value of an environment variable, where the configuration allows it (GM572)."""
        if not isinstance(name, str) or len(default) > 1:
            parameter(name)
            raise SeedFileError("env(…) takes a name, and a default.", code=NO_VARIABLE)
        if name not in self._environment:
            allowed = ", ".join(sorted(self._environment)) or "none"
            message = f"The environment variable {str(name)!r} is not one that seeds may read."
            hint = f'List it in the configuration: env_allowed = ["{name}"] (now: {allowed}).'
            raise SeedFileError(message, hint=hint, code=NO_VARIABLE)
        value = self._environment[name]
        if value is not None:
            self.variables[str(name)] = value
            return value
        if default:
            return default[0]
        message = f"The environment variable {str(name)!r} is not set."
        hint = "Set it in the real environment (.env does not count here), or write a default:"
        raise SeedFileError(message, hint=f"{hint} env('{name}', 'default')", code=NO_VARIABLE)


def _options(function: str, given: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known, "options")
            raise SeedFileError(f"{function}(…) has no option {name!r}.", hint=hint, code=BAD_OPTION)
    return {name: parameter(value) for name, value in given.items()}

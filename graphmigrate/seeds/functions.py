"""The functions of a template: sources, generated rows, values of the environment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from jinja2.utils import Cycler, Joiner, Namespace

from graphmigrate.seeds import randomness
from graphmigrate.seeds.conversions import SEPARATOR
from graphmigrate.seeds.csv_rows import CsvSource, Dialect
from graphmigrate.seeds.errors import (
    BAD_OPTION,
    BAD_SPECIFICATION,
    NO_VARIABLE,
    SeedFileError,
    did_you_mean,
)
from graphmigrate.seeds.fakes import DEFAULT_LOCALE, Fakes, Locale
from graphmigrate.seeds.generate import Generators, ref
from graphmigrate.seeds.json_rows import JsonLinesSource, read_json, read_yaml
from graphmigrate.seeds.rows import RangeSource
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from graphmigrate.seeds.specifications import Specification


class Named(ABC):
    """Something of which a template reaches the members listed here, and nothing else."""

    @abstractmethod
    def member(self, name: str) -> Any:
        """Return the member of this name; raises SeedFileError where there is none."""


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

    def __init__(self, fakes: Fakes, locale: str = DEFAULT_LOCALE) -> None:
        self._fakes = fakes
        self._locale = locale

    def __call__(self, locale: Any) -> FakeNames:
        """Choose another language."""
        if isinstance(locale, str):
            self._fakes.locale(str(locale))
            return FakeNames(self._fakes, str(locale))
        parameter(locale)
        raise SeedFileError("fake(…) takes the name of a locale, as 'nl_NL'.", code=BAD_SPECIFICATION)

    def member(self, name: str) -> Any:
        """See Named."""
        found: Locale = self._fakes.locale(self._locale)
        return found.member(name)


class Functions:
    """The functions of one rendering; remembers what was read, because it is part of the seed's checksum.

    ``environment`` are the variables that the configuration allows, with their values or None.
    """

    def __init__(self, root: Path, seed: str, environment: Mapping[str, str | None]) -> None:
        self._root = root
        self._environment = environment
        self._generators = Generators(seed)
        self._fakes = Fakes()
        self.files: set[str] = set()
        self.variables: dict[str, str] = {}

    def by_name(self) -> dict[str, Any]:
        """Return what a template calls: functions, never classes, because a class has attributes."""
        return {
            "range": lambda *limits: RangeSource(*limits),
            "csv": self._csv,
            "jsonl": self._jsonl,
            "json": self._reading(read_json, "json"),
            "yaml": self._reading(read_yaml, "yaml"),
            "generate": lambda count, /, *more, **columns: self._generators.generate(count, *more, **columns),
            "fake": FakeNames(self._fakes),
            "random": RandomNames(),
            "choice": randomness.choice,
            "sequence": randomness.sequence,
            "ref": ref,
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
        _check_options("csv", options, Dialect.__dataclass_fields__)
        given = {key: parameter(value) for key, value in options.items()}
        return CsvSource(self._root, self._file(name), Dialect(**given))

    def _jsonl(self, name: Any, **options: Any) -> JsonLinesSource:
        _check_options("jsonl", options, ("types", "encoding", "separator"))
        given = {key: parameter(value) for key, value in options.items()}
        return JsonLinesSource(self._root, self._file(name), **given)

    def _reading(self, read: Callable[..., Any], kind: str) -> Callable[..., Any]:
        def function(name: Any, **options: Any) -> Any:
            _check_options(kind, options, ("types", "separator"))
            types = parameter(options.get("types"))
            return read(self._root, self._file(name), types, parameter(options.get("separator", SEPARATOR)))

        return function

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
            hint=f"Set it in the real environment (.env does not count here), or give a default: "
            f"env('{name}', 'default')",
            code=NO_VARIABLE,
        )


def _check_options(function: str, given: Mapping[str, Any], known: Any) -> None:
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known, "options")
            raise SeedFileError(f"{function}(…) has no option {name!r}.", hint=hint, code=BAD_OPTION)

"""The functions of a template: sources of rows, generated rows, Faker, values of the environment."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds import generate
from graphmigrate.seeds.csv_rows import CsvSource, Dialect
from graphmigrate.seeds.files import (
    BAD_OPTION,
    BAD_SPECIFICATION,
    NO_VARIABLE,
    OUTSIDE,
    SeedFileError,
    did_you_mean,
)
from graphmigrate.seeds.generate import GenerateSource, Specification, wrong
from graphmigrate.seeds.rows import JsonLinesSource, read_json, read_yaml
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

# Faker's methods that look at the clock: a load that is resumed later would get other rows. A test finds them.
CLOCK = re.compile(
    r"am_pm|birth_number|businesses_ogrn|credit_card_(expire|full)|curp|date.*|day_of_.*|elector_code"
    r"|(future|past)_date.*|individuals_ogrn|iso8601|minguo_year|month.*|passport_(dates|dob|full|gender)|pesel"
    r"|(simple_)?profile|py(dict|iterable|list|set|struct|tuple)|rfc|rvnr|ssn|time(_.*)?|traditional_month_name"
    r"|unix_time|year"
)


class Functions:
    """The functions of one rendering; remembers what was read, because it is part of the seed's checksum.

    ``environment`` are the variables that the configuration allows, with their values or None.
    """

    def __init__(self, root: Path, seed: str, environment: Mapping[str, str | None]) -> None:
        self._root = root
        self._seed = seed
        self._environment = environment
        self._blocks = 0
        self._named: set[str] = set()
        self._written: Counter[str] = Counter()
        self.files: set[str] = set()
        self.variables: dict[str, str] = {}

    def by_name(self) -> dict[str, Any]:
        """Return what a template calls besides Jinja's own functions."""
        return {
            "csv": self._csv,
            "jsonl": self._reading(JsonLinesSource, "jsonl", ("encoding",)),
            "json": self._reading(read_json, "json", ()),
            "yaml": self._reading(read_yaml, "yaml", ()),
            "generate": self._generate,
            "fake": _Fake(cache(Locale), "en_US"),
            "random": _Random(),
            "choice": generate.choice,
            "sequence": generate.sequence,
            "ref": generate.ref,
            "concat": generate.concat,
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

    def _generate(self, count: Any, /, *more: Any, **columns: Any) -> GenerateSource:
        """Return ``count`` rows; a text names the block, a map holds columns with odd names."""
        names = [given for given in more if isinstance(given, str)]
        maps = [given for given in more if isinstance(given, dict)]
        if len(names) > 1 or len(names) + len(maps) != len(more):
            raise wrong("a number of rows, a name and columns", "generate(1000, 'people', id=sequence())")
        every = {name: value for given in (*maps, columns) for name, value in given.items()}
        if not every or not all(isinstance(name, str) for name in every):
            raise wrong("at least one column", "generate(1000, id=sequence(), name=fake.name())")
        self._blocks += 1
        key = f"{self._seed}\0named\0{names[0]}" if names else f"{self._seed}\0{self._blocks}"
        if key in self._named:
            message = f"Two blocks are named {names[0]!r}: they would get the same random numbers."
            raise SeedFileError(message, hint="Give one of them another name.", code=BAD_SPECIFICATION)
        self._named.add(key)
        return GenerateSource(generate.row_count("generate", count), every, key)

    def made(self, specification: Specification) -> Any:
        """Return the value of a specification outside of any block: the next one of what has its name."""
        name = specification.name
        row = self._written[name]
        self._written[name] += 1
        return specification.make(Random(f"{self._seed}\0written\0{name}\0{row}"), row)  # noqa: S311

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


class _Random:
    """The name ``random`` in a template."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "jinja_")):
            raise AttributeError(name)
        if name not in generate.FUNCTIONS:
            hint = did_you_mean(name, generate.FUNCTIONS, "functions")
            raise SeedFileError(f"There is no random.{name}.", hint=hint, code=BAD_SPECIFICATION)
        return generate.FUNCTIONS[name]


class _Fake:
    """The name ``fake`` in a template: ``fake.name()``, or ``fake('nl_NL').name()`` for another language."""

    def __init__(self, locales: Callable[[str], Locale], locale: str) -> None:
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
        arguments, options = tuple(map(parameter, arguments)), parameter(options)
        method = getattr(self._faker, name)

        def value(random: Random, _: int) -> Any:
            with self._lock:
                self._faker.seed_instance(random.getrandbits(64))
                return _plain(method(*arguments, **options))

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
        return Specification(f"fake.{name}", value)


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


def _plain(value: Any) -> Any:
    """Return what Faker made as a value for Neo4j: decimal numbers become floating-point ones."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_plain(item) for item in value]
        return sorted(items, key=repr) if isinstance(value, (set, frozenset)) else items
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return parameter(value)

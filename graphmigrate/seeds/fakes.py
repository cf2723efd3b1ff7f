"""``fake.*``: values of Faker's providers, each drawn from random bits of its own row and column."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds.errors import BAD_SPECIFICATION, NO_FAKER, SeedFileError, did_you_mean
from graphmigrate.seeds.specifications import Specification, bits
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphmigrate.seeds.specifications import At, Columns

DEFAULT_LOCALE = "en_US"
_TRIES = 12
# What a provider must not look at, or else the next run, another machine or a resumed load would get other rows.
_OUTSIDE = frozenset(
    {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime", "urandom", "getpid", "uuid1"}
)


class RowRandom(random.Random):
    """Python's generator fed with the bits of one cell of ``generate``: starting anew costs nothing."""

    _key = 0
    _drawn = 0

    def begin(self, key: int) -> None:
        """Start with these bits."""
        self._key = key
        self._drawn = 0
        self.gauss_next = None

    def random(self) -> float:
        """See random.Random."""
        self._drawn += 1
        return (bits(self._key, self._drawn) >> 11) * 2.0**-53

    def getrandbits(self, k: int) -> int:
        """See random.Random."""
        value = 0
        for _ in range(-(-k // 64)):
            self._drawn += 1
            value = (value << 64) | bits(self._key, self._drawn)
        return value >> (-k % 64)

    def seed(self, *_: Any, **__: Any) -> None:
        """Do nothing: Faker and Python's own constructor would spend microseconds on it."""


class Locale:
    """One Faker, for one language; templates reach the methods of its providers and nothing else."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._faker = _generator(name)
        self._random = RowRandom()
        self._faker.seed_instance(0)  # else some methods ask the operating system
        self._faker.random = self._random
        self._lock = threading.Lock()
        self._methods = {
            method
            for provider in self._faker.get_providers()
            for method in dir(provider)
            if not method.startswith("_") and callable(getattr(provider, method, None))
        } - {"add_provider"}

    def member(self, name: str) -> Callable[..., Specification]:
        """Return the function that makes the specification of ``fake.<name>(…)`` (GM593)."""
        if name not in self._methods:
            near = did_you_mean(name, self._methods, "methods").partition(" Known")[0]
            hint = near if near.startswith("Did") else "Faker's own documentation lists them by provider."
            if name == "unique":
                hint = "Make a text unique with its row's number: concat(fake.user_name(), sequence())"
            raise SeedFileError(f"Faker has no {name!r} ({self.name}).", hint=hint, code=BAD_SPECIFICATION)
        return lambda *arguments, **options: self._specification(name, arguments, options)

    def _specification(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Specification:
        arguments = tuple(parameter(each) for each in arguments)
        options = {key: parameter(each) for key, each in options.items()}
        method = getattr(self._faker, name)

        def value(key: int) -> Any:
            with self._lock:
                self._random.begin(key)
                return plain(method(*arguments, **options))

        self._try(name, value)

        def make(key: int, _: Columns) -> At:
            return lambda row: value(bits(key, row))

        return Specification(f"fake.{name}", make)

    def _try(self, name: str, value: Callable[[int], Any]) -> None:
        """Call it a few times, to refuse what depends on anything but its random bits."""
        seen: set[str] = set()
        for key in range(_TRIES):
            try:
                first = _watched(lambda key=key: value(key), seen)  # type: ignore[misc]
                if not seen and first != value(key):
                    seen.add("something else")
            except SeedFileError:
                raise
            except Exception as error:
                raise SeedFileError(
                    f"fake.{name} cannot be called like this: {error} ({type(error).__name__}).",
                    hint="Its arguments are those of Faker's method of that name.",
                    code=BAD_SPECIFICATION,
                ) from None
            if seen:
                raise SeedFileError(
                    f"fake.{name} looks at the clock or at this machine ({', '.join(sorted(seen))}):"
                    " two runs would differ.",
                    hint="Say the range: random.date('1950-01-01', '2005-12-31') or random.datetime(…).",
                    code=BAD_SPECIFICATION,
                )


def _generator(locale: str) -> Any:
    try:
        import faker
    except ImportError:
        raise SeedFileError(
            "fake.* needs the package Faker, which is not installed.",
            hint="Install it: pip install 'graphmigrate[faker]'",
            code=NO_FAKER,
        ) from None
    try:
        return faker.Factory.create(locale)
    except (AttributeError, ValueError):
        known = did_you_mean(locale, _locales(), "locales").partition(" Known")[0]
        raise SeedFileError(
            f"Faker has no locale {locale!r}.",
            hint=f"{known} For example: en_US, nl_NL, de_DE.",
            code=BAD_SPECIFICATION,
        ) from None


def _locales() -> Iterator[str]:
    from faker.config import AVAILABLE_LOCALES

    return iter(AVAILABLE_LOCALES)


def _watched(call: Callable[[], Any], seen: set[str]) -> Any:
    """Call something, and note which of the clock, the machine and Python's shared generator it asks."""

    def watch(_: Any, event: str, called: Any) -> None:
        if event == "c_call":
            name = getattr(called, "__name__", "")
            shared = getattr(called, "__self__", None) is random._inst
            if name in _OUTSIDE or shared:
                seen.add(name)

    before = sys.getprofile()
    if before is not None and not callable(before):  # a profiler written in C cannot be put back
        return call()
    sys.setprofile(watch)
    try:
        return call()
    finally:
        sys.setprofile(before)


def plain(value: Any) -> Any:
    """Return what Faker made as a value for Neo4j: decimal numbers become floating-point ones."""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [plain(each) for each in value]
        return sorted(items, key=repr) if isinstance(value, (set, frozenset)) else items
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    return parameter(value)


class Fakes:
    """Every language that one rendering asks for, made once."""

    def __init__(self) -> None:
        self._locales: dict[str, Locale] = {}

    def locale(self, name: str = DEFAULT_LOCALE) -> Locale:
        """Return one language."""
        if name not in self._locales:
            self._locales[name] = Locale(name)
        return self._locales[name]

"""``generate(n, …)``: rows made up, the same on every machine, from any row on and however many there are.

What columns are made of stands in ``randomness``.
"""

from __future__ import annotations

import functools
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn

from graphmigrate.seeds.files import BAD_SPECIFICATION, SeedFileError, did_you_mean
from graphmigrate.seeds.rows import Source
from graphmigrate.seeds.values import NoValue, parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Make = Callable[[Random, int], Any]  # from random numbers and a row's number to a value
    Columns = Callable[[str], Callable[[int], Any]]

# A column's random numbers begin anew with each so many rows: a resumed load makes at most these again.
CHUNK = 1_000


class Specification(NoValue):
    """How the values of a column are made; ``bind(key, columns)`` returns the function that makes them.

    Only ``{{ … }}`` writes the next value that it makes.
    """

    def __init__(self, name: str, bind: Callable[[str, Columns], Make]) -> None:
        self.name = name
        self.bind = bind

    def refusal(self) -> SeedFileError:
        """See NoValue."""
        return SeedFileError(
            f"{self.name} makes a value for each row: it is none by itself.",
            hint="Use it as a column: generate(100, name=fake.name()), or write it out alone: {{ fake.name() }}."
            " Join texts with concat(…).",
            code=BAD_SPECIFICATION,
        )


def bind(value: Any, key: str, columns: Columns) -> Make:
    """Return what makes the values of a specification, or repeats a value that is the same in every row."""
    if isinstance(value, Specification):
        return value.bind(key, columns)
    fixed = parameter(value)
    return lambda _random, _row: fixed


def wrong(name: str, takes: str, example: str = "") -> SeedFileError:
    """Return the error for arguments that a function does not take (GM593)."""
    hint = f"For example: {example}" if example else None
    return SeedFileError(f"{name} takes {takes}.", hint=hint, code=BAD_SPECIFICATION)


class _Column:
    """The values of one column, made in chunks."""

    def __init__(self, key: str, make: Make, size: int) -> None:
        self._key = key
        self._make = make
        self._size = size
        self._chunk = functools.lru_cache(maxsize=2)(self.chunk)

    def chunk(self, number: int) -> list[Any]:
        """Return the values of the rows of a chunk."""
        random = Random(f"{self._key}\0{number}")  # noqa: S311 - made up data, the same in each run
        first = number * CHUNK
        return [self._make(random, row) for row in range(first, min(first + CHUNK, self._size))]

    def at(self, row: int) -> Any:
        """Return the value of a row."""
        return self._chunk(row // CHUNK)[row % CHUNK]

    def values(self, skip: int) -> Iterator[Any]:
        """Yield the values from a row on."""
        for number in range(skip // CHUNK, -(-self._size // CHUNK)):
            yield from self._chunk(number)[max(0, skip - number * CHUNK) :]


class GenerateSource(Source):
    """``size`` rows of these columns; ``key`` is what the random numbers depend on."""

    columns: tuple[str, ...]

    def __init__(self, size: int, columns: Mapping[str, Any], key: str) -> None:
        self.label = f"generate({size})"
        self.size: int = size
        self.columns = tuple(columns)
        self._specifications = columns
        self._key = key
        self._made: dict[str, _Column] = {}
        for name in self.columns:
            self._column(name, ())

    def column(self, name: str) -> Callable[[int], Any]:
        """Return the function from a row's number to the value of a column, which keeps what it has made."""
        chunk = functools.cache(self._column(name, ()).chunk)
        return lambda row: chunk(row // CHUNK)[row % CHUNK]

    def _column(self, name: str, path: tuple[str, ...]) -> _Column:
        if name not in self._specifications:
            hint = did_you_mean(name, self.columns, "columns")
            raise SeedFileError(f"{self.label} has no column {name!r}.", hint=hint, code=BAD_SPECIFICATION)
        if name in path:
            circle = " -> ".join([*path[path.index(name) :], name])
            raise SeedFileError(f"These columns are made of each other: {circle}.", code=BAD_SPECIFICATION)
        if name not in self._made:
            key = f"{self._key}\0{name}"
            make = bind(self._specifications[name], key, lambda other: self._column(other, (*path, name)).at)
            self._made[name] = _Column(key, make, self.size)
        return self._made[name]

    def lists(self, names: Sequence[str], skip: int = 0) -> Iterator[list[Any]]:
        """See Source; only these columns are made."""
        if not names:
            return ([] for _ in range(skip, self.size))
        return map(list, zip(*(self._made[name].values(skip) for name in names), strict=True))

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        return (dict(zip(self.columns, row, strict=True)) for row in self.lists(self.columns, skip))


class Generators:
    """What makes generated rows for one rendering; ``seed`` is the name of the seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._blocks = 0
        self._written: Counter[str] = Counter()
        self._named: set[str] = set()

    def generate(self, count: Any, /, *more: Any, **columns: Any) -> GenerateSource:
        """Return ``count`` rows; a text names the block, a map holds columns with odd names."""
        names = [given for given in more if isinstance(given, str)]
        maps = [given for given in more if isinstance(given, dict)]
        if len(names) > 1 or len(names) + len(maps) != len(more):
            example = "generate(1000, 'people', id=sequence())"
            raise wrong("generate", "a number of rows, a name and columns", example)
        every = {name: value for given in (*maps, columns) for name, value in given.items()}
        if not every or not all(isinstance(name, str) for name in every):
            raise wrong("generate", "at least one column", "generate(1000, id=sequence(), name=fake.name())")
        return GenerateSource(row_count("generate", count), every, self._key(names))

    def made(self, specification: Specification) -> Any:
        """Return the value of a specification outside of any block: the next one of what has its name."""
        name = specification.name
        row = self._written[name]
        self._written[name] += 1
        key = f"{self._seed}\0written\0{name}"
        return bind(specification, key, _no_columns)(Random(f"{key}\0{row}"), row)  # noqa: S311

    def _key(self, names: Sequence[str]) -> str:
        self._blocks += 1
        if not names:
            return f"{self._seed}\0{self._blocks}"
        if names[0] in self._named:
            message = f"Two blocks are named {names[0]!r}: they would get the same random numbers."
            raise SeedFileError(message, hint="Give one of them another name.", code=BAD_SPECIFICATION)
        self._named.add(names[0])
        return f"{self._seed}\0named\0{names[0]}"


def row_count(name: str, count: Any) -> int:
    """Return a number of rows, which may be written as 1000 * 0.5."""
    if isinstance(count, float) and count.is_integer():
        count = int(count)
    if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
        return count
    raise wrong(name, "a number of rows, from 0 upwards", f"{name}(1000)")


def _no_columns(name: str) -> NoReturn:
    raise SeedFileError(f"There is no column {name!r} outside of generate.", code=BAD_SPECIFICATION)

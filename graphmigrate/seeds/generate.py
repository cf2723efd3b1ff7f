"""``generate(n, …)``: rows made up, each a pure function of its number."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds.errors import BAD_SPECIFICATION, SeedFileError, did_you_mean
from graphmigrate.seeds.randomness import numbered
from graphmigrate.seeds.rows import Source
from graphmigrate.seeds.specifications import Specification, below, bind, key_of, unit, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from graphmigrate.seeds.specifications import At


class GenerateSource(Source):
    """``size`` rows of these columns; ``stream`` are the names that the random numbers depend on."""

    columns: tuple[str, ...]

    def __init__(self, size: int, columns: Mapping[str, Any], stream: Sequence[str]) -> None:
        self.label = f"generate({size})"
        self.size: int = size
        self.columns = tuple(columns)
        self._specifications = columns
        self._stream = stream
        for name in self.columns:
            self.at(name)  # judges the references between columns

    def at(self, name: str) -> At:
        """Return the function from a row's number to the value of a column."""
        return self._column(name, ())

    def _column(self, name: str, path: tuple[str, ...]) -> At:
        if name not in self._specifications:
            hint = did_you_mean(name, self.columns, "columns")
            raise SeedFileError(f"{self.label} has no column {name!r}.", hint=hint, code=BAD_SPECIFICATION)
        if name in path:
            circle = " -> ".join([*path[path.index(name) :], name])
            raise SeedFileError(f"These columns are made of each other: {circle}.", code=BAD_SPECIFICATION)
        key = key_of(*self._stream, name)
        return bind(self._specifications[name], key, lambda other: self._column(other, (*path, name)))

    def lists(self, names: Sequence[str], skip: int = 0) -> Iterator[list[Any]]:
        """See Source; only these columns are made."""
        if not names:
            return ([] for _ in range(skip, self.size))
        columns = [map(self.at(name), range(skip, self.size)) for name in names]
        return map(list, zip(*columns, strict=True))

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        names = self.columns
        return (dict(zip(names, row, strict=True)) for row in self.lists(names, skip))


class Generators:
    """What makes generated rows for one rendering; ``seed`` is the name of the seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._made = 0
        self._written: Counter[str] = Counter()
        self._named: set[str] = set()

    def generate(self, count: Any, /, *more: Any, **columns: Any) -> GenerateSource:
        """``count`` rows; a name gives the block random numbers of its own, a map columns with odd names."""
        if isinstance(count, float) and count.is_integer():
            count = int(count)  # 1000 * scale, where scale is 0.5
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise wrong("generate", "a number of rows, from 0 upwards", "generate(1000, id=sequence())")
        names = [each for each in more if isinstance(each, str)]
        maps = [each for each in more if isinstance(each, dict)]
        if len(names) > 1 or len(names) + len(maps) != len(more):
            raise wrong(
                "generate", "a number of rows, a name and columns", "generate(1000, 'people', id=sequence())"
            )
        every = {name: each for given in (*maps, columns) for name, each in given.items()}
        if not every or not all(isinstance(name, str) for name in every):
            raise wrong("generate", "at least one column", "generate(1000, id=sequence(), name=fake.name())")
        return GenerateSource(count, every, self._stream(names))

    def made(self, specification: Specification) -> Any:
        """Return the value of a specification outside of any block: the next row of what has its name."""
        name = specification._name
        row = self._written[name]
        self._written[name] += 1
        return bind(specification, key_of(self._seed, "written", name), _no_columns)(row)

    def _stream(self, names: Sequence[str]) -> tuple[str, ...]:
        self._made += 1
        if not names:
            return self._seed, str(self._made)
        if names[0] in self._named:
            raise SeedFileError(
                f"Two blocks are named {names[0]!r}: they would get the same random numbers.",
                hint="Give one of them another name.",
                code=BAD_SPECIFICATION,
            )
        self._named.add(names[0])
        return self._seed, "named", names[0]


def _no_columns(name: str) -> At:
    raise SeedFileError(f"There is no column {name!r} outside of generate.", code=BAD_SPECIFICATION)


def ref(rows: Any = None, column: Any = None, skew: Any = 1, start: Any = 1) -> Specification:
    """Refer to a row that is there before this one is.

    ``ref(n)`` and ``ref(n, 'P{:06}')`` say what ``sequence`` says in one of n rows, ``ref(people, 'id')`` what
    a column says in a row of another block, and ``ref()`` what ``sequence()`` says in a row above this one (null
    in the first). A ``skew`` of 2 or more prefers early rows, so that a few are referred to often.
    """
    if not isinstance(skew, int) or isinstance(skew, bool) or not 1 <= skew <= 10:
        raise wrong("ref", "a skew from 1 to 10", "ref(1000, skew=3)")
    if not isinstance(start, int) or isinstance(start, bool):
        raise wrong("ref", "a whole number as start", "ref(1000, start=0)")
    if isinstance(rows, GenerateSource):
        if not isinstance(column, str):
            raise wrong("ref", "a block and the name of one of its columns", "ref(people, 'id')")
        value, count = rows.at(str(column)), _count(rows.size)
    else:
        value, count = numbered(column, start, 1), _count(rows)
    return Specification("ref", lambda key, _: _referring(key, count, value, skew))


def _count(rows: Any) -> int | None:
    if rows is None:
        return None
    if isinstance(rows, float) and rows.is_integer():
        rows = int(rows)
    if not isinstance(rows, int) or isinstance(rows, bool) or rows < 0:
        raise wrong("ref", "a number of rows, or a block of generate", "ref(1000) or ref(people, 'id')")
    return rows


def _referring(key: int, count: int | None, value: Callable[[int], Any], skew: int) -> At:
    def at(row: int) -> Any:
        there = row if count is None else count
        if not there:
            return None
        if skew == 1:
            return value(below(key, row, there))
        share = place = unit(key, row)
        for _ in range(skew - 1):  # products are the same on every machine; powers need not be
            place *= share
        return value(min(int(place * there), there - 1))

    return at

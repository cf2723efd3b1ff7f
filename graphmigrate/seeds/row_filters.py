"""``rows | where(…)``, ``rows | select(…)``, ``rows | limit(n)``: lazy, and counted so that a load can resume."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds.errors import BAD_CHOICE, SeedFileError, did_you_mean
from graphmigrate.seeds.rows import Derived, Source, as_source
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from graphmigrate.errors import Place

    Test = Callable[[Any, Any], bool]


def _known(compare: Callable[[Any, Any], Any]) -> Test:
    """Make a comparison that null fails, as in Cypher; a text and a number are not compared in silence."""

    def test(value: Any, wanted: Any) -> bool:
        if value is None or wanted is None:
            return False
        if isinstance(value, str) != isinstance(wanted, str):
            raise TypeError(f"{value!r} and {wanted!r} are of different types")
        return bool(compare(value, wanted))

    return test


def _among(value: Any, wanted: Any) -> bool:
    equal = TESTS["="]
    return any(equal(value, each) for each in wanted)


TESTS: dict[str, Test] = {
    "=": _known(operator.eq),
    "<>": _known(operator.ne),
    "<": _known(operator.lt),
    "<=": _known(operator.le),
    ">": _known(operator.gt),
    ">=": _known(operator.ge),
    "in": _among,
    "not in": lambda value, wanted: value is not None and not _among(value, wanted),
    "contains": lambda value, wanted: value is not None and wanted in value,
    "starts with": _known(lambda value, wanted: value.startswith(wanted)),
    "ends with": _known(lambda value, wanted: value.endswith(wanted)),
    "is null": lambda value, _: value is None,
    "is not null": lambda value, _: value is not None,
}
_SPELLINGS = {"==": "=", "!=": "<>"}
_UNARY = ("is null", "is not null")


def where(rows: Any, /, *condition: Any, **equal: Any) -> Source:
    """Keep the rows that meet ``where(column, test, value)`` and every ``column=value``."""
    source = as_source(rows)
    tests = [(name, TESTS["="], parameter(value)) for name, value in equal.items()]
    tests = [(name, TESTS["is null"] if value is None else test, value) for name, test, value in tests]
    if condition:
        tests.append(_condition(condition))
    if not tests:
        raise SeedFileError(
            "'where' needs a condition.", hint="where(city='Gent') or where('age', '>=', 18)", code=BAD_CHOICE
        )
    for name, _, _ in tests:
        _check_column(source, name)
    return _Where(source, tests)


def _condition(given: Sequence[Any]) -> tuple[str, Test, Any]:
    values = [parameter(each) for each in given]
    word = " ".join(values[1].lower().split()) if len(values) > 1 and isinstance(values[1], str) else ""
    word = _SPELLINGS.get(word, word)
    if not isinstance(values[0], str) or word not in TESTS or len(values) != (2 if word in _UNARY else 3):
        raise SeedFileError(
            "'where' takes a column, a test and a value.",
            hint=f"where('age', '>=', 18). Tests: {', '.join(TESTS)}.",
            code=BAD_CHOICE,
        )
    wanted = values[2] if len(values) == 3 else None
    if word in {"in", "not in"} and not isinstance(wanted, list):
        raise SeedFileError(f"{word!r} in 'where' takes a list.", code=BAD_CHOICE)
    return values[0], TESTS[word], wanted


def select(rows: Source, /, *names: Any, **renamed: Any) -> Source:
    """Keep these columns; ``new='old'`` gives a column another name."""
    chosen = {**{name: name for name in names if isinstance(name, str)}, **renamed}
    if (
        not chosen
        or len(chosen) != len(names) + len(renamed)
        or not all(isinstance(name, str) for name in chosen.values())
    ):
        raise SeedFileError(
            "'select' takes different names of columns.",
            hint="select('id', 'name') or select('id', label='name')",
            code=BAD_CHOICE,
        )
    for name in chosen.values():
        _check_column(rows, name)
    return _Select(rows, {str(new): str(old) for new, old in chosen.items()})


def limit(rows: Any, count: Any) -> Source:
    """Keep the first rows."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        parameter(count)
        raise SeedFileError("'limit' takes a number of rows, from 0 upwards.", code=BAD_CHOICE)
    return _Limit(as_source(rows), count)


def _check_column(source: Source, name: str) -> None:
    if source.columns is not None and name not in source.columns:
        raise SeedFileError(
            f"{source.label} has no column {name!r}.",
            hint=did_you_mean(name, source.columns, "columns"),
            code=BAD_CHOICE,
        )


class _Where(Derived):
    """Rows that meet every test; a row's number counts the rows kept."""

    def __init__(self, inner: Source, tests: Sequence[tuple[str, Test, Any]]) -> None:
        super().__init__(inner)
        self.columns = inner.columns
        self._tests = tests

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        return islice((row for _, row in self._kept()), skip, None)

    def lists(self, names: Sequence[str], skip: int = 0) -> Iterator[list[Any]]:
        """See Source."""
        tested = [name for name, _, _ in self._tests]
        all_names = list(dict.fromkeys([*names, *tested]))
        tests = [(all_names.index(name), test, wanted) for name, test, wanted in self._tests]
        width = len(names)
        rows = enumerate(self._inner.lists(all_names))
        kept = (row for index, row in rows if self._meets(row, tests, index))
        narrow = kept if len(all_names) == width else (row[:width] for row in kept)
        return islice(narrow, skip, None)

    def _kept(self) -> Iterator[tuple[int, Any]]:
        for index, row in enumerate(self._inner.values()):
            if not isinstance(row, Mapping):
                raise self._inner._without_columns(row, index, [self._tests[0][0]])
            values = [row.get(name) for name, _, _ in self._tests]
            tests = [(number, test, wanted) for number, (_, test, wanted) in enumerate(self._tests)]
            if self._meets(values, tests, index):
                yield index, row

    def _meets(self, row: Sequence[Any], tests: Sequence[tuple[int, Test, Any]], index: int) -> bool:
        try:
            return all(test(row[position], wanted) for position, test, wanted in tests)
        except (TypeError, AttributeError) as error:
            raise SeedFileError(
                f"'where' cannot compare the values of row {index + 1} of {self._inner.label}: {error}.",
                hint="Columns of CSV files are texts: give them types, as types={'age': 'int'}.",
                place=self._inner.place(index),
                code=BAD_CHOICE,
            ) from None

    def place(self, index: int) -> Place | None:
        """See Source."""
        found = next(islice(self._kept(), index, None), None)
        return self._inner.place(found[0]) if found else None


class _Select(Derived):
    """Some columns, under these names."""

    def __init__(self, inner: Source, chosen: Mapping[str, str]) -> None:
        super().__init__(inner)
        self.size = inner.size
        self.columns = tuple(chosen)
        self._chosen = chosen

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        names = self.columns or ()
        return (dict(zip(names, row, strict=True)) for row in self.lists(names, skip))

    def lists(self, names: Sequence[str], skip: int = 0) -> Iterator[list[Any]]:
        """See Source."""
        return self._inner.lists([self._chosen[name] for name in names], skip)

    def place(self, index: int) -> Place | None:
        """See Source."""
        return self._inner.place(index)


class _Limit(Derived):
    """The first rows."""

    def __init__(self, inner: Source, count: int) -> None:
        super().__init__(inner)
        self.columns = inner.columns
        self._count = count
        if inner.size is not None:
            self.size = min(inner.size, count)

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        return islice(self._inner.values(skip), max(0, self._count - skip))

    def lists(self, names: Sequence[str], skip: int = 0) -> Iterator[list[Any]]:
        """See Source."""
        return islice(self._inner.lists(names, skip), max(0, self._count - skip))

    def place(self, index: int) -> Place | None:
        """See Source."""
        return self._inner.place(index)

"""Where the rows of ``{% unwind %}`` come from; every source can be read again from any row on, lazily."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds.errors import UNFIT, SeedFileError
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from graphmigrate.errors import Place


class Source(ABC):
    """Rows, read as often as needed and always the same: an interrupted load continues at a row's number.

    ``columns`` are the names a row can have, where they are known before reading; ``size`` is the number of
    rows, where that is known; ``files`` are the data files, relative to ``seeds/``, whose content is part of
    the seed's checksum.
    """

    label: str = "rows"
    columns: tuple[str, ...] | None = None
    size: int | None = None
    files: tuple[str, ...] = ()

    @abstractmethod
    def values(self, skip: int = 0) -> Iterator[Any]:
        """Yield each row, from number ``skip`` (0-based) on, as one value: a map where it has columns."""

    def lists(self, names: Sequence[str], skip: int = 0) -> Iterator[list[Any]]:
        """Yield each row as the list of these columns; what a row has not is null."""
        for index, row in enumerate(self.values(skip), skip):
            if type(row) is not dict and not isinstance(row, Mapping):
                raise self._without_columns(row, index, names)
            yield [row.get(name) for name in names]

    def __iter__(self) -> Iterator[Any]:
        raise SeedFileError(
            f"The rows of {self.label} are not read while the template is rendered.",
            hint="Use {% unwind row in … %}. What a template needs itself, json(…) and yaml(…) give.",
            code=UNFIT,
        )

    def about(self) -> int | None:
        """Say about how many rows there are, for messages; None where nobody knows."""
        return self.size

    def place(self, index: int) -> Place | None:  # noqa: ARG002 - only files have places
        """Tell where row number ``index`` stands, for messages; None where it stands in no file."""
        return None

    def _without_columns(self, row: Any, index: int, names: Sequence[str]) -> SeedFileError:
        kind = "null" if row is None else f"a {type(row).__name__}"
        used = names[0] if names else "name"
        return SeedFileError(
            f"Row {index + 1} of {self.label} is {kind}: it has no column {used!r}.",
            hint="Use the row itself, without a dot; or make every row a map.",
            place=self.place(index),
            code=UNFIT,
        )


class RowList(list[Any]):
    """A list that knows where its items stand."""

    def _source(self) -> Source:
        raise NotImplementedError


class ListSource(Source):
    """Rows that the template has as a list; checked whole, because they are in memory anyway."""

    def __init__(self, rows: Any) -> None:
        self.label = "this list"
        self._rows: list[Any] = parameter(rows)
        self.size = len(self._rows)
        if self._rows and all(isinstance(row, dict) for row in self._rows):
            self.columns = tuple(dict.fromkeys(key for row in self._rows for key in row))

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        return islice(self._rows, skip, None)


class RangeSource(Source, Sequence[int]):
    """Numbers counted, never kept: ``range(10_000_000)`` costs nothing."""

    def __init__(self, *arguments: int) -> None:
        self.label = f"range({', '.join(map(str, arguments))})"
        self._range = range(*arguments)
        self.size = len(self._range)

    def __len__(self) -> int:
        return len(self._range)

    def __iter__(self) -> Iterator[int]:
        return iter(self._range)

    def __getitem__(self, index: Any) -> Any:
        found = self._range[index]
        return RangeSource(found.start, found.stop, found.step) if isinstance(found, range) else found

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        return iter(self._range[skip:])


def as_source(rows: Any) -> Source:
    """Make a source of whatever a template gives to ``{% unwind %}`` (GM591 for what has no rows)."""
    if isinstance(rows, Source):
        return rows
    if isinstance(rows, RowList):
        return rows._source()
    if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, (Sequence, Iterator)):
        hint = "Give it a list, range(…), csv('data/x.csv'), jsonl(…) or generate(100, …)."
        if isinstance(rows, Mapping):
            hint = "For the pairs of a map write: (map | items | list)"
        parameter(rows)  # says it better where this is no value at all
        raise SeedFileError(f"There are no rows in a {type(rows).__name__}.", hint=hint, code=UNFIT)
    return ListSource(rows)

"""Where the rows of ``{% unwind %}`` come from: lists, numbers, JSON lines, JSON and YAML, read from any row on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds import yaml
from graphmigrate.seeds.files import UNFIT, SeedFileError, TextFile
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from graphmigrate.errors import Place

_IS_ARRAY = (
    "This file is one JSON array: read it with json('{}'). JSON lines have one value a line, without commas."
)


class Source:
    """Rows, read as often as needed and always the same: an interrupted load continues at a row's number.

    A source has ``values``, or ``columns`` and ``lists``: each is made of the other.

    ``columns`` are the names a row can have, where they are known before reading; ``size`` is the number of rows,
    where that is known.
    """

    label: str = "rows"
    columns: tuple[str, ...] | None = None
    size: int | None = None

    def values(self, skip: int = 0) -> Iterator[Any]:
        """Yield each row, from number ``skip`` (0-based) on, as one value: a map where it has columns."""
        names = self.columns or ()
        return (dict(zip(names, row, strict=True)) for row in self.lists(names, skip))

    def lists(self, names: Sequence[str], skip: int = 0) -> Iterator[list[Any]]:
        """Yield each row as the list of these columns; a column that a row lacks is null."""
        for index, row in enumerate(self.values(skip), skip):
            if type(row) is not dict and not isinstance(row, Mapping):
                raise self.without_columns(row, index, names)
            yield [row.get(name) for name in names]

    def __iter__(self) -> Iterator[Any]:
        raise SeedFileError(
            f"The rows of {self.label} are not read while the template is rendered.",
            hint="Use {% unwind row in … %}. A template can read json(…) and yaml(…) itself.",
            code=UNFIT,
        )

    def about(self) -> int | None:
        """Return about how many rows there are, for messages; None where that is not known."""
        return self.size

    def place(self, index: int) -> Place | None:  # noqa: ARG002 - only files have places
        """Return where row number ``index`` stands, for messages; None where it stands in no file."""
        return None

    def without_columns(self, row: Any, index: int, names: Sequence[str]) -> SeedFileError:
        """Return the error for a row that is no map where columns are used."""
        kind = "null" if row is None else f"a {type(row).__name__}"
        message = (
            f"Row {index + 1} of {self.label} is {kind}: it has no column {next(iter(names), 'name')!r}."
        )
        hint = "Use the row itself, without a dot; or make every row a map."
        return SeedFileError(message, hint=hint, place=self.place(index), code=UNFIT)


class ListSource(Source):
    """Rows that the template has as a list; checked whole, because they are in memory anyway."""

    def __init__(self, rows: Any) -> None:
        self._hold(parameter(rows), "this list")

    def _hold(self, rows: list[Any], label: str) -> None:
        self._rows = rows
        self.label = label
        self.size = len(rows)
        if rows and all(isinstance(row, dict) for row in rows):
            self.columns = tuple(dict.fromkeys(key for row in rows for key in row))

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        return islice(self._rows, skip, None)


class RangeSource(Source):
    """Numbers that are counted, never kept: ``range(10_000_000)`` costs nothing."""

    def __init__(self, numbers: range) -> None:
        self._range = numbers
        self.size = len(numbers)
        short = (numbers.start, numbers.step) == (0, 1)
        self.label = f"range({numbers.stop})" if short else repr(numbers)

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        return iter(self._range[skip:])


def as_source(rows: Any) -> Source:
    """Return a source of what a template gives to ``{% unwind %}`` (GM591 for what has no rows)."""
    if isinstance(rows, Source):
        return rows
    if isinstance(rows, RowList):
        return rows.source
    if isinstance(rows, range):
        return RangeSource(rows)
    if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, (Sequence, Iterator)):
        hint = "Use a list, range(…), csv('data/x.csv'), jsonl(…) or generate(100, …)."
        if isinstance(rows, Mapping):
            hint = "For the pairs of a map write: (map | items | list)"
        parameter(rows)  # says it better where this is no value at all
        raise SeedFileError(f"There are no rows in a {type(rows).__name__}.", hint=hint, code=UNFIT)
    return ListSource(rows)


# ---- files


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


class JsonLinesSource(Source):
    """One JSON value a line, usually an object; blank lines are skipped. A key that an object lacks is null."""

    def __init__(self, root: Path, name: str, encoding: str = "utf-8") -> None:
        self._file = TextFile(root, name, encoding)
        self.label = name

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        return (value for _, value in islice(self._numbered(), skip, None))

    def _numbered(self) -> Iterator[tuple[int, Any]]:
        for number, text in enumerate(self._file.lines(), 1):
            if not text.isspace():
                yield number, self._decode(number, text)

    def _decode(self, number: int, text: str) -> Any:
        try:
            return _DECODER.decode(text)
        except (ValueError, RecursionError) as error:
            message, (line, column) = _explained(error)
        hint = _IS_ARRAY.format(self.label) if text.startswith("[") and number == 1 else None
        end = len(text.rstrip()) + 1
        column = min(column, end) if line == 1 else end
        raise self._file.bad(f"This line is not valid JSON: {message}.", number, column, text, hint)

    def place(self, index: int) -> Place | None:
        """See Source; reads the file again up to that row."""
        line, _ = next(islice(self._numbered(), index, None), (0, None))
        return self._file.place(line, 1, self._file.line(line)) if line else None

    def about(self) -> int | None:
        """See Source."""
        return self._file.records()

    def without_columns(self, row: Any, index: int, names: Sequence[str]) -> SeedFileError:
        """See Source."""
        error = super().without_columns(row, index, names)
        if isinstance(row, list) and index == 0:
            error.hint = _IS_ARRAY.format(self.label)
        return error


class RowList(list[Any]):
    """The list that a file holds: a list for the template, and ``source`` for its rows with their places."""

    source: Source


class _HeldSource(ListSource):
    """The list that a file holds; ``places`` finds line and column of an item."""

    def __init__(self, rows: list[Any], file: TextFile, places: Callable[[int], tuple[int, int]]) -> None:
        self._file = file
        self._places = places
        self._hold(rows, file.name)

    def place(self, index: int) -> Place | None:
        """See Source; reads the file again."""
        if index >= len(self._rows):
            return None
        line, column = self._places(index)
        return self._file.place(line, column, self._file.line(line))


def read_json(root: Path, name: str) -> Any:
    """Return what a JSON file holds; raise SeedFileError (GM118) where it is not valid or above 64 MiB."""
    file = TextFile(root, name)
    text = file.whole()
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        message, (line, column) = _explained(error)
        hint = "One JSON value a line is read by jsonl(…)." if message == "Extra data" else None
        source = text.split("\n")[line - 1]
        raise file.bad(f"This is not valid JSON: {message}.", line, column, source, hint) from None
    return _held(value, file, lambda index: _place_in_array(file.whole(), index))


def _explained(error: Exception) -> tuple[str, tuple[int, int]]:
    """Return what is wrong with a JSON text, with line and column."""
    if isinstance(error, json.JSONDecodeError):
        return error.msg, (error.lineno, error.colno)
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error), (1, 1)


def _place_in_array(text: str, index: int) -> tuple[int, int]:
    position = text.index("[") + 1
    for number in range(index + 1):
        while text[position] in " \t\n,":
            position += 1
        if number < index:
            _, position = _DECODER.raw_decode(text, position)
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def read_yaml(root: Path, name: str) -> Any:
    """Return what a YAML file holds; raise SeedFileError (GM118) where it is not valid or above 1 MiB."""
    file = TextFile(root, name)
    text = file.whole(yaml.MAX_TEXT)
    try:
        document = yaml.Document(text)
        value = document.value()
    except yaml.BadYaml as error:
        source = "".join(text.split("\n")[error.line - 1 : error.line])
        raise file.bad(error.message, error.line, error.column, source, error.hint) from None
    return _held(value, file, document.items().__getitem__)


def _held(value: Any, file: TextFile, places: Callable[[int], tuple[int, int]]) -> Any:
    if not isinstance(value, list):
        return value
    rows = RowList(value)
    rows.source = _HeldSource(rows, file, places)
    return rows

"""Where the rows of ``{% unwind %}`` come from: lists, numbers, JSON lines, JSON and YAML, read from any row on."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds import yaml
from graphmigrate.seeds.files import BAD_OPTION, UNFIT, SeedFileError, TextFile
from graphmigrate.seeds.values import NAMES, SEPARATOR, Unfit, converter, parameter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from graphmigrate.errors import Place

    Types = Mapping[str, str] | None

_IS_ARRAY = (
    "This file is one JSON array: read it with json('{}'). JSON lines have one value a line, without commas."
)


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


class RowList(list[Any]):
    """The list that a file holds: a list for the template, and ``source`` for its rows with their places."""

    source: Source


class ListSource(Source):
    """Rows that the template has as a list; checked whole, because they are in memory anyway."""

    def __init__(self, rows: Any) -> None:
        self.label = "this list"
        self._rows: list[Any] = parameter(rows)
        self.size = len(self._rows)
        self.columns = columns_of(self._rows)

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        return islice(self._rows, skip, None)


def columns_of(rows: Sequence[Any]) -> tuple[str, ...] | None:
    """Return the names that the rows have where all of them are maps, else None."""
    if rows and all(isinstance(row, dict) for row in rows):
        return tuple(dict.fromkeys(key for row in rows for key in row))
    return None


class RangeSource(Source, Sequence[int]):
    """Numbers that are counted, never kept: ``range(10_000_000)`` costs nothing."""

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
    """Return a source of what a template gives to ``{% unwind %}`` (GM591 for what has no rows)."""
    if isinstance(rows, Source):
        return rows
    if isinstance(rows, RowList):
        return rows.source
    if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, (Sequence, Iterator)):
        hint = "Use a list, range(…), csv('data/x.csv'), jsonl(…) or generate(100, …)."
        if isinstance(rows, Mapping):
            hint = "For the pairs of a map write: (map | items | list)"
        parameter(rows)  # says it better where this is no value at all
        raise SeedFileError(f"There are no rows in a {type(rows).__name__}.", hint=hint, code=UNFIT)
    return ListSource(rows)


# ---- files


def check_options(types: Any, encoding: Any, separator: Any) -> None:
    """Refuse wrong values of the options that all files have (GM591)."""
    for name, value in (("encoding", encoding), ("separator", separator)):
        if not isinstance(value, str) or not value:
            raise SeedFileError(f"{name!r} must be a text, not {value!r}.", code=BAD_OPTION)
    if not isinstance(types, dict) or not are_texts([*types, *types.values()]):
        message = "'types' must be a map of columns to types, as {'size': 'int', 'at': 'datetime'}."
        raise SeedFileError(message, hint=f"Known types: {', '.join(sorted(NAMES))}.", code=BAD_OPTION)


def are_texts(values: Any) -> bool:
    """Whether this is a list of texts."""
    return isinstance(values, (list, tuple)) and all(isinstance(value, str) for value in values)


class _TypedRows(Source):
    """Rows of a file that are values already; ``types`` turns some of their columns into Neo4j's other types."""

    def __init__(self, file: TextFile, types: Types, separator: str) -> None:
        self._file = file
        self.label = file.name
        self.files = (file.name,)
        self._types = types or {}
        check_options(self._types, file.encoding, separator)
        self._converters = {name: converter(kind, separator) for name, kind in self._types.items()}

    def _raw(self) -> Iterator[Any]:
        raise NotImplementedError

    def _line_of(self, index: int) -> tuple[int, int]:
        """Return line and column of a row; (0, 0) where there is none. Only messages ask for it."""
        raise NotImplementedError

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source; columns that have a type are checked in each row."""
        rows = islice(self._raw(), skip, None)
        if not self._converters:
            return rows
        return (self._typed(index, row) for index, row in enumerate(rows, skip))

    def _typed(self, index: int, row: Any) -> dict[str, Any]:
        if not isinstance(row, dict):
            raise self.without_columns(row, index, tuple(self._types))
        typed = dict(row)
        for name, convert in self._converters.items():
            value = row.get(name)
            if value is not None:
                try:
                    typed[name] = None if value == "" else convert(value)
                except Unfit as error:
                    raise self._unreadable(index, name, value, error) from None
        return typed

    def _unreadable(self, index: int, name: str, value: Any, error: Unfit) -> SeedFileError:
        line, column = self._line_of(index)
        source = self._file.line(line)
        found = max(source.find(f"{mark}{name}{mark}:") for mark in ('"', "'", ""))
        message = f"{name!r} is {self._types[name]}, and {str(value)[:60]!r} cannot be read as that: {error}."
        hint = f"Correct the row, or the type of {name!r}."
        return self._file.bad(message, line, found + 1 if found >= 0 else column, source, hint)

    def place(self, index: int) -> Place | None:
        """See Source; reads the file again up to that row."""
        line, column = self._line_of(index)
        return self._file.place(line, column, self._file.line(line)) if line else None


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


class JsonLinesSource(_TypedRows):
    """One JSON value a line, usually an object; blank lines are skipped. A key that an object lacks is null."""

    def __init__(
        self, root: Path, name: str, types: Types = None, encoding: str = "utf-8", separator: str = SEPARATOR
    ) -> None:
        super().__init__(TextFile(root, name, encoding), types, separator)

    def _raw(self) -> Iterator[Any]:
        return (value for _, value in self._numbered())

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

    def _line_of(self, index: int) -> tuple[int, int]:
        found = next(islice(self._numbered(), index, None), None)
        return (found[0], 1) if found else (0, 0)

    def about(self) -> int | None:
        """See Source."""
        return self._file.records()

    def without_columns(self, row: Any, index: int, names: Sequence[str]) -> SeedFileError:
        """See Source."""
        error = super().without_columns(row, index, names)
        if isinstance(row, list) and index == 0:
            error.hint = _IS_ARRAY.format(self.label)
        return error


class _HeldSource(_TypedRows):
    """The list that a file holds; ``places`` finds line and column of an item."""

    def __init__(
        self,
        rows: Sequence[Any],
        file: TextFile,
        types: Types,
        separator: str,
        places: Callable[[int], tuple[int, int]],
    ) -> None:
        super().__init__(file, types, separator)
        self._rows = rows
        self._places = places
        self.size = len(rows)
        self.columns = columns_of(rows)

    def _raw(self) -> Iterator[Any]:
        return iter(self._rows)

    def _line_of(self, index: int) -> tuple[int, int]:
        return self._places(index) if index < len(self._rows) else (0, 0)


def read_json(root: Path, name: str, types: Types = None, separator: str = SEPARATOR) -> Any:
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
    return _held(value, file, types, separator, lambda index: _place_in_array(file.whole(), index))


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


def read_yaml(root: Path, name: str, types: Types = None, separator: str = SEPARATOR) -> Any:
    """Return what a YAML file holds; raise SeedFileError (GM118) where it is not valid or above 1 MiB."""
    file = TextFile(root, name)
    text = file.whole(yaml.MAX_TEXT)
    try:
        document = yaml.Document(text)
        value = document.value()
    except yaml.BadYaml as error:
        source = "".join(text.split("\n")[error.line - 1 : error.line])
        raise file.bad(error.message, error.line, error.column, source, error.hint) from None
    return _held(value, file, types, separator, document.items().__getitem__)


def _held(
    value: Any, file: TextFile, types: Types, separator: str, places: Callable[[int], tuple[int, int]]
) -> Any:
    if isinstance(value, list):
        rows = RowList(value)
        rows.source = _HeldSource(rows, file, types, separator, places)
        return rows
    if types:
        message = f"{file.name} holds no list of rows, so 'types' has nothing to work on."
        raise SeedFileError(message, hint="Make the file a list of maps.", place=file.place(1), code=UNFIT)
    return value

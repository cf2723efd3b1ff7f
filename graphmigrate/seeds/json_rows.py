"""Rows from JSON lines, which stream, and from JSON and YAML files, which are held whole."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds import yaml
from graphmigrate.seeds.csv_rows import check_options
from graphmigrate.seeds.errors import UNFIT, SeedFileError
from graphmigrate.seeds.rows import FileSource, RowList, TextFile, columns_of
from graphmigrate.seeds.values import SEPARATOR, Unfit, converter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from graphmigrate.errors import Place

    Types = Mapping[str, str] | None

_IS_ARRAY = (
    "This file is one JSON array: read it with json('{}'). JSON lines have one value a line, without commas."
)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


class _TypedRows(FileSource):
    """Rows that are values already; ``types`` turns some of their columns into Neo4j's other types."""

    def __init__(self, file: TextFile, types: Types, separator: str) -> None:
        super().__init__(file)
        self._types = types or {}
        check_options(self._types, file.encoding, separator)
        self._converters = {name: converter(kind, separator) for name, kind in self._types.items()}

    def _raw(self) -> Iterator[Any]:
        raise NotImplementedError

    def _line_of(self, index: int) -> tuple[int, int]:
        """Return line and column of a row; (0, 0) where there is none. Only messages ask for it."""
        raise NotImplementedError

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
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
        return self._file.bad(
            f"{name!r} is {self._types[name]}, and {str(value)[:60]!r} cannot be read as that: {error}.",
            line,
            found + 1 if found >= 0 else column,
            source,
            f"Correct the row, or the type of {name!r}.",
        )

    def place(self, index: int) -> Place | None:
        """See Source; reads the file again up to that row."""
        line, column = self._line_of(index)
        return self._file.place(line, column, self._file.line(line)) if line else None


class JsonLinesSource(_TypedRows):
    """One JSON value a line, usually an object; blank lines are skipped. A key that an object lacks is null."""

    def __init__(
        self,
        root: Path,
        name: str,
        types: Types = None,
        encoding: str = "utf-8",
        separator: str = SEPARATOR,
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

    def without_columns(self, row: Any, index: int, names: Sequence[str]) -> SeedFileError:
        """See Source."""
        error = super().without_columns(row, index, names)
        if isinstance(row, list) and index == 0:
            error.hint = _IS_ARRAY.format(self.label)
        return error


class _WholeSource(_TypedRows):
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
        rows.source = _WholeSource(rows, file, types, separator, places)
        return rows
    if types:
        raise SeedFileError(
            f"{file.name} holds no list of rows, so 'types' has nothing to work on.",
            hint="Make the file a list of maps.",
            place=file.place(1),
            code=UNFIT,
        )
    return value

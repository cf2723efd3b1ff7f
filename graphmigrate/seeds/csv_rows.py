"""Rows from CSV files: read by Python's C reader; only typed columns cost a call for each cell."""

from __future__ import annotations

import csv
import operator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds.conversions import NAMES, SEPARATOR, converters, reason
from graphmigrate.seeds.data import MAX_LINE, FileSource, TextFile, lines_of, open_data
from graphmigrate.seeds.errors import BAD_OPTION, SeedFileError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from graphmigrate.errors import Place
    from graphmigrate.seeds.conversions import Converter


_OPTIONS = (
    "Options of csv(…), with their defaults: delimiter=',', quote='\"' (none: no quoting), escape=none, "
    "header=true (or false, or ['id', 'name']), types={}, encoding='utf-8', null=[''], separator=';', decimal='.'."
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written.

    ``header`` is True (the first line names the columns), False (they are column1, column2 …) or the names;
    ``null`` are the texts that mean null; ``separator`` parts the items of a list, ``decimal`` a fraction.
    """

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    header: bool | Sequence[str] = True
    types: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    null: Sequence[str] = ("",)
    separator: str = SEPARATOR
    decimal: str = "."

    def check(self) -> None:
        """Refuse what the reader would not understand (GM591)."""
        for name in ("delimiter", "quote", "escape", "decimal"):
            value = getattr(self, name)
            if value is None and name in {"quote", "escape"}:
                continue
            if not isinstance(value, str) or len(value) != 1 or value in "\r\n\0":
                raise _option(f"{name!r} must be one character, not {value!r}.")
        marks = [each for each in (self.delimiter, self.quote, self.escape) if each is not None]
        if len(set(marks)) < len(marks) or " " in marks[1:]:
            raise _option("'delimiter', 'quote' and 'escape' must differ, and only the first may be a space.")
        if not isinstance(self.separator, str) or not self.separator:
            raise _option(f"'separator' must be a text, not {self.separator!r}.")
        if not isinstance(self.encoding, str):
            raise _option(f"'encoding' must be a text, not {self.encoding!r}.")
        check_types(self.types)
        for name in ("null", "header"):
            value = getattr(self, name)
            if not (isinstance(value, bool) and name == "header") and not _are_texts(value):
                raise _option(f"{name!r} must be a list of texts, not {value!r}.")

    def reader(self, lines: Iterator[str]) -> Any:
        """Return the reader of these lines."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            quoting=csv.QUOTE_NONE if self.quote is None else csv.QUOTE_MINIMAL,
            strict=True,
        )


def check_types(types: Any) -> None:
    """Refuse anything but a map of column names to names of types (GM591)."""
    if not isinstance(types, dict) or not _are_texts([*types, *types.values()]):
        message = "'types' must be a map of columns to types, as {'size': 'int', 'at': 'datetime'}."
        raise _option(message, f"Known types: {', '.join(sorted(NAMES))}.")


def _are_texts(values: Any) -> bool:
    return isinstance(values, (list, tuple)) and all(isinstance(each, str) for each in values)


def _option(message: str, hint: str = _OPTIONS) -> SeedFileError:
    return SeedFileError(message, hint=hint, code=BAD_OPTION)


class CsvSource(FileSource):
    """Comma-separated values; without types, values are texts and an empty field is null."""

    def __init__(self, root: Path, name: str, dialect: Dialect | None = None) -> None:
        self._dialect = dialect or Dialect()
        self._dialect.check()
        super().__init__(TextFile(root, name, self._dialect.encoding))
        csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))
        self.columns: tuple[str, ...] = self._named()
        types = self._dialect.types
        for column in types:
            if column not in self.columns:
                hint = did_you_mean(column, self.columns, "columns")
                raise SeedFileError(f"{name} has no column {column!r}.", hint=hint, code=BAD_OPTION)
        self._converters = converters(types, separator=self._dialect.separator, decimal=self._dialect.decimal)
        self._null = frozenset(self._dialect.null)

    def _named(self) -> tuple[str, ...]:
        header = self._dialect.header
        if isinstance(header, (list, tuple)):
            _check_names(self._file, header, None)
            return tuple(header)
        with open_data(self._file.root, self._file.name) as stream:
            line, fields = next(_records(self._file, self._dialect, stream), (0, []))
        if header is False:
            return tuple(f"column{number}" for number in range(1, len(fields) + 1))
        if not line:
            hint = "Its first line names the columns; where it has no header, say header=False."
            raise self._file.bad("This file is empty: it has not even a header.", 1, 1, "", hint)
        _check_names(self._file, fields, (line, self._dialect))
        return tuple(fields)

    def lists(self, names: Sequence[str], skip: int = 0) -> Iterator[list[Any]]:
        """See Source."""
        positions = [self.columns.index(name) for name in names]
        pick = _picker(positions, len(self.columns))
        convert = [
            (place, self._converters[name]) for place, name in enumerate(names) if name in self._converters
        ]
        rows = self._fields(skip)
        picked: Iterator[list[Any]] = map(pick, rows) if pick else rows
        if not convert:
            return self._without_nulls(picked)
        return self._converted(picked, convert, positions, skip)

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        names = self.columns
        return (dict(zip(names, row, strict=True)) for row in self.lists(names, skip))

    def _fields(self, skip: int) -> Iterator[list[str]]:
        """Yield the fields of each record; what is skipped is not looked at."""
        width = len(self.columns)
        with open_data(self._file.root, self._file.name) as stream:
            index = skip
            lines, left = self._past(self._file.blocks(stream), skip + (self._dialect.header is True))
            rows = filter(None, self._dialect.reader(lines))  # a blank line is an empty list
            try:
                for fields in islice(rows, left, None):
                    if len(fields) != width:
                        break
                    yield fields
                    index += 1
                else:
                    return
            except csv.Error as error:
                raise self._broken(error) from None
        raise self._wrong_width(index)

    def _past(self, blocks: Iterator[str], count: int) -> tuple[Iterator[str], int]:
        """Leave out blocks of lines that are sure to be one record each; gives the rest, and the records to skip there."""
        marks = [mark for mark in (self._dialect.quote, self._dialect.escape) if mark is not None]
        for block in blocks:
            records = block.count("\n")
            plain = not any(mark in block for mark in (*marks, "\n\n", "\n\r")) and block[0] not in "\r\n"
            if not plain or records > count or not block.endswith("\n"):
                return lines_of(chain((block,), blocks)), count
            count -= records
        return iter(()), 0

    def _without_nulls(self, rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
        null = self._null
        if null == {""}:
            return ([value or None for value in row] if "" in row else row for row in rows)
        if not null:
            return rows
        return ([None if value in null else value for value in row] for row in rows)

    def _converted(
        self,
        rows: Iterator[list[Any]],
        convert: list[tuple[int, Converter]],
        positions: Sequence[int],
        index: int,
    ) -> Iterator[list[Any]]:
        typed = {place for place, _ in convert}
        null = self._null | {""}
        plain = [place for place in range(len(positions)) if place not in typed]
        empties = self._null
        for row in rows:
            for place, function in convert:
                value = row[place]
                try:
                    row[place] = None if value in null else function(value)
                except (ValueError, TypeError, OverflowError, RecursionError) as error:
                    raise self._unreadable(index, positions[place], value, error) from None
            for place in plain:
                if row[place] in empties:
                    row[place] = None
            index += 1
            yield row

    # What follows is for messages: it reads the file again.

    def _record(self, index: int) -> tuple[int, list[str]]:
        with open_data(self._file.root, self._file.name) as stream:
            records = _records(self._file, self._dialect, stream)
            return next(islice(records, index + (self._dialect.header is True), None), (0, []))

    def place(self, index: int) -> Place | None:
        """See Source."""
        line, _ = self._record(index)
        return self._file.place(line, 1, self._file.line(line)) if line else None

    def _broken(self, error: csv.Error) -> SeedFileError:
        """Find where the record begins that the reader cannot make sense of."""
        end = 0
        with open_data(self._file.root, self._file.name) as stream:
            reader = self._dialect.reader(self._file.lines(stream))
            try:
                for _ in reader:
                    end = reader.line_num
            except csv.Error:
                pass
        reasons = {
            "unexpected end of data": "a quote is not closed",
            "new-line character seen": "there is a carriage return outside quotes",
        }
        text = next((reasons[each] for each in reasons if str(error).startswith(each)), str(error))
        hint = "A quote inside a quoted field is doubled, and every quoted field is closed."
        return self._file.bad(f"This is not valid CSV: {text}.", end + 1, 1, self._file.line(end + 1), hint)

    def _wrong_width(self, index: int) -> SeedFileError:
        line, fields = self._record(index)
        width = len(self.columns)
        line, column, source = _field_place(self._file, self._dialect, line, min(len(fields), width))
        against = "the header" if self._dialect.header is True else "there should be"
        hint = "Quote a field that holds the delimiter or a line break."
        return self._file.bad(
            f"This row has {len(fields)} fields, {against} {width}.", line, column, source, hint
        )

    def _unreadable(self, index: int, position: int, value: str, error: Exception) -> SeedFileError:
        line, column, source = _field_place(self._file, self._dialect, self._record(index)[0], position)
        name = self.columns[position]
        why = reason(error)
        message = f"{name!r} is {self._dialect.types[name]}, and {value[:60]!r} cannot be read as that"
        return self._file.bad(
            f"{message}: {why}." if why else f"{message}.",
            line,
            column,
            source,
            f"Fix the row, or the type of {name!r}; texts that mean null are listed by null=['', 'NA'].",
        )


def _records(file: TextFile, dialect: Dialect, stream: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank with the line it begins at."""
    reader = dialect.reader(file.lines(stream))
    before = 0
    try:
        for fields in reader:
            if fields:
                yield before + 1, fields
            before = reader.line_num
    except csv.Error as error:
        raise file.bad(f"This is not valid CSV: {error}.", before + 1, 1, file.line(before + 1)) from None


def _check_names(file: TextFile, names: Sequence[str], line: tuple[int, Dialect] | None) -> None:
    for position, column in enumerate(names):
        if column.strip() and column not in names[:position]:
            continue
        what = f"stands here twice: {column!r}" if column.strip() else "has no name"
        message = f"Column {position + 1} of the header {what}."
        if line is None:
            raise _option(message)
        raise file.bad(message, *_field_place(file, line[1], line[0], position))


def _picker(positions: list[int], width: int) -> Callable[[list[str]], list[Any]] | None:
    """Return what picks these fields of a record, as a list; None where they are all, in order."""
    if positions == list(range(width)):
        return None
    if len(positions) == 1:
        only = positions[0]
        return lambda fields: [fields[only]]
    if not positions:
        return lambda _: []
    pick = operator.itemgetter(*positions)
    return lambda fields: list(pick(fields))


def _field_place(file: TextFile, dialect: Dialect, line: int, position: int) -> tuple[int, int, str]:
    """Find where a field begins, in the record that begins at ``line``: its line, column and source line."""
    with open_data(file.root, file.name) as stream:
        starts = _starts(islice(file.lines(stream), line - 1, None), dialect)
        down, column = next(islice(starts, position, None))
    return line + down, column, file.line(line + down)


def _starts(lines: Iterator[str], dialect: Dialect) -> Iterator[tuple[int, int]]:
    """Yield the line (from 0) and column (from 1) where each field of a record begins, and then where it ends.

    As in the csv module, a quote opens only where a field begins, or after one that closed: it is doubled then.
    """
    number, text = 0, ""
    quoted = escaped = False
    opens = True
    yield 0, 1
    for number, text in enumerate(lines):
        for index, character in enumerate(text, 1):
            could, opens = opens, False
            if escaped:
                escaped = False
            elif character == dialect.escape:
                escaped = True
            elif character == dialect.quote:
                quoted, opens = could and not quoted, quoted
            elif character == dialect.delimiter and not quoted:
                opens = True
                yield number, index + 1
            elif character in "\r\n" and not quoted:
                yield number, index
                return
    yield number, len(text) + 1

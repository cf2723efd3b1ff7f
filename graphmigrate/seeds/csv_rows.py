"""Rows from CSV files, read by Python's ``csv`` from a stream of lines."""

from __future__ import annotations

import csv
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds.files import BAD_OPTION, MAX_LINE, SeedFileError, TextFile, no_column
from graphmigrate.seeds.rows import Source
from graphmigrate.seeds.values import NAMES, SEPARATOR, Unfit, converter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from graphmigrate.errors import Place

_OPTIONS = (
    "Options of csv(…), with their defaults: delimiter=',', quote='\"' (none: no quoting), escape=none, "
    "header=true (or false, or ['id', 'name']), types={}, encoding='utf-8', null=[''], separator=';', decimal='.'."
)
_DELIMITERS = {";": ";", "\t": "\\t", "|": "|"}


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
        marks = [mark for mark in (self.delimiter, self.quote, self.escape) if mark is not None]
        if len(set(marks)) < len(marks) or " " in marks[1:]:
            raise _option("'delimiter', 'quote' and 'escape' must differ, and only the first may be a space.")
        for name in ("null", "header"):
            value = getattr(self, name)
            if not (isinstance(value, bool) and name == "header") and not _are_texts(value):
                raise _option(f"{name!r} must be a list of texts, not {value!r}.")
        if not isinstance(self.separator, str) or not self.separator:
            raise _option(f"'separator' must be a text, not {self.separator!r}.")
        if not isinstance(self.types, dict) or not _are_texts([*self.types, *self.types.values()]):
            message = "'types' must be a map of columns to types, as {'size': 'int', 'at': 'datetime'}."
            raise SeedFileError(message, hint=f"Known types: {', '.join(NAMES)}.", code=BAD_OPTION)

    def reader(self, lines: Iterable[str], *, strict: bool = True) -> Any:
        """Return the reader of these lines."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            quoting=csv.QUOTE_NONE if self.quote is None else csv.QUOTE_MINIMAL,
            strict=strict,
        )


def _are_texts(values: Any) -> bool:
    return isinstance(values, (list, tuple)) and all(isinstance(value, str) for value in values)


def _option(message: str) -> SeedFileError:
    return SeedFileError(message, hint=_OPTIONS, code=BAD_OPTION)


class CsvSource(Source):
    """Comma-separated values; without types, values are texts and an empty field is null."""

    columns: tuple[str, ...]

    def __init__(self, root: Path, name: str, dialect: Dialect | None = None) -> None:
        self._dialect = dialect or Dialect()
        self._dialect.check()
        self._file = TextFile(root, name, self._dialect.encoding)
        self.label = name
        csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))
        self._header_rows = int(self._dialect.header is True)
        self.columns = self._named()
        for column in self._dialect.types:
            if column not in self.columns:
                raise no_column(name, column, self.columns, BAD_OPTION)
        self._typed = [
            (self.columns.index(column), converter(kind, self._dialect.separator, self._dialect.decimal))
            for column, kind in self._dialect.types.items()
        ]

    # ---- rows

    def lists(self, names: Sequence[str], skip: int = 0) -> Iterator[list[Any]]:
        """See Source; columns that have a type are checked, also where they are not among ``names``."""
        positions = [self.columns.index(name) for name in names]
        null = frozenset(self._dialect.null)
        null_of_typed = null | {""}
        texts = set(positions).difference(position for position, _ in self._typed)
        same = positions == list(range(len(self.columns)))
        width = len(self.columns)
        for line, row in islice(self._records(), skip + self._header_rows, None):
            if len(row) != width:
                raise self._wrong_width(line, len(row))
            has_null = not null.isdisjoint(row)
            for position, convert in self._typed:
                text = row[position]
                try:
                    row[position] = None if text in null_of_typed else convert(text)
                except Unfit as error:
                    raise self._unreadable(line, position, text, error) from None
            for position in texts if has_null else ():
                if row[position] in null:
                    row[position] = None
            yield row if same else [row[position] for position in positions]

    def about(self) -> int | None:
        """See Source."""
        quote = self._dialect.quote
        return max(self._file.records(quote.encode() if quote else None) - self._header_rows, 0)

    def place(self, index: int) -> Place | None:
        """See Source; reads the file again up to that row, which only messages do."""
        line, _ = next(islice(self._records(), index + self._header_rows, None), (0, []))
        return self._file.place(line, 1, self._file.line(line)) if line else None

    def _records(self) -> Iterator[tuple[int, list[Any]]]:
        """Yield each record that is not blank, with the number of its first line."""
        reader = self._dialect.reader(self._file.lines())
        before = 0
        try:
            for fields in reader:
                if fields:
                    yield before + 1, fields
                before = reader.line_num
        except csv.Error as error:
            raise self._broken(before + 1, f"{error}") from None

    # ---- the header

    def _named(self) -> tuple[str, ...]:
        header = self._dialect.header
        if isinstance(header, (list, tuple)):
            return self._checked(header, 0)
        line, fields = next(self._records(), (0, []))
        if header is False:
            return tuple(f"column{number}" for number in range(1, len(fields) + 1))
        if not line:
            hint = "Its first line names the columns; where it has no header, write header=False."
            raise self._file.bad("This file is empty: it has not even a header.", 1, hint=hint)
        if "\0" in fields[0]:
            hint = "Save it as UTF-8, or write encoding='utf-16-le'."
            raise self._file.bad("This file is not UTF-8; it looks like UTF-16.", line, hint=hint)
        self._check_delimiter(line, fields)
        return self._checked([name.strip() for name in fields], line)

    def _check_delimiter(self, line: int, fields: Sequence[str]) -> None:
        """Refuse a header of one column in which another delimiter stands."""
        found = [mark for mark in _DELIMITERS if len(fields) == 1 and mark in fields[0]]
        source = self._file.line(line) if found else ""
        if not found or source.startswith(self._dialect.quote or "\0"):
            return
        mark = _DELIMITERS[found[0]]
        message = f"The header is one column, {fields[0][:60]!r}."
        hint = f"The delimiter seems to be '{mark}', not {self._dialect.delimiter!r}:"
        hint += f" write csv('{self.label}', delimiter='{mark}')."
        raise self._file.bad(message, line, fields[0].index(found[0]) + 1, source, hint)

    def _checked(self, names: Sequence[str], line: int) -> tuple[str, ...]:
        for position, name in enumerate(names):
            if name.strip() and name not in names[:position]:
                continue
            what = f"is named {name!r}, and so is another one" if name.strip() else "has no name"
            message = f"Column {position + 1} of the header {what}."
            if not line:
                raise _option(message)
            hint = "Name it in the file, or name all columns: remove the header and write header=['id', …]."
            raise self._file.bad(message, *self._field_place(line, position), hint)
        return tuple(names)

    # ---- errors; they read the file again

    def _broken(self, line: int, text: str) -> SeedFileError:
        if text.startswith(("unexpected end of data", "field larger than")):
            text = "a quote is not closed"
        hint = "A quote inside a quoted field is doubled, and every quoted field is closed."
        return self._file.bad(f"This is not valid CSV: {text}.", line, 1, self._file.line(line), hint)

    def _wrong_width(self, line: int, found: int) -> SeedFileError:
        width = len(self.columns)
        wanted = "the header has" if self._header_rows else "there should be"
        hint = 'Quote a field that holds the delimiter or a line break: "a, b".'
        if found < width:
            hint = f"Write the missing field{'s' if width - found > 1 else ''}; an empty one is null: a,,c."
        fields = f"{found} field{'s' if found > 1 else ''}"
        where = self._field_place(line, min(found, width))
        return self._file.bad(f"This row has {fields}, {wanted} {width}.", *where, hint)

    def _unreadable(self, line: int, position: int, value: str, error: Unfit) -> SeedFileError:
        name = self.columns[position]
        message = (
            f"{name!r} is {self._dialect.types[name]}, and {value[:60]!r} cannot be read as that: {error}."
        )
        hint = (
            f"Correct the row, or the type of {name!r}; texts that mean null are listed by null=['', 'NA']."
        )
        return self._file.bad(message, *self._field_place(line, position), hint)

    def _field_place(self, line: int, position: int) -> tuple[int, int, str]:
        """Return line, column and source line of a field of the record that begins at ``line``, or of the record's end."""
        lines = islice(self._file.lines(), line - 1, None)
        reader = self._dialect.reader(lines)
        next(reader)
        text = "".join(islice(self._file.lines(), line - 1, line - 1 + reader.line_num)).removesuffix("\n")

        def fields(length: int) -> int:
            part = (f"{each}\n" for each in text[:length].split("\n"))
            return len(next(self._dialect.reader(part, strict=False)))

        end = bisect_left(range(len(text)), position + 1, key=fields) if position else 0
        down = text.count("\n", 0, end)
        return line + down, end - text.rfind("\n", 0, end), self._file.line(line + down)

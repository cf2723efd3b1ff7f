"""Rows from files under ``seeds/``: read line by line; every error names file, line and column."""

from __future__ import annotations

import csv
import hashlib
import json
import operator
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphmigrate.errors import Place
from graphmigrate.seeding.paths import open_inside
from graphmigrate.seeding.problems import SeedFileError
from graphmigrate.seeding.sources import BAD_ROW, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

# A quote that is never closed would otherwise read the rest of the file into one field.
MAX_FIELD = 16 * 1024 * 1024
_CHUNK = 1 << 20
_BOM = b"\xef\xbb\xbf"


def file_checksum(root: Path, name: str) -> str:
    """SHA-256 over a data file as ``folder.normalise`` reads it, in pieces."""
    digest = hashlib.sha256()
    with open_inside(root, name) as stream:
        held = stream.read(len(_BOM)).removeprefix(_BOM)
        while piece := stream.read(_CHUNK):
            piece = held + piece
            held = b"\r" if piece.endswith(b"\r") else b""  # its LF may be in the next piece
            digest.update(piece.removesuffix(held).replace(b"\r\n", b"\n"))
        digest.update(held.replace(b"\r\n", b"\n"))
    return digest.hexdigest()


class _FileSource(Source):
    """A file below ``root``; ``shown`` is its path for messages."""

    def __init__(self, root: Path, name: str) -> None:
        self._root = root
        self._name = name
        self.shown = str(root / name)
        self.label = name
        self.files = (name,)

    def _lines(self, stream: BinaryIO) -> Iterator[str]:
        """Decode line by line, so that a bad byte has a line and a column."""
        for number, line in enumerate(stream, 1):
            if len(line) > MAX_FIELD:
                raise self._bad(f"This line has over {MAX_FIELD >> 20} MiB.", number, 1, "")
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                before = line[: error.start].decode("utf-8", "replace")
                message = f"This is not UTF-8 text (byte 0x{line[error.start]:02x})."
                raise self._bad(message, number, len(before) + 1, line.decode("utf-8", "replace")) from None

    def _bad(
        self, message: str, line: int, column: int, source: str, hint: str | None = None
    ) -> SeedFileError:
        place = Place(self.shown, line, column, source.rstrip("\r\n")[:500])
        return SeedFileError(message, hint=hint, place=place, code=BAD_ROW)

    def _numbered(self) -> Iterator[tuple[int, Any]]:
        raise NotImplementedError

    def place(self, index: int) -> Place | None:
        """See Source; reads the file again up to that row, which is done for messages only."""
        found = next(islice(self._numbered(), index, None), None)
        if found is None:
            return None
        line = found[0]
        with open_inside(self._root, self._name) as stream:
            text = next(islice(self._lines(stream), line - 1, None), "")
        return Place(self.shown, line, 1, text.rstrip("\r\n")[:500])


class CsvSource(_FileSource):
    """Comma-separated values with a header line; values are texts, an empty field is null."""

    def __init__(self, root: Path, name: str) -> None:
        super().__init__(root, name)
        csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD))
        with open_inside(root, name) as stream:
            header = next(self._records(stream), None)
        if header is None:
            raise self._bad(
                "This file is empty: it has not even a header.", 1, 1, "", "Its first line names the columns."
            )
        line, names, source = header
        for position, column in enumerate(names):
            if not column.strip() or column in names[:position]:
                what = f"stands here twice: {column!r}" if column.strip() else "has no name"
                message = f"Column {position + 1} of the header {what}."
                raise self._bad(message, line, _column_of(source, position), source)
        self.columns = tuple(names)

    def _records(self, stream: BinaryIO) -> Iterator[tuple[int, list[str], str]]:
        """Give line number, fields and first line of each record that is not a blank line."""
        last = [""]

        def remembering() -> Iterator[str]:
            for text in self._lines(stream):
                last[0] = text
                yield text

        reader = csv.reader(remembering(), strict=True)
        before = 0
        try:
            for fields in reader:
                if fields:
                    yield before + 1, fields, last[0]
                before = reader.line_num
        except csv.Error as error:
            hint = "A quote inside a quoted field is doubled, and every quoted field is closed."
            raise self._bad(f"This is not valid CSV: {error}.", before + 1, 1, last[0], hint) from None

    def _numbered(self) -> Iterator[tuple[int, list[str]]]:
        width = len(self.columns or ())
        with open_inside(self._root, self._name) as stream:
            records = self._records(stream)
            next(records, None)
            for line, fields, source in records:
                if len(fields) != width:
                    raise self._wrong_width(line, len(fields), width, source)
                yield line, fields

    def _wrong_width(self, line: int, found: int, width: int, source: str) -> SeedFileError:
        column = _column_of(source, width) if found > width else len(source.rstrip("\r\n")) + 1
        return self._bad(
            f"This row has {found} fields, the header {width}.",
            line,
            column,
            source,
            "Quote a field that holds a comma or a line break.",
        )

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        names = self.columns or ()
        for _, fields in islice(self._numbered(), skip, None):
            yield {name: value or None for name, value in zip(names, fields, strict=True)}

    def lists(self, names: Sequence[str], skip: int = 0) -> Iterator[list[Any]]:
        """See Source."""
        pick = _picker([(self.columns or ()).index(name) for name in names])
        for _, fields in islice(self._numbered(), skip, None):
            yield [value or None for value in pick(fields)]


def _picker(positions: list[int]) -> Callable[[list[str]], Sequence[str]]:
    if len(positions) == 1:
        only = positions[0]
        return lambda fields: (fields[only],)
    return operator.itemgetter(*positions) if positions else lambda _: ()


def _column_of(line: str, position: int) -> int:
    """Find the 1-based column where field number ``position`` (0-based) begins in a record's first line."""
    quoted = False
    for index, character in enumerate(line):
        if position == 0:
            return index + 1
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            position -= 1
    return len(line.rstrip("\r\n")) + 1


class JsonLinesSource(_FileSource):
    """One JSON value a line, usually an object; blank lines are skipped. What an object has not is null."""

    def __init__(self, root: Path, name: str) -> None:
        super().__init__(root, name)
        with open_inside(root, name):
            pass  # a missing file is an error of the template, not of the load

    def _numbered(self) -> Iterator[tuple[int, Any]]:
        decoder = json.JSONDecoder(parse_constant=_no_constant)
        with open_inside(self._root, self._name) as stream:
            for number, text in enumerate(self._lines(stream), 1):
                if text and not text.isspace():
                    yield number, self._decode(decoder, number, text)

    def _decode(self, decoder: json.JSONDecoder, number: int, text: str) -> Any:
        try:
            return decoder.decode(text)
        except json.JSONDecodeError as error:
            column = min(error.colno if error.lineno == 1 else len(text), len(text.rstrip("\r\n")) + 1)
            raise self._bad(f"This line is not valid JSON: {error.msg}.", number, column, text) from None
        except (ValueError, RecursionError) as error:
            reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise self._bad(f"This line is not valid JSON: {reason}.", number, 1, text) from None

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        return (value for _, value in islice(self._numbered(), skip, None))


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")

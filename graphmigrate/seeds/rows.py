"""Where the rows of ``{% unwind %}`` come from: lists, numbers and files, read lazily and from any row on."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import re
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphmigrate.errors import Place
from graphmigrate.seeds.errors import BAD_OPTION, BAD_ROW, UNFIT, SeedFileError
from graphmigrate.seeds.paths import open_inside
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

# A file without line breaks would otherwise be held in memory whole.
MAX_LINE = 16 * 1024 * 1024
MAX_WHOLE = 64 * 1024 * 1024
_CHUNK = 1 << 20
_BOM = b"\xef\xbb\xbf"
# What the error handlers below put in the place of bytes that are no text.
_BAD = re.compile("[\udc80-\udcff\ufffd]")


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
        used = names[0] if names else "name"
        return SeedFileError(
            f"Row {index + 1} of {self.label} is {kind}: it has no column {used!r}.",
            hint="Use the row itself, without a dot; or make every row a map.",
            place=self.place(index),
            code=UNFIT,
        )


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


@contextmanager
def open_data(root: Path, name: str) -> Iterator[BinaryIO]:
    """Open a data file for reading bytes, unpacked where its name ends in ``.gz`` (GM118, GM583)."""
    with open_inside(root, name) as stream:
        if not name.lower().endswith(".gz"):
            yield stream
            return
        try:
            with gzip.GzipFile(fileobj=stream, mode="rb") as unpacked:
                yield unpacked  # type: ignore[misc]
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise SeedFileError(
                f"This file cannot be unpacked: {error}.",
                hint="A name that ends in .gz is read as gzip. Is it complete?",
                place=Place(str(root / name), 1),
                code=BAD_ROW,
            ) from None


def file_checksum(root: Path, name: str) -> str:
    """Return the SHA-256 of a data file, unpacked, without byte-order mark and with CRLF as LF."""
    digest = hashlib.sha256()
    with open_data(root, name) as stream:
        held = stream.read(len(_BOM)).removeprefix(_BOM)
        while piece := stream.read(_CHUNK):
            piece = held + piece
            held = b"\r" if piece.endswith(b"\r") else b""  # its LF may be in the next piece
            digest.update(piece.removesuffix(held).replace(b"\r\n", b"\n"))
        digest.update(held.replace(b"\r\n", b"\n"))
    return digest.hexdigest()


class TextFile:
    """A text file below ``root``; ``shown`` is its path for messages."""

    def __init__(self, root: Path, name: str, encoding: str = "utf-8") -> None:
        self.root = root
        self.name = name
        self.encoding = _usable(encoding)
        self.shown = str(root / name)
        with open_inside(root, name):
            pass  # a missing file is an error of the template, not of the load

    def lines(self) -> Iterator[str]:
        """Yield each line; line breaks of any kind become LF."""
        number = 0
        with open_data(self.root, self.name) as stream, self._text(stream) as text:
            try:
                while line := text.readline(MAX_LINE):
                    number += 1
                    if len(line) == MAX_LINE:
                        raise self.bad(f"This line has over {MAX_LINE >> 20} MiB.", number)
                    yield line
                return
            except UnicodeDecodeError as error:
                bad = error
        yield from self._lines_to_bad_byte(number, bad)

    def _text(self, stream: BinaryIO, errors: str = "strict") -> io.TextIOWrapper:
        return io.TextIOWrapper(stream, self.encoding, errors)

    def _lines_to_bad_byte(self, skip: int, error: UnicodeDecodeError) -> Iterator[str]:
        handler = "surrogateescape" if self.encoding == "utf-8-sig" else "replace"
        with open_data(self.root, self.name) as stream, self._text(stream, handler) as text:
            for number, line in enumerate(iter(lambda: text.readline(MAX_LINE), ""), 1):
                if found := _BAD.search(line):
                    raise self._undecodable(error, number, found.start() + 1, _BAD.sub("\ufffd", line))
                if number > skip:
                    yield line

    def _undecodable(self, error: UnicodeDecodeError, line: int, column: int, source: str) -> SeedFileError:
        with open_data(self.root, self.name) as stream:
            if self.encoding == "utf-8-sig" and stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                message = "This file is UTF-16, not UTF-8."
                return self.bad(message, 1, hint="Save it as UTF-8, or write encoding='utf-16'.")
        name = "UTF-8" if self.encoding == "utf-8-sig" else self.encoding
        return self.bad(
            f"This is not {name} text (byte 0x{error.object[error.start]:02x}).",
            line,
            column,
            source,
            "Save it as UTF-8, or name its encoding: encoding='cp1252'",
        )

    def whole(self, most: int = MAX_WHOLE) -> str:
        """Return the text; more than ``most`` characters are refused."""
        with open_data(self.root, self.name) as stream, self._text(stream) as text:
            try:
                content = text.read(most + 1)
            except UnicodeDecodeError as error:
                return "".join(self._lines_to_bad_byte(0, error))  # raises at the bad byte
        if len(content) > most:
            message = f"This file has over {most >> 20} MiB: a file of this kind is held in memory whole."
            hint = "Write it as JSON lines, one row a line, and use jsonl(…), which streams."
            raise self.bad(message, 1, hint=hint)
        return content

    def line(self, number: int) -> str:
        """Return one line (1-based) without its break; reads the file again, which only messages do."""
        return next(islice(self.lines(), number - 1, None), "").rstrip("\n")

    def place(self, line: int, column: int = 1, source: str | None = None) -> Place:
        """Return a place in this file."""
        return Place(self.shown, line, column, source.rstrip("\n")[:500] if source is not None else None)

    def bad(
        self, message: str, line: int, column: int = 1, source: str = "", hint: str | None = None
    ) -> SeedFileError:
        """Return the error for a place in this file (GM118)."""
        return SeedFileError(message, hint=hint, place=self.place(line, column, source), code=BAD_ROW)


def _usable(encoding: str) -> str:
    """Return the name of an encoding of files; UTF-8 is read with or without a byte-order mark (GM591)."""
    try:
        found = codecs.lookup(encoding)
        io.TextIOWrapper(io.BytesIO(b""), encoding).readline()  # refuses base64, rot13 and the like
        if found.incrementaldecoder and not found.name.endswith("escape"):
            return "utf-8-sig" if found.name == "utf-8" else encoding
    except (LookupError, ValueError, TypeError):
        pass
    message = f"There is no encoding {encoding!r}."
    raise SeedFileError(message, hint="For example utf-8, utf-16, cp1252.", code=BAD_OPTION)


class FileSource(Source):
    """Rows of one file."""

    def __init__(self, file: TextFile) -> None:
        self._file = file
        self.label = file.name
        self.files = (file.name,)

    def about(self) -> int | None:
        """See Source; counts lines, except in a file that must be unpacked."""
        if self.size is not None or self._file.name.lower().endswith(".gz"):
            return self.size
        with open_inside(self._file.root, self._file.name) as stream:
            return sum(piece.count(b"\n") for piece in iter(lambda: stream.read(_CHUNK), b""))

"""Data files under ``seeds/`` as text: unpacked, decoded in blocks, cut into lines; errors name line and column."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING

from graphmigrate.errors import Place
from graphmigrate.seeds.errors import BAD_FILE, BAD_OPTION, BAD_ROW, TOO_LARGE, SeedFileError
from graphmigrate.seeds.paths import open_inside
from graphmigrate.seeds.rows import Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

# A quote that is never closed, or a file without line breaks, would otherwise be read whole.
MAX_LINE = 16 * 1024 * 1024
MAX_WHOLE = 64 * 1024 * 1024
_CHUNK = 1 << 20
_BLOCK = 1 << 17
_BOM = b"\xef\xbb\xbf"
# Codecs that are no encodings of files, or that have no end.
_NO_ENCODINGS = frozenset({"undefined", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "mbcs"})


@contextmanager
def open_data(root: Path, name: str) -> Iterator[BinaryIO]:
    """Open a data file for reading bytes, unpacked where its name ends in ``.gz`` (GM583, GM591)."""
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
                code=BAD_FILE,
            ) from None


def file_checksum(root: Path, name: str) -> str:
    """SHA-256 over a data file as ``folder.normalise`` reads it, unpacked, in pieces."""
    digest = hashlib.sha256()
    with open_data(root, name) as stream:
        held = stream.read(len(_BOM)).removeprefix(_BOM)
        while piece := stream.read(_CHUNK):
            piece = held + piece
            held = b"\r" if piece.endswith(b"\r") else b""  # its LF may be in the next piece
            digest.update(piece.removesuffix(held).replace(b"\r\n", b"\n"))
        digest.update(held.replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def read_whole(root: Path, name: str) -> bytes:
    """Read a data file into memory; over 64 MiB, unpacked, it is refused (GM591)."""
    with open_data(root, name) as stream:
        content = stream.read(MAX_WHOLE + 1)
    if len(content) > MAX_WHOLE:
        raise SeedFileError(
            f"{name!r} has over {MAX_WHOLE >> 20} MiB: a file of this kind is held in memory as a whole.",
            hint="Write it as JSON lines, one row a line, and use jsonl(…), which streams.",
            place=Place(str(root / name), 1),
            code=TOO_LARGE,
        )
    return content


def decoder_of(encoding: str) -> codecs.IncrementalDecoder:
    """Return a decoder for a file's encoding; UTF-8 with or without a byte-order mark (GM591)."""
    try:
        found = codecs.lookup(encoding)
        usable = found.name.replace("-", "_") not in _NO_ENCODINGS and getattr(
            found, "_is_text_encoding", True
        )
        if usable and found.incrementaldecoder:
            return codecs.getincrementaldecoder("utf-8-sig" if found.name == "utf-8" else encoding)()
    except (LookupError, ValueError):
        pass
    raise SeedFileError(
        f"There is no encoding {encoding!r}.", hint="For example utf-8, utf-16, cp1252.", code=BAD_OPTION
    )


def lines_of(blocks: Iterator[str]) -> Iterator[str]:
    """Yield each line with its line break; lines end in LF alone, whatever else Unicode breaks at."""
    return chain.from_iterable(io.StringIO(block, newline="\n") for block in blocks)


class TextFile:
    """A text file below ``root``; ``shown`` is its path for messages."""

    def __init__(self, root: Path, name: str, encoding: str = "utf-8") -> None:
        decoder_of(encoding)
        self.root = root
        self.name = name
        self.encoding = encoding
        self.shown = str(root / name)
        with open_inside(root, name):
            pass  # a missing file is an error of the template, not of the load

    def lines(self, stream: BinaryIO) -> Iterator[str]:
        """Yield each line with its line break."""
        return lines_of(self.blocks(stream))

    def blocks(self, stream: BinaryIO) -> Iterator[str]:
        """Decode in large pieces that end in a line break; what stands before a bad byte is still given.

        CRLF becomes LF as in the checksum: one checksum must mean the same rows, cut into the same blocks.
        """
        decoder = decoder_of(self.encoding)
        held: list[str] = []
        length = done = 0
        while True:
            piece = stream.read(_BLOCK)
            bad: UnicodeDecodeError | None = None
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                bad, text = error, error.object[: error.start].decode(error.encoding, "replace")
            end = text.rfind("\n") + 1
            if end:
                block = "".join([*held, text[:end]]).replace("\r\n", "\n")
                yield block
                done += block.count("\n")
                held, length, text = [], 0, text[end:]
            held.append(text)
            length += len(text)
            if bad is not None:
                raise self._undecodable(bad, done + 1, "".join(held))
            if length > MAX_LINE:
                raise self.bad(f"This line has over {MAX_LINE >> 20} MiB.", done + 1)
            if not piece:
                break
        if length:
            yield "".join(held)

    def _undecodable(self, error: UnicodeDecodeError, line: int, before: str) -> SeedFileError:
        rest = error.object[error.start :].decode(error.encoding, "replace").partition("\n")[0]
        name = "UTF-8" if self.encoding == "utf-8" else self.encoding
        return self.bad(
            f"This is not {name} text (byte 0x{error.object[error.start]:02x}).",
            line,
            len(before) + 1,
            before + rest,
            "Save it as UTF-8, or say how it is written: encoding='cp1252'",
        )

    def line(self, number: int) -> str:
        """Return one line (1-based) without its break; reads the file again, which is done for messages only."""
        with open_data(self.root, self.name) as stream:
            return next(islice(self.lines(stream), number - 1, None), "").rstrip("\r\n")

    def place(self, line: int, column: int = 1, source: str | None = None) -> Place:
        """Return a place in this file."""
        return Place(self.shown, line, column, source.rstrip("\r\n")[:500] if source is not None else None)

    def bad(
        self,
        message: str,
        line: int,
        column: int = 1,
        source: str = "",
        hint: str | None = None,
        code: str = BAD_ROW,
    ) -> SeedFileError:
        """Make the error for a row (GM118 unless another code is given)."""
        return SeedFileError(message, hint=hint, place=self.place(line, column, source), code=code)


class FileSource(Source):
    """Rows of one file."""

    def __init__(self, file: TextFile) -> None:
        self._file = file
        self.label = file.name
        self.files = (file.name,)

    def about(self) -> int | None:
        """See Source; counts lines, which a file that must be unpacked is not read for."""
        if self.size is not None or self._file.name.lower().endswith(".gz"):
            return self.size
        with open_inside(self._file.root, self._file.name) as stream:
            return sum(piece.count(b"\n") for piece in iter(lambda: stream.read(_CHUNK), b""))

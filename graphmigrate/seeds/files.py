"""Files of the seeds folder: opened only inside it, read as text, and the error that names what is wrong with them."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import re
import zlib
from contextlib import contextmanager
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from graphmigrate.errors import Place, ProjectError, closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

BAD_ROW = "GM118"
UNFIT = BAD_OPTION = "GM591"
BAD_SPECIFICATION = "GM593"
NO_VARIABLE = "GM572"
OUTSIDE = "GM583"
# A file without line breaks would otherwise be held in memory whole.
MAX_LINE = 16 * 1024 * 1024
MAX_WHOLE = 64 * 1024 * 1024
_CHUNK = 1 << 20
_BOM = b"\xef\xbb\xbf"
# What stands in the place of bytes that are no text.
_BAD = re.compile("[\udc80-\udcff]")


class SeedFileError(ProjectError):
    """A seed's file, front matter, template, variables or sources are wrong; nothing was loaded."""

    code = "GM560"


class MissingFile(SeedFileError):
    """A file that a template names is not in the seeds folder."""

    code = OUTSIDE


def did_you_mean(word: str, known: Iterable[str], what: str) -> str:
    """Say which known word was probably meant, or list them all."""
    known = sorted(set(known))
    if not known:
        return f"There are no {what}."
    close = closest(word, known)
    listed = f"Known {what}: {', '.join(known)}."
    return f"Did you mean {close!r}? {listed}" if close else listed


def no_column(
    label: str, name: str, known: Iterable[str], code: str, place: Place | None = None
) -> SeedFileError:
    """Return the error for a column that rows do not have."""
    hint = did_you_mean(name, known, "columns")
    return SeedFileError(f"{label} has no column {name!r}.", hint=hint, place=place, code=code)


def open_inside(root: Path, name: str) -> BinaryIO:
    """Open the file ``name`` (relative to ``root``, parts separated by ``/``) for reading bytes.

    A link is followed where it leads to a file of the folder, as in Kubernetes' ConfigMaps. Raises SeedFileError
    (GM583) for what is not a regular file inside ``root``.
    """
    path = PurePosixPath(name)
    if not name or "\0" in name or "\\" in name or path.is_absolute() or ".." in path.parts or not path.parts:
        hint = "Write it relative to the seeds folder, with '/' and without '..', as data/people.csv"
        raise SeedFileError(f"{name!r} is not a path inside the seeds folder.", hint=hint, code=OUTSIDE)
    try:
        found = root.joinpath(*path.parts).resolve(strict=True)
        if not found.is_relative_to(root.resolve()):
            message = f"{name!r} is, or lies behind, a link that leads out of the seeds folder."
            raise SeedFileError(message, hint="Copy the file into the seeds folder.", code=OUTSIDE)
        if not found.is_file():
            raise SeedFileError(f"{name!r} is not a regular file.", code=OUTSIDE)
        return found.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(root, path) from None
    except (OSError, RuntimeError) as error:  # a link to itself is a RuntimeError before Python 3.13
        reason = getattr(error, "strerror", None) or "a link leads to itself"
        raise SeedFileError(f"{name!r} cannot be read: {reason}.", code=OUTSIDE) from error


def _missing(root: Path, path: PurePosixPath) -> MissingFile:
    """Return the error that names the first part of the path which is not there, and what it may have meant."""
    reached = root
    for part in path.parts:
        known = [each.name for each in reached.iterdir()] if reached.is_dir() else []
        if part not in known:
            hint = did_you_mean(part, known, f"files in {reached}")
            return MissingFile(f"There is no file {str(path)!r} in the seeds folder.", hint=hint)
        reached = reached / part
    return MissingFile(f"{str(path)!r} is a link to a file that is not there.")


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
            message = f"This file cannot be unpacked: {error}."
            hint = "A name that ends in .gz is read as gzip. Is it complete?"
            raise SeedFileError(message, hint=hint, place=Place(str(root / name), 1), code=BAD_ROW) from None


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

    def lines(self, longest: int = MAX_LINE) -> Iterator[str]:
        """Yield each line; line breaks of any kind become LF."""
        number = 0
        with (
            open_data(self.root, self.name) as stream,
            io.TextIOWrapper(stream, self.encoding, "surrogateescape") as text,
        ):
            try:
                while line := text.readline(longest):
                    number += 1
                    if len(line) == longest == MAX_LINE:
                        raise self.bad(f"This line has over {longest >> 20} MiB.", number)
                    if not line.isascii() and (found := _BAD.search(line)):
                        raise self._undecodable(number, found.start() + 1, line)
                    yield line
            except UnicodeDecodeError:
                raise self._undecodable(number + 1) from None

    def _undecodable(self, line: int, column: int = 1, source: str = "") -> SeedFileError:
        with open_data(self.root, self.name) as stream:
            if self.encoding == "utf-8-sig" and stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                message = "This file is UTF-16, not UTF-8."
                return self.bad(message, 1, hint="Save it as UTF-8, or write encoding='utf-16'.")
        name = "UTF-8" if self.encoding == "utf-8-sig" else self.encoding
        byte = f" (byte 0x{ord(source[column - 1]) & 0xFF:02x})" if source else ""
        hint = "Save it as UTF-8, or name its encoding: encoding='cp1252'"
        return self.bad(f"This is not {name} text{byte}.", line, column, _BAD.sub("\ufffd", source), hint)

    def whole(self, most: int = MAX_WHOLE) -> str:
        """Return the text; more than ``most`` characters are refused."""
        held: list[str] = []
        size = 0
        for line in self.lines(most + 1):
            held.append(line)
            size += len(line)
            if size > most:
                message = f"This file has over {most >> 20} MiB: a file of this kind is held in memory whole."
                hint = "Write it as JSON lines, one row a line, and use jsonl(…), which streams."
                raise self.bad(message, 1, hint=hint)
        return "".join(held)

    def records(self, quote: bytes | None = None) -> int:
        """Count the lines; those that end between two of ``quote`` are none."""
        total = inside = 0
        last = b"\n"
        with open_data(self.root, self.name) as stream:
            while piece := stream.read(_CHUNK):
                parts = piece.split(quote) if quote else [piece]
                total += sum(part.count(b"\n") for part in parts[inside::2]) if quote else piece.count(b"\n")
                inside = (inside + len(parts) - 1) % 2
                last = piece[-1:]
        return total + (last != b"\n")

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

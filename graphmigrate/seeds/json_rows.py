"""Rows from JSON lines, which stream, and from JSON and YAML files, which are held whole."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds import safe_yaml
from graphmigrate.seeds.conversions import SEPARATOR, converters, reason
from graphmigrate.seeds.csv_rows import check_types
from graphmigrate.seeds.data import FileSource, TextFile, open_data, read_whole
from graphmigrate.seeds.errors import BAD_FILE, UNFIT, SeedFileError
from graphmigrate.seeds.folder import normalise
from graphmigrate.seeds.rows import RowList
from graphmigrate.seeds.values import CODE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from graphmigrate.errors import Place
    from graphmigrate.seeds.rows import Source

_TOO_DEEP = "it is nested too deeply"


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


class _TypedRows(FileSource):
    """Rows that are values already; ``types`` turns some columns of theirs into Neo4j's other types."""

    def __init__(self, file: TextFile, types: Mapping[str, str] | None, separator: str) -> None:
        super().__init__(file)
        self._types = types or {}
        check_types(self._types)
        self._converters = converters(self._types, separator=separator)

    def _raw(self) -> Iterator[Any]:
        raise NotImplementedError

    def _line_of(self, index: int) -> tuple[int, int]:
        """Tell line and column of a row; (0, 0) where it is not there."""
        raise NotImplementedError

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        rows = islice(self._raw(), skip, None)
        return self._typed(rows, skip) if self._converters else rows

    def _typed(self, rows: Iterator[Any], index: int) -> Iterator[Any]:
        convert = list(self._converters.items())
        for index, row in enumerate(rows, index):  # noqa: B020 - counts on from the number given
            if not isinstance(row, dict):
                raise self._without_columns(row, index, tuple(self._types))
            typed = dict(row)
            for name, function in convert:
                value = row.get(name)
                if value is None:
                    continue
                try:
                    typed[name] = None if value == "" else function(value)
                except (ValueError, TypeError, OverflowError, RecursionError) as error:
                    raise self._unreadable(index, name, value, error) from None
            yield typed

    def _unreadable(self, index: int, name: str, value: Any, error: Exception) -> SeedFileError:
        line, column = self._line_of(index)
        source = self._file.line(line)
        found = source.find(json.dumps(name, ensure_ascii=False))
        why = reason(error)
        message = f"{name!r} is {self._types[name]}, and {str(value)[:60]!r} cannot be read as that"
        return self._file.bad(
            f"{message}: {why}." if why else f"{message}.",
            line,
            found + 1 if found >= 0 else column,
            source,
            f"Fix the row, or the type of {name!r}.",
        )

    def place(self, index: int) -> Place | None:
        """See Source; reads the file again up to that row, which is done for messages only."""
        line, column = self._line_of(index)
        return self._file.place(line, column, self._file.line(line)) if line else None


class JsonLinesSource(_TypedRows):
    """One JSON value a line, usually an object; blank lines are skipped. What an object has not is null."""

    def __init__(
        self,
        root: Path,
        name: str,
        types: Mapping[str, str] | None = None,
        encoding: str = "utf-8",
        separator: str = SEPARATOR,
    ) -> None:
        super().__init__(TextFile(root, name, encoding), types, separator)

    def _raw(self) -> Iterator[Any]:
        return (value for _, value in self._numbered())

    def _numbered(self) -> Iterator[tuple[int, Any]]:
        scan: Callable[[str, int], tuple[Any, int]] = _DECODER.scan_once  # type: ignore[attr-defined]
        with open_data(self._file.root, self._file.name) as stream:
            for number, text in enumerate(self._file.lines(stream), 1):
                try:
                    value, end = scan(text, 0)
                except (StopIteration, ValueError, RecursionError):
                    end = -1
                if end >= 0 and text[end:] in ("\n", ""):
                    yield number, value
                elif not text.isspace():
                    yield number, self._decode(number, text)  # white space around it, or an error

    def _decode(self, number: int, text: str) -> Any:
        try:
            return _DECODER.decode(text)
        except json.JSONDecodeError as error:
            column = min(error.colno if error.lineno == 1 else len(text), len(text.rstrip("\r\n")) + 1)
            raise self._file.bad(f"This line is not valid JSON: {error.msg}.", number, column, text) from None
        except (ValueError, RecursionError) as error:
            why = _TOO_DEEP if isinstance(error, RecursionError) else str(error)
            raise self._file.bad(f"This line is not valid JSON: {why}.", number, 1, text) from None

    def _line_of(self, index: int) -> tuple[int, int]:
        found = next(islice(self._numbered(), index, None), None)
        return (found[0], 1) if found else (0, 0)


class FileRows(RowList):
    """What a JSON or YAML file holds, where it is a list: usable as a list, and as rows with places."""

    def __init__(
        self, rows: list[Any], file: TextFile, options: tuple[Mapping[str, str] | None, str], kind: str
    ) -> None:
        super().__init__(rows)
        self._file = file
        self._options = options
        self._kind = kind

    def _source(self) -> Source:
        if self._kind == "yaml" and not _has_texts_as_keys(self):
            key, line, column = safe_yaml.place_of_odd_key(_text_of(self._file))
            raise self._file.bad(
                f"A map's key must be a text, not {key}.",
                line,
                column,
                self._file.line(line),
                "Write it in quotes.",
                CODE,
            )
        return self._judged()

    def _judged(self) -> Source:
        """Return the source; raises where its types are wrong."""
        return _WholeSource(self, self._file, *self._options, self._kind)


def _has_texts_as_keys(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _has_texts_as_keys(each) for key, each in value.items())
    return not isinstance(value, list) or all(map(_has_texts_as_keys, value))


class _WholeSource(_TypedRows):
    """The list that a file holds."""

    def __init__(
        self,
        rows: Sequence[Any],
        file: TextFile,
        types: Mapping[str, str] | None,
        separator: str,
        kind: str,
    ) -> None:
        super().__init__(file, types, separator)
        self._rows = rows
        self._kind = kind
        self.size = len(rows)
        if rows and all(isinstance(row, dict) for row in rows):
            self.columns = tuple(dict.fromkeys(key for row in rows for key in row))

    def _raw(self) -> Iterator[Any]:
        return iter(self._rows)

    def _line_of(self, index: int) -> tuple[int, int]:
        text = _text_of(self._file)
        if self._kind == "yaml":
            return safe_yaml.place_of_item(text, index)
        position = text.index("[") + 1
        for number in range(index + 1):
            while text[position] in " \t\r\n,":
                position += 1
            if number < index:
                _, position = _DECODER.raw_decode(text, position)
        return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _text_of(file: TextFile) -> str:
    content = normalise(read_whole(file.root, file.name))
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise file.bad("This is not UTF-8 text.", line, 1, "", "Save it as UTF-8.", BAD_FILE) from None


def read_json(
    root: Path, name: str, types: Mapping[str, str] | None = None, separator: str = SEPARATOR
) -> Any:
    """Return what a JSON file holds; raises GM591 above 64 MiB and where it is not valid."""
    file = TextFile(root, name)
    text = _text_of(file)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        hint = "One JSON value a line is read by jsonl(…)." if error.msg == "Extra data" else None
        source = text.split("\n")[error.lineno - 1]
        raise file.bad(
            f"This is not valid JSON: {error.msg}.", error.lineno, error.colno, source, hint, BAD_FILE
        ) from None
    except (ValueError, RecursionError) as error:
        why = _TOO_DEEP if isinstance(error, RecursionError) else str(error)
        raise file.bad(f"This is not valid JSON: {why}.", 1, code=BAD_FILE) from None
    return _held(value, file, types, separator, "json")


def read_yaml(
    root: Path, name: str, types: Mapping[str, str] | None = None, separator: str = SEPARATOR
) -> Any:
    """Return what a YAML file holds; raises GM591 above 64 MiB and where it is not valid."""
    file = TextFile(root, name)
    text = _text_of(file)
    try:
        value = safe_yaml.load(text)
    except safe_yaml.BadYaml as error:
        source = text.split("\n")[error.line - 1] if error.line <= text.count("\n") + 1 else ""
        raise file.bad(error.message, error.line, error.column, source, error.hint, BAD_FILE) from None
    return _held(value, file, types, separator, "yaml")


def _held(value: Any, file: TextFile, types: Mapping[str, str] | None, separator: str, kind: str) -> Any:
    if isinstance(value, list):
        rows = FileRows(value, file, (types, separator), kind)
        rows._judged()  # not its keys: a template may do with a list of maps what it likes
        return rows
    if types:
        raise SeedFileError(
            f"{file.name} holds no list of rows, so 'types' has nothing to work on.",
            hint="Make the file a list of maps.",
            place=file.place(1),
            code=UNFIT,
        )
    return value

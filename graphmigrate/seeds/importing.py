"""``graphmigrate import``: from a CSV file to a seed that loads it and a migration with the constraint of its key."""

from __future__ import annotations

import filecmp
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphmigrate.cypher.statements import scan
from graphmigrate.errors import UsageError
from graphmigrate.schema.model import ObjectType, SchemaObject, identifier, render, uniqueness
from graphmigrate.schema.reader import read_ddl
from graphmigrate.seeds.csv_rows import CsvSource, Dialect
from graphmigrate.seeds.files import BAD_OPTION, SeedFileError, no_column
from graphmigrate.seeds.folder import SUFFIX
from graphmigrate.seeds.values import Unfit, converter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_DELIMITERS = (",", ";", "\t", "|")
# A column gets the first of these types that all its values are written in; 0123 and 1/0 stay texts.
_FORMS = {
    "int": re.compile(r"-?(0|[1-9]\d*)"),
    "float": re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?"),
    "bool": re.compile(r"true|false", re.IGNORECASE),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "datetime": re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The files that an import writes, with their texts; ``copies`` is the data file where it is not there already."""

    texts: Mapping[Path, str]
    copies: tuple[Path, Path] | None
    seed: str
    rows: int

    def write(self) -> tuple[Path, ...]:
        """Write each file in one step; raise UsageError (GM150) before anything is written where one of them exists.

        Some of them that are there as they are to be were written by an import that was killed: this one goes on.
        """
        files = (*((self.copies[1],) if self.copies else ()), *self.texts)
        there = [file for file in files if file.exists()]
        for file in there:
            if len(there) == len(files) or not self._is_written(file):
                hint = "Nothing was written. Rename the CSV file, or remove what is there."
                raise UsageError(f"{file} is there already.", hint=hint)
        for file in files:
            if file not in there:
                self._write(file)
        return files

    def _is_written(self, file: Path) -> bool:
        if file in self.texts:
            return file.read_bytes() == self.texts[file].encode()
        return self.copies is not None and filecmp.cmp(*self.copies, shallow=False)

    def _write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".{file.name}.part")
        if file in self.texts:
            part.write_text(self.texts[file], encoding="utf-8", newline="\n")
        elif self.copies:
            shutil.copyfile(self.copies[0], part)
        part.replace(file)


def plan(
    file: Path, label: str, key: str, *, types: bool, seeds: Path, migration: Path, existing: Iterable[str]
) -> Plan:
    """Return what importing ``file`` as nodes of a label writes; reads every row, and writes nothing.

    ``migration`` is the file for the constraint, which is left out where one of the ``existing`` migrations has it.
    Raise SeedFileError where the file, the label or the key cannot be used.
    """
    source, delimiter = _source(file)
    _check_names(source, label, key)
    found, rows = _read(source, key)
    inside = file.resolve().is_relative_to(seeds.resolve())
    target = file.resolve() if inside else seeds / "data" / file.name
    name = re.sub(r"[^\w-]+", "_", file.name.partition(".")[0]).strip("_") or "imported"
    data = target.relative_to(seeds.resolve() if inside else seeds).as_posix()
    seed = _seed(label, key, source.columns, data, delimiter, found if types else {})
    texts = {seeds / f"{name}{SUFFIX}": seed}
    constraint = uniqueness(label, [key])
    if not any(_makes(text, constraint) for text in existing):
        why = "finds each node by this value; without the constraint it would read every node for every row."
        comment = f"// {seeds.name}/{name}{SUFFIX} {why}"
        texts = {migration: f"{comment}\n{render(constraint, guarded=False)};\n", **texts}
    return Plan(texts, None if inside else (file, target), name, rows)


def _source(file: Path) -> tuple[CsvSource, str]:
    """Return the rows of a file, with the delimiter that parts its header."""
    if not file.is_file():
        raise UsageError(
            f"There is no file {str(file)!r}.", hint="For example: graphmigrate import people.csv …"
        )
    for delimiter in _DELIMITERS:
        if len(CsvSource(file.parent, file.name, Dialect(delimiter=delimiter, header=False)).columns) > 1:
            return CsvSource(file.parent, file.name, Dialect(delimiter=delimiter)), delimiter
    return CsvSource(file.parent, file.name), ","


def _check_names(source: CsvSource, label: str, key: str) -> None:
    if key not in source.columns:
        raise no_column(source.label, key, source.columns, BAD_OPTION)
    for name in (label, *source.columns):
        if not name or set(name) & set("{}`\\\n\0"):
            hint = "Rename it: a name here has no braces, backticks, backslashes or line breaks."
            raise SeedFileError(f"{name!r} cannot be imported as a name.", hint=hint, code=BAD_OPTION)


def _read(source: CsvSource, key: str) -> tuple[dict[str, str], int]:
    """Return the types of the columns and the number of rows; each row must have a key of its own."""
    possible = {column: list(_FORMS) for column in source.columns}
    filled: set[str] = set()
    keys: dict[str, int] = {}
    count = 0
    for index, row in enumerate(source.values()):
        value = row[key]
        if value is None or value in keys:
            message = f"Row {index + 1} has no {key!r}."
            if value is not None:
                message = f"Rows {keys[value] + 1} and {index + 1} have the same {key!r}, {value[:60]!r}."
            hint = "Each row needs a value of its own in the column of --key. Correct the file, or choose another column."
            raise SeedFileError(message, hint=hint, place=source.place(index), code=BAD_OPTION)
        keys[value] = index
        for column, text in row.items():
            if text is not None:
                filled.add(column)
                possible[column] = [kind for kind in possible[column] if _fits(kind, text)]
        count = index + 1
    return {column: kinds[0] for column, kinds in possible.items() if kinds and column in filled}, count


def _fits(kind: str, text: str) -> bool:
    try:
        return bool(_FORMS[kind].fullmatch(text)) and converter(kind)(text) is not None
    except Unfit:
        return False


def _seed(
    label: str, key: str, columns: Iterable[str], data: str, delimiter: str, types: Mapping[str, str]
) -> str:
    options = f", delimiter={_text(delimiter)}" if delimiter != "," else ""
    if types:
        listed = ", ".join(f"{_text(column)}: '{kind}'" for column, kind in types.items())
        options += f", types={{{listed}}}"
    others = [column for column in columns if column != key]
    sets = ",\n    ".join(f"n.{identifier(column)} = row.{identifier(column)}" for column in others)
    merge = f"MERGE (n:{identifier(label)} {{{identifier(key)}: row.{identifier(key)}}})"
    body = f"{merge}\nSET {sets};" if others else f"{merge};"
    return f"{{% unwind row in csv({_text(data)}{options}) %}}\n{body}\n{{% endunwind %}}\n"


def _makes(text: str, constraint: SchemaObject) -> bool:
    """Whether a migration makes such a constraint, as a key or under another name too."""
    actions = (read_ddl(statement.text) for statement in scan(text, "")[0])
    made = [action.target for action in actions if action and action.target]
    unique = {ObjectType.UNIQUENESS, ObjectType.KEY}
    return any(
        each.type in unique and (each.labels, each.properties) == (constraint.labels, constraint.properties)
        for each in made
    )


def _text(value: str) -> str:
    """Return a text as a template writes it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\t", "\\t")
    return f"'{escaped}'"

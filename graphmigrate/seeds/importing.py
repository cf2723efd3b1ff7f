"""``graphmigrate import``: from a CSV file to a seed that loads it and a migration with the constraint of its key."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphmigrate.cypher.lexer import quote
from graphmigrate.errors import UsageError
from graphmigrate.seeds.csv_rows import CsvSource, Dialect
from graphmigrate.seeds.files import BAD_OPTION, SeedFileError, did_you_mean
from graphmigrate.seeds.folder import SUFFIX
from graphmigrate.seeds.values import Unfit, converter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_DELIMITERS = (",", ";", "\t", "|")
_SIMPLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
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
        """Write the files; raise UsageError (GM150) before anything is written where one of them exists."""
        copied = (self.copies[1],) if self.copies else ()
        files = (*copied, *self.texts)
        for file in files:
            if file.exists():
                hint = "Nothing was written. Rename the CSV file, or remove what is there."
                raise UsageError(f"{file} is there already.", hint=hint)
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
        if self.copies:
            shutil.copyfile(*self.copies)
        for file, text in self.texts.items():
            file.write_text(text, encoding="utf-8")
        return files


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
    if not any(_has_constraint(text, label, key) for text in existing):
        texts = {migration: _migration(label, key, f"{seeds.name}/{name}{SUFFIX}"), **texts}
    return Plan(texts, None if inside else (file, target), name, rows)


def _source(file: Path) -> tuple[CsvSource, str]:
    """Return the rows of a file, with the delimiter that parts its header."""
    if not file.is_file():
        raise UsageError(
            f"There is no file {str(file)!r}.", hint="For example: graphmigrate import people.csv …"
        )
    found = ","
    for delimiter in _DELIMITERS:
        if len(CsvSource(file.parent, file.name, Dialect(delimiter=delimiter, header=False)).columns) > 1:
            found = delimiter
            break
    return CsvSource(file.parent, file.name, Dialect(delimiter=found)), found


def _check_names(source: CsvSource, label: str, key: str) -> None:
    if key not in source.columns:
        hint = did_you_mean(key, source.columns, "columns")
        raise SeedFileError(f"{source.label} has no column {key!r}.", hint=hint, code=BAD_OPTION)
    for name in (label, *source.columns):
        if not name or set(name) & set("{}`\\\n\0"):
            hint = "Rename it: a name here has no braces, backticks, backslashes or line breaks."
            raise SeedFileError(f"{name!r} cannot be imported as a name.", hint=hint, code=BAD_OPTION)


def _read(source: CsvSource, key: str) -> tuple[dict[str, str], int]:
    """Return the types of the columns and the number of rows; each row must have a key of its own."""
    possible = {column: dict(_FORMS) for column in source.columns}
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
                for kind, form in list(possible[column].items()):
                    if not form.fullmatch(text) or not _fits(kind, text):
                        del possible[column][kind]
        count = index + 1
    found = {column: next(iter(possible[column]), "") for column in source.columns if column in filled}
    return {column: kind for column, kind in found.items() if kind}, count


def _fits(kind: str, text: str) -> bool:
    try:
        converter(kind)(text)
    except Unfit:
        return False
    return True


def _seed(
    label: str, key: str, columns: Iterable[str], data: str, delimiter: str, types: Mapping[str, str]
) -> str:
    options = f", delimiter={_text(delimiter)}" if delimiter != "," else ""
    if types:
        listed = ", ".join(f"{_text(column)}: '{kind}'" for column, kind in types.items())
        options += f", types={{{listed}}}"
    others = [column for column in columns if column != key]
    sets = ",\n    ".join(f"n.{_name(column)} = row.{_name(column)}" for column in others)
    merge = f"MERGE (n:{_name(label)} {{{_name(key)}: row.{_name(key)}}})"
    body = f"{merge}\nSET {sets};" if others else f"{merge};"
    return f"{{% unwind row in csv({_text(data)}{options}) %}}\n{body}\n{{% endunwind %}}\n"


def _migration(label: str, key: str, seed: str) -> str:
    name = re.sub(r"\W+", "_", f"{label}_{key}_unique").lower()
    return (
        f"// {seed} finds each node by this value; without the constraint it would read every node for every row.\n"
        f"CREATE CONSTRAINT {_name(name)} FOR (n:{_name(label)}) REQUIRE n.{_name(key)} IS UNIQUE;\n"
    )


def _has_constraint(text: str, label: str, key: str) -> bool:
    label_, key_ = (f"`?{re.escape(name)}`?" for name in (label, key))
    form = rf"\(\s*\w+\s*:\s*{label_}\s*\)\s*REQUIRE\s+\(?\s*\w+\.{key_}\s*\)?\s+IS\s+(NODE\s+)?(UNIQUE|KEY)"
    return re.search(form, text, re.IGNORECASE) is not None


def _name(name: str) -> str:
    return name if _SIMPLE.fullmatch(name) else quote(name)


def _text(value: str) -> str:
    """Return a text as a template writes it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\t", "\\t")
    return f"'{escaped}'"

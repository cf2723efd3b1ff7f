"""Read one migration whole: header, statements, and everything that is wrong with them at once."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from graphmigrate.cypher.client import Client
from graphmigrate.cypher.kinds import execution_prefix
from graphmigrate.cypher.lexer import TokenKind, is_significant, parameters, tokens, word_of
from graphmigrate.cypher.model import Edit, Kind, Statement, offset_of, place_at
from graphmigrate.cypher.placeholders import Filled, fill
from graphmigrate.cypher.statements import in_order, normalise, scan
from graphmigrate.errors import Place, Problem, Severity
from graphmigrate.migrations.header import read_header
from graphmigrate.migrations.model import Header, Migration, MigrationFile
from graphmigrate.migrations.names import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_STATEMENT_BYTES = 10 * 1024 * 1024
_SAVE_AS_UTF8 = "Save it as UTF-8; what is no text does not belong in the folder."


def read(
    file: MigrationFile,
    *,
    max_statement_bytes: int = MAX_STATEMENT_BYTES,
    placeholders: Mapping[str, str | None] | None = None,
) -> tuple[Migration, tuple[Problem, ...]]:
    """Read a migration; ``max_statement_bytes`` is the setting ``max_statement_size``, in bytes of UTF-8.

    ``placeholders`` are the names that the configuration lists, with their values.

    Never raises for what a file holds: the problems come in order of their place, and with any error among them
    the migration must not be run.
    """
    shown = printable(str(file.path))
    decoded = _decode(file.content, shown)
    if isinstance(decoded, Problem):
        return Migration(file, Header(), ()), (decoded,)
    source = normalise(decoded)
    client = Client()
    filled = fill(source, shown, placeholders or {})
    statements, problems = scan(filled.text, shown, client)
    if filled.edits:
        statements = tuple(_in_file(each, source, filled) for each in statements)
        problems = tuple(_problem_in_file(each, source, filled) for each in problems)
    problems = (*filled.problems, *problems)
    first = statements[0].start if statements else len(source)
    header, wrong = read_header(source, shown, first)
    statements = _in_language(statements, header.options.cypher)
    uses = tuple(
        (name, place_at(shown, source, filled.source_offset(offset))) for name, offset in client.uses
    )
    migration = Migration(file, header, statements, uses)
    everything = [*problems, *wrong, *_about_statements(migration, max_statement_bytes)]
    if not statements and not problems:
        everything.append(_empty(source, shown))
    elif statements and not problems:
        everything += _about_the_end(statements[-1])
    return migration, tuple(sorted(everything, key=in_order))


def _in_language(statements: tuple[Statement, ...], language: str | None) -> tuple[Statement, ...]:
    """Return the statements in the language that the header names, where they name none themselves."""
    if not language:
        return statements
    return tuple(
        each if _names_its_language(each) else each._replace(language=language) for each in statements
    )


def _in_file(statement: Statement, source: str, filled: Filled) -> Statement:
    """Return a statement of the text with values, with its place in the file."""
    begin, end = statement.start, statement.start + len(statement.text)
    start = filled.source_offset(begin)
    edits = tuple(
        Edit(each.begin - begin, each.end - begin, each.source_begin - start, each.source_end - start)
        for each in filled.edits
        if begin <= each.begin and each.end <= end
    )
    return statement._replace(source=source, start=start, edits=edits)


def _problem_in_file(problem: Problem, source: str, filled: Filled) -> Problem:
    if problem.place is None:
        return problem
    offset = filled.source_offset(offset_of(filled.text, problem.place))
    return problem._replace(place=place_at(problem.place.file, source, offset))


def _names_its_language(statement: Statement) -> bool:
    """Whether a statement begins with ``CYPHER 5`` or the like, which goes before the header."""
    words = list(islice(filter(is_significant, tokens(statement.text)), 2))
    return len(words) > 1 and word_of(words[0]) == "CYPHER" and words[1].kind is TokenKind.NUMBER


def _decode(content: bytes, shown: str) -> str | Problem:
    """Decode strictly; anything but UTF-8 text is one problem at its first wrong byte."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem("GM118", "This file is UTF-16, not UTF-8.", _SAVE_AS_UTF8, Place(shown, 1))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"Byte {error.start} of this file (0x{content[error.start]:02x}) is not UTF-8."
        return Problem("GM118", message, _SAVE_AS_UTF8, _place_of_byte(content, error.start, shown))
    position = content.find(b"\0")
    if position >= 0:
        message = f"Byte {position} of this file is NUL: this is not a text file."
        return Problem("GM118", message, _SAVE_AS_UTF8, _place_of_byte(content, position, shown))
    return text


def _place_of_byte(content: bytes, position: int, shown: str) -> Place:
    begin = content.rfind(b"\n", 0, position) + 1
    column = len(content[begin:position].decode("utf-8", "replace").removeprefix("\ufeff")) + 1
    return Place(shown, content.count(b"\n", 0, position) + 1, column)


def _empty(source: str, shown: str) -> Problem:
    what = "holds comments only" if source.strip() else "is empty"
    hint = "Write its statements, or delete the file: it would be recorded as applied without doing anything."
    return Problem("GM121", f"This migration {what}.", hint, Place(shown, 1))


def _about_the_end(last: Statement) -> Iterator[Problem]:
    if not last.terminated:
        end = last.place_at(len(last.text))
        message = "The last statement has no final semicolon; it is run all the same."
        yield Problem("GM123", message, "End it with a semicolon.", end, Severity.WARNING)


def _about_statements(migration: Migration, limit: int) -> Iterator[Problem]:
    batched = migration.header.options.batch is not None
    for statement in migration.statements:
        yield from _about_size(statement, limit)
        yield from _about_prefix(statement)
        yield from _about_comment(statement)
        yield from _about_parameters(statement, batched=batched)
    if batched and migration.statements:
        yield from _about_batch(migration.statements)


def _about_size(statement: Statement, limit: int) -> Iterator[Problem]:
    if len(statement.text) * 4 <= limit:
        return
    size = len(statement.text.encode("utf-8"))
    if size > limit:
        message = f"This statement has {size:,} bytes; the limit is {limit:,}."
        hint = "Load data with a seed or LOAD CSV instead, or raise the setting max_statement_size."
        yield Problem("GM122", message, hint, statement.place)


def _about_prefix(statement: Statement) -> Iterator[Problem]:
    prefix = execution_prefix(statement.text)
    if prefix is None:
        return
    word = prefix.text.upper()
    effect = (
        "only shows a plan and changes nothing" if word == "EXPLAIN" else "shows a plan that is not printed"
    )
    place = statement.place_at(prefix.start)
    yield Problem("GM106", f"A statement with {word} {effect}.", f"Delete the word {word}.", place)


def _about_comment(statement: Statement) -> Iterator[Problem]:
    """Yield that a statement begins with another language's comment, as in the files of Liquibase."""
    mark = next((each for each in ("--", "#") if statement.text.startswith(each)), None)
    if mark:
        message = f"{mark} begins no comment in Cypher."
        yield Problem("GM106", message, f"Write // in place of {mark}.", statement.place)


def _about_parameters(statement: Statement, *, batched: bool) -> Iterator[Problem]:
    seen = {*statement.parameters, *(["batch"] if batched else [])}
    for parameter in parameters(statement.text):
        if parameter.name in seen:
            continue
        seen.add(parameter.name)
        place = statement.place_at(parameter.start)
        name = statement.text[parameter.start + 1 : parameter.end].strip()
        hint = f"Set it in a line before the statement, :param {name} => 'value', or write the value itself."
        if parameter.name == "batch":
            hint = "To run it in batches, add the line `// graphmigrate: batch 10000` at the top."
        yield Problem("GM129", f"${parameter.name} has no value.", hint, place)


def _about_batch(statements: tuple[Statement, ...]) -> Iterator[Problem]:
    hint = (
        "Write one data statement that changes at most $batch rows, e.g. `MATCH … WITH n LIMIT $batch SET …`."
    )
    if len(statements) > 1:
        message = "A migration with `batch` holds one statement; this is its second."
        yield Problem(
            "GM124", message, "Give the other statements a migration of their own.", statements[1].place
        )
        return
    only = statements[0]
    if only.kind is not Kind.DATA:
        yield Problem(
            "GM124", f"`batch` needs a data statement; this one is {only.kind.value}.", hint, only.place
        )
    elif "batch" in only.parameters:
        yield Problem(
            "GM124", "$batch has two values, of `batch` and of :param.", "Delete the :param line.", only.place
        )
    elif all(parameter.name != "batch" for parameter in parameters(only.text)):
        yield Problem("GM124", "`batch` is set, but the statement does not use $batch.", hint, only.place)

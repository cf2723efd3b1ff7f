"""Header lines: ``//`` comments before a migration's first statement that say when and how it runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from graphmigrate.cypher.kinds import kind_of
from graphmigrate.cypher.lexer import TokenKind, decode, parameters, sections
from graphmigrate.cypher.model import Kind, place_at
from graphmigrate.cypher.statements import scan
from graphmigrate.errors import Problem, closest
from graphmigrate.migrations.model import Condition, Header, Options
from graphmigrate.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from graphmigrate.errors import Place

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|s|m|h)", re.IGNORECASE)
_INTEGER = re.compile(r"[0-9][0-9_]{0,17}")


def _count(text: str) -> int | None:
    number = int(text.replace("_", "")) if _INTEGER.fullmatch(text) else 0
    return number if number > 0 else None


def _retries(text: str) -> int | None:
    return int(text) if re.fullmatch("[0-9]{1,3}", text) else None


def _duration(text: str) -> float | None:
    match = _DURATION.fullmatch("".join(text.split()))
    seconds = float(match.group(1)) * _SECONDS[match.group(2).lower()] if match else 0.0
    return seconds if seconds > 0 else None


def _transaction(text: str) -> str | None:
    return text.lower() if text.lower() in {"segment", "statement"} else None


def _language(text: str) -> str | None:
    return text if text in {"5", "25"} else None


def _nothing(text: str) -> bool | None:
    return None if text else True


# word: (field of Options, reader, what is right)
_WORDS: dict[str, tuple[str, Callable[[str], Any], str]] = {
    "batch": ("batch", _count, "`batch 10000`"),
    "max-batches": ("max_batches", _count, "`max-batches 500`"),
    "transaction": ("transaction", _transaction, "`transaction statement` or `transaction segment`"),
    "repeatable": ("repeatable", _nothing, "`repeatable`, without a value"),
    "timeout": ("timeout", _duration, "`timeout 30s` (units: ms, s, m, h)"),
    "cypher": ("cypher", _language, "`cypher 5` or `cypher 25`"),
    "retry": ("retry", _retries, "`retry 3`"),
}
OPTION_WORDS = tuple(_WORDS)

_MAY_HOLD = re.compile(r"assert|assume|graph-?migrate|\bthat\b|\bq\s*'", re.IGNORECASE)
_MODE = re.compile(r"(assert|assume)\s+(?:in\s+(target|schema)\s+)?(?:(that)\b|q\s*')\s*", re.IGNORECASE)
_ALMOST_MODE = re.compile(r"(\w+)\b(?:\s+that\s+(?:edition|version)\s+is\b|.*\bq\s*')", re.IGNORECASE)
_OPTIONS = re.compile(r"graph-?migrate\s*:", re.IGNORECASE)
_OPTIONS_WITHOUT_COLON = re.compile(rf"graph-?migrate\s+(?:{'|'.join(OPTION_WORDS)})\b", re.IGNORECASE)
_EDITION = re.compile(r"edition\s+is\s+(community|enterprise)\s*\.?", re.IGNORECASE)
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})*"
_OR = r"(?:\s*,\s*(?:or\s+)?|\s+or\s+)"
_VERSION = re.compile(
    rf"version\s+(?:is\s+)?(?:(ge|lt)\s+({_NUMBER})|({_NUMBER}(?:{_OR}{_NUMBER})*))\s*\.?", re.IGNORECASE
)
_FORMS = (
    "Write `// assert that edition is enterprise`, `// assume that version is 5.26 or 2026.05`, "
    "`// assert that version is ge 5.26` or `// assert q' RETURN true`."
)


class Comment(Value):
    """A comment's words, stripped of its slashes, with where its line begins and where they begin."""

    words: str
    start: int
    words_start: int
    is_line: bool


def read_header(source: str, file: str, first_statement: int) -> tuple[Header, tuple[Problem, ...]]:
    """Read the header lines before offset ``first_statement``, and what is wrong with them; such lines after it are problems."""
    reader = _Reader(source, file)
    for comment in _header_comments(source):
        if comment.start > first_statement:
            message = (
                "This header line stands after the first statement has begun, where it would have no effect."
            )
            reader.wrong(message, "Move it to the top of the file.", reader.place(comment.start))
        elif not comment.is_line:
            message = "Headers are // lines; in a /* */ comment they have no effect."
            hint = "Write it as a // line, or word the comment otherwise."
            reader.wrong(message, hint, reader.place(comment.start))
        else:
            reader.read(comment)
    return reader.result()


def _header_comments(source: str) -> Iterator[Comment]:
    """Yield every comment that is, or was meant as, a header line."""
    if not _MAY_HOLD.search(source):
        return
    for section in sections(decode(source)):
        if section.kind is TokenKind.COMMENT:
            text = source[section.start : section.end]
            lead = re.match(r"//[/!\s]*|/\*[*\s]*", text)
            skipped = lead.end() if lead else 0
            words = text[skipped:].removesuffix("*/").rstrip()
            if _is_meant(words):
                yield Comment(words, section.start, section.start + skipped, text.startswith("//"))


def _is_meant(words: str) -> bool:
    """Tell a header from prose: ``assert nothing breaks`` is prose, ``assert that …`` is not."""
    if _MODE.match(words) or _OPTIONS.match(words) or _OPTIONS_WITHOUT_COLON.match(words):
        return True
    almost = _ALMOST_MODE.match(words)
    return bool(almost and closest(almost.group(1).lower(), ["assert", "assume"]))


def _ends_with_its_quote(query: str) -> bool:
    """Whether a query would be whole without the quote that closes it, as in ``q'RETURN true'``."""
    bare = query.rstrip("; ").removesuffix("'")
    return bare != query.rstrip("; ") and not scan(bare, "")[1]


class _Reader:
    """Collects conditions and option words over several header lines."""

    def __init__(self, source: str, file: str) -> None:
        self._source = source
        self._file = file
        self._conditions: list[Condition] = []
        self._option_texts: list[tuple[str, Place]] = []
        self._problems: list[Problem] = []

    def read(self, comment: Comment) -> None:
        mode = _MODE.match(comment.words)
        options = _OPTIONS.match(comment.words)
        place = self.place(comment.words_start)
        if mode and (mode.group(2) or "").lower() == "schema":
            message = "This condition asks the database of the history, which is no other one here."
            hint = "Delete `in schema`: the database that is migrated holds the history, too."
            self.wrong(message, hint, place)
        elif mode and mode.group(3):
            self._read_that(mode.group(1), comment.words[mode.end() :], place)
        elif mode:
            self._read_query(mode.group(1), comment, mode.end())
        elif options:
            self._option_texts.append((comment.words[options.end() :], place))
        elif comment.words.lower().startswith("graph"):
            hint = "Write `// graphmigrate: batch 10000`."
            self.wrong("A colon is missing after `graphmigrate`.", hint, place)
        else:
            self._refuse(comment.words, place)

    def result(self) -> tuple[Header, tuple[Problem, ...]]:
        options, problems = _read_options(self._option_texts)
        return Header(tuple(self._conditions), options), (*self._problems, *problems)

    def wrong(self, message: str, hint: str | None, place: Place, code: str = "GM124") -> None:
        self._problems.append(Problem(code, message, hint, place))

    def place(self, offset: int) -> Place:
        return place_at(self._file, self._source, offset)

    def _read_that(self, mode: str, rest: str, place: Place) -> None:
        edition = _EDITION.fullmatch(rest)
        version = _VERSION.fullmatch(rest)
        if edition:
            self._add(mode, "edition", "is", edition.group(1).lower(), place)
        elif version and version.group(1):
            self._add(mode, "version", version.group(1).lower(), version.group(2), place)
        elif version:
            self._add(mode, "version", "is", " or ".join(re.findall(_NUMBER, version.group(3))), place)
        else:
            self._refuse(f"{mode} that {rest}".rstrip(), place)

    def _read_query(self, mode: str, comment: Comment, skipped: int) -> None:
        query = comment.words[skipped:]
        place = self.place(comment.words_start + skipped)
        statements, problems = scan(query, self._file)
        if problems and _ends_with_its_quote(query):
            message = f"The query of this {mode.lower()} reaches to the end of the line; no ' closes it."
            hint = "Delete the ' at its end, e.g. `// assert q' RETURN true`."
            self.wrong(message, hint, place)
        elif problems:
            self.wrong(problems[0].message, problems[0].hint, place, problems[0].code)
        elif len(statements) != 1:
            what = "has no query" if not statements else "holds several statements"
            hint = "Write one query that returns one boolean, e.g. `// assert q' RETURN true`."
            self.wrong(f"This {mode.lower()} {what}.", hint, place)
        elif kind_of(statements[0].text) is not Kind.DATA or parameters(statements[0].text):
            hint = "It must be a plain query that returns one boolean, without parameters."
            self.wrong(f"This {mode.lower()} cannot be run as a check.", hint, place)
        else:
            self._add(mode, "query", "is", statements[0].text, place)

    def _add(self, mode: Any, subject: Any, operator: Any, value: str, place: Place) -> None:
        self._conditions.append(Condition(mode.lower(), subject, operator, value, place))

    def _refuse(self, words: str, place: Place) -> None:
        shown = words if len(words) <= 80 else words[:80] + "…"
        self.wrong(f"This condition is not understood: {shown!r}.", _FORMS, place)


def _read_options(lines: Iterable[tuple[str, Place]]) -> tuple[Options, tuple[Problem, ...]]:
    """Read all option lines of one migration: each is the text after the colon, and its place."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for line, place in lines:
        for item in line.split(","):
            problem = _read_item(item.strip(), found, place)
            if problem:
                problems.append(problem)
    if "max_batches" in found and "batch" not in found and not problems:
        place = next(place for line, place in lines if "max-batches" in line.lower())
        message = "`max-batches` has no effect without `batch`."
        problems.append(Problem("GM124", message, "Add `batch 10000`, or delete it.", place))
    return Options(**found), tuple(problems)


def _read_item(item: str, found: dict[str, Any], place: Place) -> Problem | None:
    """Add one item to ``found``, or say what is wrong with it."""
    word, _, value = re.sub(r"[\s=:]+", " ", item).partition(" ")
    known = _WORDS.get(word.lower().replace("_", "-"))
    if known is None:
        return _unknown(word, place)
    name, read, right = known
    if name in found:
        return Problem("GM124", f"`{word}` is said twice.", "Delete one of them.", place)
    parsed = read(value)
    if parsed is None:
        message = f"`{value}` is no value for `{word}`." if value else f"`{word}` needs a value."
        return Problem("GM124", message, f"Write {right}.", place)
    found[name] = parsed
    return None


def _unknown(word: str, place: Place) -> Problem:
    if not word:
        return Problem("GM124", "An option is missing here.", f"Known are {', '.join(OPTION_WORDS)}.", place)
    close = closest(word.lower(), OPTION_WORDS)
    hint = f"Did you mean `{close}`?" if close else f"Known are {', '.join(OPTION_WORDS)}."
    return Problem("GM124", f"`{word}` is not an option of graphmigrate.", hint, place)

"""Split a file into statements: a semicolon in quotes, backticks or comments ends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.cypher.client import Client, refusal
from graphmigrate.cypher.kinds import kind_of
from graphmigrate.cypher.lexer import WHITESPACE, Token, TokenKind, decode, parameters, sections
from graphmigrate.cypher.model import Statement, place_at
from graphmigrate.cypher.reader import significant
from graphmigrate.errors import Problem, ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNTERMINATED = {
    "'": ("GM102", "This string has no closing '.", "Close it; an apostrophe inside '…' is written \\'."),
    '"': ("GM102", 'This string has no closing ".', 'Close it; a quotation mark inside "…" is written \\".'),
    "`": ("GM102", "This name has no closing backtick.", "Close it; a backtick inside `…` is written twice."),
    "/*": ("GM102", "This comment has no closing */.", "Close it; comments do not nest."),
}


def split(source: str, file: str) -> tuple[Statement, ...]:
    r"""Return the statements of ``source``; ``file`` is the name shown in places.

    A byte-order mark is dropped and CRLF becomes LF, in ``Statement.source`` and all offsets. Pieces of white
    space and comments are no statements. Raises ProjectError, with every problem, where ``scan`` finds any.

    >>> [(each.text, each.place.line) for each in split("CREATE (:A {t: ';'});\n// one more\nRETURN 1;", "a.cypher")]
    [("CREATE (:A {t: ';'})", 1), ('RETURN 1', 3)]
    """
    statements, problems = scan(source, file)
    if problems:
        first = problems[0]
        raise ProjectError(
            first.message, hint=first.hint, place=first.place, code=first.code, problems=problems
        )
    return statements


def scan(
    source: str, file: str, client: Client | None = None
) -> tuple[tuple[Statement, ...], tuple[Problem, ...]]:
    """Do the work of ``split``, with the problems as values beside the statements that could be read.

    With ``client`` the file may hold the client commands that it takes.
    """
    scanner = _Scanner(normalise(source), file, client)
    statements = tuple(scanner.run())
    return statements, tuple(sorted(scanner.problems, key=in_order))


def normalise(source: str) -> str:
    """Drop a byte-order mark and read CRLF as LF, so that a file means the same on every machine."""
    return source.removeprefix("\ufeff").replace("\r\n", "\n")


def in_order(problem: Problem) -> tuple[int, int]:
    """Return by what problems of one file are sorted: their place."""
    return (problem.place.line, problem.place.column) if problem.place else (0, 0)


class _Scanner:
    """One pass over the sections of a file; it starts anew after the line of a client command."""

    def __init__(self, source: str, file: str, client: Client | None) -> None:
        self.source = source
        self._client = client
        self.file = file
        self.problems: list[Problem] = []
        self._decoded = decode(source)
        self._begin = self._end = -1  # of the statement at hand, in the source; -1 before its first token

    def run(self) -> Iterator[Statement]:
        offset = 0
        while offset < len(self._decoded.text):
            for section in sections(self._decoded, offset):
                command_end = self._after_client_command(section, offset)
                if command_end is not None:
                    offset = command_end
                    break
                offset += len(section.text)
                if section.kind is TokenKind.SEPARATOR:
                    yield from self._statement(terminated=True)
                else:
                    self._extend(section)
        yield from self._statement(terminated=False)

    def _extend(self, section: Token) -> None:
        """Let the statement reach to the end of this section, comments and outer white space aside."""
        if section.kind is TokenKind.COMMENT:
            return
        start, end = section.start, section.end
        if section.kind is TokenKind.CODE:
            span = self._code_span(section)
            if span is None:
                return
            start, end = span
        elif section.kind is TokenKind.UNTERMINATED:
            self._report_unterminated(section)
        if self._begin < 0:
            self._begin = start
        self._end = end

    def _code_span(self, section: Token) -> tuple[int, int] | None:
        """Return where the code of a section begins and ends in the source; None for white space only."""
        if section.end - section.start == len(section.text):
            text, begin = section.text, section.start
            first = len(text) - len(text.lstrip(WHITESPACE))
            return (begin + first, begin + len(text.rstrip(WHITESPACE))) if first < len(text) else None
        found = significant(self.source[section.start : section.end])
        return (section.start + found[0].start, section.start + found[-1].end) if found else None

    def _statement(self, *, terminated: bool) -> Iterator[Statement]:
        begin, end, self._begin, self._end = self._begin, self._end, -1, -1
        if begin < 0:
            return
        self._report_escapes(begin, end)
        text = self.source[begin:end]
        known = self._client.values if self._client else {}
        values = (
            {each.name: known[each.name] for each in parameters(text) if each.name in known} if known else {}
        )
        yield Statement(text, self.file, self.source, begin, kind_of(text), terminated, parameters=values)

    def _after_client_command(self, section: Token, offset: int) -> int | None:
        """Follow or report a line such as ``:use neo4j``, and give the decoded offset after it; else None."""
        if self._begin >= 0 or section.kind is not TokenKind.CODE:
            return None
        code = section.text.lstrip(WHITESPACE)
        if not code.startswith(":"):
            return None
        text = self._decoded.text
        begin = offset + len(section.text) - len(code)
        end = text.find("\n", begin)
        end = len(text) if end < 0 else end
        line, at = text[begin:end], self._decoded.source_offset(begin)
        refused = self._client.take(line, at) if self._client else refusal(line)
        if refused:
            self._report("GM106", refused.message, refused.hint, at)
        return end

    def _report_unterminated(self, section: Token) -> None:
        opening = section.text[:2] if section.text.startswith("/") else section.text[0]
        code, message, hint = _UNTERMINATED[opening]
        self._report(code, message, hint, section.start)

    def _report_escapes(self, begin: int, end: int) -> None:
        for offset in self._decoded.invalid:
            if begin <= offset < end:
                message = "\\u must be followed by four hexadecimal digits, in comments too."
                hint = "Write the backslash twice where the text itself is meant, e.g. C:\\\\users."
                self._report("GM102", message, hint, offset)

    def _report(self, code: str, message: str, hint: str, offset: int) -> None:
        self.problems.append(Problem(code, message, hint, place_at(self.file, self.source, offset)))

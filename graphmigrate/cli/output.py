"""What a command prints: results on standard output, all else on standard error, and never a secret."""

from __future__ import annotations

import codecs
import logging
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any, TextIO

from graphmigrate.cli.render.json import FORMAT, encode, error_object, plain
from graphmigrate.cli.render.secrets import masked, masked_values
from graphmigrate.cli.render.style import Style, clean_lines, error_lines, problem_lines
from graphmigrate.errors import GraphMigrateError, Problem
from graphmigrate.log import JsonFormatter

if TYPE_CHECKING:
    from collections.abc import Callable

# Shorter ones are ordinary words. Results hold more of those than messages do, and Neo4j wants 8 characters anyway.
SHORTEST_SECRET = 4
SHORTEST_IN_RESULTS = 8
_OURS = logging.getLogger("graphmigrate")
_CLI = logging.getLogger("graphmigrate.cli")
_DRIVER = logging.getLogger("neo4j")
LOG_LINE = "%(asctime)s %(name)s %(levelname)s %(message)s"


class OutputFailed(GraphMigrateError):
    """Standard output or standard error could not be written."""

    code = "GM167"


class Output:
    """The printing half of a command line.

    ``given`` holds the shared options, from the command line or the environment; ``secrets`` what must not be printed;
    ``told`` the findings that were shown. ``answered`` says whether the one JSON object is out.
    """

    def __init__(self, given: dict[str, Any] | None = None) -> None:
        self.given = {} if given is None else given
        self.secrets: list[str] = []
        self.told: set[Problem] = set()
        self.answered = False
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a terminal without UTF-8 must not turn a name into a crash
                stream.reconfigure(errors="backslashreplace")

    @property
    def format(self) -> str:
        """Return how results are printed: one of ``OUTPUTS``."""
        return str(self.given.get("output", "text"))

    @property
    def json(self) -> bool:
        """Return whether results are printed as JSON."""
        return self.format == "json"

    @property
    def quiet(self) -> bool:
        """Return whether only errors and results are printed."""
        return bool(self.given.get("quiet"))

    @property
    def debug(self) -> bool:
        """Return whether stack traces are shown."""
        return bool(self.given.get("debug"))

    @property
    def log_format(self) -> str | None:
        """Return how events are logged on standard error; None where they are told to a person instead."""
        return self.given.get("log_format") or ("text" if "log_level" in self.given else None)

    @property
    def log_level(self) -> str:
        """Return the least level that is logged."""
        return "debug" if self.debug else self.given.get("log_level") or ("error" if self.quiet else "info")

    # ---- printing

    def result(
        self,
        value: object,
        lines: Callable[[Style], list[str]],
        **others: Callable[[], list[str]],
    ) -> None:
        """Print a command's result: lines of text, one JSON object, or in one of the ``others``, by the format's name."""
        self.answered = self.format != "text"
        if self.json:
            self._print(sys.stdout, self.encoded({"format": FORMAT, **plain(value)}, sys.stdout))
        elif text := others[self.format]() if self.format in others else lines(Style.of(sys.stdout)):
            self.write(sys.stdout, "\n".join(text))

    def say(self, text: str) -> None:
        """Tell a person something, unless ``--quiet``; or log it."""
        if self.log_format:
            self.set_up_logging()
            for line in filter(None, map(str.strip, text.splitlines())):
                _CLI.info("%s", line)
        elif not self.quiet:
            self.write(sys.stderr, clean_lines(text))

    def warn(self, problem: Problem) -> None:
        """Tell about a finding once, unless ``--quiet``; or log it."""
        if problem in self.told:
            return
        self.told.add(problem)
        if self.log_format:
            self.set_up_logging()
            _CLI.warning("%s", problem, extra={"problem": problem})
        elif not self.quiet:
            self.write(sys.stderr, "\n".join(problem_lines(problem, Style.of(sys.stderr))))

    def fail(self, ours: GraphMigrateError, error: BaseException) -> None:
        """Print what ended the command: as text or log lines, and as an object or Markdown where results are."""
        if self.log_format:
            self._log_error(ours, error)
        else:
            if self.debug:
                self.write(sys.stderr, clean_lines("".join(traceback.format_exception(error)).rstrip()))
            self.write(sys.stderr, "\n".join(error_lines(ours, Style.of(sys.stderr))))
        if self.format != "text" and not self.answered:
            self._answer(ours)
            self.answered = True

    def _answer(self, ours: GraphMigrateError) -> None:
        """Print an error where the result would be."""
        from graphmigrate.cli.render import ci, markdown

        if self.json:
            self._print(sys.stdout, self.encoded(error_object(ours), sys.stdout, message=True))
            return
        found = ci.of_error(ours)
        made = {"markdown": lambda: markdown.error(ours), "github": lambda: ci.workflow_commands(found)}
        lines = made.get(self.format, lambda: ci.junit("graphmigrate", (), found))()
        self.write(sys.stdout, self.mask("\n".join(lines)))

    def write(self, stream: TextIO | None, text: str) -> None:
        """Print lines without secrets; a reader that has gone away (``| head``) ends the printing, not the work.

        Raises OutputFailed where they cannot be written for another reason.
        """
        self._print(stream, self.mask(text, SHORTEST_IN_RESULTS if stream is sys.stdout else SHORTEST_SECRET))

    def _print(self, stream: TextIO | None, text: str) -> None:
        if stream is None:  # a closed standard error (2>&-)
            return
        try:
            print(text, file=stream, flush=True)
        except OSError as error:
            _abandon(stream)
            if not isinstance(error, BrokenPipeError):
                message = f"The output cannot be written: {error.strerror}."
                raise OutputFailed(message, hint="Is the disk full?") from None

    # ---- secrets

    def mask(self, text: str, shortest: int = SHORTEST_SECRET) -> str:
        """Return the text without the known secrets of that length and the passwords in administration commands."""
        return masked(text, [each for each in self.secrets if len(each) >= shortest])

    def encoded(
        self, value: object, stream: TextIO | None, *, message: bool = False, indent: int | None = 2
    ) -> str:
        """Return JSON for this stream, without secrets; ``message``: it is no result, and may quote Cypher."""
        shortest = SHORTEST_SECRET if message else SHORTEST_IN_RESULTS
        secrets = [each for each in self.secrets if len(each) >= shortest]
        whole = masked_values(plain(value), secrets, anywhere=message)
        encoding = getattr(stream, "encoding", None)
        utf8 = encoding is None or codecs.lookup(encoding).name == "utf-8"
        return encode(whole, ascii_only=not utf8, indent=indent)

    # ---- logging, for --log-format, --log-level and --debug

    def set_up_logging(self) -> None:
        """Show on standard error what is logged, where that was asked for; else silence the driver. Done once.

        What the driver warns about reaches a person as an error of ours.
        """
        if any(isinstance(each.formatter, Masking) for each in _OURS.handlers):
            return
        if not (self.debug or self.log_format):
            _DRIVER.addHandler(logging.NullHandler())
            return
        logging.raiseExceptions = False  # of a line that cannot be written, the arguments would be printed
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(Masking(self))
        level = getattr(logging, self.log_level.upper(), logging.DEBUG)
        for logger in (_OURS, _DRIVER):
            logger.addHandler(handler)
        _OURS.setLevel(level)
        _DRIVER.setLevel(max(level, logging.WARNING))  # below that it logs the values of parameters

    def _log_error(self, ours: GraphMigrateError, error: BaseException) -> None:
        self.set_up_logging()
        itself = Problem(ours.error_code, ours.message, ours.hint, ours.place)
        for each in [*(each for each in ours.problems if each.message != ours.message), itself]:
            stack = error if self.debug and each is itself else None
            _CLI.error("%s", each, extra={"problem": each}, exc_info=stack)


class Masking(logging.Formatter):
    """Formats log lines as text or JSON, without secrets and without what would steer a terminal."""

    def __init__(self, output: Output) -> None:
        super().__init__(LOG_LINE)
        self._output = output
        self._json = JsonFormatter() if output.log_format == "json" else None

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        if self._json is None:
            return self._output.mask(clean_lines(super().format(record)))
        return self._output.encoded(self._json.values(record), sys.stderr, message=True, indent=None)


def flush() -> None:
    """Write out what is buffered, so that nothing fails after the exit code is known."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            _abandon(stream)


def _abandon(stream: TextIO) -> None:
    """Send what is still buffered nowhere, so that it does not fail again when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

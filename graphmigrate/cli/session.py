"""One command line's state: what was given, where output goes, how the façade is reached."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from graphmigrate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from graphmigrate.cli.render.style import Style
    from graphmigrate.config import Loaded, Settings
    from graphmigrate.errors import Problem
    from graphmigrate.migrator import Migrator

TRUE = frozenset({"1", "true", "yes", "on"})


class Session:
    """Made once for a command line; click hands it to every command.

    Results go to standard output, everything else to standard error. ``given`` holds the shared options that stand on the
    command line; ``secrets`` what must not be printed.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self.arguments = tuple(arguments)
        self.given: dict[str, Any] = {}
        self.secrets: list[str] = []
        self.told: set[Problem] = set()
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a terminal without UTF-8 must not turn a name into a crash
                stream.reconfigure(errors="backslashreplace")

    # What was asked for; known even where the command line could not be parsed.

    @property
    def json(self) -> bool:
        """Whether results are printed as JSON."""
        return bool(self._output() == "json")

    @property
    def quiet(self) -> bool:
        """Whether only errors and results are printed."""
        return self._flag("quiet", "--quiet", "-q")

    @property
    def debug(self) -> bool:
        """Whether stack traces are shown."""
        return self._flag("debug", "--debug")

    def _output(self) -> str | None:
        if "output" in self.given:
            return str(self.given["output"])
        said = None
        words = _before_dashes(self.arguments)
        for word, following in zip(words, [*words[1:], ""], strict=True):
            if word == "--output" or word.startswith("--output="):
                said = word.partition("=")[2] or following
        return said or os.environ.get("GRAPHMIGRATE_OUTPUT")

    def _flag(self, name: str, *options: str) -> bool:
        if name in self.given or any(each in _before_dashes(self.arguments) for each in options):
            return True
        return os.environ.get(f"GRAPHMIGRATE_{name.upper()}", "").lower() in TRUE

    # What is printed.

    def style(self, stream: TextIO) -> Style:
        """Give the colours and width that a stream allows."""
        from graphmigrate.cli.render.style import Style

        return Style.of(stream)

    def result(self, value: object, lines: Callable[[Style], list[str]]) -> None:
        """Print a command's result: one JSON object, or lines of text."""
        if self.json:
            from graphmigrate.cli.render.json import encode

            self.write(sys.stdout, encode(value))
        else:
            text = lines(self.style(sys.stdout))
            if text:
                self.write(sys.stdout, "\n".join(text))

    def say(self, text: str) -> None:
        """Tell a person something, unless ``--quiet``."""
        if not self.quiet:
            self.write(sys.stderr, text)

    def warn(self, problem: Problem) -> None:
        """Tell about a finding once, unless ``--quiet``."""
        if problem not in self.told and not self.quiet:
            from graphmigrate.cli.render.problems import problem_lines

            self.write(sys.stderr, "\n".join(problem_lines(problem, self.style(sys.stderr))))
        self.told.add(problem)

    def write(self, stream: TextIO, text: str) -> None:
        """Print a line; a reader that has gone away (``| head``) ends the printing, not the work."""
        try:
            print(text, file=stream, flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

    def redact(self, text: str) -> str:
        """Replace every known secret, also as it looks when quoted or written into a URI."""
        from urllib.parse import quote

        for secret in self.secrets:
            if len(secret) >= MINIMUM_SECRET:
                for shape in sorted({secret, repr(secret)[1:-1], quote(secret), quote(secret, "")}, key=len)[::-1]:
                    text = text.replace(shape, "***")
        return text

    def finish(self, code: int) -> int:
        """Flush what is printed; give the exit code."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return code

    # What the façade needs.

    def load(self, *, connect: bool = False) -> Loaded:
        """Read the settings, ask for the password where ``--password`` says so, and tell what is odd about them."""
        from graphmigrate.config import load

        flags = dict(self.given)
        if flags.pop("password", False) and connect:
            flags["password"] = _ask()
        loaded = load(flags, config=flags.get("config"), env_file=flags.get("env_file"), connect=connect)
        if loaded.settings.password:
            self.secrets.append(str(loaded.settings.password))
        for each in loaded.warnings:
            self.warn(each)
        return loaded

    def settings(self, *, connect: bool = True) -> Settings:
        """Give the settings; with ``connect`` they name a database, the project's local one where none was given."""
        loaded = self.load(connect=connect)
        if not connect or loaded.settings.uri:
            return loaded.settings
        from graphmigrate.cli.local import local_settings

        settings = local_settings(loaded)
        if settings.password:
            self.secrets.append(str(settings.password))
        self.say(f"Using the project's local Neo4j at {settings.uri} (no NEO4J_URI is set).")
        return settings

    @contextmanager
    def migrator(self, *, connect: bool = True) -> Iterator[Migrator]:
        """Open the façade with progress shown on standard error."""
        from graphmigrate.migrator import Migrator

        settings = self.settings(connect=connect)
        if self.debug:
            from graphmigrate.cli.failures import log_to_stderr

            log_to_stderr(self)
        from graphmigrate.cli.render.progress import progress

        with progress(self) as listen, Migrator(settings, listen=listen) as migrator:
            yield migrator


MINIMUM_SECRET = 4


def _before_dashes(arguments: tuple[str, ...]) -> tuple[str, ...]:
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _ask() -> str:
    if not sys.stdin.isatty():
        raise UsageError(
            "--password asks for the password, but there is no terminal to ask on.",
            hint="Use NEO4J_PASSWORD or --password-file (/dev/stdin works).",
            code="GM153",
        )
    from getpass import getpass

    return getpass("Neo4j password: ", sys.stderr)

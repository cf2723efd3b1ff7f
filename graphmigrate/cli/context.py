"""One command line's state: what was given, where output goes, how the façade is reached."""

from __future__ import annotations

import codecs
import gc
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from graphmigrate.errors import GraphMigrateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from graphmigrate.cli.render.style import Style
    from graphmigrate.errors import Problem
    from graphmigrate.migrator import Migrator
    from graphmigrate.settings import Loaded, Settings

# Shorter ones are ordinary words. Results hold more of those than messages do, and Neo4j wants 8 characters anyway.
SHORTEST_SECRET = 4
SHORTEST_IN_RESULTS = 8
_OBJECTS_AT_WORK = (
    10_000  # new ones between two looks for garbage; Python's own number makes a long history slow
)
TRUE = frozenset({"1", "true", "yes", "on"})


class CliContext:
    """Made once for a command line; click hands it to every command.

    Results go to standard output, everything else to standard error. ``given`` holds the shared options that
    stand on the command line; ``secrets`` what must not be printed; ``answered`` says whether the one JSON object is out.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self.arguments = tuple(arguments)
        self.given: dict[str, Any] = {}
        self.secrets: list[str] = []
        self.answered = False
        self.folder: Path | None = None
        self.loaded: Loaded | None = None
        self.target: Settings | None = None
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
    def markdown(self) -> bool:
        """Whether results are printed as Markdown."""
        return bool(self._output() == "markdown")

    @property
    def quiet(self) -> bool:
        """Whether only errors and results are printed."""
        return self._flag("quiet", "--quiet", "-q")

    @property
    def debug(self) -> bool:
        """Whether stack traces are shown."""
        return self._flag("debug", "--debug")

    @property
    def log_format(self) -> str | None:
        """How what happens is logged on standard error; None: it is told to a person instead."""
        return self._said("log-format") or ("text" if self._said("log-level") else None)

    @property
    def log_level(self) -> str:
        """The least that is logged."""
        return "debug" if self.debug else self._said("log-level") or ("error" if self.quiet else "info")

    def _output(self) -> str | None:
        return self._said("output")

    def _said(self, name: str) -> str | None:
        """Give the value of a shared option, even where the command line could not be parsed; else the environment's."""
        key = name.replace("-", "_")
        if key in self.given:
            return str(self.given[key])
        said = None
        words = _before_dashes(self.arguments)
        for word, following in zip(words, (*words[1:], ""), strict=False):
            if word == f"--{name}" or word.startswith(f"--{name}="):
                said = word.partition("=")[2] or following
        return said or os.environ.get(f"GRAPHMIGRATE_{key.upper()}") or None

    def _flag(self, name: str, *options: str) -> bool:
        if name in self.given or any(each in _before_dashes(self.arguments) for each in options):
            return True
        return os.environ.get(f"GRAPHMIGRATE_{name.upper()}", "").lower() in TRUE

    # What is printed.

    def style(self, stream: TextIO) -> Style:
        """Give the colours and width that a stream allows."""
        from graphmigrate.cli.render.style import Style

        return Style.of(stream)

    def check_output(self, command: str | None) -> None:
        """Refuse a form of output that this command lacks, before it does anything; raises UsageError (GM150)."""
        from graphmigrate.cli.options import WITH_MARKDOWN

        able = command in WITH_MARKDOWN or "--dry-run" in self.arguments
        if self.markdown and command is not None and not able:
            raise UsageError(
                f"{command!r} has no Markdown output.",
                hint=f"These have: {', '.join(WITH_MARKDOWN)}. For programs: --output json",
                code="GM150",
            )

    def result(
        self,
        value: object,
        lines: Callable[[Style], list[str]],
        markdown: Callable[[], list[str]] | None = None,
    ) -> None:
        """Print a command's result: one JSON object, Markdown where the command has it, or lines of text."""
        if self.markdown and markdown is not None:
            self.write(sys.stdout, "\n".join(markdown()))
        elif self.json:
            self.write_object(value)
        else:
            text = lines(self.style(sys.stdout))
            if text:
                self.write(sys.stdout, "\n".join(text))

    def say(self, text: str) -> None:
        """Tell a person something, unless ``--quiet``; or log it."""
        if self.log_format:
            from graphmigrate.cli.logs import log_text

            log_text(text, self)
        elif not self.quiet:
            from graphmigrate.cli.render.style import clean_lines

            self.write(sys.stderr, clean_lines(text))

    def warn(self, problem: Problem) -> None:
        """Tell about a finding once, unless ``--quiet``; or log it."""
        if self.log_format and problem not in self.told:
            from graphmigrate.cli.logs import log_problem

            log_problem(problem, self)
        elif problem not in self.told and not self.quiet:
            from graphmigrate.cli.render.problems import problem_lines

            self.write(sys.stderr, "\n".join(problem_lines(problem, self.style(sys.stderr))))
        self.told.add(problem)

    def write(self, stream: TextIO | None, text: str) -> None:
        """Print lines without secrets; a reader that has gone away (``| head``) ends the printing, not the work.

        Raises OutputFailed (GM167) where they cannot be written for another reason.
        """
        self._print(
            stream, self.redact(text, SHORTEST_IN_RESULTS if stream is sys.stdout else SHORTEST_SECRET)
        )

    def write_object(self, value: object, *, message: bool = False) -> None:
        """Print the one JSON object of a command; raises as ``write`` does."""
        self._print(sys.stdout, self.encoded(value, sys.stdout, message=message))
        self.answered = True

    def _print(self, stream: TextIO | None, text: str) -> None:
        if stream is None:  # a closed standard error (2>&-)
            return
        try:
            print(text, file=stream, flush=True)
        except OSError as error:
            _abandon(stream)
            if not isinstance(error, BrokenPipeError):
                raise OutputFailed(
                    f"The output cannot be written: {error.strerror}.", hint="Is the disk full?"
                ) from None

    def redact(self, text: str, shortest: int = SHORTEST_SECRET) -> str:
        """Replace every known secret of that length, and the literal passwords of administration commands."""
        from graphmigrate.cli.render.redaction import redacted

        return redacted(text, self._secrets_from(shortest))

    def encoded(
        self, value: object, stream: TextIO | None, *, message: bool = False, indent: int | None = 2
    ) -> str:
        """Give JSON for this stream, its texts without secrets; ``message``: it is not a result, and may quote Cypher."""
        from graphmigrate.cli.render.json import encode, plain
        from graphmigrate.cli.render.redaction import redacted_values

        secrets = self._secrets_from(SHORTEST_SECRET if message else SHORTEST_IN_RESULTS)
        whole = redacted_values(plain(value), secrets, anywhere=message)
        return encode(whole, ascii_only=not _is_utf8(stream), indent=indent)

    def _secrets_from(self, shortest: int) -> list[str]:
        return [each for each in self.secrets if len(each) >= shortest]

    def finish(self, code: int) -> int:
        """Flush what is printed; give the exit code."""
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:
                    stream.flush()
            except OSError:
                _abandon(stream)
        return code

    # What the façade needs.

    def load(self, *, connect: bool = False) -> Loaded:
        """Read the settings, ask for the password where ``--password`` says so, and tell what is odd about them."""
        from pathlib import Path

        from graphmigrate.cli.options import LEVELS, LOG_FORMATS, OUTPUTS
        from graphmigrate.settings import load

        for name, allowed in (("output", OUTPUTS), ("log-format", LOG_FORMATS), ("log-level", LEVELS)):
            if self._said(name) not in {None, "", *allowed}:
                variable = f"GRAPHMIGRATE_{name.replace('-', '_').upper()}"
                raise UsageError(
                    f"{variable} must be {', '.join(allowed[:-1])} or {allowed[-1]}.", code="GM158"
                )
        flags = dict(self.given)
        if flags.pop("password", False) and connect:
            flags["password"] = _ask()
        config, env_file = (Path(flags[name]) if flags.get(name) else None for name in ("config", "env_file"))
        loaded = load(flags, config=config, env_file=env_file, connect=connect)
        if loaded.settings.password:
            self.secrets.append(str(loaded.settings.password))
        for each in loaded.warnings:
            self.warn(each)
        self.folder = loaded.folder
        self.loaded = loaded
        return loaded

    def settings(self, *, connect: bool | None = True) -> Settings:
        """Give the settings.

        With ``connect`` they name a database, the project's local one where none was given.

        ``None`` means a database if there is one.
        """
        loaded = self.load(connect=connect is not False)
        if connect is False or loaded.settings.uri:
            return loaded.settings
        from graphmigrate.cli.local import local_settings

        try:
            settings = local_settings(loaded)
        except UsageError:
            if connect is None:
                return loaded.settings
            raise
        if settings.password:
            self.secrets.append(str(settings.password))
        self.say(f"Using the project's local Neo4j at {settings.uri} (no NEO4J_URI is set).")
        return settings

    @contextmanager
    def migrator(self, *, connect: bool | None = True) -> Iterator[Migrator]:
        """Open the façade with progress shown on standard error; ``connect`` as in ``settings``."""
        from graphmigrate.migrator import Migrator

        settings = self.settings(connect=connect)
        from graphmigrate.cli.logs import set_up

        set_up(self)
        from graphmigrate.cli.render.listening import shown

        if connect is not False:
            import graphmigrate.database.connection  # noqa: F401 - the most of what is imported
        _keep_imported()
        self.target = settings
        with shown(self) as listen, Migrator(settings, listen=listen) as migrator:
            yield migrator


class OutputFailed(GraphMigrateError):
    """Standard output or standard error could not be written."""

    code = "GM167"


def _keep_imported() -> None:
    """Let the collector of garbage look at what a command makes from now on, and never at what was imported."""
    gc.freeze()
    gc.set_threshold(_OBJECTS_AT_WORK, *gc.get_threshold()[1:])


def _is_utf8(stream: TextIO | None) -> bool:
    """Whether a stream holds every character as JSON wants it; another's escapes are not those of JSON."""
    encoding = getattr(stream, "encoding", None)
    return encoding is None or codecs.lookup(encoding).name == "utf-8"


def _abandon(stream: TextIO) -> None:
    """Send what is still buffered nowhere, so that it does not fail again when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _before_dashes(arguments: tuple[str, ...]) -> tuple[str, ...]:
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _ask() -> str:
    if not sys.stdin.isatty():
        raise UsageError(
            "--password asks for the password, but there is no terminal to ask on.",
            hint="Use NEO4J_PASSWORD or --password-file (/dev/stdin works).",
            code="GM150",
        )
    from getpass import getpass

    return getpass("Neo4j password: ", sys.stderr)

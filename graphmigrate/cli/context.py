"""One command line: what it was given, what it prints, and how it reaches the project and the database."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphmigrate.cli.output import Output
from graphmigrate.cli.render.progress import progress
from graphmigrate.database.version import ORDER
from graphmigrate.errors import UsageError
from graphmigrate.settings import Secret, can_start_server, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphmigrate.migrator import Migrator
    from graphmigrate.server import Server
    from graphmigrate.settings import Loaded, Settings


class CliContext(Output):
    """Made once for a command line; click hands it to every command as its first argument."""

    def __init__(self, given: dict[str, Any] | None = None) -> None:
        super().__init__(given)
        self.loaded: Loaded | None = None
        self._project: Path | None = None

    @property
    def folder(self) -> Path:
        """Return the project's folder."""
        return (self.loaded.folder if self.loaded else Path()).absolute()

    def check_output(self, command: str, *others: str) -> None:
        """Raise UsageError where the output is neither text, JSON nor one of the ``others`` that this command has."""
        if self.format not in {"text", "json", *others}:
            hint = "Markdown: plan, status. GitHub and JUnit: plan, validate, seed check. Every command: --output json"
            raise UsageError(f"{command!r} has no {self.format} output.", hint=hint)

    def load(self, *, connect: bool = False) -> Loaded:
        """Read the settings, ask for the password where ``--password`` says so, and tell what is odd about them."""
        flags = dict(self.given)
        if flags.pop("password", False) and connect:
            flags["password"] = _ask()
        config, env_file = (Path(flags[name]) if flags.get(name) else None for name in ("config", "env_file"))
        self.loaded = load(flags, config=config, env_file=env_file, connect=connect)
        self._keep_secret(self.loaded.settings)
        ORDER.set(self.loaded.settings.version_order)
        if config is None and self.loaded.folder not in {Path(), self._project}:
            self._project = self.loaded.folder
            self.say(f"The project is in {self._project} (its configuration was found above this folder).")
        for each in self.loaded.warnings:
            self.warn(each)
        return self.loaded

    def settings(self, *, connect: bool | None = True) -> Settings:
        """Return the settings; with ``connect`` they name a database, the project's local one where none was given.

        ``connect=None`` means a database if there is one.
        """
        loaded = self.load(connect=connect is not False)
        if connect is False or loaded.settings.uri:
            return loaded.settings
        settings = self._local(loaded)
        if settings is None:
            if connect is None:
                return loaded.settings
            local = ", or start a local Neo4j with: graphmigrate server start" if can_start_server() else ""
            raise UsageError(
                f"No database was named, and no local server of the project in {self.folder} runs.",
                hint=f"Set NEO4J_URI (or --uri){local}",
                code="GM151",
            )
        self._keep_secret(settings)
        self.say(f"Using the project's local Neo4j at {settings.uri} (no NEO4J_URI is set).")
        return settings

    @contextmanager
    def migrator(self, *, connect: bool | None = True) -> Iterator[Migrator]:
        """Open the façade with progress shown on standard error; ``connect`` as in ``settings``."""
        from graphmigrate.migrator import Migrator

        settings = self.settings(connect=connect)
        self.set_up_logging()
        with progress(self) as listen, Migrator(settings, listen=listen) as migrator:
            yield migrator

    def _local(self, loaded: Loaded) -> Settings | None:
        """Return the settings of the project's local server, if one runs.

        Its own user and password are used: those in the environment belong to another server. Flags still win.
        """
        found = self.own_server()
        if found is None:
            return None
        settings = loaded.settings
        flags = {name for name, origin in loaded.origins.items() if origin.startswith("--")}
        username = settings.username if "username" in flags else found.username
        password = settings.password if "password" in flags else found.password
        secret = Secret(password) if password else None
        return replace(settings, uri=found.bolt_uri, username=username, password=secret, ca_file=None)

    def own_server(self, settings: Settings | None = None) -> Server | None:
        """Return the project's local server if it runs; with ``settings``, if it is the one that they name."""
        from graphmigrate.server import find

        found = find(self.folder)
        return found if found and (settings is None or found.bolt_uri == settings.uri) else None

    def _keep_secret(self, settings: Settings) -> None:
        if settings.password:
            self.secrets.append(str(settings.password))


def _ask() -> str:
    if not sys.stdin.isatty():
        raise UsageError(
            "--password asks for the password, but there is no terminal to ask on.",
            hint="Use NEO4J_PASSWORD or --password-file (/dev/stdin works).",
        )
    return getpass("Neo4j password: ", sys.stderr)

"""What a project knows about its server: the files under ``.graphmigrate/``.

``server.json`` describes the server that was started, ``server.lock`` is held while one starts or stops. A server's own
folder (``server``, or ``ephemeral``) holds its configuration, data, logs and password, so one ``rm -r`` removes them all.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from graphmigrate.server.model import HOST, USERNAME, Server, ServerFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphmigrate.server.model import Release, ServerOptions

FORMAT = 1


@dataclass(frozen=True, slots=True)
class State:
    """What ``server.json`` says. ``ready`` turns true with the first answered queries.

    ``pid`` and ``birth`` name the JVM, ``container`` the container, ``project`` the folder it was started for.
    """

    provider: str
    version: str
    port: int
    http_port: int
    auth: bool
    ephemeral: bool
    pid: int | None = None
    birth: str | None = None
    container: str | None = None
    ready: bool = False
    project: str = ""
    format: int = FORMAT

    def names_same(self, other: State) -> bool:
        """Return whether both are about one started server."""
        mine = (self.provider, self.port, self.pid, self.birth, self.container)
        return mine == (other.provider, other.port, other.pid, other.birth, other.container)


class Home:
    """A server's own folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path / "data"
        self.log_file = path / "logs" / "console.log"
        self.pid_file = (
            path / "neo4j.pid"
        )  # written by the shell that starts the JVM, before this process could die
        self.password_file = path / "password"  # readable by its owner only
        self.release_file = path / "release.json"  # the provider and version that last ran on the data

    def make(self) -> None:
        """Create the folder and what a server expects in it."""
        for each in (self.path, self.data, self.path / "logs", self.path / "conf", self.path / "import"):
            each.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)

    @property
    def has_data(self) -> bool:
        """Whether a server ran on this data, and so has given it its password."""
        return (self.data / "databases" / "system").exists()

    def password(self) -> str:
        """Return the password of this data; raises FileNotFoundError before it is made."""
        return self.password_file.read_text("ascii").strip()

    def make_password(self) -> str:
        """Return the password, made at the first call; hexadecimal, because a leading dash would look like an option."""
        if not self.password_file.exists():
            write_private(self.password_file, f"{secrets.token_hex(16)}\n")
        return self.password()

    def last_run(self) -> dict[str, str]:
        """Return the provider and version that last ran on the data; empty where none did."""
        try:
            found = json.loads(self.release_file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Launch:
    """One server about to be started, and the settings that both providers give to Neo4j."""

    release: Release
    options: ServerOptions
    home: Home
    port: int
    http_port: int

    @property
    def needs_password(self) -> bool:
        """Whether this data must get its password now: it can be set only before the first start.

        Lasting data gets one even with ``--no-auth``, because the next start may want it.
        """
        return (self.options.auth or not self.options.ephemeral) and not self.home.has_data

    def settings(self) -> dict[str, str]:
        """Return the settings of neo4j.conf that do not depend on the provider."""
        return {
            "server.bolt.advertised_address": f"{HOST}:{self.port}",
            "server.http.advertised_address": f"{HOST}:{self.http_port}",
            "server.memory.heap.max_size": self.options.heap,
            "server.memory.pagecache.size": self.options.page_cache,
            "server.http.enabled": "true" if self.options.http else "false",
            "dbms.security.auth_enabled": "true" if self.options.auth else "false",
            "dbms.usage_report.enabled": "false",
            "db.tx_log.preallocate": "false",  # a fresh folder then has 2 MB, not 516 MB
        }


class Folder:
    """The ``.graphmigrate`` folder of a project; ``state_file`` describes the server that was started."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.path = project / ".graphmigrate"
        self.state_file = self.path / "server.json"

    def home(self, *, ephemeral: bool) -> Home:
        """Return the folder of the lasting server, or of the ephemeral one."""
        return Home(self.path / ("ephemeral" if ephemeral else "server"))

    def make(self) -> None:
        """Create the folder, ignored by git; raises ServerFailed (GM167)."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            ignore = self.path / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", "ascii")
        except OSError as error:
            raise ServerFailed(
                f"The folder {self.path} cannot be written: {error.strerror}.",
                hint="The local server keeps its data there; run in a folder that is yours.",
                code="GM167",
            ) from error

    def read(self) -> State | None:
        """Return what is known about the started server; None where there is none, or the file belongs to another project."""
        state = self._written()
        return None if state is None or self._is_copied(state) else state

    def _written(self) -> State | None:
        try:
            content = json.loads(self.state_file.read_bytes())
        except (OSError, ValueError):
            return None
        try:
            return State(**content) if content["format"] == FORMAT else None
        except (TypeError, KeyError):
            return None

    def _is_copied(self, state: State) -> bool:
        """Return whether the file came here with a copy of its project, which still has that server; not after a move."""
        if state.project == str(self.project):
            return False
        named = Folder(Path(state.project))
        try:
            if named.state_file.samefile(self.state_file):
                return False
        except OSError:
            return False
        original = named._written()
        return original is not None and original.names_same(state)

    def write(self, state: State) -> None:
        """Replace what is known."""
        state = replace(state, project=state.project or str(self.project))
        write_private(self.state_file, json.dumps(asdict(state), indent=2) + "\n")

    def forget(self, state: State) -> None:
        """Remove the traces of a server that is gone; the data of an ephemeral one too."""
        self.state_file.unlink(missing_ok=True)
        home = self.home(ephemeral=state.ephemeral)
        home.pid_file.unlink(missing_ok=True)
        if state.ephemeral:
            shutil.rmtree(home.path, ignore_errors=True)

    def describe(self, state: State) -> Server:
        """Return the server as callers see it; reads the password."""
        home = self.home(ephemeral=state.ephemeral)
        in_container = state.provider == "docker"
        return Server(
            provider=state.provider,
            version=state.version,
            bolt_uri=f"bolt://{HOST}:{state.port}",
            http_url=f"http://{HOST}:{state.http_port}",
            username=USERNAME if state.auth else None,
            password=home.password() if state.auth else None,
            password_file=home.password_file if state.auth else None,
            data_dir=None if in_container and state.ephemeral else home.data,
            ephemeral=state.ephemeral,
            pid=state.pid,
            container=state.container,
            log_file=None if in_container else home.log_file,
        )

    @contextmanager
    def locked(self, timeout: float, tell: Callable[[str], None]) -> Iterator[None]:
        """Hold the project's server lock, which ends with its process; raises ServerFailed (GM193)."""
        self.make()
        lock = FileLock(self.path / "server.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            tell("Another 'graphmigrate server' command works in this project; waiting for it.")
            try:
                lock.acquire(timeout=timeout)
            except Timeout as error:
                raise ServerFailed(
                    f"Another 'graphmigrate server' command has worked here for more than {timeout:.0f} s.",
                    hint=f"See which process holds {self.path / 'server.lock'} (fuser), and end it.",
                    code="GM193",
                ) from error
        try:
            yield
        finally:
            lock.release()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)

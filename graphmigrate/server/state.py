"""What a project knows about its server: the files under ``.graphmigrate/``, and whether it still lives.

``server.json`` describes the server that was started, ``server.lock`` is held while one starts or stops. A server's own
folder (``server``, or ``ephemeral``) holds its configuration, data, logs and password, so that what belongs together is
deleted together.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from graphmigrate.server import ports, processes
from graphmigrate.server.errors import ServerFailed
from graphmigrate.server.model import HOST, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FORMAT = 1
USERNAME = "neo4j"


@dataclass(frozen=True, slots=True)
class State:
    """What ``server.json`` says. ``ready`` turns true with the first answered queries.

    ``pid`` and ``birth`` name the JVM, ``container`` the container, ``project`` the folder it was started for (not known
    where an older version wrote the file).
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
    project: str | None = None
    format: int = FORMAT

    def names_same(self, other: State) -> bool:
        """Say whether both are about one started server."""
        mine = (self.provider, self.port, self.pid, self.birth, self.container)
        return mine == (other.provider, other.port, other.pid, other.birth, other.container)


@dataclass(frozen=True, slots=True)
class Home:
    """A server's own folder."""

    path: Path

    @property
    def data(self) -> Path:
        """Where the databases are."""
        return self.path / "data"

    @property
    def log_file(self) -> Path:
        """What the server prints."""
        return self.path / "logs" / "console.log"

    @property
    def pid_file(self) -> Path:
        """Written by the process that starts the JVM, before this one could die."""
        return self.path / "neo4j.pid"

    @property
    def password_file(self) -> Path:
        """The generated password, readable by its owner only."""
        return self.path / "password"

    @property
    def release_file(self) -> Path:
        """Which provider and version last ran on the data."""
        return self.path / "release.json"

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
        """Give the password of this data; raises FileNotFoundError before it is made."""
        return self.password_file.read_text("ascii").strip()

    def make_password(self) -> str:
        """Give the password, made at first; hexadecimal, since one that begins with a dash would pass for an option."""
        if not self.password_file.exists():
            write_private(self.password_file, f"{secrets.token_hex(16)}\n")
        return self.password()

    def last_run(self) -> dict[str, str]:
        """Give the provider and version that last ran on the data; empty where none did."""
        try:
            found = json.loads(self.release_file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Folder:
    """The ``.graphmigrate`` folder of a project."""

    project: Path

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.project / ".graphmigrate"

    @property
    def state_file(self) -> Path:
        """Describes the server that was started."""
        return self.path / "server.json"

    def home(self, *, ephemeral: bool) -> Home:
        """Give the folder of the lasting server, or of the one that is thrown away."""
        return Home(self.path / ("ephemeral" if ephemeral else "server"))

    def make(self) -> None:
        """Create the folder, unseen by git; raises ServerFailed (GM167)."""
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
        """Give what is known about the started server; None where nothing (readable) is, or another project's."""
        state = self._written()
        return None if state is None or self._is_copied(state) else state

    def _written(self) -> State | None:
        try:
            content = json.loads(self.state_file.read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            return None
        known = {each.name for each in fields(State)}
        try:
            return State(**{name: value for name, value in content.items() if name in known})
        except TypeError:
            return None

    def _is_copied(self, state: State) -> bool:
        """Say whether the file came here with a copy of the project that it names, which still has that server.

        A folder that was moved keeps its server; so does one that is reached by another path, such as a link.
        """
        if state.project is None or state.project == str(self.project):
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
        """Remove the traces of a server that is gone, an ephemeral one's data among them."""
        self.state_file.unlink(missing_ok=True)
        home = self.home(ephemeral=state.ephemeral)
        home.pid_file.unlink(missing_ok=True)
        if state.ephemeral:
            shutil.rmtree(home.path, ignore_errors=True)

    def describe(self, state: State) -> Server:
        """Give the server as callers see it; reads the password."""
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
        """Hold the project's server lock, which dies with its process; raises ServerFailed (GM194)."""
        self.make()
        limit = time.monotonic() + timeout
        told = False
        with (self.path / "server.lock").open("ab") as file:
            while not _try_lock(file.fileno()):
                if time.monotonic() > limit:
                    raise ServerFailed(
                        f"Another 'graphmigrate server' command has worked here for more than {timeout:.0f} s.",
                        hint=f"See who holds {self.path / 'server.lock'} (fuser), and end that command.",
                        code="GM194",
                    )
                if not told:
                    tell("Another 'graphmigrate server' command works in this project; waiting for it.")
                    told = True
                time.sleep(0.05)
            yield


def find(project_dir: Path) -> Server | None:
    """Give the project's running server, None where there is none that answers queries yet.

    Takes a millisecond: reads the state file and looks at the process. For a container, Docker is asked, which takes 50.
    """
    folder = Folder(project_dir.absolute())
    state = folder.read()
    if state is None or not state.ready or not seems_alive(state):
        return None
    try:
        return folder.describe(state)
    except OSError:
        return None


def seems_alive(state: State) -> bool:
    """Say whether the started server lives; a Docker that does not answer is believed to run what listens on the port."""
    if state.provider == "docker":
        return ports.is_open(state.port) and _runs(state.container or "")
    return state.pid is not None and state.birth is not None and processes.is_same(state.pid, state.birth)


def _runs(container: str) -> bool:
    """Ask Docker: after the machine was started anew, a stranger's server may listen on the port."""
    from graphmigrate.server import docker

    try:
        return docker.is_running(container)
    except ServerFailed:
        return True


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

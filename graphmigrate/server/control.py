"""Starting and stopping the project's one server, however many callers want it at once."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from graphmigrate.errors import UsageError
from graphmigrate.server import docker, jvm, logs, ports, processes, ready, training
from graphmigrate.server.errors import ServerFailed
from graphmigrate.server.launch import Launch
from graphmigrate.server.state import Folder, State, seems_alive, write_private
from graphmigrate.server.versions import resolve, series

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from graphmigrate.server.model import Server, ServerOptions
    from graphmigrate.server.state import Home
    from graphmigrate.server.versions import Release

    Tell = Callable[[str], None]

_GRACE = 30.0
_LOOK_EVERY = 0.5
_LOCK_MARGIN = 1200.0  # the other start may be bringing jars or an image


def start(project_dir: Path, options: ServerOptions, tell: Tell) -> Server:
    """Start the project's server, or give the one that runs already (see ``graphmigrate.server.start``)."""
    options.check()
    release = resolve(options.version)
    folder = Folder(project_dir.absolute())
    with folder.locked(options.timeout + _LOCK_MARGIN, tell):
        state = _living(folder, tell)
        if state is None:
            return folder.describe(_start(folder, release, options, tell))
        _check_same(state, release, options)
        if not state.ready:
            tell("A server left by a start that died is coming up; waiting for it.")
            state = _wait(folder, state, options.timeout)
        server = folder.describe(state)
        tell(f"Neo4j {server.version} is already running at {server.bolt_uri}.")
        return server


def stop(project_dir: Path, tell: Tell) -> bool:
    """Stop the project's server (see ``graphmigrate.server.stop``)."""
    folder = Folder(project_dir.absolute())
    if not folder.path.is_dir():
        return False
    with folder.locked(_LOCK_MARGIN, tell):
        state = _living(folder, tell)
        if state is None:
            return False
        _end(folder, state)
        folder.forget(state)
    if state.provider == "jvm":
        training.begin(state.version)
    return True


def _living(folder: Folder, tell: Tell) -> State | None:
    """Give the started server where it lives; clear away what a dead one left. The lock is held."""
    state = folder.read()
    if state is None:
        return None
    if state.provider == "jvm":
        state = _found_again(folder, state)
        alive = seems_alive(state)
    else:
        state = replace(state, container=state.container or docker.container_name(folder))
        alive = _is_ours(folder, state) and docker.is_running(state.container or "")
    if alive:
        return state
    if state.ready:
        tell(
            f"The server that was started here ({state.provider}, port {state.port}) has died; clearing up after it."
        )
    if state.provider == "docker" and _is_ours(folder, state):
        docker.remove(state.container or "")
    folder.forget(state)
    return None


def _is_ours(folder: Folder, state: State) -> bool:
    """Ask whether the container was started for this project, wherever its folder was then; raises ServerFailed (GM193)."""
    return docker.owner(state.container or "") in {str(folder.project), state.project or str(folder.project)}


def _found_again(folder: Folder, state: State) -> State:
    """Find the JVM whose start died between starting it and writing down its number."""
    if state.pid is not None:
        return state
    home = folder.home(ephemeral=state.ephemeral)
    try:
        pid = int(home.pid_file.read_text("ascii"))
    except (OSError, ValueError):
        return state
    if str(home.path) not in processes.command_line(pid):
        return state
    return replace(state, pid=pid, birth=processes.birth(pid))


def _check_same(state: State, release: Release, options: ServerOptions) -> None:
    """Refuse to give a running server for another one that was asked for by name (GM194)."""
    differences = [
        f"{name} {wanted}, not {is_now}"
        for name, wanted, is_now in (
            ("version", options.version and release.series, series(state.version)),
            ("provider", options.provider, state.provider),
            ("port", options.port, state.port),
        )
        if wanted and wanted != is_now
    ]
    # Who asks for a server that is thrown away must not fill the one that is kept.
    if options.ephemeral and not state.ephemeral:
        differences.append("--ephemeral, not data that is kept")
    if not options.auth and state.auth:
        differences.append("--no-auth, not a password")
    if differences:
        raise UsageError(
            f"A server of this project runs already, and you asked for {' and '.join(differences)}.",
            hint="Stop it first: graphmigrate server stop",
            code="GM194",
        )


def _start(folder: Folder, release: Release, options: ServerOptions, tell: Tell) -> State:
    home = folder.home(ephemeral=options.ephemeral)
    if options.ephemeral:
        folder.forget(State("", "", 0, 0, auth=False, ephemeral=True))
    _check_data(home, release, options)
    bolt, http = ports.choose(options.port)
    launch = Launch(release, options, home, bolt, http)
    image = options.image or release.image
    provider = _provider(options, home, image, tell)
    try:
        return _launch(folder, launch, provider, image, tell)
    except _PortLost:
        if options.port:
            raise
        tell("Another process took the port meanwhile; trying another one.")
        bolt, http = ports.choose(0)
        return _launch(folder, replace(launch, port=bolt, http_port=http), provider, image, tell)


def _provider(options: ServerOptions, home: Home, image: str, tell: Tell) -> str:
    """Choose who runs the server: who was asked for, who made the data, Docker where it can, else a JVM."""
    wanted = options.provider or home.last_run().get("provider")
    if wanted == "docker":
        docker.require(image, tell)
    if wanted:
        return wanted
    reason = docker.unusable() or docker.missing_image(image, tell)
    if reason is None:
        return "docker"
    tell(f"Using a local JVM: {reason}.")
    return "jvm"


def _check_data(home: Home, release: Release, options: ServerOptions) -> None:
    """Refuse data of another version (GM180), or whose password is lost (GM193)."""
    made_by = home.last_run().get("version", release.version)
    if series(made_by) != release.series and not options.image:
        raise UsageError(
            f"The data in {home.path} was made by Neo4j {made_by}, and you asked for {release.version}.",
            hint=f"Go on with --neo4j-version {series(made_by)}, try {release.series} with --ephemeral, or delete that "
            f"folder to begin anew.",
            code="GM180",
        )
    if options.auth and home.has_data and not home.password_file.exists():
        raise UsageError(
            f"The data in {home.path} has a password, and the file that held it is gone: {home.password_file}.",
            hint="Put the file back, start with --no-auth, or delete that folder to begin anew.",
            code="GM193",
        )


def _launch(folder: Folder, launch: Launch, provider: str, image: str, tell: Tell) -> State:
    """Start and wait; whatever goes wrong, nothing that was started stays behind."""
    options = launch.options
    # Written first: if this process dies, the next start knows where to look for the server.
    begun = State(
        provider, launch.release.version, launch.port, launch.http_port, options.auth, options.ephemeral
    )
    folder.write(begun)
    state = begun
    try:
        state = (
            docker.launch(launch, folder, image, tell) if provider == "docker" else jvm.launch(launch, tell)
        )
        folder.write(state)
        return _wait(folder, state, options.timeout)
    except BaseException:
        _abandon(folder, state)
        raise


def _abandon(folder: Folder, state: State) -> None:
    if state.provider == "docker":
        docker.remove(state.container or docker.container_name(folder))
    else:
        state = _found_again(folder, state)
        if state.pid and state.birth:
            processes.end(state.pid, state.birth, grace=0)
    folder.forget(state)


def _wait(folder: Folder, state: State, timeout: float) -> State:
    """Wait for the first answers and write down that they came; raises ServerFailed."""
    home = folder.home(ephemeral=state.ephemeral)
    password = home.password() if state.auth else None
    try:
        version = ready.wait(ready.Waiting(state.port, password, timeout, _liveness(state)))
    except ready.Died as error:
        raise _why(folder, state, "ended while starting") from error
    except ready.TooSlow as error:
        raise _why(folder, state, f"did not answer within {timeout:.0f} s", "GM180") from error
    except ready.Refused as error:
        raise ServerFailed(
            f"The server does not take the password in {home.password_file}.",
            hint=f"Start with --no-auth, or delete {home.path} to begin anew.",
            code="GM193",
        ) from error
    done = replace(state, ready=True, version=version)
    write_private(home.release_file, json.dumps({"provider": state.provider, "version": version}) + "\n")
    folder.write(done)
    return done


def _liveness(state: State) -> Callable[[], bool]:
    """Ask whether the server lives, but do not run the docker program twenty times a second."""
    if state.provider == "jvm":
        return lambda: seems_alive(state)
    asked = [time.monotonic()]

    def alive() -> bool:
        if time.monotonic() - asked[0] < _LOOK_EVERY:
            return True
        asked[0] = time.monotonic()
        try:
            return docker.is_running(state.container or "")
        except ServerFailed:  # Docker is busy, which says nothing of the server; the time limit holds
            return True

    return alive


class _PortLost(ServerFailed):
    """Another process took the port between our choice and the server's start."""


def _why(folder: Folder, state: State, what: str, code: str = "GM180") -> ServerFailed:
    """Tell why a server did not come up, in its own words."""
    log = folder.home(ephemeral=state.ephemeral).log_file
    lines = docker.log_lines(state.container, 200) if state.container else logs.tail(log, 200)
    said = "\n".join(logs.telling_lines(lines)) or "(nothing)"
    lost = "already in use" in said
    where = f" The whole log: {log}" if not state.container and not state.ephemeral else ""
    hint = "Choose another port: --port 0" if lost else "More memory is given by --heap 1g." + where
    kind = _PortLost if lost else ServerFailed
    return kind(
        f"Neo4j ({state.provider}) {what}. It said:\n{said}", hint=hint, code="GM180" if lost else code
    )


def _end(folder: Folder, state: State) -> None:
    """End a living server: an ephemeral one at once, since its data is of no use."""
    if state.provider == "docker":
        container = state.container or docker.container_name(folder)
        docker.remove(container) if state.ephemeral else docker.stop(container)
        if docker.is_running(container):
            raise ServerFailed(
                f"The container {container[:12]} cannot be stopped: it does not end.",
                hint=f"End it by hand: docker rm --force {container}",
                code="GM193",
            )
        return
    if state.pid is None or state.birth is None:
        return
    grace = 0.0 if state.ephemeral else _GRACE
    try:
        gone = processes.end(state.pid, state.birth, grace=grace)
    except PermissionError as error:
        raise _not_stopped(state, "it belongs to another user") from error
    if not gone:
        raise _not_stopped(state, "it does not end")


def _not_stopped(state: State, reason: str) -> ServerFailed:
    return ServerFailed(
        f"The server with process number {state.pid} cannot be stopped: {reason}.",
        hint=f"End it by hand: kill -9 {state.pid}",
        code="GM193",
    )

"""Starting and stopping the project's one server, however many callers ask for it at once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from graphmigrate.errors import UsageError
from graphmigrate.server import docker, health, jvm, machine
from graphmigrate.server.model import ServerFailed, ServerOptions, resolve, series, stop_command
from graphmigrate.server.state import Folder, Launch, State, write_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from graphmigrate.server.model import Release, Server
    from graphmigrate.server.state import Home

    Tell = Callable[[str], None]

_GRACE = 120.0
_LOCK_MARGIN = 1200.0  # the other start may be downloading jars or an image


def _silence(_line: str) -> None:
    """Tell nobody."""


def start(project_dir: Path, options: ServerOptions | None = None, tell: Tell = _silence) -> Server:
    """Start the project's server, or return the one that runs already; returns when queries succeed.

    ``tell`` gets one line for each step that a person waits for. Several processes may call it at once: all get the same
    server. Raises UsageError (nothing was started) or ServerFailed.
    """
    options = options or ServerOptions()
    options.check()
    release = resolve(options.version)
    folder = Folder(project_dir.absolute())
    with folder.locked(options.timeout + _LOCK_MARGIN, tell):
        state = _running(folder, tell)
        if state is None:
            return folder.describe(_start(folder, release, options, tell))
        _check_same(state, release, options)
        if not state.ready:
            tell("A server is coming up whose start was interrupted; waiting for it.")
            state = _wait(folder, state, options.timeout)
        server = folder.describe(state)
        tell(f"Neo4j {server.version} is already running at {server.bolt_uri}.")
        return server


def stop(project_dir: Path, tell: Tell = _silence) -> bool:
    """Stop what ``start`` started for this project, and nothing else; returns whether a server ran.

    The data of an ephemeral server is deleted. Raises ServerFailed (GM193) where it does not end, or Docker does not
    say whether it runs.
    """
    folder = Folder(project_dir.absolute())
    if not folder.path.is_dir():
        return False
    with folder.locked(_LOCK_MARGIN, tell):
        state = _running(folder, tell)
        if state is None:
            return False
        _end(state)
        folder.forget(state)
    return True


def _running(folder: Folder, tell: Tell) -> State | None:
    """Return the started server where it lives; remove what a dead one left. The lock is held."""
    state = folder.read()
    if state is None:
        return None
    state = _found_again(folder, state)
    if docker.is_running(state.container) if state.container else health.runs(state):
        return state
    if state.ready:
        tell(
            f"The server that was started here ({state.provider}, port {state.port}) has died; clearing up after it."
        )
    if state.container:
        docker.remove(state.container)
    folder.forget(state)
    return None


def _found_again(folder: Folder, state: State) -> State:
    """Return the state with the JVM whose start died between starting it and writing down its number."""
    if state.container or state.pid is not None:
        return state
    home = folder.home(ephemeral=state.ephemeral)
    try:
        pid = int(home.pid_file.read_text("ascii"))
    except (OSError, ValueError):
        return state
    if str(home.path) not in machine.command_line(pid):
        return state
    return replace(state, pid=pid, birth=machine.birth(pid))


def _check_same(state: State, release: Release, options: ServerOptions) -> None:
    """Raise UsageError (GM193) where the running server is not the one that was asked for."""
    differences = [
        f"{name} {wanted}, not {is_now}"
        for name, wanted, is_now in (
            ("version", options.version and release.series, series(state.version)),
            ("provider", options.provider, state.provider),
            ("port", options.port, state.port),
        )
        if wanted and wanted != is_now
    ]
    # Work meant for a server that is thrown away must not fill the one that is kept.
    if options.ephemeral and not state.ephemeral:
        differences.append("--ephemeral, not data that is kept")
    if not options.auth and state.auth:
        differences.append("--no-auth, not a password")
    if differences:
        raise UsageError(
            f"A server of this project runs already, and you asked for {' and '.join(differences)}.",
            hint=f"Stop it first: {stop_command()}",
            code="GM193",
        )


def _start(folder: Folder, release: Release, options: ServerOptions, tell: Tell) -> State:
    home = folder.home(ephemeral=options.ephemeral)
    if options.ephemeral:
        folder.forget(State("", "", 0, 0, auth=False, ephemeral=True))
    _check_data(home, release, options)
    ports_chosen = machine.choose_ports(options.port)
    image = options.image or release.image
    provider = _provider(options, home, image, tell)
    try:
        return _launch(folder, Launch(release, options, home, *ports_chosen), provider, image, tell)
    except PortLost:
        if options.port:
            raise
        tell("Another process took the port meanwhile; trying another one.")
        return _launch(
            folder, Launch(release, options, home, *machine.choose_ports(0)), provider, image, tell
        )


def _provider(options: ServerOptions, home: Home, image: str, tell: Tell) -> str:
    """Return the provider that was asked for, or that made the data; else Docker where it can, else the JVM."""
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
    """Raise UsageError (GM180, GM193) for data of another version, or whose password is lost."""
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


def _launch(folder: Folder, plan: Launch, provider: str, image: str, tell: Tell) -> State:
    """Start and wait; after any error nothing that was started stays behind."""
    options = plan.options
    state = State(provider, plan.release.version, plan.port, plan.http_port, options.auth, options.ephemeral)
    if provider == "docker":
        state = replace(state, container=docker.container_name(folder))
    folder.write(state)  # if this process dies now, the next start knows where to look for the server
    try:
        if provider == "docker":
            state = replace(state, container=docker.launch(plan, folder, image, tell))
        else:
            pid = jvm.launch(plan, tell)
            state = replace(state, pid=pid, birth=machine.birth(pid))
        folder.write(state)
        return _wait(folder, state, options.timeout)
    except BaseException:
        _abandon(folder, state)
        raise


def _abandon(folder: Folder, state: State) -> None:
    if state.container:
        docker.remove(state.container)
    state = _found_again(folder, state)
    if state.pid and state.birth:
        machine.end(state.pid, state.birth, grace=0)
    folder.forget(state)


def _wait(folder: Folder, state: State, timeout: float) -> State:
    """Wait for the first answers and write down that they came; raises ServerFailed (GM180, GM193)."""
    home = folder.home(ephemeral=state.ephemeral)
    try:
        version = health.wait(state, home.password() if state.auth else None, timeout)
    except health.NotUp as error:
        raise _why(home, state, error.reason) from error
    done = replace(state, ready=True, version=version)
    write_private(home.release_file, json.dumps({"provider": state.provider, "version": version}) + "\n")
    folder.write(done)
    return done


class PortLost(ServerFailed):
    """Another process took the port between our choice and the server's start."""


def _why(home: Home, state: State, reason: str) -> ServerFailed:
    """Return an error with the lines of the server's log that say why it did not come up."""
    if reason == health.REFUSED:
        return ServerFailed(
            f"The server does not take the password in {home.password_file}.",
            hint=f"Start with --no-auth, or delete {home.path} to begin anew.",
            code="GM193",
        )
    lines = docker.log_lines(state.container, 200) if state.container else health.tail(home.log_file, 200)
    said = "\n".join(health.telling_lines(lines)) or "(nothing)"
    message = f"Neo4j ({state.provider}) {reason}. It said:\n{said}"
    if "already in use" in said:
        return PortLost(message, hint="Choose another port: --port 0")
    hint = "Wait longer: --timeout 300." if reason == health.TOO_SLOW else "Try more memory: --heap 1g."
    where = "" if state.container or state.ephemeral else f" The whole log: {home.log_file}"
    return ServerFailed(message, hint=hint + where)


def _end(state: State) -> None:
    """End a running server: an ephemeral one at once, since its data is deleted; raises ServerFailed (GM193)."""
    if container := state.container:
        docker.remove(container) if state.ephemeral else docker.stop(container)
        if docker.is_running(container):
            raise _not_stopped(
                f"container {container[:12]}", "it does not end", f"docker rm --force {container}"
            )
    elif state.pid is not None and state.birth is not None:
        named, by_hand = f"server with process number {state.pid}", f"kill -9 {state.pid}"
        try:
            gone = machine.end(state.pid, state.birth, grace=0.0 if state.ephemeral else _GRACE)
        except PermissionError as error:
            raise _not_stopped(named, "it belongs to another user", by_hand) from error
        if not gone:
            raise _not_stopped(named, "it does not end", by_hand)


def _not_stopped(named: str, reason: str, by_hand: str) -> ServerFailed:
    return ServerFailed(
        f"The {named} cannot be stopped: {reason}.", hint=f"End it by hand: {by_hand}", code="GM193"
    )

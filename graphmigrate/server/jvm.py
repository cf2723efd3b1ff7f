"""The provider without Docker: Neo4j on a JVM of this machine, detached, listening on 127.0.0.1 only."""

from __future__ import annotations

import hashlib
import os
import subprocess
from typing import TYPE_CHECKING

from graphmigrate.server import java, processes
from graphmigrate.server.errors import ServerFailed
from graphmigrate.server.jars import cache_folder, class_path
from graphmigrate.server.logs import telling_lines
from graphmigrate.server.model import HOST
from graphmigrate.server.state import State, write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from graphmigrate.server.java import Java
    from graphmigrate.server.launch import Launch
    from graphmigrate.server.versions import Release

OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
# The shell outlives neither: it starts the JVM, writes down its number, and leaves it to init.
_DETACH = '"$@" </dev/null >"$LOG" 2>&1 & echo $! >"$PID_FILE"'


def launch(plan: Launch, tell: Callable[[str], None], *, record: Path | None = None) -> State:
    """Start a JVM and return at once; raises UsageError where Java, Maven or the jars are missing.

    With ``record`` the JVM writes a class-data archive there when it ends.
    """
    machine = java.choose(plan.release)
    jars = class_path(plan.release, machine, tell)
    tell(f"Starting Neo4j {plan.release.version} on a local JVM (Java {machine.major}) …")
    plan.home.make()
    _write_configuration(plan)
    archive = archive_path(plan.release, machine)
    if plan.needs_password:
        _set_password(plan, machine, [*_common_flags(plan, jars), *_sharing(archive, None)])
    arguments = _argument_file(plan, "jvm.args", [*_common_flags(plan, jars), *_sharing(archive, record)])
    pid = _spawn(plan, machine, arguments)
    return State(
        provider="jvm",
        version=plan.release.version,
        port=plan.port,
        http_port=plan.http_port,
        auth=plan.options.auth,
        ephemeral=plan.options.ephemeral,
        pid=pid,
        birth=processes.birth(pid),
    )


def archive_folder(release: Release) -> Path:
    """Give the folder of a release's class-data archives."""
    return cache_folder(release) / "class-data"


def archive_path(release: Release, machine: Java) -> Path:
    """Name a class-data archive after the Java that it fits; an upgraded Java gets another one."""
    fits = f"{machine.identity}\njars without signatures"
    return archive_folder(release) / f"{hashlib.sha256(fits.encode()).hexdigest()[:16]}.jsa"


def _write_configuration(plan: Launch) -> None:
    settings = (
        plan.settings()
        | dict(plan.release.jvm_settings)
        | {
            "server.default_listen_address": HOST,
            "server.bolt.listen_address": f"{HOST}:{plan.port}",
            "server.http.listen_address": f"{HOST}:{plan.http_port}",
        }
    )
    lines = [f"{name}={value}\n" for name, value in sorted(settings.items())]
    (plan.home.path / "conf" / "neo4j.conf").write_text("".join(lines), "utf-8")


def _common_flags(plan: Launch, jars: Sequence[Path]) -> list[str]:
    """Give the JVM's flags: for a server that starts quickly and serves one developer, not for throughput."""
    opened = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENED]
    flags = [
        f"-Xmx{plan.options.heap}",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Dfile.encoding=UTF-8",
    ]
    return [*flags, *opened, "-cp", os.pathsep.join(map(str, jars))]


def _sharing(archive: Path, record: Path | None) -> list[str]:
    """Use the class-data archive, or have one recorded (docs/decisions/0020)."""
    if record is not None:
        return [f"-XX:ArchiveClassesAtExit={record}", "-Xlog:disable"]
    # An archive that does not fit is passed over in silence: the JVM then only starts slower.
    return [f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-Xlog:disable"] if archive.exists() else []


def _argument_file(plan: Launch, name: str, arguments: Sequence[str]) -> Path:
    """Write arguments where only their owner reads them, and ps does not (java(1), "Argument Files")."""
    escaped = (each.replace("\\", "\\\\").replace('"', '\\"') for each in arguments)
    path = plan.home.path / "conf" / name
    write_private(path, "".join(f'"{each}"\n' for each in escaped))
    return path


def _environment(plan: Launch) -> dict[str, str]:
    """Leave out what is meant for other servers, passwords among it."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("NEO4J_", "GRAPHMIGRATE_"))
    }
    return kept | {"NEO4J_HOME": str(plan.home.path), "NEO4J_CONF": str(plan.home.path / "conf")}


def _set_password(plan: Launch, machine: Java, flags: Sequence[str]) -> None:
    words = ["org.neo4j.cli.AdminTool", "dbms", "set-initial-password", plan.home.make_password()]
    arguments = _argument_file(plan, "password.args", [*flags, *words])
    try:
        done = subprocess.run(  # noqa: S603
            [machine.executable, f"@{arguments}"],
            env=_environment(plan),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        arguments.unlink()
    if done.returncode:
        said = telling_lines((done.stdout + done.stderr).splitlines(), 4)
        raise ServerFailed(
            "Neo4j's administration tool could not set the password: " + " / ".join(said),
            hint="See whether the disk is full and Java works: java -version",
        )


def _spawn(plan: Launch, machine: Java, arguments: Path) -> int:
    home = plan.home
    command = [str(machine.executable), f"@{arguments}", plan.release.main_class, f"--home-dir={home.path}"]
    command += [f"--config-dir={home.path / 'conf'}", "--console-mode"]
    environment = _environment(plan) | {"LOG": str(home.log_file), "PID_FILE": str(home.pid_file)}
    subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", _DETACH, "sh", *command],
        env=environment,
        cwd=home.path,
        start_new_session=True,
        check=True,
    )
    return int(home.pid_file.read_text("ascii"))

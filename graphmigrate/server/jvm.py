"""The provider without Docker: Neo4j on a JVM of this machine, detached, listening on 127.0.0.1 only."""

from __future__ import annotations

import hashlib
import os
import subprocess
from typing import TYPE_CHECKING

from graphmigrate.server import health, java
from graphmigrate.server.java import cache_folder, class_path
from graphmigrate.server.model import HOST, ServerFailed
from graphmigrate.server.state import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from graphmigrate.server.java import Java
    from graphmigrate.server.model import Release
    from graphmigrate.server.state import Launch

OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
ARCHIVES_ITSELF = 19  # the first Java with -XX:+AutoCreateSharedArchive
# The JVM outlives this shell, which writes down its number.
_DETACH = '"$@" </dev/null >"$LOG" 2>&1 & echo $! >"$PID_FILE"'


def launch(plan: Launch, tell: Callable[[str], None]) -> int:
    """Start a JVM and return its process number at once; raises UsageError (GM183) where Java or the jars are missing."""
    machine = java.choose(plan.release)
    jars = class_path(plan.release, machine, tell)
    tell(f"Starting Neo4j {plan.release.version} on a local JVM (Java {machine.major}) …")
    plan.home.make()
    _write_configuration(plan)
    flags = _flags(plan, jars)
    if plan.needs_password:
        _set_password(plan, machine, flags)
    return _spawn(plan, machine, _argument_file(plan, "jvm.args", [*flags, *_class_data(plan, machine)]))


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


def _flags(plan: Launch, jars: Sequence[Path]) -> list[str]:
    """Return flags for a server that starts quickly and serves one developer, not for throughput."""
    opened = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENED]
    flags = [
        f"-Xmx{plan.options.heap}",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Dfile.encoding=UTF-8",
    ]
    return [*flags, *opened, "-cp", os.pathsep.join(map(str, jars))]


def archive_path(release: Release, machine: Java) -> Path:
    """Return the class-data archive of a release for one Java; an upgraded Java gets another one."""
    name = hashlib.sha256(machine.identity.encode()).hexdigest()[:16]
    return cache_folder(release) / f"{name}.jsa"


def _class_data(plan: Launch, machine: Java) -> list[str]:
    """Let Java keep the classes that it has loaded, for quicker starts: written when a lasting server stops."""
    archive = archive_path(plan.release, machine)
    if machine.major < ARCHIVES_ITSELF or (plan.options.ephemeral and not archive.exists()):
        return []
    # Without a log: an archive that does not fit, or cannot be written, costs time and nothing else.
    made = [] if plan.options.ephemeral else ["-XX:+AutoCreateSharedArchive"]
    return [*made, f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-Xlog:disable"]


def _argument_file(plan: Launch, name: str, arguments: Sequence[str]) -> Path:
    """Write arguments where only their owner reads them, and ps does not (java(1), "Argument Files")."""
    escaped = (each.replace("\\", "\\\\").replace('"', '\\"') for each in arguments)
    path = plan.home.path / "conf" / name
    write_private(path, "".join(f'"{each}"\n' for each in escaped))
    return path


def _environment(plan: Launch) -> dict[str, str]:
    """Return the environment without what is meant for other servers, such as passwords."""
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
        said = health.telling_lines((done.stdout + done.stderr).splitlines(), 4)
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

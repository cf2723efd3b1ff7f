"""What this machine has: ports on its own address, and processes that are not children of this one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from graphmigrate.errors import UsageError
from graphmigrate.server.model import HOST

USUAL_BOLT, USUAL_HTTP = 7687, 7474
_LINUX = sys.platform.startswith("linux")


def birth(pid: int) -> str | None:
    """Return a text that no later process with the same number shares; None where no such process runs.

    On Linux that is the boot and the start time in clock ticks (proc(5)), elsewhere what ps says. A process that ended
    and still waits for its parent counts as dead.
    """
    if not _LINUX:
        return _birth_by_ps(pid)
    try:
        # The name in the second field may hold anything, parentheses too.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    if fields[0] in {b"Z", b"X"}:
        return None
    return f"{_boot()}/{fields[19].decode()}"


def command_line(pid: int) -> str:
    """Return a process's command line, empty where it cannot be read."""
    if not _LINUX:
        return _ps(pid, "command=")
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def is_same(pid: int, known_birth: str) -> bool:
    """Return whether ``pid`` is still the process with this birth."""
    return birth(pid) == known_birth


def end(pid: int, known_birth: str, *, grace: float) -> bool:
    """End a process by SIGTERM, and after ``grace`` seconds by SIGKILL (0: at once); returns whether it is gone.

    Raises PermissionError where it belongs to another user.
    """
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
        if seconds and is_same(pid, known_birth):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if _gone(pid, known_birth, seconds):
            return True
    return False


def _gone(pid: int, known_birth: str, seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while is_same(pid, known_birth):
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _birth_by_ps(pid: int) -> str | None:
    # Another caller may live in another time zone or language, in which ps would write the same start.
    state, _, started = _ps(pid, "stat=", "lstart=", TZ="UTC", LC_ALL="C").partition(" ")
    return started.strip() if state and not state.startswith("Z") else None


def _ps(pid: int, *columns: str, **environment: str) -> str:
    command = ["/bin/ps", *(word for each in columns for word in ("-o", each)), "-p", str(pid)]
    env = os.environ | environment
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603


def is_free(port: int) -> bool:
    """Return whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the JVM does: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def is_open(port: int, timeout: float = 0.5) -> bool:
    """Return whether something listens on this port."""
    try:
        socket.create_connection((HOST, port), timeout).close()
    except OSError:
        return False
    return True


def choose_ports(wanted: int | None) -> tuple[int, int]:
    """Return the Bolt and the HTTP port to use; raises UsageError (GM180) where the wanted one is taken."""
    if wanted is None and is_free(USUAL_BOLT):
        wanted = USUAL_BOLT
    if wanted and not is_free(wanted):
        raise UsageError(
            f"Port {wanted} is taken by another process, or not allowed for you.",
            hint="Choose another one, or let one be picked: --port 0",
            code="GM180",
        )
    http = USUAL_HTTP if wanted == USUAL_BOLT and is_free(USUAL_HTTP) else 0
    free = (each for each in _free_ports(4) if each not in (wanted, http))
    return wanted or next(free), http or next(free)


def _free_ports(count: int) -> list[int]:
    """Return free ports, all held until they are chosen, so that they differ."""
    probes = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()

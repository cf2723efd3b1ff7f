"""Choosing ports on this machine's own address."""

from __future__ import annotations

import socket

from graphmigrate.errors import UsageError
from graphmigrate.server.model import HOST

USUAL_BOLT, USUAL_HTTP = 7687, 7474


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


def choose(wanted: int | None) -> tuple[int, int]:
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

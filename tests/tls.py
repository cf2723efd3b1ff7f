"""Certificates made for a test, and TLS put in front of a server that has none, or asked of a real one."""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import trustme

from graphmigrate.server import ServerOptions, jvm, machine
from graphmigrate.server.model import resolve
from graphmigrate.server.state import Home, Launch

NAMES = ("localhost", "127.0.0.1")
TROUBLE = ("untrusted", "expired", "not yet valid", "another host")


class Authority:
    """A private authority and the certificates that it, or a stranger, signs."""

    def __init__(self, folder: Path) -> None:
        self.own = trustme.CA()
        self.file = folder / "authority.pem"
        self.own.cert_pem.write_to_path(str(self.file))

    def certificate(self, trouble: str | None = None) -> trustme.LeafCert:
        now, day = datetime.now(UTC), timedelta(days=1)
        if trouble == "untrusted":
            return trustme.CA().issue_cert(*NAMES)
        if trouble == "expired":
            return self.own.issue_cert(*NAMES, not_before=now - 3 * day, not_after=now - day)
        if trouble == "not yet valid":
            return self.own.issue_cert(*NAMES, not_before=now + day, not_after=now + 3 * day)
        if trouble == "expires soon":
            return self.own.issue_cert(*NAMES, not_after=now + 9 * day)
        if trouble == "another host":
            return self.own.issue_cert("graph.example.org")
        return self.own.issue_cert(*NAMES, key_type=trustme.KeyType.RSA)


@contextmanager
def encrypted(uri: str, certificate: trustme.LeafCert, host: str = "127.0.0.1") -> Iterator[str]:
    """Put TLS with this certificate in front of a plain server; gives HOST:PORT."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    parts = urlsplit(uri)
    upstream = (parts.hostname or "127.0.0.1", parts.port or 7687)
    with socket.create_server((host, 0)) as listener:
        threading.Thread(target=_accept, args=(listener, context, upstream), daemon=True).start()
        yield f"{host}:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, context: ssl.SSLContext, upstream: tuple[str, int]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, context, upstream), daemon=True).start()


def _serve(client: socket.socket, context: ssl.SSLContext, upstream: tuple[str, int]) -> None:
    with contextlib.suppress(OSError), client:  # a client that does not like the certificate hangs up
        outer = context.wrap_socket(client, server_side=True)
        with outer, socket.create_connection(upstream) as inner:
            back = threading.Thread(target=_pump, args=(inner, outer), daemon=True)
            back.start()
            _pump(outer, inner)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class SpecialLaunch(Launch):
    """A server with settings of its own, still with its initial password: neo4j."""

    more: dict[str, str] = field(default_factory=dict)

    @property
    def needs_password(self) -> bool:
        return False

    def settings(self) -> dict[str, str]:
        return Launch.settings(self) | self.more


@contextmanager
def special_server(
    version: str, settings: dict[str, str], certificate: trustme.LeafCert | None = None, *, auth: bool = True
) -> Iterator[str]:
    """Start a real Neo4j with these settings and, with a certificate, TLS on Bolt; gives HOST:PORT."""
    with tempfile.TemporaryDirectory(prefix="graphmigrate-tests-") as name:
        home = Home(Path(name) / "home")
        certificates = home.path / "certificates"
        certificates.mkdir(parents=True)
        if certificate:
            certificate.private_key_pem.write_to_path(str(certificates / "private.key"))
            certificate.cert_chain_pems[0].write_to_path(str(certificates / "public.crt"))
            settings = settings | {
                "server.bolt.tls_level": "REQUIRED",
                "dbms.ssl.policy.bolt.enabled": "true",
                "dbms.ssl.policy.bolt.base_directory": str(certificates),
                "dbms.ssl.policy.bolt.private_key": "private.key",
                "dbms.ssl.policy.bolt.public_certificate": "public.crt",
                "dbms.ssl.policy.bolt.client_auth": "NONE",
            }
        bolt, http = machine.choose_ports(0)
        options = ServerOptions(ephemeral=True, auth=auth)
        pid = jvm.launch(SpecialLaunch(resolve(version), options, home, bolt, http, settings), print)
        birth = machine.birth(pid)
        try:
            _await(bolt, home)
            yield f"127.0.0.1:{bolt}"
        finally:
            if birth:
                machine.end(pid, birth, grace=0)


def _await(port: int, home: Home) -> None:
    deadline = time.monotonic() + 180
    while not machine.is_open(port):
        assert time.monotonic() < deadline, home.log_file.read_text()
        time.sleep(0.1)

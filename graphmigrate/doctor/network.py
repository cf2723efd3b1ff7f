"""The network from this machine to the server, with sockets alone: each step is a check of its own."""

from __future__ import annotations

import ipaddress
import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from graphmigrate.database import diagnosis
from graphmigrate.errors import UsageError
from graphmigrate.results import Check, Health
from graphmigrate.settings import check_ca_file, check_uri

if TYPE_CHECKING:
    import socket

    from graphmigrate.settings import Settings

RENEW_BEFORE = timedelta(days=30)


def ok(name: str, message: str) -> Check:
    """Return a check that found nothing."""
    return Check(name, Health.OK, message)


def finding(name: str, message: str, hint: str | None) -> Check:
    """Return a check that found something to correct."""
    return Check(name, Health.FINDING, message, hint)


def is_local(hosts: list[str]) -> bool:
    """Return whether all these hosts and IP addresses are this machine itself."""
    return all(host == "localhost" or _is_loopback(host) for host in hosts)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0]).is_loopback
    except ValueError:
        return False


class NetworkChecks:
    """The steps in their order; each needs the one before. Raises UsageError (GM154) for a URI without a host."""

    def __init__(self, settings: Settings) -> None:
        check_uri(settings.uri)
        check_ca_file(settings)
        address = diagnosis.address_of(settings.uri)
        if address is None:
            raise UsageError(
                "The URI names no host.", hint="For example bolt://localhost:7687.", code="GM154"
            )
        self.address = address
        self.settings = settings
        self.addresses: list[str] = []
        self._connection: socket.socket | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def host(self) -> Check:
        """Ask the DNS."""
        self.addresses = diagnosis.resolve(self.address)
        return ok("host name", f"{self.address.host} is {', '.join(self.addresses)}")

    def tcp(self) -> Check:
        """Open a connection."""
        started = time.monotonic()
        self._connection = diagnosis.reach(self.address, self.settings.connection_timeout)
        milliseconds = (time.monotonic() - started) * 1000
        return ok("TCP", f"port {self.address.port} is open ({milliseconds:.1f} ms)")

    def tls(self) -> Check:
        """Encrypt it where the scheme says so, and judge the certificate, or that there is none."""
        assert self._connection is not None  # noqa: S101 - the step before
        local = is_local(self.addresses)
        if not self.address.encrypted:
            return unencrypted(self.settings.uri, local=local)
        secured = diagnosis.secure(self._connection, self.address, self.settings.ca_file)
        self._connection = secured
        if self.address.verified:
            return certified(secured.version(), secured.getpeercert() or {}, datetime.now(UTC))
        return unverified(self.settings.uri, local=local)

    def bolt(self) -> Check:
        """Agree on a version of Bolt."""
        assert self._connection is not None  # noqa: S101 - the step before
        return ok("Bolt", f"version {diagnosis.greet(self._connection, self.address)}")


def unencrypted(uri: str, *, local: bool) -> Check:
    """Judge a scheme that does not encrypt."""
    if local:
        return ok("TLS", "not encrypted, and need not be: the server is on this machine")
    return finding(
        "TLS",
        f"The password and all data travel unencrypted to {uri}.",
        f"Set up TLS on the server (server.bolt.tls_level=REQUIRED) and write {uri.partition('://')[0]}+s://",
    )


def unverified(uri: str, *, local: bool) -> Check:
    """Judge a scheme that takes any certificate."""
    if local:
        return ok("TLS", "encrypted; the certificate was not verified, and need not be on this machine")
    return finding(
        "TLS",
        "Encrypted, but the certificate is not verified: anybody in between can pose as the server.",
        f"Write {uri.partition('://')[0].removesuffix('sc')}:// and name a private authority with --ca-file.",
    )


def certified(protocol: str | None, certificate: dict[str, Any], now: datetime) -> Check:
    """Judge a verified certificate, as ``ssl.SSLSocket.getpeercert`` describes it."""
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    names = ", ".join(value for _, value in certificate.get("subjectAltName", ()))
    message = (
        f"{protocol}, the certificate for {names} is good until {end:%Y-%m-%d} ({(end - now).days} days)"
    )
    if end - now < RENEW_BEFORE:
        return finding("TLS", f"{message}.", "Renew the certificate on the server.")
    return ok("TLS", message)

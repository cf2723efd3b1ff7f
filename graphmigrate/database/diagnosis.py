"""The way to a server, step by step: name, TCP, TLS, Bolt. The driver tells of all four with one error."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from graphmigrate.errors import ConnectionFailed
from graphmigrate.settings import can_start_server, in_container
from graphmigrate.value import Value

if TYPE_CHECKING:
    from pathlib import Path

    from graphmigrate.settings import Settings

DEFAULT_PORT = 7687
# OpenSSL's X509_V_ERR_… numbers.
_NOT_YET_VALID, _EXPIRED = 9, 10
_WRONG_NAMES = {62, 64}  # host name, IP address
# "Bolt Protocol Handshake": the magic number and four proposals, 5.8 down to 5.0 and 4.4 down to 4.2.
_GREETING = bytes.fromhex("6060b017 00080805 00020404 00000000 00000000")


class Address(Value):
    """Where a URI leads, and how it wants to go there."""

    uri: str
    scheme: str
    host: str
    port: int

    @property
    def encrypted(self) -> bool:
        """Return whether the scheme asks for TLS."""
        return "+s" in self.scheme

    @property
    def verified(self) -> bool:
        """Return whether the scheme asks for a certificate that a known authority signed."""
        return self.scheme.endswith("+s")

    @property
    def is_local(self) -> bool:
        """Return whether what is sent stays on this machine."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def address_of(uri: str) -> Address | None:
    """Read a URI; None where it names no host."""
    try:
        parts = urlsplit(uri)
        if not parts.hostname:
            return None
        return Address(uri, parts.scheme, parts.hostname, parts.port or DEFAULT_PORT)
    except ValueError:
        return None


def resolve(address: Address) -> list[str]:
    """Return the IP addresses of the host; raises ConnectionFailed (GM301)."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise unresolved(address.uri) from error
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def reach(address: Address, timeout: float) -> socket.socket:
    """Open a TCP connection; raises ConnectionFailed (GM301). ``timeout`` is in seconds, for each answer."""
    try:
        return socket.create_connection((address.host, address.port), timeout)
    except TimeoutError as error:
        raise silent(address.uri, f"nothing came back within {timeout:g} s, as behind a firewall") from error
    except OSError as error:
        raise silent(address.uri, (error.strerror or str(error)).lower()) from error


def secure(connection: socket.socket, address: Address, ca_file: Path | None) -> ssl.SSLSocket:
    """Encrypt the connection as the driver would; raises ConnectionFailed."""
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    if not address.verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(connection, server_hostname=address.host)
    except OSError as error:  # SSLError is one
        connection.close()
        raise tls_failure(error, address.uri) from error


def greet(connection: socket.socket, address: Address) -> str:
    """Agree on a version of Bolt and give it; raises ConnectionFailed (GM301, GM304)."""
    try:
        connection.sendall(_GREETING)
        answer = connection.recv(4)
    except OSError:
        answer = b""
    if len(answer) == 4 and answer[:2] == b"\0\0":
        return f"{answer[3]}.{answer[2]}"
    if not address.encrypted and _speaks_tls(address, connection.gettimeout() or 5.0):
        raise ConnectionFailed(
            f"The server at {address.uri} accepts encrypted connections only.",
            hint=f"Write {address.scheme}+s://{address.host}:{address.port}; where a private authority signed its "
            "certificate, name that with --ca-file.",
            code="GM304",
        )
    raise not_bolt(address.uri)


def diagnose(settings: Settings) -> ConnectionFailed | None:
    """Go the way step by step and give the first thing that fails; None where the server greets us."""
    address = address_of(settings.uri)
    if address is None:
        return None
    try:
        resolve(address)
        connection = reach(address, settings.connection_timeout)
        with closing(
            secure(connection, address, settings.ca_file) if address.encrypted else connection
        ) as way:
            greet(way, address)
    except ConnectionFailed as failure:
        return failure
    return None


def _speaks_tls(address: Address, timeout: float) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((address.host, address.port), timeout) as plain:
            context.wrap_socket(plain, server_hostname=address.host).close()
    except OSError:
        return False
    return True


def tls_failure(error: BaseException, uri: str) -> ConnectionFailed:
    """Return which of the things that can be wrong with TLS is wrong here."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _bad_certificate(error, uri)
    reason = getattr(error, "reason", None) or ""
    if isinstance(error, (ssl.SSLEOFError, ConnectionError)) or reason in {
        "WRONG_VERSION_NUMBER",
        "UNEXPECTED_EOF_WHILE_READING",
        "RECORD_LAYER_FAILURE",
        "HTTP_REQUEST",
    }:
        scheme, sign, _ = uri.partition("://")
        plain = scheme.partition("+")[0] if sign else "bolt"  # of a given driver no URI is known
        return ConnectionFailed(
            f"The server at {uri} does not speak TLS there.",
            hint=f"Switch TLS on there (server.bolt.tls_level=REQUIRED), or write {plain}:// where nobody can listen in. "
            "Is it Bolt's port?",
            code="GM304",
        )
    return ConnectionFailed(
        f"TLS with {uri} failed: {reason or error}.",
        hint="See the server's log; it may ask for a client certificate, or for another version of TLS.",
        code="GM304",
    )


def _bad_certificate(error: ssl.SSLCertVerificationError, uri: str) -> ConnectionFailed:
    if error.verify_code in _WRONG_NAMES:
        return ConnectionFailed(
            f"The certificate of {uri} is for another host name.",
            hint="Write the host name that the certificate carries, or have one made for this name or IP address.",
            code="GM315",
        )
    if error.verify_code in {_EXPIRED, _NOT_YET_VALID}:
        state = "has expired" if error.verify_code == _EXPIRED else "is not valid yet"
        return ConnectionFailed(
            f"The certificate of {uri} {state}.",
            hint="Renew it on the server. If it is new, see whether this machine's clock is right.",
            code="GM315",
        )
    return ConnectionFailed(
        f"The certificate of {uri} is not signed by an authority that is known here ({error.verify_message}).",
        hint="Name a private authority's certificate with --ca-file (NEO4J_CA_FILE); a slim image may lack the package "
        "ca-certificates. With +ssc:// any certificate is taken, and anybody can pose as the server.",
        code="GM315",
    )


def silent(uri: str, why: str = "") -> ConnectionFailed:
    """Return that nobody answers."""
    return ConnectionFailed(
        f"No Neo4j answers at {uri}{f' ({why})' if why else ''}.",
        hint=f"Is it running, and is the address right? `graphmigrate wait` waits for one that is starting{_local_help(uri)}.",
        code="GM301",
    )


def _local_help(uri: str) -> str:
    """Return what else can be done here: start a server, or know what ``localhost`` means inside a container."""
    address = address_of(uri)
    if address and in_container() and address.host in {"localhost", "127.0.0.1", "::1"}:
        return "; inside a container localhost is the container itself: write the name of the database's service or host"
    return "; `graphmigrate server start` starts a local one" if can_start_server() else ""


def unresolved(uri: str) -> ConnectionFailed:
    """Return that the host's name is not known."""
    return ConnectionFailed(
        f"The host name in {uri} cannot be resolved.", hint="Check its spelling and the DNS.", code="GM301"
    )


def not_bolt(uri: str) -> ConnectionFailed:
    """Return that something else listens there."""
    return ConnectionFailed(
        f"{uri} answers, but does not speak Bolt there.",
        hint="Is it the HTTP port? Bolt's default port is 7687, HTTP's 7474. A server that requires TLS wants bolt+s://.",
        code="GM301",
    )

"""A proxy on 127.0.0.1 that reads Bolt's framing, counts messages in both directions, and does harm at the k-th.

Framing (Bolt Protocol documentation, "Handshake" and "Message exchange"): 20 bytes of handshake are answered by 4, then
each message is a row of chunks, each led by its length in two bytes; two zero bytes end the row, or alone are a NOOP.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlparse

HANDSHAKE = 20
ANSWER = 4
MANIFEST = b"\x00\x00\x01\xff"  # asks for a longer negotiation; without it the versions that follow it decide
NAMES = {
    0x01: "HELLO",
    0x02: "GOODBYE",
    0x0F: "RESET",
    0x10: "RUN",
    0x11: "BEGIN",
    0x12: "COMMIT",
    0x13: "ROLLBACK",
    0x2F: "DISCARD",
    0x3F: "PULL",
    0x54: "TELEMETRY",
    0x66: "ROUTE",
    0x6A: "LOGON",
    0x70: "SUCCESS",
    0x71: "RECORD",
    0x7E: "IGNORED",
    0x7F: "FAILURE",
}
RECORD = f"< {NAMES[0x71]}"  # as the log has it


class Harm(Enum):
    """What happens at the k-th message."""

    FREEZE = "nothing passes, and nothing is closed, until the thaw"
    CUT_BEFORE = "it does not pass, and the connections are closed"
    CUT_AFTER = "it passes, and the connections are closed at once"


@dataclass(eq=False)
class Link:
    """One connection of a client, with its own to the server."""

    client: socket.socket
    server: socket.socket
    dead: bool = False

    def close(self) -> None:
        self.dead = True
        for each in (self.client, self.server):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@dataclass
class Proxy:
    """Counts from 1. ``alone`` harms only the connection of the k-th message; new connections always pass after a cut.

    ``log`` keeps the name of each message, ``>`` to the server and ``<`` from it.
    """

    upstream: tuple[str, int]
    at: int | None = None
    harm: Harm = Harm.FREEZE
    alone: bool = False
    log: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    flowing: threading.Event = field(default_factory=threading.Event)
    uri: str = ""
    _mutex: threading.Lock = field(default_factory=threading.Lock)
    _links: list[Link] = field(default_factory=list)
    _listener: socket.socket | None = None

    @property
    def counted(self) -> int:
        return len(self.log)

    def start(self, listener: socket.socket | None = None) -> None:
        self._listener = listener or socket.create_server(("127.0.0.1", 0), backlog=64)
        self.uri = f"bolt://127.0.0.1:{self._listener.getsockname()[1]}"
        self.flowing.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def thaw(self) -> None:
        """Let everything pass again, what was held back first."""
        self.flowing.set()

    def close(self) -> None:
        """Close everything; the server then knows that the clients are gone."""
        with self._mutex:
            links, self._links = self._links, []
        if self._listener:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for each in links:
            each.close()
        self.flowing.set()

    def _accept(self) -> None:
        assert self._listener
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self.upstream)
            except OSError:
                return
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(client, server)
            with self._mutex:
                self._links.append(link)
            threading.Thread(target=self._pump, args=(link, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(link, False), daemon=True).start()

    def _pump(self, link: Link, upwards: bool) -> None:
        source, sink = (link.client, link.server) if upwards else (link.server, link.client)
        stream = source.makefile("rb")
        try:
            hello = stream.read(HANDSHAKE if upwards else ANSWER)
            sink.sendall(hello.replace(MANIFEST, bytes(4), 1))
            while message := read_message(stream):
                if not self._pass(link, sink, message, upwards):
                    return
        except (OSError, ValueError):  # closed here or by a peer
            pass
        link.close()

    def _pass(self, link: Link, sink: socket.socket, message: bytes, upwards: bool) -> bool:
        with self._mutex:
            if len(message) > 2 and not self.done.is_set():  # a NOOP is no message
                self.log.append(("> " if upwards else "< ") + NAMES.get(message[3], hex(message[3])))
                if self.counted == self.at:
                    self._strike(link, sink, message)
        self.flowing.wait()
        if link.dead:
            return False
        sink.sendall(message)
        return True

    def _strike(self, link: Link, sink: socket.socket, message: bytes) -> None:
        if self.harm is Harm.CUT_AFTER:
            sink.sendall(message)
        if self.harm is Harm.FREEZE:
            self.flowing.clear()
        else:
            for each in [link] if self.alone else list(self._links):
                each.close()
        self.done.set()


def read_message(stream: object) -> bytes:
    """One whole message as it stands on the wire (or a NOOP); empty at the end of the stream."""
    raw = bytearray()
    while True:
        head = stream.read(2)  # type: ignore[attr-defined]
        if len(head) < 2:
            return b""
        raw += head
        (size,) = struct.unpack(">H", head)
        if size == 0:
            return bytes(raw)
        raw += stream.read(size)  # type: ignore[attr-defined]


@contextmanager
def proxy(
    uri: str, at: int | None = None, harm: Harm = Harm.FREEZE, *, alone: bool = False
) -> Iterator[Proxy]:
    """A running proxy in front of the server at ``uri``."""
    parsed = urlparse(uri)
    made = Proxy((parsed.hostname or "127.0.0.1", parsed.port or 7687), at, harm, alone)
    made.start()
    try:
        yield made
    finally:
        made.close()

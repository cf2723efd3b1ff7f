"""A TCP proxy on 127.0.0.1 that counts what passes, and freezes or cuts after the k-th piece."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlparse

PIECE = 1 << 20


@dataclass
class Proxy:
    """``stop_at`` is the number of the piece, in either direction, that is not passed on any more.

    ``cut`` closes every connection then, and passes new ones on again; else everything freezes until ``close``.
    """

    upstream: tuple[str, int]
    stop_at: int | None = None
    cut: bool = False
    passed: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    uri: str = ""
    _mutex: threading.Lock = field(default_factory=threading.Lock)
    _sockets: list[socket.socket] = field(default_factory=list)
    _listener: socket.socket | None = None

    def start(self, listener: socket.socket | None = None) -> None:
        self._listener = listener or socket.create_server(("127.0.0.1", 0))
        self.uri = f"bolt://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.stopped.set()
        for each in (*([self._listener] if self._listener else []), *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

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
            self._sockets += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        while True:
            try:
                data = source.recv(PIECE)
            except OSError:
                return
            if not self._may_pass():
                return
            try:
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
            except OSError:
                return

    def _may_pass(self) -> bool:
        with self._mutex:
            if self.stopped.is_set():
                return self.cut
            self.passed += 1
            if self.stop_at is None or self.passed < self.stop_at:
                return True
            self.stopped.set()
        if self.cut:
            for each in list(self._sockets):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        return False


@contextmanager
def proxy(uri: str, stop_at: int | None = None, *, cut: bool = False) -> Iterator[Proxy]:
    """A running proxy in front of the server at ``uri``."""
    parsed = urlparse(uri)
    made = Proxy((parsed.hostname or "127.0.0.1", parsed.port or 7687), stop_at, cut)
    made.start()
    try:
        yield made
    finally:
        made.close()

"""A warm process that forks one `graphmigrate` for each order, so that a point of the campaign does not pay for imports.

It reads one JSON object a line, ``{cwd, env, args, output}``, and writes ``{"pid": n}``; when a child ends,
``{"pid": n, "code": c}``.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
from typing import Any


def serve() -> None:
    import neo4j  # noqa: F401 - what a child then need not import

    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    pending = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            reap()
        if 0 in ready:
            piece = os.read(0, 1 << 16)
            if not piece:
                return
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                tell(pid=start(json.loads(line)))


def tell(**values: Any) -> None:
    os.write(1, json.dumps(values).encode() + b"\n")


def reap() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        tell(pid=pid, code=os.waitstatus_to_exitcode(status))


def start(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)
        os.setsid()
        output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, sink in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, sink)
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["env"])
        random.seed()
        sys.argv = ["graphmigrate", *order["args"]]
        code = run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def run() -> int:
    from graphmigrate.cli import main

    return main() or 0


if __name__ == "__main__":
    serve()

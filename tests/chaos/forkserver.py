"""A warm process that forks one `graphmigrate` for each order, so that a test or a point of the campaign pays for no imports.

It reads one JSON object a line, ``{cwd, env, args, output, errors}``, and writes ``{"pid": n}``; when a child ends,
``{"pid": n, "code": c}``. Output and errors are files, and may be the same.
"""

from __future__ import annotations

import gc
import json
import os
import random
import select
import signal
import sys
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import graphmigrate

IMPORTED_LATE = ("neo4j", "jinja2", "rich.console", "rich.progress", "rich.table", "rich.text")


def import_everything() -> None:
    """Import what a child would import; only the helpers of other people's tests need more than is installed."""
    for name in IMPORTED_LATE:
        import_module(name)
    for module in walk_packages(graphmigrate.__path__, "graphmigrate."):
        if not module.name.startswith("graphmigrate.testing") and not module.name.endswith("__main__"):
            import_module(module.name)
    gc.freeze()  # a collection in a child does not copy what it shares with this process


def serve() -> None:
    import_everything()
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
        redirect(order["output"], order["errors"])
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


def redirect(output: str, errors: str) -> None:
    out = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    err = out if errors == output else os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for source, sink in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
        os.dup2(source, sink)


def run() -> int:
    from graphmigrate.cli import main

    return main() or 0


if __name__ == "__main__":
    serve()

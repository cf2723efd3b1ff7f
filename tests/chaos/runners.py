"""Runners under the campaign's hands: started warm or cold, signalled, waited for."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 180.0  # seconds after which a runner counts as stuck
STUCK = -1  # the code of one that did not end by itself


@dataclass(eq=False)
class Runner:
    """One `graphmigrate` process."""

    pid: int
    output_file: Path
    errors_file: Path
    ended: threading.Event = field(default_factory=threading.Event)
    code: int | None = None
    stuck_after: float | None = None

    def signal(self, number: signal.Signals) -> None:
        if not self.ended.is_set():
            with contextlib.suppress(ProcessLookupError):  # it ended by itself just now
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self, seconds: float = PATIENCE) -> int:
        """Its exit code; STUCK, and it is killed, where it does not end."""
        if not self.ended.wait(seconds):
            self.stuck_after = seconds
            os.kill(self.pid, signal.SIGKILL)
            self.ended.wait(10)
            return STUCK
        assert self.code is not None
        return self.code

    @property
    def output(self) -> str:
        text = self.output_file.read_text(errors="replace") if self.output_file.exists() else ""
        return text if self.stuck_after is None else f"no end after {self.stuck_after:g} s: {text}"


@dataclass
class Runners:
    """Starts runners through the fork server."""

    env: dict[str, str]
    folder: Path
    process: subprocess.Popen[bytes]
    _pids: queue.Queue[int] = field(default_factory=queue.Queue)
    _known: dict[int, Runner] = field(default_factory=dict)
    _codes: dict[int, int] = field(default_factory=dict)
    _mutex: threading.Lock = field(default_factory=threading.Lock)
    _count: int = 0

    def start(self, project: Path, uri: str, *args: str, **env: str) -> Runner:
        """Start ``graphmigrate migrate`` (or ``args``) in a project's folder; output and errors in one file."""
        return self.order(project, args or ("migrate",), self.env | {"NEO4J_URI": uri} | env)

    def order(
        self, folder: Path, args: Sequence[str], env: Mapping[str, str], *, apart: bool = False
    ) -> Runner:
        """Start ``graphmigrate`` in a folder; ``apart`` writes errors into a file of their own."""
        self._count += 1
        output = self.folder / f"{self._count}.txt"
        errors = output.with_suffix(".err") if apart else output
        order: dict[str, Any] = {
            "cwd": str(folder),
            "env": dict(env),
            "args": list(args),
            "output": str(output),
            "errors": str(errors),
        }
        assert self.process.stdin
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        runner = Runner(self._pids.get(timeout=60), output, errors)
        with self._mutex:
            self._known[runner.pid] = runner
            if runner.pid in self._codes:
                self._end(runner.pid, self._codes.pop(runner.pid))
        return runner

    def finish(self, project: Path, uri: str, *args: str, **env: str) -> tuple[int, str]:
        """Run one to its end."""
        runner = self.start(project, uri, *args, **env)
        code = runner.wait()
        text = runner.output
        runner.output_file.unlink(missing_ok=True)
        return code, text

    def listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            told = json.loads(line)
            if "code" not in told:
                self._pids.put(told["pid"])
                continue
            with self._mutex:
                if told["pid"] in self._known:
                    self._end(told["pid"], told["code"])
                else:
                    self._codes[told["pid"]] = told["code"]

    def _end(self, pid: int, code: int) -> None:
        runner = self._known.pop(pid)
        runner.code = code
        runner.ended.set()

    def close(self) -> None:
        """End whatever still runs, a stopped one too."""
        with self._mutex:
            left = list(self._known.values())
        for runner in left:
            runner.kill()
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(10)


@contextmanager
def runners(env: dict[str, str]) -> Iterator[Runners]:
    """A fork server, ended with everything it started."""
    with tempfile.TemporaryDirectory(prefix="graphmigrate-chaos-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.forkserver"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C of the campaign ends it in good order, not by surprise
        )
        made = Runners(env, Path(folder), process)
        threading.Thread(target=made.listen, daemon=True).start()
        try:
            yield made
        finally:
            made.close()


def until(condition: Any, seconds: float = 60.0, pause: float = 0.01) -> bool:
    """Wait until a condition holds; says whether it did."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True

"""Runs beside the server: waits for it, applies the folder, and ends the server with our exit code where that fails.

usage: beside.py FOLDER     FOLDER holds migrations/ and seeds/
"""

import contextlib
import os
import pwd
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HOME = Path(__file__).parent
DONE = Path("/tmp/.graphmigrate-done")  # looked at by the image's health check
PROC = Path("/proc")
# Its main class: org.neo4j.server.CommunityEntryPoint, … The tools that an image runs first have theirs in other packages.
SERVER = re.compile(rb"(org\.neo4j\.server|com\.neo4j\.server\.enterprise)\.\w+")
STOPPED = {128 + signal.SIGINT, 128 + signal.SIGTERM}  # somebody is stopping us, so the server too
SECRET_FILES = ("NEO4J_AUTH_FILE", "NEO4J_AUTH_PATH")  # read by the official entrypoint, for the server alone
ATTACH_SECONDS = 20.0
LOOK_SECONDS = 0.05


def main(folder: Path) -> None:
    """Do it all; says nothing of its own unless something fails."""
    image = os.getppid()  # the image's own entrypoint
    become_neo4j()
    command = [str(HOME / "bin" / "graphmigrate"), "entrypoint"]
    code = subprocess.run(command, env=environment(folder), check=False).returncode
    if code == 0:
        DONE.touch()
    elif code not in STOPPED:
        end_server(image, code if code > 0 else 128 - code)


def say(text: str) -> None:
    print(f"graphmigrate: {text}", file=sys.stderr)


def become_neo4j() -> None:
    """Give up root, as the official entrypoint does for the server."""
    if os.getuid() == 0:
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam("neo4j")
            os.initgroups(user.pw_name, user.pw_gid)
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)


def environment(folder: Path) -> dict[str, str]:
    """Give graphmigrate's settings; what the user set goes first.

    The user's are named GRAPHMIGRATE_…, since variables named NEO4J_… would become settings of the server.
    """
    ours = {"GRAPHMIGRATE_URI": "bolt://localhost:7687", "GRAPHMIGRATE_TIMEOUT": "300"}
    ours["GRAPHMIGRATE_MIGRATIONS"] = str(folder / "migrations")
    if (folder / "seeds").is_dir():
        ours |= {"GRAPHMIGRATE_SEEDS": str(folder / "seeds"), "GRAPHMIGRATE_SEED": "true"}
        if not (folder / "migrations").exists():
            ours["GRAPHMIGRATE_ALLOW_EMPTY"] = "true"
    auth = {}
    for name in SECRET_FILES:
        with contextlib.suppress(KeyError, OSError):
            auth["NEO4J_AUTH"] = Path(os.environ[name]).read_text().strip()
    return {**ours, **os.environ, **auth}


def end_server(image: int, code: int) -> None:
    """Let the server shut down in order and exit with ``code``; where Java cannot be asked, by SIGTERM with its own code."""
    server = await_server(image)
    if server is None:
        return  # it ended first, and its own code counts
    say(f"Neo4j is stopped, because its init folder failed (exit code {code}).")
    try:
        attach(server, code)
    except OSError as error:
        say(f"The exit code cannot be handed on ({error}); it will be Neo4j's own.")
        with contextlib.suppress(ProcessLookupError):
            os.kill(server, signal.SIGTERM)


def await_server(image: int) -> int | None:
    """Wait for Neo4j's Java process, which a folder that fails at once is ahead of; None where the image's entrypoint is gone."""
    while (server := find_server()) is None and os.getppid() == image:
        time.sleep(LOOK_SECONDS)
    return server


def find_server() -> int | None:
    """Find Neo4j's Java process."""
    for each in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (each / "cmdline").read_bytes().split(b"\0")
            if (each / "comm").read_text().strip() == "java" and any(map(SERVER.fullmatch, words)):
                return int(each.name)
    return None


def attach(server: int, code: int) -> None:
    """Load the exit agent into the server by Java's attach mechanism.

    Raises OSError where the server does not answer, or refuses until the end of our patience: while Java starts it may refuse.
    """
    deadline = time.monotonic() + ATTACH_SECONDS
    path = attach_socket(server, deadline)
    while (answer := load_agent(path, code)) not in {"", "0"}:
        if time.monotonic() > deadline:
            raise OSError(f"Java answers {answer}")
        time.sleep(LOOK_SECONDS)


def attach_socket(server: int, deadline: float) -> Path:
    """Give the socket on which Java takes commands, which a file and SIGQUIT open; raises OSError where it does not."""
    path = Path(f"/tmp/.java_pid{server}")
    request = Path(f"/tmp/.attach_pid{server}")
    asked = False
    request.touch()
    try:
        while not path.exists():
            if time.monotonic() > deadline:
                raise TimeoutError("Java does not answer")
            if not asked and catches_quit(server):
                os.kill(server, signal.SIGQUIT)
                asked = True
            time.sleep(LOOK_SECONDS)
    finally:
        request.unlink(missing_ok=True)
    return path


def catches_quit(server: int) -> bool:
    """Say whether Java is up so far that SIGQUIT asks it something; before, the signal would kill it (proc(5), SigCgt)."""
    caught = re.search(r"SigCgt:\s*(\w+)", (PROC / str(server) / "status").read_text())
    return caught is not None and bool(int(caught[1], 16) & 1 << (signal.SIGQUIT - 1))


def load_agent(path: Path, code: int) -> str:
    """Give Java's answer: none where the agent works, since the server ends instead."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        words = ("1", "load", "instrument", "false", f"{HOME / 'exit.jar'}={code}")
        connection.sendall(b"".join(word.encode() + b"\0" for word in words))
        return connection.makefile("rb").readline().decode(errors="replace").strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Runs beside the server: waits for it, applies the folder, and ends the server with our exit code where that fails.

usage: beside.py FOLDER     FOLDER holds migrations/ and seeds/
"""

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HOME = Path(__file__).parent
DONE = Path("/tmp/.graphmigrate-done")  # looked at by the image's health check
SERVER = b"org.neo4j"
STOPPED = {128 + signal.SIGINT, 128 + signal.SIGTERM}  # somebody is stopping us, so the server too
SECRET_FILES = ("NEO4J_AUTH_FILE", "NEO4J_AUTH_PATH")  # read by the official entrypoint, for the server alone
ATTACH_SECONDS = 20.0


def main(folder: Path) -> None:
    """Do it all; says nothing of its own unless something fails."""
    become_neo4j()
    command = [str(HOME / "bin" / "graphmigrate"), "entrypoint"]
    code = subprocess.run(command, env=environment(folder), check=False).returncode
    if code == 0:
        DONE.touch()
    elif code not in STOPPED:
        say(f"Neo4j is stopped, because its init folder failed (exit code {code}).")
        end_server(code if code > 0 else 128 - code)


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
    auth = {}
    for name in SECRET_FILES:
        with contextlib.suppress(KeyError, OSError):
            auth["NEO4J_AUTH"] = Path(os.environ[name]).read_text().strip()
    return {**ours, **os.environ, **auth}


def end_server(code: int) -> None:
    """Let the server shut down in order and exit with ``code``; where Java cannot be asked, by SIGTERM with its own code."""
    server = find_server()
    if server is None:
        return  # it ended first, and its own code counts
    try:
        attach(server, code)
    except OSError as error:
        say(f"The exit code cannot be handed on ({error}); it will be Neo4j's own.")
        os.kill(server, signal.SIGTERM)


def find_server() -> int | None:
    """Find Neo4j's Java process."""
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (each / "comm").read_text().strip() == "java" and SERVER in (each / "cmdline").read_bytes():
                return int(each.name)
    return None


def attach(server: int, code: int) -> None:
    """Load the exit agent into the server by Java's attach mechanism: a file and SIGQUIT open a socket, which takes commands.

    Raises OSError where the server does not answer or refuses.
    """
    path = Path(f"/tmp/.java_pid{server}")
    request = Path(f"/tmp/.attach_pid{server}")
    deadline = time.monotonic() + ATTACH_SECONDS
    request.touch()
    try:
        os.kill(server, signal.SIGQUIT)
        while not path.exists():
            if time.monotonic() > deadline:
                raise TimeoutError("Java does not answer")
            time.sleep(0.05)
    finally:
        request.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        words = ("1", "load", "instrument", "false", f"{HOME / 'exit.jar'}={code}")
        connection.sendall(b"".join(word.encode() + b"\0" for word in words))
        answer = connection.makefile("rb").readline()  # none where it works: the server ends instead
    if answer.strip() not in {b"", b"0"}:
        raise OSError(f"Java answers {answer.decode(errors='replace').strip()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

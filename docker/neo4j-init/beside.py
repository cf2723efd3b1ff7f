"""Runs beside the server: waits for it, applies the folder, and stops the server where that fails.

usage: beside.py FOLDER     FOLDER holds migrations/ and seeds/
"""

import contextlib
import os
import pwd
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

HOME = Path(__file__).parent
DONE = Path("/tmp/.graphmigrate-done")  # looked at by the image's health check
PROC = Path("/proc")
# Its main class: org.neo4j.server.CommunityEntryPoint, … The tools that an image runs first have theirs in other packages.
SERVER = re.compile(rb"(org\.neo4j\.server|com\.neo4j\.server\.enterprise)\.\w+")
STOPPED = {128 + signal.SIGINT, 128 + signal.SIGTERM}  # the container is being stopped
SECRET_FILES = ("NEO4J_AUTH_FILE", "NEO4J_AUTH_PATH")  # read by the official entrypoint, for the server alone
LOOK_SECONDS = 0.05
AGAIN_SECONDS = 1.0


def main(folder: Path) -> None:
    """Apply the folder; print nothing more than graphmigrate itself unless it fails."""
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
    """Change from root to the user neo4j, as the official entrypoint does for the server."""
    if os.getuid() == 0:
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam("neo4j")
            os.initgroups(user.pw_name, user.pw_gid)
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)


def environment(folder: Path) -> dict[str, str]:
    """Return graphmigrate's settings; those of the user win.

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
    """Stop the server in order, so that nothing works on a database whose folder failed."""
    server = await_server(image)
    if server is None:
        return  # it ended first
    say(
        f"Neo4j is stopped, because its init folder failed: see the error above.\ngraphmigrate: exit code {code}"
    )
    with contextlib.suppress(ProcessLookupError):
        # The first process of a container ignores signals until Java listens to them.
        while find_server() == server:
            os.kill(server, signal.SIGTERM)
            time.sleep(AGAIN_SECONDS)


def await_server(image: int) -> int | None:
    """Return Neo4j's process, waiting for it where the folder failed sooner; None where the image's entrypoint is gone."""
    while (server := find_server()) is None and os.getppid() == image:
        time.sleep(LOOK_SECONDS)
    return server


def find_server() -> int | None:
    """Return the number of Neo4j's Java process."""
    for each in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (each / "cmdline").read_bytes().split(b"\0")
            if (each / "comm").read_text().strip() == "java" and any(map(SERVER.fullmatch, words)):
                return int(each.name)
    return None


if __name__ == "__main__":
    main(Path(sys.argv[1]))

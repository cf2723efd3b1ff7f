"""Images and containers for the tests marked docker: built once a session, with names of their own, removed at the end."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from graphmigrate.server import docker as engine

ROOT = Path(__file__).parents[1]
NEO4J = "neo4j:5.26"
PYTHON = "python:3.11-slim"
PASSWORD = "only-for-tests"
UNREACHABLE = ("Could not find a version", "No matching distribution", "Temporary failure in name resolution")
# No plugin for BuildKit is needed then; where the old builder is gone, docker uses BuildKit all the same.
ENVIRONMENT = {**os.environ, "DOCKER_BUILDKIT": os.environ.get("DOCKER_BUILDKIT", "0")}


def require_images(*images: str) -> None:
    """Skip, saying why, where there is no daemon or an image is neither there nor to be had."""
    reason = engine.unusable()
    for image in images:
        reason = reason or engine.missing_image(image, print)
    if reason:
        pytest.skip(reason)


def run(*words: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["docker", *words], env=ENVIRONMENT, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert not check or done.returncode == 0, f"docker {' '.join(words)}\n{done.stdout}{done.stderr}"
    return done


def build(tag: str, folder: Path, **arguments: str) -> str:
    """Build an image; skips where the build cannot reach a package index."""
    words = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    done = run("build", "--tag", tag, *words, str(folder), check=False, timeout=900)
    told = done.stdout + done.stderr
    if done.returncode and any(each in told for each in UNREACHABLE):
        pytest.skip("a container being built reaches no package index")
    assert done.returncode == 0, told[-4000:]
    return tag


def inspect(name: str) -> dict[str, Any]:
    return json.loads(run("inspect", name).stdout)[0]


def logs(name: str) -> str:
    done = run("logs", name)
    return done.stdout + done.stderr


@contextmanager
def container(*words: str) -> Iterator[str]:
    """Run a container in the background; it is killed and removed with its volumes at the end."""
    name = f"graphmigrate-test-{uuid.uuid4().hex[:12]}"
    try:
        run("run", "--detach", "--name", name, *words)
        yield name
    finally:
        run("rm", "--force", "--volumes", name, check=False)


def wait_for(what: str, name: str, limit: float = 240) -> None:
    """Wait until a container's state (``running healthy``, ``exited``) begins with this."""
    deadline = time.monotonic() + limit
    state = ""
    while not state.startswith(what):
        assert time.monotonic() < deadline, f"{name} is {state}\n{logs(name)}"
        time.sleep(0.3)
        shown = inspect(name)["State"]
        state = f"{shown['Status']} {shown.get('Health', {}).get('Status', '')}"


def python_in(image: str, code: str, options: Sequence[str] = ()) -> str:
    """Run our image's Python, which has the driver, in a throw-away container and give what it prints."""
    return run(
        "run", "--rm", *options, "--entrypoint", "/opt/graphmigrate/bin/python3", image, "-c", code
    ).stdout.strip()

"""The provider that needs nothing but Docker: a container whose ports are published on 127.0.0.1 only.

It runs the ``docker`` program, not a library, so that contexts and logins work as the user set them up.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from graphmigrate.errors import UsageError
from graphmigrate.server.model import HOST, USERNAME, ServerFailed
from graphmigrate.server.state import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphmigrate.server.state import Folder, Launch

_ANSWER = 5.0  # a daemon that is well answers in a tenth of a second
_NONE = ("no such object", "no such container")  # the words of every version, but for capitals
_PULL = 900.0
_TIMED_OUT = 124
_GRACE = 30  # Neo4j needs about ten seconds, just over docker's own default


def unusable() -> str | None:
    """Return why Docker cannot be used here; None where it can."""
    if shutil.which("docker") is None:
        return "Docker is not installed"
    host = os.environ.get("DOCKER_HOST", "")
    if host and not host.startswith(("unix://", "npipe://")):
        return f"DOCKER_HOST ({host.partition('://')[0]}) is another machine, whose ports are not ours"
    done = _docker("version", "--format", "{{.Server.Version}}", timeout=_ANSWER)
    return None if done.returncode == 0 else f"no Docker daemon answers ({_reason(done)})"


def missing_image(image: str, tell: Callable[[str], None]) -> str | None:
    """Pull the image unless it is there; returns why it is not to be had, else None."""
    if _docker("image", "inspect", "--format", "{{.Id}}", image, timeout=30).returncode == 0:
        return None
    tell(f"Pulling the Docker image {image} …")
    done = _docker("pull", "--quiet", image, timeout=_PULL)
    return None if done.returncode == 0 else f"the image {image} cannot be pulled ({_reason(done)})"


def require(image: str, tell: Callable[[str], None]) -> None:
    """Raise UsageError (GM183) without Docker or the image."""
    hint = "Start Docker (sudo systemctl start docker)"
    reason = unusable()
    if reason is None:
        hint = "Name an image that is there with --image"
        reason = missing_image(image, tell)
    if reason:
        hint += ", or use a local JVM: --provider jvm"
        raise UsageError(f"Docker was asked for, but {reason}.", hint=hint, code="GM183")


def launch(plan: Launch, folder: Folder, image: str, tell: Callable[[str], None]) -> str:
    """Start a container and return its id at once; raises ServerFailed (GM180)."""
    tell(f"Starting Neo4j in Docker ({image}) …")
    plan.home.make()
    remove(container_name(folder))  # left by a start that died before it could write down what it started
    variables = _variables(plan)
    environment = plan.home.path / "conf" / "container.env"
    write_private(environment, "".join(f"{name}={value}\n" for name, value in sorted(variables.items())))
    command = ["run", "--detach", "--name", container_name(folder)]
    command += ["--publish", f"{HOST}:{plan.port}:7687", "--publish", f"{HOST}:{plan.http_port}:7474"]
    command += ["--env-file", str(environment)]
    if not plan.options.ephemeral:
        # The user's own number, so that the data belongs to the user and can be deleted.
        command += ["--user", f"{os.getuid()}:{os.getgid()}", "--volume", f"{plan.home.data}:/data"]
    try:
        done = _docker(*command, image, timeout=60)
    finally:
        environment.unlink()
    if done.returncode:
        remove(container_name(folder))
        raise ServerFailed(
            f"Docker could not start {image}: {_reason(done)}",
            hint="See whether the image runs at all (docker run), or use a local JVM: --provider jvm",
        )
    return done.stdout.strip()


def container_name(folder: Folder) -> str:
    """Return the name of a project's one container: found again even where the starter died before it wrote it down."""
    return f"graphmigrate-{hashlib.sha256(str(folder.project).encode()).hexdigest()[:12]}"


def is_running(container: str) -> bool:
    """Return whether a container runs; raises ServerFailed (GM193) where Docker does not say, since it may run then."""
    done = _docker("inspect", "--format", "{{.State.Running}}", container, timeout=_ANSWER)
    if done.returncode and not any(each in done.stderr.lower() for each in _NONE):
        raise ServerFailed(
            f"Docker does not say whether the container {container[:12]} runs: {_reason(done)}.",
            hint="Start Docker, or wait until it answers, and try again. If the container is gone for good, delete "
            ".graphmigrate/server.json.",
            code="GM193",
        )
    return done.stdout.strip() == "true"


def stop(container: str) -> None:
    """Stop Neo4j in order, then remove its container."""
    _docker("stop", "--time", str(_GRACE), container, timeout=_GRACE + 30)
    remove(container)


def remove(container: str) -> None:
    """Remove a container with what it kept for itself, running or not; none is fine."""
    _docker("rm", "--force", "--volumes", container, timeout=60)


def log_lines(container: str, count: int) -> list[str]:
    """Return the last lines that a container printed."""
    done = _docker(*log_command(container, count, follow=False)[1:])
    return (done.stdout + done.stderr).splitlines()


def log_command(container: str, count: int, *, follow: bool) -> list[str]:
    """Return the command that prints a container's log."""
    return ["docker", "logs", "--tail", str(count), *(["--follow"] if follow else []), container]


def _variables(plan: Launch) -> Mapping[str, str]:
    """Return the environment of the image: a setting's ``.`` is ``_`` and its ``_`` is ``__`` (Operations Manual, "Docker")."""
    settings = plan.settings()
    del settings["dbms.security.auth_enabled"]  # NEO4J_AUTH says it
    named = {f"NEO4J_{name.replace('_', '__').replace('.', '_')}": value for name, value in settings.items()}
    if not plan.options.auth:
        return named | {"NEO4J_AUTH": "none"}
    return named | {"NEO4J_AUTH": f"{USERNAME}/{plan.home.make_password()}"}


def _docker(*arguments: str, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
    command = ["docker", *arguments]
    try:
        return subprocess.run(  # noqa: S603
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, _TIMED_OUT, "", f"no answer within {timeout:.0f} s")
    except OSError as error:
        return subprocess.CompletedProcess(command, _TIMED_OUT, "", f"{error.strerror}")


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Run 'docker", "See 'docker"))]
    return (
        telling[-1].removeprefix("Error response from daemon: ")[:200].rstrip(".")
        if telling
        else "no reason given"
    )

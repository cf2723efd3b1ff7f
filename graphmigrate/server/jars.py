"""Neo4j's jars, downloaded once by Maven into the user's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from graphmigrate.errors import UsageError
from graphmigrate.server.java import packaged
from graphmigrate.server.model import BROWSER_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphmigrate.server.java import Java
    from graphmigrate.server.model import Release

_SHOWN = 3


def cache_folder(release: Release) -> Path:
    """Return the folder that keeps a release's jars and class-data archives."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("graphmigrate")) / f"neo4j-{release.version}"


def class_path(release: Release, java: Java, tell: Callable[[str], None]) -> list[Path]:
    """Return the jars of a release, sorted, because a class-data archive fits one class path; a complete cache is only read.

    Raises UsageError: GM183 where Maven is missing or fails, GM167 where the cache cannot be written.
    """
    library = cache_folder(release) / "lib"
    if not library.is_dir():
        try:
            _download_once(release, java, library, tell)
        except OSError as error:
            raise UsageError(
                f"The cache {library.parent} cannot be written: {error.strerror or error}.",
                hint="Set XDG_CACHE_HOME, or HOME, to a folder that can be written.",
                code="GM167",
            ) from error
    return sorted(library.glob("*.jar"))


def _download_once(release: Release, java: Java, library: Path, tell: Callable[[str], None]) -> None:
    """Hold a file lock so that only one process downloads the jars; Maven's own repository dislikes a race too."""
    from filelock import FileLock

    library.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(library.parent / "fetch.lock"):
        if not library.is_dir():
            _download(release, java, library, tell)


def _download(release: Release, java: Java, library: Path, tell: Callable[[str], None]) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise UsageError(
            f"Maven (mvn) is needed once, to download Neo4j {release.version}, and is not installed.",
            hint=f"Install it: {packaged('sudo apt-get install maven', 'brew install maven', 'sudo dnf install maven')} "
            "(or use Docker).",
            code="GM183",
        )
    tell(f"Downloading Neo4j {release.version} with Maven (about 140 MB, once) into {library.parent} …")
    with tempfile.TemporaryDirectory(dir=library.parent, prefix="fetch-") as name:
        work = Path(name)
        (work / "pom.xml").write_bytes((files(__package__) / "pom.xml").read_bytes())
        _run_maven(maven, release, java, work)
        (work / "lib").replace(library)  # a process that dies before this line leaves no half library


def _run_maven(maven: str, release: Release, java: Java, work: Path) -> None:
    command = [maven, "--quiet", "--batch-mode", f"--file={work / 'pom.xml'}", "dependency:copy-dependencies"]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={work / 'lib'}"]
    command += [f"-Dneo4j.version={release.version}", f"-Dbrowser.version={BROWSER_VERSION}"]
    environment = os.environ | {"JAVA_HOME": str(java.home)}
    try:
        done = subprocess.run(  # noqa: S603
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise _maven_failed(release, str(error)) from error
    if done.returncode or not (work / "lib" / f"neo4j-{release.version}.jar").exists():
        raise _maven_failed(release, _reason(done.stdout + done.stderr))


def _maven_failed(release: Release, reason: str) -> UsageError:
    return UsageError(
        f"Maven could not download Neo4j {release.version}: {reason}",
        hint="Check the network and Maven's settings (~/.m2/settings.xml: mirror, proxy), then run this again.",
        code="GM183",
    )


def _reason(output: str) -> str:
    lines = [line.removeprefix("[ERROR]").strip() for line in output.splitlines()]
    noise = ("[Help", "Re-run", "To see the full", "->")
    return (
        " / ".join([line for line in lines if line and not line.startswith(noise)][:_SHOWN]) or "no output."
    )

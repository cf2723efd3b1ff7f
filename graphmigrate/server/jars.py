"""Neo4j's jars, brought once by Maven into the user's cache."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from graphmigrate.errors import UsageError
from graphmigrate.server.versions import BROWSER_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphmigrate.server.java import Java
    from graphmigrate.server.versions import Release

_SHOWN = 3
_SIGNATURES = (".SF", ".RSA", ".DSA", ".EC")


def cache_folder(release: Release) -> Path:
    """Give the folder that keeps a release's jars and class-data archives."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("graphmigrate")) / f"neo4j-{release.version}"


def class_path(release: Release, java: Java, tell: Callable[[str], None]) -> list[Path]:
    """Give the jars of a release, sorted, fetched where they are missing.

    The order is fixed since a class-data archive is valid for one class path only. Raises UsageError: GM183 without
    Maven, GM183 where it fails, GM167 where the cache cannot be written. A complete one is only read.
    """
    folder = cache_folder(release)
    library = folder / "lib"
    if not library.is_dir():
        with _only_one(folder):
            if not library.is_dir():
                _fetch(release, java, folder, library, tell)
    unsigned = {each.name: each for each in _unsigned(release).glob("*.jar")}
    return [unsigned.get(each.name, each) for each in sorted(library.glob("*.jar"))]


def are_unsigned(release: Release) -> bool:
    """Say whether signed jars have their copies without signatures."""
    return _unsigned(release).is_dir()


def unsign(release: Release) -> None:
    """Make the copies in a cache that has none yet."""
    folder = cache_folder(release)
    with _only_one(folder):
        if not are_unsigned(release):
            _unsign(folder / "lib", _unsigned(release))


def _unsigned(release: Release) -> Path:
    return cache_folder(release) / "unsigned"


def _unsign(library: Path, unsigned: Path) -> None:
    """Copy signed jars without their signatures.

    At each start the JVM would check the digest of every class it loads from a signed jar, and no such class goes into a
    class-data archive: a quarter of the start's work. Maven has compared the jars' checksums when it brought them.
    """
    with tempfile.TemporaryDirectory(dir=unsigned.parent, prefix="unsigned-") as name:
        work = Path(name) / "jars"
        work.mkdir()
        for jar in filter(zipfile.is_zipfile, library.glob("*.jar")):
            with zipfile.ZipFile(jar) as signed:
                kept = [each for each in signed.infolist() if not _is_signature(each.filename)]
                if len(kept) < len(signed.infolist()):
                    _copy(signed, kept, work / jar.name)
        work.replace(unsigned)


def _is_signature(name: str) -> bool:
    return name.startswith("META-INF/") and name.endswith(_SIGNATURES)


def _copy(source: zipfile.ZipFile, entries: list[zipfile.ZipInfo], target: Path) -> None:
    with zipfile.ZipFile(target, "w", compresslevel=1) as copy:
        for each in entries:
            copy.writestr(each, source.read(each))


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Let one process fetch; the others wait and then find the jars (Maven's own repository dislikes a race too).

    Raises UsageError (GM167) where something cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "fetch.lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise UsageError(
            f"The cache {folder} cannot be written: {error.strerror or error}.",
            hint="Set XDG_CACHE_HOME, or HOME, to a folder that can be written.",
            code="GM167",
        ) from error


def _fetch(release: Release, java: Java, folder: Path, library: Path, tell: Callable[[str], None]) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise UsageError(
            f"Maven (mvn) is needed once, to bring Neo4j {release.version}, and is not installed.",
            hint=f"Install it: {_install_maven()} (or use Docker).",
            code="GM183",
        )
    tell(f"Fetching Neo4j {release.version} with Maven (about 140 MB, once) into {folder} …")
    with tempfile.TemporaryDirectory(dir=folder, prefix="fetch-") as name:
        work = Path(name)
        (work / "pom.xml").write_bytes((files(__package__) / "pom.xml").read_bytes())
        _run_maven(maven, release, java, work)
        if not are_unsigned(release):
            _unsign(work / "lib", _unsigned(release))
        # Complete or absent: whoever dies before this line leaves nothing that looks like a library.
        (work / "lib").replace(library)


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
        f"Maven could not bring Neo4j {release.version}: {reason}",
        hint="Check the network and Maven's settings (~/.m2/settings.xml: mirror, proxy), then run this again.",
        code="GM183",
    )


def _reason(output: str) -> str:
    lines = [line.removeprefix("[ERROR]").strip() for line in output.splitlines() if line.strip()]
    telling = [
        line for line in lines if line and not line.startswith(("[Help", "Re-run", "To see the full", "->"))
    ]
    return " / ".join(telling[:_SHOWN]) or "it said nothing."


def _install_maven() -> str:
    if sys.platform == "darwin":
        return "brew install maven"
    if shutil.which("apt-get"):
        return "sudo apt-get install maven"
    return "sudo dnf install maven" if shutil.which("dnf") else "sdk install maven (SDKMAN)"

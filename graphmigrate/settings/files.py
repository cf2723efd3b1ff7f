"""Reading ``graphmigrate.toml``, ``pyproject.toml`` and ``.env``, and finding a key's line in them."""

from __future__ import annotations

import logging
import os
import re
import tomllib
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values

from graphmigrate.errors import Place, Problem, Severity, UsageError
from graphmigrate.settings.values import reason

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = "graphmigrate.toml"
PYPROJECT = "pyproject.toml"


def read_text(path: Path, code: str) -> str:
    """Return a file's text without its byte-order mark; raises UsageError with this ``code``."""
    try:
        return path.read_bytes().decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        message, place = (
            f"{path} is not UTF-8 text.",
            Place(str(path), error.object.count(b"\n", 0, error.start) + 1),
        )
        raise UsageError(message, hint="Save it as UTF-8.", place=place, code=code) from None
    except OSError as error:
        raise UsageError(
            f"{path} {reason(error)}.", hint="Check its name and its rights.", code=code
        ) from None


def read_dotenv(path: Path) -> tuple[dict[str, str | None], list[Problem]]:
    """Return the variables of a ``.env`` file, and a warning for each line that is not one."""
    text, problems = read_text(path, "GM156"), []

    def note(record: logging.LogRecord) -> bool:
        """Take python-dotenv's complaint, which names the line, in place of its log line."""
        line = re.search(r"line (\d+)", record.getMessage())
        place = (
            Place(str(path), int(line[1])) if line else None
        )  # its text is not shown: it may be a password
        message = "This line is not NAME=value; it was ignored."
        problems.append(Problem("GM156", message, None, place, Severity.WARNING))
        return False

    logger = logging.getLogger("dotenv.main")
    logger.addFilter(note)
    try:
        return dotenv_values(stream=StringIO(text)), problems
    finally:
        logger.removeFilter(note)


def find_project(start: Path) -> Path:
    """Return the folder with the configuration file: this one or one above it, as git looks for its repository.

    The search ends at the repository's root and at the home folder, and leaves out folders of other owners. Where nothing is
    found, the project is ``start``.
    """
    here, user = start.resolve(), os.getuid() if hasattr(os, "getuid") else 0
    home = Path(os.path.expanduser("~"))
    for folder in (here, *here.parents):
        if folder != here and folder.stat().st_uid != user:
            break
        if (folder / CONFIG).is_file() or has_table(folder / PYPROJECT):
            return start if folder == here else folder
        if (
            folder == home
            or (folder / ".git").exists()
            or (folder == here and (folder / "migrations").is_dir())
        ):
            break
    return start


def config_file(config: Path | None, folder: Path) -> tuple[Path, str, dict[str, Any]] | None:
    """Return the configuration file, its text and its table; one that was named must be there."""
    for path in [config] if config else [folder / CONFIG, folder / PYPROJECT]:
        if config is None and not path.exists():
            continue
        text = read_text(path, "GM156")
        if path.name != PYPROJECT:
            return path, text, _toml(path, text)
        if config or "tool.graphmigrate" in text:
            table = _toml(path, text).get("tool", {}).get("graphmigrate")
            if isinstance(table, dict):
                return path, text, table
            if config:
                raise UsageError(f"{path} has no [tool.graphmigrate].", hint="Add that table.", code="GM156")
    return None


def has_table(path: Path) -> bool:
    """Return whether this ``pyproject.toml`` has a table of ours, without parsing it."""
    return path.is_file() and bool(
        re.search(rb"^\s*\[tool\.graphmigrate[\].]", path.read_bytes(), re.MULTILINE)
    )


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\s*\(at line (\d+), column (\d+)\)", str(error))
        place = None
        if found:
            line, column = int(found[1]), int(found[2])
            place = _placed(path, line, column, "".join(text.splitlines()[line - 1 : line]))
        reason = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise UsageError(f"{path} is not valid TOML: {reason}.", place=place, code="GM156") from None


def _placed(path: Path, number: int, column: int, line: str) -> Place:
    """Return a place that shows the line up to its value, which may be a password."""
    key, sign, _ = line.partition("=")
    shown = f"{key}{sign} …" if sign else line if re.fullmatch(r"\s*\[[\w. -]+\]\s*", line) else ""
    return Place(str(path), number, column, shown if column <= len(shown) else None)


def place_of(path: Path, text: str, key: str) -> Place:
    """Return the line that sets a key."""
    pattern = re.compile(rf"""\s*(?:\[\s*(?:tool\.graphmigrate\.)?)?["']?{re.escape(key)}["']?\s*[=.\]]""")
    lines = list(_section(path, text))
    for number, line in lines:
        found = pattern.match(line)
        if found:
            column = len(line) - len(line.lstrip()) + 1
            return _placed(path, number, column, line)
    return Place(str(path), lines[0][0] if lines else 1)


def _section(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines that can hold our keys."""
    inside = path.name != PYPROJECT
    for number, line in enumerate(text.splitlines(), 1):
        if path.name == PYPROJECT and line.lstrip().startswith("["):
            inside = line.lstrip().startswith("[tool.graphmigrate")
        if inside:
            yield number, line

"""What one setting may be: texts, numbers, paths, and the file that holds a password."""

from __future__ import annotations

import math
import re
import stat
from pathlib import Path
from typing import Any

from graphmigrate.settings.model import Secret

PASSWORD_FILE_LIMIT = 64 * 1024
SECRET_VARIABLES = frozenset({"NEO4J_PASSWORD", "NEO4J_AUTH", "GRAPHMIGRATE_PASSWORD"})
# The value of a variable of such a name is not to be printed.
SECRET_NAME = re.compile(r"pass(word|wd|phrase)|secret|token|credential|api_?key", re.IGNORECASE)
# What means true and false in settings, in variables of seeds and in columns of their data files.
YES = frozenset({"true", "yes", "on", "t", "y", "1"})
NO = frozenset({"false", "no", "off", "f", "n", "0"})
EXAMPLES = {
    "float": "Times are in seconds: 30 or 2.5.",
    "int": "For example 4.",
    "tuple[str, ...]": 'For example ["TENANT"].',
}


def text_of(value: Any) -> str:
    """Return a text that is not blank; raises ValueError saying what is wanted, as the others here do."""
    if isinstance(value, (str, Path)) and str(value).strip():
        return str(value)
    raise ValueError("a text")


def ledger_of(value: Any) -> str:
    """Return the name of a ledger, which becomes part of keys and so takes no slash."""
    if isinstance(value, str) and re.fullmatch(r"[\w.-]{1,100}", value):
        return value
    raise ValueError("a name of letters, digits, '_', '-' and '.'")


def word_of(value: Any, words: tuple[str, ...]) -> str:
    """Return one of these words."""
    if value in words:
        return str(value)
    raise ValueError(f"{', '.join(words[:-1])} or {words[-1]}")


def variables_of(value: Any) -> tuple[str, ...]:
    """Return names of environment variables, written as a list or with commas; those that hold passwords are refused."""
    names = [each.strip() for each in value.split(",")] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(
        isinstance(each, str) and re.fullmatch(r"[A-Za-z_]\w*", each) for each in names
    ):
        raise ValueError("a list of names of environment variables")
    if any(each.upper() in SECRET_VARIABLES for each in names):
        raise ValueError("a list without the variables that hold the database's password")
    return tuple(dict.fromkeys(names))


def allowances_of(value: Any) -> tuple[str, ...]:
    """Return words such as ``any-label=V7``, written as a list or with commas."""
    words = [each.strip() for each in value.split(",")] if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)) or not all(
        isinstance(each, str) and re.fullmatch(r"any-label=\S+", each) for each in words
    ):
        raise ValueError('a list of any-label=VERSION or any-label=SEED, such as ["any-label=V7"]')
    return tuple(dict.fromkeys(words))


def boolean_of(value: Any) -> bool:
    """Return true or false, written as TOML or the environment write it."""
    word = value.strip().lower() if isinstance(value, str) else value
    if word is True or word in YES:
        return True
    if word is False or word in NO:
        return False
    raise ValueError("true or false")


def number_of(value: Any, *, whole: bool, minimum: float | None) -> float | int:
    """Return a finite number above zero, or from ``minimum`` upwards."""
    wanted = "a whole number" if whole else "a number"
    if isinstance(value, bool) or not isinstance(value, (str, int) if whole else (str, int, float)):
        raise ValueError(wanted)
    try:
        number = int(value) if whole else float(value)
    except ValueError:
        raise ValueError(wanted) from None
    if not math.isfinite(number) or number < (minimum or 0) or (minimum is None and number == 0):
        raise ValueError(f"{wanted} above zero" if minimum is None else f"{wanted} from {minimum:g} upwards")
    return number


def kind_of(value: Any) -> str:
    """Name what was written, without repeating a text."""
    names: dict[type, str] = {bool: "a boolean", dict: "a table", list: "a list", float: "a fraction"}
    if type(value) in names:
        return names[type(value)]
    if isinstance(value, str):
        return "an empty text" if not value.strip() else "this text"
    return f"{value}"


def read_secret(path: Path) -> Secret:
    """Read a password file, its final newline dropped; raises OSError with a reason."""
    with path.open("rb") as stream:
        content = stream.read(PASSWORD_FILE_LIMIT + 1)
    try:
        text = content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise OSError("is not UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise OSError("is empty")
    if "\n" in text or len(content) > PASSWORD_FILE_LIMIT:
        raise OSError("has more than one line")
    return Secret(text)


def reason(error: OSError) -> str:
    """Say in a few words why a file could not be read."""
    return f"cannot be read: {error.strerror}" if error.strerror else str(error)


def is_world_readable(path: Path) -> bool:
    """Return whether others may read it; what Docker or Kubernetes mounts is public in its container."""
    if path.is_relative_to("/run/secrets") or path.is_relative_to("/var/run/secrets"):
        return False
    mode = path.stat().st_mode
    return stat.S_ISREG(mode) and bool(mode & stat.S_IROTH)

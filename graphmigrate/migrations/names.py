"""What a file's name says: a migration, nothing to do with us, or a mistake and the right name."""

from __future__ import annotations

import re
import unicodedata
from fnmatch import fnmatchcase
from typing import NamedTuple

from graphmigrate.database.version import VERSION_PATTERN, Version
from graphmigrate.errors import Severity
from graphmigrate.migrations.model import FileKind

IGNORED = (
    *(
        ".*",
        "~*",
        "*~",
        "#*#",
        "*.swp",
        "*.swo",
        "thumbs.db",
        "desktop.ini",
        "codeowners",
        "*.md",
        "*.markdown",
    ),
    *(
        "*.rst",
        "*.adoc",
        "makefile",
        "dockerfile",
        "justfile",
        "graphmigrate.toml",
        "graphmigrate.sum",
        "_*.py",
    ),
)
"""Names of files, in lower case, that are never read and never mentioned."""

# Documents are ignored, too; but changelog.xml and license_types.csv are none.
_DOCUMENT = r"(?:readme|licen[cs]e|copying|notice|changelog|contributing)(?:[^.]*|.*\.(?:txt|html|pdf))"
_SUFFIXES = (
    *(".cypher.txt", ".cypher", ".cypherl", ".cyphers", ".cyp", ".cql"),
    *(".cyper", ".cpyher", ".cypher.sql"),
)
_NAME = re.compile(rf"([VRU])({VERSION_PATTERN})__(.*[^\s_].*)\.(cypher|py)", re.DOTALL)
_NAMED = re.compile(r"R__(.*[^\s_].*)\.cypher", re.DOTALL)
_CALLBACK = re.compile(r"(before|after)([A-Z][A-Za-z]*)(?:__(.*))?\.cypher", re.DOTALL)
PHASES = ("beforeFirstUse", "beforeMigrate", "afterMigrate")
_LEFT_OUT = {"Clean", "Validate", "Info", "Baseline", "Connect", "Repair"}  # phases of neo4j-migrations
_KINDS = {"V": FileKind.VERSIONED, "R": FileKind.REPEATABLE, "U": FileKind.UNDO}
# Names that are not right are few: their patterns are compiled when the first of them is met.
_VERSIONED = rf"[vV]{VERSION_PATTERN}[-_. ]*__?.+|[vV]{VERSION_PATTERN}__"
_SURELY_VERSIONED = rf"[vV]{VERSION_PATTERN}__"
_DOWN = r"(?i)\d.*\.down\.(?:cypher|cql)$"  # golang-migrate's: to run it forward would undo its twin
_MAY_BE_CYPHER = r"|\.(?:|txt|bak|cy.*)"
_ANY_VERSION = rf"(?:v|ver|version|m|mig|migration)?[-_. ]*({VERSION_PATTERN})(.*)"
_SEPARATORS = "-_. "
_SHAPE = "V<version>__<description>.cypher"


class MigrationName(NamedTuple):
    """The name of a migration: its version, and its description with underscores shown as spaces.

    Of a callback, ``version`` is its name.
    """

    version: Version
    description: str
    kind: FileKind = FileKind.VERSIONED


class Refused(NamedTuple):
    """A file that is not read: why, and what to do."""

    code: str
    message: str
    hint: str
    severity: Severity = Severity.ERROR


_STRAY = Refused(
    "GM113",
    "This file is not a migration and is not read.",
    f"Move it out of the folder, or name it {_SHAPE} if it is one.",
    Severity.WARNING,
)


PART = ".part"
"""What the name of a squash ends with while files move."""


def read_name(name: str) -> MigrationName | Refused | None:
    """Judge the name of one file, without its folder; None where it is no business of ours, such as a README.

    >>> read_name("V1_2__add_people.cypher").version, read_name("README.md")
    (Version('1_2'), None)
    >>> read_name("v2__x.cypher").message
    'This looks like a migration, but its name is wrong: the V must be a capital.'
    """
    if not name.isascii() and any("\ud800" <= character <= "\udfff" for character in name):
        return Refused("GM113", "This file's name is not valid UTF-8.", f"Rename it to {_SHAPE}.")
    name = unicodedata.normalize("NFC", name)
    undoes = ".down." in name.lower() and re.search(_DOWN, name)
    found = None if undoes else _migration(name)
    if found:
        return found
    if _is_ignored(name.lower()):
        return None
    if name.endswith(f"__squashed.cypher{PART}"):
        version = name.partition("__")[0]
        message = "'graphmigrate squash' ended while it moved files to squashed/."
        return Refused(
            "GM113", message, f"Run it again, it goes on: graphmigrate squash --to {version} --keep-order"
        )
    return _callback(name) or _foreign(name) or _misnamed(name) or _STRAY


def _migration(name: str) -> MigrationName | None:
    """Read a name that is right."""
    match = _NAME.fullmatch(name)
    if match and len(match.group(2)) <= 200 and (match.group(1) == "V" or match.group(4) == "cypher"):
        kind, version, description, _ = match.groups()
        return MigrationName(Version.written(version), _shown(description), _KINDS[kind])
    match = _NAMED.fullmatch(name)
    slug = re.sub(r"[^\w.-]+", "_", _shown(match.group(1))) if match else ""  # what goes into keys
    if match and slug.strip("_"):
        return MigrationName(Version.named(f"R__{slug}"), _shown(match.group(1)), FileKind.REPEATABLE)
    return None


def _callback(name: str) -> MigrationName | Refused | None:
    """Read the name of a callback; those of phases that there are not here are left out with a note."""
    match = _CALLBACK.fullmatch(name)
    if match is None:
        return None
    phase = f"{match.group(1)}{match.group(2)}"
    if phase in PHASES:
        return MigrationName(Version.named(name), _shown(match.group(3) or ""), FileKind.CALLBACK)
    known = match.group(2) in _LEFT_OUT
    return Refused(
        "GM113",
        f"Callbacks of the phase {phase} are not run here."
        if known
        else f"There is no phase {phase} for callbacks.",
        f"There are {', '.join(PHASES)}; move this file out of the folder, or rename it.",
        Severity.WARNING if known else Severity.ERROR,
    )


def _is_ignored(lowered: str) -> bool:
    if lowered.endswith(_SUFFIXES) and lowered[0] not in ".~#":
        return False
    if any(fnmatchcase(lowered, pattern) for pattern in IGNORED):
        return True
    return re.fullmatch(_DOCUMENT, lowered, re.DOTALL) is not None


def may_hold_statements(name: str) -> bool:
    """Whether a file looks like a migration to people, wherever it lies.

    It ends like Cypher, or begins like ``V1__`` and may be Cypher, Python or a catalogue: ``V1__people.csv`` is data.
    """
    if _is_ignored(name.lower()):
        return False
    if _split_suffix(name)[1]:
        return True
    if not re.match(_SURELY_VERSIONED, name):
        return False
    stem, suffix = _split_versioned(name)
    return suffix.lower() in {".xml", ".py"} or _may_be_cypher(stem, suffix)


def _shown(description: str) -> str:
    return " ".join(description.replace("_", " ").split())


def _foreign(name: str) -> Refused | None:
    """Recognise what other tools read and this one does not."""
    if re.search(_DOWN, name):
        hint = "To take a migration back, name it U<version>__<description>.cypher, or move it out of the folder."
        return Refused("GM113", "This file undoes a migration, and its name is that of another tool.", hint)
    if not name.lower().endswith((".py", ".java", ".class", ".kt")):
        return None
    if re.match(r"[RU]\d*__", name) and name.endswith(".py"):
        message = "Only V<version>__<description>.py is a migration in Python; what it does is undone by its downgrade(tx)."
        return Refused("GM113", message, f"Write it as {_SHAPE}, or move it out of the folder.")
    if name.endswith(".py") and not re.match(_VERSIONED, name):
        return None
    hint = f"Write it as {_SHAPE} or V<version>__<description>.py, or move it out of the folder."
    return Refused(
        "GM113", "Of programming languages, only Python is read, as V<version>__<description>.py.", hint
    )


def _misnamed(name: str) -> Refused | None:
    """Recognise what was meant as a migration: it ends like Cypher, or begins like a version."""
    stem, suffix = _split_suffix(name)
    if suffix is None:
        if not re.match(_VERSIONED, name):
            return None
        stem, suffix = _split_versioned(name)
        if not _may_be_cypher(stem, suffix):
            return _not_cypher(suffix, _mistakes(stem)[1])
        stem = _split_suffix(stem)[0]
    mistakes, suggestion = _mistakes(stem)
    if suffix != ".cypher":
        mistakes.append("it must end in .cypher")
    message = f"This looks like a migration, but its name is wrong: {'; '.join(mistakes)}."
    return Refused("GM113", message, f"Rename it to {suggestion}.cypher, or move it out of the folder.")


def _not_cypher(suffix: str, suggestion: str) -> Refused:
    is_catalogue = suffix.lower() == ".xml"
    file = "a catalogue of neo4j-migrations" if is_catalogue else f"a {suffix} file"
    content = "its constraints and indexes" if is_catalogue else "what it does"
    return Refused(
        "GM113",
        f"This is {file}, not Cypher: it cannot be a migration here.",
        f"Move it out of the folder, and write {content} as statements in {suggestion}.cypher.",
    )


def _split_versioned(name: str) -> tuple[str, str]:
    """Part a name that begins like a version from what follows its last dot, unless that is of the version."""
    stem, dot, ending = name.rpartition(".")
    return (stem, dot + ending) if re.match(_VERSIONED, stem) else (name, "")


def _may_be_cypher(stem: str, suffix: str) -> bool:
    """Whether a suffix that is not Cypher's says nothing else, as ``.bak`` and that of ``x.cypher.orig``."""
    return _split_suffix(stem)[1] is not None or re.fullmatch(_MAY_BE_CYPHER, suffix.lower()) is not None


def _split_suffix(name: str) -> tuple[str, str | None]:
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)], name[-len(suffix) :]
    return name, None


def _mistakes(stem: str) -> tuple[list[str], str]:
    """Say what is wrong before the suffix, and what would be right."""
    match = re.fullmatch(_ANY_VERSION, stem, re.DOTALL | re.I)
    if match is None:
        description = re.sub(r"^[vV](?=[-_. ])", "", stem).strip(_SEPARATORS) or "description"
        return ["it has no version"], f"V<version>__{description}"
    version, rest = match.group(1), match.group(2)
    description = re.sub(r"\.up$", "", rest).strip(_SEPARATORS)
    mistakes: list[str] = []
    if not stem.startswith(f"V{version}"):
        is_small = stem[0] == "v" and stem[1:2].isdigit()
        mistakes.append("the V must be a capital" if is_small else "it must begin with V")
    if not description.strip(_SEPARATORS):
        mistakes.append("it has no description")
    elif not rest.startswith("__") and "__" in rest:
        mistakes.append("a version is numbers only, joined by dots or underscores")
    elif not rest.startswith("__"):
        mistakes.append("two underscores must stand between version and description")
    if len(version) > 200:
        mistakes.append("its version is too long")
    return mistakes, f"V{version}__{description.replace('__', '_') or 'description'}"


def printable(text: str) -> str:
    """Write bytes of a name that are not UTF-8 as escapes, so that any terminal can show it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")

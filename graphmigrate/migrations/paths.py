"""Migrations as files, not yet read: all that a run with nothing to do needs of them.

Named tuples: Python makes such a class in a fifth of a dataclass's time, and ten thousand values of it in a quarter.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from graphmigrate.database.version import Version
    from graphmigrate.errors import Problem


class MigrationFile(NamedTuple):
    """A migration on disk, named and hashed but not yet read: cheap for ten thousand of them."""

    version: Version
    description: str
    location: str
    name: str
    checksum: str
    content: bytes

    @property
    def path(self) -> Path:
        """Where it is; made when somebody asks, because making it takes longer than reading the file."""
        return Path(self.location)


class MigrationFolder(NamedTuple):
    """What ``collect`` found, in order of version, with every finding about names."""

    path: Path
    files: tuple[MigrationFile, ...]
    problems: tuple[Problem, ...]

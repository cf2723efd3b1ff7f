"""Files of the seeds folder; a link is followed where it leads to a file of the folder, as in Kubernetes' ConfigMaps."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from graphmigrate.seeds.errors import SeedFileError, did_you_mean

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

CODE = "GM583"


class MissingFile(SeedFileError):
    """A file that a template names is not in the seeds folder."""

    code = CODE


def open_inside(root: Path, name: str) -> BinaryIO:
    """Open the file ``name`` (relative to ``root``, parts separated by ``/``) for reading bytes.

    Raises SeedFileError (GM583) for what is not a regular file inside ``root``.
    """
    path = PurePosixPath(name)
    if not name or "\0" in name or "\\" in name or path.is_absolute() or ".." in path.parts or not path.parts:
        raise SeedFileError(
            f"{name!r} is not a path inside the seeds folder.",
            hint="Write it relative to the seeds folder, with '/' and without '..', as data/people.csv",
            code=CODE,
        )
    try:
        found = root.joinpath(*path.parts).resolve(strict=True)
        if not found.is_relative_to(root.resolve()):
            raise SeedFileError(
                f"{name!r} is, or lies behind, a link that leads out of the seeds folder.",
                hint="Copy the file into the seeds folder.",
                code=CODE,
            )
        if not found.is_file():
            raise SeedFileError(f"{name!r} is not a regular file.", code=CODE)
        return found.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(root, path) from None
    except (OSError, RuntimeError) as error:  # a link to itself is a RuntimeError before Python 3.13
        reason = getattr(error, "strerror", None) or "a link leads to itself"
        raise SeedFileError(f"{name!r} cannot be read: {reason}.", code=CODE) from error


def _missing(root: Path, path: PurePosixPath) -> MissingFile:
    """Return the error that names the first part of the path which is not there, and what it may have meant."""
    reached = root
    for part in path.parts:
        known = [each.name for each in reached.iterdir()] if reached.is_dir() else []
        if part not in known:
            hint = did_you_mean(part, known, f"files in {reached}")
            return MissingFile(f"There is no file {str(path)!r} in the seeds folder.", hint=hint)
        reached = reached / part
    return MissingFile(f"{str(path)!r} is a link to a file that is not there.")

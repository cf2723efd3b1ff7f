"""Files under ``seeds/``, never outside it: no ``..``, no absolute path, no link, only regular files."""

from __future__ import annotations

import os
import stat
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

    Every step of the path is opened relative to the one before it and without following links, so that
    nothing can be swapped between the check and the opening. Raises SeedFileError (GM583).
    """
    parts = _parts(name)
    if not hasattr(os, "O_NOFOLLOW"):
        return _open_resolved(root, name, parts)
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        # The folder itself may be a link: that is the project's own choice.
        handle = os.open(root, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    except OSError as error:
        raise SeedFileError(
            f"The folder {str(root)!r} cannot be read: {error.strerror}.", code=CODE
        ) from error
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        try:
            following = os.open(part, flags if last else flags | os.O_DIRECTORY, dir_fd=handle)
        except OSError as error:
            raise _refusal(root, name, parts[: index + 1], error) from error
        finally:
            os.close(handle)
        handle = following
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise SeedFileError(f"{name!r} is not a regular file.", code=CODE)
    return os.fdopen(handle, "rb")


def _open_resolved(root: Path, name: str, parts: tuple[str, ...]) -> BinaryIO:
    """Open where the system cannot open relative to a folder (Windows): a path that leads elsewhere is refused."""
    path = root.joinpath(*parts)
    try:
        if path.is_file() and path.resolve() == root.resolve().joinpath(*parts):
            return path.open("rb")
        raise OSError(0, "it is not a regular file of this folder")
    except OSError as error:
        raise _refusal(root, name, parts, error) from error


def _parts(name: str) -> tuple[str, ...]:
    path = PurePosixPath(name)
    if not name or "\0" in name or "\\" in name or path.is_absolute() or ".." in path.parts or not path.parts:
        raise SeedFileError(
            f"{name!r} is not a path inside the seeds folder.",
            hint="Give it relative to the seeds folder, with '/' and without '..', as data/people.csv",
            code=CODE,
        )
    return path.parts


def _refusal(root: Path, name: str, parts: tuple[str, ...], error: OSError) -> SeedFileError:
    reached = root.joinpath(*parts)
    if reached.is_symlink():
        message = f"{name!r} is, or lies behind, a link: files outside the seeds folder are never read."
        return SeedFileError(message, hint="Copy the file into the seeds folder.", code=CODE)
    if not reached.exists():
        siblings = [each.name for each in reached.parent.iterdir()] if reached.parent.is_dir() else []
        hint = did_you_mean(parts[-1], siblings, f"files in {reached.parent}")
        return MissingFile(f"There is no file {name!r} in the seeds folder.", hint=hint)
    return SeedFileError(f"{name!r} cannot be read: {error.strerror}.", code=CODE)

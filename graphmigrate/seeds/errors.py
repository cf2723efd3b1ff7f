"""Errors of seeds; whatever is raised before anything was loaded has exit code 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.errors import ProjectError, closest

if TYPE_CHECKING:
    from collections.abc import Iterable

BAD_ROW = "GM118"
UNFIT = "GM591"
BAD_OPTION = "GM591"
BAD_SPECIFICATION = "GM593"
NO_VARIABLE = "GM572"


class SeedFileError(ProjectError):
    """A seed's file, front matter, template, variables or sources are wrong; nothing was loaded."""

    code = "GM560"


def did_you_mean(word: str, known: Iterable[str], what: str) -> str:
    """Say which known word was probably meant, or list them all."""
    known = sorted(set(known))
    if not known:
        return f"There are no {what}."
    close = closest(word, known)
    listed = f"Known {what}: {', '.join(known)}."
    return f"Did you mean {close!r}? {listed}" if close else listed

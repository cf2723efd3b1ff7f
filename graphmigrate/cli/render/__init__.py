"""Results, findings and progress as a person, or another program, reads them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any


class Lazy:
    """A module of this package that is imported when it is first used: help and completion need none."""

    def __init__(self, name: str) -> None:
        self._name = f"{__name__}.{name}"

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)


if not TYPE_CHECKING:
    ci, markdown, text = map(Lazy, ("ci", "markdown", "text"))

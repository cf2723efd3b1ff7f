"""What is wrong with a project or a server, as the words of a failed test: without our own stack."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from graphmigrate.errors import GraphMigrateError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def explained() -> Iterator[None]:
    """Let an error of this package fail the test in words."""
    try:
        yield
    except GraphMigrateError as error:
        raise pytest.fail.Exception(_text(error), pytrace=False) from None


def _text(error: GraphMigrateError) -> str:
    lines = [f"{error.place}:"] if error.place else []
    lines += [f"{error.error_code}: {error.message}", *map(str, error.problems)]
    lines += [f"hint: {error.hint}"] if error.hint else []
    return "\n".join(lines)

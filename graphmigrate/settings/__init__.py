"""Settings: what a run needs to know; a flag beats the environment beats a file beats the default."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphmigrate.settings.model import (
    SCHEMES,
    Loaded,
    Secret,
    Settings,
    can_start_server,
    check_ca_file,
    check_uri,
    describe,
    in_container,
    with_database_of_address,
)
from graphmigrate.settings.sources import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "SCHEMES",
    "Loaded",
    "Secret",
    "Settings",
    "can_start_server",
    "check_ca_file",
    "check_uri",
    "describe",
    "in_container",
    "load",
    "with_database_of_address",
]


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    folder: Path | None = None,
    config: Path | None = None,
    env_file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    connect: bool = True,
) -> Loaded:
    """Read the settings of the project in ``folder`` (default: the current one).

    The configuration file is also looked for above ``folder``, as git looks for its repository.

    ``flags`` beat everything; then come the environment (default: the process's), ``.env`` (or ``env_file``),
    the configuration file (``config``, else ``graphmigrate.toml``, else ``[tool.graphmigrate]`` of
    ``pyproject.toml``) and the defaults. With ``connect=False`` neither the URI is judged nor a password file
    read. Raises UsageError.
    """
    return Reader(flags or {}, folder or Path(), config, env_file, environment).load(connect=connect)

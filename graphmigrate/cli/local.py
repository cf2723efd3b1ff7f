"""The project's running local server, for commands that were not told which database to use."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from graphmigrate.errors import UsageError
from graphmigrate.settings import Secret

if TYPE_CHECKING:
    from graphmigrate.settings import Loaded, Settings


def local_settings(loaded: Loaded) -> Settings:
    """Point the settings at the project's local server; raises UsageError (GM151) where none runs.

    Its own user and password are used: those in the environment belong to another server. Flags still win.
    """
    from graphmigrate import server

    found = server.find(loaded.folder.absolute())
    if found is None:
        raise UsageError(
            "No database was named, and no local server of this project runs.",
            hint="Set NEO4J_URI (or --uri), or start a local Neo4j with: graphmigrate server start",
            code="GM151",
        )
    settings = loaded.settings
    username, password = found.username, found.password
    if loaded.origins.get("username", "").startswith("--"):
        username = settings.username
    if loaded.origins.get("password", "").startswith("--"):
        password = settings.password
    secret = Secret(password) if password else None
    return replace(settings, uri=found.bolt_uri, username=username, password=secret, ca_file=None)

"""What can go wrong with a local server; prerequisites and options that are wrong are UsageErrors."""

from __future__ import annotations

from graphmigrate.errors import GraphMigrateError


class ServerFailed(GraphMigrateError):
    """The local server did not start, did not answer or did not stop."""

    code = "GM180"
    exit_code = 3

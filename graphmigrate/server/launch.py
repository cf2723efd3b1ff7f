"""What both providers are told to start, and the settings that both give to Neo4j."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphmigrate.server.model import HOST

if TYPE_CHECKING:
    from graphmigrate.server.model import ServerOptions
    from graphmigrate.server.state import Home
    from graphmigrate.server.versions import Release


@dataclass(frozen=True, slots=True)
class Launch:
    """One server about to be started."""

    release: Release
    options: ServerOptions
    home: Home
    port: int
    http_port: int

    @property
    def needs_password(self) -> bool:
        """Whether this data must be given its password now.

        Lasting data gets one even with ``--no-auth``: it can be given only before the first start, and the next start
        may want it.
        """
        return (self.options.auth or not self.options.ephemeral) and not self.home.has_data

    def settings(self) -> dict[str, str]:
        """Give the settings of neo4j.conf that do not depend on the provider.

        The addresses that are advertised matter to ``neo4j://`` URIs and to Neo4j Browser. Transaction logs are not
        preallocated: a fresh folder then has 2 MB, not 516 MB (Operations Manual, "Configuration settings").
        """
        return {
            "server.bolt.advertised_address": f"{HOST}:{self.port}",
            "server.http.advertised_address": f"{HOST}:{self.http_port}",
            "server.memory.heap.max_size": self.options.heap,
            "server.memory.pagecache.size": self.options.page_cache,
            "server.http.enabled": "true" if self.options.http else "false",
            "dbms.security.auth_enabled": "true" if self.options.auth else "false",
            "dbms.usage_report.enabled": "false",
            "db.tx_log.preallocate": "false",
        }

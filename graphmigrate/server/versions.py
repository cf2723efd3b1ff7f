"""The Neo4j releases that can be started here: the one place that pins them."""

from __future__ import annotations

from dataclasses import dataclass

from graphmigrate.errors import UsageError


@dataclass(frozen=True, slots=True)
class Release:
    """One pinned release. ``java`` is the lowest Java that runs it (Operations Manual, "System requirements").

    ``jvm_settings`` are internal ones of exactly this version, so they are for the local JVM only.
    """

    series: str
    version: str
    java: int
    main_class: str
    image: str
    jvm_settings: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that names this release, shortest first: ``5``, ``5.26``, ``5.26.25``."""
        parts = self.version.split(".")
        return tuple(".".join(parts[:count]) for count in range(1, len(parts) + 1))


BROWSER_VERSION = "5.0.0"
# Without it Bolt stays open and silent for a while, and a graceful stop takes 10 s; with it, 0.6 s (measured).
_QUIET = "internal.dbms.bolt.netty_server_shutdown_quiet_period"
RELEASES = (
    Release("5.26", "5.26.25", 17, "org.neo4j.server.CommunityEntryPoint", "neo4j:5.26", ((_QUIET, "0"),)),
    Release(
        "2026.05",
        "2026.05.0",
        21,
        "org.neo4j.server.Neo4jCommunity",
        "neo4j:2026.05",
        ((f"{_QUIET}_duration", "0s"),),
    ),
)
DEFAULT = RELEASES[0]


def resolve(name: str | None) -> Release:
    """Find a release by its version or the beginning of it; raises UsageError (GM158)."""
    if name is None:
        return DEFAULT
    for release in RELEASES:
        if name in release.names:
            return release
    known = ", ".join(f"{each.series} (is {each.version}, needs Java {each.java}+)" for each in RELEASES)
    raise UsageError(
        f"Neo4j {name} cannot be started here.",
        hint=f"Choose one of: {known}. Any other server works too: start it yourself and set NEO4J_URI.",
        code="GM158",
    )


def series(version: str) -> str:
    """Give the part of a version within which a store moves freely: ``5.26`` of ``5.26.25``."""
    return ".".join(version.split(".")[:2])

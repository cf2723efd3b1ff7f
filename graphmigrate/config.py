"""Settings: what a run needs to know; a flag beats the environment beats a file beats the default."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


class Secret(str):
    """A password: usable as text, but never shown by ``repr`` or in a traceback's locals."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the façade needs. Times are seconds, sizes bytes; ``database=None`` means the user's home database."""

    uri: str = ""
    username: str | None = None
    password: Secret | None = field(default=None, repr=False)
    database: str | None = None
    migrations: Path = Path("migrations")
    seeds: Path = Path("seeds")
    ledger: str = "default"
    lock_timeout: float = 600.0
    index_timeout: float = 600.0
    connection_timeout: float = 5.0
    max_statement_size: int = 10 * 1024 * 1024
    heartbeat: float = 5.0
    stale_after: float = 60.0
    preflight_connections: int = 4
    batch_rows: int = 5_000

"""The façade: what a library user, the command line, the entrypoint and pytest call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphmigrate.events import Listener, ignore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import neo4j

    from graphmigrate.config import Settings
    from graphmigrate.errors import Problem
    from graphmigrate.results import (
        BaselineResult,
        GraphSummary,
        MigrateResult,
        PlanResult,
        RepairResult,
        SeedInfo,
        SeedResult,
        Status,
        Target,
    )


class Migrator:
    """Migrations and seeds of one project against one database (CONTRACT: bodies follow)."""

    def __init__(
        self, settings: Settings, *, driver: neo4j.Driver | None = None, listen: Listener = ignore
    ) -> None: ...

    def __enter__(self) -> Migrator:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None: ...

    def migrate(
        self,
        *,
        target: str | None = None,
        allow_out_of_order: bool = False,
        lock_timeout: float | None = None,
    ) -> MigrateResult: ...

    def plan(self, *, target: str | None = None, allow_out_of_order: bool = False) -> PlanResult:
        """Also `migrate --dry-run`."""

    def status(self) -> Status: ...

    def validate(self, *, offline: bool = False) -> tuple[Problem, ...]: ...

    def baseline(self, version: str) -> BaselineResult: ...

    def repair(self, *, accept: Sequence[str] = (), forget: Sequence[str] = ()) -> RepairResult:
        """Without versions: shows every disagreement and its resolution, changes nothing."""

    def wait(self, timeout: float = 60.0) -> Target: ...

    def seed(
        self,
        names: Sequence[str] = (),
        *,
        profile: str | None = None,
        variables: Mapping[str, str] | None = None,
        force: bool = False,
        allow_duplicates: bool = False,
        lock_timeout: float | None = None,
    ) -> SeedResult: ...

    def seeds(self, *, offline: bool = False) -> tuple[SeedInfo, ...]: ...

    def summary(self) -> GraphSummary:
        """Counts per label and relationship type, ledger excluded."""

    def query(self, cypher: str) -> tuple[list[str], list[list[Any]]]:
        """Columns and rows of a read-only query (for the summary's example query)."""

"""What a user of Enterprise Edition may do, against what the commands need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.doctor.way import finding, ok

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphmigrate.results import Check

OTHERS = "other users' transactions"
# Each right, and the sets of actions of SHOW USER PRIVILEGES that grant it (Operations Manual, "Built-in roles and privileges").
NEEDED: dict[str, tuple[frozenset[str], ...]] = {
    "reading": (
        frozenset({"match"}),
        frozenset({"traverse", "read"}),
        frozenset({"graph_actions"}),
    ),
    "writing": (
        frozenset({"write"}),
        frozenset({"graph_actions"}),
        frozenset({"create_element", "delete_element", "set_label", "remove_label", "set_property"}),
    ),
    "constraints and indexes": (
        frozenset({"constraint", "index"}),
        frozenset({"database_actions"}),
        frozenset({"create_constraint", "drop_constraint", "create_index", "drop_index"}),
    ),
    "new labels, types and property names": (
        frozenset({"token"}),
        frozenset({"database_actions"}),
        frozenset({"create_label", "create_reltype", "create_propertykey"}),
    ),
    OTHERS: (
        frozenset({"transaction_management"}),
        frozenset({"database_actions"}),
        frozenset({"show_transaction", "terminate_transaction"}),
    ),
}


def judge(privileges: Iterable[Mapping[str, str]], database: str) -> Check:
    """Give the finding of what is missing; who migrates alone needs no other users' transactions."""
    lacking = missing(privileges, database)
    needed = [each for each in lacking if each != OTHERS]
    if needed:
        return finding(
            "rights",
            f"This user lacks: {', '.join(needed)}.",
            "Grant what is missing, or: GRANT ROLE architect TO the user (admin where several users migrate one "
            "database). 'status' and 'plan' only read.",
        )
    have = "reading, writing, constraints and indexes"
    if lacking:
        return ok(
            "rights", f"{have}; not {OTHERS}, which matters only where several users migrate one database"
        )
    return ok("rights", f"{have}, {OTHERS}")


def missing(privileges: Iterable[Mapping[str, str]], database: str) -> list[str]:
    """Name the rights that are not granted for the database; a DENY of an action takes it away.

    Rows are those of SHOW USER PRIVILEGES. Rights by label or property count as granted: they are the administrator's
    choice. Untested on a real Enterprise Edition.
    """
    granted: set[str] = set()
    denied: set[str] = set()
    for row in privileges:
        if row["graph"] in {"*", database, "DEFAULT", "HOME"}:
            (denied if row["access"] == "DENIED" else granted).add(row["action"])
    have = granted - denied
    return [name for name, ways in NEEDED.items() if not any(way <= have for way in ways)]

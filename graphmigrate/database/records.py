"""The records of runs: what each meant to do and what came of it; they prove what a damaged node of a migration was."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from graphmigrate.database import queries
from graphmigrate.database.history import RunRecord
from graphmigrate.database.version import Version
from graphmigrate.errors import HistoryMismatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import neo4j

    from graphmigrate.database.connection import Database
    from graphmigrate.database.shape import Node

DAMAGE_HINT = (
    "graphmigrate repair says of each node what can be restored and how; "
    "graphmigrate baseline VERSION leads out of the rest."
)
_ITEM: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("key", "version", "type", "description"), str),
    **dict.fromkeys(("checksum", "source"), (str, type(None))),
    **dict.fromkeys(("first", "steps", "committed", "rank"), int),
    **dict.fromkeys(("before", "segments"), list),
}


def item_of(
    key: str,
    row: Mapping[str, Any],
    *,
    first: int = 1,
    before: Sequence[str] = (),
    segments: Sequence[tuple[str, Sequence[str]]] = (),
) -> dict[str, Any]:
    """Return what a record keeps of a migration: enough to judge a run that died, and to restore the migration's node.

    ``row`` has its lasting properties; the run goes on with its segment ``first``, after the statements ``before``. ``segments``
    are the kinds and the fingerprints of what it is to execute.
    """
    lasting = {
        name: row.get(name) for name in ("version", "type", "description", "checksum", "source", "rank")
    }
    work = {"first": first, "steps": row["steps"], "committed": len(before), "before": list(before)}
    return {"key": key, **lasting, **work, "segments": [[kind, list(each)] for kind, each in segments]}


def item_of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a record keeps of a migration's node as it stands."""
    done = len(row["statements"]) - bool(row.get("intent") or row["batches"])
    before, at_hand = row["statements"][:done], row["statements"][done:]
    segments = [("", at_hand)] if at_hand else []
    return item_of(row["key"], row, first=row["step"] + 1, before=before, segments=segments)


def read_run_record(database: Database, key: str) -> RunRecord | None:
    """Read the record of a run. Raises HistoryMismatch (GM612) where it cannot be read any more."""
    for record in database.read(queries.RUN_RECORD, key=key):
        plan = read_plan(record["plan"])
        if plan is None or not _is_json(record["catalogue"]):
            raise HistoryMismatch(
                f"graphmigrate's Run {key!r} was changed by something else: its plan or its catalogue cannot be read.",
                hint=DAMAGE_HINT,
                code="GM612",
            )
        since, catalogue = moment(record["since"]), record["catalogue"]
        return RunRecord(record["key"], record["run"], record["host"], record["user"], since, plan, catalogue)
    return None


def read_plan(text: Any) -> tuple[dict[str, Any], ...] | None:
    """Return the items of a record; None where they are not what a run has written."""
    try:
        items = tuple(dict(each) for each in json.loads(text))
        sound = all(_is_sound(item) for item in items)
    except Exception:  # whatever stands there was not written by us
        return None
    return items if sound else None


def _is_sound(item: Mapping[str, Any]) -> bool:
    Version.parse(item["version"])
    typed = all(isinstance(item[name], kind) for name, kind in _ITEM.items())
    return typed and all(isinstance(each, str) for _, statements in item["segments"] for each in statements)


def _is_json(text: Any) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except (ValueError, TypeError):
        return False


def record_change(
    tx: neo4j.Transaction,
    database: Database,
    outcome: str,
    items: Sequence[Mapping[str, Any]],
    forgotten: Sequence[str],
) -> None:
    """Write, in the transaction of a deliberate change, which rows it made or changed; delete the ``forgotten`` ones."""
    change = uuid.uuid4().hex  # one run may make several
    tx.run(queries.DELETE_NODES, keys=list(forgotten)).consume()
    tx.run(
        queries.RECORD_CHANGE,
        ledger=f"{database.settings.ledger}/ledger",
        key=f"{database.settings.ledger}/run/{change}",
        run=change,
        host=database.host,
        user=database.user,
        plan=json.dumps(items, ensure_ascii=False),
        planned=[item["key"] for item in items],
        outcome=outcome,
        forgotten=list(forgotten),
    ).consume()


def written_rows(nodes: Iterable[Node]) -> dict[str, tuple[int, int, int, int]]:
    """Return by key what runs that ended say of each migration's node: step, batches, intent, commits; without the forgotten."""
    found: dict[str, tuple[int, int, int, int]] = {}
    gone: set[str] = set()
    for node in nodes:
        if node.kind == "Run":
            gone.update(filter(None, map(first_word, texts(node, "forgotten"))))
            for text in texts(node, "rows"):
                key, _, numbers = text.partition(" ")
                if re.fullmatch(r"\d{1,9}( \d{1,9}){3}", numbers):
                    step, batches, intent, commits = map(int, numbers.split())
                    found[key] = max(found.get(key, (0, 0, 0, 0)), (step, batches, intent, commits))
    return {key: row for key, row in found.items() if key not in gone}


def texts(node: Node, name: str) -> list[str]:
    """Return the texts in a property that is a list; nothing where it is not."""
    found = node.values.get(name)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def first_word(text: str) -> str:
    """Return what stands before the first space."""
    return text.partition(" ")[0]


def moment(text: str | None) -> datetime | None:
    """Read a date and time as the server writes it; None for one that Python cannot hold."""
    try:
        return None if text is None else datetime.fromisoformat(text.partition("[")[0])
    except ValueError:
        return None

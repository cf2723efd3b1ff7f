"""The options of an index, as the server writes them, without those that are its defaults (5.26 and 2026.05 have the same)."""

from __future__ import annotations

from typing import Any

from graphmigrate.cypher.client import literal
from graphmigrate.cypher.lexer import word_of
from graphmigrate.cypher.reader import Cursor, NotUnderstood, significant

_DEFAULTS: dict[str, Any] = {
    "fulltext.analyzer": "standard-no-stop-words",
    "fulltext.eventually_consistent": False,
    "spatial.cartesian.min": [-1e6, -1e6],
    "spatial.cartesian.max": [1e6, 1e6],
    "spatial.cartesian-3d.min": [-1e6, -1e6, -1e6],
    "spatial.cartesian-3d.max": [1e6, 1e6, 1e6],
    "spatial.wgs-84.min": [-180.0, -90.0],
    "spatial.wgs-84.max": [180.0, 90.0],
    "spatial.wgs-84-3d.min": [-180.0, -90.0, -1e6],
    "spatial.wgs-84-3d.max": [180.0, 90.0, 1e6],
    "vector.hnsw.ef_construction": 100,
    "vector.hnsw.m": 16,
    "vector.quantization.enabled": True,
    "vector.similarity_function": "COSINE",
}


def options_of(create: str | None) -> str:
    """Return the OPTIONS of a statement that the server wrote, with what differs from its defaults; else an empty text.

    Options that are not understood stay as they are.
    """
    words = significant(create or "")
    at = next((at for at, word in enumerate(words) if word_of(word) == "OPTIONS"), None)
    if create is None or at is None:
        return ""
    cursor = Cursor(words[at + 1 :])
    try:
        options = literal(cursor)
        cursor.expect_end()
    except NotUnderstood:
        return create[words[at].start :]
    config = {
        name: value for name, value in options.get("indexConfig", {}).items() if _DEFAULTS.get(name) != value
    }
    others = {name: value for name, value in options.items() if name != "indexConfig"}
    kept = others | ({"indexConfig": config} if config else {})
    return f"OPTIONS {_written(kept)}" if kept else ""


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(name)}: {_written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _key(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"

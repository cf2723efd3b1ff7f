r"""Write a name as a Cypher identifier (Cypher Manual, "Naming rules and recommendations").

The server decodes ``\u0060`` to a backtick inside backticks too, and that backtick ends the name (measured on
Neo4j 5.26 and 2026.05): so names with a backslash are refused, not escaped. Refused as well is what no server
stores well: NUL, half a surrogate pair, nothing at all.
"""

from __future__ import annotations

from graphmigrate.errors import ProjectError


def quote(name: str) -> str:
    """Return ``name`` between backticks, its own backticks doubled.

    Raises ProjectError (GM108) for a name that cannot be written safely.
    """
    reason = _refusal(name)
    if reason:
        raise ProjectError(
            f"{name!a} cannot be the name of a label, relationship type or property: {reason}.",
            hint="Use letters, digits, spaces and underscores.",
            code="GM108",
        )
    return f"`{name.replace('`', '``')}`"


def _refusal(name: str) -> str | None:
    if not name:
        return "it is empty"
    if "\\" in name:
        return "it holds a backslash"
    if "\0" in name:
        return "it holds a NUL character"
    if any("\ud800" <= character <= "\udfff" for character in name):
        return "it holds half a surrogate pair"
    return None

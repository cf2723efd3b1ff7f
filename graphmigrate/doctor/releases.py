"""Which Neo4j releases still get fixes."""

from __future__ import annotations

import re
from datetime import date

AS_OF = date(2026, 2, 28)
# "Neo4j v5 Long-Term Support" (neo4j.com/developer-blog): 5.26 is supported until June 2028, 4.4 was until November 2025.
LONG_TERM = {(5, 26): date(2028, 6, 30), (4, 4): date(2025, 11, 30)}
OLDEST = (5, 26)
_MONTHS_OF_GRACE = 3
_LONG_TERM_YEARS = 3  # "Upgrade and Migration Guide", "Version numbers": the window of a calendar LTS release


def trouble_with(version: str, today: date) -> str | None:
    """Say what is wrong with a release's age; None where it still gets fixes.

    Calendar releases get fixes until the next one comes, about monthly; a few months of grace are given, because this
    table does not know what was released after ``AS_OF``.
    """
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None:
        return None
    series = int(numbers[1]), int(numbers[2])
    if series in LONG_TERM:
        return None if today <= LONG_TERM[series] else f"got its last fix by {LONG_TERM[series]:%B %Y}"
    if series < OLDEST:
        return "gets no fixes any more"
    if series[0] < 2025:
        return None
    age = (today.year - series[0]) * 12 + today.month - series[1]
    allowed = 12 * _LONG_TERM_YEARS if "LTS" in version.upper() else _MONTHS_OF_GRACE
    if age > allowed:
        return f"is {age} months old, and a release of this kind gets fixes until the next one only"
    return None


def is_tested(version: str) -> bool:
    """Whether this tool is tested with releases of that age."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is None or (int(numbers[1]), int(numbers[2])) >= OLDEST

"""Names and values of placeholders: the configuration lists the names; values come from --set, environment and configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from graphmigrate.errors import Problem, Severity, closest
from graphmigrate.settings.values import SECRET_NAME, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphmigrate.errors import Place
    from graphmigrate.settings.model import Secret

SET_PREFIX = "GRAPHMIGRATE_SET_"


class Placeholders:
    """Collects what the sources say; the earlier source of a value wins."""

    def __init__(self, assignments: Sequence[str]) -> None:
        self._listed: dict[str, str | None] = {}
        self._variables: dict[str, tuple[str, str]] = {}
        self._assigned: dict[str, str] = {}
        self._problems: list[Problem] = []
        self._place: Place | None = None
        for each in assignments:
            name, sign, value = each.partition("=")
            if not sign or not name:
                hint = "For example: --set tenant=acme"
                self._problems.append(Problem("GM158", f"--set {name!r} is not NAME=VALUE.", hint))
            self._assigned[name] = value

    def give(self, name: str, value: str | None, label: str) -> None:
        """Take the value of a variable of the environment; an empty one counts as not set."""
        if value:
            self._variables.setdefault(name.upper(), (value, label))

    def list_names(self, table: Any, place: Place) -> None:
        """Take the names that the configuration lists; an empty value is none."""
        self._place = place
        named = dict.fromkeys(table, "") if _is_list_of_texts(table) else table
        if not isinstance(named, dict):
            message = f"'placeholders' must be a table of names and values, not {kind_of(table)}."
            self._problems.append(
                Problem("GM158", message, 'For example [placeholders] and tenant = "acme".', place)
            )
            return
        for name, value in named.items():
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not re.fullmatch(r"[^\W\d]\w*", name) or not (isinstance(value, str) or is_number):
                message = f"The placeholder {name!r} must be a name of letters, digits and '_', and its value a text or number."
                self._problems.append(Problem("GM158", message, 'For example tenant = "acme".', place))
                continue
            self._listed[name] = str(value) or None

    def read(self, password: Secret | None) -> tuple[dict[str, str | None], list[Problem]]:
        """Return every listed name with its value, and what is wrong."""
        values = {name: self._value(name) for name in self._listed}
        problems = [*self._problems, *(each for name in self._assigned if (each := self._unlisted(name)))]
        upper = {name.upper() for name in values}
        for name, (_, label) in self._variables.items():
            if name not in upper:
                hint = "List it under [placeholders] in graphmigrate.toml, or unset it."
                problems.append(
                    Problem("GM157", f"{label} sets no placeholder.", hint, severity=Severity.WARNING)
                )
        for name, value in values.items():
            if SECRET_NAME.search(name) or (password and value == password):
                problems.append(
                    Problem(
                        "GM155",
                        f"The placeholder {name!r} looks like a secret: plans, logs and the server's query log would show it.",
                        "Migrations take no secrets; let an administrator set it, or rename the placeholder if it is none.",
                        self._place,
                    )
                )
        return values, problems

    def _value(self, name: str) -> str | None:
        if name in self._assigned:
            return self._assigned[name]
        return self._variables[name.upper()][0] if name.upper() in self._variables else self._listed[name]

    def _unlisted(self, name: str) -> Problem | None:
        if name in self._listed or not name:
            return None
        near = closest(name, self._listed)
        hint = f"Did you mean {near!r}?" if near else "List it under [placeholders] in graphmigrate.toml."
        return Problem("GM157", f"--set {name}: there is no such placeholder.", hint)


def _is_list_of_texts(table: Any) -> bool:
    return isinstance(table, list) and all(isinstance(each, str) for each in table)

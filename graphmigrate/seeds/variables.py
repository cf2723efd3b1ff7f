"""Variables of seeds: defaults from the front matter, changed by ``--set name=value``."""

from __future__ import annotations

import datetime
import difflib
import json
import re
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds import safe_yaml
from graphmigrate.seeds.errors import SeedFileError, did_you_mean
from graphmigrate.seeds.frontmatter import is_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphmigrate.seeds.folder import SeedFile

# A variable of such a name is not to be printed.
SECRET_NAME = re.compile(r"pass(word|wd|phrase)|secret|token|credential|api_?key", re.IGNORECASE)
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


def check_names(given: Iterable[str], seeds: Iterable[SeedFile]) -> None:
    """Refuse a variable that none of the chosen seeds has (GM567)."""
    owners: dict[str, list[str]] = {}
    for seed in seeds:
        for name in seed.front.variables:
            owners.setdefault(name, []).append(seed.name)
    for name in given:
        if name not in owners:
            hint = "The chosen seeds have no variables."
            if owners:
                hint = did_you_mean(
                    name, (f"{each} ({', '.join(owners[each])})" for each in owners), "variables"
                )
                close = difflib.get_close_matches(name, owners, n=1, cutoff=0.6)
                hint = f"Did you mean {close[0]!r}? {hint}" if close else hint
            raise SeedFileError(f"None of the chosen seeds has a variable {name!r}.", hint=hint, code="GM567")


def effective(seed: SeedFile, given: Mapping[str, Any], profile: str | None = None) -> dict[str, Any]:
    """Return the variables of one seed: what is given beats what the profile sets, and that the default.

    A given text is read by the type of the default (GM567).
    """
    chosen = {**seed.front.settings.get(profile or "", {}), **given}
    return {
        name: _parse(seed, name, chosen[name], default) if name in chosen else default
        for name, default in seed.front.variables.items()
    }


def _parse(seed: SeedFile, name: str, value: Any, default: Any) -> Any:
    try:
        parsed = _read(value, default) if isinstance(value, str) else value
    except (ValueError, safe_yaml.BadYaml):
        parsed = _UNREADABLE
    if parsed is _UNREADABLE or not is_plain(parsed):
        kind = _kind(default)
        raise SeedFileError(
            f"The variable {name!r} of seed {seed.name!r} takes {kind}, not {value!r}.",
            hint=f"Its default is {default!r}; write --set {name}=… in that form.",
            code="GM567",
        )
    return parsed


_UNREADABLE = object()


def _read(text: str, default: Any) -> Any:
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        return _boolean(text)
    if isinstance(default, int):
        return int(text)
    if isinstance(default, float):
        return float(text)
    if isinstance(default, datetime.datetime):
        return datetime.datetime.fromisoformat(text)
    if isinstance(default, datetime.date):
        return datetime.date.fromisoformat(text)
    value = safe_yaml.load(text)
    if default is not None and not isinstance(value, type(default)):
        raise ValueError(text)
    return value


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(text)


def _kind(default: Any) -> str:
    names = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        list: "a list, as [a, b]",
        dict: "a map, as {a: 1}",
        datetime.date: "a date, as 2026-01-31",
        datetime.datetime: "a date and time, as 2026-01-31T12:00:00+00:00",
    }
    return names.get(type(default), "a value")


def in_words(variables: Mapping[str, Any]) -> str:
    """List variables with their values for a message; those whose names look secret, without."""
    return ", ".join(
        f"{name} = {'***' if SECRET_NAME.search(name) else repr(value)}"
        for name, value in sorted(variables.items())
    )


def to_json(variables: Mapping[str, Any]) -> str:
    """Write variables as the ledger keeps and compares them."""
    return json.dumps(variables, sort_keys=True, ensure_ascii=False, default=_date_to_json)


def from_json(text: str) -> dict[str, Any]:
    """Read what ``to_json`` wrote."""
    value = json.loads(text, object_hook=_date_from_json)
    return value if isinstance(value, dict) else {}


def _date_to_json(value: Any) -> dict[str, str]:
    kind = "$datetime" if isinstance(value, datetime.datetime) else "$date"
    return {kind: value.isoformat()}


def _date_from_json(value: dict[str, Any]) -> Any:
    if set(value) == {"$datetime"}:
        return datetime.datetime.fromisoformat(value["$datetime"])
    return datetime.date.fromisoformat(value["$date"]) if set(value) == {"$date"} else value

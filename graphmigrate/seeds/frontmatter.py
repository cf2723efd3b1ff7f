"""The YAML between ``---`` lines at the top of a seed, and the variables that it declares."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphmigrate.errors import Place, Problem, closest, raise_all
from graphmigrate.seeds import yaml
from graphmigrate.seeds.files import SeedFileError, did_you_mean
from graphmigrate.settings.values import NO, SECRET_NAME, YES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


# Names that a template already has: a variable of that name would hide them.
RESERVED = frozenset(
    {
        "range", "csv", "jsonl", "json", "yaml", "generate", "fake", "random", "choice", "sequence", "ref",
        "concat", "env", "dict", "namespace", "cycler", "joiner", "loop", "self", "caller", "super",
    }
)  # fmt: skip
_FENCE = re.compile(r"---[ \t]*$")
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What a seed says about itself; ``variables`` are names with their defaults.

    ``settings`` are the variables that a profile sets, by its name. ``order`` is ``any`` or ``kept`` where the
    seed says whether rows may be loaded in any order. ``unmatched`` is what a row is for which a MATCH finds
    nothing, or that repeats a key: ``error``, ``warn`` or ``ignore``. ``reset`` are the statements that remove what it made,
    which begin at line ``reset_line``.
    """

    description: str = ""
    depends: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    variables: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: str = ""
    unmatched: str = ""
    reset: str = ""
    reset_line: int = 1


@dataclass(frozen=True, slots=True)
class SeedFile:
    """One seed on disk.

    ``file`` is its path for messages, ``text`` what it says (BOM dropped, LF), ``own_checksum`` the
    SHA-256 of these bytes.
    """

    name: str
    file: str
    text: str = field(repr=False)
    own_checksum: str
    front: FrontMatter


def split(text: str) -> tuple[str | None, str]:
    """Return the YAML text (None where there is none) and the template, whose lines keep their numbers."""
    lines = text.split("\n")
    if not _FENCE.match(lines[0]):
        return None, text
    for index in range(1, len(lines)):
        if _FENCE.match(lines[index]):
            return "\n".join(lines[1:index]), "\n" * (index + 1) + "\n".join(lines[index + 1 :])
    return "\n".join(lines[1:]), ""


def read(text: str, file: str) -> FrontMatter:
    """Return the front matter of the seed ``file``; raise SeedFileError (GM561) with everything that is wrong with it."""
    written, _ = split(text)
    lines = text.split("\n")
    front = FrontMatter()
    wrong: list[yaml.BadYaml] = []
    try:
        if written is not None and not any(map(_FENCE.match, lines[1:])):
            raise yaml.BadYaml(
                "The front matter is not closed.", 0, 1, "End it with a line of three dashes: ---"
            )
        if written is not None:
            front = _front_matter(yaml.Document(written), wrong)
    except yaml.BadYaml as error:
        wrong.append(error)
    problems = []
    for each in wrong:
        message = each.message.replace("This is not", "The front matter is not")
        source = lines[each.line] if each.line < len(lines) else None
        place = Place(file, each.line + 1, each.column, source)
        problems.append(Problem("GM561", message, each.hint, place))
    raise_all(problems, SeedFileError, "{count} problems in the front matter.", code="GM561")
    return front


def _front_matter(document: yaml.Document, wrong: list[yaml.BadYaml]) -> FrontMatter:
    """Return what a document says, and note what is wrong, so that a person corrects a file once."""
    root = document.root
    if root is None:
        return FrontMatter()
    if not root.tag.endswith(":map"):
        hint = f"Known keys: {', '.join(KEYS)}."
        raise yaml.bad_at(root, "The front matter must be a list of 'key: value' lines.", hint)
    found: dict[str, Any] = {}
    for key, key_node, node in document.pairs(root):
        value = document.value(node)
        if key not in _FORMS:
            hint = did_you_mean(key, KEYS, "keys")
            wrong.append(yaml.bad_at(key_node, f"Unknown front matter key {key!r}.", hint))
        elif not _FORMS[key][0](value):
            wrong.append(yaml.bad_at(node, *_FORMS[key][1:]))
        else:
            found[key] = value
            if key == "reset":  # the text of a block (`|`) begins on the line after its mark
                found["reset_line"] = yaml.place_of(node)[0] + 1 + (node.style in {"|", ">"})
    profiles = found.pop("profiles", None)
    settings = profiles if isinstance(profiles, dict) else dict.fromkeys(_names(profiles))
    found["variables"] = found.pop("vars", None) or {}
    wrong += _wrong_variables(root, found["variables"], settings)
    found["depends"] = tuple(_names(found.get("depends")))
    found["settings"] = {name: changed for name, changed in settings.items() if changed}
    return FrontMatter(**found, profiles=tuple(settings))


def _wrong_variables(
    root: Any, variables: dict[str, Any], settings: dict[str, Any]
) -> Iterator[yaml.BadYaml]:
    for name in variables:
        if not _VARIABLE.fullmatch(name) or name in RESERVED:
            hint = "Use letters, digits and underscores, and none of the template's own names."
            yield yaml.bad_at(root, f"{name!r} cannot be the name of a variable.", hint)
    for profile, changed in settings.items():
        for name in (changed or {}).keys() - variables.keys():
            message = f"The profile {profile!r} sets {name!r}, which is not among 'vars'."
            yield yaml.bad_at(root, message, did_you_mean(name, variables, "variables"))


def _names(value: Any) -> dict[str, None]:
    return dict.fromkeys([value] if isinstance(value, str) else value or [])


def _are_names(value: Any) -> bool:
    many = [value] if isinstance(value, str) else value or []
    return isinstance(many, list) and all(isinstance(name, str) and name for name in many)


def _are_profiles(value: Any) -> bool:
    if not isinstance(value, dict):
        return _are_names(value)
    return all(changed is None or isinstance(changed, dict) for changed in value.values())


# What each key must be, what is said where it is not, and the hint.
_FORMS: dict[str, tuple[Callable[[Any], bool], str, str | None]] = {
    "description": (lambda value: isinstance(value, str), "'description' must be a text.", None),
    "depends": (_are_names, "'depends' must be a name or a list of names.", "For example: [people, projects]"),
    "profiles": (_are_profiles, "'profiles' must be a list of names, or a map of names to variables.",
                 "For example: [demo], or {load: {scale: 100}}"),
    "vars": (lambda value: value is None or isinstance(value, dict), "'vars' must be a map of names to defaults.",
             "For example:\nvars:\n  size: 10"),
    "order": (lambda value: value in ("any", "kept"), "'order' must be any or kept.",
              "Leave it out: then each row block is judged by itself."),
    "unmatched": (lambda value: value in ("error", "warn", "ignore"), "'unmatched' must be error, warn or ignore.",
                  "Leave it out: then such rows are told."),
    "reset": (lambda value: isinstance(value, str) and value.strip() != "", "'reset' must be a statement.",
              "For example: MATCH (n:Person) DETACH DELETE n"),
}  # fmt: skip
KEYS = tuple(_FORMS)


# ---- variables


def check_names(given: Iterable[str], seeds: Iterable[SeedFile]) -> None:
    """Refuse a variable that none of the chosen seeds has (GM567)."""
    owners: dict[str, list[str]] = {}
    for seed in seeds:
        for name in seed.front.variables:
            owners.setdefault(name, []).append(seed.name)
    for name in given:
        if name not in owners:
            listed = ", ".join(f"{known} ({', '.join(owners[known])})" for known in sorted(owners))
            hint = f"Known variables: {listed}." if owners else "The chosen seeds have no variables."
            if close := closest(name, owners):
                hint = f"Did you mean {close!r}? {hint}"
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
        if is_plain(parsed):
            return parsed
    except (ValueError, yaml.BadYaml):
        pass
    raise SeedFileError(
        f"The variable {name!r} of seed {seed.name!r} takes {_KINDS.get(type(default), 'a value')}, not {value!r}.",
        hint=f"Its default is {default!r}; write --set {name}=… in that form.",
        code="GM567",
    )


_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list, as [a, b]",
    dict: "a map, as {a: 1}",
    datetime.date: "a date, as 2026-01-31",
    datetime.datetime: "a date and time, as 2026-01-31T12:00:00+00:00",
}


def _read(text: str, default: Any) -> Any:
    if isinstance(default, str):
        return text
    word = text.strip().lower()
    if isinstance(default, bool) and (word in YES or word in NO):
        return word in YES
    value = yaml.load(text)
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if default is None or type(value) is type(default):
        return value
    raise ValueError(text)


def is_plain(value: Any) -> bool:
    """Whether a value is one that a variable may have."""
    if isinstance(value, list):
        return all(is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    return value is None or isinstance(value, (str, bool, int, float, datetime.date))


def in_words(variables: Mapping[str, Any]) -> str:
    """Return variables with their values for a message; those whose names look secret, without."""
    return ", ".join(
        f"{name} = {'***' if SECRET_NAME.search(name) else repr(value)}"
        for name, value in sorted(variables.items())
    )


def to_json(variables: Mapping[str, Any]) -> str:
    """Return variables as the ledger keeps and compares them."""
    return json.dumps(variables, sort_keys=True, ensure_ascii=False, default=_date_to_json)


def from_json(text: str) -> dict[str, Any]:
    """Return the variables of which ``to_json`` made a text."""
    value = json.loads(text, object_hook=_date_from_json)
    return value if isinstance(value, dict) else {}


def _date_to_json(value: Any) -> dict[str, str]:
    kind = "$datetime" if isinstance(value, datetime.datetime) else "$date"
    return {kind: value.isoformat()}


def _date_from_json(value: dict[str, Any]) -> Any:
    if set(value) == {"$datetime"}:
        return datetime.datetime.fromisoformat(value["$datetime"])
    return datetime.date.fromisoformat(value["$date"]) if set(value) == {"$date"} else value

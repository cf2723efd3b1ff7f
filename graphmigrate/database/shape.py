"""What a node of ours must look like; each node that is read is checked against it (pure)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmigrate.database.history import COMPLETE, STARTED, UNDO
from graphmigrate.database.version import Version
from graphmigrate.errors import GraphMigrateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

PREFIX = "__GraphMigrate"
TYPES = ("cypher", "python", "repeatable", "baseline", UNDO)
_MOMENT = re.compile(r"-?\d{4,9}-\d\d-\d\dT\d\d:\d\d.*")
_NUMBER = re.compile("[1-9][0-9]{0,8}")
_DURATION = re.compile(r"P[-.\dYMWDTHS]+")


class Node(NamedTuple):
    """A node as it is stored. ``values`` are the properties of ours that it has; times stand there as text.

    ``kind`` is Migration, Run … by its key; by its second label where that does not tell; None where neither does.
    """

    id: str
    labels: frozenset[str]
    relationships: int
    foreign: tuple[str, ...]
    values: Mapping[str, Any]
    kind: str | None

    @classmethod
    def of(
        cls,
        id_: str,
        labels: Iterable[str],
        relationships: int,
        foreign: Iterable[str],
        values: Mapping[str, Any],
    ) -> Node:
        """Return the node, with its kind."""
        key, named = values.get("key"), frozenset(labels)
        word = key.split("/", 2)[1] if isinstance(key, str) and "/" in key else ""
        return cls(id_, named, relationships, tuple(foreign), values, _kind_of(word, named))

    @property
    def name(self) -> str:
        """How messages call it."""
        key = self.values.get("key")
        return (
            f"{self.kind or 'node'} {key!r}" if isinstance(key, str) else f"{self.kind or 'node'} {self.id}"
        )


@cache
def _kind_of(word: str, labels: frozenset[str]) -> str | None:
    words = (kind for kind, (start, _) in _SHAPES.items() if word.startswith(start))
    return next(words, None) or next((kind for kind in _SHAPES if PREFIX + kind in labels), None)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**62


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: value in words


def _matches(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _list(of: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(of, value))


def _version(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(Version.parse(value))
    except GraphMigrateError:
        return False


class _Property(NamedTuple):
    """One property: what it must be in words, the check, and whether a node can be without it."""

    words: str
    check: Callable[[Any], bool]
    optional: bool = False


_TEXT = _Property("a text", _text)
_TEXT_OR_NONE = _TEXT._replace(optional=True)
_TIME = _Property("a date and time", lambda value: _text(value) and _MOMENT.fullmatch(value) is not None)
_COUNT = _Property("a number, 0 or more", _whole(0))
_POSITIVE = _Property("a number, 1 or more", _whole(1))
_TEXTS = _Property("a list of texts", _list(_text), True)
_VERSION = _Property("a version", _version)
_CHECKSUM = _Property("64 hexadecimal digits", _matches("[0-9a-f]{64}"))

# By kind: the word in its keys, and its properties.
_SHAPES: dict[str, tuple[str, dict[str, _Property]]] = {
    "Ledger": (
        "ledger",
        {
            **dict.fromkeys(("key", "run", "host"), _TEXT),
            "format": _Property("a number, 2 or more", _whole(2)),
            "since": _TIME,
            "runs": _COUNT,
            "record": _TEXT_OR_NONE,
            "version": _TEXT_OR_NONE,  # earlier runs wrote it; the next one removes it
            "outcome": _TEXT_OR_NONE,
        },
    ),
    "Migration": (
        "migration",
        {
            **dict.fromkeys(("key", "description", "run", "installed_by"), _TEXT),
            "version": _VERSION,
            "type": _Property(f"one of {', '.join(TYPES)}", _one_of(*TYPES)),
            "checksum": _CHECKSUM._replace(optional=True),
            **dict.fromkeys(("source", "language"), _TEXT_OR_NONE),
            "state": _Property(f"{COMPLETE} or {STARTED}", _one_of(COMPLETE, STARTED)),
            **dict.fromkeys(("step", "steps", "batches"), _COUNT),
            **dict.fromkeys(("commits", "rank"), _POSITIVE),
            "intent": _POSITIVE._replace(optional=True),
            "statements": _Property("a list of 16 hexadecimal digits each", _list(_matches("[0-9a-f]{16}"))),
            "installed_on": _TIME,
            **dict.fromkeys(("made", "dropped"), _TEXTS),
            "execution_time": _Property(
                "a duration", lambda value: _text(value) and _DURATION.fullmatch(value) is not None, True
            ),
        },
    ),
    "Run": (
        "run",
        {
            **dict.fromkeys(("key", "id", "host", "user", "plan", "catalogue"), _TEXT),
            "since": _TIME,
            "ended": _TIME._replace(optional=True),
            "outcome": _TEXT_OR_NONE,
            **dict.fromkeys(("rows", "forgotten"), _TEXTS),
        },
    ),
    "Attempt": (
        "attempt",
        {**dict.fromkeys(("key", "outcome", "reason", "run"), _TEXT), "version": _VERSION, "at": _TIME},
    ),
    # A load, and a lane of it (``seed-lane``), which has fewer properties.
    "Seed": (
        "seed",
        {
            **dict.fromkeys(("key", "run"), _TEXT),
            "commits": _POSITIVE,
            **dict.fromkeys(("offset", "rows"), _COUNT),
            **dict.fromkeys(("digest", "part"), _COUNT._replace(optional=True)),
            **dict.fromkeys(("load", "name", "variables", "installed_by"), _TEXT_OR_NONE),
            "checksum": _CHECKSUM._replace(optional=True),
            "state": _Property(
                "loaded, loading or resetting", _one_of("loaded", "loading", "resetting"), True
            ),
            "spread": _Property(
                "column or turn", _matches(r"column[0-9]:[\s\S]*|turn:[1-9][0-9]{0,17}"), True
            ),
            **dict.fromkeys(("installed_on", "loaded_on"), _TIME._replace(optional=True)),
        },
    ),
}
UNREAD = {"plan", "catalogue", "made", "dropped"}  # long, and read only when they are needed
NAMES = tuple(dict.fromkeys(name for _, shape in _SHAPES.values() for name in shape if name not in UNREAD))
TIMES = ("installed_on", "loaded_on", "execution_time", "since", "ended", "at")
LABELS = tuple(PREFIX + kind for kind in _SHAPES)


def faults(node: Node, ledger: str) -> list[str]:
    """Return what is wrong with a node of ours, in words; nothing where it is as it must be."""
    kind = node.kind
    if kind is None:
        return ["neither its labels nor its key say what it is"]
    word, shape = _SHAPES[kind]
    found = [f"the label {label} is missing" for label in (PREFIX, PREFIX + kind) if label not in node.labels]
    others = sorted(each for each in node.labels if each in LABELS and each != PREFIX + kind)
    found += [f"it has the label {label}, too" for label in others]
    for name, wanted in shape.items():
        if name not in node.values:
            if name in node.foreign and name not in UNREAD:
                found.append(f"{name} is not {wanted.words}")
            elif name not in node.foreign and not wanted.optional:
                found.append(f"{name} is missing")
        elif not wanted.check(node.values[name]):
            found.append(f"{name} is {_shown(node.values[name])}, not {wanted.words}")
    key = node.values.get("key")
    if not isinstance(key, str):
        return found if kind != "Seed" else [*found, "key is missing"]
    if not found:
        found += _disagreements(kind, node.values, ledger)
    elif not (key.startswith(f"{ledger}/{word}")):
        found.append(f"key is {_shown(key)}")
    return found


def is_relabelled(node: Node, ledger: str) -> bool:
    """Whether nothing is wrong with a node but its labels."""
    labels = frozenset({PREFIX, PREFIX + (node.kind or "")})
    return bool(faults(node, ledger)) and not faults(node._replace(labels=labels), ledger)


class Foreign(NamedTuple):
    """What is not ours on nodes of ours."""

    labels: frozenset[str]
    properties: frozenset[str]
    relationships: int


def foreign(node: Node) -> Foreign:
    """Return what is not ours on a node: labels, properties and relationships."""
    kind = node.kind or ""
    known = set(_SHAPES[kind][1]) if kind in _SHAPES else set()
    labels = frozenset(each for each in node.labels if not each.startswith(PREFIX))
    extra = {*node.foreign, *(set(node.values) - known)} - known if known else ()
    return Foreign(labels, frozenset(extra), node.relationships)


def _disagreements(kind: str, values: Mapping[str, Any], ledger: str) -> Iterator[str]:
    key = values["key"]
    if kind == "Ledger" and key != f"{ledger}/ledger":
        yield f"key is {_shown(key)}, not {_shown(ledger + '/ledger')}"
    elif kind == "Run" and key != f"{ledger}/run/{values['id']}":
        yield f"key is {_shown(key)}, but id is {_shown(values['id'])}"
    elif kind == "Run" and len({name in values for name in ("ended", "outcome", "rows")}) > 1:
        yield "of ended, outcome and rows one is missing"
    elif kind == "Attempt" and key != f"{ledger}/attempt/{Version.parse(values['version']).canonical}":
        yield f"key is {_shown(key)}, but version is {_shown(values['version'])}"
    elif kind == "Migration":
        yield from _of_migration(values, ledger)
    elif kind == "Seed":
        yield from _of_seed(values, ledger)


def _of_migration(values: Mapping[str, Any], ledger: str) -> Iterator[str]:
    word = "migration-undo" if values["type"] == UNDO else "migration"
    start = f"{ledger}/{word}/{Version.parse(values['version']).canonical}@"
    if not (values["key"].startswith(start) and _NUMBER.fullmatch(values["key"], len(start))):
        yield f"key is {_shown(values['key'])}, but version is {_shown(values['version'])}"
    step, steps, statements = values["step"], values["steps"], len(values["statements"])
    intent, batches = values.get("intent"), values["batches"]
    complete = values["state"] == COMPLETE
    if step > steps or complete != (step == steps):
        yield f"state is {values['state']}, but step is {step} of {steps}"
    if intent is not None and intent != step + 1:
        yield f"intent is {intent}, but step is {step}"
    if complete and (batches or intent):
        yield f"state is {values['state']}, but {'batches is ' + str(batches) if batches else 'intent is ' + str(intent)}"
    at_least = step + bool(batches or intent)
    if statements < at_least or (values["type"] == "baseline" and statements):
        yield f"step is {step}, but there are {statements} statements"
    if values["type"] != "baseline" and "checksum" not in values:
        yield "checksum is missing"


def _of_seed(values: Mapping[str, Any], ledger: str) -> Iterator[str]:
    key = values["key"]
    lane = re.fullmatch(re.escape(ledger) + r"/seed-lane/(.+@[1-9][0-9]{0,8})/[0-9]+/[0-9]{3}", key)
    if lane and values.get("load") != f"{ledger}/seed/{lane[1]}":
        yield f"key is {_shown(key)}, but load is {_shown(values.get('load'))}"
    if lane:
        return
    needed = ("name", "checksum", "variables", "state", "part", "installed_by", "installed_on")
    missing = [name for name in needed if name not in values]
    yield from (f"{name} is missing" for name in missing)
    start = re.escape(f"{ledger}/seed/{values.get('name')}@")
    if not missing and not re.fullmatch(start + "[1-9][0-9]{0,8}", key):
        yield f"key is {_shown(key)}, but name is {_shown(values['name'])}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"

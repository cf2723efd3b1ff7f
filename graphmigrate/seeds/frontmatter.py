"""The YAML between ``---`` lines at the top of a seed: what it depends on, its profiles, its variables."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from graphmigrate.errors import Place, Problem
from graphmigrate.seeds import safe_yaml
from graphmigrate.seeds.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = ("description", "depends", "profiles", "vars", "order", "unmatched", "reset")
ORDERS = ("any", "kept")
UNMATCHED = ("error", "warn", "ignore")
# Names that a template already has: a variable of that name would hide them.
RESERVED = frozenset(
    {
        "range", "csv", "jsonl", "json", "yaml", "generate", "fake", "random", "choice", "sequence", "ref",
        "concat", "column", "env", "dict", "namespace", "cycler", "joiner", "loop", "self", "caller", "super",
    }
)  # fmt: skip
_FENCE = re.compile(r"---[ \t]*$")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What a seed says about itself; ``variables`` are names with their defaults.

    ``settings`` are the variables that a profile sets, by its name. ``order`` is ``any`` or ``kept`` where the
    seed says whether rows may be loaded in any order. ``unmatched`` is what a row is for which a MATCH finds nothing: ``error``,
    ``warn`` or ``ignore``. ``reset`` are the statements that remove what it made,
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


def split(text: str) -> tuple[str | None, str]:
    """Return the YAML text (None where there is none) and the template; its lines keep their numbers."""
    lines = text.split("\n")
    if not _FENCE.match(lines[0]):
        return None, text
    for index in range(1, len(lines)):
        if _FENCE.match(lines[index]):
            return "\n".join(lines[1:index]), "\n" * (index + 1) + "\n".join(lines[index + 1 :])
    return "\n".join(lines[1:]), ""


def read(text: str, file: str) -> tuple[FrontMatter, list[Problem]]:
    """Read the front matter of the seed ``file`` with everything that is wrong with it (GM561)."""
    written, _ = split(text)
    if written is None:
        return FrontMatter(), []
    reader = _Reader(file, text)
    if not any(_FENCE.match(line) for line in text.split("\n")[1:]):
        reader.problem(
            "The front matter is not closed.", 1, "End it with a line of three dashes: ---", code="GM561"
        )
        return FrontMatter(), reader.problems
    return reader.read(written), reader.problems


class _Reader:
    """Collects every problem, so that a person fixes a file once."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.lines = text.split("\n")
        self.problems: list[Problem] = []

    def problem(
        self, message: str, line: int, hint: str | None = None, column: int = 1, code: str = "GM561"
    ) -> None:
        source = self.lines[line - 1] if line <= len(self.lines) else None
        self.problems.append(Problem(code, message, hint, Place(self.file, line, column, source)))

    def at(self, message: str, node: yaml.Node, hint: str | None = None) -> None:
        self.problem(message, node.start_mark.line + 2, hint, node.start_mark.column + 1)

    def read(self, written: str) -> FrontMatter:
        loader = yaml.SafeLoader(written)
        try:
            safe_yaml.check_depth(written)
            root = loader.get_single_node()
            if root is None:
                return FrontMatter()
            safe_yaml.check_size(root)
            if not isinstance(root, yaml.MappingNode):
                self.at(
                    "The front matter must be a list of 'key: value' lines.",
                    root,
                    f"Known keys: {', '.join(KEYS)}.",
                )
                return FrontMatter()
            return self._fields(root, loader)
        except yaml.YAMLError as error:
            return self._not_yaml(safe_yaml.told(error))
        except safe_yaml.BadYaml as error:
            return self._not_yaml(error)
        finally:
            loader.dispose()

    def _not_yaml(self, error: safe_yaml.BadYaml) -> FrontMatter:
        message = error.message.replace("This is not", "The front matter is not")
        self.problem(message, error.line + 1, error.hint, error.column, code="GM561")
        return FrontMatter()

    def _fields(self, root: yaml.MappingNode, loader: yaml.SafeLoader) -> FrontMatter:
        values: dict[str, Any] = {}
        readers: dict[str, Callable[[yaml.Node, Any], Any]] = {
            "description": self._description,
            "depends": self._names,
            "profiles": self._profiles,
            "vars": self._variables,
            "order": self._order,
            "unmatched": self._unmatched,
            "reset": self._reset,
        }
        for key_node, node in root.value:
            key = str(loader.construct_object(key_node, deep=True))
            if key not in readers:
                self.at(f"Unknown front matter key {key!r}.", key_node, did_you_mean(key, KEYS, "keys"))
            elif key in values:
                self.at(f"The key {key!r} stands here twice.", key_node)
            else:
                self._check_twice(node)
                values[key] = readers[key](node, loader.construct_object(node, deep=True))
        settings = values.get("profiles", {})
        variables = values.get("vars", {})
        self._check_settings(root, settings, variables)
        reset, line = values.get("reset", ("", 1))
        return FrontMatter(
            values.get("description", ""),
            values.get("depends", ()),
            tuple(settings),
            variables,
            {name: each for name, each in settings.items() if each},
            values.get("order", ""),
            values.get("unmatched", ""),
            reset,
            line,
        )

    def _check_settings(
        self, root: yaml.Node, settings: dict[str, dict[str, Any]], variables: dict[str, Any]
    ) -> None:
        for profile, each in settings.items():
            for name in each.keys() - variables.keys():
                hint = did_you_mean(name, variables, "variables")
                self.at(f"The profile {profile!r} sets {name!r}, which is not among 'vars'.", root, hint)

    def _check_twice(self, node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            seen = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in seen:
                    self.at(f"{key.value!r} stands here twice.", key)
                seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
                self._check_twice(value)

    def _description(self, node: yaml.Node, value: Any) -> str:
        if isinstance(value, str):
            return value
        self.at("'description' must be a text.", node)
        return ""

    def _names(self, node: yaml.Node, value: Any) -> tuple[str, ...]:
        if value is None:
            return ()
        names = [value] if isinstance(value, str) else value
        if isinstance(names, list) and all(isinstance(each, str) and each for each in names):
            return tuple(dict.fromkeys(names))
        self.at("This must be a name or a list of names.", node, "For example: [people, projects]")
        return ()

    def _profiles(self, node: yaml.Node, value: Any) -> dict[str, dict[str, Any]]:
        """Read names, or a map of names to the variables that the profile sets."""
        if not isinstance(value, dict):
            return {name: {} for name in self._names(node, value)}
        for name, settings in value.items():
            fitting = settings is None or (isinstance(settings, dict) and is_plain(settings))
            if not isinstance(name, str) or not fitting:
                self.at(
                    "A profile must be a name with a map of variables.",
                    node,
                    "For example: {load: {scale: 100}}",
                )
                return {}
        return {name: settings or {} for name, settings in value.items()}

    def _order(self, node: yaml.Node, value: Any) -> str:
        if value in ORDERS:
            return str(value)
        self.at(
            "'order' must be any or kept.", node, "Leave it out: then each row block is judged by itself."
        )
        return ""

    def _unmatched(self, node: yaml.Node, value: Any) -> str:
        if value in UNMATCHED:
            return str(value)
        self.at("'unmatched' must be error, warn or ignore.", node, "Leave it out: then such rows are told.")
        return ""

    def _reset(self, node: yaml.Node, value: Any) -> tuple[str, int]:
        # The text of a block (`|`) begins on the line after its mark.
        block = isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}
        line = node.start_mark.line + 2 + block
        if isinstance(value, str) and value.strip():
            return value, line
        self.at("'reset' must be a statement.", node, "For example: MATCH (n:Person) DETACH DELETE n")
        return "", line

    def _variables(self, node: yaml.Node, value: Any) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.at("'vars' must be a map of names to defaults.", node, "For example:\nvars:\n  size: 10")
            return {}
        for key, default in value.items():
            if not isinstance(key, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", key) or key in RESERVED:
                self.at(
                    f"{key!r} cannot be the name of a variable.",
                    node,
                    "Use letters, digits and underscores, and none of the engine's own names.",
                )
            elif not is_plain(default):
                self.at(f"The default of {key!r} must be a text, number, boolean, date, list or map.", node)
        return {key: default for key, default in value.items() if isinstance(key, str)}


def is_plain(value: Any) -> bool:
    """Whether a YAML value is one that a variable may have."""
    if isinstance(value, list):
        return all(is_plain(each) for each in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(each) for key, each in value.items())
    return value is None or isinstance(value, (str, bool, int, float, datetime.date))

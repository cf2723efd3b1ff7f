"""YAML that strangers wrote: no tags of Python, no aliases that unfold without end, no nesting without end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

# libyaml overruns the stack of the process where texts are nested too deeply, and aliases of aliases unfold to
# more values than there is memory: both are looked for before anything is made of the text.
MAX_DEPTH = 200
MAX_UNFOLDED = 5_000_000
# A text, "<<" and "=".
_TEXT_KEYS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "merge", "value"))
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BadYaml(Exception):
    """A YAML text that cannot be read; line and column are 1-based."""

    def __init__(self, message: str, line: int, column: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.hint = hint


def load(text: str) -> Any:
    """Return the one document of a text; raises BadYaml."""
    try:
        check_depth(text)
        loader = _LOADER(text)
        try:
            root = loader.get_single_node()
            if root is None:
                return None
            check_size(root, keys=True)
            return loader.construct_document(root)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise told(error) from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise BadYaml(f"This is not valid YAML: {error}.", 1, 1) from None


def told(error: yaml.YAMLError) -> BadYaml:
    """Say what PyYAML found, where."""
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    context = getattr(error, "context", None) or ""
    problem = getattr(error, "problem", None) or str(error)
    why = " ".join((f"{context} {problem}" if context.startswith("expected") else problem).split())
    hint = "Tags such as !!python/… are not read." if "constructor for the tag" in why else None
    return BadYaml(f"This is not valid YAML: {why}.", line, column, hint)


def check_depth(text: str) -> None:
    """Refuse deep nesting; reads the text once without building anything."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _at(event, f"This is nested more than {MAX_DEPTH} levels deep.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def check_size(root: yaml.Node, *, keys: bool = False) -> None:
    """Refuse aliases that unfold to too much or to themselves, and with ``keys`` those that stand twice in a map."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        known = sizes.get(id(node))
        if known == 0:
            raise _at(node, "This alias stands inside what it stands for.")
        if known:
            return known
        sizes[id(node)] = 0
        total = 1
        if isinstance(node, yaml.SequenceNode):
            total += sum(map(size, node.value))
        elif isinstance(node, yaml.MappingNode):
            total += sum(size(key) + size(value) for key, value in node.value)
            if keys:
                _check_keys(node)
        if total > MAX_UNFOLDED:
            raise _at(node, f"The aliases in this unfold to over {MAX_UNFOLDED:,} values.")
        sizes[id(node)] = total
        return total

    size(root)


def _check_keys(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                raise _at(key, f"{key.value!r} stands here twice.")
            seen.add(key.value)


def _at(found: Any, message: str) -> BadYaml:
    mark = found.start_mark
    return BadYaml(message, mark.line + 1, mark.column + 1)


def place_of_item(text: str, index: int) -> tuple[int, int]:
    """Tell line and column of an item of the list that a text is; (0, 0) where there is none."""
    node = yaml.compose(text, Loader=_LOADER)
    if not isinstance(node, yaml.SequenceNode) or index >= len(node.value):
        return 0, 0
    mark = node.value[index].start_mark
    return mark.line + 1, mark.column + 1


def place_of_odd_key(text: str) -> tuple[str, int, int]:
    """Find the first key of a map that is no text: how it is written, its line and column."""
    found = next(_odd_keys(yaml.compose(text, Loader=_LOADER), set()))
    return found.value, found.start_mark.line + 1, found.start_mark.column + 1


def _odd_keys(node: yaml.Node | None, seen: set[int]) -> Iterator[yaml.ScalarNode]:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _odd_keys(each, seen)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.tag not in _TEXT_KEYS:  # a scalar: lists and maps are refused as keys before
                yield key
            yield from _odd_keys(value, seen)

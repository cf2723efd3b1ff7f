"""Write constraints and indexes: as canonical DDL, and as words for messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphmigrate.schema.model import ObjectType

if TYPE_CHECKING:
    from graphmigrate.schema.model import SchemaObject

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ARTICLES = {"a": "an", "e": "an", "o": "an"}


def identifier(name: str) -> str:
    r"""Write a name so that Cypher reads it back: bare where it can be, else in backticks.

    A backslash is written ``\u005c``, since ``\u`` in a name would be decoded.
    """
    if _PLAIN.fullmatch(name) and name.upper() not in {"FOR", "IF"}:
        return name
    return "`" + name.replace("`", "``").replace("\\", "\\u005c") + "`"


def render(target: SchemaObject, *, guarded: bool = True) -> str:
    """Return the CREATE statement of a constraint or index, without the options of an index.

    Raises ValueError for an object of a kind that only a newer server knows.
    """
    if target.type in {ObjectType.OTHER_INDEX, ObjectType.OTHER_CONSTRAINT}:
        raise ValueError(f"no DDL is known for {target.name}")
    words = ["CREATE"]
    if target.type.is_constraint:
        words.append("CONSTRAINT")
    else:
        words += [target.type.name, "INDEX"]
    if target.name is not None:
        words.append(identifier(target.name))
    if guarded:
        words.append("IF NOT EXISTS")
    words += ["FOR", _pattern(target), _requirement(target) if target.type.is_constraint else _on(target)]
    return " ".join(words)


def describe(target: SchemaObject) -> str:
    """Return a phrase for messages, such as ``a uniqueness constraint on (:Project {id})``."""
    article = _ARTICLES.get(target.type.value[0], "a")
    phrase = f"{article} {target.type.value}"
    if target.labels or target.properties:
        labels = "|".join(map(identifier, target.labels))
        inside = f":{labels} {{{', '.join(map(identifier, target.properties))}}}"
        phrase += f" on ({inside})" if target.entity == "node" else f" on ()-[{inside}]-()"
    elif target.type is ObjectType.LOOKUP:
        phrase += f" of {'labels' if target.entity == 'node' else 'relationship types'}"
    return f"{phrase} IS :: {target.property_type}" if target.property_type else phrase


def _pattern(target: SchemaObject) -> str:
    labels = ":" + "|".join(map(identifier, target.labels)) if target.labels else ""
    return f"(n{labels})" if target.entity == "node" else f"()-[n{labels}]-()"


def _each(properties: tuple[str, ...]) -> str:
    return ", ".join(f"n.{identifier(each)}" for each in properties)


def _on(target: SchemaObject) -> str:
    if target.type is ObjectType.LOOKUP:
        return "ON EACH " + ("labels(n)" if target.entity == "node" else "type(n)")
    if target.type is ObjectType.FULLTEXT:
        return f"ON EACH [{_each(target.properties)}]"
    if target.type is ObjectType.VECTOR and len(target.properties) > 1:
        return f"ON ({_each(target.properties[:1])}) WITH [{_each(target.properties[1:])}]"
    return f"ON ({_each(target.properties)})"


def _requirement(target: SchemaObject) -> str:
    requirement = {
        ObjectType.UNIQUENESS: "UNIQUE",
        ObjectType.KEY: f"{target.entity.upper()} KEY",
        ObjectType.EXISTENCE: "NOT NULL",
        ObjectType.PROPERTY_TYPE: f":: {target.property_type}",
    }[target.type]
    return f"REQUIRE ({_each(target.properties)}) IS {requirement}"

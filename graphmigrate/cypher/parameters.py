"""Find the parameters of a statement (Cypher Manual, "Parameters")."""

from __future__ import annotations

from dataclasses import dataclass

from graphmigrate.cypher.lexer import TokenKind, tokens, unquoted


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as it is used: its name, without ``$`` and backticks, and where it stands in the text."""

    name: str
    start: int
    end: int


def parameters(text: str) -> tuple[Parameter, ...]:
    """Return every use of a parameter outside quotes and comments, in order, repeated ones too."""
    if "$" not in text and "\\u" not in text:
        return ()
    found = (token for token in tokens(text) if token.kind is TokenKind.PARAMETER)
    return tuple(Parameter(unquoted(token), token.start, token.end) for token in found)

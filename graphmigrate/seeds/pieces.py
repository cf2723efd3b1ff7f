"""What a template yields: its author's text, values, and row blocks, never mixed into one string.

No string operation can reach this text: it is neither a ``str`` nor convertible to one. So no value can
become text, and no text can become a value, whatever a template does with macros, set blocks, filters or
operators.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from graphmigrate.seeds.errors import SeedFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in a template something stands (1-based line)."""

    template: str
    line: int


@dataclass(frozen=True, slots=True)
class Fragment:
    """Cypher exactly as it stands in a template."""

    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value on its way to become a parameter; ``source`` is how the template spells it, for messages."""

    value: Any
    origin: Origin


@dataclass(frozen=True, slots=True)
class MadeToken:
    """One token made by ``identifier`` or ``literal``; valid only where it is read as just that token."""

    text: str
    kind: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class RowBlock:
    """An ``{% unwind %}`` block: its variable, its rows (``rows.Source``, which is built on values) and its body."""

    variable: str
    source: Any
    body: tuple[Piece, ...]
    origin: Origin


Piece = Fragment | Placeholder | MadeToken | RowBlock
_PIECES = (Fragment, Placeholder, MadeToken, RowBlock)


def _refuse(operation: str) -> Callable[..., NoReturn]:
    def refuse(*_: object) -> NoReturn:
        raise SeedFileError(
            f"Template text cannot be used as a value ({operation}).",
            hint="The result of a macro, an include or a set block is Cypher text: it can only be"
            " written out with {{ … }}. Use {% set name = expression %} for a value.",
            code="GM575",
        )

    return refuse


class Text:
    """Template text, as a macro, an include, ``caller``, ``super`` or a set block returns it.

    It can be written out and passed on; every operator, filter, test and conversion refuses it.
    """

    __slots__ = ("_pieces",)

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = tuple(pieces)

    __hash__ = None  # type: ignore[assignment]
    __str__ = __repr__ = __format__ = _refuse("as a string")
    __eq__ = __ne__ = _refuse("compared")
    __lt__ = __le__ = __gt__ = __ge__ = _refuse("compared")
    __bool__ = _refuse("as a condition")
    __len__ = __iter__ = __contains__ = __getitem__ = _refuse("as a list")
    __add__ = __radd__ = __mul__ = __rmul__ = __mod__ = __rmod__ = _refuse("with an operator")
    __int__ = __float__ = __index__ = _refuse("as a number")


def pieces_of(text: Text) -> tuple[Piece, ...]:
    """Return what a text is made of."""
    return text._pieces


def join(items: Iterable[object]) -> Text:
    """Join what compiled template code yields; anything that is not engine-made is refused."""
    pieces: list[Piece] = []
    for item in items:
        if isinstance(item, Text):
            pieces.extend(item._pieces)
        elif isinstance(item, _PIECES):
            pieces.append(item)
        else:
            raise SeedFileError(
                "Something here would put a value into the Cypher text.",
                hint="Only macros can be called with {% call %}; write values with {{ … }}.",
                code="GM572",
            )
    return Text(pieces)

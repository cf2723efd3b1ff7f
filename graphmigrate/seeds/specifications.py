"""What one column of ``generate`` is made of: a pure function of a key and the row's number.

Every number is made by arithmetic on 64 bits, never by Python's own generator: so the same seed gives the same
graph on every machine and release, and row k depends on no other row and not on how many are asked for.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NoReturn

from graphmigrate.seeds.errors import BAD_SPECIFICATION, SeedFileError
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Callable

    At = Callable[[int], Any]
    Columns = Callable[[str], At]

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB


def key_of(*parts: str) -> int:
    """Return 64 bits that these names, and only they, stand for."""
    text = "\0".join(f"{len(part)}:{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def bits(key: int, index: int) -> int:
    """Return the 64 random bits number ``index`` under a key: SplitMix64, whose states can be reached in any order."""
    state = (key + (index + 1) * _STEP) & _MASK
    state = ((state ^ (state >> 30)) * _FIRST) & _MASK
    state = ((state ^ (state >> 27)) * _SECOND) & _MASK
    return state ^ (state >> 31)


def below(key: int, index: int, count: int) -> int:
    """Return a number from 0 up to, not including, ``count``."""
    if count <= 1 << 32:
        return (bits(key, index) * count) >> 64
    wide = (bits(key, index) << 64) | bits(key ^ _STEP, index)
    return (wide * count) >> 128


def unit(key: int, index: int) -> float:
    """Return a number from 0 up to, not including, 1."""
    return (bits(key, index) >> 11) * 2.0**-53


class Specification:
    """How the values of a column are made; ``bind`` gives the function of the row's number.

    It is no value itself: every operator, filter and conversion of the template refuses it. Only ``{{ … }}`` writes the
    next value that it makes.
    """

    __slots__ = ("_bind", "_name")

    def __init__(self, name: str, bind: Callable[[int, Columns], At]) -> None:
        self._name = name
        self._bind = bind

    def _refuse(self, *_: object) -> NoReturn:
        raise SeedFileError(
            f"{self._name} makes a value for each row: it is none by itself.",
            hint="Use it as a column: generate(100, name=fake.name()), or write it out alone: {{ fake.name() }}."
            " Join texts with concat(…).",
            code=BAD_SPECIFICATION,
        )

    __hash__ = None  # type: ignore[assignment]
    __str__ = __repr__ = __format__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = _refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __pow__ = __rpow__ = __neg__ = _refuse
    __int__ = __float__ = __index__ = _refuse


def bind(value: Any, key: int, columns: Columns) -> At:
    """Return the function of the row's number for a specification, or for a value that is the same in every row."""
    if isinstance(value, Specification):
        return value._bind(key, columns)
    fixed = parameter(value)
    return lambda _: fixed


def subkey(key: int, part: int) -> int:
    """Return the key of one part of a column that has several."""
    return bits(key ^ _SECOND, part)


def wrong(name: str, takes: str, hint: str | None = None) -> SeedFileError:
    """Make the error for arguments that a function does not take (GM593)."""
    return SeedFileError(f"{name} takes {takes}.", hint=hint, code=BAD_SPECIFICATION)

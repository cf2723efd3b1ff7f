"""The base of this package's values: what one holds is named in its class, and never changes."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING: Final[Mapping[Any, Any]] = MappingProxyType({})  # a default is shared, so nobody may change it


@dataclass_transform(frozen_default=True)
class Value:
    """Hold what the class annotates, given in that order or by name; equal to another of the class that holds the same.

    A frozen dataclass can do this too, but makes each class out of source code at every start of the program: 0.7 ms, where
    this takes 0.01 (docs/performance.md). ``_unshown`` are the names that ``repr`` leaves out.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, Any]] = {}
    _names: ClassVar[frozenset[str]] = frozenset()
    _unshown: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        own = [name for name, kind in cls.__annotations__.items() if not str(kind).startswith("ClassVar")]
        cls._fields = (*cls._fields, *own)
        cls._names = frozenset(cls._fields)
        cls._defaults = {name: getattr(cls, name) for name in cls._fields if hasattr(cls, name)}

    def __init__(self, *args: Any, **named: Any) -> None:
        fields, held = self._fields, self.__dict__
        held.update(self._defaults)
        held.update(zip(fields, args, strict=False))
        held.update(named)
        if len(held) != len(fields) or len(args) + len(named) > len(fields) or held.keys() != self._names:
            raise TypeError(
                f"{type(self).__name__} takes {', '.join(fields)}; it was given {args} and {named}"
            )

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} never changes; _replace makes another one")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} never changes")

    def _replace(self, **changes: Any) -> Self:
        """Return the same with other values, as that of a named tuple does."""
        return type(self)(**{**self.__dict__, **changes})

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in self._fields if name not in self._unshown)
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        return self.__dict__ == other.__dict__ if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__[name] for name in self._fields))

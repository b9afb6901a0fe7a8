"""Tables whose rows name classes and functions, open to rows of other packages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class Table(Mapping[str, T], Generic[T]):
    """Names and what they stand for, loaded when it is first asked for.

    Another package adds rows by an entry point in the table's group, or while a program runs by
    :meth:`register`; neither can take the place of a row that is there.

    Args:
        group: the group of entry points, ``simulacra.models``.
        rows: names and where their objects are, ``package.module:object``.
    """

    def __init__(self, group: str, rows: Mapping[str, str]) -> None:
        self.group = group
        self._own = dict(rows)
        self._loaded: dict[str, T] = {}

    @cached_property
    def _places(self) -> dict[str, str]:
        """Where objects are: the table's own rows, then those of other packages by name.

        To look through the packages takes milliseconds; no row of the table's own needs it.
        """
        others = {point.name: point.value for point in entry_points(group=self.group)}
        return self._own | {k: others[k] for k in sorted(others.keys() - self._own.keys())}

    def register(self, name: str, value: T) -> None:
        """Add a row for the time of this process.

        Raises:
            ValueError: the name is taken.
        """
        if name in self:
            msg = f"{self.group} has {name!r} already"
            raise ValueError(msg)
        self._loaded[name] = value

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            place = self._own[name] if name in self._own else self._places[name]
            module, _, attribute = place.partition(":")
            self._loaded[name] = cast("T", getattr(import_module(module), attribute))
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places | dict.fromkeys(self._loaded, ""))

    def __len__(self) -> int:
        return len(self._places.keys() | self._loaded.keys())

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._loaded or name in self._places

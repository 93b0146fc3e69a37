"""A table of named entries that is made when it is first looked into: importing the package makes none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Protocol, TypeVar


class Named(Protocol):
    @property
    def name(self) -> str: ...


E = TypeVar("E", bound=Named)


class Table(Mapping[str, E]):
    """Entries by their name, in the order in which they are written.

    >>> Table(lambda: ())
    Table()
    """

    def __init__(self, entries: Callable[[], Iterable[E]]) -> None:
        self._entries = entries

    @cached_property
    def _by_name(self) -> dict[str, E]:
        return {entry.name: entry for entry in self._entries()}

    def __getitem__(self, name: str) -> E:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"Table({', '.join(self)})"

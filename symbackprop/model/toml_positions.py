"""Where the keys and values of a TOML text stand, which `tomllib` does not tell.

>>> text = '''[[layers]]
... units = 3
... [[layers]]
... activation = "tanhh"
... '''
>>> positions(text)["layers", 1, "activation"]
Located(key=Position(line=4, column=1), value=Position(line=4, column=14))
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from typing import NamedTuple

from symbackprop.errors import Position

Path = tuple[str | int, ...]

MAX_DEPTH = 100
"""The longest path `positions` accepts, in keys and array indices."""


class Located(NamedTuple):
    """Where a key (None for an element of an array) and its value start."""

    key: Position | None
    value: Position


def positions(text: str) -> dict[Path, Located]:
    r"""Return the position of every table, array and value in `text`, by its path.

    `text` must be TOML that `tomllib.loads` accepts; any other text gives a ValueError or a meaningless result.
    The paths are those of all that `tomllib.loads(text)` contains: keys are strings, array indices ints.

    A table or array that is made by a header or a dotted key has no text of its own: key and value are both the place
    of its name, in the header `[...]` that defines it, else in the first `[[...]]`, header or dotted key that names
    it. For an element of an array of tables, the value is the place of the name in its own `[[...]]`.

    Takes time linear in the length of the text. Raises ValueError if a path is longer than `MAX_DEPTH`, as in deeply
    nested arrays.

    >>> for path, located in positions('a.b = [1,\n  {c = 2}]\n[[t]]\n').items():
    ...     print(path, *("-" if place is None else tuple(place) for place in located))
    ('a',) (1, 1) (1, 1)
    ('a', 'b') (1, 3) (1, 7)
    ('a', 'b', 0) - (1, 8)
    ('a', 'b', 1) - (2, 3)
    ('a', 'b', 1, 'c') (2, 4) (2, 8)
    ('t',) (3, 3) (3, 3)
    ('t', 0) - (3, 3)
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.found


_STRING = r"""
    "{3} [^"\\]* (?: (?: \\. | "{1,2}(?!") ) [^"\\]* )* "{3,5}
  | " [^"\\]* (?: \\. [^"\\]* )* "
  | '{3} .*? '{3,5}
  | ' [^']* '
"""
_BLANK = re.compile(r"[ \t\n]* (?: \#[^\n]* [ \t\n]* )*", re.VERBOSE)
_KEY = re.compile(_STRING + r"| [A-Za-z0-9_-]+", re.VERBOSE | re.DOTALL)
_SCALAR = re.compile(_STRING + r"| [^,\]}\#\n]+", re.VERBOSE | re.DOTALL)


class _Scanner:
    """Reads valid TOML from left to right. A rule may allow more than TOML does, as the text is known to be valid."""

    def __init__(self, text: str) -> None:
        self.src = text.replace("\r\n", "\n")  # as tomllib does; moves no line or column
        self.at = 0
        self.line, self.line_start, self.counted = 1, 0, 0  # the line that holds the index `counted`
        self.found: dict[Path, Located] = {}
        self.last: dict[Path, int] = {}  # for each array of tables, the index of its last element

    def here(self) -> Position:
        """Return the position of `self.at`, counting lines only from where the last call stopped."""
        self.line += self.src.count("\n", self.counted, self.at)
        self.line_start = self.src.rfind("\n", self.counted, self.at) + 1 or self.line_start
        self.counted = self.at
        return Position(self.line, self.at - self.line_start + 1)

    def take(self, pattern: re.Pattern[str]) -> str:
        """Step over a match of `pattern` and return it."""
        match = pattern.match(self.src, self.at)
        if match is None:
            raise ValueError("line {}, column {}: not valid TOML".format(*self.here()))
        self.at = match.end()
        return match[0]

    def eat(self, token: str) -> bool:
        """Step over blanks and comments, then over `token` if it is next; tell whether it was."""
        self.take(_BLANK)
        found = self.src.startswith(token, self.at)
        self.at += len(token) * found
        return found

    def join(self, path: Path, part: str | int) -> Path:
        if len(path) >= MAX_DEPTH:
            raise ValueError("line {}, column {}: nested more than {} deep".format(*self.here(), MAX_DEPTH))
        return (*path, part)

    def document(self) -> None:
        table: Path = ()
        self.take(_BLANK)
        while self.at < len(self.src):
            if self.eat("["):
                table = self.header()
            else:
                self.pair(table)
            self.take(_BLANK)

    def header(self) -> Path:
        """Read the rest of `[key]` or `[[key]]` and return the path of its table."""
        is_array = self.eat("[")
        *parents, (name, place) = self.key()
        path = self.join(self.descend((), parents), name)
        if is_array:
            self.found.setdefault(path, Located(place, place))
            self.last[path] = self.last.get(path, -1) + 1
            path = self.join(path, self.last[path])
        self.found[path] = Located(None if is_array else place, place)
        self.eat("]]" if is_array else "]")
        return path

    def pair(self, table: Path) -> None:
        """Read `key = value` in the table at the path `table`."""
        *parents, (name, place) = self.key()
        self.eat("=")
        self.value(self.join(self.descend(table, parents), name), place)

    def key(self) -> list[tuple[str, Position]]:
        """Read a key and return its dotted parts, each with its place."""
        parts: list[tuple[str, Position]] = []
        while not parts or self.eat("."):
            self.take(_BLANK)
            place, part = self.here(), self.take(_KEY)
            parts.append((tomllib.loads("key=" + part)["key"] if part[0] in "\"'" else part, place))
        return parts

    def descend(self, path: Path, parts: Iterable[tuple[str, Position]]) -> Path:
        """Follow `parts` from `path`, through the last element of an array of tables, making tables as needed."""
        for name, place in parts:
            path = self.join(path, name)
            self.found.setdefault(path, Located(place, place))
            if path in self.last:
                path = self.join(path, self.last[path])
        return path

    def value(self, path: Path, key: Position | None) -> None:
        """Read the value at `path`, and all within it."""
        self.take(_BLANK)
        self.found[path] = Located(key, self.here())
        if self.eat("["):
            index = 0
            while not self.eat("]"):
                self.value(self.join(path, index), None)
                self.eat(",")
                index += 1
        elif self.eat("{"):
            while not self.eat("}"):
                self.pair(path)
                self.eat(",")
        else:
            self.take(_SCALAR)

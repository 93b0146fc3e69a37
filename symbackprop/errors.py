"""What can go wrong, one class for each kind; every message says what is wrong and what to do."""

from __future__ import annotations

from typing import NamedTuple


class SymbackpropError(Exception):
    """Base of every error that the package raises on purpose."""


class Unsupported(SymbackpropError):  # noqa: N818
    """Meaningful, but not something the package can do yet."""


class ShapeMismatch(SymbackpropError):  # noqa: N818
    """A formula whose factors do not conform; the message names the factor."""


class NetworkError(SymbackpropError, ValueError):
    """A network that cannot be built from what was given.

    ``path`` is where in the description the fault lies, as keys and positions:
    ``("layers", 1, "activation")``, with "#key" behind it where the key itself is wrong; the reader of network files
    turns it into a line and a column.
    """

    def __init__(self, message: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class CheckError(SymbackpropError, ValueError):
    """A gradient check that cannot be made from what was given; the message names the parameter."""


class BlindPointWarning(UserWarning):
    """A gradient is checked where some wrong gradients would pass too; the message says which."""


class InputError(SymbackpropError, ValueError):
    """What a function was called with does not fit; the message names the argument, what it wants and what it got."""


class Position(NamedTuple):
    """A place in a source text; lines and columns count from 1."""

    line: int
    column: int


class NotationError(SymbackpropError, ValueError):
    """Something written that cannot be read; ``position`` is where, and ``end`` where it ends, if that is known.

    ``code`` tells the kinds apart: SBP101 syntax, SBP102 an unknown symbol, SBP103 ambiguous, SBP104 not supported,
    SBP105 too large.
    """

    def __init__(
        self,
        message: str,
        position: Position | None = None,
        code: str = "SBP101",
        end: Position | None = None,
    ) -> None:
        super().__init__(f"{position.line}:{position.column}: {message}" if position else message)
        self.message = message
        self.position = position
        self.code = code
        self.end = end


class FileError(SymbackpropError):
    """A file that cannot be used; prints as ``file:line:column: error: message``."""

    def __init__(self, file: str, position: Position | None, message: str) -> None:
        where = f"{file}:{position.line}:{position.column}" if position else file
        super().__init__(f"{where}: error: {message}")
        self.file = file
        self.position = position
        self.message = message

"""Texts that remember where they come from: a source file, and pieces of it that were cut, cleaned and expanded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from symbackprop.errors import FileError, Position

MAX_BYTES = 5_000_000


@dataclass(frozen=True)
class Source:
    """The text of a file, or of one cell of a notebook (``cell`` counts from 1); lines end in a newline only."""

    file: str
    text: str
    cell: int | None = None

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [0], self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts

    def position(self, offset: int) -> Position:
        """Line and column of a character, both from 1.

        >>> Source("n.tex", "a\\nbc").position(3)
        Position(line=2, column=2)
        """
        line = bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1] + 1)

    def offset(self, line: int, column: int) -> int:
        """The character at a line and column, kept inside the text."""
        line = min(max(line, 1), len(self._starts))
        return min(self._starts[line - 1] + max(column, 1) - 1, len(self.text))

    def line(self, number: int) -> str:
        if not 1 <= number <= len(self._starts):
            return ""
        start = self._starts[number - 1]
        stop = self.text.find("\n", start)
        return self.text[start:] if stop < 0 else self.text[start:stop]

    def error(self, offset: int, message: str) -> FileError:
        return FileError(self.label, self.position(offset), message)

    @property
    def label(self) -> str:
        """How the place is called in a message: the file, and the cell where there are cells."""
        return self.file if self.cell is None else f"{self.file}:cell {self.cell}"


def read_source(path: str | Path) -> Source:
    """A file's text. Raises FileError in one line for whatever stands in the way."""
    name = str(path)
    try:
        if not Path(name).is_file() and Path(name).exists() and not Path(name).is_dir():
            raise FileError(name, None, "no regular file: name a file with notes")
        with open(name, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise FileError(name, None, "there is no such file: check the path") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(name, None, f"cannot be read ({reason.lower()}): check the path and its permissions") from error
    if len(raw) > MAX_BYTES:
        raise FileError(name, None, f"more than {MAX_BYTES} bytes: split the notes into smaller files")
    return Source(name, decoded(name, raw))


def decoded(name: str, raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = plain_lines(raw[: error.start].decode("utf-8-sig", "replace"))
        place = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise FileError(name, place, "not a text in UTF-8: save the file in that encoding") from error
    return plain_lines(text)


def plain_lines(text: str) -> str:
    """Every line end as one newline, whatever system wrote it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True)
class Traced:
    """A text each of whose characters knows the stretch of the source that it stands for.

    A character of the source stands for itself; what a macro wrote stands for the call of the macro.

    >>> whole = Traced.of("x = % why\\n y", 0, 12)
    >>> cut = whole[:4] + whole[9:]
    >>> cut.text, cut.span(4, len(cut.text))
    ('x = \\n y', (9, 12))
    """

    text: str
    starts: Sequence[int] = field(repr=False)
    stops: Sequence[int] = field(repr=False)

    @classmethod
    def of(cls, text: str, start: int, stop: int) -> Traced:
        return cls(text[start:stop], range(start, stop), range(start + 1, stop + 1))

    def __getitem__(self, part: slice) -> Traced:
        return Traced(self.text[part], self.starts[part], self.stops[part])

    def __add__(self, other: Traced) -> Traced:
        return joined((self, other))

    def __len__(self) -> int:
        return len(self.text)

    def strip(self) -> Traced:
        left = len(self.text) - len(self.text.lstrip())
        return self[left : len(self.text.rstrip())] if self.text.strip() else self[:0]

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """The stretch of the source behind the characters from ``start`` to ``stop``."""
        if not self.text:
            return (0, 0)
        first = min(max(start, 0), len(self.text) - 1)
        last = min(max(stop - 1, first), len(self.text) - 1)
        return min(self.starts[first : last + 1]), max(self.stops[first : last + 1])

    def blank(self, start: int, stop: int) -> Traced:
        """The same with a stretch overwritten by one space, or with nothing changed where the stretch is empty."""
        if start >= stop:
            return self
        begin, end = self.span(start, stop)
        return joined((self[:start], Traced(" ", [begin], [end]), self[stop:]))


EMPTY = Traced("", (), ())


def joined(parts: Iterable[Traced]) -> Traced:
    parts = [part for part in parts if part.text]
    if len(parts) == 1:
        return parts[0]
    return Traced(
        "".join(part.text for part in parts),
        [at for part in parts for at in part.starts],
        [at for part in parts for at in part.stops],
    )

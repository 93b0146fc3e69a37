"""What a page of notes holds, in order: displayed formulas, declarations, directives, and what is wrong with them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from symbackprop.errors import Position
from symbackprop.notes.text import Source, Traced
from symbackprop.proof.status import Status

MAX_ITEMS = 20_000


@dataclass(frozen=True)
class Block:
    """Declarations in TOML that hold from here on.

    ``places`` has, for each line of ``toml``, where in the source its first character stands.
    """

    source: Source
    toml: str
    places: tuple[int, ...]
    start: int

    def position(self, in_toml: Position) -> Position:
        """Where in the notes a place in the TOML stands."""
        line = min(max(in_toml.line, 1), len(self.places))
        column = in_toml.column if line == in_toml.line else 1
        start = self.source.position(self.places[line - 1])
        return Position(start.line, start.column + column - 1)


@dataclass(frozen=True)
class Expect:
    """The outcome that the next formula is wanted to have; ``code`` is None where any will do."""

    source: Source
    start: int
    status: Status
    code: str | None

    def __str__(self) -> str:
        return f"{self.status} {self.code}" if self.code else str(self.status)


@dataclass(frozen=True)
class Skip:
    """The next formula is to be passed over."""

    source: Source
    start: int


@dataclass(frozen=True)
class Broken:
    """Something that cannot be read as notes: a formula that does not end, a directive that nobody knows."""

    source: Source
    start: int
    stop: int
    message: str
    hint: str = ""
    code: str = "SBP101"


Directive: TypeAlias = Expect | Skip


@dataclass(frozen=True)
class Display:
    """One displayed formula, macros written out and comments gone.

    ``kind`` is the environment's name, or the sign that opens it; ``directives`` stand inside, before its rows.
    """

    source: Source
    body: Traced
    start: int
    kind: str = ""
    directives: tuple[Directive | Broken, ...] = ()


Item: TypeAlias = Block | Expect | Skip | Broken | Display


@dataclass
class Found:
    """What a scanner finds: the items in order, and how many formulas in running text it passed over."""

    items: list[Item] = field(default_factory=list)
    inline: int = 0


_CODE = re.compile(r"SBP[0-9]{3}")
DIRECTIVE_HINT = "write symbackprop: skip, or symbackprop: expect refuted SBP301"


def directive(source: Source, text: str, start: int, stop: int) -> Expect | Skip | Broken:
    """What a comment ``symbackprop: ...`` asks for; ``text`` is what stands behind the colon."""
    words = text.split()
    if words == ["skip"]:
        return Skip(source, start)
    known = {status.value: status for status in Status}
    if words[:1] == ["expect"] and len(words) in (2, 3) and words[1] in known:
        code = words[2] if len(words) == 3 else None
        if code is None or _CODE.fullmatch(code):
            return Expect(source, start, known[words[1]], code)
        return Broken(source, start, stop, f"{code[:20]!r} is no code of a verdict", "codes are SBP101 to SBP599")
    if words[:1] == ["expect"]:
        return Broken(source, start, stop, f"expect needs one of {', '.join(known)}", DIRECTIVE_HINT)
    shown = " ".join(words)[:40]
    return Broken(source, start, stop, f"unknown directive {shown!r}", DIRECTIVE_HINT)

"""The claims in a displayed formula: rows joined into chains, independent equations apart, remarks left out.

A row that starts with a relation or an operator, or that has nothing in its first cell and no relation of its own,
continues the claim above it; any other row is a claim of its own. Equations side by side (behind a comma, a wide space,
an arrow or a word) are claims of their own. What claims no equality (a list, a shape, an approximation, an equation
under a condition) is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from symbackprop.notation.arrows import STEPS, is_step
from symbackprop.notes.items import Display
from symbackprop.notes.pieces import Cut, Kind, Token
from symbackprop.notes.text import Source, Traced, joined

_BREAKS = {Kind.ARROW, Kind.PROSE, Kind.CONDITION, Kind.QUAD, Kind.COMMA}
_BLANK = {Kind.SPACE, Kind.QUAD}
_ANNOTATION = re.compile(
    r"\(\s*\w{1,4}[.a-z]?\s*\)|\\forall.*|\(.*(?:=|\\text|\\forall|\\dots|\\ldots).*\)|\\square|\\blacksquare",
    re.DOTALL,
)
_INDEX = re.compile(r"(?:\\ell|[A-Za-z])\s*")
_ONLY_PROSE = re.compile(r"(?:\\(?:text\w*|mbox|hbox)\s*\{[^{}]*\}\s*)+")
_TRAILING = re.compile(r"[\s.,;:]+\Z")


@dataclass(frozen=True)
class Claim:
    """An equality, or a chain of them, to be judged; macros are written out and layout is gone from ``text``."""

    source: Source
    text: Traced

    @property
    def start(self) -> int:
        return self.text.span(0, 1)[0]


@dataclass(frozen=True)
class Claims:
    """What a display claims, and how many pieces of it claim nothing that can be judged."""

    claims: tuple[Claim, ...]
    passed_over: int


def claims(display: Display) -> Claims:
    r"""The claims of a displayed formula.

    >>> source = Source("n.tex", r"a &= b \\ &= c + d, \quad d = e \\ x &\in R")
    >>> found = claims(Display(source, Traced.of(source.text, 0, len(source.text)), 0))
    >>> [claim.text.text for claim in found.claims], found.passed_over
    (['a = b   = c + d', 'd = e'], 1)
    """
    return _Assembly(display).claims()


Line = list[Token]
_CHOICE = re.compile(r"\\arg\b|arg\s*\\?(?:min|max)\b|\\(?:min|max)_\s*(?:\{\s*)?\\?(?:theta|[wWb])\b")  # of parameters


class _Assembly:
    def __init__(self, display: Display) -> None:
        self.display = display
        self.cut = Cut(display.body)
        self.passed_over = 0

    def claims(self) -> Claims:
        found: list[Claim] = []
        for line in self.lines():
            for piece in self.separate(line):
                found += self.equalities(piece)
        found.sort(key=lambda claim: claim.start)
        return Claims(tuple(found), self.passed_over)

    # Rows

    def lines(self) -> list[Line]:
        """The rows, a continuation joined to what it continues, cells in pairs as ``align`` has them."""
        lines: list[Line] = []
        columns: dict[int, Line] = {}
        for row in _split(self.cut.tokens, Kind.ROW):
            for column, cells in enumerate(_columns(_split(row, Kind.CELL))):
                group = self.without_remark([token for cell in cells for token in cell])
                if not _ink(group):
                    continue
                above = columns.get(column)
                if above is not None and self.continues(above, cells, group):
                    if _last(above).kind is Kind.EQUAL and _first(group).kind is Kind.EQUAL:
                        del above[_index_of_last(above) :]
                    above += [Token(Kind.SPACE, group[0].start, group[0].start), *group]
                else:
                    columns[column] = group
                    lines.append(group)
        return lines

    def without_remark(self, group: Line) -> Line:
        """A row without the number or the range of an index that stands in brackets at its end."""
        end = _index_of_last(group) + 1 if _ink(group) else 0
        at = next((at for at in range(end - 1, 0, -1) if group[at].kind is Kind.QUAD), 0)
        return group[:at] if at and self.is_annotation(_trimmed(group[at:end])) else group

    def continues(self, above: Line, cells: list[Line], group: Line) -> bool:
        first, related = _first(group), any(t.kind in (Kind.EQUAL, Kind.RELATION) for t in group)
        if first.kind in (Kind.ARROW, Kind.PROSE, Kind.CONDITION):
            return False
        if first.kind in (Kind.EQUAL, Kind.RELATION):
            return True
        hanging = _last(above).kind in (Kind.EQUAL, Kind.OPERATOR, Kind.RELATION)
        if first.kind is Kind.OPERATOR:
            return not related or hanging or (len(cells) > 1 and not _ink(cells[0])) or not self.is_minus(first)
        if related:
            return hanging
        return hanging or (len(cells) > 1 and not _ink(cells[0])) or self.display.kind == "multline"

    def is_minus(self, token: Token) -> bool:
        return self.cut.text[token.start : token.stop] == "-"

    # Side by side

    def separate(self, line: Line) -> list[Line]:
        """The equations that stand side by side in one line."""
        if not any(token.kind not in _BREAKS | {Kind.SPACE} for token in line):
            self.passed_over += 1
        if any(token.kind is Kind.CONDITION for token in line):
            self.passed_over += 1
            return []
        line = self.with_steps(line)
        pieces: list[Line] = []
        breaks: set[Kind] = set()
        ranging = False
        for part, separators in _parts(line):
            breaks = {token.kind for token in separators}
            ranging = any(token.start in self.cut.ranges for token in separators)
            soft = breaks <= _BLANK | {Kind.COMMA}
            if ranging and _INDEX.fullmatch(self.before_relation(part)):
                self.passed_over += 1
            elif pieces and soft and self.belongs(pieces[-1], part, breaks):
                pieces[-1] += [*separators, *part]
            elif _relations(part) == 0 and self.is_annotation(part):
                self.passed_over += 1
            else:
                pieces.append(list(part))
        return pieces

    def with_steps(self, line: Line) -> Line:
        """The line with an arrow as a relation where it makes a step of what stands before it: w -> w - r E."""
        for at, token in enumerate(line):
            if token.kind is Kind.RELATION and self.cut.text[token.start : token.stop] in STEPS:
                before, after = self.raw(_trimmed(line[:at])), self.raw(_trimmed(line[at + 1 :]))
                if "=" not in before and is_step(before, after):
                    return [*line[:at], replace(token, kind=Kind.EQUAL), *line[at + 1 :]]
        return line

    def belongs(self, piece: Line, part: Line, breaks: set[Kind]) -> bool:
        """Whether a part behind a comma or a wide space belongs to the piece before it."""
        if _first(part).kind is Kind.EQUAL:
            return True
        if Kind.COMMA in breaks:
            return (_relations(part) == 0 and not self.is_annotation(part)) or _relations(piece) == 0
        if _relations(part) == 0:
            return not self.is_annotation(part)
        return _first(part).kind is Kind.OPERATOR and not self.is_minus(_first(part))

    def is_annotation(self, part: Line) -> bool:
        return _ANNOTATION.fullmatch(self.raw(part)) is not None

    def before_relation(self, part: Line) -> str:
        """What stands before the first relation; prose in the place of a symbol is nothing."""
        at = next((at for at, token in enumerate(part) if token.kind in (Kind.EQUAL, Kind.RELATION)), len(part))
        raw = self.raw(part[:at])
        return "" if _ONLY_PROSE.fullmatch(raw) else raw

    def raw(self, part: Line) -> str:
        return self.cut.text[part[0].start : part[-1].stop].strip() if part else ""

    # Equalities

    def equalities(self, piece: Line) -> Iterable[Claim]:
        """The chains of equalities in a piece; other relations part them."""
        if any(token.kind is Kind.COMMA for token in piece) or _CHOICE.search(self.raw(piece)):
            self.passed_over += 1
            return
        judged = False
        for run in _split(piece, Kind.RELATION):
            run = _trimmed(run)
            while run and run[-1].kind is Kind.EQUAL:
                run = _trimmed(run[:-1])
            if run and any(token.kind is Kind.EQUAL for token in run) and self.before_relation(run):
                judged = True
                yield Claim(self.display.source, self.text_of(run))
        self.passed_over += not judged

    def text_of(self, run: Line) -> Traced:
        parts = []
        body = self.cut.body
        for token in run:
            written = body.text[token.start : token.stop]
            if token.kind in _BLANK or (
                token.kind is Kind.EQUAL and (written.endswith(("}", "=")) or written in STEPS)
            ):
                begin, end = body.span(token.start, token.stop)
                plain = " " if token.kind in _BLANK else written if written in ("=", ":=") else "="
                plain = ":=" if written in STEPS else plain
                parts.append(Traced(plain, [begin] * len(plain), [max(end, begin)] * len(plain)))
            else:
                parts.append(body[token.start : token.stop])
        whole = joined(parts).strip()
        tail = _TRAILING.search(whole.text)
        return whole[: tail.start()] if tail else whole


def _split(tokens: Line, kind: Kind) -> list[Line]:
    rows: list[Line] = [[]]
    for token in tokens:
        if token.kind is kind:
            rows.append([])
        else:
            rows[-1].append(token)
    return rows


def _columns(cells: list[Line]) -> list[list[Line]]:
    """Cells in pairs; a relation alone in its cell, or at the start of a third cell, belongs to what is before it."""
    groups: list[list[Line]] = []
    open_cells = 0
    for cell in cells:
        ink = _ink(cell)
        alone = bool(groups) and groups[-1] and (last := _ink(groups[-1][-1])) and last[-1].kind is Kind.EQUAL
        if groups and (open_cells < 2 or alone or (ink and ink[0].kind is Kind.EQUAL)):
            groups[-1].append(cell)
            open_cells += 1
        else:
            groups.append([cell])
            open_cells = 1
    return groups


def _parts(line: Line) -> list[tuple[Line, Line]]:
    """What stands between breaks, with the breaks before it."""
    parts: list[tuple[Line, Line]] = []
    here: Line = []
    before: Line = []
    for token in line:
        if token.kind in _BREAKS:
            if _trimmed(here):
                parts.append((_trimmed(here), before))
                here, before = [], []
            before.append(token)
        else:
            here.append(token)
    if _trimmed(here):
        parts.append((_trimmed(here), before))
    return parts


def _trimmed(tokens: Line) -> Line:
    start, stop = 0, len(tokens)
    while start < stop and tokens[start].kind in _BLANK:
        start += 1
    while stop > start and tokens[stop - 1].kind in _BLANK:
        stop -= 1
    return tokens[start:stop]


def _ink(tokens: Line) -> Line:
    return [token for token in tokens if token.kind not in _BLANK]


def _first(tokens: Line) -> Token:
    return next(token for token in tokens if token.kind not in _BLANK)


def _last(tokens: Line) -> Token:
    return next(token for token in reversed(tokens) if token.kind not in _BLANK)


def _index_of_last(tokens: Line) -> int:
    return max(i for i, token in enumerate(tokens) if token.kind not in _BLANK)


def _relations(tokens: Line) -> int:
    return sum(token.kind in (Kind.EQUAL, Kind.RELATION) for token in tokens)

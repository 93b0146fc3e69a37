"""A displayed formula cut at its outermost level: which part is a relation, which a break, which only layout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from symbackprop.notes.text import Traced


class Kind(Enum):
    """What a token at the outermost level does to a formula."""

    INK = "ink"
    SPACE = "space"  # thin space, nothing
    QUAD = "quad"  # wide space: what stands behind it is often another formula
    COMMA = "comma"
    ARROW = "arrow"  # it follows that
    PROSE = "prose"
    CONDITION = "condition"  # prose that makes what stands before it true only sometimes
    EQUAL = "equal"
    RELATION = "relation"  # a relation that claims no equality
    OPERATOR = "operator"
    DOTS = "dots"
    ROW = "row"
    CELL = "cell"


@dataclass(frozen=True)
class Token:
    kind: Kind
    start: int
    stop: int


_EQUAL = {"=", r"\equiv", r"\coloneqq", r"\leftarrow", r"\gets", r"\triangleq", r"\coloneq", r"\longleftarrow", ":="}
_RELATION = set(
    r"\approx \propto \sim \simeq \cong \in \ni \notin \leq \le \geq \ge \ll \gg \neq \ne \to \rightarrow \mapsto "  # noqa: SIM905
    r"\longrightarrow "
    r"\subset \subseteq < > \doteq \lesssim \gtrsim \succ \prec \longmapsto \perp \leadsto \rightsquigarrow".split()
)
_ARROW = set(
    r"\Rightarrow \implies \Longrightarrow \iff \Leftrightarrow \Longleftrightarrow \therefore \because \rArr "  # noqa: SIM905
    r"\impliedby \Leftarrow \land \wedge \vdash".split()
)
_OPERATOR = {"+", "-", r"\cdot", r"\times", r"\odot", r"\circ", r"\otimes", "*", "/", r"\pm", r"\ast"}
_DOTS = {r"\dots", r"\ldots", r"\cdots", r"\dotsc", r"\vdots", r"\ddots", r"\dotsb"}
_SPACE = {r"\,", r"\;", r"\:", r"\!", r"\ ", "~", r"\displaystyle", r"\textstyle", r"\nonumber", r"\notag", r"\>"}
_SPACE |= {r"\allowbreak", r"\noindent", r"\centering", r"\small", r"\limits", r"\nolimits", r"\hline", r"\thinspace"}
_QUAD = {r"\quad", r"\qquad", r"\hfill", r"\enspace"}
_QUAD_OF_LENGTH = {r"\hspace", r"\hskip", r"\vspace", r"\hphantom", r"\phantom"}
_GONE = {r"\label", r"\tag", r"\eqref", r"\ref", r"\cite", r"\footnote"}
_TEXT = {r"\text", r"\mbox", r"\textrm", r"\textit", r"\textnormal", r"\textsf", r"\textbf", r"\hbox", r"\emph"}
_ROWS = {r"\intertext", r"\shortintertext"}
TRANSPARENT = {"aligned", "split", "gathered", "alignedat", "align", "gather", "equation", "multlined", "subequations"}

MAX_FRAMES = 20
"""So many frames around equalities are taken away in one formula; what is in more of them is left as it is."""

_WORD = re.compile(
    r"""
    \\begin[ ]*\{(?P<begin>[A-Za-z]+)\*?\}
  | \\end[ ]*\{(?P<end>[A-Za-z]+)\*?\}
  | \\(?:[A-Za-z]+|.)
  | :=
  | .
    """,
    re.VERBOSE | re.DOTALL,
)
_CONDITIONS = re.compile(r"\b(if|when|unless|provided|only|otherwise|whenever|assuming|except|else)\b", re.IGNORECASE)
_RANGES = re.compile(r"\b(for|over)\b", re.IGNORECASE)
_JOINERS = frozenset(
    "and or where with for so hence then since thus gives i.e e.g s.t as by from is we because".split()  # noqa: SIM905
)
_ARGUMENT = re.compile(r"\s*(\{|\\[A-Za-z]+|.)", re.DOTALL)
_FRAME = re.compile(
    r"(?:\\boxed|\\fbox|\\underline|\\displaystyle|\\(?:textcolor|colorbox)[ ]*\{[^{}]*\})?\s*"
    r"(?:\\color[ ]*\{[^{}]*\})?\s*\{"
)
_SIGNS = re.compile(r"\\.|[{}=]", re.DOTALL)
_OVER = re.compile(r"\\(?:stackrel|overset|underset)[ ]*")


class Cut:
    """The tokens of a formula at its outermost level; a group, or an environment that means something, is one."""

    def __init__(self, body: Traced) -> None:
        self.body = body
        self.text = body.text
        self.tokens: list[Token] = []
        self.ranges: set[int] = set()  # starts of prose that introduces the range of an index
        self.groups = _groups(self.text)
        self.depth = 0
        self.framed = 0
        self.systems: list[bool] = []  # for each open \left, whether it only holds a system of equations together
        self.run()

    def add(self, kind: Kind, start: int, stop: int) -> None:
        if kind is Kind.INK and self.tokens and self.tokens[-1].kind is Kind.INK and self.tokens[-1].stop == start:
            start = self.tokens.pop().start
        self.tokens.append(Token(kind, start, stop))

    def run(self) -> None:
        at = 0
        while at < len(self.text):
            at = self.step(at)

    def step(self, at: int) -> int:
        match = _WORD.match(self.text, at)
        assert match is not None
        word, stop = match[0], match.end()
        if match["begin"] or match["end"]:
            return self.environment(match)
        frame = _FRAME.match(self.text, at)
        if frame is not None and (end := self.group_end(frame.end() - 1)) and self.frames(frame.end(), end - 1):
            self.add(Kind.SPACE, at, frame.end())
            return frame.end()
        if word == "}":
            self.add(Kind.SPACE, at, stop)
            return stop
        if word == "{":
            stop = self.group_end(at) or stop
            self.add(Kind.INK, at, stop)
            return stop
        if word in _GONE or word in _QUAD_OF_LENGTH or word in _TEXT or word in _ROWS:
            return self.with_argument(word, at, stop)
        if word in (r"\left", r"\right", r"\bigl", r"\bigr", r"\Bigl", r"\Bigr", r"\biggl", r"\biggr"):
            return self.delimiter(word, at, stop)
        if _OVER.match(self.text, at):
            return self.stacked(at)
        if word in ("^", "_"):
            return self.script(at, stop)
        self.depth += {"(": 1, "[": 1, r"\{": 1, ")": -1, "]": -1, r"\}": -1}.get(word, 0)
        self.depth = max(self.depth, 0)
        kind = _kind(word)
        if self.depth and kind is not Kind.SPACE:
            kind = Kind.SPACE if kind in (Kind.ROW, Kind.CELL, Kind.QUAD) else Kind.INK
            if word == r"\\":
                stop = _row_end(self.text, stop)
        self.add(kind, at, stop if kind is not Kind.ROW else _row_end(self.text, stop))
        return self.tokens[-1].stop

    def group_end(self, at: int) -> int | None:
        """Where the group in braces that starts at ``at`` ends; None where none starts or it does not end."""
        return self.groups.get(at)

    def frames(self, start: int, stop: int) -> bool:
        """Whether a frame, a colour or plain braces hold a whole equality, which counts as if they were not there."""
        if self.depth or self.framed >= MAX_FRAMES:
            return False
        depth = 0
        for part in _SIGNS.finditer(self.text, start, stop):
            depth += {"{": 1, "}": -1}.get(part[0], 0)
            if part[0] == "=" and depth == 0:
                self.framed += 1
                return True
        return False

    def environment(self, match: re.Match[str]) -> int:
        at, stop = match.span()
        name = match["begin"] or match["end"]
        if name in TRANSPARENT:
            if match["begin"] and name == "alignedat" and (end := self.group_end(stop)):
                stop = end
            self.add(Kind.SPACE, at, stop)
        elif match["begin"]:
            depth = 1
            for inner in re.compile(rf"\\(begin|end)[ ]*\{{{name}\*?\}}").finditer(self.text, stop):
                depth += 1 if inner[1] == "begin" else -1
                if depth == 0:
                    stop = inner.end()
                    break
            self.add(Kind.INK, at, stop)
        else:
            self.add(Kind.INK, at, stop)
        return stop

    def with_argument(self, word: str, at: int, stop: int) -> int:
        while self.text[stop : stop + 1] in ("*", " "):
            stop += 1
        end = self.group_end(stop)
        if end is None:
            self.add(Kind.SPACE if word in _GONE else Kind.INK, at, stop)
            return stop
        inside = self.text[stop + 1 : end - 1]
        if word in _TEXT:
            self.add(self.prose(inside, at, end), at, end)
        else:
            kind = Kind.SPACE if word in _GONE else Kind.QUAD if word in _QUAD_OF_LENGTH else Kind.ROW
            self.add(Kind.INK if self.depth and kind is not Kind.SPACE else kind, at, end)
        return end

    def prose(self, inside: str, at: int, end: int) -> Kind:
        """Prose ends a formula; a word that stands for a name or a function is a part of it."""
        words = inside.split()
        is_name = inside.strip() == inside and len(words) == 1 and words[0].lower().strip(".,:") not in _JOINERS
        if self.depth or not words or (is_name and not _CONDITIONS.search(inside)):
            return Kind.INK if words else Kind.QUAD
        if _CONDITIONS.search(inside):
            return Kind.CONDITION
        if _RANGES.search(inside):
            self.ranges.add(at)
        return Kind.PROSE

    def delimiter(self, word: str, at: int, stop: int) -> int:
        """Large brackets; a large brace that nothing closes only holds a system of equations together."""
        bracket = re.compile(r"\s*(\\[A-Za-z]+|\\?.)", re.DOTALL).match(self.text, stop)
        end = bracket.end() if bracket else stop
        sign = bracket[1] if bracket else ""
        opens = not word.endswith(("r", "right"))
        if word == r"\left":
            self.systems.append(sign == r"\{" and self.holds_system(end))
        if self.systems and self.systems[-1] and word in (r"\left", r"\right"):
            self.systems = self.systems[: None if word == r"\left" else -1]
            self.add(Kind.SPACE, at, end)
            return end
        if word == r"\right":
            self.systems = self.systems[:-1]
        if word in (r"\left", r"\right") or sign in ("(", "[", r"\{", ")", "]", r"\}"):
            self.depth = max(self.depth + (1 if opens else -1), 0)
        self.add(Kind.INK, at, end)
        return end

    def holds_system(self, at: int) -> bool:
        inside = re.compile(r"\s*\\begin\s*\{(aligned|split|gathered|alignedat)\}").match(self.text, at)
        return inside is not None and r"\right." in self.text[at:]

    def stacked(self, at: int) -> int:
        r"""\stackrel{note}{=} is the relation, with something written over it."""
        over = _OVER.match(self.text, at)
        assert over is not None
        first = self.group_end(over.end())
        below = _ARGUMENT.match(self.text, first) if first is not None else None
        if below is None:
            self.add(Kind.INK, at, over.end())
            return over.end()
        second = self.group_end(below.start(1)) or below.end()
        inner = self.text[below.start(1) : second].strip("{} \t\n")
        kind = _kind(inner) if inner else Kind.INK
        self.add(kind if kind in (Kind.EQUAL, Kind.RELATION) and not self.depth else Kind.INK, at, second)
        return second

    def script(self, at: int, stop: int) -> int:
        """A sub- or superscript belongs to what it hangs on, brackets and all."""
        while self.text[stop : stop + 1].isspace():
            stop += 1
        end = self.group_end(stop)
        if end is None:
            word = _WORD.match(self.text, stop)
            end = word.end() if word else stop
            if word and word[0] in _TEXT | {r"\mathrm", r"\mathbf", r"\mathsf", r"\mathit"}:
                end = self.group_end(end) or end
        self.add(Kind.INK, at, end)
        return end


def _groups(text: str) -> dict[int, int]:
    """Where each group in braces starts and ends, in one pass."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for part in _SIGNS.finditer(text):
        if part[0] == "{":
            opened.append(part.start())
        elif part[0] == "}" and opened:
            found[opened.pop()] = part.end()
    return found


_KINDS = {
    **dict.fromkeys(_EQUAL, Kind.EQUAL),
    **dict.fromkeys(_RELATION, Kind.RELATION),
    **dict.fromkeys(_ARROW, Kind.ARROW),
    **dict.fromkeys(_OPERATOR, Kind.OPERATOR),
    **dict.fromkeys(_DOTS, Kind.DOTS),
    **dict.fromkeys(_SPACE, Kind.SPACE),
    **dict.fromkeys(_QUAD, Kind.QUAD),
    **dict.fromkeys((",", ";"), Kind.COMMA),
    **dict.fromkeys((r"\\", r"\cr", r"\newline", r"\tabularnewline"), Kind.ROW),
    "&": Kind.CELL,
}


def _kind(word: str) -> Kind:
    return Kind.SPACE if word.isspace() else _KINDS.get(word, Kind.INK)


def _row_end(text: str, at: int) -> int:
    found = re.compile(r"\*?[ ]*(?:\[[ ]*-?[0-9.]+[ ]*[a-z]+[ ]*\])?").match(text, at)
    return found.end() if found else at

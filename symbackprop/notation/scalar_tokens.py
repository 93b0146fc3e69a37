r"""The pieces of a scalar LaTeX expression, and the declared names among them.

Spacing, sizes and fonts carry no meaning and are left out; spellings of one thing become one (``\tfrac`` is ``\frac``,
``\times`` is ``\cdot``, ``\operatorname{erf}`` is ``\erf``); every argument that TeX takes stands in braces, so that
``\tfrac12`` and ``z^2`` read like ``\frac{1}{2}`` and ``z^{2}``. Nothing here knows what an expression means.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

from symbackprop.errors import NotationError, Position

MAX_LENGTH = 10_000
INDICATOR = r"\mathbb{1}"

_PIECE = re.compile(
    r"""
    (?P<space>     \s+ | ~ | \\[,;:!\s] | \\(?:quad|qquad|displaystyle|textstyle|limits)(?![A-Za-z]) )
    | (?P<lvert>   \\(?:left|[bB]igg?l)\s*(?:\||\\vert(?![A-Za-z])) | \\lvert(?![A-Za-z]) )
    | (?P<rvert>   \\(?:right|[bB]igg?r)\s*(?:\||\\vert(?![A-Za-z])) | \\rvert(?![A-Za-z]) )
    | (?P<size>    \\(?:left|right|[bB]igg?[lrm]?)(?![A-Za-z]) )
    | (?P<step>    \\math(?:bb|bf|ds)\s*(?:\{\s*1\s*\}|1) | \\mathbb\s*(?:\{\s*I\s*\}|I(?![A-Za-z])) )
    | (?P<word>    \\(?:operatorname\*?|mathrm|textrm|text)\s*\{\s*[A-Za-z]{2,}\s*\} )
    | (?P<number>  [0-9]+(?:\.[0-9]+)? | \.[0-9]+ )
    | (?P<command> \\(?:[A-Za-z]+|[^\sA-Za-z]) )
    | (?P<letter>  [^\W\d_] )
    | (?P<mark>    [!-~] )
    """,
    re.VERBOSE,
)
_SAME = {r"\vert": "|", r"\mid": "|", r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\geq": r"\ge", r"\leq": r"\le"}
_SAME |= {r"\gt": ">", r"\lt": "<", r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]"}
_SAME |= dict.fromkeys((r"\times", r"\odot", r"\ast", "*"), r"\cdot")

ACCENTS = frozenset((r"\hat", r"\bar", r"\tilde", r"\dot", r"\widehat", r"\widetilde", r"\overline"))
_FONT_NAMES = "mathbf mathrm mathit mathsf mathcal mathscr boldsymbol bm vec text textrm operatorname"
_FONTS = frozenset(rf"\{name}" for name in _FONT_NAMES.split())
_ARGUMENTS = {r"\frac": 2} | dict.fromkeys((r"\sqrt", "^", "_", *ACCENTS, *_FONTS), 1)

CLOSERS = {"(": ")", "[": "]", r"\{": r"\}", "|": "|", r"\lvert": r"\rvert", "{": "}"}
ADVICE = {  # what to do about a token out of place
    "=": "give the expression alone, without an = sign",
    "'": r"a prime belongs to a function, as in \tanh'(z)",
    "-": "a sign after another sign, a dot or a function needs brackets, (-a)",
    "^": "write brackets, (a^{2})^{3}",
    "_": r"declare the name with its subscript; \log is natural and takes no base",
    "/": r"write \frac or brackets",
    r"\min": r"write min(u, v) as v - \max(0, v - u)",
    r"\begin": r"write cases with \max(0, u) or \mathbb{1}[u > v]",
    "e": r"write e^{1}, or declare e; a power of ten is 10^{-7}",
}

Meaning = TypeVar("Meaning")
NameTable = dict[tuple[str, ...], tuple[str, Meaning]]


class Token(NamedTuple):
    """A piece of the text; ``kind`` is number, command, letter, mark or end."""

    kind: str
    text: str
    position: Position


def tokenize(text: str) -> list[Token]:
    r"""The tokens of the text, then an end token. Raises NotationError for a character or a brace out of place.

    >>> " ".join(token.text for token in tokenize(r"\left(\mathbf{a}_d\right)^2 \, \tfrac12"))
    '( a _ { d } ) ^ { 2 } \\frac { 1 } { 2 } '
    """
    if len(text) > MAX_LENGTH:
        raise NotationError(f"the expression has more than {MAX_LENGTH} characters: shorten it", Position(1, 1))
    return list(_with_braces(_pieces(text)))


def name_table(names: Mapping[str, Meaning]) -> NameTable[Meaning]:
    r"""Names and meanings by the tokens of the names: ``\hat y``, ``\hat{y}`` and ``\hat{\mathbf{y}}`` are one name.

    >>> name_table({r"\hat y": 7})
    {('\\hat', '{', 'y', '}'): ('\\hat y', 7)}
    """
    table: NameTable[Meaning] = {}
    for name, meaning in names.items():
        try:
            key = tuple(token.text for token in tokenize(name)[:-1])
        except NotationError as error:
            raise NotationError(f"the declared name {shown(name)} cannot be read: {error.message}") from error
        if not key:
            raise NotationError("an empty name is declared: give it a letter")
        if table.setdefault(key, (name, meaning))[1] != meaning:
            raise NotationError(f"{shown(table[key][0])} and {shown(name)} are one name: fonts and spaces do not count")
    return table


def shown(text: str) -> str:
    """A piece of the text in a message, on one line and not long."""
    return repr(text if len(text) <= 40 else text[:40] + "...").replace("\\\\", "\\")


class Cursor(Generic[Meaning]):
    """A place in the tokens: takes them one by one, knows names and the brackets around, words the errors."""

    def __init__(self, text: str, names: Mapping[str, Meaning]) -> None:
        self.tokens = tokenize(text)
        self.names = name_table(names)
        self.lengths = sorted({len(key) for key in self.names}, reverse=True)
        self.at = 0
        self.closers: list[str] = []  # of the brackets around, the innermost last: tells whether | opens or closes

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self, *texts: str) -> Token | None:
        """The next token, if it is one of these."""
        token = self.next
        if token.text not in texts:
            return None
        self.at += 1
        return token

    def declared(self) -> tuple[str, Meaning, int] | None:
        """The longest declared name that stands here, its meaning, and how many tokens it has."""
        for length in self.lengths:
            found = self.names.get(tuple(token.text for token in self.tokens[self.at : self.at + length]))
            if found:
                return *found, length
        return None

    def open(self, wanted: str, *texts: str) -> Token:
        opening = self.take(*texts)
        if opening is None:
            raise self.error(f"{wanted}, not {self.found()}")
        self.closers.append(CLOSERS[opening.text])
        return opening

    def close(self, opening: Token, advice: str = "") -> None:
        closer = self.closers.pop()
        if self.take(closer):
            return
        if advice:
            raise self.error(advice, self.next)
        where = f"in line {opening.position.line}, column {opening.position.column}"
        raise self.error(f"expected {closer} for the {opening.text} {where}, not {self.found()}")

    def found(self) -> str:
        return "the end" if self.next.kind == "end" else shown(self.next.text)

    def error(self, message: str, token: Token | None = None) -> NotationError:
        """An error at a token; without one at the next, with the advice for that."""
        advice = None if token else ADVICE.get(self.next.text)
        return NotationError(f"{message}; {advice}" if advice else message, (token or self.next).position)

    def undeclared(self, commands: Collection[str]) -> NotationError:
        """The error for a name that nobody declared, with the nearest that somebody did."""
        texts = [token.text for token in self.tokens]
        end = self.at + 1
        for starts in (texts[self.at] in ACCENTS, True):
            if starts and texts[end] in ("_", "{"):
                end = texts.index("}", end) + 1
        name = "".join(texts[self.at : end])
        word = "".join(texts[self.at : self.at + 8])
        for command in sorted(commands, key=len, reverse=True):
            if word.startswith(command[1:]):
                hint = f"without a backslash is a product of letters: write {command}"
                return self.error(f"{shown(command[1:])} {hint}", self.next)
        if self.next.text in ADVICE:
            return self.error(f"{shown(name)} is not declared")
        declared = [given for given, _ in self.names.values()]
        known = [*declared, *(commands if name.startswith("\\") else ())]
        plain = {_plain(candidate): candidate for candidate in reversed(known)}
        nearest = difflib.get_close_matches(_plain(name[:40]), plain, 1, 0.6)
        hint = f"did you mean {shown(plain[nearest[0]])}?" if nearest else "declare it"
        if declared and not nearest:
            hint += ", or use " + ", ".join(shown(given) for given in declared[:8])
        return self.error(f"{shown(name)} is not declared; {hint}")


def _plain(name: str) -> str:
    return re.sub(r"[\\{}]", "", name).lower()


def _pieces(text: str) -> Iterator[Token]:
    at, line, line_start = 0, 1, 0
    while at < len(text):
        position = Position(line, at - line_start + 1)
        found = _PIECE.match(text, at)
        if found is None:
            raise NotationError(f"unexpected character {shown(text[at])}: remove it or use LaTeX for it", position)
        kind, piece, at = str(found.lastgroup), found.group(), found.end()
        if kind == "word":
            yield Token("command", "\\" + piece[piece.index("{") + 1 : -1].strip(), position)
        elif kind in ("lvert", "rvert", "step"):
            yield Token("command", INDICATOR if kind == "step" else rf"\{kind}", position)
        elif kind not in ("space", "size"):
            same = _SAME.get(piece)
            yield Token(("command" if same[0] == "\\" else "mark") if same else kind, same or piece, position)
        if "\n" in piece:
            line, line_start = line + piece.count("\n"), text.rindex("\n", 0, at) + 1
    yield Token("end", "", Position(line, at - line_start + 1))


def _with_braces(pieces: Iterable[Token]) -> Iterator[Token]:
    """Braces around arguments of one token (of a number TeX takes one digit); the braces of fonts go."""
    todo = list(pieces)[::-1]
    groups: list[tuple[Token, bool, Token, int]] = []  # open braces: whether kept, whose, how many arguments follow
    owner, owed = todo[-1], 0  # the last command, and how many arguments it still takes
    while todo:
        token = todo.pop()
        if token.text == "{":
            keep = not owed or owner.text not in _FONTS
            groups.append((token, keep, owner, max(owed - 1, 0)))
            owed = 0
        elif owed:
            token, rest = _first_digit(token, owner)
            todo.extend(rest)
            owed -= 1
            if owner.text not in _FONTS:
                yield Token("mark", "{", token.position)
                yield token
                token = Token("mark", "}", token.position)
            keep = True
        elif token.text == "}":
            if not groups:
                raise NotationError("this brace closes nothing: remove it", token.position)
            _, keep, owner, owed = groups.pop()
        else:
            keep, owner, owed = (token.text not in _FONTS, token, _ARGUMENTS.get(token.text, 0))
        if token.kind == "end" and groups:
            raise NotationError("this brace is not closed: add a closing brace", groups[-1][0].position)
        if keep:
            yield token


def _first_digit(token: Token, owner: Token) -> tuple[Token, list[Token]]:
    """What a command without braces takes of a token, and what it leaves: ``\\frac12``, but not ``z^12``."""
    whole = token.kind in ("letter", "command") and token.text not in _ARGUMENTS
    if whole or (token.kind == "number" and len(token.text) == 1):
        return token, []
    if token.kind == "number" and owner.text not in ("^", "_") and token.text[0] != ".":
        line, column = token.position.line, token.position.column
        return Token("number", token.text[0], token.position), [
            Token("number", token.text[1:], Position(line, column + 1))
        ]
    raise NotationError(f"put what belongs to {owner.text} in braces: {owner.text}{{...}}", token.position)

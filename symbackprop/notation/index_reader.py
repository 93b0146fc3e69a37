"""A cursor over the tokens of a formula, and the indices that it reads: j, 12, l-1, n_2."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbackprop.errors import NotationError, Position
from symbackprop.notation.latex_tokens import Token
from symbackprop.notation.lexicon import Lexicon
from symbackprop.notation.syntax import Node

MAX_NESTING = 40
MAX_INDEX = 10_000
WHOLE = sympy.Symbol(":")  # in place of an index: the whole axis


class Cursor:
    """A place in the tokens, and errors there; the grammar above it reads the rest."""

    def __init__(self, tokens: Sequence[Token], lexicon: Lexicon) -> None:
        self.tokens = tokens
        self.lexicon = lexicon
        self.at = 0
        self.depth = 0
        self.sample_letters = _sample_letters(tokens)
        self.bars: list[str] = []
        self.derived = 0  # how many operators in front of a derivative are waiting for what they derive
        self.totals = False  # whether the line is to be read as one of differentials
        self.of_totals = False  # whether the line is one of differentials, d(X Y) = ...

    @property
    def next(self) -> Token:
        return self.tokens[min(self.at, len(self.tokens) - 1)]

    def ahead(self, count: int = 1) -> Token:
        return self.tokens[min(self.at + count, len(self.tokens) - 1)]

    def take(self, *texts: str) -> Token | None:
        token = self.next
        if token.kind == "end" or token.text not in texts:
            return None
        self.at += 1
        return token

    def expect(self, text: str, what: str) -> Token:
        token = self.take(text)
        if token is None:
            raise self.error(f"expected {text} {what}, not {self.found()}")
        return token

    def found(self, token: Token | None = None) -> str:
        token = token or self.next
        return "the end" if token.kind == "end" else f"'{written(token)}'"

    def error(self, message: str, token: Token | None = None, code: str = "SBP101") -> NotationError:
        """An error at a token; without one at the next."""
        token = token or self.next
        return NotationError(message, token.start, code, token.end)

    def span(self, start: int) -> tuple[Position, Position]:
        last = max(self.at - 1, start)
        return self.tokens[start].start, self.tokens[min(last, len(self.tokens) - 1)].end

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.error(
                f"more than {MAX_NESTING} nested brackets, fractions and scripts: write less deeply", code="SBP105"
            )

    def group_end(self) -> int:
        """Where the group that opens here closes."""
        depth = 0
        for place in range(self.at, len(self.tokens)):
            text, kind = self.tokens[place].text, self.tokens[place].kind
            if kind == "mark" and text == "{":
                depth += 1
            elif kind == "mark" and text == "}":
                depth -= 1
                if depth == 0:
                    return place
        raise self.error("this brace is not closed: add a closing brace")

    def sum(self) -> Node:
        raise NotImplementedError

    def product(self) -> Node:
        raise NotImplementedError

    def factor(self) -> Node:
        raise NotImplementedError

    def primary(self) -> Node:
        raise NotImplementedError

    def postfix(self, node: Node, start: int) -> Node:
        raise NotImplementedError

    def starts_factor(self) -> bool:
        raise NotImplementedError

    def group(self) -> Node:
        raise NotImplementedError

    def argument(self) -> Node:
        raise NotImplementedError

    def number(self) -> Node:
        raise NotImplementedError

    def single(self) -> Node:
        raise NotImplementedError

    def differential(self) -> Node:
        raise NotImplementedError

    def total(self) -> Node:
        raise NotImplementedError

    def script_argument(self) -> Node:
        raise NotImplementedError

    def big(self, kind: str) -> Node:
        raise NotImplementedError

    def _differential(self) -> bool:
        raise NotImplementedError

    def index(self) -> sympy.Expr:
        """An affine index: letters and numbers with + and -."""
        total: sympy.Expr = sympy.Integer(0)
        sign = -1 if self.take("-") else 1
        self.take("+")
        while True:
            total = total + sign * self.index_atom()
            if self.take("+"):
                sign = 1
            elif self.take("-"):
                sign = -1
            else:
                return total

    def index_atom(self, bare: bool = False) -> sympy.Expr:
        token = self.next
        if token.kind == "number":
            self.at += 1
            if not token.text.isdigit() or int(token.text[:9]) > MAX_INDEX:
                raise self.error(f"{token.text} is no index: write a whole number up to {MAX_INDEX}", token)
            return sympy.Integer(int(token.text))
        if token.kind in ("letter", "word"):
            self.at += 1
            name = token.text
            name += self.primed()
            if not bare and self.next.text in ("_", "^") and name not in ("i", "j", "k", "l"):
                name += self.size_mark()
            return sympy.Symbol(name)
        if token.text in ("(", "{", "|", "["):
            closer = {"(": ")", "{": "}", "|": "|", "[": "]"}[token.text]
            self.at += 1
            self.deeper()
            inner = self.index()
            self.depth -= 1
            self.expect(closer, "behind the index")
            return inner
        raise self.error(f"expected an index, a letter or a number, not {self.found()}")

    def primed(self) -> str:
        """What a prime behind an index adds to its name: d' is another index than d."""
        return "_p" if self.take("'") else ""

    def index_or_whole(self) -> sympy.Expr:
        return WHOLE if self.take(":", r"\cdot", "*") else self.index()

    def size_mark(self) -> str:
        """The layer of a number of units, n_2, n^{[l-1]}, as it stands in the name of a size."""
        self.at += 1
        braced = self.take("{")
        bracket = self.take("[", "(")
        token = self.next
        if braced or bracket:
            inner = str(self.index()).replace(" ", "")
            if bracket:
                self.expect({"[": "]", "(": ")"}[bracket.text], "behind the layer")
            if braced:
                self.expect("}", "behind the subscript")
        else:
            self.at += 1
            inner = token.text
        return f"_{inner}" if (inner.isalnum() and len(inner) < 3) or inner.isdigit() else f"_{{{inner}}}"

    def subscripts(self, rank: int) -> tuple[sympy.Expr, ...]:
        """The entries behind ``_``: jk, 12, j,k, or one index j+1; an array of one axis takes 12 as twelve."""
        if not self.take("{"):
            token = self.next
            if token.kind == "number" and len(token.text) > 1:
                raise self.error(f"put the subscript in braces: _{{{token.text}}}")
            if token.kind not in ("number", "letter") or (token.kind == "number" and not token.text.isdigit()):
                raise self.error(f"expected a subscript, not {self.found()}")
            self.at += 1
            return (sympy.Integer(int(token.text)) if token.kind == "number" else sympy.Symbol(token.text),)
        self.deeper()
        start = self.at
        end = self._closing(start)
        inside = self.tokens[start:end]
        found: list[sympy.Expr] = []
        if any(t.text == "," for t in inside) or any(t.text in ("+", "-", "(") for t in inside):
            found.append(self.index_or_whole())
            while self.take(","):
                found.append(self.index_or_whole())
        else:
            while self.next.text != "}":
                token = self.next
                if token.kind == "number" and rank != 1 and token.text.isdigit():
                    found += [sympy.Integer(int(digit)) for digit in token.text]
                    self.at += 1
                elif token.text in (":", r"\cdot", "*"):
                    self.at += 1
                    found.append(WHOLE)
                elif token.text == "_":
                    break
                elif token.kind == "letter":
                    self.at += 1
                    found.append(sympy.Symbol(token.text + self.primed()))
                elif token.kind == "number" and token.text.isdigit():
                    self.at += 1
                    found.append(sympy.Integer(int(token.text[:9])))
                else:
                    raise self.error(f"expected subscripts, not {self.found()}")
        self.depth -= 1
        if self.next.text != "_":
            self.expect("}", "behind the subscripts")
        return tuple(found)

    def _closing(self, start: int) -> int:
        depth = 1
        for place in range(start, len(self.tokens)):
            text = self.tokens[place].text
            depth += (text == "{") - (text == "}")
            if depth == 0:
                return place
        raise self.error("this brace is not closed: add a closing brace", self.tokens[start - 1])


def written(token: Token) -> str:
    """A token as it was written, about."""
    if token.kind == "letter" and len(token.text) > 1:
        return "\\" + token.text
    return {"||(": r"\|", "||)": r"\|", "|(": "|", "|)": "|", r"\one": r"\mathbf{1}"}.get(token.text, token.text)


def _sample_letters(tokens: Sequence[Token]) -> frozenset[sympy.Symbol]:
    """i is the number of a sample in (i), unless it is a layer elsewhere: on a weight, or as i - 1."""
    texts = [t.text for t in tokens]
    for k, text in enumerate(texts):
        if text == "i" and texts[k - 1 : k] == ["("]:
            before = [t for t in texts[max(0, k - 5) : k - 1] if t not in ("^", "{", "}")]
            if texts[k + 1 : k + 2] in (["-"], ["+"]) or before[-1:] in (["W"], ["w"], ["b"]):
                return frozenset()
    return frozenset({sympy.Symbol("i")})

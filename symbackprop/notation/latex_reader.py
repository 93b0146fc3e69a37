r"""LaTeX formulas as trees of what was written: our own structural reader, by recursive descent over tokens.

    chain    sum [= or := sum], as often as wanted
    sum      [+ or -] product, then + or - product
    product  factors side by side, or with \cdot, \times (the matrix product), \odot, \circ, * (elementwise), one /
    factor   a name, a number, a bracket, a fraction, a function, a derivative, a sum over an index; and its scripts

It resolves nothing by shape and evaluates nothing. What could be read in two ways is an error that shows both.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from fractions import Fraction

import sympy

from symbackprop.errors import NotationError, Position
from symbackprop.notation import syntax as s
from symbackprop.notation.bracket_reader import BracketReader
from symbackprop.notation.ellipsis import summed
from symbackprop.notation.formula_lines import chains_of
from symbackprop.notation.index_reader import written
from symbackprop.notation.latex_tokens import MATRICES, Token, tokenize
from symbackprop.notation.lexicon import ACCENTS, FUNCTION_WORDS, Lexicon
from symbackprop.notation.notation import GREEK
from symbackprop.notation.script_reader import COMMAND_FUNCTIONS, ELEMENTWISE, OPENERS
from symbackprop.notation.syntax import Chain, Node

MAX_DIGITS = 40
START = Position(1, 1)

RELATIONS = ("=", ":=")
NO_CLAIM = {
    r"\approx": "about equal",
    r"\propto": "proportional",
    r"\sim": "distributed",
    r"\in": "a membership",
    r"\to": "an arrow",
    r"\le": "an inequality",
    r"\ge": "an inequality",
    "<": "an inequality",
    ">": "an inequality",
    r"\neq": "an inequality",
    r"\simeq": "about equal",
    r"\Rightarrow": "an implication",
    r"\implies": "an implication",
    r"\ll": "an inequality",
    r"\gg": "an inequality",
    r"\iff": "an equivalence",
    r"\Leftrightarrow": "an equivalence",
    r"\subset": "a membership",
}
_COMPARED = ("<", ">", r"\le", r"\ge", "=", r"\neq")
_MATRIX = (r"\cdot", r"\times")
_INSTEAD = {
    r"\int": "integrals are not read",
    r"\lim": "limits are not read",
    r"\infty": "infinity is not read",
    r"\otimes": r"\otimes is an outer product for some, elementwise for others: write u v^T, or u \odot v",
    r"\pm": r"\pm is two formulas: write each",
    r"\mathbb": r"only \mathbb{1} is read",
    r"\begin": "only matrices are read among environments",
    r"\arg": r"\arg is not read",
    r"\Pr": "probabilities are not read",
    r"\dots": r"\dots cannot be read: write a sum with its bounds, or all entries",
}


def read_latex(text: str, lexicon: Lexicon, at: Position = START) -> tuple[Chain, ...]:
    r"""The chains of equalities in a displayed formula, one for each line that starts anew.

    >>> (chain,) = read_latex(r"y = \sigma(3)", Lexicon(free=True))
    >>> chain.sides[1]
    Call(function=Func(letter='sigma', order=0, layer=None), args=(Num(value=Fraction(3, 1)),))

    Raises NotationError with a position for what is not read, is ambiguous, or is larger than the limits.
    """
    tokens = tokenize(text, at)
    try:
        return tuple(_chain(pieces, lexicon) for pieces in chains_of(tokens))
    except RecursionError:
        raise NotationError("the formula is nested too deeply: write less deeply", at, "SBP105") from None


def _chain(tokens: Sequence[Token], lexicon: Lexicon) -> Chain:
    reader = Reader(tokens, lexicon)
    return reader.chain()


class Reader(BracketReader):
    """One method a rule; every way down passes through ``deeper``, which counts the nesting."""

    def __init__(self, tokens: Sequence[Token], lexicon: Lexicon) -> None:
        super().__init__(tokens, lexicon)
        self.bars: list[str] = []
        self.special: dict[str, Callable[[], Node]] = {
            r"\frac": self.fraction,
            r"\sqrt": self.root,
            r"\partial": self.inline_partial,
            r"\nabla": self.nabla,
            r"\sum": lambda: self.big("sum"),
            r"\prod": lambda: self.big("prod"),
            r"\one": self.ones,
            r"\underbrace": self.brace_below,
            r"\overbrace": self.brace_below,
            r"\operatorname": self.word_group,
        }

    def chain(self) -> Chain:
        self.of_totals = self.totals or self.starts_total()
        sides, relations = [self.head() or self.side()], []
        while (relation := self.take(*RELATIONS)) is not None:
            relations.append(relation.text)
            sides.append(self.side())
        if self.next.kind != "end":
            if self.next.text in NO_CLAIM:
                raise self.error(f"{NO_CLAIM[self.next.text]} is no equality: nothing to verify", code="SBP104")
            raise self.error(f"{self.found()} is out of place after a complete expression")
        return Chain(tuple(sides), tuple(relations))

    def head(self) -> Node | None:
        """RSS(b) = ..., at the beginning of a line: a name that nothing declares, with what it depends on."""
        start, token = self.at, self.next
        if token.kind not in ("letter", "word") and token.text[1:] not in ACCENTS:
            return None
        texts = [t.text for t in self.tokens[start:]]
        if ")" not in texts or texts[texts.index(")") + 1] not in RELATIONS or {token.text.lower()} & FUNCTION_WORDS:
            return None
        letter = self.letter()
        word = self.lexicon.find(letter)
        open_name = word is None or (word.kind == "scalar" and self.lexicon.free)
        if not open_name or self.next.text != "(" or letter in FUNCTION_WORDS:
            self.at = start
            return None
        args = self.arguments()
        if self.next.text in RELATIONS and all(isinstance(u, s.Name) for u in args):
            return s.Call(s.Func(letter, span=self.span(start)), args, span=self.span(start))
        self.at = start
        return None

    def side(self) -> Node:
        return self.sum()

    # Sums and products

    def sum(self) -> Node:
        start = self.at
        terms: list[Node] = []
        here, sign = self.at, self.take("+", "-")
        while True:
            if terms and self.take(r"\dots"):
                terms = self._with_dots(terms, start)
            else:
                term = self.product()
                terms.append(s.Minus(term, span=self.span(here)) if sign and sign.text == "-" else term)
            here, sign = self.at, self.take("+", "-")
            if sign is None:
                return terms[0] if len(terms) == 1 else s.Plus(tuple(terms), span=self.span(start))

    def _with_dots(self, before: list[Node], start: int) -> list[Node]:
        dots = self.at - 1
        self.take("+")
        index = next(c for c in ("q", "r", "u", "v", "q_0") if all(t.text != c for t in self.tokens))
        last = self.product()
        for k in range(len(before)):  # w_0 + w_1 x_1 + ...: what stands first may be no part of it
            found = summed(before[k:], last, index, self.span(start))
            if found is not None:
                return [*before[:k], found]
        message = r"the terms around \dots do not tell the sum: write it with its bounds"
        raise self.error(message, self.tokens[dots], "SBP104")

    def product(self) -> Node:
        start = self.at
        factors, joints = [self.factor()], []
        while True:
            if self.take(*_MATRIX):
                joints.append("")
            elif self.take(*ELEMENTWISE):
                joints.append("o")
            elif self.next.text == "/" and self.next.kind == "mark":
                over = self._divided(factors, joints, start)
                factors, joints = [over], []
                continue
            elif self.starts_factor():
                if self.next.kind == "number" and self.ahead().text not in OPENERS:
                    raise self.error(f"a number directly after a factor: write \\cdot {self.next.text}, or a bracket")
                joints.append("")
            else:
                break
            factors.append(self.factor())
        made = factors[0] if len(factors) == 1 else s.Times(tuple(factors), tuple(joints), span=self.span(start))
        return self._at(made, start) if self._ends_at_a_point() else made

    def _ends_at_a_point(self) -> bool:
        return self.next.text == r"\at" and not self.derived and self.at_a_point()

    def _at(self, node: Node, start: int) -> Node:
        """What stands before a bar, at the values below it."""
        self.at += 3
        values: list[tuple[Node, Node]] = []
        while True:
            name = self.factor()
            self.expect("=", "behind a letter below the bar")
            values.append((name, self.sum()))
            if not self.take(","):
                break
        self.expect("}", "behind the values")
        return s.At(node, tuple(values), span=self.span(start))

    def _divided(self, factors: list[Node], joints: list[str], start: int) -> Node:
        slash = self.next
        self.at += 1
        if "o" in joints:
            raise self.error(r"what does this / divide? write \frac or brackets", slash, "SBP103")
        top = factors[0] if len(factors) == 1 else s.Times(tuple(factors), tuple(joints), span=self.span(start))
        bottom = self.factor()
        result = s.Over(top, bottom, span=self.span(start))
        if self.starts_factor() or self.next.text == "/":
            plain = all(isinstance(u, s.Num) or (isinstance(u, s.Name) and self._is_number(u)) for u in (top, bottom))
            if not plain or self.next.text == "/":
                here = written(self.next)
                raise self.error(
                    f"what does this / divide by? (u/v) {here}... or u/(v {here}...): write \\frac or brackets",
                    slash,
                    "SBP103",
                )
        return result

    def _is_number(self, node: s.Name) -> bool:
        word = self.lexicon.find(node.letter)
        return word is not None and word.kind == "scalar"

    def starts_factor(self) -> bool:
        token = self.next
        if token.kind in ("number", "letter", "word", "begin"):
            return True
        if token.kind == "command":
            name = token.text[1:]
            return token.text in self.special or name in ACCENTS or name in COMMAND_FUNCTIONS or token.text in _INSTEAD
        if token.text in ("|", "||"):
            return self.bars[-1:] != [token.text]
        return token.text in ("(", "[", r"\{", "{", "|(", "||(", r"\one")

    def factor(self) -> Node:
        self.deeper()
        start = self.at
        node = self.postfix(self.primary(), start)
        self.depth -= 1
        return node

    def primary(self) -> Node:
        token = self.next
        start = self.at
        if token.kind == "number":
            return self.number()
        if token.kind == "begin":
            return self.grid()
        if token.text in self.special and token.kind in ("command", "mark"):
            self.at += 1
            return s.placed(self.special[token.text](), self.span(start))
        if token.kind in ("letter", "word"):
            return self.named()
        if token.kind == "command":
            name = token.text[1:]
            if name in ACCENTS:
                return self.named()
            if name in COMMAND_FUNCTIONS:
                self.at += 1
                return self.call(name, start)
            raise self.unknown_command(token)
        if token.text == "{" and token.kind == "mark":
            return self.group()
        if token.text in OPENERS:
            return self.bracket()
        if token.text in ("|(", "|"):
            return self.between_bars("|", "|)")
        if token.text in ("||(", "||"):
            return self.between_bars("||", "||)")
        if token.text in NO_CLAIM and token.text not in ("<", ">"):
            raise self.error(f"{NO_CLAIM[token.text]} is no equality: nothing to verify", code="SBP104")
        hint = "; a sign after another sign needs brackets, (-a)" if token.text in ("+", "-") else ""
        raise self.error(f"expected a number, a name or a bracket, not {self.found()}{hint}")

    def unknown_command(self, token: Token) -> NotationError:
        """The error for a command that is not read, with the nearest that is."""
        if token.text in _INSTEAD:
            return self.error(_INSTEAD[token.text], code="SBP104")
        known = [*self.special, *(f"\\{name}" for name in (*GREEK, *ACCENTS, *COMMAND_FUNCTIONS)), r"\odot", r"\cdot"]
        near = difflib.get_close_matches(token.text, known, 1, 0.7)
        hint = f": did you mean {near[0]}?" if near else ""
        return self.error(f"{token.text} is not read here{hint}", code="SBP104")

    def number(self) -> Node:
        token = self.next
        if len(token.text) > MAX_DIGITS:
            raise self.error(f"a number of more than {MAX_DIGITS} digits: write a shorter one", code="SBP105")
        self.at += 1
        if token.text == "1" and self.next.text in OPENERS and self._compares():
            return self.ones()
        return s.Num(Fraction(token.text), span=(token.start, token.end))

    def big(self, kind: str) -> Node:
        start = self.at - 1
        indices: list[str] = []
        lower = upper = but = None
        while self.next.text in ("_", "^") and self.next.kind == "mark":
            if self.take("_"):
                indices, lower, but = self._below_big()
            else:
                self.at += 1
                upper = self._one_index()
        if not indices:
            what = {"sum": "sum", "prod": "product", "max": "maximum"}[kind]
            raise self.error(f"a {what} over what? write its index below")
        body = self.product()
        for index in reversed(indices):
            body = s.Big(kind, body, index, lower, upper, but, span=self.span(start))
        return body

    def _below_big(self) -> tuple[list[str], sympy.Expr | None, sympy.Expr | None]:
        braced = self.take("{")
        self.take("(")
        indices = [self._index_letter()]
        while braced and self.take(","):
            indices.append(self._index_letter())
        self.take(")")
        lower = but = None
        if braced and self.take("="):
            lower = self.index()
        elif braced and self.take(r"\neq"):
            but = self.index()
        if braced and not self.take("}"):
            raise self.error(
                f"expected = and the first index, or the end of what is below, not {self.found()}", code="SBP104"
            )
        return indices, lower, but

    def _index_letter(self) -> str:
        token = self.next
        if token.kind != "letter":
            raise self.error(f"expected the letter of an index, not {self.found()}", code="SBP104")
        self.at += 1
        return token.text + self.primed()

    def ones(self) -> Node:
        start = self.at - 1
        token = self.next
        if token.text in (*OPENERS, "_") and self._compares():
            self.at += 1
            opener = token.text
            if opener == "_":
                self.expect("{", "around the condition")
            left = self.sum()
            relation = self.take(*_COMPARED)
            if relation is None or relation.text in ("=", r"\neq"):
                raise self.error("an indicator needs a comparison with < or >", code="SBP104")
            right = self.sum()
            beyond, second = self.beyond(relation)
            self.expect("}" if opener == "_" else OPENERS[opener], "behind the condition")
            return s.Choice(left, relation.text, right, beyond, second, span=self.span(start))
        if self.take("_"):
            self._taken_group()
        return s.OnesOf(span=self.span(start))

    def _compares(self) -> bool:
        """Whether a comparison stands in the bracket that opens here."""
        depth = 0
        for token in self.tokens[self.at :]:
            depth += (token.text in ("(", "[", r"\{", "{")) - (token.text in (")", "]", r"\}", "}"))
            if depth == 0 and token.text != "_":
                return False
            if depth == 1 and token.text in _COMPARED:
                return True
        return False

    def brace_below(self) -> Node:
        start = self.at - 1
        node = self.argument()
        if not self.take("_", "^"):
            return node
        if self.next.text != "{":
            self.at += 1
            return node
        end = self.group_end()
        here, kept = self.at, (self.depth, list(self.bars), self.derived)
        try:
            self.at += 1
            rows = self.index()
            if self.take(r"\times"):
                columns = self.index()
                if self.at == end:
                    self.at += 1
                    return s.Asserted(node, (rows, columns), span=self.span(start))
        except NotationError:
            pass
        self.at = here + 1
        self.depth, self.bars, self.derived = kept[0], list(kept[1]), kept[2]
        try:
            self.take("=")
            equals = self.sum()
            if self.at == end:
                self.at += 1
                return s.Asserted(node, None, equals, span=self.span(start))
        except NotationError:
            pass
        self.at = end + 1
        self.depth, self.bars, self.derived = kept
        return node

    def grid(self) -> Node:
        start = self.at
        name = self.next.text
        if name in ("cases", "dcases", "cases*"):
            return self.cases()
        if name not in MATRICES:
            raise self.error(rf"\begin{{{name}}} is not read here", code="SBP104")
        self.deeper()
        self.at += 1
        if name == "array" and self.next.text == "{":
            self.at = self.group_end() + 1
        rows: list[tuple[Node, ...]] = []
        row: list[Node] = []
        while True:
            row.append(self.sum())
            if self.take("&"):
                continue
            rows.append(tuple(row))
            row = []
            if self.take("\\\\") and self.next.kind != "close":
                continue
            if self.next.kind != "close":
                raise self.error(rf"expected & , \\ or \end{{{name}}}, not {self.found()}")
            self.at += 1
            break
        if len({len(r) for r in rows}) > 1:
            raise self.error("the rows of this matrix differ in length", self.tokens[start])
        self.depth -= 1
        return s.Grid(tuple(rows), span=self.span(start))

    def cases(self) -> Node:
        """Values by cases: a value, then &, then a comparison or nothing."""
        start = self.at
        self.deeper()
        self.at += 1
        values: list[Node] = []
        conditions: list[s.Choice | None] = []
        while self.next.kind != "close":
            values.append(self.sum())
            self.take(",", ";")
            condition = None
            if self.take("&") and self.next.kind != "close" and self.next.text != "\\\\":
                condition = self.condition()
            conditions.append(condition)
            self.take(",", ";", ".")
            if not self.take("\\\\") and self.next.kind != "close":
                raise self.error(rf"expected \\ or the end of the cases, not {self.found()}")
        self.at += 1
        self.depth -= 1
        if len(values) < 2:
            raise self.error("cases are at least two", self.tokens[start])
        return s.Cases(tuple(values), tuple(conditions), span=self.span(start))

    def condition(self) -> s.Choice:
        start = self.at
        left = self.sum()
        relation = self.take(*_COMPARED)
        if relation is None:
            raise self.error(f"expected a comparison here, not {self.found()}", code="SBP104")
        right = self.sum()
        beyond, second = self.beyond(relation)
        return s.Choice(left, relation.text, right, beyond, second, span=self.span(start))

    def beyond(self, relation: Token) -> tuple[Node | None, str]:
        """The second end of an interval, low < u <= high, with its comparison."""
        same = (
            ("<", r"\le") if relation.text in ("<", r"\le") else (">", r"\ge") if relation.text in (">", r"\ge") else ()
        )
        again = self.take(*same) if same else None
        return (None, "<") if again is None else (self.sum(), again.text)

r"""LaTeX formulas as trees of what was written: our own structural reader, by recursive descent over tokens.

    chain    sum [= or := sum], as often as wanted
    sum      [+ or -] product, then + or - product
    product  factors side by side, or with \cdot, \times (the matrix product), \odot, \circ, * (elementwise), one /
    factor   a name, a number, a bracket, a fraction, a function, a derivative, a sum over an index; and its scripts

It resolves nothing by shape and evaluates nothing. What could be read in two ways is an error that shows both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import sympy

from symbackprop.errors import NotationError, Position
from symbackprop.notation import syntax as s
from symbackprop.notation.formula_lines import chains_of
from symbackprop.notation.latex_tokens import MATRICES, Token, tokenize
from symbackprop.notation.lexicon import ACCENTS, FUNCTION_WORDS, Lexicon, Word
from symbackprop.notation.script_reader import Marks, Scripts, function_of, written
from symbackprop.notation.syntax import Chain, Node

MAX_DIGITS, MAX_EXPONENT = 40, 1000

RELATIONS = ("=", ":=")
NO_CLAIM = {
    r"\approx": "about equal", r"\propto": "proportional", r"\sim": "distributed", r"\in": "a membership", r"\to": "an arrow",
    r"\le": "an inequality", r"\ge": "an inequality", "<": "an inequality", ">": "an inequality", r"\neq": "an inequality",
    r"\simeq": "about equal", r"\Rightarrow": "an implication", r"\implies": "an implication", r"\ll": "an inequality",
    r"\gg": "an inequality", r"\iff": "an equivalence", r"\Leftrightarrow": "an equivalence", r"\subset": "a membership",
}  # fmt: skip
_COMPARED = ("<", ">", r"\le", r"\ge", "=", r"\neq")
_COMMAND_FUNCTIONS = frozenset(("exp", "log", "ln", "tanh", "sinh", "cosh", "sin", "cos", "max", "min"))
_SAME_FUNCTION = {"ln": "log", "sgn": "sign", "logistic": "sigmoid", "swish": "silu", "lse": "logsumexp", "LSE": "logsumexp"}
_OPENERS = {"(": ")", "[": "]", r"\{": r"\}"}
_MATRIX, _ELEMENTWISE = (r"\cdot", r"\times"), (r"\odot", "*")
_INSTEAD = {
    r"\int": "integrals are not read", r"\lim": "limits are not read", r"\infty": "infinity is not read",
    r"\otimes": r"\otimes is an outer product for some, elementwise for others: write u v^T, or u \odot v",
    r"\pm": r"\pm is two formulas: write each", r"\mathbb": r"only \mathbb{1} is read",
    r"\begin": "only matrices are read among environments", r"\arg": r"\arg is not read", r"\Pr": "probabilities are not read",
    r"\dots": r"\dots cannot be read: write a sum with its bounds, or all entries",
}  # fmt: skip


def read_latex(text: str, lexicon: Lexicon, at: Position = Position(1, 1)) -> tuple[Chain, ...]:
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


class Reader(Scripts):
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
        sides, relations = [self.side()], []
        while (relation := self.take(*RELATIONS)) is not None:
            relations.append(relation.text)
            sides.append(self.side())
        if self.next.kind != "end":
            if self.next.text in NO_CLAIM:
                self.fail(f"{NO_CLAIM[self.next.text]} is no equality: nothing to verify", code="SBP104")
            self.fail(f"{self.found()} is out of place after a complete expression")
        return Chain(tuple(sides), tuple(relations))

    def side(self) -> Node:
        return self.sum()

    # Sums and products

    def sum(self) -> Node:
        start = self.at
        terms: list[Node] = []
        sign = self.take("+", "-")
        while True:
            here = self.at
            term = self.product()
            terms.append(s.Minus(term, span=self.span(here)) if sign and sign.text == "-" else term)
            sign = self.take("+", "-")
            if sign is None:
                return terms[0] if len(terms) == 1 else s.Plus(tuple(terms), span=self.span(start))

    def product(self) -> Node:
        start = self.at
        factors, joints = [self.factor()], []
        while True:
            if self.take(*_MATRIX):
                joints.append("")
            elif self.take(*_ELEMENTWISE):
                joints.append("o")
            elif self.next.text == "/" and self.next.kind == "mark":
                over = self._divided(factors, joints, start)
                factors, joints = [over], []
                continue
            elif self.starts_factor():
                if self.next.kind == "number":
                    self.fail(f"a number directly after a factor: write \\cdot {self.next.text}, or a bracket")
                joints.append("")
            else:
                break
            factors.append(self.factor())
        if len(factors) == 1:
            return factors[0]
        return s.Times(tuple(factors), tuple(joints), span=self.span(start))

    def _divided(self, factors: list[Node], joints: list[str], start: int) -> Node:
        slash = self.next
        self.at += 1
        if "o" in joints:
            self.fail(r"what does this / divide? write \frac or brackets", slash, "SBP103")
        top = factors[0] if len(factors) == 1 else s.Times(tuple(factors), tuple(joints), span=self.span(start))
        bottom = self.factor()
        result = s.Over(top, bottom, span=self.span(start))
        if self.starts_factor() or self.next.text == "/":
            plain = all(isinstance(u, s.Num) or (isinstance(u, s.Name) and self._is_number(u)) for u in (top, bottom))
            if not plain or self.next.text == "/":
                here = written(self.next)
                self.fail(
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
            return token.text in self.special or name in ACCENTS or name in _COMMAND_FUNCTIONS or token.text in _INSTEAD
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
            if name in _COMMAND_FUNCTIONS:
                self.at += 1
                return self.call(name, start)
            self.fail(_INSTEAD.get(token.text, f"{token.text} is not read here"), code="SBP104")
        if token.text == "{" and token.kind == "mark":
            return self.group()
        if token.text in _OPENERS:
            return self.bracket()
        if token.text in ("|(", "|"):
            return self.between_bars("|", "|)")
        if token.text in ("||(", "||"):
            return self.between_bars("||", "||)")
        if token.text in NO_CLAIM and token.text not in ("<", ">"):
            self.fail(f"{NO_CLAIM[token.text]} is no equality: nothing to verify", code="SBP104")
        hint = "; a sign after another sign needs brackets, (-a)" if token.text in ("+", "-") else ""
        self.fail(f"expected a number, a name or a bracket, not {self.found()}{hint}")

    def number(self) -> Node:
        token = self.next
        if len(token.text) > MAX_DIGITS:
            self.fail(f"a number of more than {MAX_DIGITS} digits: write a shorter one", code="SBP105")
        self.at += 1
        return s.Num(Fraction(token.text), span=(token.start, token.end))

    # Names and functions

    def named(self) -> Node:
        start = self.at
        if self._differential():
            return self.differential()
        letter = self.letter()
        word = self.lexicon.find(letter)
        if word is None and letter not in FUNCTION_WORDS and len(letter) > 2 and letter.lower() in FUNCTION_WORDS:
            letter = letter.lower()
        if word is None and letter in FUNCTION_WORDS:
            return self.call(letter, start)
        if letter == "e" and self.next.text == "^" and (word is None or word.kind != "array"):
            self.at += 1
            exponent = self.argument()
            return s.Call(s.Func("exp"), (exponent,), span=self.span(start))
        if letter == "I" and word is None:
            return s.Identity(span=self.span(start))
        if word is not None and word.kind == "function":
            return self.call(letter, start)
        if word is not None and word.kind == "loss" and self.next.text == "(":
            return self.loss_call(letter, start)
        marks = self.scripts(Marks(letter), word)
        word = self.lexicon.find(marks.letter)
        if word is not None and word.called and self.next.text == "(" and marks.power is None:
            here = self.at
            args = self.arguments()
            if len(args) == 1 and isinstance(args[0], s.Name) and not args[0].entries:  # y(x): the output at x
                marks.sample = args[0].sample if marks.sample is None else marks.sample
                return self.finished(marks, start)
            self.at = here
        if word is not None and word.kind == "function":
            return self.applied(marks, start, True)
        if word is not None and word.kind == "loss" and self.next.text == "(" and marks.power is None:
            node = self.loss_call(marks.letter, start)
            return s.OfSample(node, marks.sample, span=self.span(start)) if marks.sample is not None else node
        return self.finished(marks, start)

    def letter(self) -> str:
        """A letter, with an accent where it has one, by its plain name."""
        token = self.next
        if token.kind in ("letter", "word"):
            self.at += 1
            return token.text
        accent = token.text[1:]
        self.at += 1
        braces = 0
        while self.take("{"):
            braces += 1
        inner = self.next
        if inner.kind not in ("letter", "word"):
            self.fail(f"expected a letter under \\{accent}, not {self.found()}")
        self.at += 1
        extra = ""
        if braces and self.next.text == "_":
            self.at += 1
            extra = "_" + "".join(t.text for t in self._taken_group())
        for _ in range(braces):
            self.expect("}", f"behind \\{accent}")
        return f"{inner.text}_{accent}{extra}"

    def _taken_group(self) -> Sequence[Token]:
        if self.next.text == "{":
            end = self.group_end()
            inside = self.tokens[self.at + 1 : end]
            self.at = end + 1
            return inside
        self.at += 1
        return self.tokens[self.at - 1 : self.at]

    def call(self, letter: str, start: int) -> Node:
        """A function behind its name: scripts, then an argument, where one follows."""
        word = self.lexicon.find(letter)
        marks = Marks(_SAME_FUNCTION.get(letter, letter) if word is None or word.kind != "function" else letter)
        built_in = letter in FUNCTION_WORDS and (word is None or word.kind != "function")
        if letter in ("max", "min") and self.next.text == "_":
            self.fail(rf"\{letter} over an index is not read", code="SBP104")
        marks = self.scripts(marks, word if word is not None and not built_in else Word("function", layered=False))
        if marks.letter != letter and (longer := self.lexicon.words.get(marks.letter)) and longer.kind != "function":
            return self.finished(marks, start)
        return self.applied(marks, start, not built_in)

    def applied(self, marks: Marks, start: int, declared: bool) -> Node:
        function = function_of(marks, self.span(start))
        if marks.entries and not declared:
            self.fail(f"{marks.letter} with a subscript is not read", self.tokens[start], "SBP104")
        node: Node = function
        if self.next.text in _OPENERS and self.next.kind == "mark":
            here = self.at
            args = self.arguments()
            if declared and any(_bare(arg) for arg in args):  # sigma (1 - sigma): a product of functions
                self.at = here
            else:
                node = s.Call(function, args, span=self.span(start))
        elif self.next.text == "{" and not declared:
            node = s.Call(function, (self.group(),), span=self.span(start))
        elif not declared:
            node = s.Call(function, (self.run(marks.letter),), span=self.span(start))
        if isinstance(node, s.Call) and marks.entries:
            node = s.Picked(node, marks.entries, span=self.span(start))
        elif marks.entries:
            self.fail(f"entries of {marks.letter} without an argument", self.tokens[start])
        return node if marks.power is None else s.Raised(node, marks.power, span=self.span(start))

    def arguments(self) -> tuple[Node, ...]:
        opening = self.next
        self.at += 1
        args = [self.sum()]
        while self.take(",", ";"):
            args.append(self.sum())
        self.expect(_OPENERS[opening.text], f"for the {written(opening)} in column {opening.start.column}")
        return tuple(args)

    def loss_call(self, letter: str, start: int) -> Node:
        """J(w, b), L(a, y): a loss with what it depends on; J (a - y) is a product."""
        here = self.at
        args = self.arguments()
        if len(args) == 1 and not isinstance(args[0], s.Name | s.Tuple | s.Raised | s.Turned):
            self.at = here
            return s.Name(letter, span=self.span(start))
        return s.Call(s.Func(letter), args, span=self.span(start))

    def run(self, name: str) -> Node:
        """An argument without brackets: what follows up to a sign, a dot, a bracket or another function."""
        start = self.at
        if self.next.text in (r"\sum", r"\prod", "|(", "|", "||(", "||") or self._starts_function():
            return self.factor()
        factors: list[Node] = []
        while self.starts_factor() and self._simple() and not (factors and self.next.kind == "number"):
            factors.append(self.factor())
        if not factors:
            self.fail(f"{name} needs an argument, not {self.found()}")
        if len(factors) == 1:
            return factors[0]
        return s.Times(tuple(factors), ("",) * (len(factors) - 1), span=self.span(start))

    def _simple(self) -> bool:
        return self.next.text not in (*_OPENERS, "|(", "|", "||(", "||", r"\sum", r"\prod") and not self._starts_function()

    def _starts_function(self) -> bool:
        token = self.next
        if token.kind == "command":
            return token.text[1:] in _COMMAND_FUNCTIONS
        if token.kind in ("letter", "word"):
            word = self.lexicon.find(token.text)
            return (word is None and {token.text, token.text.lower()} & FUNCTION_WORDS != set()) or (word is not None and word.kind == "function")
        return False

    # Derivatives

    def _differential(self) -> bool:
        """Whether a d stands here that belongs to what follows: dW, dz, dJ/dW."""
        token, after = self.next, self.ahead()
        if token.text != "d" or token.kind != "letter" or "d" in self.lexicon.words:
            return False
        if after.kind not in ("letter", "word") and after.text[1:] not in ACCENTS and after.text != "{":
            return False
        if not self.lexicon.free:
            return True
        return self.ahead(2).text == "/" and self.ahead(3).text == "d"

    def differential(self) -> Node:
        start = self.at
        self.at += 1
        of = self.postfix(self.primary(), start) if self.next.text == "{" else self.primary()
        if self.next.text == "/" and self.ahead().text == "d" and self.ahead(2).kind in ("letter", "command", "mark"):
            self.at += 2
            return s.Partial(of, self.factor(), span=self.span(start))
        return _of_cost(of, self.span(start))

    def inline_partial(self) -> Node:
        start = self.at - 1
        if self.next.text == "_":
            self.at += 1
            wrt = self.script_argument()
            return s.Partial(self.operand(), wrt, span=self.span(start))
        of = self.factor()
        if not (self.next.text == "/" and self.ahead().text == r"\partial"):
            self.fail(r"expected / \partial behind the first half of a derivative")
        self.at += 2
        return s.Partial(of, self.factor(), span=self.span(start))

    def fraction(self) -> Node:
        start = self.at - 1
        top = self.ahead() if self.next.text == "{" else self.next
        if top.text in (r"\partial", "d") and self.next.text == "{":
            close = self.group_end()
            below = self.tokens[close + 1 : close + 3]
            if [t.text for t in below] == ["{", top.text] and (top.text == r"\partial" or top.kind == "letter"):
                return self.derivative(start, top.text)
        return s.Over(self.argument(), self.argument(), span=self.span(start))

    def derivative(self, start: int, sign: str) -> Node:
        self.at += 2
        if self.next.text == "^":
            self.fail("second derivatives are not read", code="SBP104")
        of = None if self.next.text == "}" else self.sum()
        self.expect("}", "behind the first half of a derivative")
        self.at += 2
        wrt = self.product()
        if self.next.text == sign or (sign == r"\partial" and self.next.text == r"\partial"):
            self.fail("second derivatives are not read", code="SBP104")
        self.expect("}", "behind the second half of a derivative")
        if of is None:
            return s.Partial(self.operand(), wrt, span=self.span(start))
        if self.take(r"\at"):
            self.expect("_", "behind the bar")
            return s.Partial(of, wrt, self.script_argument(), span=self.span(start))
        return s.Partial(of, wrt, span=self.span(start))

    def nabla(self) -> Node:
        start = self.at - 1
        if not self.take("_"):
            return self._gradient_by_arguments(start)
        wrt = self.script_argument()
        return s.Partial(self.operand(), wrt, span=self.span(start))

    def _gradient_by_arguments(self, start: int) -> Node:
        r"""\nabla J(w, b): by what stands in the brackets."""
        of = self.factor()
        if not isinstance(of, s.Call) or not all(isinstance(a, s.Name) for a in of.args):
            self.fail(r"by what? write \nabla_W", self.tokens[start], "SBP104")
        wrt = of.args[0] if len(of.args) == 1 else s.Tuple(of.args, span=of.span)
        return s.Partial(s.Name(of.function.letter, span=of.span), wrt, span=self.span(start))

    def script_argument(self) -> Node:
        """What stands below a nabla or a bar."""
        if self.next.text == "{" and self.next.kind == "mark":
            self.at += 1
            start = self.at
            items = [self.sum()]
            while self.take(","):
                items.append(self.sum())
            self.expect("}", "behind the subscript")
            return items[0] if len(items) == 1 else s.Tuple(tuple(items), span=self.span(start))
        return self.single()

    def operand(self) -> Node:
        """What an operator in front derives: a loss alone, a bracket, or all that follows up to a sign."""
        token = self.next
        word = self.lexicon.find(token.text) if token.kind == "letter" else None
        if word is not None and word.kind == "loss":
            return self.factor()
        if token.text in _OPENERS:
            bracket = self.factor()
            if self.starts_factor():
                self.fail(
                    "does the derivative reach behind this bracket? write brackets around all that is derived",
                    token,
                    "SBP103",
                )
            return bracket
        return self.product()

    # Brackets, scripts, sums

    def group(self) -> Node:
        """Braces: they group without showing; around one name, what follows are its scripts."""
        self.deeper()
        start = self.at
        self.at += 1
        if self.next.text == "}":
            self.fail("empty braces: remove them")
        inside, after = self.next, self.ahead()
        if inside.kind in ("letter", "word") and after.text == "}" and self.ahead(2).text in ("^", "_", "'", "(", "["):
            self.tokens = [*self.tokens[: self.at - 1], inside, *self.tokens[self.at + 2 :]]
            self.at -= 1
            self.depth -= 1
            return self.named()
        node = self.sum()
        self.expect("}", f"for the brace in column {self.tokens[start].start.column}")
        self.depth -= 1
        if isinstance(node, s.Func) and self.next.text in ("^", "_", "'") and self.next.kind == "mark":
            marks = Marks(node.letter, node.layer, primes=node.order)
            return self.applied(self.scripts(marks, Word("function", layered=True)), start, True)
        if isinstance(node, s.Func) and self.next.text in _OPENERS:
            return self.applied(Marks(node.letter, node.layer, primes=node.order), start, True)
        while isinstance(node, s.Name) and self.next.text in ("^", "_") and self.next.kind == "mark":
            word = self.lexicon.find(node.letter)
            marks = Marks(node.letter, node.layer, node.sample, node.entries, node.mark)
            return self.finished(self.scripts(marks, word), start)
        return node

    def argument(self) -> Node:
        r"""What a command takes: a group, or one token; \frac12 takes one digit each."""
        token = self.next
        if token.text == "{" and token.kind == "mark":
            self.deeper()
            self.at += 1
            node = self.sum()
            self.expect("}", f"for the brace in column {token.start.column}")
            self.depth -= 1
            return node
        return self.single()

    def single(self) -> Node:
        token = self.next
        if token.kind == "number" and len(token.text) > 1:
            line, column = token.start
            first = Token("number", token.text[0], token.start, Position(line, column + 1))
            rest = Token("number", token.text[1:], Position(line, column + 1), token.end)
            self.tokens = [*self.tokens[: self.at], first, rest, *self.tokens[self.at + 1 :]]
            token = first
        if token.kind == "number":
            return self.number()
        start = self.at
        if token.kind == "letter":
            self.at += 1
            word = self.lexicon.find(token.text)
            if word is not None and word.kind == "function":
                return s.Func(token.text, span=(token.start, token.end))
            return s.Name(token.text, span=(token.start, token.end))
        if token.kind == "command" and token.text[1:] in ACCENTS:
            return s.Name(self.letter(), span=self.span(start))
        if token.text == "-" and self.ahead().kind == "number":
            self.fail("put the exponent in braces")
        self.fail(f"expected an argument in braces, not {self.found()}")

    def bracket(self) -> Node:
        opening = self.next
        start = self.at
        self.at += 1
        self.bars.append("")
        items = [self.sum()]
        while self.take(","):
            items.append(self.sum())
        self.bars.pop()
        closer = _OPENERS[opening.text]
        if not self.take(closer):
            where = f"in line {opening.start.line}, column {opening.start.column}"
            self.fail(f"expected {closer} for the {written(opening)} {where}, not {self.found()}")
        if len(items) > 1 and opening.text == "[":  # a row written out
            return s.Grid((tuple(items),), span=self.span(start))
        return items[0] if len(items) == 1 else s.Tuple(tuple(items), span=self.span(start))

    def between_bars(self, bar: str, closer: str) -> Node:
        start = self.at
        opening = self.next
        self.at += 1
        self.bars.append(bar if opening.text == bar else "")
        node = self.sum()
        self.bars.pop()
        if not self.take(bar if opening.text == bar else closer) and not (bar == "|" and self.take(r"\at")):
            self.fail(f"expected {bar.replace('||', chr(92) + '|')} to close the one in column {opening.start.column}")
        if bar == "|":
            return s.Call(s.Func("abs"), (node,), span=self.span(start))
        order = "2"
        if self.take("_"):
            token = self._taken_group()
            order = "".join(t.text for t in token)
            if order not in ("1", "2", "F"):
                self.fail(f"the norm of order {order}: 1, 2 and F are read", self.tokens[start], "SBP104")
        return s.NormOf(node, order, span=self.span(start))

    def postfix(self, node: Node, start: int) -> Node:
        """Scripts behind a bracket, a call or a fraction."""
        named = isinstance(node, s.Name | s.Func) and self.tokens[start].text not in ("(", "[", r"\{", "{")
        while self.next.kind == "mark" and self.next.text in ("^", "_", "'"):
            mark = self.next
            if mark.text == "'":
                self.fail("a prime belongs to a function, as in \\sigma'(z): for a transpose write ^T")
            if mark.text == "_":
                if isinstance(node, s.NormOf):
                    self.at += 1
                    order = "".join(t.text for t in self._taken_group())
                    node = s.NormOf(node.arg, order, span=self.span(start))
                    continue
                self.at += 1
                node = s.Picked(node, self.subscripts(0), span=self.span(start))
                continue
            if named:
                self.fail("a second superscript: write brackets")
            self.at += 1
            node = self._lifted(node, start)
            if isinstance(node, s.Raised) and self.next.text == "_" and isinstance(node.base, s.NormOf):
                self.at += 1
                order = "".join(t.text for t in self._taken_group())
                node = s.Raised(s.NormOf(node.base.arg, order, span=node.base.span), node.exponent, span=self.span(start))
        return node

    def _lifted(self, node: Node, start: int) -> Node:
        """A superscript on a bracket: T, a sample, or a power."""
        if self.next.text != "{":
            if self.take("T", r"\top"):
                return s.Turned(node, span=self.span(start))
            if self.next.text == "*":
                self.fail("* in a superscript is not read: for a transpose write ^T", code="SBP104")
            return s.Raised(node, self.single(), span=self.span(start))
        inside = self.ahead()
        if self.ahead(2).text == "}" and inside.text in ("T", r"\top"):
            self.at += 3
            return s.Turned(node, span=self.span(start))
        self.at += 1
        if inside.text == "(":
            here = self.at
            try:
                self.at += 1
                sample = self.index()
                if self.take(")") and self.take("}"):
                    return s.OfSample(node, sample, span=self.span(start))
            except NotationError:
                pass
            self.at = here
        if inside.text == "[":
            self.fail("a layer on a bracket: put it on the names inside")
        self.take(*_ELEMENTWISE)
        exponent = self.sum()
        if exponent == s.Minus(s.Num(Fraction(1))):
            self.fail("a bracket to the -1 is an inverse for some: write \\frac{1}{...}", inside, "SBP103")
        self.expect("}", "behind the exponent")
        return s.Raised(node, exponent, span=self.span(start))

    def root(self) -> Node:
        if self.next.text == "[":
            self.fail(r"only square roots are read: write a power", code="SBP104")
        return s.Call(s.Func("sqrt"), (self.argument(),))

    def word_group(self) -> Node:
        self.fail("expected a name in letters behind \\operatorname")

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
            self.fail(f"a {'sum' if kind == 'sum' else 'product'} over what? write its index below")
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
            self.fail(f"expected = and the first index, or the end of what is below, not {self.found()}", code="SBP104")
        return indices, lower, but

    def _index_letter(self) -> str:
        token = self.next
        if token.kind != "letter":
            self.fail(f"expected the letter of an index, not {self.found()}", code="SBP104")
        self.at += 1
        return token.text

    def ones(self) -> Node:
        start = self.at - 1
        token = self.next
        if token.text in (*_OPENERS, "_") and self._compares():
            self.at += 1
            opener = token.text
            if opener == "_":
                self.expect("{", "around the condition")
            left = self.sum()
            relation = self.take(*_COMPARED)
            if relation is None or relation.text in ("=", r"\neq"):
                self.fail("an indicator needs a comparison with < or >", code="SBP104")
            right = self.sum()
            self.expect("}" if opener == "_" else _OPENERS[opener], "behind the condition")
            return s.Choice(left, relation.text, right, span=self.span(start))
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
        here = self.at
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
        try:
            self.take("=")
            equals = self.sum()
            if self.at == end:
                self.at += 1
                return s.Asserted(node, None, equals, span=self.span(start))
        except NotationError:
            pass
        self.at = end + 1
        return node

    def grid(self) -> Node:
        start = self.at
        name = self.next.text
        if name not in MATRICES:
            advice = r"write cases with \max(0, u) or \mathbb{1}[u > v]" if name == "cases" else "it is not read here"
            self.fail(rf"\begin{{{name}}}: {advice}", code="SBP104")
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
                self.fail(rf"expected & , \\ or \end{{{name}}}, not {self.found()}")
            self.at += 1
            break
        if len({len(r) for r in rows}) > 1:
            self.fail("the rows of this matrix differ in length", self.tokens[start])
        self.depth -= 1
        return s.Grid(tuple(rows), span=self.span(start))


def _bare(node: Node) -> bool:
    """Whether a function without argument stands in the node."""
    if isinstance(node, s.Func):
        return True
    if isinstance(node, s.Call):
        return any(_bare(arg) for arg in node.args)
    return any(_bare(child) for child in s.children(node))


def _of_cost(node: Node, span: s.Span) -> Node:
    """dW, with the transpose, the power and the sample outside."""
    match node:
        case s.Turned(arg):
            return s.Turned(_of_cost(arg, span), span=span)
        case s.Raised(base, exponent):
            return s.Raised(_of_cost(base, span), exponent, span=span)
        case s.Name(sample=sample) if sample is not None:
            return s.OfSample(s.Partial(None, replace(node, sample=None), span=span), sample, span=span)
        case s.Name():
            return s.Partial(None, node, span=span)
    raise NotationError("a differential d belongs to one name, as in dW", span[0], "SBP101", span[1])

"""Names and functions: what a letter is where it stands, and what a function takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from symbackprop.errors import NotationError
from symbackprop.notation import syntax as s
from symbackprop.notation.index_reader import written
from symbackprop.notation.latex_tokens import Token
from symbackprop.notation.lexicon import FUNCTION_WORDS, Word
from symbackprop.notation.script_reader import COMMAND_FUNCTIONS, OPENERS, Marks, Scripts, function_of
from symbackprop.notation.syntax import Node

_SAME = {
    "ln": "log",
    "sgn": "sign",
    "logistic": "sigmoid",
    "swish": "silu",
    "Tr": "tr",
    "expit": "sigmoid",
    "lse": "logsumexp",
    "LSE": "logsumexp",
}


class CallReader(Scripts):
    """The part of the reader that reads names, and functions with their arguments."""

    def named(self) -> Node:
        start = self.at
        if self.of_totals and self.next.text == "d":
            return self.total()
        if self._differential():
            return self.differential()
        letter = self.letter()
        if letter not in self.lexicon.words and re.fullmatch(r"d[A-Za-z]\d+", letter):
            hint = f"d{letter[1]}_{letter[2:]}"
            raise self.error(f"{letter} is not declared: write {hint} for a derivative", self.tokens[start], "SBP102")
        if letter == "npsum":
            return self.numpy_sum(start)
        word = self.lexicon.find(letter)
        if word is None and letter not in FUNCTION_WORDS and len(letter) > 2 and letter.lower() in FUNCTION_WORDS:
            letter = letter.lower()
        if word is None and letter in FUNCTION_WORDS:
            return self.call(letter, start)
        if letter == "e" and self.next.text == "^" and (word is None or word.kind != "array"):
            self.at += 1
            exponent = self.argument()
            return s.Call(s.Func("exp"), (exponent,), span=self.span(start))
        if letter == "Sigma" and word is None and self.next.text == "'":  # Nielsen's diagonal matrix of sigma'
            return s.Call(s.Func("diag"), (self.call("sigma", start),), span=self.span(start))
        if letter == "I" and word is None:
            return s.Identity(span=self.span(start))
        if word is not None and word.kind == "function":
            return self.call(letter, start)
        if (
            self.lexicon.free
            and letter in ("J", "L", "E")
            and letter not in self.lexicon.words
            and self.next.text == "("
        ):
            return self.loss_call(letter, start)
        if word is not None and word.kind == "loss" and self.next.text == "(":
            return self.loss_call(letter, start)
        marks = self.scripts(Marks(letter), word)
        word = self.lexicon.find(marks.letter)
        if word is not None and word.called and self.next.text == "(" and marks.power is None:
            return self.output_at(marks, start)
        if word is not None and word.kind == "function":
            return self.applied(marks, start, True)
        if word is not None and word.kind == "loss" and self.next.text == "(" and marks.power is None:
            node = self.loss_call(marks.letter, start)
            return s.OfSample(node, marks.sample, span=self.span(start)) if marks.sample is not None else node
        return self.finished(marks, start)

    def output_at(self, marks: Marks, start: int) -> Node:
        """y(x), the output at x; y (a - b) is a product."""
        here = self.at
        args = self.arguments()
        word = self.lexicon.find(marks.letter)
        if word is not None and word.called == "own":  # by its definition on the page
            return s.Call(s.Func(marks.letter, span=self.span(start)), args, span=self.span(start))
        of_input = word is not None and word.called == "x"
        if all(isinstance(u, s.Name) and not u.entries and (u.letter == "x" or not of_input) for u in args):
            samples = [u.sample for u in args if isinstance(u, s.Name) and u.sample is not None]
            marks.sample = samples[0] if samples and marks.sample is None else marks.sample
        else:
            self.at = here
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
            raise self.error(f"expected a letter under \\{accent}, not {self.found()}")
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
        marks = Marks(_SAME.get(letter, letter) if word is None or word.kind != "function" else letter)
        built_in = letter in FUNCTION_WORDS and (word is None or word.kind != "function")
        if letter == "min" and self.next.text == "_":
            raise self.error(r"\min over an index is not read", code="SBP104")
        if built_in and letter == "max" and self.next.text == "_":
            return self.big("max")
        if built_in and (letter == "lg" or (letter == "log" and self.next.text == "_")):
            return self.to_a_base(letter, start)
        marks = self.scripts(marks, word if word is not None and not built_in else Word("function", layered=False))
        if built_in and marks.letter.startswith(f"{letter}_"):
            raise self.error(f"{letter} with a subscript is not read", self.tokens[start], "SBP104")
        if marks.letter != letter and (longer := self.lexicon.words.get(marks.letter)) and longer.kind != "function":
            called = longer.called and self.next.text == "(" and marks.power is None
            return self.output_at(marks, start) if called else self.finished(marks, start)
        return self.applied(marks, start, not built_in)

    def numpy_sum(self, start: int) -> Node:
        """np.sum(dZ, axis = 1, keepdims = True): along the rows or the columns, or all of it."""
        self.expect("(", "behind np.sum")
        arg, axis = self.sum(), ""
        while self.take(","):
            end = next(k for k in range(self.at, len(self.tokens)) if self.tokens[k].text in (",", ")", ""))
            given = re.sub(r"\\\w+\{([\w=]+)\}", r"\1", "".join(t.text for t in self.tokens[self.at : end]))
            if given in ("axis=0", "axis=1", "0", "1"):
                axis = given[-1]
            elif given.lower() not in ("keepdims=true", "keepdims=1", "keepdims="):
                raise self.error("np.sum takes axis = 0 or 1, and keepdims = True")
            self.at = end
        self.expect(")", "behind np.sum")
        ones = s.OnesOf(span=self.span(start))
        if axis == "1":
            return s.Times((arg, ones), ("",), span=self.span(start))
        if axis == "0":
            return s.Times((s.Turned(ones, span=ones.span), arg), ("",), span=self.span(start))
        return s.Call(s.Func("sum"), (arg,), span=self.span(start))

    def to_a_base(self, letter: str, start: int) -> Node:
        r"""\log_b x is log x over log b, \lg x to the base 10."""
        base: Node = s.Num(Fraction(10))
        if letter == "log":
            self.at += 1
            base = self.script_argument()
        natural = self.call("log", start)
        if base == s.Name("e"):
            return natural
        below = s.Call(s.Func("log"), (base,), span=self.span(start))
        if isinstance(natural, s.Raised):  # \log_2^2 x
            inner = s.Over(natural.base, below, span=natural.span)
            return s.Raised(inner, natural.exponent, span=natural.span)
        return s.Over(natural, below, span=self.span(start))

    def applied(self, marks: Marks, start: int, declared: bool) -> Node:
        function = function_of(marks, self.span(start))
        if marks.entries and not declared:
            raise self.error(f"{marks.letter} with a subscript is not read", self.tokens[start], "SBP104")
        node: Node = function
        if self.next.text in OPENERS and self.next.kind == "mark":
            here = self.at
            args = self.arguments()
            if declared and any(bare(arg) for arg in args):  # sigma (1 - sigma): a product of functions
                self.at = here
            else:
                node = s.Call(function, args, span=self.span(start))
        elif self.next.text == "{" and not declared and marks.letter not in ("tr", "trace"):
            node = s.Call(function, (self.group(),), span=self.span(start))
        elif not declared:
            node = s.Call(function, (self.run(marks.letter),), span=self.span(start))
        if isinstance(node, s.Call) and marks.entries:
            node = s.Picked(node, marks.entries, span=self.span(start))
        elif marks.entries:
            raise self.error(f"entries of {marks.letter} without an argument", self.tokens[start])
        return node if marks.power is None else s.Raised(node, marks.power, span=self.span(start))

    def arguments(self) -> tuple[Node, ...]:
        opening = self.next
        self.at += 1
        args = [self.sum()]
        while self.take(",", ";"):
            args.append(self.sum())
        self.expect(OPENERS[opening.text], f"for the {written(opening)} in column {opening.start.column}")
        return tuple(args)

    def loss_call(self, letter: str, start: int) -> Node:
        """J(w, b), L(a, y), J(w + 1): a loss with what it depends on."""
        args = self.arguments()
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
            raise self.error(f"{name} needs an argument, not {self.found()}")
        if len(factors) == 1:
            return factors[0]
        return s.Times(tuple(factors), ("",) * (len(factors) - 1), span=self.span(start))

    def _simple(self) -> bool:
        return (
            self.next.text not in (*OPENERS, "|(", "|", "||(", "||", r"\sum", r"\prod") and not self._starts_function()
        )

    def _starts_function(self) -> bool:
        token = self.next
        if token.kind == "command":
            return token.text[1:] in COMMAND_FUNCTIONS
        if token.kind in ("letter", "word"):
            word = self.lexicon.find(token.text)
            return (word is None and {token.text, token.text.lower()} & FUNCTION_WORDS != set()) or (
                word is not None and word.kind == "function"
            )
        return False


def bare(node: Node) -> bool:
    """Whether a function without argument stands in the node."""
    if isinstance(node, s.Func):
        return True
    if isinstance(node, s.Call):
        return any(bare(arg) for arg in node.args)
    return any(bare(child) for child in s.children(node))


def applied_to(node: Node, at: Node) -> Node:
    """What functions without argument make, at an argument; between functions a ring is composition."""
    match node:
        case s.Func():
            return s.Call(node, (at,), span=node.span)
        case s.Times(factors, joints) if "o" in joints:
            made = composed(node, at)
            return made.factors[0] if len(made.factors) == 1 else made
        case s.Times(factors):
            return replace(node, factors=tuple(applied_to(u, at) for u in factors))
        case s.Plus(terms):
            return replace(node, terms=tuple(applied_to(u, at) for u in terms))
        case s.Minus(arg):
            return replace(node, arg=applied_to(arg, at))
        case s.Over(top, bottom):
            return replace(node, top=applied_to(top, at), bottom=applied_to(bottom, at))
        case s.Raised(base):
            return replace(node, base=applied_to(base, at))
    return node


def composed(node: s.Times, at: Node) -> s.Times:
    """The product with f' \\circ g as f' of g: rings bind closer, and from the right; every other factor at ``at``."""
    runs: list[list[Node]] = [[node.factors[0]]]
    between: list[str] = []
    for joint, factor in zip(node.joints, node.factors[1:], strict=True):
        if joint == "o":
            runs[-1].append(factor)
        else:
            between.append(joint)
            runs.append([factor])
    factors: list[Node] = []
    for run in runs:
        inner = run[-1] if len(run) > 1 and not bare(run[-1]) else applied_to(run[-1], at)
        for outer in reversed(run[:-1]):
            if not bare(outer):
                raise NotationError(
                    "a ring stands between functions: write \\odot for an elementwise product", outer.span[0], "SBP103"
                )
            inner = applied_to(outer, inner)
        factors.append(inner)
    return replace(node, factors=tuple(factors), joints=tuple(between))

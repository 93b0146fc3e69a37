r"""Derivatives as they are written: fractions and lines of \\partial or d, \\nabla, operators in front, dW."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.errors import NotationError
from symbackprop.notation import syntax as s
from symbackprop.notation.call_reader import CallReader
from symbackprop.notation.lexicon import ACCENTS
from symbackprop.notation.script_reader import OPENERS
from symbackprop.notation.syntax import Node


class DerivativeReader(CallReader):
    """The part of the reader that reads derivatives."""

    def _differential(self) -> bool:
        """Whether a d stands here that belongs to what follows: dW, dz, dJ/dW."""
        token, after = self.next, self.ahead()
        if token.text != "d" or token.kind != "letter":
            return False
        own = self.lexicon.words.get("d")
        if own is not None:  # a size d beside an array: nobody writes that product so
            word = self.lexicon.words.get(after.text)
            if own.kind != "scalar" or word is None or word.kind != "array":
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
            raise self.error(r"expected / \partial behind the first half of a derivative")
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
            raise self.error("second derivatives are not read", code="SBP104")
        of = None if self.next.text == "}" else self.sum()
        self.expect("}", "behind the first half of a derivative")
        self.at += 2
        wrt = self.product()
        if self.next.text == sign or (sign == r"\partial" and self.next.text == r"\partial"):
            raise self.error("second derivatives are not read", code="SBP104")
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
            raise self.error(r"by what? write \nabla_W", self.tokens[start], "SBP104")
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
        if token.text in OPENERS:
            bracket = self.factor()
            if self.starts_factor():
                raise self.error(
                    "does the derivative reach behind this bracket? write brackets around all that is derived",
                    token,
                    "SBP103",
                )
            return bracket
        return self.product()


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

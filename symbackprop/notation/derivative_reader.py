r"""Derivatives as they are written: fractions and lines of \\partial or d, \\nabla, operators in front, dW."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.errors import NotationError
from symbackprop.notation import syntax as s
from symbackprop.notation.call_reader import CallReader
from symbackprop.notation.lexicon import ACCENTS
from symbackprop.notation.script_reader import COMMAND_FUNCTIONS, OPENERS
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

    def starts_total(self) -> bool:
        """Whether a line begins with the differential of a formula, d(X Y), d tr(...), or of a loss, dJ = ..."""
        token, after = self.next, self.ahead()
        if token.text != "d" or token.kind != "letter" or "d" in self.lexicon.words:
            return False
        if after.text in (*OPENERS, "|(", "||(", "||", r"\frac"):
            return True
        word = self.lexicon.find(after.text) if after.kind in ("letter", "word") else None
        if word is None:
            return after.kind == "word" or after.text[1:] in COMMAND_FUNCTIONS
        return (word.kind == "loss" or self.lexicon.free) and self.ahead(2).text == "="

    def total(self) -> Node:
        """d before a bracket, a function or a name, on a line that begins so."""
        start = self.at
        self.at += 1
        node = self.factor()
        turned = isinstance(node, s.Turned) and isinstance(node.arg, s.Name)
        inner = node.arg if isinstance(node, s.Turned) and turned else node
        made = s.Differential(inner, span=self.span(start))
        return s.Turned(made, span=made.span) if turned else made

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
        sign = self.next
        if sign.text in (r"\partial", "d") and [t.text for t in self.tokens[self.at + 1 : self.at + 3]] == [
            "{",
            sign.text,
        ]:
            braces = sign._replace(kind="mark", text="{"), sign, sign._replace(kind="mark", text="}")
            self.tokens = [*self.tokens[: self.at], *braces, *self.tokens[self.at + 1 :]]  # \frac d{dx}
        top = self.ahead() if self.next.text == "{" else self.next
        if top.text in (r"\partial", "d") and self.next.text == "{":
            close = self.group_end()
            below = self.tokens[close + 1 : close + 3]
            if [t.text for t in below] == ["{", top.text] and (top.text == r"\partial" or top.kind == "letter"):
                return self.derivative(start, top.text)
        return s.Over(self.argument(), self.argument(), span=self.span(start))

    def derivative(self, start: int, sign: str) -> Node:
        self.at += 2
        order = self._order()
        of = None if self.next.text == "}" else self.sum()
        self.expect("}", "behind the first half of a derivative")
        below = self._differentials(sign, order)
        if of is None:
            of = self.operand()
        elif order == 1 and self.next.text == r"\at" and not self.at_a_point():
            self.at += 1
            self.expect("_", "behind the bar")
            return s.Partial(of, below[0], self.script_argument(), span=self.span(start))
        for wrt in reversed(below):  # the last is derived by first
            of = s.Partial(of, wrt, total=sign == "d", span=self.span(start))
        return of

    def at_a_point(self) -> bool:
        """Whether values of letters stand below the bar that comes next: |_{x = 2}."""
        if self.ahead(2).text != "{":
            return False
        here, self.at = self.at, self.at + 2
        inside = {t.text for t in self.tokens[self.at : self.group_end()]}
        self.at = here
        return "=" in inside

    def _order(self) -> int:
        """The 2 of d^2, where it stands."""
        if not self.take("^"):
            return 1
        braced = self.take("{")
        token = self.next
        if token.kind != "number" or token.text not in ("1", "2", "3", "4"):
            raise self.error("the order of a derivative is a number up to 4", code="SBP104")
        self.at += 1
        if braced:
            self.expect("}", "behind the order")
        return int(token.text)

    def _differentials(self, sign: str, order: int) -> list[Node]:
        """What is derived by, each as often as it is: dx dy, dx^2."""
        close = self.group_end()
        self.at += 2
        if order == 1:
            wrt = self.product()
            self.expect("}", "behind the second half of a derivative")
            return [wrt]
        found: list[Node] = []
        while True:
            end = next((k for k in range(self.at, close) if self.tokens[k].text == sign and self._outside(k)), close)
            found += self._repeated(end)
            if end == close:
                break
            self.at = end + 1
        if len(found) != order:
            raise self.error(f"derived {order} times above and {len(found)} times below")
        self.expect("}", "behind the second half of a derivative")
        return found

    def _outside(self, place: int) -> bool:
        """Whether a token stands in no bracket that opened since the cursor."""
        inside = [t.text for t in self.tokens[self.at : place]]
        return inside.count("{") == inside.count("}") and inside.count("(") == inside.count(")")

    def _repeated(self, end: int) -> list[Node]:
        """One differential up to a place; its last superscript is how often it stands there."""
        texts = [t.text for t in self.tokens[self.at : end]]
        if not texts:
            raise self.error("derived by what? a letter is missing here")
        times, cut = 1, end
        for tail in (["^", texts[-1]], ["^", "{", texts[-2] if len(texts) > 1 else "", "}"]):
            if texts[-len(tail) :] == tail and tail[-1 if len(tail) == 2 else 2].isdigit():
                times, cut = int(tail[-1 if len(tail) == 2 else 2][:3]), end - len(tail)
        piece = type(self)([*self.tokens[self.at : cut], self.tokens[end]._replace(kind="end", text="")], self.lexicon)
        piece.depth = self.depth
        wrt = piece.product()
        if piece.next.kind != "end":
            raise piece.error(f"{piece.found()} is out of place in what is derived by")
        self.at = end
        if isinstance(wrt, s.Raised) and isinstance(wrt.exponent, s.Num) and times == 1:
            times, wrt = int(wrt.exponent.value), wrt.base
        return [wrt] * min(max(times, 1), 5)

    def nabla(self) -> Node:
        start = self.at - 1
        twice = self._order() == 2 or self.take(r"\nabla") is not None
        if not self.take("_"):
            return self._gradient_by_arguments(start, twice)
        wrt = self.script_argument()
        twice = twice or self._order() == 2
        of = s.Partial(self.operand(), wrt, span=self.span(start))
        return s.Partial(of, wrt, span=self.span(start)) if twice else of

    def _gradient_by_arguments(self, start: int, twice: bool) -> Node:
        r"""\nabla J(w, b): by what stands in the brackets."""
        of = self.factor()
        if not isinstance(of, s.Call) or not all(isinstance(a, s.Name) for a in of.args):
            raise self.error(r"by what? write \nabla_W", self.tokens[start], "SBP104")
        wrt = of.args[0] if len(of.args) == 1 else s.Tuple(of.args, span=of.span)
        first = s.Partial(s.Name(of.function.letter, span=of.span), wrt, span=self.span(start))
        return s.Partial(first, wrt, span=self.span(start)) if twice else first

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
        """What an operator in front derives; a bar behind it is one behind the derivative."""
        self.derived += 1
        node = self._operand()
        self.derived -= 1
        return node

    def _operand(self) -> Node:
        """A loss alone, a bracket, or all that follows up to a sign."""
        token = self.next
        word = self.lexicon.find(token.text) if token.kind == "letter" else None
        if word is not None and word.kind == "loss":
            return self.factor()
        if token.text in OPENERS:
            start = self.at
            bracket = self.factor()
            after = isinstance(bracket, s.Turned) or (isinstance(bracket, s.Raised) and self.next.text in OPENERS)
            if after and self.starts_factor():  # (X b - a)^T (X b - a)
                self.at = start
                return self.product()
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

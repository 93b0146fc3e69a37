"""Brackets, braces and bars, and the scripts behind them."""

from __future__ import annotations

from symbackprop.errors import NotationError, Position
from symbackprop.notation import syntax as s
from symbackprop.notation.call_reader import applied_to, bare
from symbackprop.notation.derivative_reader import DerivativeReader
from symbackprop.notation.index_reader import written
from symbackprop.notation.latex_tokens import Token
from symbackprop.notation.lexicon import ACCENTS, Word
from symbackprop.notation.script_reader import ELEMENTWISE, OPENERS, Marks
from symbackprop.notation.syntax import Node


class BracketReader(DerivativeReader):
    """The part of the reader that reads what stands in brackets."""

    def group(self) -> Node:
        """Braces: they group without showing; around one name, what follows are its scripts."""
        self.deeper()
        start = self.at
        self.at += 1
        if self.next.text == "}":
            raise self.error("empty braces: remove them")
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
        if isinstance(node, s.Func) and self.next.text in OPENERS:
            return self.applied(Marks(node.letter, node.layer, primes=node.order), start, True)
        if isinstance(node, s.Name) and self.next.text in ("^", "_") and self.next.kind == "mark":
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
        if token.kind == "number" and len(token.text) > 1 and token.text[0] != ".":
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
            raise self.error("put the exponent in braces")
        raise self.error(f"expected an argument in braces, not {self.found()}")

    def bracket(self) -> Node:
        opening = self.next
        start = self.at
        self.at += 1
        self.bars.append("")
        items = [self.sum()]
        while self.take(","):
            items.append(self.sum())
        self.bars.pop()
        closer = OPENERS[opening.text]
        if not self.take(closer):
            where = f"in line {opening.start.line}, column {opening.start.column}"
            raise self.error(f"expected {closer} for the {written(opening)} {where}, not {self.found()}")
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
            raise self.error(
                f"expected {bar.replace('||', chr(92) + '|')} to close the one in column {opening.start.column}"
            )
        if bar == "|":
            return s.Call(s.Func("abs"), (node,), span=self.span(start))
        order = "2"
        if self.take("_"):
            token = self._taken_group()
            order = "".join(t.text for t in token)
            if order not in ("1", "2", "F"):
                raise self.error(f"the norm of order {order}: 1, 2 and F are read", self.tokens[start], "SBP104")
        return s.NormOf(node, order, span=self.span(start))

    def postfix(self, node: Node, start: int) -> Node:
        """Scripts behind a bracket, a call or a fraction."""
        named = isinstance(node, s.Name | s.Func) and self.tokens[start].text not in ("(", "[", r"\{", "{")
        if self.next.text == "(" and self.lexicon.of_numbers and not named and bare(node):
            here = self.at
            args = self.arguments()
            if len(args) == 1 and not bare(args[0]):  # (f \\circ g)(x)
                return applied_to(node, args[0])
            self.at = here
        while self.next.kind == "mark" and self.next.text in ("^", "_", "'"):
            mark = self.next
            if mark.text == "'" and isinstance(node, s.Func):  # (f^l)'(z)
                marks = Marks(node.letter, node.layer, primes=node.order)
                return self.applied(self.scripts(marks, Word("function", layered=True)), start, True)
            if mark.text == "'" and self.lexicon.of_numbers and not named:
                node = self._derived(node, start)
                continue
            if mark.text == "'" and not named and self.ahead().text not in ("'", "=", "+", "-", "^", "_"):
                self.at += 1  # (y - X b)'(y - X b)
                node = s.Turned(node, span=self.span(start))
                continue
            if mark.text == "'":
                raise self.error("a prime belongs to a function, as in \\sigma'(z): for a transpose write ^T")
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
                raise self.error("a second superscript: write brackets")
            self.at += 1
            node = self._lifted(node, start)
            if isinstance(node, s.Raised) and self.next.text == "_" and isinstance(node.base, s.NormOf):
                self.at += 1
                order = "".join(t.text for t in self._taken_group())
                node = s.Raised(
                    s.NormOf(node.base.arg, order, span=node.base.span), node.exponent, span=self.span(start)
                )
        return node

    def _derived(self, node: Node, start: int) -> Node:
        """(f g)', (f \\circ g)'(x), (x^n)': what functions make is derived at an argument, or z, else by its letter."""
        order = 0
        while self.take("'"):
            order += 1
        at: Node = s.Name("z" if bare(node) else _variable(node), span=self.span(start))
        if self.next.text == "(" and bare(node):
            (at,) = args if len(args := self.arguments()) == 1 else (s.Tuple(args),)
        if not isinstance(at, s.Name) or order > 4:
            raise self.error("the derivative of a product of functions is read at a letter, (f g)'(x)", code="SBP104")
        found = applied_to(node, at)
        for _ in range(order):
            found = s.Partial(found, at, span=self.span(start))
        return found

    def _lifted(self, node: Node, start: int) -> Node:
        """A superscript on a bracket: T, a sample, or a power."""
        if self.next.text != "{":
            if self.take("T", r"\top"):
                return s.Turned(node, span=self.span(start))
            if self.next.text == "*":
                raise self.error("* in a superscript is not read: for a transpose write ^T", code="SBP104")
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
            raise self.error("a layer on a bracket: put it on the names inside")
        self.take(*ELEMENTWISE)
        exponent = self.sum()
        self.expect("}", "behind the exponent")
        return s.Raised(node, exponent, span=self.span(start))

    def root(self) -> Node:
        if self.next.text == "[":
            raise self.error(r"only square roots are read: write a power", code="SBP104")
        return s.Call(s.Func("sqrt"), (self.argument(),))

    def word_group(self) -> Node:
        raise self.error("expected a name in letters behind \\operatorname")


def _variable(node: Node) -> str:
    """The letter by which a bracket is derived: its only one, x of several, no number in an exponent."""
    above = {
        v.letter for u in s.walk(node) if isinstance(u, s.Raised) for v in s.walk(u.exponent) if isinstance(v, s.Name)
    }
    letters = {u.letter for u in s.walk(node) if isinstance(u, s.Name)}
    numbers = above & {"n", "k", "m", "p"}
    if letters - numbers:
        letters -= numbers
    if len(letters) != 1 and "x" not in letters:
        raise NotationError("by what is this derived? write \\frac{d}{dx}", node.span[0], "SBP103", node.span[1])
    return "x" if "x" in letters else letters.pop()

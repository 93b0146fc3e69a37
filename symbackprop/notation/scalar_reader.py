r"""One scalar LaTeX expression, read exactly as it is written: an activation in z, a loss in a and y.

Order, signs and brackets stay; nothing is evaluated. What is read::

    sum      [+ or -] product, then + or - product, as often as wanted
    product  chunks with \cdot, \times, \odot or * between them
    chunk    factors side by side, and after them at most one / and one factor: ``ab/c`` is (ab)/c; what follows
             that factor side by side (``1/2 z``) could belong above or below, and is refused
    factor   a number, a declared name, \pi, \frac{u}{v}, \sqrt{u}, e^{u}, brackets, |u|, a function; and its power

Functions are those of ``FUNCTIONS`` (``\tanh``, ``\operatorname{erf}``), ``\log`` and ``\ln``, both natural,
``\max(0, u)``, ``\mathbb{1}[u > v]``, and what the caller declares. ``\tanh^2(z)`` and ``\tanh(z)^2`` are the square of
tanh(z), ``\sigma'(z)`` is a derivative. An argument without brackets is the run of numbers, names, powers and
fractions that follows, up to a sign, a dot, a slash, a bracket or another function: ``y \log a (1-y)`` is
y (log a) (1-y). A function, or bars, may follow directly: ``\log \cosh(z)``, ``\log |z|``. Bars close as soon as they
can: ``|a|y|z|`` is |a| y |z|.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from symbackprop.algebra.formula import (
    Add,
    Formula,
    Function,
    Hadamard,
    Map,
    Negative,
    Number,
    Power,
    Quotient,
    Scalar,
    walk,
)
from symbackprop.algebra.functions import ABS, EXP, FUNCTIONS, LOG, POSITIVE_PART, SIGN, SQRT, STEP
from symbackprop.errors import NotationError
from symbackprop.notation.scalar_tokens import CLOSERS, INDICATOR, Cursor, shown

MAX_NESTING, MAX_DIGITS, MAX_EXPONENT, MAX_PRIMES = 50, 40, 1000, 10

PI = Scalar("pi")
"""What ``\\pi`` is read as, unless the caller declares it: no Number is irrational."""

BUILTIN = {rf"\{f.name}": f for f in FUNCTIONS.values() if f not in (SQRT, STEP, POSITIVE_PART)}
BUILTIN |= {r"\ln": LOG, r"\sgn": SIGN}
_COMMANDS = (*BUILTIN, r"\max", r"\sqrt", r"\frac")

_ZERO = Number(Fraction(0))
_CALLS = ("(", "[", r"\{")
_BARS = ("|", r"\lvert")
_RELATIONS = (">", "<", r"\ge", r"\le")
_STOPS = ("", r"\cdot", r"\ge", r"\le", r"\}", r"\rvert")


def read_scalar(text: str, symbols: Mapping[str, Formula], functions: Mapping[str, Function] | None = None) -> Formula:
    r"""The formula that the text writes; ``symbols`` and ``functions`` say what LaTeX names mean.

    >>> from symbackprop.algebra.formula import Symbol
    >>> a, y = Symbol("a"), Symbol("y")
    >>> read_scalar(r"-y(a - y)^2", {"a": a, "y": y}) == -(y * (a - y) ** 2)
    True
    >>> read_scalar(r"y \log \hat{y}", {r"\hat y": a, "y": y}) == y * Map(LOG, a)
    True

    Raises NotationError with the position for all that is not read (see the module) or is larger than the limits.
    """
    return _Reader(text, symbols, functions or {}).read()


class _Reader(Cursor[Formula | Function]):
    """Recursive descent, one method a rule; every way down passes through ``factor``, which counts the nesting."""

    def __init__(self, text: str, symbols: Mapping[str, Formula], functions: Mapping[str, Function]) -> None:
        for name in symbols.keys() & functions.keys():
            raise NotationError(f"{shown(name)} is declared as a symbol and as a function: choose one")
        super().__init__(text, {**symbols, **functions})
        self.depth = 0
        self.special: dict[str, Callable[[], Formula]] = {
            r"\frac": lambda: Quotient(self.bracket("{"), self.bracket("{")),
            r"\sqrt": lambda: Map(SQRT, self.bracket("{")),
            r"\max": self.maximum,
            r"\pi": lambda: PI,
            INDICATOR: self.indicator,
            "e": self.exponential,
        }

    def read(self) -> Formula:
        formula = self.sum()
        if self.next.kind != "end":
            raise self.error(f"{self.found()} is out of place after a complete expression")
        todo = [(formula, Fraction(1))]
        while todo:
            node, degree = todo.pop()
            degree *= max(_literal(node.exponent) or 1, 1) if isinstance(node, Power) else 1
            if degree > MAX_EXPONENT:
                raise self.error(f"powers of powers beyond {MAX_EXPONENT}: write smaller ones", self.tokens[0])
            todo += [(child, degree) for child in node.children]
        return formula

    def sum(self) -> Formula:
        terms = []
        sign = self.take("+", "-")
        while True:
            term = self.product()
            terms.append(Negative(term) if sign and sign.text == "-" else term)
            sign = self.take("+", "-")
            if sign is None:
                return terms[0] if len(terms) == 1 else Add(tuple(terms))

    def product(self) -> Formula:
        factors = self.chunk()
        while self.take(r"\cdot"):
            factors += self.chunk()
        return _product(factors)

    def chunk(self) -> list[Formula]:
        factors = [self.factor()]
        while self.more():
            if self.next.kind == "number":
                raise self.error(f"a number directly after a factor: write \\cdot {self.next.text}, or a bracket")
            factors.append(self.factor())
        slash = self.take("/")
        if slash is None:
            return factors
        quotient = Quotient(_product(factors), self.factor())
        if self.more() or self.next.text == "/":
            raise self.error(r"what does this / divide by? write \frac or brackets", slash)
        return [quotient]

    def more(self) -> bool:
        """Whether another factor stands here."""
        kind, text, _ = self.next
        if kind == "mark":
            return text in CLOSERS and not (text == "|" and self.closers[-1:] == ["|"])
        return text not in _STOPS

    def factor(self) -> Formula:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.error(
                f"more than {MAX_NESTING} nested brackets, fractions and powers: write less deeply", self.next
            )
        base = self.primary()
        formula = Power(base, self.exponent()) if self.take("^") else base
        self.depth -= 1
        return formula

    def exponent(self) -> Formula:
        inside = self.tokens[self.at + 1]
        formula = self.bracket("{")
        if inside.text == "[" or (inside.text == "(" and isinstance(formula, Number)):
            raise self.error("a superscript in brackets is a layer or a sample: write a power without them", inside)
        if all(isinstance(leaf, Number) for leaf in walk(formula) if not leaf.children):
            value = _literal(formula)
            if value is None:
                raise self.error("an exponent to be worked out: write the number, or the fraction", inside)
            if value > MAX_EXPONENT:
                raise self.error(f"an exponent beyond {MAX_EXPONENT}: write a smaller one", inside)
        if self.next.text in ("^", "'"):
            raise self.error(f"{self.found()} after a superscript")
        return formula

    def bracket(self, *openings: str) -> Formula:
        opening = self.open("expected an opening bracket", *openings)
        formula = self.sum()
        self.close(opening)
        return formula

    def primary(self) -> Formula:
        token = self.next
        found = self.declared()
        if found:
            return self.named(*found)
        if token.kind == "number":
            if len(token.text) > MAX_DIGITS:
                raise self.error(f"a number of more than {MAX_DIGITS} digits: write a shorter one")
            self.at += 1
            return Number(Fraction(token.text))
        if token.text in self.special:
            self.at += 1
            return self.special[token.text]()
        if token.text in BUILTIN:
            self.at += 1
            return self.call(BUILTIN[token.text], token.text)
        if token.text == "{":
            return self.single()
        if token.text in _CALLS:
            return self.bracket(*_CALLS)
        if token.text in _BARS:
            return Map(ABS, self.bracket(*_BARS))
        if token.text in _STOPS or token.kind == "mark":
            raise self.error(f"expected a number, a name or a bracket, not {self.found()}")
        raise self.undeclared(_COMMANDS)

    def named(self, name: str, meaning: Formula | Function, length: int) -> Formula:
        after = self.tokens[self.at + length]
        if isinstance(meaning, Formula) and after.text == "_":
            raise self.undeclared(_COMMANDS)
        self.at += length
        if isinstance(meaning, Function):
            return self.call(meaning, name)
        if after.text == "'":
            raise self.error(f"{shown(name)} is no function")
        return meaning

    def call(self, function: Function, name: str) -> Formula:
        order = 0
        while self.take("'"):
            order += 1
        if order > MAX_PRIMES:
            raise self.error(f"more than {MAX_PRIMES} primes: write fewer")
        exponent = self.exponent() if self.take("^") else None
        if exponent == Negative(Number(Fraction(1))):
            raise self.error(rf"{name} to the -1 is the inverse for some: write \frac{{1}}{{...}}")
        formula = Map(function, self.argument(name), order)
        return formula if exponent is None else Power(formula, exponent)

    def argument(self, name: str) -> Formula:
        opening = self.open("", "{") if self.next.text == "{" else None
        bracketed = self.next.text in _CALLS
        direct = self.next.text in _BARS or self.starts_function()
        formula = self.bracket(*_CALLS) if bracketed else self.factor() if direct else self.run(name)
        if opening:
            self.close(opening, "braces do not show: write brackets around the argument")
        goes_on = self.more() and (self.simple() or self.next.text in (*_BARS, r"\sqrt"))
        if not bracketed and (goes_on or self.next.text == "^"):
            raise self.error(f"where does the argument of {name} end? write brackets", self.next)
        return formula

    def run(self, name: str) -> Formula:
        factors: list[Formula] = []
        while self.more() and self.simple() and not (factors and self.next.kind == "number"):
            factors.append(self.factor())
        if not factors:
            raise self.error(f"{name} needs an argument, not {self.found()}")
        return _product(factors)

    def starts_function(self) -> bool:
        found = self.declared()
        if found:
            return isinstance(found[1], Function)
        return self.next.text in BUILTIN or self.next.text in (r"\sqrt", r"\max", INDICATOR)

    def simple(self) -> bool:
        return self.next.text not in (*_CALLS, *_BARS) and not self.starts_function()

    def single(self) -> Formula:
        opening = self.open("", "{")
        formula = self.factor()
        self.close(opening, "braces do not show: write brackets around more than one factor")
        return formula

    def exponential(self) -> Formula:
        if not self.take("^"):
            self.at -= 1
            raise self.undeclared(_COMMANDS)
        return Map(EXP, self.exponent())

    def maximum(self) -> Formula:
        opening = self.open(r"\max needs two arguments in brackets", *_CALLS)
        left = self.sum()
        if not self.take(","):
            raise self.error(rf"expected a comma between the two arguments of \max, not {self.found()}")
        right = self.sum()
        self.close(opening)
        if left == _ZERO or right == _ZERO:
            return Map(POSITIVE_PART, right if left == _ZERO else left)
        raise self.error(r"only \max(0, u) is read: write max(u, v) as v + \max(0, u - v)", opening)

    def indicator(self) -> Formula:
        """[u > v] is step(u - v), and as step(0) = 0, [u >= v] is 1 - step(v - u)."""
        openings = ("{",) if self.take("_") else _CALLS
        opening = self.open(rf"{INDICATOR} needs a condition, {INDICATOR}[u > v]", *openings)
        left = self.sum()
        relation = self.take(*_RELATIONS)
        if relation is None:
            raise self.error(f"expected a comparison with 0 or another value here, u > v, not {self.found()}")
        right = self.sum()
        self.close(opening)
        if relation.text in ("<", r"\ge"):
            left, right = right, left
        step = Map(STEP, left if right == _ZERO else Negative(right) if left == _ZERO else left - right)
        return step if relation.text in ("<", ">") else Add((Number(Fraction(1)), Negative(step)))


def _literal(exponent: Formula) -> Fraction | None:
    """The size of an exponent that is a number, with a sign or not, or a fraction of two; None for any other."""
    match exponent:
        case Number(value) | Negative(Number(value)):
            return value
        case Negative(Quotient(Number(over), Number(under))) | Quotient(Number(over), Number(under)) if under:
            return over / under
    return None


def _product(factors: list[Formula]) -> Formula:
    return factors[0] if len(factors) == 1 else Hadamard(tuple(factors))

"""Whatever our own printer writes, in every notation, is read back: derivations line by line, and random formulas."""

import random
from fractions import Fraction
from functools import cache
from itertools import product

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symbackprop import Dense, Network
from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Equation, Formula
from symbackprop.algebra.functions import ABS, COS, EXP, FUNCTIONS, LOG, SQRT, TANH, sigmoid
from symbackprop.algebra.shape import shape
from symbackprop.derivation import Derivation
from symbackprop.marking import Page
from symbackprop.proof.status import Status

NOTATIONS = [
    {},
    {"layer": "[l]"},
    {"layer": "l"},
    {"layer": "_l"},
    {"layer": "l", "first": 2},
    {"layer": "[l]", "names": {"target": "t", "weights": r"\theta", "activation": "h", "error": r"\epsilon"}},
]
FUNCTIONS_AND_LOSS = [
    ("sigmoid", "sigmoid", "binary_cross_entropy"),
    ("relu", "softmax", "cross_entropy"),
    ("tanh", "identity", "half_squared_error"),
    ("generic", "generic", "generic"),
    ("gelu", "sigmoid", "log_likelihood"),
    ("softplus", "tanh", "huber"),
    ("hardtanh", "log_softmax", "negative_log_likelihood"),
]
FRAMES = [
    {},
    {"batch": "m"},
    {"batch": "m", "samples": "rows", "weights": "in x out"},
    {"weights": "in x out"},
    {"batch": "N", "l2": "lambda"},
    {"batch": 5, "l1": "mu"},
]
CASES = list(product(range(len(FUNCTIONS_AND_LOSS)), range(len(NOTATIONS)), range(len(FRAMES))))


@cache
def derived(functions: int, notation: int, frame: int) -> tuple[Network, Derivation]:
    first, last, loss = FUNCTIONS_AND_LOSS[functions]
    net = Network(
        [Dense("n_1", first), Dense("n_2", last)],
        inputs="n_0",
        loss=loss,
        notation=NOTATIONS[notation],
        **FRAMES[frame],
    )
    return net, net.derive()


@pytest.mark.parametrize("case", random.Random(5).sample(CASES, 60), ids=str)
def test_every_line_of_a_derivation_is_read_and_proved(case: tuple[int, int, int]) -> None:
    net, derivation = derived(*case)
    page = Page(net)
    model = net.model
    forward = [Equation((a.symbol, a.formula)) for a in model.assignments]
    for equation in [*forward, *(step.equation for step in derivation.steps)]:
        text = derivation.writer.equation(equation)
        found = page.judge(text)
        assert found.status is Status.PROVED, f"{text}\n{found}"


# Random formulas

INDICES = [sympy.Symbol(c) for c in "jkp"]


class Maker:
    """Random formulas of a wanted shape over the arrays of a network."""

    def __init__(self, net: Network, draw: random.Random) -> None:
        self.model = net.model
        self.draw = draw
        self.arrays = list(net.model.symbols.values())
        self.bound: list[sympy.Symbol] = []
        self.sizes = list(dict.fromkeys(n for a in self.arrays for n in a.shape if n != ONE))

    def of(self, wanted: f.Shape, depth: int) -> Formula:
        fitting = [a for a in self.arrays if a.shape == wanted and a.letter != "J"]
        turned = [f.Transpose(a) for a in self.arrays if a.shape == wanted[::-1] and a.shape != wanted]
        leaves: list[Formula] = [*fitting, *turned]
        if wanted == SCALAR:
            leaves += [f.Number(Fraction(self.draw.choice([2, 3, 7]))), f.Scalar("alpha"), *self.entries()]
        if depth == 0 and leaves:
            return self.draw.choice(leaves)
        if depth <= 0:
            return self.outer(wanted)
        ways = [self.sum, self.scaled, self.mapped, self.power, self.quotient, self.leaf, self.negative]
        ways += (
            [self.matrix_product, self.matrix_product, self.hadamard] if wanted != SCALAR else [self.norm, self.total]
        )
        return self.draw.choice(ways)(wanted, depth - 1)

    def outer(self, wanted: f.Shape) -> Formula:
        """A product of two arrays, for a shape that no array has."""
        inner = self.model.frame.samples or ONE
        left, right = (self.fitting((n, inner)) if n != ONE else f.Ones((ONE, inner)) for n in wanted)
        return f.Product((left, f.Transpose(right) if not isinstance(right, f.Ones) else f.Ones((inner, ONE))))

    def fitting(self, wanted: f.Shape) -> Formula:
        same = [a for a in self.arrays if a.shape == wanted] or [a for a in self.arrays if a.shape == wanted[::-1]]
        if not same:  # (m, m) or the like: through the input
            x = self.model.x
            a, b = (self.fitting((n, next(k for k in x.shape if k not in (ONE, n)))) for n in wanted)
            return f.Product((a, f.Transpose(b)))
        array = self.draw.choice(same)
        return array if array.shape == wanted else f.Transpose(array)

    def leaf(self, wanted: f.Shape, depth: int) -> Formula:
        return self.of(wanted, 0)

    def entries(self) -> list[Formula]:
        array = self.draw.choice([a for a in self.arrays if a.shape != SCALAR])
        at = [ONE if n == ONE else i for n, i in zip(array.shape, INDICES, strict=False)]
        if any(self.ranges.get(i, n) != n for i, n in zip(at, array.shape, strict=True) if i != ONE):
            return []
        self.ranges.update({i: n for i, n in zip(at, array.shape, strict=True) if i != ONE})
        return [f.Entry(array, *at)]

    ranges: dict[sympy.Symbol, sympy.Expr]

    def sum(self, wanted: f.Shape, depth: int) -> Formula:
        terms = [self.of(wanted, depth), self.of(wanted, depth)]
        return f.Add((terms[0], self.draw.choice([terms[1], f.Negative(terms[1])])))

    def negative(self, wanted: f.Shape, depth: int) -> Formula:
        return f.Negative(self.of(wanted, depth))

    def scaled(self, wanted: f.Shape, depth: int) -> Formula:
        scalar = self.draw.choice([f.Number(Fraction(1, 2)), f.Number(Fraction(2)), f.Scalar("alpha")])
        return f.Product((scalar, self.of(wanted, depth)))

    def mapped(self, wanted: f.Shape, depth: int) -> Formula:
        function = self.draw.choice([EXP, LOG, TANH, ABS, SQRT, COS, FUNCTIONS["erf"], sigmoid()])
        order = 1 if function in (TANH,) and self.draw.random() < 0.5 else 0
        return f.Map(function, self.of(wanted, depth), order)

    def power(self, wanted: f.Shape, depth: int) -> Formula:
        return f.Power(self.of(wanted, depth), f.Number(Fraction(self.draw.choice([2, 3]))))

    def quotient(self, wanted: f.Shape, depth: int) -> Formula:
        return f.Quotient(self.of(wanted, depth), self.of(self.draw.choice([wanted, SCALAR]), depth))

    def matrix_product(self, wanted: f.Shape, depth: int) -> Formula:
        inner = self.draw.choice(self.sizes)
        return f.Product((self.of((wanted[0], inner), depth), self.of((inner, wanted[1]), depth)))

    def hadamard(self, wanted: f.Shape, depth: int) -> Formula:
        return f.Hadamard((self.of(wanted, depth), self.of(wanted, depth)))

    def norm(self, wanted: f.Shape, depth: int) -> Formula:
        array = self.draw.choice([a for a in self.arrays if a.shape != SCALAR])
        return f.Norm(self.of(array.shape, depth), *self.draw.choice([(2, 2), (2, 1), (1, 1)]))

    def total(self, wanted: f.Shape, depth: int) -> Formula:
        array = self.draw.choice([a for a in self.arrays if a.shape != SCALAR])
        return f.IndexSum(f.Entry(array, sympy.Symbol("q"), ONE), sympy.Symbol("q"), ONE, array.shape[0]) if (
            array.shape[1] == ONE
        ) else f.Norm(array, 2, 2)  # fmt: skip


def flat(node: Formula) -> Formula:
    """Without what print does not show: products in products, a fraction as a number, the square of a norm."""

    def change(u: Formula) -> Formula:
        match u:
            case f.Hadamard(factors) if all(shape(v) == SCALAR for v in factors):
                return change(f.Product(factors))
            case f.Product(factors):
                return f.Product(tuple(v for w in factors for v in (w.factors if isinstance(w, f.Product) else (w,))))
            case f.Add(terms):
                return f.Add(
                    tuple(v for w in terms for v in (w.terms if isinstance(w, f.Add) and w is terms[0] else (w,)))
                )
            case f.Number(value) if value.denominator != 1:
                return f.Quotient(f.Number(Fraction(value.numerator)), f.Number(Fraction(value.denominator)))
            case f.Power(f.Norm(arg, order, 1), f.Number(value)) if value == 2:
                return f.Norm(arg, order, 2)
        return u

    return f.rewrite(node, change)


@cache
def network(frame: int, notation: int) -> Network:
    return Network(
        [Dense("n_1", "sigmoid"), Dense("n_2", "sigmoid")], inputs="n_0", loss="half_squared_error",
        notation=NOTATIONS[notation], **FRAMES[frame],
    )  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 10**9), st.integers(0, 3), st.integers(0, len(NOTATIONS) - 1), st.integers(1, 4))
def test_a_random_formula_is_read_back(seed: int, frame: int, notation: int, depth: int) -> None:
    """What is read is what was written, node by node, but for what print does not show."""
    net = network(frame, notation)
    made = Maker(net, random.Random(seed))
    made.ranges = {}
    wanted = random.Random(seed).choice([a.shape for a in made.arrays])
    node = made.of(wanted, depth)
    text = net.derive().writer(node)
    read = Page(net).read(text).equations[0].sides[0]
    assert flat(read) == flat(node), text
    assert shape(read) == shape(node)

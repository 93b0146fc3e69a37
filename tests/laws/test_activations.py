"""The table of activations keeps its word: each claim of an entry is held against its definition.

The truth here is the definition alone, evaluated by mpmath, and difference quotients of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import formula_values
import mpmath
import pytest
import sympy
from exact import Env, real
from mpmath import mpf

from symbackprop.algebra import formula as f
from symbackprop.model.activations import ACTIVATIONS, Activation, Kink
from symbackprop.notation.notation import name_latex
from symbackprop.notation.scalar_reader import read_scalar

Real = Callable[[Any], mpf]
DEFINED = [a for a in ACTIVATIONS.values() if a.definition is not None]
z = f.Function.argument
POINTS = [mpf(n) / 8 for n in (-75, -41, -29, -17, -9, -3, 1, 5, 7, 13, 23, 27, 39, 53, 77)]
H = mpf(2) ** -100
STEEPEST = 4  # no derivative in the table changes faster than this, but where it jumps


@pytest.fixture(autouse=True)
def _sixty_digits() -> Iterator[None]:
    with mpmath.workdps(60):
        yield


@cache
def numeric(definition: sympy.Expr) -> Real:
    return sympy.lambdify(z, definition, "mpmath")


def number(e: sympy.Expr) -> mpf:
    return mpf(str(sympy.N(e, 60)).replace("oo", "inf"))


def slope(function: Real, x: mpf, h: mpf) -> mpf:
    """The difference quotient from x to x + h; right to about |h|."""
    return (function(x + h) - function(x)) / h


def central(function: Real, x: mpf) -> mpf:
    """The central difference quotient; right to about H^2, which leaves 35 digits and more."""
    return (function(x + mpf(10) ** -19) - function(x - mpf(10) ** -19)) / (2 * mpf(10) ** -19)


def derived(entry: Activation) -> Real:
    """The derivative that the package takes."""
    derivative = entry.function.derivative()
    assert derivative is not None
    return numeric(derivative)


def scalar_value(node: f.Formula, **values: Any) -> mpf:
    return real(formula_values.value(node, Env({name: [[v]] for name, v in values.items()})).item())


def check_derivative(entry: Activation) -> None:
    """Function.derivative is the derivative of the definition."""
    function, rate = numeric(entry.definition), derived(entry)
    for x in POINTS:
        assert abs(rate(x) - central(function, x)) < mpf(10) ** -30, x


def check_rate(entry: Activation) -> None:
    """The claim f'(z) = rate(f(z), z), to 40 digits."""
    assert entry.rate is not None
    function, rate = numeric(entry.definition), derived(entry)
    for x in POINTS:
        assert abs(scalar_value(entry.rate, a=function(x), z=x) - rate(x)) < mpf(10) ** -40, x


def check_rate_in_symbols(entry: Activation) -> None:
    assert entry.rate is not None
    claimed = formula_at(entry.rate, entry.definition)
    difference = (claimed - sympy.diff(entry.definition, z)).rewrite(sympy.exp)
    assert sympy.cancel(sympy.together(difference.subs(sympy.exp(-z), 1 / sympy.exp(z)))) == 0


def formula_at(node: f.Formula, a: sympy.Expr) -> sympy.Expr:
    """A rational formula in a, as SymPy in z."""
    match node:
        case f.Number(value):
            return sympy.Rational(value.numerator, value.denominator)
        case f.Symbol("a"):
            return a
        case f.Negative(arg):
            return -formula_at(arg, a)
        case f.Add(terms):
            return sympy.Add(*(formula_at(t, a) for t in terms))
        case f.Hadamard(factors):
            return sympy.Mul(*(formula_at(u, a) for u in factors))
        case f.Power(base, exponent):
            return formula_at(base, a) ** formula_at(exponent, a)
        case f.Quotient(top, bottom):
            return formula_at(top, a) / formula_at(bottom, a)
    pytest.skip(f"{type(node).__name__} is not rational")


def check_kinks(entry: Activation) -> None:
    """At each kink the slopes from both sides differ, and the derivative has the value that is stated."""
    function, rate = numeric(entry.definition), derived(entry)
    for kink in entry.kinks:
        at = number(kink.at)
        assert abs(slope(function, at, H) - slope(function, at, -H)) > mpf(10) ** -3, kink
        assert rate(at) == pytest.approx(number(kink.rate), abs=1e-40), kink


def check_no_other_kinks(entry: Activation) -> None:
    """At every eighth, and at every border of a piece, the slopes of both sides agree; between, f' does not jump."""
    function, rate = numeric(entry.definition), derived(entry)
    kinks = [number(kink.at) for kink in entry.kinks]
    relations = [r.lhs - r.rhs for r in entry.definition.atoms(sympy.core.relational.Relational)]
    borders = [number(-side.subs(z, 0) / sympy.diff(side, z)) for side in relations]
    grid = sorted({mpf(n) / 8 for n in range(-80, 81)} | set(borders))
    for x in grid:
        if all(abs(x - kink) > H for kink in kinks):
            assert abs(slope(function, x, H) - slope(function, x, -H)) < mpf(10) ** -25, x
    for left, right in pairwise(grid):
        fine = [left + (right - left) * n / 4 for n in range(5)]
        for u, v in pairwise(fine):
            if not any(u <= kink <= v for kink in kinks):
                assert abs(rate(v) - rate(u)) <= STEEPEST * (v - u), (u, v)


def check_written(entry: Activation) -> None:
    """The LaTeX reads as the definition, to 25 digits, also at the kinks."""
    constants = {name_latex(name): f.scalar(value) for name, value in entry.constants}
    read = read_scalar(entry.written, {"z": f.Symbol("z"), **constants})
    function = numeric(entry.definition)
    for x in [*POINTS, *(number(kink.at) for kink in entry.kinks)]:
        want = function(x)
        assert abs(scalar_value(read, z=x) - want) <= mpf(10) ** -25 * max(1, abs(want)), x


def check_bounds(entry: Activation) -> None:
    """The output lies strictly between low and high, far out too, and comes near each bound that is stated."""
    function = numeric(entry.definition)
    values = [function(x) for x in [*POINTS, mpf(-60), mpf(60)]]
    low, high = number(entry.low), number(entry.high)
    assert all(low < v < high for v in values)
    assert not mpmath.isfinite(low) or min(values) - low < mpf("0.3")
    assert not mpmath.isfinite(high) or high - max(values) < mpf("0.3")


LAWS = (check_derivative, check_kinks, check_no_other_kinks, check_written, check_bounds)


@pytest.mark.parametrize("entry", DEFINED, ids=lambda a: a.name)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_an_activation_keeps_its_word(law: Callable[[Activation], None], entry: Activation) -> None:
    law(entry)


@pytest.mark.parametrize("entry", [a for a in DEFINED if a.rate is not None], ids=lambda a: a.name)
@pytest.mark.parametrize("law", [check_rate, check_rate_in_symbols], ids=lambda law: law.__name__)
def test_a_rate_is_the_derivative(law: Callable[[Activation], None], entry: Activation) -> None:
    law(entry)


def test_names_are_the_keys() -> None:
    assert all(name == entry.name for name, entry in ACTIVATIONS.items())
    assert len({entry.definition for entry in DEFINED}) == len(DEFINED)


A = f.Symbol("a")
SIGMOID, TANH, RELU, IDENTITY = (ACTIVATIONS[name] for name in ("sigmoid", "tanh", "relu", "identity"))
PLANTED: dict[str, tuple[Callable[[Activation], None], Activation]] = {
    "rate a (1 + a)": (check_rate, replace(SIGMOID, rate=A * (1 + A))),
    "rate a (1 + a), in symbols": (check_rate_in_symbols, replace(SIGMOID, rate=A * (1 + A))),
    "rate 1 - a": (check_rate, replace(TANH, rate=1 - A)),
    "a kink where there is none": (check_kinks, replace(IDENTITY, kinks=(Kink(sympy.S.Zero, sympy.S.One),))),
    "another value at the kink": (check_kinks, replace(RELU, kinks=(Kink(sympy.S.Zero, sympy.S.One),))),
    "a kink left out": (check_no_other_kinks, replace(RELU, kinks=())),
    "a kink off the grid": (
        check_no_other_kinks,
        replace(RELU, kinks=(), definition=sympy.Piecewise((z - sympy.Rational(1, 3), 3 * z > 1), (0, True))),
    ),
    "another definition in print": (check_written, replace(SIGMOID, written=r"\frac{1}{1 + e^{z}}")),
    "a bound that is passed": (check_bounds, replace(TANH, low=sympy.S.Zero)),
    "a bound that is reached": (check_bounds, replace(RELU, low=sympy.S.Zero)),
    "a bound far away": (check_bounds, replace(SIGMOID, high=sympy.Integer(2))),
}


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_planted_mistake_in_an_activation_is_noticed(mistake: str) -> None:
    law, entry = PLANTED[mistake]
    with pytest.raises(AssertionError):
        law(entry)


def test_a_wrong_derivative_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f.Function, "derivative", lambda self, order=1: self.definition)
    with pytest.raises(AssertionError):
        check_derivative(SIGMOID)

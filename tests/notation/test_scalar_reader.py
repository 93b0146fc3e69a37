"""The scalar reader: every expected formula is written by hand, with constructors where brackets or order matter."""

import math
from collections.abc import Callable
from fractions import Fraction

import pytest
import sympy

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
    Symbol,
    formula,
)
from symbackprop.algebra.functions import (
    ABS,
    COSH,
    ERF,
    EXP,
    LOG,
    POSITIVE_PART,
    SIGN,
    SIN,
    SQRT,
    STEP,
    TANH,
    exp,
    log,
)
from symbackprop.notation.scalar_reader import PI, read_scalar
from symbackprop.notation.scalar_tokens import tokenize

z, a, y = Symbol("z"), Symbol("a"), Symbol("y")
ALPHA, Y_HAT, Y_D, A_L = Scalar("alpha"), Symbol("p"), Symbol("y_d"), Symbol("a", layer=sympy.Symbol("L"))
SYMBOLS: dict[str, Formula] = {"z": z, "a": a, "y": y, r"\alpha": ALPHA, r"\hat{y}": Y_HAT, "y_d": Y_D, "a^{[L]}": A_L}
SIGMA = Function("sigma", r"\sigma", 1 / (1 + sympy.exp(-Function.argument)))
SWISH = Function("swish", r"\operatorname{swish}")
FUNCTIONS = {r"\sigma": SIGMA, "g": SWISH, r"\operatorname{swish}": SWISH}


def n(numerator: int | str, denominator: int = 1) -> Formula:
    return Number(Fraction(numerator) / denominator)


def over(numerator: Formula | int, denominator: Formula | int) -> Formula:
    return Quotient(formula(numerator), formula(denominator))


def times(*factors: Formula | int) -> Formula:
    return Hadamard(tuple(map(formula, factors)))


def plus(*terms: Formula | int) -> Formula:
    return Add(tuple(map(formula, terms)))


def power(base: Formula | int, exponent: Formula | int) -> Formula:
    return Power(formula(base), formula(exponent))


def minus(arg: Formula | int) -> Formula:
    return Negative(formula(arg))


TABLE: list[tuple[str, Formula]] = [
    # sums, signs, brackets
    ("z", z),
    ("+z", z),
    ("a - y + z", plus(a, minus(y), z)),
    ("a - (y + z)", plus(a, minus(plus(y, z)))),
    ("(a + y) + z", plus(plus(a, y), z)),
    ("-a y", minus(times(a, y))),
    ("a(-y)", times(a, minus(y))),
    ("-a^2", minus(power(a, 2))),
    (r"\left\{ a - [y] \right\}", plus(a, minus(y))),
    # products and quotients
    (r"a \cdot y z", times(a, y, z)),
    (r"a(y z)", times(a, times(y, z))),
    (r"2 * a \times y \odot z", times(2, a, y, z)),
    ("z(1-z)", times(z, plus(1, minus(z)))),
    (r"\frac{z}{1+e^{-z}}", over(z, plus(1, exp(minus(z))))),
    (r"\tfrac12 (a-y)^2", times(over(1, 2), power(plus(a, minus(y)), 2))),
    (r"\dfrac a{2}", over(a, 2)),
    (r"\frac{\tfrac 1 2}{z}", over(over(1, 2), z)),
    ("a y / z", over(times(a, y), z)),
    (r"a / y \cdot z / 2", times(over(a, y), over(z, 2))),
    ("1 / (2 z)", over(1, times(2, z))),
    # numbers and constants
    ("0.044715z^3", times(n("0.044715"), power(z, 3))),
    (".5 z", times(n(1, 2), z)),
    ("007", n(7)),
    (r"2\pi", times(2, PI)),
    (r"\alpha z", times(ALPHA, z)),
    # powers
    ("z^{10}", power(z, 10)),
    ("z^{-1}", power(z, minus(1))),
    (r"(1+z)^{\frac12}", power(plus(1, z), over(1, 2))),
    ("{a}^2", power(a, 2)),
    ("(a^2)^3", power(power(a, 2), 3)),
    ("2^z", power(2, z)),
    ("e^z", exp(z)),
    ("e^{z^2}", exp(power(z, 2))),
    (r"\mathrm{e}^{-z} y", times(exp(minus(z)), y)),
    ("(e^z)^2", power(exp(z), 2)),
    # names
    (r"\hat y - \hat{y}", plus(Y_HAT, minus(Y_HAT))),
    (r"\hat{\mathbf{y}}^2", power(Y_HAT, 2)),
    (r"y y_d - y_{d}^2", plus(times(y, Y_D), minus(power(Y_D, 2)))),
    (r"a a^{[L]}", times(a, A_L)),
    (r"\mathbf{z} + \mathbf az", plus(z, times(a, z))),
    # functions
    (
        r"-\left(y \log a + (1-y)\log(1-a)\right)",
        minus(plus(times(y, log(a)), times(plus(1, minus(y)), log(plus(1, minus(a)))))),
    ),
    (r"\ln(1+e^z)", log(plus(1, exp(z)))),
    (r"\log a + 1", plus(log(a), 1)),
    (r"y \log a (1-y)", times(y, log(a), plus(1, minus(y)))),
    (r"\log 2 a^2 \frac{y}{2} + 1", plus(log(times(2, power(a, 2), over(y, 2))), 1)),
    (r"\log a \log y", times(log(a), log(y))),
    (r"\log a \cdot y", times(log(a), y)),
    (r"\log a / \log y", over(log(a), log(y))),
    (r"\log\cosh(a-y)", log(Map(COSH, plus(a, minus(y))))),
    (r"\log{a} (1-y)", times(log(a), plus(1, minus(y)))),
    (r"\log |z|^2", log(power(Map(ABS, z), 2))),
    (r"\exp\left(-z\right)", exp(minus(z))),
    (r"\exp[z] y", times(exp(z), y)),
    (r"\log{(1-a)} y", times(log(plus(1, minus(a))), y)),
    (r"e^{(a - y) z}", exp(times(plus(a, minus(y)), z))),
    (r"z^{-\frac{1001}{2}}", power(z, minus(over(1001, 2)))),
    (r"\tanh^2(z)", power(Map(TANH, z), 2)),
    (r"\tanh(z)^2", power(Map(TANH, z), 2)),
    (r"\sin^{2} z", power(Map(SIN, z), 2)),
    (r"\operatorname{erf} z - \mathrm{erf}(z)", plus(Map(ERF, z), minus(Map(ERF, z)))),
    (r"\operatorname{sgn}(z)", Map(SIGN, z)),
    (r"\sqrt2 z", times(Map(SQRT, n(2)), z)),
    (r"\sqrt{z^2 + 1} - 1", plus(Map(SQRT, plus(power(z, 2), 1)), minus(1))),
    (
        r"\frac{z}{2}\left(1+\tanh\left(\sqrt{\frac{2}{\pi}}(z+0.044715z^3)\right)\right)",
        times(
            over(z, 2),
            plus(
                1,
                Map(TANH, times(Map(SQRT, over(2, PI)), plus(z, times(n("0.044715"), power(z, 3))))),
            ),
        ),
    ),
    # declared functions, derivatives
    (r"z \cdot \sigma(z)", times(z, Map(SIGMA, z))),
    (r"\sigma'(z) z", times(Map(SIGMA, z, 1), z)),
    (r"\tanh''^2(z)", power(Map(TANH, z, 2), 2)),
    (r"g \sigma(z) + \mathrm{swish}(z)", plus(Map(SWISH, Map(SIGMA, z)), Map(SWISH, z))),
    # bars, positive part, indicator
    ("|a-y|", Map(ABS, plus(a, minus(y)))),
    (r"\lvert a-y\rvert^2", power(Map(ABS, plus(a, minus(y))), 2)),
    (r"y\left|a\right|z", times(y, Map(ABS, a), z)),
    ("|a||y|", times(Map(ABS, a), Map(ABS, y))),
    ("||a| - |y||", Map(ABS, plus(Map(ABS, a), minus(Map(ABS, y))))),
    (r"\max(0, z)", Map(POSITIVE_PART, z)),
    (r"\max\{z - \alpha, 0\}^2", power(Map(POSITIVE_PART, plus(z, minus(ALPHA))), 2)),
    (r"\max\bigl(0, \max(0, z)\bigr)", Map(POSITIVE_PART, Map(POSITIVE_PART, z))),
    (r"\mathbb{1}[z>0]", Map(STEP, z)),
    (r"z \mathbb 1_{0 < z}", times(z, Map(STEP, z))),
    (r"\mathbf{1}(a \gt y)", Map(STEP, plus(a, minus(y)))),
    (r"\mathbb{I}\{z < 0\}", Map(STEP, minus(z))),
    (r"\mathbb{1}[z \geq 0]", plus(1, minus(Map(STEP, minus(z))))),
    # what carries no meaning
    ("\\displaystyle a\\,\\;\\!\\quad \\Big( y~z \\Big)\n", times(a, times(y, z))),
]


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[text for text, _ in TABLE])
def test_reads_exactly(text: str, expected: Formula) -> None:
    assert read_scalar(text, SYMBOLS, FUNCTIONS) == expected


KNOWN: dict[Function, Callable[[float], float]] = {
    **{EXP: math.exp, LOG: math.log, TANH: math.tanh, SQRT: math.sqrt, COSH: math.cosh, ABS: abs},
    **{STEP: lambda u: float(u > 0), POSITIVE_PART: lambda u: max(u, 0.0)},
}


def value(node: Formula, at: dict[Formula, float]) -> float:
    match node:
        case Number(number):
            return float(number)
        case Negative(arg):
            return -value(arg, at)
        case Add(terms):
            return sum(value(term, at) for term in terms)
        case Hadamard(factors):
            return math.prod(value(factor, at) for factor in factors)
        case Quotient(top, bottom):
            return value(top, at) / value(bottom, at)
        case Power(base, exponent):
            return float(value(base, at) ** value(exponent, at))
        case Map(function, arg, 0):
            return KNOWN[function](value(arg, at))
    return math.pi if node == PI else at[node]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"z/2 - 3 \cdot y^2", -11.25),  # 0.75 - 12
        (r"-y^2 (z - 1)", -2.0),  # -4 * 0.5
        (r"2^{-y}", 0.25),
        (r"\frac12 \frac{y}{z}", 2 / 3),
        (r"\mathbb{1}[y \ge 2] + \mathbb{1}[y > 2] + 10\,\mathbb{1}[y \le 2] + \mathbb{1}[y < 2]", 11.0),
        (r"\max(0, z - y) + \max(z - 1, 0)", 0.5),
        (r"\log 2 y - \log(4)", 0.0),
        (r"\ln e^{y} z", 2.4054651081081646),  # ln(e^y z) = 2 + ln 1.5
        (r"\log \frac{y}{z} + \tanh^2(0)", 0.28768207245178085),  # log(4/3)
        (r"\frac{1}{\sqrt{2 \pi}} e^{-\frac{1}{2} y^2}", 0.05399096651318806),  # the normal density at 2
        (r"|z - y| y", 1.0),
        (r"\log\cosh(0 \cdot z)", 0.0),
    ],
)
def test_values(text: str, expected: float) -> None:
    assert value(read_scalar(text, SYMBOLS), {z: 1.5, y: 2.0}) == pytest.approx(expected, abs=1e-15)


def test_e_and_pi_can_be_declared() -> None:
    assert read_scalar("e^2 + e", {"e": a}) == plus(power(a, 2), a)
    assert read_scalar(r"\pi", {r"\pi": y}) == y


def test_two_spellings_of_one_name_agree() -> None:
    assert read_scalar(r"\hat y", {r"\hat y": z, r"\hat{y}": z}) == z


def test_tokens_of_two_spellings_are_the_same() -> None:
    left, right = tokenize(r"\dfrac12 \hat y_d"), tokenize(r"\frac{1}{2} \hat{\mathbf{y}}_{d}")
    assert [token.text for token in left] == [token.text for token in right]

"""The scalar reader: every expected formula is written by hand, with constructors where brackets or order matter."""

import math
import pickle
import time
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

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
    rewrite,
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
from symbackprop.errors import NotationError, Position
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
            known = {EXP: math.exp, LOG: math.log, TANH: math.tanh, SQRT: math.sqrt, COSH: math.cosh, ABS: abs}
            known |= {STEP: lambda u: float(u > 0), POSITIVE_PART: lambda u: max(u, 0.0)}
            return float(known[function](value(arg, at)))
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


REFUSED: list[tuple[str, int, str]] = [
    ("", 1, "expected a number, a name or a bracket, not the end"),
    ("a +", 4, "not the end"),
    ("a - -y", 5, "a sign after another sign"),
    (r"a \cdot -y", 9, "needs brackets"),
    ("a = y", 3, "without an = sign"),
    ("(a + y", 7, "expected ) for the ( in line 1, column 1, not the end"),
    ("(a + y]", 7, "expected ) for the ( in line 1, column 1, not ']'"),
    ("a)", 2, "')' is out of place"),
    ("{a", 1, "not closed"),
    ("a}", 2, "closes nothing"),
    (r"\mathbf{a", 8, "not closed"),
    ("a × y", 3, "unexpected character '×'"),
    ("a! + y", 2, "'!' is out of place"),
    ("1,000", 2, "','"),
    # names
    ("a + w z", 5, "'w' is not declared; declare it, or use 'z', 'a'"),
    ("y_k", 1, "'y_{k}' is not declared; did you mean 'y_d'?"),
    (r"a\hat{a}", 2, r"'\hat{a}' is not declared; did you mean '\hat{y}'?"),
    (r"\alpa", 1, r"did you mean '\alpha'?"),
    (r"\tan z", 1, r"did you mean '\tanh'?"),
    ("log(a)", 1, r"write \log"),
    ("a max(0, z)", 3, r"write \max"),
    ("exp(-z)", 1, r"write \exp"),
    ("z'", 2, "'z' is no function; a prime belongs to a function"),
    (r"\sum_i a", 1, r"'\sum_{i}' is not declared"),
    (r"\begin{cases} z & z > 0 \end{cases}", 1, r"write cases with \max(0, u)"),
    (r"\min(0, z)", 1, r"v - \max(0, v - u)"),
    # powers
    ("z^10", 3, "^{...}"),
    ("z^-1", 3, "^{...}"),
    ("y_12", 3, "_{...}"),
    ("z^{2}^{3}", 6, "write brackets"),
    ("z^{(2)}", 4, "a superscript in brackets is a layer"),
    ("z^{[2]}", 4, "a superscript in brackets is a layer"),
    ("z^{2^3}", 4, "write the number"),
    ("e", 1, "write e^{1}"),
    ("1e-7", 2, "10^{-7}"),
    ("{a - y}^2", 4, "braces do not show"),
    # ambiguous
    ("1/2 z", 2, r"write \frac or brackets"),
    ("a/y/z", 2, r"write \frac or brackets"),
    ("z 2", 3, "a number directly after a factor"),
    (r"\log 2 3", 8, "a number directly after a factor"),
    (r"\log 2\sqrt{z}", 7, r"where does the argument of \log end"),
    (r"\log 2|z|", 7, r"where does the argument of \log end"),
    (r"\log|z| y", 9, r"where does the argument of \log end"),
    (r"\log{a} y", 9, r"where does the argument of \log end"),
    (r"\log{a}^2", 8, r"where does the argument of \log end"),
    (r"\log{1-a}", 7, "write brackets around the argument"),
    (r"\tanh^{-1}(z)", 11, "the inverse for some"),
    # functions
    (r"\log -a", 6, r"\log needs an argument, not '-'"),
    (r"\log", 5, "needs an argument, not the end"),
    (r"\log_2 a", 5, "takes no base"),
    ("g + 1", 3, "g needs an argument"),
    (r"\frac{a}", 9, r"\frac{...}"),
    (r"\frac{a}{}", 10, "expected a number"),
    (r"\sqrt(z)", 6, r"\sqrt{...}"),
    (r"\sqrt[3]{z}", 6, r"\sqrt{...}"),
    (r"\max(z, y)", 5, r"v + \max(0, u - v)"),
    (r"\max(z)", 7, "expected a comma"),
    (r"\max z", 6, "two arguments in brackets"),
    (r"\mathbb{1} z", 12, "needs a condition"),
    (r"\mathbb{1}[z]", 13, "expected a comparison"),
    (r"\mathbb{1}[z = 0]", 14, "expected a comparison"),
    # sizes
    ("1" * 41, 1, "more than 40 digits"),
    ("z^{1001}", 4, "beyond 1000"),
    ("e^{-1000.5}", 4, "beyond 1000"),
    (r"z^{\frac{3000}{2}}", 4, "beyond 1000"),
    ("(z^{100})^{11}", 1, "powers of powers beyond 1000"),
    ("a" + "+a" * 5000, 1, "more than 10000 characters"),
    ("(" * 60 + "a" + ")" * 60, 51, "more than 50 nested"),
    (r"\sigma" + "'" * 11 + "(z)", 18, "more than 10 primes"),
]


@pytest.mark.parametrize(("text", "column", "message"), REFUSED, ids=[text[:30] for text, _, _ in REFUSED])
def test_refuses(text: str, column: int, message: str) -> None:
    with pytest.raises(NotationError) as caught:
        read_scalar(text, SYMBOLS, FUNCTIONS)
    assert message in caught.value.message
    assert caught.value.position == Position(1, column)


def test_positions_count_lines() -> None:
    with pytest.raises(NotationError) as caught:
        read_scalar("a +\n  \\left( y\n - w \\right)", SYMBOLS)
    assert caught.value.position == Position(3, 4)


def test_e_and_pi_can_be_declared() -> None:
    assert read_scalar("e^2 + e", {"e": a}) == plus(power(a, 2), a)
    assert read_scalar(r"\pi", {r"\pi": y}) == y


@pytest.mark.parametrize(
    ("symbols", "functions", "message"),
    [
        ({"": z}, {}, "an empty name"),
        ({"{z": z}, {}, "'{z' cannot be read"),
        ({r"\hat y": z, r"\hat{\mathbf{y}}": a}, {}, "are one name"),
        ({"g": z}, {"g": SIGMA}, "as a symbol and as a function"),
    ],
)
def test_refuses_declarations(symbols: dict[str, Formula], functions: dict[str, Function], message: str) -> None:
    with pytest.raises(NotationError, match=message):
        read_scalar("z", symbols, functions)


def test_two_spellings_of_one_name_agree() -> None:
    assert read_scalar(r"\hat y", {r"\hat y": z, r"\hat{y}": z}) == z


DEEPEST = r"-a\cdot a/(1-\tanh^2" * 24 + "(z)" + ")^2" * 24


@pytest.mark.parametrize(
    "text",
    [
        DEEPEST,
        "(" * 49 + "a" + ")" * 49,
        r"\log" * 2400 + "a",
        "|" * 9999,
        "{" * 9999,
        r"\mathbf{" * 1200,
        "a+" * 4999 + "a",
        "a" * 10_000,
        "a/" * 4999 + "a",
        "a^{" * 3000,
        r"\frac" * 2000,
        r"\frac1" * 1600,
        "9" * 10_000,
        "-" * 10_000,
        r"\operatorname" + " " * 9000,
        r"\mathbb{1}[" * 900,
        "w" * 10_000,
        "'" * 10_000,
        r"\sigma" + "'" * 9000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_ends_soon_and_leaves_usable_formulas(text: str) -> None:
    started = time.monotonic()
    try:
        read = read_scalar(text, SYMBOLS, FUNCTIONS)
    except NotationError as error:
        assert error.position is not None
        assert len(error.message) < 300
        assert "\n" not in error.message
    else:
        assert rewrite(read, lambda node: node) == read
        assert hash(read) == hash(pickle.loads(pickle.dumps(read)))
    assert time.monotonic() - started < 5


WORDS = [
    *r"a y z e w 2 0.5 + - * / ^ _ ( ) [ ] { } | , < > = ' \{ \} \left \right \, ~ ! & \ ".split(),
    "\n",
    "^2",
    "_d",
]
WORDS += (
    r"\frac \tfrac12 \sqrt \log \tanh \exp \max \max(0, \mathbb{1} \mathbb{1}[ \ge \hat \hat{y} \mathbf \cdot".split()
)
WORDS += r"\sigma \operatorname{erf} \operatorname \pi \left| \right| \lvert \rvert \alpha \begin e^{ ^{ _{ (1- \log{".split()


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25).flatmap(lambda w: st.sampled_from(["".join(w), " ".join(w)])))
def test_any_soup_of_words_is_read_or_refused(text: str) -> None:
    try:
        read = read_scalar(text, SYMBOLS, FUNCTIONS)
    except NotationError as error:
        assert error.position is not None
        lines = text.split("\n")
        assert 1 <= error.position.line <= len(lines)
        assert 1 <= error.position.column <= len(lines[error.position.line - 1]) + 1
    else:
        assert isinstance(read, Formula)


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(read_scalar(text, SYMBOLS, FUNCTIONS), Formula)
    except NotationError as error:
        assert "\n" not in error.message


ATOMS = st.sampled_from([("z", z), ("a", a), (r"\hat{y}", Y_HAT), ("y_d", Y_D), ("2", n(2)), ("0.5", n(1, 2))])


def _compound(inner: st.SearchStrategy[tuple[str, Formula]]) -> st.SearchStrategy[tuple[str, Formula]]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(lambda p: (f"({p[0][0]}) + ({p[1][0]})", plus(p[0][1], p[1][1]))),
        pair.map(lambda p: (f"({p[0][0]}) - ({p[1][0]})", plus(p[0][1], minus(p[1][1])))),
        pair.map(lambda p: (f"({p[0][0]})({p[1][0]})", times(p[0][1], p[1][1]))),
        pair.map(lambda p: (rf"\frac{{{p[0][0]}}}{{{p[1][0]}}}", over(p[0][1], p[1][1]))),
        pair.map(lambda p: (f"({p[0][0]})/({p[1][0]})", over(p[0][1], p[1][1]))),
        inner.map(lambda p: (f"-({p[0]})", minus(p[1]))),
        inner.map(lambda p: (rf"\left({p[0]}\right)^{{3}}", power(p[1], 3))),
        inner.map(lambda p: (rf"\tanh({p[0]})", Map(TANH, p[1]))),
        inner.map(lambda p: (rf"\left|{p[0]}\right|", Map(ABS, p[1]))),
        inner.map(lambda p: (rf"\max(0, {p[0]})", Map(POSITIVE_PART, p[1]))),
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(ATOMS, _compound, max_leaves=12))
def test_bracketed_formulas_of_any_shape_come_back(written: tuple[str, Formula]) -> None:
    text, expected = written
    if text.count("^{3}") <= 6:  # 3^6 < 1000 < 3^7
        assert read_scalar(text, SYMBOLS) == expected


def test_tokens_of_two_spellings_are_the_same() -> None:
    left, right = tokenize(r"\dfrac12 \hat y_d"), tokenize(r"\frac{1}{2} \hat{\mathbf{y}}_{d}")
    assert [token.text for token in left] == [token.text for token in right]

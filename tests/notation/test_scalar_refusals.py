"""What the scalar reader refuses, where and why; and that it answers or refuses, soon, whatever it is given."""

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
    Symbol,
    rewrite,
)
from symbackprop.algebra.functions import ABS, POSITIVE_PART, TANH
from symbackprop.errors import NotationError, Position
from symbackprop.notation.scalar_reader import read_scalar

z, a, y, Y_HAT, Y_D = Symbol("z"), Symbol("a"), Symbol("y"), Symbol("p"), Symbol("y_d")
SYMBOLS: dict[str, Formula] = {"z": z, "a": a, "y": y, r"\alpha": Symbol("alpha"), r"\hat{y}": Y_HAT, "y_d": Y_D}
SIGMA = Function("sigma", r"\sigma", 1 / (1 + sympy.exp(-Function.argument)))
FUNCTIONS = {r"\sigma": SIGMA, "g": Function("swish", "g")}


def outcome(text: str) -> Formula | NotationError:
    try:
        return read_scalar(text, SYMBOLS, FUNCTIONS)
    except NotationError as error:
        return error


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
    (r"\log 2 3", 8, r"where does the argument of \log end"),
    (r"\log|a||z|", 8, r"where does the argument of \log end"),
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
    read = outcome(text)
    if isinstance(read, NotationError):
        assert read.position is not None
        assert len(read.message) < 300
        assert "\n" not in read.message
    else:
        assert rewrite(read, lambda node: node) == read
        assert hash(read) == hash(pickle.loads(pickle.dumps(read)))
    assert time.monotonic() - started < 5


SOUP = r"""a y z e w 2 0.5 + - * / ^ _ ( ) [ ] { } | , < > = ' \{ \} \left \right \, ~ ! & \ ^2 _d e^{ ^{ _{ (1- \log{
\frac \tfrac12 \sqrt \log \tanh \exp \max \max(0, \mathbb{1} \mathbb{1}[ \ge \hat \hat{y} \mathbf \cdot \sigma \alpha
\operatorname{erf} \operatorname \pi \left| \right| \lvert \rvert \begin"""
WORDS = [*SOUP.split(), "\n"]


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25).flatmap(lambda w: st.sampled_from(["".join(w), " ".join(w)])))
def test_any_soup_of_words_is_read_or_refused(text: str) -> None:
    read = outcome(text)
    if isinstance(read, NotationError):
        assert read.position is not None
        lines = text.split("\n")
        assert 1 <= read.position.line <= len(lines)
        assert 1 <= read.position.column <= len(lines[read.position.line - 1]) + 1


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    read = outcome(text)
    assert isinstance(read, Formula) or "\n" not in read.message


TWO, HALF = Number(Fraction(2)), Number(Fraction(1, 2))
ATOMS = st.sampled_from([("z", z), ("a", a), (r"\hat{y}", Y_HAT), ("y_d", Y_D), ("2", TWO), ("0.5", HALF)])


def _compound(inner: st.SearchStrategy[tuple[str, Formula]]) -> st.SearchStrategy[tuple[str, Formula]]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(lambda p: (f"({p[0][0]}) + ({p[1][0]})", Add((p[0][1], p[1][1])))),
        pair.map(lambda p: (f"({p[0][0]}) - ({p[1][0]})", Add((p[0][1], Negative(p[1][1]))))),
        pair.map(lambda p: (f"({p[0][0]})({p[1][0]})", Hadamard((p[0][1], p[1][1])))),
        pair.map(lambda p: (rf"\frac{{{p[0][0]}}}{{{p[1][0]}}}", Quotient(p[0][1], p[1][1]))),
        pair.map(lambda p: (f"({p[0][0]})/({p[1][0]})", Quotient(p[0][1], p[1][1]))),
        inner.map(lambda p: (f"-({p[0]})", Negative(p[1]))),
        inner.map(lambda p: (rf"\left({p[0]}\right)^{{3}}", Power(p[1], Number(Fraction(3))))),
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

"""The Python reader: every expected formula is built by hand; what it refuses and where; hostile and random text."""

import pickle
import time
import warnings
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symbackprop.algebra.formula import (
    Add,
    Diagonal,
    Formula,
    Function,
    Hadamard,
    Map,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Scalar,
    Symbol,
    Total,
    Transpose,
    rewrite,
)
from symbackprop.algebra.functions import ABS, EXP, LOG, POSITIVE_PART, STEP, TANH
from symbackprop.errors import NotationError, Position
from symbackprop.notation.python_reader import read_python

n0, n1, n2, size = sympy.symbols("n_0 n_1 n_2 m")
L1, L2 = sympy.Integer(1), sympy.Integer(2)
W2, A1, A2, Y = (
    Symbol("W", (n2, n1), L2),
    Symbol("A", (n1, size), L1),
    Symbol("A", (n2, size), L2),
    Symbol("Y", (n2, size)),
)
Delta2, Z1 = Symbol("Delta", (n2, size), L2), Symbol("Z", (n1, size), L1)
a1, delta2 = Symbol("a", (n1, L1), L1), Symbol("delta", (n2, L1), L2)
a, y, z, m, rate, delta = Symbol("a"), Symbol("y"), Symbol("z"), Scalar("m"), Scalar("lambda"), Symbol("δ")
SYMBOLS: dict[str, Formula] = {"W2": W2, "A1": A1, "A2": A2, "Y": Y, "Delta2": Delta2, "Z1": Z1, "a1": a1}
SYMBOLS |= {"delta2": delta2, "a": a, "y": y, "z": z, "m": m, "lambda": rate, "δ": delta}
SIGMA, PHI = Function("sigma", r"\sigma"), Function("phi", r"\phi")
FUNCTIONS = {"sigma": SIGMA, "phi_prime": PHI}


def n(numerator: int, denominator: int = 1) -> Number:
    return Number(Fraction(numerator, denominator))


def minus(left: Formula, right: Formula) -> Add:
    return Add((left, Negative(right)))


def outcome(text: str) -> Formula | NotationError:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the parser would warn of 1if and '\d'
        try:
            return read_python(text, SYMBOLS, FUNCTIONS)
        except NotationError as error:
            return error


TABLE: list[tuple[str, Formula]] = [
    # gradients as people write them
    ("(A2 - Y) @ A1.T / m", Quotient(Product((minus(A2, Y), Transpose(A1))), m)),
    (
        "(W2.T @ Delta2) * A1 * (1 - A1)",
        Hadamard((Product((Transpose(W2), Delta2)), A1, minus(n(1), A1))),
    ),
    ("1 / m * Delta2 @ A1.T", Product((Hadamard((Quotient(n(1), m), Delta2)), Transpose(A1)))),
    ("np.sum(Delta2, axis=1, keepdims=True) / m", Quotient(Total(Delta2, 1), m)),
    ("lambda_ * W2", Hadamard((rate, W2))),
    ("  # dW2\n  (A2 - Y)\r\n    @ A1.T  # no 1/m", Product((minus(A2, Y), Transpose(A1)))),
    # order, brackets and signs
    ("2*(a - y)", Hadamard((n(2), minus(a, y)))),
    ("a - y + z", Add((a, Negative(y), z))),
    ("a - (y - z)", minus(a, minus(y, z))),
    ("(a + y) + z", Add((Add((a, y)), z))),
    ("(a) + y + z", Add((a, y, z))),
    ("(a * y) * z", Hadamard((Hadamard((a, y)), z))),
    ("a * y / z * 2", Hadamard((Quotient(Hadamard((a, y)), z), n(2)))),
    ("a / y / z", Quotient(Quotient(a, y), z)),
    ("W2.T @ W2 @ A1", Product((Transpose(W2), W2, A1))),
    ("W2.T @ (W2 @ A1)", Product((Transpose(W2), Product((W2, A1))))),
    ("-a * y", Hadamard((Negative(a), y))),
    ("-(a * y)", Negative(Hadamard((a, y)))),
    ("+a - -y", minus(a, Negative(y))),
    ("δ*y", Hadamard((delta, y))),
    # numbers and powers
    ("0.1", n(1, 10)),
    ("1_000 * .5 + 2.", Add((Hadamard((n(1000), n(1, 2))), n(2)))),
    ("1e-7", n(1, 10**7)),
    ("a**2", Power(a, n(2))),
    ("-a**-2", Negative(Power(a, Negative(n(2))))),
    ("a**(1/2) * a**-(1/2)", Hadamard((Power(a, Quotient(n(1), n(2))), Power(a, Negative(Quotient(n(1), n(2))))))),
    ("a**m**2", Power(a, Power(m, n(2)))),
    ("np.square(a) + np.power(a, 3)", Add((Power(a, n(2)), Power(a, n(3))))),
    # functions and their derivatives
    ("np.exp(z)", Map(EXP, z)),
    ("numpy.log(a) * log(a)", Hadamard((Map(LOG, a), Map(LOG, a)))),
    ("1 - np.tanh(z)**2", minus(n(1), Power(Map(TANH, z), n(2)))),
    ("np.abs(a) + np.absolute(y)", Add((Map(ABS, a), Map(ABS, y)))),
    ("sigma(Z1) * sigma_prime(Z1)", Hadamard((Map(SIGMA, Z1), Map(SIGMA, Z1, 1)))),
    ("d_sigma(Z1) + tanh_prime(Z1)", Add((Map(SIGMA, Z1, 1), Map(TANH, Z1, 1)))),
    ("sigma_prime_prime(z)", Map(SIGMA, z, 2)),
    ("phi_prime(z) + phi_prime_prime(z)", Add((Map(PHI, z), Map(PHI, z, 1)))),
    # comparisons
    ("(z > 0) * a", Hadamard((Map(STEP, z), a))),
    ("(0 < z) + (z < 0)", Add((Map(STEP, z), Map(STEP, Negative(z))))),
    ("z >= y", minus(n(1), Map(STEP, minus(y, z)))),
    ("(0 >= z)", minus(n(1), Map(STEP, z))),
    ("np.where(z > 0, 1.0, 0)", Map(STEP, z)),
    ("(z > 0).astype(np.float32)", Map(STEP, z)),
    ("np.maximum(z, 0) + np.maximum(0, y)", Add((Map(POSITIVE_PART, z), Map(POSITIVE_PART, y)))),
    # sums, products and shapes
    ("Delta2.sum(axis=1)", Total(Delta2, 1)),
    ("Delta2.sum(0, keepdims=False)", Total(Delta2, 0)),
    ("np.sum(Delta2, -1) + np.sum(a, axis = - 2)", Add((Total(Delta2, 1), Total(a, 0)))),
    ("(A2 * Y).sum() + np.sum(a, axis=None)", Add((Total(Hadamard((A2, Y))), Total(a)))),
    ("np.outer(delta2, a1)", Product((delta2, Transpose(a1)))),
    ("np.outer(W2 @ delta2, a)", Product((Product((W2, delta2)), Transpose(a)))),
    ("np.diag(a1)", Diagonal(a1)),
    ("np.dot(W2, A1.T) + W2.dot(A1).T", Add((Product((W2, Transpose(A1))), Transpose(Product((W2, A1)))))),
    ("np.matmul(W2, A1 @ Y)", Product((W2, Product((A1, Y))))),
    ("np.multiply(a, y) @ np.transpose(z)", Product((Hadamard((a, y)), Transpose(z)))),
    ("a.transpose().T", Transpose(Transpose(a))),
]


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[text for text, _ in TABLE])
def test_reads(text: str, expected: Formula) -> None:
    assert outcome(text) == expected


REFUSED: list[tuple[str, int, str]] = [
    ("", 1, "empty"),
    ("  # only a comment", 1, "empty"),
    ("dW2 = A2 - Y", 5, "without an = sign"),
    ("A2 == Y", 4, "without an = sign"),
    ("(A2 == Y)", 2, "cannot read 'A2==Y'"),
    ("0 < z < 1", 1, "cannot read '0<z<1'"),
    ("a +", 4, "no Python"),
    ("δ + (a y)", 6, "is an operator, * or @, missing?"),
    ("((a + y)", 1, "not closed"),
    ("a) + (y", 2, "closes nothing"),
    ("a, y", 2, "without an = sign or a comma"),
    ("a * (z, y)", 5, "cannot read '(z,y)': write + -"),
    ("a // y", 1, "cannot read 'a//y'"),
    ("True * a", 1, "cannot read 'True'"),
    ("...", 1, "cannot read '...'"),
    # names
    ("a * A3", 5, "'A3' is no declared symbol; did you mean 'A2'?"),
    ("δ * Delta", 5, "did you mean 'Delta2'?"),
    ("w2", 1, "did you mean 'W2'?"),
    ("а - y", 1, "'а' with CYRILLIC SMALL LETTER A is no declared symbol"),
    ("a + 𝐖2", 5, "has letters or digits of a special form: write 'W2'"),
    ("Ａ1", 1, "write 'A1'"),
    ("a²", 1, "write 'a2'"),
    ("a − y", 3, "write -"),
    ("a\u00a0+ y", 2, "remove it"),
    ("np.tan(z)", 4, "did you mean 'tanh'?"),
    ("δ * np.linalg.norm(a)", 15, "is no function"),
    ("sigmoid(z)", 1, "did you mean 'sigma'?"),
    ("sigma * a", 1, "'sigma' is no declared symbol"),
    ("np.exp", 4, "cannot read 'np.exp'"),
    ("W2(a)", 1, "'W2' is no function: write * or @"),
    ("2(a - y)", 1, "'2' is no function: write * or @"),
    ("sigma'(z)", 6, "sigma_prime(z)"),
    ("lambda * W2", 1, "write lambda_ for a symbol"),
    ("A1[0]", 3, "there are no entries"),
    ("a / A1.shape", 8, "cannot read 'A1.shape'"),
    ("ones", 1, "'ones' is no declared symbol"),
    ("ones((2, 1))", 1, "did you mean 'np.ones'?"),
    ("np.ones((m, 1))", 4, "no ones are read"),
    # calls
    ("np.mean(a, axis=1)", 4, "the sum over the size"),
    ("(a - y).mean()", 9, "the sum over the size"),
    ("np.sum(a, axis=2)", 4, "a sum takes an axis, 0 or 1"),
    ("np.sum(a, 1, axis=1)", 4, "a sum takes an axis, 0 or 1"),
    ("np.sum(a, keepdims=m)", 4, "a sum takes an axis, 0 or 1"),
    ("np.sum(a, **y)", 4, "a sum takes an axis, 0 or 1"),
    ("np.sum(*a)", 8, "cannot read '*a'"),
    ("np.exp(z, y)", 1, "1 argument and no options"),
    ("np.dot(z, y, out=a)", 1, "2 arguments and no options"),
    ("np.where(z > 0, a, 0)", 4, "(u > v) * yes"),
    ("np.where(z, 1, 0)", 4, "(u > v) * yes"),
    ("np.maximum(z, y)", 4, "v + np.maximum(u - v, 0)"),
    ("np.outer(Delta2, A1)", 4, "write D @ A.T for matrices"),
    ("np.outer(delta2.T, a1)", 4, "D.T @ A for rows"),
    ("np.outer(delta2, a1.T)", 4, "D.T @ A for rows"),
    ("np.where(z > 0, 1, 0, out=a)", 4, "(u > v) * yes"),
    ("(z > 0).astype(float, copy=a)", 9, "is no function"),
    ("(z > 0).astype(bool)", 9, "is no function"),
    # numbers and sizes
    ("2a", 1, "before names, write *"),
    ("a * 0x10", 5, "no decimal number"),
    ("1j", 1, "no decimal number"),
    ("1if a else y", 1, "no decimal number"),
    ("1" * 41, 1, "up to 40 digits"),
    ("1e9999", 1, "no decimal number"),
    ("0777", 1, "leading zeros"),
    ("a^2", 2, "a power is **"),
    ("a + a**1001", 5, "up to 1000"),
    ("a**-1001", 1, "up to 1000"),
    ("(a**100)**11", 1, "up to 1000"),
    ("np.power(a, 1001)", 1, "up to 1000"),
    ("a**(1/0)", 1, "up to 1000"),
    ("9**9**9", 1, "up to 1000"),
    ("a" + "+a" * 5000, 1, "more than 10000 characters"),
    ("-" * 150 + "a", 101, "more than 100 nested operations"),
    ("(" * 10_001, 1, "more than 10000 characters"),
    ("(" * 5000 + ")" * 5000, 101, "more than 100 nested brackets"),
    # what is no formula at all
    ("__import__('os').system('x')", 12, "is not read"),
    ("__import__(a)", 1, "'__import__' is no declared function"),
    ("a.__class__", 3, "cannot read 'a.__class__'"),
    ("a.__class__()", 3, "is no function"),
    ("(lambda x: x)(a)", 2, "a word of Python's own"),
    ("(x for x in a)", 4, "a word of Python's own"),
    ("[x for x in a]", 1, "there are no entries"),
    ("(b := a)", 4, "there are no entries"),
    ('f"{a}"', 2, "is not read"),
    ("a if y else z", 3, "a word of Python's own"),
    ("a and y", 3, "a word of Python's own"),
    ("a; y", 2, "is not read: remove it"),
    ("a\0", 2, "'\\x00' is not read: remove it"),
    ("a \ud800", 3, "is not read: remove it"),
    (r"\sigma(z)", 1, "LaTeX is not read here"),
]


@pytest.mark.parametrize(("text", "column", "message"), REFUSED, ids=[ascii(text)[:30] for text, _, _ in REFUSED])
def test_refuses(text: str, column: int, message: str) -> None:
    refused = outcome(text)
    assert isinstance(refused, NotationError)
    assert message in refused.message
    assert refused.position == Position(1, column)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a +\r\n  (y\n - w)", 3, 4),
        ("\n\n   w", 3, 4),
        ("a *\n# w, w\n δ.foo", 3, 4),
        ("a\n* y y", 2, 5),
        ("\n a +\n", 2, 5),
    ],
)
def test_positions_count_lines(text: str, line: int, column: int) -> None:
    refused = outcome(text)
    assert isinstance(refused, NotationError)
    assert refused.position == Position(line, column)


def test_refuses_a_name_for_two_things() -> None:
    with pytest.raises(NotationError, match="as a symbol and as a function"):
        read_python("a", {"a": a}, {"a": SIGMA})


def test_a_symbol_named_np_or_exp_is_that_symbol() -> None:
    assert read_python("np.T @ exp", {"np": a, "exp": y}) == Product((Transpose(a), y))
    for text in ("exp(exp)", "np.exp(exp)"):
        with pytest.raises(NotationError, match="exp' is no function"):
            read_python(text, {"np": a, "exp": y})


def test_a_long_sum_is_not_a_deep_one() -> None:
    assert outcome("a" + " - exp(a)" * 200) == Add((a, *[Negative(Map(EXP, a))] * 200))


def usable(read: Formula | NotationError) -> None:
    if isinstance(read, NotationError):
        assert read.position is not None
        assert len(read.message) < 300 and "\n" not in read.message
    else:
        assert rewrite(read, lambda node: node) == read
        assert hash(read) == hash(pickle.loads(pickle.dumps(read)))


NEST = [
    "-(",
    "a+(",
    "a@(y*",
    "exp(",
    "(a>=",
    "a-(y>=",
    "np.outer(a,",
    "np.maximum(0,",
    "a**(m-",
    "np.sum(",
    "np.square(",
]
LONG = [
    "a**",
    "a.T",
    "a<",
    "a*-",
    "a,",
    "a(",
    "a(b)",
    "a()",
    "a=a,",
    "np.dot(",
    "'",
    "[",
    "9",
    "9_",
    "w",
    "sigma_prime",
]
LONG += ["d_", "_prime", ".5", "\ud800", "\0", "\n", "#", "(a", "a)", "a\n", "**", "a.sum(", "a<=", "(((a)))+", "a+a*"]


@pytest.mark.parametrize("text", [word * (9999 // len(word)) for word in LONG], ids=ascii)
def test_long_text_ends_soon(text: str) -> None:
    started = time.monotonic()
    for whole in (text, text + "a", f"sigma{text[:9000]}(z)"):
        usable(outcome(whole))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("opening", NEST)
@pytest.mark.parametrize("depth", [10, 45, 49, 80, 97, 99, 101])
def test_deep_text_leaves_usable_formulas(opening: str, depth: int) -> None:
    usable(outcome(opening * depth + "z" + ")" * depth))


SOUP = """a y z W2 A1.T δ e w 2 0.5 1e3 + - * / @ ** ( ) [ , . = < > >= == ' : # _ \\ ! ~ & .T .sum( .dot( axis=1
keepdims=True np. np.exp( np.sum( np.where( np.outer( np.maximum( , 0) sigma( sigma_prime( exp( (z>0) .astype(float)
lambda if for None -( (1- **2 **-1 @( A1 Y m µ 𝐖 ² \u0302 \ud800 1if 0x1 __import__ np"""
WORDS = [*SOUP.split(), "\n", "\t", "\r\n", "\0"]


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25).flatmap(lambda w: st.sampled_from(["".join(w), " ".join(w)])))
def test_any_soup_of_words_is_read_or_refused(text: str) -> None:
    read = outcome(text)
    usable(read)
    if isinstance(read, NotationError) and read.position:
        lines = text.replace("\r\n", "\n").split("\n")
        assert 1 <= read.position.line <= len(lines)
        assert 1 <= read.position.column <= len(lines[read.position.line - 1]) + 1


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="az+-*/@().T,<>=1 _\n", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    usable(outcome(text))


PAIRS = [
    "({}) + ({})",
    "({}) - ({})",
    "({}) * ({})",
    "({}) @ ({})",
    "({}) / ({})",
    "{} * {}",
    "{} + {}",
    "{} @ {}",
    "{} - {}",
]
ATOMS = st.sampled_from(["a", "y.T", "-z", "m", "z**2", "(a - y)"])
SHAPES = st.recursive(
    ATOMS,
    lambda inner: st.builds(str.format, st.sampled_from(PAIRS), inner, inner) | inner.map("-({})".format),
    max_leaves=12,
)


def flat(node: Formula) -> Formula:
    """Without the brackets around the left part of a run, which the operators of formulas drop."""
    match node:
        case Add((Add(first), *rest)) | Hadamard((Hadamard(first), *rest)) | Product((Product(first), *rest)):
            return type(node)((*first, *rest))
    return node


@settings(max_examples=500, deadline=None)
@given(SHAPES)
def test_reads_what_pythons_own_operators_build(text: str) -> None:
    built = eval(text, {"__builtins__": {}}, {"a": a, "y": y, "z": z, "m": m})
    assert rewrite(outcome(text), flat) == rewrite(built, flat)

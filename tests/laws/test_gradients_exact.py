"""Gradients beyond floating point: to 25 digits in three readings, exactly in symbols, and with mistakes planted."""

import itertools
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import formula_values
import index_values
import mpmath
import pytest
import spec_networks as nets
import sympy
import truth
from exact import Env, evaluated
from spec_networks import LAYOUTS, SIZES, assert_close, label
from truth import Spec

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula
from symbackprop.algebra.meaning import meaning
from symbackprop.algebra.sympy_border import to_sympy
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.losses import LOSSES

OUTPUT_FOR = {
    "cross_entropy": "softmax",
    "kl_divergence": "softmax",
    "negative_log_likelihood": "log_softmax",
    "cross_entropy_with_logits": "identity",
    "binary_cross_entropy_with_logits": "identity",
}
PRECISE = [Spec(SIZES, (a, "sigmoid"), "half_squared_error", m=2, l2="1/3") for a in ACTIVATIONS] + [
    Spec(SIZES, ("tanh", OUTPUT_FOR.get(loss, "sigmoid")), loss, **layout)
    for loss, layout in zip(LOSSES, itertools.cycle(LAYOUTS), strict=False)
]


@pytest.mark.parametrize("spec", PRECISE, ids=label)
def test_to_25_digits(spec: Spec) -> None:
    """The formulas, their index form, and the explicit entries of the SymPy expressions, in 40 digits."""
    point = truth.random_point(spec, 5)
    d = nets.network(spec).derive()
    with mpmath.workdps(40):
        _, want = truth.numeric_gradients(spec, point, 40)
        env = nets.environment(spec, point)
        for symbol, formula in d.defining_formulas.items():
            env.arrays[symbol.name] = formula_values.value(formula, env).tolist()
        row, column = sympy.symbols("row column")
        for name in spec.parameters:
            axes = list(zip((row, column), map(sympy.Integer, spec.shape(name)), strict=True))
            for expand in (False, True):
                formula = d.formula(name, expand)
                assert_close(formula_values.value(formula, env).tolist(), want[name], 1e-25)
                body = meaning(formula, (row, column), samples=sympy.Symbol("m")).body
                assert_close(index_values.entries(body, axes, env).tolist(), want[name], 1e-25)
            explicit = d.gradient(name).subs(nets.sizes(spec)).as_explicit()
            assert_close(evaluated(explicit, env).tolist(), want[name], 1e-25)


SYMBOLIC = [
    Spec((2, 3, 2), ("identity", "identity"), "half_squared_error", m=2),
    Spec((2, 3, 2), ("identity", "identity"), "squared_error", m=3, samples="rows", l2="1/3"),
    Spec((2, 3, 2), ("tanh", "identity"), "half_squared_error", m=2, weights="in x out"),
    Spec((2, 3, 1), ("tanh", "sigmoid"), "binary_cross_entropy"),
    Spec((2, 3, 1), ("sigmoid", "sigmoid"), "squared_error", m=2, samples="rows", weights="in x out"),
    Spec((3, 2), ("softmax",), "cross_entropy", m=2, samples="rows"),
    Spec((2, 3, 2), ("tanh", "softmax"), "cross_entropy"),
    Spec((2, 3), ("softmax",), "squared_error"),
]


def symbolic(spec: Spec) -> tuple[dict[str, sympy.Matrix], truth.Point, truth.Point]:
    """Each gradient of ours with everything put in, and the witness's, both in the witness's symbols."""
    d = nets.network(spec).derive()
    _, want, symbols = truth.symbolic_gradients(spec)
    known: dict[sympy.Basic, Any] = {}

    def put(name: str, values: sympy.Matrix) -> None:
        matrix = sympy.MatrixSymbol(name, *values.shape)
        known.update({matrix[i, j]: values[i, j] for i in range(values.rows) for j in range(values.cols)})

    def explicit(expr: Any) -> sympy.Matrix:
        numbers = nets.sizes(spec) | {sympy.Symbol(nets.L2): sympy.Rational(truth._fraction(spec.l2))}
        return expr.subs(numbers).as_explicit().xreplace(known)

    for name, rows in symbols.items():
        put(name, sympy.Matrix(rows))
    for name, expr in d.definitions.items():
        if name != "J":
            put(name, explicit(expr))
    return {name: explicit(expr) for name, expr in d.gradients.items()}, want, symbols


def vanishes(e: sympy.Expr) -> bool:
    """Whether e is 0: from the inside out, e^(2u + v) becomes U^2 V and tanh u a letter, and the rest is rational."""
    while inner := [u for u in e.atoms(sympy.exp, sympy.tanh) if not u.args[0].atoms(sympy.exp, sympy.tanh)]:
        letters: defaultdict[sympy.Expr, sympy.Dummy] = defaultdict(sympy.Dummy)
        replaced: dict[sympy.Expr, sympy.Expr] = {}
        for u in inner:
            terms = [t.as_coeff_Mul() for t in sympy.Add.make_args(sympy.expand(u.args[0]))]
            powers = sympy.Mul(*(letters[t] ** c for c, t in terms))
            replaced[u] = powers if u.func is sympy.exp else letters[u.func(sympy.expand(u.args[0]))]
        e = e.xreplace(replaced)
    return sympy.cancel(sympy.together(e)) == 0


@pytest.mark.parametrize("spec", SYMBOLIC, ids=label)
def test_exactly_in_symbols(spec: Spec) -> None:
    got, want, symbols = symbolic(spec)
    granted: dict[sympy.Symbol, sympy.Expr] = {}
    if spec.loss == "cross_entropy":  # the targets of each sample sum to 1
        samples = symbols[spec.name("Y")] if spec.rows else sympy.Matrix(symbols[spec.name("Y")]).T.tolist()
        granted = {sample[-1]: 1 - sum(sample[:-1]) for sample in samples}
    for name in spec.parameters:
        difference = (got[name] - sympy.Matrix(want[name])).xreplace(granted)
        assert all(map(vanishes, difference)), name


def test_the_exact_comparison_notices_a_mistake() -> None:
    spec = SYMBOLIC[3]
    got, want, _ = symbolic(spec)
    assert not all(map(vanishes, got["W1"] + sympy.Matrix(want["W1"])))
    assert not all(map(vanishes, got["W1"] * sympy.Rational(1, 2) - sympy.Matrix(want["W1"])))


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_exactly_at_rational_points(layout: dict[str, Any]) -> None:
    """relu is rational where its input is: every entry as a Fraction, against SymPy's derivative of J."""
    spec = Spec((2, 3, 2), ("relu", "relu"), "half_squared_error", l1="1/7", l2="3/10", **layout)
    point = truth.random_point(spec, 7)
    d = nets.network(spec).derive()
    _, gradients, symbols = truth.symbolic_gradients(spec)
    exact = {k: [[Fraction(int(v * 4096), 4096) for v in row] for row in rows] for k, rows in point.items()}
    rate = {nets.L1: Fraction(1, 7), nets.L2: Fraction(3, 10)}
    env = Env(dict(exact), nets.sizes(spec) | rate)
    at = {
        s: sympy.Rational(v.numerator, v.denominator)
        for k in symbols
        for s, v in zip(itertools.chain(*symbols[k]), itertools.chain(*exact[k]), strict=True)
    }
    for symbol, formula in d.defining_formulas.items():
        env.arrays[symbol.name] = formula_values.value(formula, env).tolist()
    for name in spec.parameters:
        want = [[e.xreplace(at).doit() for e in row] for row in gradients[name]]
        assert formula_values.value(d.formula(name), env).tolist() == want
        assert formula_values.value(d.formula(name, expand=True), env).tolist() == want
        assert any(e != 0 for row in want for e in row)


SQUARE = Spec((3, 3, 3), ("tanh", "sigmoid"), "half_squared_error", m=3)


def _renamed(old: str, new: str) -> Callable[[Formula], Formula]:
    def change(u: Formula) -> Formula:
        return f.Symbol(new, u.shape) if isinstance(u, f.Symbol) and u.name == old else u

    return lambda node: f.rewrite(node, change)


def _each(kind: type[Formula], by: Callable[[Any], Formula]) -> Callable[[Formula], Formula]:
    return lambda node: f.rewrite(node, lambda u: by(u) if isinstance(u, kind) else u)


MISTAKES: dict[str, tuple[str, Callable[[Formula], Formula]]] = {
    "transposes lost": ("W1", _each(f.Transpose, lambda u: u.arg)),
    "1/m lost": ("W1", _each(f.Quotient, lambda u: f.formula(1))),
    "1/m lost in the last layer": ("W2", _each(f.Quotient, lambda u: f.formula(1))),
    "x for a1": ("W2", _renamed("A1", "X")),
    "a1 for a2": ("W2", _renamed("A2", "A1")),
    "W1 for W2": ("W1", _renamed("W2", "W1")),
    "sigma' lost": ("W1", _each(f.Hadamard, lambda u: u.factors[0])),
    "a matrix product for the elementwise one": ("W1", _each(f.Hadamard, lambda u: f.Product(u.factors))),
    "sign": ("b2", lambda node: -node),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_noticed(mistake: str) -> None:
    """All sizes are 3, so that the wrong formula conforms and nothing but the values can tell."""
    name, plant = MISTAKES[mistake]
    point = truth.random_point(SQUARE, 6)
    d = nets.network(SQUARE).derive()
    values = nets.intermediates(d, SQUARE, point)
    want = truth.numeric_gradients(SQUARE, point)[1][name]

    def three(u: Formula) -> Formula:
        if isinstance(u, f.Symbol | f.Ones):
            shape = tuple(n if n == 1 else sympy.Integer(3) for n in u.shape)
            return f.Symbol(u.name, shape) if isinstance(u, f.Symbol) else f.Ones(shape)
        return u

    right = f.rewrite(d.formula(name, expand=True), three)
    assert_close(nets.nested(nets.call(to_sympy(right), values)), want)
    wrong = plant(right)
    assert wrong != right
    with pytest.raises(AssertionError, match="off by"):
        assert_close(nets.nested(nets.call(to_sympy(wrong), values)), want)

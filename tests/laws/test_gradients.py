"""Every derived gradient equals the witness's, which knows no backpropagation: over all of the tables, in all layouts."""

import itertools
import random
from typing import Any

import formula_values
import index_values
import mpmath
import pytest
import spec_networks as nets
import sympy
import truth
from truth import Point, Spec

from symbackprop.algebra import formula as f
from symbackprop.algebra.meaning import meaning
from symbackprop.algebra.sympy_border import to_sympy
from symbackprop.derivation import Derivation
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.losses import LOSSES

SIZES = (3, 4, 2)
LAYOUTS: tuple[dict[str, Any], ...] = tuple(
    {"m": m, "samples": samples, "weights": weights}
    for weights in ("out x in", "in x out")
    for m, samples in ((None, "columns"), (5, "columns"), (5, "rows"))
)
PENALTIES: tuple[dict[str, Any], ...] = ({}, {}, {"l2": "0.3"}, {"l1": "0.2"}, {"l1": "1/7", "l2": "0.1"})
OUT_OF_DOMAIN = {("log_softmax", loss) for loss in truth._UP_TO}  # log a of a negative prediction
PAIRS = list(itertools.product(ACTIVATIONS, LOSSES))
FITTING = [pair for pair in PAIRS if nets.accepted(pair[1], pair[0])]
MOST = 300


def _triples() -> list[Spec]:
    """Every hidden activation with every output and loss; in a large table each output and loss with one in turn."""
    whole = len(FITTING) * len(ACTIVATIONS) <= MOST
    rng = random.Random(0)
    return [
        Spec(SIZES, (hidden, output), loss, **rng.choice(LAYOUTS), **rng.choice(PENALTIES))
        for i, hidden in enumerate(ACTIVATIONS)
        for j, output in enumerate(ACTIVATIONS)
        for k, loss in enumerate(LOSSES)
        if (output, loss) in FITTING and (output, loss) not in OUT_OF_DOMAIN
        if whole or (i + j + k) % len(ACTIVATIONS) == 0
    ]


def _deep() -> list[Spec]:
    rng = random.Random(1)
    found = []
    while len(found) < 16:
        output, loss = rng.choice([pair for pair in FITTING if pair not in OUT_OF_DOMAIN])
        hidden = rng.choices(list(ACTIVATIONS), k=2)
        bias = tuple(rng.random() < 0.6 for _ in range(3))
        found.append(Spec((2, 4, 3, 5), (*hidden, output), loss, bias=bias, **rng.choice(LAYOUTS)))
    return found


ALL_LAYOUTS = [
    Spec(SIZES, names, loss, **layout, l1="1/7", l2="0.3", bias=bias)
    for names, loss in (
        (("tanh", "softmax"), "cross_entropy"),
        (("relu", "sigmoid"), "binary_cross_entropy"),
        (("generic", "softmax"), "generic"),
    )
    for layout in LAYOUTS
    for bias in ((True, True), (False, False))
]
PRECISE = [Spec(SIZES, (a, "sigmoid"), "half_squared_error", m=2, l2="1/3") for a in ACTIVATIONS] + [
    Spec(SIZES, ("tanh", "softmax" if "cross" in loss and "binary" not in loss else "sigmoid"), loss, **layout)
    for loss, layout in zip(LOSSES, itertools.cycle(LAYOUTS), strict=False)
    if loss not in ("negative_log_likelihood", "cross_entropy_with_logits", "binary_cross_entropy_with_logits")
]


def label(spec: Spec) -> str:
    layout = f"{spec.m}{spec.samples[0]}{spec.weights[0]}{'' if all(spec.bias) else '-unbiased'}"
    return f"{'-'.join(spec.activations)}-{spec.loss}-{layout}{'-l1' * bool(spec.l1)}{'-l2' * bool(spec.l2)}"


def assert_close(got: Any, want: Any, tolerance: float = 1e-10) -> None:
    error = truth.difference(got, want)
    assert error < tolerance, f"off by {mpmath.nstr(error, 3)}"


def entry_at(d: Derivation, spec: Spec, values: dict[str, Any], name: str, at: tuple[int, int], expand: bool) -> float:
    """The value of one entry, with letters for its indices."""
    letters = ("j", "k") if name[0] == "W" else ("j",)
    expr = d.entry(name, *letters, expand=expand)
    assert isinstance(expr, sympy.Expr)
    assert not isinstance(expr, sympy.MatrixExpr)
    return float(nets.call(expr, values | dict(zip(letters, at, strict=False)), nets.numpy_modules(spec)))


def check(spec: Spec, point: Point, labels: str | None = None) -> None:
    """J, each gradient in named form and expanded, and entries of each, against dual numbers."""
    d = nets.network(spec, labels).derive()
    modules = nets.numpy_modules(spec)
    values = nets.intermediates(d, spec, point)
    J, want = truth.numeric_gradients(spec, point)
    assert_close(float(values["J"].item() if hasattr(values["J"], "item") else values["J"]), J)
    forward = truth.forward(spec, point)
    assert_close({k: nets.nested(values[k]) for k in forward if k != "J"}, {k: forward[k] for k in forward if k != "J"})
    assert list(d.gradients) == spec.parameters
    assert_close({k: nets.nested(nets.call(e, values, modules)) for k, e in d.gradients.items()}, want)
    given = {k: v for k, v in values.items() if not k.lower().startswith("delta")}  # expanded, no error is left
    expanded = {k: d.gradient(k, expand=True) for k in spec.parameters}
    assert_close({k: nets.nested(nets.call(e, given, modules)) for k, e in expanded.items()}, want)
    rng = random.Random(label(spec))
    for expand, known in ((False, values), (True, given)):
        name = rng.choice(spec.parameters)
        rows, columns = spec.shape(name)
        i, j = rng.randrange(rows), rng.randrange(columns)
        assert_close(entry_at(d, spec, known, name, (i + 1, j + 1), expand), want[name][i][j])


def test_the_witness_knows_every_entry_of_the_tables() -> None:
    assert set(ACTIVATIONS) <= set(truth.ACTIVATIONS)
    assert set(LOSSES) <= set(truth.LOSSES)


def test_few_pairs_are_refused_and_those_for_a_reason() -> None:
    refused = set(PAIRS) - set(FITTING)
    assert refused <= {("softmax", "binary_cross_entropy")} | {
        (output, loss)
        for output, loss in PAIRS
        if output in ("softmax", "log_softmax", "sigmoid")
        and ("logits" in loss or "likelihood" in loss or "binary" in loss or "hinge" in loss)
    }
    assert len(refused) <= len(PAIRS) // 10
    assert not any(
        isinstance(names, tuple) and not nets.accepted("half_squared_error", *names)
        for names in itertools.product(ACTIVATIONS, repeat=2)
    )


@pytest.mark.parametrize("spec", _triples(), ids=label)
def test_two_layers_over_the_tables(spec: Spec) -> None:
    check(spec, truth.random_point(spec, 1))


@pytest.mark.parametrize("spec", ALL_LAYOUTS, ids=label)
def test_all_layouts_with_penalties_with_and_without_bias(spec: Spec) -> None:
    check(spec, truth.random_point(spec, 2))


@pytest.mark.parametrize("spec", _deep(), ids=label)
def test_three_layers(spec: Spec) -> None:
    check(spec, truth.random_point(spec, 3))


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_labels_that_do_not_sum_to_one(layout: dict[str, Any], output: str) -> None:
    spec = Spec(SIZES, ("tanh", output), "cross_entropy", **layout)
    point = truth.random_point(spec, 4, labels="any")
    check(spec, point, labels="any")
    if output == "softmax":  # without the declaration the formula takes them to sum to 1, and here it is wrong
        with pytest.raises(AssertionError, match="off by"):
            check(spec, point)


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
        for name in spec.parameters:
            for expand in (False, True):
                formula = d.formula(name, expand)
                assert_close(formula_values.value(formula, env).tolist(), want[name], 1e-25)
                form = meaning(formula, tuple(sympy.symbols("row column")), samples=sympy.Symbol("m"))
                axes = list(zip(sympy.symbols("row column"), f_shape(spec, name), strict=True))
                assert_close(index_values.entries(form.body, axes, env).tolist(), want[name], 1e-25)
            explicit = d.gradient(name).subs(nets.sizes(spec)).as_explicit()
            assert_close(explicit_value(explicit, env, spec), want[name], 1e-25)


def f_shape(spec: Spec, name: str) -> tuple[sympy.Integer, ...]:
    return tuple(map(sympy.Integer, spec.shape(name)))


def explicit_value(explicit: sympy.Matrix, env: Any, spec: Spec) -> list[list[Any]]:
    """The entries of an explicit matrix with the opaque functions put in, by mpmath."""

    def grad_loss(slot: Any, *values: Any) -> Any:
        half = len(values) // 2
        return truth.generic_loss_gradient(list(values[:half]), list(values[half:]))[int(slot) - 1]

    names = sorted(explicit.free_symbols, key=str)
    opaque = {"sigma": truth.generic_activation, "sigma_prime": truth.generic_activation_derivative}
    function = sympy.lambdify(names, explicit.tolist(), [opaque | {"grad_C": grad_loss}, "mpmath"])
    known = {n: mpmath.matrix(rows) for n, rows in env.arrays.items()} | env.scalars
    return function(*(known[str(n)] for n in names))


SQUARE = Spec((3, 3, 3), ("tanh", "sigmoid"), "half_squared_error", m=3)


def _without_transposes(node: f.Formula) -> f.Formula:
    return f.rewrite(node, lambda u: u.arg if isinstance(u, f.Transpose) else u)


def _without_fractions(node: f.Formula) -> f.Formula:
    return f.rewrite(node, lambda u: f.formula(1) if isinstance(u, f.Quotient) else u)


def _renamed(old: str, new: str) -> Any:
    def change(u: f.Formula) -> f.Formula:
        return f.Symbol(new, u.shape) if isinstance(u, f.Symbol) and u.name == old else u

    return lambda node: f.rewrite(node, change)


MISTAKES = {
    "transposes lost": ("W1", _without_transposes),
    "1/m lost": ("W1", _without_fractions),
    "1/m lost in the last layer": ("W2", _without_fractions),
    "x for a1": ("W2", _renamed("A1", "X")),
    "a1 for a2": ("W2", _renamed("A2", "A1")),
    "W1 for W2": ("W1", _renamed("W2", "W1")),
    "sign": ("b2", lambda node: -node),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_noticed(mistake: str) -> None:
    """Where all sizes are equal nothing but the values can tell."""
    name, plant = MISTAKES[mistake]
    point = truth.random_point(SQUARE, 6)
    d = nets.network(SQUARE).derive()
    values = nets.intermediates(d, SQUARE, point)
    want = truth.numeric_gradients(SQUARE, point)[1][name]
    formula = d.formula(name, expand=True)
    assert_close(nets.nested(nets.call(to_sympy(formula), values)), want)
    wrong = f.substitute(plant(formula), {})
    same = {s.name: s for s in d.model.symbols.values()}
    assert same  # the sizes are symbols of one value, so that a wrong formula conforms once they are numbers
    with pytest.raises(AssertionError, match="off by"):
        assert_close(_numeric(wrong, SQUARE, values), want)


def _numeric(formula: f.Formula, spec: Spec, values: dict[str, Any]) -> list[list[Any]]:
    """A formula that need not conform for symbolic sizes: every size replaced by its number first."""
    three = sympy.Integer(3)

    def sized(u: f.Formula) -> f.Formula:
        if isinstance(u, f.Symbol):
            return f.Symbol(u.name, tuple(three if n != 1 else n for n in u.shape))
        if isinstance(u, f.Ones):
            return f.Ones(tuple(three if n != 1 else n for n in u.shape))
        return u

    return nets.nested(nets.call(to_sympy(f.rewrite(formula, sized)), values))

"""Logits to +-1000: a finite cost and right gradients without a warning, against 1200 digits."""

import itertools
import warnings

import mpmath
import numpy as np
import pytest
import spec_networks as nets
import sympy
import truth
from truth import Spec

from symbackprop import Dense, Network
from symbackprop.algebra import formula as f
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.losses import LOSSES
from symbackprop.numeric.stable import fused, stabilise

LOGITS = np.array([[-1000.0, 1000.0, -40.0, 0.7], [1000.0, -1000.0, 30.0, -0.3]])
LABELS = np.array([[1.0, 0.0, 0.0, 0.25], [0.0, 1.0, 1.0, 0.75]])
KNOWN = [name for name in ACTIVATIONS if name != "generic"]


def one_layer(output, loss):
    """A network whose pre-activations are W1, and the witness's point; None where the loss is not defined there."""
    spec = Spec((4, 2), (output,), loss, m=4)
    y = np.where(LABELS > 0.3, 1.0, -1.0) if "hinge" in loss else LABELS
    if loss == "kl_divergence":  # y log y at 0 is not the witness's to say
        y = np.array([[0.9, 0.2, 0.5, 0.25], [0.1, 0.8, 0.5, 0.75]])

    def rows(array):
        return [[mpmath.mpf(float(v)) for v in row] for row in array]

    point = {"W1": rows(LOGITS), "b1": rows(np.zeros((2, 1))), "X": rows(np.eye(4)), "Y": rows(y)}
    return spec, point, y


def defined():
    """The pairs whose cost is defined for every logit."""
    for output, loss in itertools.product(KNOWN, LOSSES):
        if loss == "generic" or not nets.accepted(loss, output):
            continue
        positive = output in ("sigmoid", "softmax", "softplus")
        below_one = output in ("sigmoid", "softmax")
        above, below = LOSSES[loss].above, LOSSES[loss].below
        if (above is None or positive) and (below is None or below_one):
            yield output, loss


@pytest.mark.parametrize(("output", "loss"), list(defined()))
def test_huge_logits(output, loss):
    spec, point, y = one_layer(output, loss)
    want, wanted = truth.numeric_gradients(spec, point, dps=1200)
    compiled = nets.network(spec).derive().compile()
    for kind, tolerance in ((np.float64, 1e-12), (np.float32, 3e-5)):
        params = {"W1": LOGITS.astype(kind), "b1": np.zeros((2, 1), kind)}
        for run in (compiled._run, compiled._run_small):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                J, g = run(params, np.eye(4, dtype=kind), y.astype(kind))
            assert np.isfinite(J)
            assert {v.dtype for v in g.values()} == {np.dtype(kind)}
            nets.assert_close(float(J), want, tolerance)
            nets.assert_close({name: v.tolist() for name, v in g.items()}, wanted, tolerance)


def test_the_pairs_under_test_are_many():
    assert len(list(defined())) > 180


def test_the_hidden_layers_too():
    for hidden in KNOWN:
        d = Network([Dense(2, hidden), Dense(2, "softmax")], inputs=2, loss="cross_entropy", batch=3).derive()
        rng = np.random.default_rng(0)
        params = {p.name: rng.normal(size=tuple(map(int, p.shape))) for p in d.model.parameters}
        params["W1"] *= 1000
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            J, g = d.compile()(params, rng.normal(size=(2, 3)), np.eye(2)[[0, 1, 1]].T.copy())
        assert np.isfinite(J), hidden
        assert all(np.all(np.isfinite(v)) for v in g.values()), hidden


def test_zero_times_the_logarithm_of_zero_is_zero():
    d = Network([Dense(3, "softmax")], inputs=2, loss="kl_divergence", batch=2).derive()
    y = np.array([[1.0, 0.5], [0.0, 0.5], [0.0, 0.0]])
    J, _ = d.compile()({"W1": np.zeros((3, 2)), "b1": np.zeros((3, 1))}, np.ones((2, 2)), y)
    assert float(J) == pytest.approx((np.log(3) + np.log(1.5)) / 2)


def test_without_stable_the_formula_is_computed_as_it_stands():
    d = Network([Dense(1, "sigmoid")], inputs=1, loss="binary_cross_entropy", batch=2).derive()
    params, x, y = {"W1": np.array([[1000.0]]), "b1": np.zeros((1, 1))}, np.array([[1.0, -1.0]]), np.array([[0.0, 1.0]])
    assert d.compile()(params, x, y)[0] == pytest.approx(1000.0)
    plain = d.compile(stable=False)
    with np.errstate(all="ignore"):
        assert plain(params, x, y)[0] == np.inf
    assert "np.log(" in plain.source
    assert "logaddexp" not in plain.source


def test_a_fused_term_is_the_loss_of_the_activation():
    """Each entry of the table: the term of the loss with a = f(z) put in, and what replaces it."""
    z, a, y = f.Symbol("z"), f.Symbol("a"), f.Symbol("y")
    for (definition, term), form in fused().items():
        activation = f.Map(f.Function("f", "f", definition), z)
        for at in ((-3, sympy.Rational(1, 4)), (sympy.Rational(1, 2), 0), (4, 1)):
            values = dict(zip((z, y), at, strict=True))
            left, right = (_exact(u, values) for u in (f.substitute(term, {a: activation}), form))
            assert abs(left - right) < 1e-40


def _exact(node, values):
    """A scalar formula by SymPy, to 50 digits."""
    if node in values:
        return sympy.N(values[node], 50)
    parts = [_exact(u, values) for u in node.children]
    match node:
        case f.Number(value):
            return sympy.Rational(value.numerator, value.denominator)
        case f.Add():
            return sum(parts)
        case f.Negative():
            return -parts[0]
        case f.Hadamard():
            return sympy.prod(parts)
        case f.Map(function=function, order=0):
            return sympy.N(function.definition.subs(f.Function.argument, parts[0]), 50)
    raise TypeError(type(node))


def test_what_has_no_stable_form_stays():
    d = Network([Dense(2, "tanh")], inputs=2, loss="squared_error").derive()
    cost = d.defining_formulas[d.model.cost]
    assert stabilise(cost, d.defining_formulas) == cost

"""One value of each activation and each loss, computed by hand. A new entry brings its own."""

import math

import mpmath
import numpy as np
import pytest
import spec_networks as nets
import truth
from truth import Spec

from symbackprop import Dense, Network
from symbackprop.algebra import formula as f
from symbackprop.algebra.sympy_border import to_sympy
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.losses import LOSSES
from symbackprop.notation.latex import LatexWriter
from symbackprop.notation.notation import name_latex
from symbackprop.notation.scalar_reader import read_scalar

LOG2, LOG3 = math.log(2), math.log(3)

# name: (z, f(z)); where no source is named the value follows from the definition in one line.
ACTIVATION_VALUES = {
    "identity": (2.0, 2.0),
    "sigmoid": (LOG3, 3 / 4),
    "tanh": (LOG2, 3 / 5),
    "relu": (-1.0, 0.0),
    "leaky_relu": (-2.0, -0.02),
    "elu": (-LOG2, -1 / 2),
    "selu": (1.0, 1.0507009873554805),  # Klambauer et al. (2017): lambda
    "softplus": (0.0, LOG2),
    "softsign": (3.0, 3 / 4),
    "silu": (LOG3, 3 / 4 * LOG3),
    "gelu": (1.0, 0.8413447460685429),  # the normal distribution function at 1, Abramowitz and Stegun, table 26.1
    "gelu_tanh": (1.0, 0.8411919906082768),  # (1 + tanh(sqrt(2/pi) 1.044715)) / 2
    "mish": (0.0, 0.0),
    "hardtanh": (2.0, 1.0),
    "hardsigmoid": (1.0, 2 / 3),
    "relu6": (7.0, 6.0),
    "softmax": ((0.0, LOG3), (1 / 4, 3 / 4)),
    "log_softmax": ((0.0, LOG3), (-2 * LOG2, LOG3 - 2 * LOG2)),
}

# name: (a, y, the loss of one example)
LOSS_VALUES = {
    "squared_error": ((3.0,), (1.0,), 4.0),
    "half_squared_error": ((3.0,), (1.0,), 2.0),
    "mean_squared_error": ((3.0, 1.0), (1.0, 1.0), 2.0),
    "absolute_error": ((3.0, 1.0), (1.0, 2.0), 3.0),
    "huber": ((3.0, 1.5), (1.0, 1.0), 1.5 + 0.125),
    "log_cosh": ((LOG2,), (0.0,), math.log(5 / 4)),
    "binary_cross_entropy": ((0.5, 0.25), (1.0, 0.0), LOG2 + math.log(4 / 3)),
    "cross_entropy": ((0.25, 0.75), (1.0, 0.0), 2 * LOG2),
    "binary_cross_entropy_with_logits": ((0.0, LOG3), (1.0, 1.0), LOG2 + math.log(4 / 3)),
    "cross_entropy_with_logits": ((0.0, LOG3), (0.0, 1.0), math.log(4 / 3)),
    "negative_log_likelihood": ((-LOG2, -LOG2), (1.0, 0.0), LOG2),
    "log_likelihood": ((0.5, 0.25), (1.0, 0.0), -LOG2 - math.log(4 / 3)),
    "hinge": ((0.5, -2.0), (1.0, 1.0), 0.5 + 3.0),
    "squared_hinge": ((0.5, -2.0), (1.0, 1.0), 0.25 + 9.0),
    "kl_divergence": ((0.25, 0.75), (0.5, 0.5), 0.5 * LOG2 + 0.5 * math.log(2 / 3)),
    "poisson": ((1.0, 2.0), (3.0, 1.0), 1.0 + 2.0 - LOG2),
}


def column(values):
    return np.array(np.atleast_1d(values), dtype=float).reshape(-1, 1)


@pytest.mark.parametrize("name", ACTIVATION_VALUES)
def test_an_activation_at_a_point(name):
    z, want = ACTIVATION_VALUES[name]
    d = Network([Dense("n", name)], inputs="p", loss="squared_error").derive()
    got = nets.call(d.definitions["A1" if "A1" in d.definitions else "a1"], {"z1": column(z)})
    np.testing.assert_allclose(got, column(want), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", LOSS_VALUES)
def test_a_loss_at_a_point(name):
    a, y, want = LOSS_VALUES[name]
    d = Network([Dense(len(a))], inputs="p", loss=name).derive()
    got = nets.call(d.definitions["J"], {"a1": column(a), "y": column(y)})
    np.testing.assert_allclose(np.asarray(got, dtype=float).item(), want, rtol=1e-13)


def test_every_entry_has_a_value():
    assert set(ACTIVATION_VALUES) == set(ACTIVATIONS) - {"generic"}
    assert set(LOSS_VALUES) == set(LOSSES) - {"generic"}


PARTNER = {"cross_entropy": "softmax", "kl_divergence": "softmax", "negative_log_likelihood": "log_softmax"}
WALKS = [Spec((3, 4, 2), (a, "sigmoid"), "squared_error", m=2) for a in ACTIVATIONS] + [
    Spec((3, 4, 2), ("tanh", PARTNER.get(loss, "sigmoid")), loss, m=2) for loss in LOSSES
]


@pytest.mark.parametrize("spec", WALKS, ids=nets.label)
def test_a_step_along_a_direction_changes_the_cost_by_the_gradient(spec):
    """Central differences of the definition at 40 digits, along one random direction through all parameters."""
    if not nets.accepted(spec.loss, *spec.activations):
        pytest.skip("no such network")
    point = truth.random_point(spec, 11)
    d = nets.network(spec).derive()
    values = nets.intermediates(d, spec, point)
    rng = np.random.default_rng(11)
    h = mpmath.mpf(10) ** -12
    with mpmath.workdps(40):
        direction = {p: rng.integers(-3, 4, size=np.shape(point[p])).tolist() for p in spec.parameters}

        def cost(side):
            moved = {p: (np.array(point[p]) + side * h * np.array(u)).tolist() for p, u in direction.items()}
            return truth.forward(spec, {**point, **moved})["J"]

        measured = (cost(1) - cost(-1)) / (2 * h)
    modules = nets.numpy_modules(spec)
    claimed = sum(
        float(np.sum(np.asarray(nets.call(d.gradient(p), values, modules), dtype=float) * np.array(direction[p])))
        for p in spec.parameters
    )
    assert claimed == pytest.approx(
        float(measured[0][0] if isinstance(measured, list) else measured), rel=1e-9, abs=1e-11
    )


def test_latex_goes_out_and_comes_in_again():
    w = LatexWriter()
    symbols = {letter: f.Symbol(letter) for letter in "zay"}
    for entry in ACTIVATIONS.values():
        if entry.written:
            known = {**symbols, **{name_latex(name): f.Scalar(name) for name, _ in entry.constants}}
            formula = read_scalar(entry.written, known)
            assert read_scalar(w(formula), known) == formula, entry.name
    for loss in LOSSES.values():
        if loss.term is None or loss.name in ("huber", "cross_entropy_with_logits"):
            continue  # a name of its own, and a function of all outputs, are no scalar LaTeX
        assert same(read_scalar(w(loss.term), symbols), loss.term), loss.name


def same(left, right):
    """Equal as written, or in value at a point: log(1 + e^a) comes in as what it is."""
    if left == right:
        return True
    values = {"a": column(0.3), "y": column(0.7)}
    one, two = (np.asarray(nets.call(to_sympy(u), values), dtype=float) for u in (left, right))
    return bool(np.allclose(one, two, rtol=1e-14))

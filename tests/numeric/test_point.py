"""A point of a network: generic, rectangular, and its values those of an independent forward pass."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from symbackprop import Dense, Network
from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Symbol
from symbackprop.algebra.functions import EXP
from symbackprop.numeric.point import Point, differ

LAYERS = [Dense("n_1", "tanh"), Dense("n_2", "softmax")]


def point(seed=0, initialisation=None, **more):
    options = {"inputs": "n_0", "loss": "cross_entropy", "batch": "m"} | more
    return Point(Network(LAYERS, **options).derive(), seed, initialisation)


def test_no_two_sizes_are_equal_and_none_is_one():
    sizes = point().sizes
    assert len(set(sizes.values())) == len(sizes) == 4
    assert min(sizes.values()) > 1
    mixed = point(inputs=2, batch=3).sizes
    assert not set(mixed.values()) & {2, 3}


def test_the_forward_pass_is_the_definition():
    p = point(seed=4)
    a = p.arrays
    hidden = np.tanh(a["W1"] @ a["X"] + a["b1"])
    z = a["W2"] @ hidden + a["b2"]
    prediction = np.exp(z) / np.exp(z).sum(axis=0)
    np.testing.assert_allclose(a["A1"], hidden)
    np.testing.assert_allclose(a["A2"], prediction)
    np.testing.assert_allclose(a["Y"].sum(axis=0), 1)
    np.testing.assert_allclose(a["J"], -(a["Y"] * np.log(prediction)).sum() / a["X"].shape[1])
    np.testing.assert_allclose(a["Delta2"], (prediction - a["Y"]) / a["X"].shape[1])


def test_a_seed_makes_the_same_point_again():
    np.testing.assert_array_equal(point(seed=1).arrays["W1"], point(seed=1).arrays["W1"])
    assert np.any(point(seed=1).arrays["W1"] != point(seed=4).arrays["W1"])


@pytest.mark.parametrize(("name", "deviation"), [("normal", 0.1), ("xavier", np.sqrt(2 / 1100))])
@pytest.mark.parametrize("weights", ["out x in", "in x out"])
def test_weights_by_a_named_initialisation(name, deviation, weights):
    net = Network([Dense(300, "tanh"), Dense(800, "softmax")], inputs=4, loss="cross_entropy", weights=weights)
    p = Point(net.derive(), 0, name)
    assert np.std(p.arrays["W2"]) == pytest.approx(deviation, rel=0.02)
    assert np.all(p.arrays["b1"] != 0)


def test_differ_sees_differences_and_not_rounding():
    d = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m").derive()
    a, y, z = (d.model.symbols[name] for name in ("A1", "Y", "Z1"))
    assert differ(d, a - y, a - 2 * y, 0) is True
    assert differ(d, a - y, (a - y) * (1 + f.formula(Fraction(1, 10**4))), 0) is True
    assert differ(d, a * (1 - a), 1 / ((1 + f.Map(EXP, -z)) * (1 + f.Map(EXP, z))), 0) is False
    assert differ(d, a - a, y - y, 0) is None
    assert differ(d, a / (y - y), a, 0) is None
    for spread in (1.0, 8.0, 40.0, 100.0):  # saturated: what is left of 1 - a is rounding, and proves nothing
        assert differ(d, 1 - a, 1 / (1 + f.Map(EXP, z)), 1, spread) is not True


def test_a_formula_with_a_rate_and_a_size_has_a_value():
    d = Network(LAYERS, inputs="n_0", loss="cross_entropy", batch="m", l2="lambda").derive()
    p = Point(d)
    gradient = p.value(d.formula("W1"))
    data = p.arrays["Delta1"] @ p.arrays["X"].T
    np.testing.assert_allclose(gradient, data + p.scalars["lambda"] * p.arrays["W1"])
    assert p.shape(Symbol("u", (sympy.Symbol("n_1"), sympy.Integer(3)))) == (p.sizes[sympy.Symbol("n_1")], 3)

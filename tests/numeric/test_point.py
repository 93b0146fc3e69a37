"""A point of a network: generic, rectangular, and its values those of an independent forward pass."""

import numpy as np
import pytest
import sympy

from symbackprop import Dense, Network
from symbackprop.algebra.formula import Symbol
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
    assert np.any(point(seed=1).arrays["W1"] != point(seed=2).arrays["W1"])


@pytest.mark.parametrize(("name", "deviation"), [("normal", 0.1), ("xavier", np.sqrt(2 / 1100))])
@pytest.mark.parametrize("weights", ["out x in", "in x out"])
def test_weights_by_a_named_initialisation(name, deviation, weights):
    net = Network([Dense(300, "tanh"), Dense(800, "softmax")], inputs=4, loss="cross_entropy", weights=weights)
    p = Point(net.derive(), 0, name)
    assert np.std(p.arrays["W2"]) == pytest.approx(deviation, rel=0.02)
    assert np.all(p.arrays["b1"] != 0)


def test_differ_sees_differences_and_not_rounding():
    u = np.array([[1.0, 2.0]])
    assert differ(u, u + 1e-3)
    assert differ(u, u.T)
    assert differ(np.zeros((1, 1)), np.full((1, 1), 1e-30))
    assert not differ(u, u * (1 + 1e-12))
    assert not differ(u, np.array([[np.nan, 2.0]]))


def test_a_formula_with_a_rate_and_a_size_has_a_value():
    d = Network(LAYERS, inputs="n_0", loss="cross_entropy", batch="m", l2="lambda").derive()
    p = Point(d)
    gradient = p.value(d.formula("W1"))
    data = p.arrays["Delta1"] @ p.arrays["X"].T
    np.testing.assert_allclose(gradient, data + p.scalars["lambda"] * p.arrays["W1"])
    assert p.shape(Symbol("u", (sympy.Symbol("n_1"), sympy.Integer(3)))) == (p.sizes[sympy.Symbol("n_1")], 3)

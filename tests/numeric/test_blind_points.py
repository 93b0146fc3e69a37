"""Planted errors at blind points, where they pass: the check warns there, and refutes them at a generic point."""

import numpy as np
import pytest

from symbackprop import BlindPointWarning, Status, check_gradient

RNG = np.random.default_rng(3)
Y = RNG.normal(size=(2, 4))


def arrays(n=3):
    """Two layers, z1 = W1 X + b1, a1 = tanh z1, a2 = W2 a1 + b2, half the squared error, mean over 4 samples."""
    return {
        "W1": RNG.normal(size=(n, 5)),
        "b1": RNG.normal(size=(n, 1)),
        "W2": RNG.normal(size=(2, n)),
        "b2": RNG.normal(size=(2, 1)),
    }


X = RNG.normal(size=(5, 4))


def value(p):
    a1 = np.tanh(p["W1"] @ X + p["b1"])
    return np.sum((p["W2"] @ a1 + p["b2"] - Y) ** 2) / 8


def gradient(p, back="W2.T", bias=1.0, l2=0.0):
    """The backward pass, with places for mistakes."""
    a1 = np.tanh(p["W1"] @ X + p["b1"])
    delta2 = (p["W2"] @ a1 + p["b2"] - Y) / 4
    w = p["W2"].T if back == "W2.T" else p["W2"]
    delta1 = (w @ delta2) * (1 - a1 * a1)
    return {
        "W1": delta1 @ X.T,
        "b1": bias * delta1.sum(axis=1, keepdims=True),
        "W2": delta2 @ a1.T + l2 * p["W2"],
        "b2": delta2.sum(axis=1, keepdims=True),
    }


def test_a_symmetric_weight_hides_a_lost_transpose():
    symmetric = np.array([[1.3, 0.4], [0.4, -0.7]])
    p = {**arrays(2), "W2": symmetric}
    with pytest.warns(BlindPointWarning, match="W2 is symmetric, so that a transpose cannot be seen"):
        assert check_gradient(value, gradient(p, back="W2"), p).status is Status.CONSISTENT
    p["W2"] = RNG.normal(size=(2, 2))  # square is enough for the shapes to fit, and generic for the values not to
    assert check_gradient(value, gradient(p), p).status is Status.CONSISTENT
    assert check_gradient(value, gradient(p, back="W2"), p).status is Status.REFUTED


def test_a_zero_weight_hides_a_penalty_and_what_comes_before():
    p = {**arrays(), "W2": np.zeros((2, 3))}
    with pytest.warns(BlindPointWarning, match="W2 is 0") as seen:
        assert check_gradient(value, gradient(p, bias=7.0, l2=0.5), p).status is Status.CONSISTENT
    assert "the gradient of W1 is 0 here, so that a wrong factor in it cannot be seen" in str(seen[0].message)
    p = arrays()
    assert check_gradient(value, gradient(p, bias=7.0), p).status is Status.REFUTED
    assert check_gradient(value, gradient(p, l2=0.5), p).status is Status.REFUTED


def test_a_zero_bias_hides_its_penalty():
    p = {**arrays(), "b2": np.zeros((2, 1))}
    true = gradient(p)
    with pytest.warns(BlindPointWarning, match="b2 is 0, so that a term with it cannot be seen"):
        assert check_gradient(value, {**true, "b2": true["b2"] + 0.5 * p["b2"]}, p).status is Status.CONSISTENT
    p = arrays()
    true = gradient(p)
    assert check_gradient(value, {**true, "b2": true["b2"] + 0.5 * p["b2"]}, p).status is Status.REFUTED


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (np.full((3, 5), 0.7), "all entries of W1 are equal"),
        (np.tile(RNG.normal(size=(1, 5)), (3, 1)), "W1 has equal rows or columns"),
        (np.tile(RNG.normal(size=(3, 1)), (1, 5)), "W1 has equal rows or columns"),
    ],
)
def test_equal_weights_are_warned_of(weights, says):
    p = {**arrays(), "W1": weights}
    with pytest.warns(BlindPointWarning, match=says) as seen:
        r = check_gradient(value, gradient(p), p)
    assert r.status is Status.CONSISTENT
    assert any(note.startswith(f"blind: {says}") for note in r.notes)
    assert seen[0].filename == __file__


def test_a_generic_point_is_not_warned_of(recwarn):
    p = arrays()
    assert check_gradient(value, gradient(p), p).status is Status.CONSISTENT
    assert not recwarn.list

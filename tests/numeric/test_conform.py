"""Wrong calls: one line that names the argument, what it wants and what it got."""

import numpy as np
import pytest

from symbackprop import Dense, Network
from symbackprop.errors import InputError

D = Network([Dense("n_1", "tanh"), Dense("n_2", "softmax")], inputs="n_0", loss="cross_entropy", batch="m").derive()
F = D.compile()
RNG = np.random.default_rng(0)
P = {
    "W1": RNG.normal(size=(4, 3)),
    "b1": RNG.normal(size=(4, 1)),
    "W2": RNG.normal(size=(2, 4)),
    "b2": RNG.normal(size=(2, 1)),
}
X = RNG.normal(size=(3, 5))
Y = np.eye(2)[[0, 1, 1, 0, 0]].T.copy()


def without(name):
    return {k: v for k, v in P.items() if k != name}


def broken(array, at=(1, 2)):
    out = array.copy()
    out[at] = np.nan
    return out


CALLS = {
    "a missing parameter": (
        without("b2"),
        X,
        Y,
        {},
        r"params has no b2: it wants shape \(n_2, 1\); there are W1, b1, W2",
    ),
    "an extra name": ({**P, "W3": X}, X, Y, {}, "params has 'W3', which is no parameter: there are W1, b1, W2, b2"),
    "a list of parameters": (list(P.values()), X, Y, {}, "params is a list: pass a dict of arrays, W1, b1, W2, b2"),
    "a transposed W": (
        {**P, "W1": P["W1"].T},
        X,
        Y,
        {},
        r"W1 has shape \(3, 4\), wanted \(n_1, n_0\) = \(4, 3\): W1.T would fit",
    ),
    "a transposed W, later": (
        {**P, "W2": P["W2"].T},
        X,
        Y,
        {},
        r"W2 has shape \(4, 2\), .* = \(2, 4\): W2.T would fit",
    ),
    "a transposed X": (P, X.T, Y, {}, r"X has shape \(5, 3\), wanted \(n_0, m\) = \(3, 5\): X.T would fit"),
    "a transposed Y": (P, X, Y.T, {}, r"Y has shape \(5, 2\), wanted \(n_2, m\) = \(2, 5\): Y.T would fit"),
    "Y of the wrong length": (
        P,
        X,
        Y[:, :4],
        {},
        r"Y has shape \(2, 4\), wanted \(n_2, m\) = \(2, 5\) \(n_2 = 2 from W2, m = 5 from X\)",
    ),
    "a flat bias": ({**P, "b1": P["b1"][:, 0]}, X, Y, {}, r"b1 has shape \(4,\), wanted \(n_1, 1\) = \(4, 1\)"),
    "sizes that disagree": ({**P, "b1": P["b1"][:2]}, X, Y, {}, r"b1 has shape \(2, 1\), .*n_1 = 4 from W1"),
    "NaN in X": (P, broken(X), Y, {}, r"X\[1, 2\] is NaN \(shape \(3, 5\), 1 such entry\): clean X first"),
    "NaN in Y": (P, X, broken(Y), {}, r"Y\[1, 2\] is NaN"),
    "NaN in W": ({**P, "W2": broken(P["W2"])}, X, Y, {}, r"W2\[1, 2\] is NaN"),
    "an empty batch": (P, X[:, :0], Y[:, :0], {}, r"X has shape \(3, 0\): it is empty, m must be at least 1"),
    "whole numbers": (
        P,
        np.ones((3, 5), int),
        Y,
        {},
        r"X has type int64 and shape \(3, 5\), wanted float64 or float32, .*: convert it with X.astype\(float\)",
    ),
    "W of whole numbers": ({**P, "W1": np.ones((4, 3), int)}, X, Y, {}, r"W1 has type int64 and shape \(4, 3\)"),
    "targets of whole numbers": (P, X, Y.astype(int), {}, r"Y is an integer array of shape \(2, 5\); class labels are"),
    "a label too large": (P, X, np.array([0, 1, 2, 0, 0]), {}, "Y has the label 2: there are 2 classes"),
    "a negative label": (P, X, np.array([0, 1, -1, 0, 0]), {}, "Y has the label -1: there are 2 classes"),
    "labels too few": (P, X, np.array([0, 1]), {}, r"Y has shape \(2,\), wanted one label a sample, \(m,\) = \(5,\)"),
    "a list": (P, X.tolist(), Y, {}, r"X is a list: pass a NumPy array of floats, shape \(n_0, m\)"),
    "a masked array": (P, np.ma.array(X), Y, {}, "X is a MaskedArray"),
    "two types": ({**P, "W1": P["W1"].astype(np.float32)}, X, Y, {}, "W1 is float32, but X is float64"),
    "weights too few": (
        P,
        X,
        Y,
        {"sample_weight": np.ones(4)},
        r"sample_weight wants .* \(m,\) = \(5,\), given \(4,\)",
    ),
    "negative weights": (P, X, Y, {"sample_weight": -np.ones(5)}, "sample_weight must be at least 0"),
    "weights of nothing": (P, X, Y, {"sample_weight": np.zeros(5)}, "above 0 somewhere"),
    "a number too much": (P, X, Y, {"scalars": {"mu": 1}}, "scalars has 'mu', which is none of this network's"),
    "out of another type": (P, X, Y, {"out": {"W1": np.ones((4, 3), np.float32)}}, r"out\['W1'\] must be a writable"),
    "out over a parameter": (P, X, Y, {"out": {"W1": P["W1"]}}, r"out\['W1'\] shares its memory"),
    "out of no gradient": (P, X, Y, {"out": {"Q": X}}, "out has 'Q', which is no gradient"),
    "out as a list": (P, X, Y, {"out": [X]}, "out is a list"),
}


@pytest.mark.parametrize("what", CALLS)
def test_a_wrong_call_is_one_line(what):
    params, x, y, options, message = CALLS[what]
    with pytest.raises(InputError, match=message) as caught:
        F(params, x, y, **options)
    assert "\n" not in str(caught.value)


def test_the_call_that_they_all_spoil_is_right():
    J, gradients = F(P, X, Y)
    assert np.isfinite(J)
    assert {k: v.shape for k, v in gradients.items()} == {k: v.shape for k, v in P.items()}


def test_a_rate_without_a_number():
    f = Network([Dense(2)], inputs=2, loss="squared_error", l2="lambda").derive().compile()
    params, x = {"W1": np.ones((2, 2)), "b1": np.ones((2, 1))}, np.ones((2, 1))
    with pytest.raises(InputError, match=r"the number lambda is missing: pass scalars=\{'lambda': 0.1\}"):
        f(params, x, x)
    with pytest.raises(InputError, match=r"scalars\['lambda'\] must be a number, given str"):
        f(params, x, x, scalars={"lambda": "1"})


def test_labels_only_for_losses_that_take_classes():
    f = Network([Dense(2)], inputs=2, loss="squared_error", batch="m").derive().compile()
    params = {"W1": np.ones((2, 2)), "b1": np.ones((2, 1))}
    with pytest.raises(InputError, match=r"Y is an integer array; squared_error takes numbers, shape \(2, m\)"):
        f(params, np.ones((2, 3)), np.array([0, 1, 0]))


def test_weights_need_a_mean():
    f = Network([Dense(2)], inputs=2, loss="squared_error").derive().compile()
    params, x = {"W1": np.ones((2, 2)), "b1": np.ones((2, 1))}, np.ones((2, 1))
    with pytest.raises(InputError, match="sample_weight needs a network with a batch"):
        f(params, x, x, sample_weight=np.ones(1))


@pytest.mark.parametrize("hidden", ["leaky_relu", "selu", "relu", "hardsigmoid"])
def test_a_nan_is_seen_behind_every_kind_of_choice(hidden):
    f = Network([Dense(3, hidden), Dense(2, "softmax")], inputs=3, loss="kl_divergence", batch="m").derive().compile()
    params = {"W1": P["W1"][:3], "b1": P["b1"][:3], "W2": P["W2"][:, :3], "b2": P["b2"]}
    for name, x, y in (("X", broken(X), Y), ("Y", X, broken(Y))):
        with pytest.raises(InputError, match=rf"{name}\[1, 2\] is NaN"):
            f(params, x, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "nunba"}, "unknown backend 'nunba': did you mean numba"),
        ({"dtype": int}, "dtype is int64: float64 or float32"),
        ({"dtype": "flat"}, "dtype 'flat' is no type of arrays"),
    ],
)
def test_a_wrong_compilation_is_one_line(options, message):
    with pytest.raises(InputError, match=message):
        D.compile(**options)

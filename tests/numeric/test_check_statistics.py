"""True gradients of random networks are never refuted, planted errors are; tests/benchmarks/bench_check.py has more."""

import warnings
from collections import Counter

import numpy as np
import pytest
from check_statistics import KINDS, one_network
from plain_networks import network

from symbackprop import BlindPointWarning, Status, check_gradient


@pytest.mark.parametrize("kind", KINDS)
def test_random_networks(kind):
    total: Counter[str] = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BlindPointWarning)
        for n in range(12):
            total += one_network(kind, 10_000 + n, planted=n % 2 == 0)
    assert total["refuted"] == 0
    assert total["covered"] == total["directions"] > 90
    for what in ("tensor", "entry"):
        assert total[f"{what} above refuted"] == total[f"{what} above"], total
    if kind != "float32 inside":
        assert total["consistent"] >= 11
        assert total["tensor above"] >= 4
        assert total["named"] == total["entry refuted"] >= 3


def test_true_gradients_exactly_at_kinks_are_never_refuted():
    """Biases are 0, and so is a third of the samples: every unit lies at its kink there."""
    total: Counter[Status] = Counter()
    for n in range(20):
        plain = network("relu", np.random.default_rng(n), np.float64 if n % 2 else np.float32)
        plain.X[:, : max(1, plain.X.shape[1] // 3)] = 0
        params = {name: 0 * array if name.startswith("b") else array for name, array in plain.params.items()}
        with pytest.warns(BlindPointWarning, match="b1 is 0"):
            total[check_gradient(plain.value, plain.gradients(params), params, seed=n).status] += 1
    assert total[Status.REFUTED] == 0
    assert total[Status.CONSISTENT] >= 17


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_hundred_thousand_parameters(dtype):
    plain = network("relu", np.random.default_rng(0), dtype, (784, 128, 10), 32, 5.0)
    true = plain.gradients(plain.params)
    assert check_gradient(plain.value, true, plain.params).status is Status.CONSISTENT
    for name in true:
        wrong = {**true, name: true[name] * dtype(1 + (5e-7 if dtype is np.float64 else 1e-4))}
        r = check_gradient(plain.value, wrong, plain.params)
        assert [row.parameter for row in r.table.values() if row.status is Status.REFUTED] == [name]

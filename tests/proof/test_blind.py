"""Formulas that hold at special points only: each must be refuted, in the manner of Ceres's tests of its own checker.

m = 1, n = 1, equal sizes, zero or symmetric weights, no bias, y = a, all units active, small whole numbers.
"""

import pytest
from fuzzing import dense

from symbackprop import Network
from symbackprop.proof.status import Status

NETWORKS: dict[str, Network] = {
    "sigmoid": dense("sigmoid", "sigmoid", loss="binary_cross_entropy", batch="m"),
    "tanh": dense("tanh", "identity", loss="half_squared_error", batch="m"),
    "relu": dense("relu", "identity", loss="half_squared_error", batch="m"),
    "equal": dense("sigmoid", "sigmoid", "sigmoid", sizes="n n n n", loss="half_squared_error", batch="m"),
    "numbers": dense("tanh", "sigmoid", sizes="3 3 3", loss="binary_cross_entropy", batch=3),
    "softmax": dense("tanh", "softmax", loss="half_squared_error", batch="m"),
    "cross-entropy": dense("tanh", "softmax", loss="cross_entropy", batch="m"),
    "any labels": dense("tanh", "softmax", loss="cross_entropy", batch="m", labels="any"),
    "penalty": dense("tanh", "identity", loss="half_squared_error", batch="m", l2="lambda", l1="mu"),
    "one example": dense("tanh", "sigmoid", loss="squared_error"),
    "rows": dense("sigmoid", "sigmoid", loss="binary_cross_entropy", batch="m", samples="rows"),
    "hinge": dense("tanh", "identity", loss="hinge", batch="m"),
}

# the regime in which it holds; the network; what it is for; what is claimed
BLIND = {
    "m = 1: the error for its sum": ("sigmoid", "b1", "Delta1"),
    "m = 1: a sum before the product": ("sigmoid", "W2", "Delta2.sum(axis=1) @ A1.sum(axis=1).T"),
    "m = 1: the mean of each factor": ("sigmoid", "W2", "Delta2.sum(axis=1) @ A1.sum(axis=1).T / m"),
    "m = 1: no 1/m": ("sigmoid", "Delta2", "A2 - Y"),
    "m = 1: 1/m twice": ("sigmoid", "W1", "Delta1 @ X.T / m"),
    "m = 1: the root of m": ("sigmoid", "W1", "Delta1 @ X.T / np.sqrt(m)"),
    "m = 1, rows: the error for its sum": ("rows", "b1", "Delta1.T"),
    "m = 2: m - 1": ("sigmoid", "W1", "(m - 1) * Delta1 @ X.T"),
    "m = 2 and 3": ("sigmoid", "W1", "Delta1 @ X.T + (m - 2) * (m - 3) * W1"),
    "n = m: 1/n for 1/m": ("sigmoid", "Delta2", "(A2 - Y) / n_2"),
    "n = 1: divided by the outputs": ("sigmoid", "Delta2", "(A2 - Y) / (m * n_2)"),
    "n = 1: sums of both factors": ("sigmoid", "Delta1", "W2.sum(axis=0).T * Delta2.sum(axis=0) * A1 * (1 - A1)"),
    "n_0 = n_1": ("sigmoid", "b1", "n_0 * Delta1.sum(axis=1) / n_1"),
    "n_0 = 2 and 3": ("sigmoid", "b1", "Delta1.sum(axis=1) + (n_0 - 2) * (n_0 - 3) * b1"),
    "equal sizes: W for W^T": ("equal", "Delta1", "(W2 @ Delta2) * A1 * (1 - A1)"),
    "equal sizes: another W": ("equal", "Delta1", "(W3.T @ Delta2) * A1 * (1 - A1)"),
    "equal sizes: the order of the product": (
        "equal",
        "Delta1",
        "(W2.T @ (W3.T @ Delta3) * A2 * (1 - A2)) * A1 * (1 - A1)",
    ),
    "equal sizes: another activation": ("equal", "W3", "Delta3 @ A1.T"),
    "equal sizes: the input for an activation": ("equal", "W2", "Delta2 @ X.T"),
    "equal sizes: transposed as a whole": ("equal", "W2", "A1 @ Delta2.T"),
    "equal numbers: X for X^T": ("numbers", "W1", "Delta1 @ X"),
    "equal numbers: the wrong axis": ("numbers", "b1", "Delta1.sum(axis=0).T"),
    "equal numbers: elementwise": ("numbers", "W2", "Delta2 * A1.T"),
    "equal numbers: product for elementwise": ("numbers", "Delta2", "(A2 - Y) / 3 @ X @ X.T"),
    "equal numbers: W for W^T": ("numbers", "Delta1", "(W2 @ Delta2) * (1 - A1**2)"),
    "W = 0: no penalty": ("penalty", "W1", "Delta1 @ X.T"),
    "W = 0: no l2": ("penalty", "W1", "Delta1 @ X.T + mu * np.sign(W1)"),
    "W = 1: the weight for its sign": ("penalty", "W1", "Delta1 @ X.T + lambda_ * W1 + mu * W1"),
    "W = 1: the sign for the weight": ("penalty", "W1", "Delta1 @ X.T + (lambda_ + mu) * np.sign(W1)"),
    "W > 0: one for its sign": ("penalty", "W1", "Delta1 @ X.T + lambda_ * W1 + mu"),
    "z = 0: tanh' is 1": ("tanh", "Delta1", "W2.T @ Delta2"),
    "z = 0: sigma' is 1/4": ("sigmoid", "Delta1", "(W2.T @ Delta2) / 4"),
    "z = 0: z for a": ("tanh", "W2", "Delta2 @ Z1.T"),
    "z small: 1 - z^2 for tanh'": ("tanh", "Delta1", "(W2.T @ Delta2) * (1 - Z1**2)"),
    "b = 0: no bias": ("sigmoid", "Z1", "W1 @ X"),
    "y = a: nothing": ("tanh", "W2", "0 * W2"),
    "y = a: twice": ("tanh", "W2", "2 * Delta2 @ A1.T"),
    "y = a: squared": ("tanh", "Delta2", "(A2 - Y) ** 2 / m"),
    "y = a: the sign": ("tanh", "Delta2", "(Y - A2) / m"),
    "all active: no step": ("relu", "Delta1", "W2.T @ Delta2"),
    "all active: a >= 0": ("relu", "Delta1", "(W2.T @ Delta2) * (A1 >= 0)"),
    "all active: z for a": ("relu", "W2", "Delta2 @ Z1.T"),
    "all active: the step of the input": ("relu", "Delta1", "(W2.T @ Delta2) * (W1 @ X > 0)"),
    "none active: nothing": ("relu", "Delta1", "0 * Delta1"),
    "deltas above 0: the step of the error": ("relu", "Delta1", "(W2.T @ Delta2) * (Z1 > 0) * (W2.T @ Delta2 > 0)"),
    "two classes: the softmax Jacobian": (
        "softmax",
        "Delta2",
        "A2 * (1 - A2) * (2 * (A2 - Y) - (A2 - Y).sum(axis=0)) / m",
    ),
    "diagonal: the softmax Jacobian": ("softmax", "Delta2", "(A2 - Y) * A2 * (1 - A2) / m"),
    "one-hot: y^2 for y": ("cross-entropy", "Delta2", "(A2 - Y**2) / m"),
    "labels that sum to 1": ("any labels", "Delta2", "(A2 - Y) / m"),
    "margins open: no step": ("hinge", "Delta2", "-Y / m"),
    "signs: y = 1": ("hinge", "Delta2", "-(Y * A2 < 1) / m"),
    "nearly whole": ("tanh", "W1", "Delta1 @ X.T + np.sin(22 * W1 / 7) - np.sin(22 * W1 / 7 + 0.000001)"),
    "nearly 1": ("tanh", "W1", "1.000000000000000000000000000001 * Delta1 @ X.T"),
}
# What holds wherever sizes and entries are small whole numbers: it may stay without a refutation, but not be proved.
FAR = {
    "m = 2 to 6": ("sigmoid", "W1", "Delta1 @ X.T + (m - 2) * (m - 3) * (m - 4) * (m - 5) * (m - 6) * W1"),
    "weights 1 and 2 in size": ("sigmoid", "W1", "Delta1 @ X.T + (W1**2 - 1) * (W1**2 - 4)"),
    "data 1, 2 and 3 in size": ("sigmoid", "Z1", "W1 @ (X + (X**2 - 1) * (X**2 - 4) * (X**2 - 9)) + b1"),
    "biases 1 and 2 in size": ("sigmoid", "b1", "Delta1.sum(axis=1) + (b1**2 - 1) * (b1**2 - 4)"),
}


@pytest.mark.parametrize("regime", BLIND)
def test_what_holds_at_special_points_is_refuted(regime: str) -> None:
    network, of, claim = BLIND[regime]
    verdict = NETWORKS[network].verify(claim, of=of)
    assert verdict.status is Status.REFUTED, verdict
    assert verdict.counterexample is not None or verdict.code in ("SBP201", "SBP202", "SBP203"), verdict


@pytest.mark.parametrize("regime", FAR)
def test_what_holds_at_small_whole_numbers_is_not_proved(regime: str) -> None:
    network, of, claim = FAR[regime]
    assert NETWORKS[network].verify(claim, of=of).status is not Status.PROVED


# What holds except where an entry is 0, as biases are at first and data often are: no kink is granted there.
EXCEPT_AT_ZERO = {
    "sign squared": ("sigmoid", "b1", "Delta1.sum(axis=1) + 1 - np.sign(b1) ** 2"),
    "above or below": ("sigmoid", "b1", "Delta1.sum(axis=1) + (b1 > 0) + (b1 < 0) - 1"),
    "both with equality": ("sigmoid", "b1", "Delta1.sum(axis=1) + (b1 >= 0) + (b1 <= 0) - 1"),
    "of the data": ("sigmoid", "Z1", "W1 @ X + b1 + ((X > 0) + (X < 0) - 1).sum(axis=0)"),
    "of a pre-activation": ("sigmoid", "Delta1", "(W2.T @ Delta2) * A1 * (1 - A1) * np.sign(Z1) ** 2"),
}
# What has no value where something is 0: labels often are, and a batch may have two samples.
UNDEFINED_AT_ZERO = {
    "bias": ("sigmoid", "b1", "Delta1.sum(axis=1) + b1 / b1 - 1"),
    "label": ("sigmoid", "Delta2", "(A2 - Y**2 / Y) / m"),
    "weight": ("sigmoid", "W1", "Delta1 @ X.T + 0 / W1"),
    "two samples": ("sigmoid", "W1", "(m - 2) / (m - 2) * Delta1 @ X.T"),
    "one unit": ("sigmoid", "W1", "(n_0 - 1) * Delta1 @ X.T / (n_0 - 1)"),
}


@pytest.mark.parametrize("case", EXCEPT_AT_ZERO)
def test_what_fails_at_zero_is_refuted_or_says_so(case: str) -> None:
    network, of, claim = EXCEPT_AT_ZERO[case]
    verdict = NETWORKS[network].verify(claim, of=of)
    assert verdict.status is Status.REFUTED or verdict.assumptions, verdict


@pytest.mark.parametrize("case", UNDEFINED_AT_ZERO)
def test_what_has_no_value_at_zero_is_not_proved_without_a_word(case: str) -> None:
    network, of, claim = UNDEFINED_AT_ZERO[case]
    verdict = NETWORKS[network].verify(claim, of=of)
    assert verdict.status is not Status.PROVED or verdict.assumptions, verdict


def test_what_has_no_value_at_any_network_is_not_proved() -> None:
    """A1 / A1 is 1 where a unit is active and has no value elsewhere; the gate is 0 there."""
    verdict = NETWORKS["relu"].verify("(W2.T @ Delta2) * (A1 / A1)", of="Delta1")
    assert verdict.status is not Status.PROVED, verdict


def test_a_root_of_a_step_is_read_as_any_other() -> None:
    """Once an IndexError."""
    verdict = NETWORKS["relu"].verify("(W2.T @ Delta2) * np.sqrt(Z1 > 0)", of="Delta1")
    assert verdict.status in (Status.PROVED, Status.CONSISTENT)


@pytest.mark.parametrize(
    ("network", "of", "claim"),
    [
        ("relu", "Delta1", "(W2.T @ Delta2) * (Z1 >= 0)"),
        ("relu", "Delta1", "(W2.T @ Delta2) * (A1 > 0)"),
        ("hinge", "Delta2", "-Y * (Y * A2 <= 1) / m"),
    ],
)
def test_kinks_are_granted_and_listed(network: str, of: str, claim: str) -> None:
    verdict = NETWORKS[network].verify(claim, of=of)
    assert verdict.status is Status.PROVED, verdict
    assert any("kink" in text or "margin" in text for text in verdict.assumptions)


def test_what_holds_for_the_sizes_given_says_so() -> None:
    net = dense("sigmoid", "sigmoid", loss="binary_cross_entropy", batch=1)
    verdict = net.verify("Delta1", of="b1")
    assert verdict.status is Status.PROVED
    assert verdict.scope != "all sizes"


def test_symmetric_weights_are_named() -> None:
    verdict = NETWORKS["equal"].verify("(W2 @ Delta2) * A1 * (1 - A1)", of="Delta1")
    assert (verdict.status, verdict.code) == (Status.REFUTED, "SBP319")
    assert "W2" in verdict.message


def test_counterexamples_are_no_special_points() -> None:
    """More than one sample and unit, no array of zeros, no symmetric weights."""
    for network, of, claim in BLIND.values():
        example = NETWORKS[network].verify(claim, of=of).counterexample
        if example is None:
            continue
        assert all(n > 1 for n in example.sizes.values()), example
        for name, rows in example.arrays.items():
            assert any(x != 0 for row in rows for x in row), example
            if name[0] == "W" and len(rows) == len(rows[0]) > 1:
                assert any(rows[i][j] != rows[j][i] for i in range(len(rows)) for j in range(i)), example

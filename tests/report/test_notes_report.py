"""What the notes say, judged: the same, equal, different, misshapen; and mistakes planted in true gradients."""

import itertools

import pytest

from symbackprop import Dense, Network, NetworkError
from symbackprop.proof.status import Status

LAYERS = [Dense("n_1", "tanh"), Dense("n_2", "sigmoid")]
LAYOUTS = list(itertools.product(("columns", "rows"), ("out x in", "in x out")))


SAME, MISSHAPEN, DIFFERS = "proved", "refuted by its shape", "refuted by a network"


def verdict(of, says, layers=LAYERS, **more):
    options = {"inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"} | more
    return Network(layers, **options).verify(says, of)


def outcome(of, says, layers=LAYERS, **more):
    found = verdict(of, says, layers, **more)
    if found.status is not Status.REFUTED:
        return found.status.value
    assert (found.counterexample is None) == found.code.startswith("SBP20")
    return MISSHAPEN if found.counterexample is None else DIFFERS


@pytest.mark.parametrize(
    ("of", "says", "wanted"),
    [
        ("W2", "Delta2 @ A1.T", SAME),
        ("W2", "(A2 - Y) @ A1.T / m", SAME),
        ("W2", "(1 / m) * ((A2 - Y) @ A1.T)", SAME),
        ("Delta1", "(W2.T @ Delta2) * tanh_prime(Z1)", SAME),
        ("Delta1", "(W2.T @ Delta2) * (1 - A1**2)", SAME),
        ("Delta1", "(W2.T @ (A2 - Y)) * (1 - tanh(Z1)**2) / m", SAME),
        ("W2", "(A2 @ A1.T - Y @ A1.T) / m", SAME),
        ("b2", "(A2 - Y).sum(axis=1) / m", SAME),
        ("Z1", "W1 @ X + b1", SAME),
        ("Z1", "W1 @ X + b2", MISSHAPEN),
        ("W2", "A1 @ Delta2.T", MISSHAPEN),
        ("W2", "(A2 - Y) @ A1.T", DIFFERS),
        ("W2", "(Y - A2) @ A1.T / m", DIFFERS),
        ("Delta1", "(W2.T @ Delta2) * (1 - A1)", DIFFERS),
        ("Delta1", "(W2.T @ Delta2) * A1 * (1 - A1)", DIFFERS),
        ("Delta1", "W2.T @ Delta2", DIFFERS),
        ("Delta2", "(A2 - Y) * A2 * (1 - A2) / m", DIFFERS),
        ("W1", "Delta1 @ A1.T", MISSHAPEN),
        ("A1", "tanh(Z1)", SAME),
        ("Z2", "W2 @ Z1", DIFFERS),
    ],
)
def test_outcomes(of, says, wanted):
    assert outcome(of, says) == wanted


def test_equal_sizes_do_not_hide_a_difference():
    square = [Dense(3, "tanh"), Dense(3, "sigmoid")]
    for says in ("W2 @ Delta2 * (1 - A1**2)", "(W2.T @ Delta2) * (1 - A2**2)", "(W1.T @ Delta2) * (1 - A1**2)"):
        assert outcome("Delta1", says, square, inputs=3, batch=3) == DIFFERS
    assert outcome("Delta1", "(W2.T @ Delta2) * (1 - A1**2)", square, inputs=3, batch=3) == SAME


@pytest.mark.parametrize(("layout", "weights"), LAYOUTS)
def test_no_edit_of_a_true_gradient_is_called_the_same(layout, weights):
    """Every gradient against every other array expression of its shape that an edit makes from it."""
    net = Network(LAYERS, inputs="n_0", loss="squared_error", batch="m", samples=layout, weights=weights)
    d = net.derive()
    for name in d.formulas:
        truth = str(d.gradient(name))
        for factor in ("2", "(1/m)", "m", "(0 - 1)"):
            says = f"{factor} * ({python(truth)})"
            found = net.verify(says, name)
            assert found.status is Status.REFUTED, (name, says)
            assert found.counterexample is not None


def python(text):
    """What SymPy prints of a product of two arrays, or of a sum over samples, in the syntax that notes are read in."""
    if text.startswith("sum("):
        inner, axis = text[4:-1].rsplit(", ", 1)
        return f"({inner}).sum({axis})"
    if text.endswith(".T") and text.startswith("sum("):
        return text
    return text.replace("*", " @ ")


@pytest.mark.parametrize(
    ("of", "says", "message"),
    [
        ("W9", "X", "a note on 'W9', which the network does not have"),
        ("X", "X", "a note on 'X'"),
        (3, "X", "it must be a name"),
        ("W1", 3, "a note says a formula in quotes"),
        ("W1", "Delta9 @ X.T", "the formula cannot be read: 1:1:"),
        ("W1", "__import__('os')", "the formula cannot be read"),
        ("W1", "Delta1 @", "the formula cannot be read"),
    ],
)
def test_a_note_that_cannot_be_read(of, says, message):
    with pytest.raises(NetworkError) as caught:
        Network(LAYERS, inputs="n_0", loss="generic", notes=[(of, says)])
    assert message in str(caught.value)


RIGHT = [
    # network, note: right ones at which a careless check calls a difference, or does not read NumPy's broadcasting
    ([Dense(10, "sigmoid")], {"inputs": 200}, "Delta1", "(-(Y/A1) + (1-Y)/(1-A1)) * exp(-Z1)/(1+exp(-Z1))**2/m"),
    ([Dense(2, "softmax"), Dense(3, "sigmoid")], {}, "Delta1", "A1 * (W2.T@Delta2 - (A1 * (W2.T@Delta2)).sum(axis=0))"),
    ([Dense("n_1", "softmax")], {"loss": "cross_entropy"}, "A1", "exp(Z1) / exp(Z1).sum(axis=0)"),
    ([Dense("n_1", "tanh")], {"loss": "squared_error", "batch": None}, "W1", "delta1 * x.T"),
]
WRONG = [
    # wrong ones that agree at careless points: m = 2, lambda = 1/4, one side of a kink, dead units
    ([Dense(3, "tanh"), Dense(1, "sigmoid")], {"inputs": 4}, "Delta2", "(A2 - Y) / 2"),
    ([Dense(2, "tanh")], {"loss": "squared_error", "l2": "lambda"}, "W1", "Delta1 @ X.T + W1 / 4"),
    ([Dense("n_1", "relu6"), Dense("n_2")], {"loss": "squared_error"}, "Delta1", "(W2.T @ Delta2) * (Z1 > 0)"),
    ([Dense("n_1", "hardsigmoid"), Dense("n_2")], {"loss": "squared_error"}, "Delta1", "(W2.T @ Delta2) / 6"),
    ([Dense("n_1", "sigmoid")], {"loss": "huber"}, "Delta1", "(A1 - Y) * A1 * (1 - A1) / m"),
    (
        [Dense(1, "relu"), Dense(1, "relu")],
        {"inputs": 1, "loss": "squared_error", "batch": None},
        "delta1",
        "3 * delta2 * (z1 > 0)",
    ),
    ([Dense(1, "elu"), Dense(1)], {"inputs": 1, "loss": "squared_error", "batch": None}, "delta1", "W2.T @ delta2"),
]


@pytest.mark.parametrize(("layers", "more", "of", "says"), RIGHT)
def test_a_right_note_is_never_called_wrong(layers, more, of, says):
    assert outcome(of, says, layers, **more) == SAME


@pytest.mark.parametrize(("layers", "more", "of", "says"), WRONG)
def test_a_wrong_note_does_not_agree(layers, more, of, says):
    assert outcome(of, says, layers, **more) == DIFFERS


def test_a_note_that_does_not_conform_is_printed_and_judged():
    for says in ("(W1 + Delta1) * W1", "(W1 + Delta1)**2", "W1 @ W1 * X"):
        d = Network(LAYERS, inputs="n_0", loss="squared_error", batch="m", notes=[("W1", says)]).derive()
        assert outcome("W1", says, loss="squared_error") == MISSHAPEN
        assert "What the notes say" in d.latex()


def test_the_report_sets_both_side_by_side():
    text = (
        Network(LAYERS, inputs="n_0", loss="binary_cross_entropy", batch="m", notes=[("W2", "(A2 - Y) @ A1.T")])
        .derive()
        .latex()
    )
    assert r"\section*{What the notes say}" in text
    assert r"\text{notes:}\quad & \frac{\partial J}{\partial W^{(2)}} = (A^{(2)} - Y) A^{(1)T}" in text
    assert r"\text{derived:}\quad & \frac{\partial J}{\partial W^{(2)}} = \Delta^{(2)} A^{(1)T}" in text
    assert "Not what is derived (SBP301): it differs from what is right." in text
    assert "In a small network with $n_0 = 2,\\ n_1 = 3" in text

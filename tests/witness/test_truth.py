"""The witness is itself tested: by its two routes, by central differences, and by values from elsewhere."""

from dataclasses import replace

import mpmath
import pytest
import sympy as sp
import truth
from mpmath import mpf
from truth import Spec

BATCH_ROWS = {"m": 3, "samples": "rows"}
BATCH_COLUMNS = {"m": 2}
IN_OUT = {"weights": "in x out"}

LAYOUTS = [
    Spec((2, 3, 2), ("sigmoid", "tanh"), "squared_error"),
    Spec((2, 3, 2), ("sigmoid", "tanh"), "squared_error", **IN_OUT),
    Spec((2, 3, 2), ("tanh", "softmax"), "cross_entropy", **BATCH_COLUMNS),
    Spec((3, 2), ("softmax",), "cross_entropy", **BATCH_ROWS, **IN_OUT),
    Spec((2, 3, 1), ("relu", "sigmoid"), "binary_cross_entropy", **BATCH_ROWS, l2=0.1),
    Spec((2, 3, 1), ("relu", "identity"), "half_squared_error", **BATCH_COLUMNS, **IN_OUT, l1="1/7", l2="0.3"),
    Spec((2, 3, 2), ("generic", "identity"), "generic", **BATCH_ROWS, **IN_OUT, bias=(False, True)),
    Spec((1, 2, 3, 2), ("tanh", "relu", "identity"), "mean_squared_error", bias=(True, True, False), l2="1/3"),
    Spec((2, 1), ("identity",), "poisson", m=1, bias=(False,)),
]
EVERY = (
    LAYOUTS
    + [Spec((2, 3), (a,), "generic", m=2) for a in truth.ACTIVATIONS]
    + [Spec((2, 2, 3), ("tanh", "sigmoid"), loss, m=2, samples="rows") for loss in truth.LOSSES]
)


def label(spec: Spec) -> str:
    return f"{'-'.join(spec.activations)}-{spec.loss}-{spec.m}-{spec.samples}-{spec.weights}"


def finite_differences(spec: Spec, point: truth.Point) -> truth.Point:
    """Central differences of J alone, at 60 digits with step 1e-18."""
    point = {k: [list(row) for row in v] for k, v in point.items()}
    with mpmath.workdps(60):
        h = mpf("1e-18")

        def loss_at(row: list, j: int, value: mpf) -> mpf:
            kept, row[j] = row[j], value
            J = truth.forward(spec, point, 60)["J"]
            row[j] = kept
            return J

        return {
            k: [
                [(loss_at(row, j, v + h) - loss_at(row, j, v - h)) / (2 * h) for j, v in enumerate(row)]
                for row in point[k]
            ]
            for k in spec.parameters
        }


@pytest.mark.parametrize("spec", EVERY, ids=label)
def test_both_routes_agree_with_each_other_and_with_differences(spec: Spec) -> None:
    point = truth.random_point(spec, seed=1)
    J, gradients = truth.numeric_gradients(spec, point)
    got_J, got = truth.evaluate_symbolic(truth.symbolic_gradients(spec), point)
    assert truth.difference(got_J, J) < 1e-25
    assert truth.difference(got, gradients) < 1e-20
    assert truth.difference(gradients, finite_differences(spec, point)) < 1e-25
    assert any(g for row in gradients["W1"] for g in row)
    assert truth.forward(spec, point)["J"] == J


@pytest.mark.parametrize("spec", LAYOUTS, ids=label)
def test_a_wrong_entry_is_noticed(spec: Spec) -> None:
    gradients = truth.numeric_gradients(spec, truth.random_point(spec, seed=2))[1]
    assert truth.difference(gradients, gradients) == 0
    for name in spec.parameters:
        wrong = [list(row) for row in gradients[name]]
        with mpmath.workdps(40):
            wrong[-1][0] += mpf("1e-15")
        assert truth.difference(gradients | {name: wrong}, gradients) > 1e-18
        assert truth.difference({k: v for k, v in gradients.items() if k != name}, gradients) == mpf("inf")
        if spec.shape(name)[0] != spec.shape(name)[1]:
            assert truth.difference(list(zip(*gradients[name], strict=True)), gradients[name]) == mpf("inf")
    assert truth.difference(gradients | {"W1": mpf("nan")}, gradients) == mpf("inf")


def test_a_wrong_derivative_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = Spec((2, 3), ("tanh",), "squared_error", m=2)
    point = truth.random_point(spec, seed=3)
    monkeypatch.setitem(truth._D_ACTIVATION, "tanh", truth._rule(mpmath.tanh, lambda v: 1 - mpmath.tanh(v)))
    J, gradients = truth.numeric_gradients(spec, point)
    got_J, got = truth.evaluate_symbolic(truth.symbolic_gradients(spec), point)
    assert truth.difference(got_J, J) < 1e-25
    assert truth.difference(got, gradients) > 1e-3


@pytest.mark.parametrize(
    ("activation", "at", "value", "slope"),
    [  # published values, and by hand
        ("sigmoid", 1, 0.7310585786300049, 0.19661193324148185),
        ("tanh", 1, 0.7615941559557649, 0.41997434161402614),
        ("leaky_relu", -2, -0.02, 0.01),
        ("elu", -1, -0.6321205588285577, 0.36787944117144233),
        ("selu", -1, -1.1113307378125625, 1.7580993408473766 - 1.1113307378125625),
        ("selu", 2, 2 * 1.0507009873554805, 1.0507009873554805),
        ("softplus", 1, 1.3132616875182228, 0.7310585786300049),
        ("softsign", -1, -0.5, 0.25),
        ("silu", 1, 0.7310585786300049, 0.9276705118714869),
        ("gelu", 1, 0.8413447460685429, 1.0833154705876864),
        ("gelu_tanh", 1, 0.8411919906082768, 1.0829640838457826),
        ("mish", 1, 0.8650983882673103, 1.0490362200997922),
        ("hardtanh", -2, -1, 0),
        ("hardtanh", 0.5, 0.5, 1),
        ("hardtanh", 1, 1, 0),
        ("hardtanh", -1, -1, 0),
        ("hardsigmoid", 1, 2 / 3, 1 / 6),
        ("hardsigmoid", 3, 1, 0),
        ("hardsigmoid", -4, 0, 0),
        ("relu6", 7, 6, 0),
        ("relu6", 2, 2, 1),
        ("relu6", -1, 0, 0),
        ("relu6", 0, 0, 0),
        ("relu6", 6, 6, 0),
        ("relu", 0, 0, 0),
        ("relu", 3, 3, 1),
        ("leaky_relu", 0, 0, 0.01),
        ("softmax", 4, 1, 0),
        ("log_softmax", 4, 0, 0),
    ],
)
def test_activations_have_their_known_values_and_slopes(activation: str, at: float, value: float, slope: float) -> None:
    """A 1-1 network with W = 1, b = 0 and loss -y a with y = -1: J = sigma(x) and dJ/db = sigma'(x)."""
    spec = Spec((1, 1), (activation,), "negative_log_likelihood")
    point = {"W1": [[1]], "b1": [[0]], "x": [[at]], "y": [[-1]]}
    for J, gradients in (
        truth.numeric_gradients(spec, point),
        truth.evaluate_symbolic(truth.symbolic_gradients(spec), point),
    ):
        assert pytest.approx(value, abs=1e-15) == J
        assert gradients["b1"][0][0] == pytest.approx(slope, abs=1e-15)


@pytest.mark.parametrize(
    ("loss", "value"),
    [
        ("squared_error", "0.05"),
        ("half_squared_error", "0.025"),
        ("mean_squared_error", "0.025"),
        ("absolute_error", "0.3"),
        ("huber", "0.025"),
        ("log_cosh", mpmath.log(mpmath.cosh(0.1) * mpmath.cosh(0.2))),
        ("binary_cross_entropy", -mpmath.log(0.25) * 0.35 - mpmath.log(0.75) * 0.65 - mpmath.log(0.5)),
        ("log_likelihood", mpmath.log(0.25) * 0.35 + mpmath.log(0.75) * 0.65 + mpmath.log(0.5)),
        ("cross_entropy", -mpmath.log(0.25) * 0.35 - mpmath.log(0.5) * 0.3),
        ("negative_log_likelihood", "-0.2375"),
        ("hinge", "1.7625"),
        ("squared_hinge", mpf(0.9125) ** 2 + mpf(0.85) ** 2),
        ("kl_divergence", mpmath.log(0.35 / 0.25) * 0.35 + mpmath.log(0.3 / 0.5) * 0.3),
        ("poisson", 0.75 - mpmath.log(0.25) * 0.35 - mpmath.log(0.5) * 0.3),
        (
            "binary_cross_entropy_with_logits",
            mpmath.log(1 + mpmath.exp(0.25)) - 0.25 * 0.35 + mpmath.log(1 + mpmath.exp(0.5)) - 0.5 * 0.3,
        ),
        ("cross_entropy_with_logits", 0.65 * mpmath.log(mpmath.exp(0.25) + mpmath.exp(0.5)) - 0.2375),
    ],
)
def test_losses_have_their_values_by_hand(loss: str, value: mpf) -> None:
    """Outputs (0.25, 0.5) and targets (0.35, 0.3)."""
    spec = Spec((1, 2), ("identity",), loss)
    point = {"W1": [[0.25], [0.5]], "b1": [[0], [0]], "x": [[1]], "y": [["0.35"], ["0.3"]]}
    assert float(truth.forward(spec, point)["J"]) == pytest.approx(float(value), abs=1e-14)


def test_one_weight_by_hand() -> None:
    """J = ((2 w + b - 1)^2 + (3 w + b)^2) / 2 + l2/2 w^2 + l1 |w| at w = -1, b = 5."""
    spec = Spec((1, 1), ("identity",), "squared_error", m=2, l1="1/4", l2=0.5)
    point = {"W1": [[-1]], "b1": [[5]], "X": [[2, 3]], "Y": [[1, 0]]}
    J, gradients = truth.numeric_gradients(spec, point)
    assert J == 4 + 0.25 + 0.25
    assert gradients == {"W1": [[2 * 2 + 2 * 3 - 0.5 - 0.25]], "b1": [[2 + 2]]}
    assert truth.forward(spec, point) == {"Z1": [[3, 2]], "A1": [[3, 2]], "J": J}


@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy"])
def test_layouts_are_transposes_of_one_another(loss: str) -> None:
    base = Spec((2, 3, 1), ("tanh", "sigmoid"), loss, m=4, l1=0.1)
    J, gradients = truth.numeric_gradients(base, truth.random_point(base, seed=4))
    for samples in ("columns", "rows"):
        for weights in ("out x in", "in x out"):
            spec = replace(base, samples=samples, weights=weights)
            point = truth.random_point(spec, seed=4)
            got_J, got = truth.numeric_gradients(spec, point)
            flipped = {k: truth._transpose(v) if k[0] == "W" and weights == "in x out" else v for k, v in got.items()}
            assert truth.difference(got_J, J) < 1e-28
            assert truth.difference(flipped, gradients) < 1e-28
            out = truth.forward(spec, point)
            shape = (len(out["Z1"]), len(out["Z1"][0]))
            assert shape == ((4, 3) if samples == "rows" else (3, 4))


def test_one_example_is_a_batch_of_one_under_lowercase_names() -> None:
    one = Spec((2, 3), ("softmax",), "cross_entropy")
    batch = replace(one, m=1)
    p, q = (truth.random_point(s, seed=5) for s in (one, batch))
    assert list(p) == ["W1", "b1", "x", "y"]
    assert list(truth.forward(one, p)) == ["z1", "a1", "J"]
    assert {k.upper(): v for k, v in p.items()} == {k.upper(): v for k, v in q.items()}
    assert truth.numeric_gradients(one, p) == truth.numeric_gradients(batch, q)


def test_relu_is_flat_at_zero() -> None:
    spec = Spec((2, 3, 1), ("relu", "identity"), "squared_error")
    zero = {"W1": [[1, 2]] * 3, "b1": [[0]] * 3, "x": [[2], [-1]], "W2": [[1, 2, 3]], "b2": [[1]], "y": [[3]]}
    for _, gradients in (
        truth.numeric_gradients(spec, zero),
        truth.evaluate_symbolic(truth.symbolic_gradients(spec), zero),
    ):
        assert gradients["W1"] == [[0, 0]] * 3
        assert gradients["b1"] == [[0]] * 3
        assert gradients["b2"] == [[-4]]


def test_generic_gradients_fit_their_functions() -> None:
    for n in (1, 2, 3):
        a, y = sp.symbols(f"a:{n}"), sp.symbols(f"y:{n}")
        C = truth.generic_loss(list(a), list(y), sp)
        for g, p in zip(truth.generic_loss_gradient(list(a), list(y), sp), a, strict=True):
            assert sp.expand(sp.diff(C, p) - g) == 0
    z = sp.Symbol("z")
    assert sp.diff(truth.generic_activation(z, sp), z) - truth.generic_activation_derivative(z, sp) == 0
    assert truth.generic_activation_derivative(mpf(0)) == 1.5


def test_symbolic_expressions_are_plain_sympy() -> None:
    J, gradients, symbols = truth.symbolic_gradients(Spec((1, 1), ("relu",), "squared_error"))
    w, b, x, y = (symbols[k][0][0] for k in ("W1", "b1", "x", "y"))
    assert str(w) == "W1_1_1"
    assert J.rewrite(sp.Piecewise) == (sp.Piecewise((w * x + b, w * x + b > 0), (0, True)) - y) ** 2
    assert gradients["b1"][0][0].subs({w: 2, x: 3, b: 1, y: 5}) == 4
    assert gradients["b1"][0][0].subs({w: 2, x: -3, b: 1, y: 5}) == 0


@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "sigmoid"])
@pytest.mark.parametrize(
    ("loss", "low", "high"),
    [
        ("binary_cross_entropy", 0, 1),
        ("log_likelihood", 0, 1),
        ("cross_entropy", 0, mpf("inf")),
        ("poisson", 0, mpf("inf")),
        ("kl_divergence", 0, mpf("inf")),
    ],
)
def test_points_lie_in_the_domain(activation: str, loss: str, low: float, high: float) -> None:
    for bias in ((True, True), (True, False)):
        spec = Spec((3, 4, 2), ("relu", activation), loss, m=3, bias=bias)
        point = truth.random_point(spec, seed=6)
        assert point == truth.random_point(spec, seed=6) != truth.random_point(spec, seed=7)
        assert all(low < a < high for row in truth.forward(spec, point)["A2"] for a in row)
        assert all(float(v) == v for k in point for row in point[k] for v in row)


def test_targets() -> None:
    def targets(loss: str, labels: str = "auto") -> list[list[mpf]]:
        spec = Spec((2, 3), ("softmax",), loss, m=4, samples="rows")
        return truth.random_point(spec, seed=8, labels=labels)["Y"]

    assert all(sum(row) == 1 and min(row) > 0 for row in targets("cross_entropy"))
    assert all(sum(row) != 1 and min(row) > 0 and max(row) < 1 for row in targets("cross_entropy", "any"))
    assert {v for row in targets("hinge") for v in row} == {-1, 1}
    assert all(0 < v < 1 for row in targets("squared_error") for v in row)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="no point found for cross_entropy after log_softmax"):
        truth.random_point(Spec((2, 2), ("log_softmax",), "cross_entropy"), seed=1)
    with pytest.raises(ValueError, match="unknown: \\['rleu', 'mse'\\]"):
        Spec((2, 2), ("rleu",), "mse")
    with pytest.raises(ValueError, match="one longer"):
        Spec((2, 2, 1), ("relu",), "hinge")
    with pytest.raises(ValueError, match="unknown layout"):
        Spec((2, 2), ("relu",), "hinge", samples="row")
    spec = Spec((1, 1), ("identity",), "cross_entropy")
    point = {"W1": [[-1]], "b1": [[0]], "x": [[1]], "y": [[1]]}
    with pytest.raises(ValueError, match="not positive"):
        truth.numeric_gradients(spec, point)
    with pytest.raises(ValueError, match="not positive"):
        truth.evaluate_symbolic(truth.symbolic_gradients(spec), point)
    with pytest.raises(ValueError, match="W1 must have shape"):
        truth.forward(spec, point | {"W1": [[1, 2]]})

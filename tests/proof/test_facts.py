"""Facts: proved where they hold, in every layout; refused where an error is planted; and true on numbers."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy

from symbackprop import Activation, Dense, Network
from symbackprop.algebra import formula as f
from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, Symbol
from symbackprop.calculus.conditions import mentions, value_at_zero
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.proof.facts import SameArray, SameForAll, Vanishes, facts
from symbackprop.proof.facts import _equal_units as equal_units

FRAMES = [
    {},
    {"weights": "in x out"},
    {"batch": "m"},
    {"batch": "m", "weights": "in x out"},
    {"batch": "m", "samples": "rows"},
    {"batch": "m", "samples": "rows", "weights": "in x out"},
]
NAMES = ["linear layers", "zero weights", "equal units"]


def derived(activations, loss="squared_error", biases=None, **more):
    biases = biases or [True] * len(activations)
    layers = [Dense(f"n_{i}", a, bias=b) for i, (a, b) in enumerate(zip(activations, biases), start=1)]
    return Network(layers, **({"inputs": "n_0", "loss": loss} | more)).derive()


def fact(d, name):
    return next(found for found in facts(d) if found.name == name)


@pytest.mark.parametrize("frame", FRAMES, ids=str)
@pytest.mark.parametrize("name", ["tanh", "softmax", "identity", "generic"])
def test_every_fact_is_proved_in_every_layout(frame, name):
    for biases in ([True, True], [False, True], [True, False], [False, False]):
        d = derived([name, "identity"], biases=biases, l2="lambda", l1="mu", **frame)
        assert [u.name for u in facts(d)] == NAMES


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_of_the_table(name):
    d = derived([name, name, "identity"], batch="m")
    assert [u.name for u in facts(d) if u.layer == 1] == NAMES


def test_what_does_not_apply_is_not_offered():
    assert facts(derived(["sigmoid"])) == ()
    one_unit = Network([Dense(1, "sigmoid"), Dense(2)], inputs=3, loss="squared_error").derive()
    assert "equal units" not in [u.name for u in facts(one_unit)]


def test_each_kind_of_layer_is_proved_once():
    d = derived(["tanh", "tanh", "relu", "tanh", "identity"])
    found = [u for u in facts(d) if u.name == "equal units"]
    assert [(u.layer, u.alike) for u in found] == [(1, (2, 4)), (3, ())]


# Linear layers


def test_what_linear_layers_collapse_into():
    d = derived(["identity", "sigmoid"], loss="binary_cross_entropy", batch="m")
    merged = fact(d, "linear layers")
    assert [d.writer.equation(u) for u in merged.where] == [
        "M = W^{(2)} W^{(1)}",
        "d = W^{(2)} b^{(1)} + b^{(2)}",
    ]


@pytest.mark.parametrize("frame", FRAMES, ids=str)
def test_a_wrong_collapse_is_refused(frame):
    merged = fact(derived(["identity", "identity"], **frame), "linear layers")
    (claim,) = merged.proof
    b2 = next(u for u in f.walk(claim.right) if isinstance(u, Symbol) and u.name == "b2")
    w2 = next(u for u in f.walk(claim.right) if isinstance(u, Symbol) and u.name == "W2")
    for wrong in (
        f.substitute(claim.right, {b2: f.Negative(b2)}),
        f.substitute(claim.right, {w2: w2 + w2}),
        f.substitute(claim.right, {merged.where[1].right: b2}),
    ):
        assert wrong != claim.right
        assert not replace(merged, proof=(replace(claim, right=wrong),)).check()


def test_an_activation_between_the_layers_is_not_proved_away():
    (claim,) = fact(derived(["identity", "identity"]), "linear layers").proof
    inner = claim.left.terms[0].factors[1]
    bent = f.substitute(claim.left, {inner: f.Map(f.Function("s", "s"), inner)})
    assert not SameArray(bent, claim.right).holds()


def test_square_weights_do_not_commute():
    n = sympy.Symbol("n")
    a, b = Symbol("A", (n, n)), Symbol("B", (n, n))
    assert SameArray(a @ b, a @ b).holds()
    assert not SameArray(a @ b, b @ a).holds()
    assert SameArray(f.Transpose(a @ b), b.T @ a.T).holds()


# Zero weights


def statement(name, **more):
    return fact(derived([name, "sigmoid"], loss="binary_cross_entropy", batch="m", **more), "zero weights")


def test_what_zero_weights_leave_depends_on_the_activation_at_0():
    for name in ("tanh", "relu", "identity"):
        found = statement(name)
        assert found.statement == "every gradient is zero but that of the last bias"
        assert [type(u) for u in found.proof] == [Vanishes] * 3
    found = statement("sigmoid")
    assert [type(u) for u in found.proof] == [Vanishes, Vanishes, SameForAll]
    d = derived(["sigmoid", "sigmoid"], loss="binary_cross_entropy", batch="m")
    entry = d.writer.equation(found.proof[-1].equation)
    assert entry == r"\frac{\partial J}{\partial W_{ij}^{(2)}} = \frac{1}{2} \sum_{s=1}^{m} \Delta_{is}^{(2)}"
    opaque = statement("generic").proof[-1]
    assert r"\sigma(0)" in d.writer(opaque.equation.right)


def test_the_gradients_of_a_sigmoid_layer_do_not_all_vanish():
    *rest, last = statement("sigmoid").proof
    assert not Vanishes(last.what, last.formula, last.at, last.ties, last.index).holds()
    first = rest[0]
    assert not replace(first, ties=first.ties[:1]).holds()  # W2 is arbitrary: the error comes through


def test_values_at_zero():
    table = {"sigmoid": Fraction(1, 2), "tanh": 0, "relu": 0, "identity": 0, "generic": None}
    for name, value in table.items():
        assert value_at_zero(ACTIVATIONS[name].function) == value
    assert value_at_zero(Activation("reciprocal", "1/z").function) is None
    assert value_at_zero(ACTIVATIONS["tanh"].function, 1) == 1


# Equal units


@pytest.mark.parametrize("frame", FRAMES, ids=str)
@pytest.mark.parametrize("name", ["sigmoid", "softmax"])
def test_each_condition_of_equal_units_is_needed(frame, name):
    found = fact(derived([name, "identity"], **frame), "equal units")
    for symbol in ("W1", "b1", "W2"):
        proof = tuple(replace(u, ties=tuple(t for t in u.ties if t.symbol.name != symbol)) for u in found.proof)
        assert not replace(found, proof=proof).check()
    assert found.check()


def test_a_gradient_that_tells_the_units_apart_is_refused():
    found = fact(derived(["tanh", "identity"], batch="m"), "equal units")
    gradient = found.proof[2]
    scaled = gradient.formula * f.Map(f.Function("s", "s"), Symbol("U", gradient.what.wrt.shape))
    assert not replace(gradient, formula=scaled).holds()
    assert not replace(gradient, unit=gradient.at[1]).holds()  # the columns of dJ/dW1 do differ


def test_momentum_needs_velocities_that_start_equal():
    found = fact(derived(["tanh", "identity"]), "equal units")
    speeds = [u for u in found.proof if getattr(u.what, "letter", "").startswith("V_")]
    assert len(speeds) == 3
    for claim in speeds:
        assert not replace(claim, ties=tuple(t for t in claim.ties if not t.symbol.letter.startswith("V_"))).holds()


@pytest.mark.parametrize("name", ["sigmoid", "softmax", "tanh"])
def test_equal_units_stay_equal_on_numbers(name):
    """Fifty steps with momentum on finite-difference gradients; a fourth unit that starts different stays different."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(3, 5)), rng.normal(size=(2, 5))
    act = {
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "tanh": np.tanh,
        "softmax": lambda z: np.exp(z) / np.exp(z).sum(0),
    }[name]
    w = np.vstack([np.tile(rng.normal(size=3), (3, 1)), rng.normal(size=(1, 3))])
    v = np.hstack([np.tile(rng.normal(size=(2, 1)), (1, 3)), rng.normal(size=(2, 1))])
    params = [w, np.array([[0.3]] * 3 + [[0.1]]), v, rng.normal(size=(2, 1))]

    def cost():
        return np.mean(np.sum((params[2] @ act(params[0] @ x + params[1]) + params[3] - y) ** 2, axis=0))

    speeds = [np.zeros_like(p) for p in params]
    for _ in range(50):
        slopes = []
        for p in params:
            slope = np.zeros_like(p)
            for at in np.ndindex(p.shape):
                p[at] += 1e-6
                up = cost()
                p[at] -= 2e-6
                slope[at] = (up - cost()) / 2e-6
                p[at] += 1e-6
            slopes.append(slope)
        for p, speed, slope in zip(params, speeds, slopes):
            speed[:] = 0.9 * speed + 0.1 * slope
            p -= 0.1 * speed
    assert np.allclose(params[0][:3], params[0][0], atol=1e-5)
    assert np.allclose(params[2][:, :3], params[2][:, :1], atol=1e-5)
    assert not np.allclose(params[0][3], params[0][0], atol=1e-2)


def test_equal_units_are_offered_before_they_are_checked():
    """facts() filters by check(): here a fact whose proof is empty, and so proves nothing."""
    (found,) = equal_units(derived(["tanh", "identity"]))
    assert not replace(found, proof=()).check()


def generator(name, *at):
    return ix.Generator(Symbol(name, (sympy.Symbol("n"), ONE)), (*at, ONE))


def test_an_index_that_is_bound_is_not_mentioned():
    i, j, n = sympy.symbols("i j n")
    node = ix.Sum(ix.Mul((generator("u", i), generator("v", j))), i, ONE, n)
    assert mentions(node, j)
    assert not mentions(node, i)
    assert mentions(ix.Delta(i, j), i)

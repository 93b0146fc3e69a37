"""Updates: their signs and letters, momentum, and the minibatch derived anew."""

from dataclasses import replace

import numpy as np
import pytest
import sympy

from symbackprop import Dense, Loss, Network
from symbackprop.algebra import formula as f
from symbackprop.calculus.training import (
    minibatch,
    momentum,
    rate,
    theta,
    theta_update,
    updates,
    velocity,
    with_gradient,
)


def network(**more):
    layers = [Dense("n_1", "tanh"), Dense("n_2", "sigmoid")]
    given = {"inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"} | more
    return Network(layers, **given)


def written(d, updates):
    return [f"{d.writer(u.symbol)} <- {d.writer(u.formula)}" for u in updates]


def test_descent_for_every_parameter():
    d = network().derive()
    assert [u.symbol.name for u in updates(d)] == ["W1", "b1", "W2", "b2"]
    assert written(d, updates(d))[0] == r"W^{(1)} <- W^{(1)} - \alpha \frac{\partial J}{\partial W^{(1)}}"
    assert written(d, [with_gradient(u, d) for u in updates(d)])[2:] == [
        r"W^{(2)} <- W^{(2)} - \alpha \Delta^{(2)} A^{(1)T}",
        r"b^{(2)} <- b^{(2)} - \alpha \Delta^{(2)} \mathbf{1}",
    ]


def test_a_likelihood_is_climbed():
    d = network(loss="log_likelihood").derive()
    assert d.model.loss.maximise
    assert written(d, updates(d))[0] == r"W^{(1)} <- W^{(1)} + \alpha \frac{\partial J}{\partial W^{(1)}}"
    assert written(d, [momentum(d)[0].step]) == [r"W^{(1)} <- W^{(1)} + \alpha V_W^{(1)}"]
    assert "+" in d.writer(theta_update(d).formula)


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "log_likelihood"])
def test_one_step_makes_the_cost_smaller_and_the_likelihood_greater(loss):
    """Each update is evaluated as it is written, node by node, on numbers."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 6)), rng.uniform(size=(1, 6))
    d = Network([Dense(1, "sigmoid")], inputs=2, loss=loss, batch=6).derive()
    start = {"W1": rng.normal(size=(1, 2)), "b1": rng.normal(size=(1, 1))}

    def cost(p):
        a = 1 / (1 + np.exp(-(p["W1"] @ x + p["b1"])))
        value = np.mean(np.sum(y * np.log(a) + (1 - y) * np.log(1 - a), axis=0))
        return (value if loss == "log_likelihood" else -value), a

    before, a = cost(start)
    data = {"X": x, "Y": y, "A1": a, **start}
    delta = values(d.backward.errors[d.model.symbols["Delta1"]], data)
    after, _ = cost({u.symbol.name: values(with_gradient(u, d).formula, data | {"Delta1": delta}) for u in updates(d)})
    assert (after > before) == (loss == "log_likelihood")


def values(formula, data):
    """The formula on numbers, node by node."""
    args = [values(child, data) for child in formula.children]
    match formula:
        case f.Symbol():
            return data[formula.name]
        case f.Number(value):
            return np.array([[float(value)]])
        case f.Scalar("alpha"):
            return np.array([[0.1]])
        case f.Ones(shape=size):
            return np.ones([int(n) for n in size])
        case f.Add():
            return sum(args)
        case f.Negative():
            return -args[0]
        case f.Transpose():
            return args[0].T
        case f.Total(axis=None):
            return args[0].sum(keepdims=True)
        case f.Quotient():
            return args[0] / args[1]
        case f.Product():
            out = args[0]
            for u in args[1:]:
                out = out * u if 1 in (out.size, u.size) else out @ u
            return out
    raise TypeError(type(formula).__name__)


def test_theta_is_the_tuple_of_all_parameters():
    d = network().derive()
    n_0, n_1, n_2 = sympy.symbols("n_0 n_1 n_2")
    assert theta(d.model).shape == (n_0 * n_1 + n_1 + n_1 * n_2 + n_2, 1)
    assert written(d, [theta_update(d)]) == [r"\theta <- \theta - \alpha \frac{\partial J}{\partial \theta}"]


def test_momentum_keeps_a_mean_of_the_gradients():
    d = network().derive()
    both = momentum(d)
    assert [u.step.symbol.name for u in both] == ["W1", "b1", "W2", "b2"]
    assert both[1].velocity.symbol == velocity(d.model.parameters[1])
    assert written(d, [both[1].velocity, both[1].step]) == [
        r"V_b^{(1)} <- \beta V_b^{(1)} + (1 - \beta) \frac{\partial J}{\partial b^{(1)}}",
        r"b^{(1)} <- b^{(1)} - \alpha V_b^{(1)}",
    ]


@pytest.mark.parametrize("frame", [{}, {"samples": "rows"}, {"samples": "rows", "weights": "in x out"}, {"batch": 40}])
def test_a_minibatch_has_the_same_formulas_with_b_for_m(frame):
    """The minibatch is derived anew; here m is exchanged for B in the derivation of the whole."""
    d = network(**frame, l2="lambda").derive()
    small = minibatch(d)
    size = d.model.frame.samples
    old = f.scalar(size)

    def exchanged(node):
        if isinstance(node, f.Symbol | f.Ones):
            return replace(node, shape=tuple(small.size if n == size else n for n in node.shape))
        return f.Scalar("B") if node == old else node

    for name, formula in d.formulas.items():
        assert small.derived.formulas[name] == f.rewrite(formula, exchanged)
    for (error, formula), (small_error, other) in zip(d.backward.errors.items(), small.derived.backward.errors.items()):
        assert f.rewrite(error, exchanged) == small_error
        assert f.rewrite(formula, exchanged) == other
    assert small.definition.left.name == "J_B"
    assert {u.formula.terms[1].arg.factors[1].of for u in small.updates} == {small.cost}


def test_no_minibatch_of_one_example():
    assert minibatch(network(batch=None).derive()) is None
    assert minibatch(network(batch=1).derive()) is None


def test_letters_that_the_network_has_are_not_used_twice():
    d = network(l2="alpha", batch="B").derive()
    assert rate(d.model) == f.Scalar("eta")
    assert str(minibatch(d).size) == "M"


def test_a_loss_of_ones_own_is_minimised():
    d = network(loss=Loss("quartic", "(a - y)^4")).derive()
    assert " - " in written(d, updates(d))[0]

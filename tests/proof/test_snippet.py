"""The script of a counterexample prints both values that the verdict gives, for every kind of network."""

import contextlib
import io

import pytest

from symbackprop import Dense, Network

CASES = [
    (("tanh", "sigmoid"), "binary_cross_entropy", {"batch": "m", "l1": "mu", "l2": "lambda"}, "W1"),
    (("relu", "softmax"), "cross_entropy", {"batch": "m", "samples": "rows", "weights": "in x out"}, "W2"),
    (("gelu", "identity"), "huber", {}, "b1"),
    (("generic", "generic"), "generic", {"batch": "m"}, "W1"),
    (("generic", "generic"), "generic", {}, "W2"),
    (("elu", "log_softmax"), "negative_log_likelihood", {"batch": 3}, "b2"),
]


def printed(script):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(script, "snippet", "exec"), {})
    words = out.getvalue().split()
    return float(words[1]), float(words[3])


@pytest.mark.parametrize(("activations", "loss", "more", "of"), CASES, ids=str)
@pytest.mark.parametrize("size", ["n", 1])
def test_a_snippet_prints_both_values(activations, loss, more, of, size):
    layers = [Dense(f"n_{k}" if size == "n" else 1, a) for k, a in enumerate(activations, start=1)]
    net = Network(layers, inputs="n_0" if size == "n" else 1, loss=loss, **more)
    gradient = net.derive().formula(of, expand=True)
    verdict = net.verify(3 * gradient, of=of)
    if verdict.counterexample is None:  # a softmax over one unit: the gradient is 0
        assert size == 1
        return
    claimed, true = printed(verdict.counterexample.snippet)
    assert claimed == pytest.approx(3 * true, rel=1e-4)
    assert true == pytest.approx(number(verdict.counterexample.true), rel=1e-4)
    assert claimed == pytest.approx(number(verdict.counterexample.claimed), rel=1e-4)


def number(text):
    top, _, bottom = text.partition("/")
    return float(top) / float(bottom or 1)


def test_a_forward_equation_is_set_beside_its_own_value():
    net = Network([Dense("n_1", "generic")], inputs="n_0", loss="generic", batch="m")
    claimed, true = printed(net.verify("2 * sigma(Z1)", of="A1").counterexample.snippet)
    assert claimed == pytest.approx(2 * true)

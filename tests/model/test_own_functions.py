"""Activations and losses of a user's own: from SymPy and from LaTeX, with parameters, with kinks found or declared."""

import numpy as np
import pytest
import sympy

from symbackprop import Activation, Dense, Loss, Network, NetworkError, NotationError
from symbackprop.model.kinks import Kink

z = sympy.Symbol("z", real=True)
half, one = sympy.Rational(1, 2), sympy.Integer(1)


@pytest.mark.parametrize(
    ("definition", "kinks"),
    [
        (r"\max(0, z)", [(0, 0)]),
        (r"|z|", [(0, 0)]),
        (r"\max(0, 2 z - 1)", [(half, 0)]),
        (r"\max(0, 1 - |z|)", [(-1, 0), (0, 0), (1, 0)]),
        (r"z^2", []),
        (r"\frac{z}{1 + |z|}", []),
        (r"\max(0, z)^2", []),
        (r"z \max(0, z)", []),
        (sympy.Max(z, -z), [(0, -1)]),
        (sympy.Piecewise((z, z < 1), (2 * z - 1, True)), [(1, 2)]),
        (sympy.Min(1, sympy.Max(-1, z)), [(-1, 0), (1, 0)]),
    ],
)
def test_kinks_are_found(definition, kinks):
    found = Activation("own", definition).kinks
    assert [(k.at, k.rate) for k in found] == kinks


def test_kinks_that_cannot_be_found_are_to_be_declared():
    with pytest.raises(NetworkError, match="the kinks of own cannot be found: declare them"):
        Activation("own", sympy.Abs(sympy.sin(z)))
    declared = Activation("own", sympy.Abs(sympy.sin(z)), kinks=(Kink(sympy.S.Zero, sympy.S.Zero),))
    assert declared.kinks == (Kink(sympy.S.Zero, sympy.S.Zero),)


def evaluate(expr, **values):
    names = sorted(expr.free_symbols | expr.atoms(sympy.MatrixSymbol), key=str)
    return sympy.lambdify(names, expr, "numpy")(*(values[str(name)] for name in names))


def test_a_parameter_stays_a_symbol_or_takes_its_value():
    free = Activation("swish", r"\frac{z}{1 + e^{-\beta z}}", parameters=["beta"])
    fixed = Activation("swish", r"\frac{z}{1 + e^{-\beta z}}", parameters={"beta": 1.5})
    assert free.definition.free_symbols == {z, sympy.Symbol("beta")}
    assert fixed.definition == free.definition.subs(sympy.Symbol("beta"), sympy.Rational(3, 2))
    deltas = []
    for activation, more in ((free, {"beta": 1.5}), (fixed, {})):
        d = Network([Dense("n_1", activation)], inputs="n_0", loss="half_squared_error").derive()
        values = {"z1": np.array([[0.3], [-1.2]]), "a1": np.array([[0.5], [0.25]]), "y": np.array([[1.0], [0.0]])}
        deltas.append(evaluate(d.definitions["delta1"], **values, **more))
    np.testing.assert_allclose(deltas[0], deltas[1], rtol=1e-12)

    def value(x):
        return x / (1 + np.exp(-1.5 * x))

    slope = (value(np.array([[0.3], [-1.2]]) + 1e-6) - value(np.array([[0.3], [-1.2]]) - 1e-6)) / 2e-6
    np.testing.assert_allclose(deltas[0], np.array([[-0.5], [0.25]]) * slope, rtol=1e-8)


def test_a_sympy_expression_may_use_any_symbol_for_the_argument():
    x, k = sympy.symbols("x k")
    assert Activation("own", sympy.tanh(x)).definition == sympy.tanh(z)
    assert Activation("own", sympy.tanh(k * x), parameters=["k"]).definition == sympy.tanh(sympy.Symbol("k") * z)


def test_layers_and_losses_take_expressions_directly():
    d = Network([Dense(2, r"\tanh(z) + z"), Dense(1, sympy.sin(z))], inputs=3, loss=r"(a - y)^4").derive()
    assert str(d.definitions["delta2"]) == "4*((a2 - y)*f'(z2))" or "4" in str(d.definitions["delta2"])
    a, y = sympy.symbols("a y")
    e = Network([Dense(2, "identity")], inputs=3, loss=(a - y) ** 2 / 2).derive()
    assert str(e.definitions["delta1"]) == "a1 - y"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Activation("own", r"\frac{z}{1 + q}"), "1:14: 'q' is not declared"),
        (lambda: Activation("own", "z +"), "expected"),
        (lambda: Activation("own", "__import__('os')"), "put what belongs"),
        (lambda: Activation("own", sympy.Symbol("p") * z), "all but one must be declared in parameters"),
        (lambda: Activation("own", sympy.MatrixSymbol("A", 2, 2)), "must be a scalar expression"),
        (lambda: Activation("2 own", z), "letters, digits"),
        (lambda: Activation("own", z, parameters=["z"]), "not z, a or y"),
        (lambda: Activation("own", z, parameters={"beta": "1"}), "must be a number"),
        (lambda: Loss("own", r"a - q"), "'q' is not declared"),
        (lambda: Loss("own", sympy.Symbol("a") * sympy.Symbol("q")), "declare what is not a or y"),
        (lambda: Loss("own", 3), "must be a scalar expression"),
        (lambda: Network([Dense(2, "tanhh(z)")], inputs=2, loss="generic"), "write \\tanh"),
        (
            lambda: Network([Dense("beta", Activation("own", r"\beta z", ["beta"]))], inputs=2, loss="generic"),
            "rename one of them",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(make, says):
    with pytest.raises((NetworkError, NotationError)) as caught:
        make()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)

"""Numerator layout: rows are the transposes of the errors, and the chain of Jacobians multiplies out to them."""

import numpy as np
import pytest

from symbackprop import Dense, Network, Unsupported
from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Symbol
from symbackprop.calculus.numerator import jacobian_chain, row
from symbackprop.proof import numbers as nb
from symbackprop.proof.points import points
from symbackprop.proof.setting import of_network

LAYERS = [Dense("n_1", "tanh"), Dense("n_2", "generic"), Dense("n_3", "sigmoid")]


def derivation(**more):
    return Network(LAYERS, inputs="n_0", loss="squared_error", **more).derive()


def value(d, formula):
    """The value at a concrete network."""
    rows = next(points(of_network(d), 1)).of(formula)
    return np.array([[nb.approximate(x) for x in line] for line in rows])


def test_a_row_is_the_transpose():
    d = derivation()
    for error, formula in d.backward.errors.items():
        np.testing.assert_allclose(value(d, row(formula)), value(d, formula).T, rtol=1e-12)
        assert value(d, row(formula)).shape == value(d, error).T.shape


def test_the_chain_is_a_product_from_left_to_right():
    d = derivation(notation={"layout": "numerator", "layer": "_l"})
    printed = [d.writer.equation(equation) for equation in jacobian_chain(d)]
    assert printed[1] == (
        r"\frac{\partial J}{\partial z_2} = \frac{\partial J}{\partial z_3} W_3 \operatorname{diag}(g'(z_2))"
    )
    assert printed[2].endswith(r"\frac{\partial J}{\partial z_2} W_2 \operatorname{diag}(1 - a_1^2)")
    assert "In numerator layout" in d.latex()


def test_each_link_of_the_chain_has_the_value_of_the_row():
    d = derivation()
    for equation in jacobian_chain(d):
        derivative, right = equation.sides
        named = {f.Derivative(d.model.cost, z): f.Transpose(delta) for z, delta in d.model.errors.items()}
        wanted = value(d, named[derivative])
        np.testing.assert_allclose(value(d, f.substitute(right, named)), wanted, rtol=1e-12)


def test_a_batch_has_no_rows():
    with pytest.raises(Unsupported, match="one example"):
        jacobian_chain(derivation(batch="m"))


def test_a_row_keeps_what_is_no_product():
    n = f.Symbol("n").letter
    column = Symbol("u", (f.sympy.Symbol(n), f.ONE))
    assert row(column) == f.Transpose(column)

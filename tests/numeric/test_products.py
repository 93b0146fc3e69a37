"""Products: the order that costs least, and sums instead of products with ones."""

import itertools

import pytest
import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE
from symbackprop.numeric.lower import Lowering
from symbackprop.numeric.products import brackets

n, m, k = sympy.symbols("n m k")


def operations(formula):
    at = Lowering({})
    at(formula)
    return [node.op for node in at.graph.nodes if node.op not in ("input", "scalar")]


def cost(sizes, i, j):
    """Every bracketing, by recursion."""
    if i == j:
        return 0
    return min(cost(sizes, i, s) + cost(sizes, s + 1, j) + sizes[i] * sizes[s + 1] * sizes[j + 1] for s in range(i, j))


@pytest.mark.parametrize("sizes", [(10, 100, 5, 50), (5, 1, 7, 1, 9), (40, 20, 30, 10, 30), (2, 3, 4, 5, 6, 7)])
def test_the_cheapest_bracketing(sizes):
    shapes = [(sympy.Integer(a), sympy.Integer(b)) for a, b in itertools.pairwise(sizes)]
    assert brackets(shapes)(0, len(shapes) - 1)[0] == cost(sizes, 0, len(shapes) - 1)


def test_a_vector_goes_first():
    A, B, x = f.Symbol("A", (n, n)), f.Symbol("B", (n, n)), f.Symbol("x", (n, ONE))
    at = Lowering({})
    node = at.graph.nodes[at(f.Product((A, B, x)))]
    assert node.op == "matmul"
    assert at.graph.nodes[node.args[0]].value == "A"


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        (f.Symbol("D", (n, m)) @ f.Ones((m, ONE)), ["sum"]),
        (f.Ones((ONE, n)) @ f.Symbol("D", (n, m)), ["sum"]),
        (f.Symbol("b", (n, ONE)) @ f.Ones((ONE, m)), []),
        (f.Symbol("Z", (n, m)) + f.Symbol("b", (n, ONE)) @ f.Ones((ONE, m)), ["add"]),
        (f.Symbol("D", (n, m)) @ f.Diagonal(f.Symbol("r", (ONE, m))), ["multiply"]),
        (f.Symbol("A", (n, m)) @ f.Symbol("B", (k, m)).T, ["transpose", "matmul"]),
        (f.Total(f.Symbol("A", (n, m)) * f.Symbol("B", (n, m))), ["multiply", "inner"]),
        (f.Total((f.Symbol("A", (n, m)) - f.Symbol("B", (n, m))) ** 2), ["subtract", "square", "inner"]),
        (f.Product((f.Symbol("D", (n, m)), f.Ones((m, ONE)), f.Ones((ONE, k)))), ["sum"]),
    ],
)
def test_ones_and_diagonals_are_no_matrices(formula, wanted):
    assert operations(formula) == wanted


def test_a_constant_meets_the_smallest_array():
    row, A = f.Symbol("r", (ONE, m)), f.Symbol("A", (n, m))
    at = Lowering({})
    whole = f.Hadamard((f.Product((f.Quotient(f.formula(2), f.Scalar("m")), A)), f.Ones((n, ONE)) @ row))
    at(whole)
    scaled = [node for node in at.graph.nodes if node.op == "multiply"]
    assert [node.shape for node in scaled] == [(ONE, m), (n, m)]

"""Matrix products: the order that costs least, products with ones as sums, with diagonals as scaled rows or columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import sympy

from symbackprop.algebra.formula import ONE, Shape
from symbackprop.numeric.graph import Graph

SYMBOLIC = 100  # what a size that is not known counts


@dataclass(frozen=True)
class Factor:
    """A factor by its shape as the formula has it; ``node`` may be narrower in memory, and is None for ones."""

    kind: str  # "array", "ones" or "diagonal"
    shape: Shape
    node: int | None


def entries(shape: Shape) -> int:
    return _count(shape[0]) * _count(shape[1])


def _count(size: sympy.Expr) -> int:
    return int(size) if size.is_Integer else SYMBOLIC


def chain(factors: list[Factor], graph: Graph) -> int:
    """The product of a chain, bracketed so that it takes the fewest multiplications."""
    split = brackets([f.shape for f in factors])

    def product(i: int, j: int) -> Factor:
        if i == j:
            return factors[i]
        k = split(i, j)[1]
        return times(product(i, k), product(k + 1, j), graph)

    result = product(0, len(factors) - 1)
    if result.kind == "ones":
        return graph.scalar(1)
    assert result.node is not None
    return result.node


def brackets(shapes: list[Shape]) -> Callable[[int, int], tuple[int, int]]:
    """For each stretch of a chain its cost and where it is split: dynamic programming over the sizes.

    >>> n = sympy.Symbol("n")
    >>> brackets([(n, n), (n, n), (n, ONE)])(0, 2)  # A (B x), not (A B) x
    (20000, 0)
    """

    @cache
    def best(i: int, j: int) -> tuple[int, int]:
        if i == j:
            return 0, i
        return min(
            (
                best(i, k)[0]
                + best(k + 1, j)[0]
                + entries(shapes[i])
                // _count(shapes[i][1])
                * entries(shapes[k + 1])
                // _count(shapes[k + 1][1])
                * _count(shapes[j][1]),
                k,
            )
            for k in range(i, j)
        )

    return best


def times(left: Factor, right: Factor, graph: Graph) -> Factor:
    """The product of two factors."""
    shape = (left.shape[0], right.shape[1])
    if left.kind == "ones" and right.kind == "ones":
        return Factor("array", shape, graph.scalar(left.shape[1]))
    if right.kind == "ones":
        assert left.node is not None
        return Factor("array", shape, _summed(left, 1, graph))
    if left.kind == "ones":
        return Factor("array", shape, _summed(right, 0, graph))
    assert left.node is not None
    assert right.node is not None
    if right.kind == "diagonal":
        return Factor("array", shape, graph.apply("multiply", left.node, _laid(right, 1, graph)))
    if left.kind == "diagonal":
        return Factor("array", shape, graph.apply("multiply", _laid(left, 0, graph), right.node))
    a, b = graph.full(left.node, left.shape), graph.full(right.node, right.shape)
    return Factor("array", shape, graph.matmul(a, b))


def _summed(factor: Factor, axis: int, graph: Graph) -> int:
    """D 1 is the sum along the rows of D; repeating a column needs no sum."""
    assert factor.node is not None
    if factor.kind == "diagonal":
        return _laid(factor, 1 - axis, graph)
    return graph.sum(graph.full(factor.node, factor.shape), axis)


def _laid(factor: Factor, axis: int, graph: Graph) -> int:
    """The diagonal as a column (axis 0) or a row (axis 1)."""
    assert factor.node is not None
    shape = graph.shape(factor.node)
    if shape is None or shape[1 - axis] == ONE:
        return factor.node
    return graph.transpose(factor.node)

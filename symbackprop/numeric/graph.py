"""A straight-line program as a graph of array operations, in which equal values are one node.

Nodes are numbers into ``Graph.nodes``; a node's arguments come before it. ``shape`` is what the array has in memory: a
column that formulas repeat over the samples stays a column, since elementwise operations spread it; None is a number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import sympy

from symbackprop.algebra.formula import ONE, Shape
from symbackprop.errors import Unsupported

# Elementwise operations by the number of their arguments; every dialect prints all of them, or says that it cannot.
UNARY = frozenset(
    (
        *("negative", "exp", "expm1", "log", "log1p", "tanh", "sqrt", "absolute", "sign", "sin", "cos", "sinh", "cosh"),
        *("square", "reciprocal", "sigmoid", "softplus", "erf", "erfc", "as_float"),
    )
)
BINARY = frozenset(["add", "subtract", "multiply", "divide", "maximum", "minimum", "power"])
COMPARISON = frozenset(["greater", "greater_equal", "less", "less_equal", "equal", "logical_and", "logical_or"])
ELEMENTWISE = UNARY | BINARY | COMPARISON | {"where"}

# What is computed at once where all arguments are numbers.
EXACT: dict[str, Callable[..., sympy.Expr]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negative": lambda a: -a,
    "square": lambda a: a**2,
    "reciprocal": lambda a: 1 / a,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
}


@dataclass(frozen=True)
class Node:
    """One operation. ``value`` is a name (input), a SymPy scalar (scalar), an axis (sum, max), transposes (matmul)."""

    op: str
    args: tuple[int, ...]
    shape: Shape | None
    value: object = None


@dataclass
class Graph:
    """Nodes in an order in which they can be computed; asking twice for the same value gives the same node."""

    nodes: list[Node] = field(default_factory=list)
    _known: dict[Node, int] = field(default_factory=dict)

    def add(self, node: Node) -> int:
        if node not in self._known:
            self._known[node] = len(self.nodes)
            self.nodes.append(node)
        return self._known[node]

    def known(self, node: Node) -> int | None:
        """The number of a node that is there already."""
        return self._known.get(node)

    def shape(self, i: int) -> Shape | None:
        return self.nodes[i].shape

    def input(self, name: str, shape: Shape | None) -> int:
        return self.add(Node("input", (), shape, name))

    def scalar(self, value: sympy.Expr | int | Fraction) -> int:
        """A number, or an expression in sizes and rates."""
        if isinstance(value, Fraction):
            value = sympy.Rational(value.numerator, value.denominator)
        return self.add(Node("scalar", (), None, sympy.sympify(value, strict=True)))

    def constant(self, i: int) -> sympy.Expr | None:
        """The value of a scalar node."""
        node = self.nodes[i]
        return node.value if node.op == "scalar" else None

    def apply(self, op: str, *args: int) -> int:
        """An elementwise operation; neutral numbers vanish, numbers among themselves are computed here."""
        simple = self._simplified(op, args)
        return self.add(Node(op, args, self._spread(args))) if simple is None else simple

    def _simplified(self, op: str, args: tuple[int, ...]) -> int | None:
        values = [self.constant(i) for i in args]
        if op in EXACT and None not in values:
            return self.scalar(EXACT[op](*values))
        if op == "multiply" and sympy.S.One in values:
            return args[1 - values.index(sympy.S.One)]
        if op == "multiply" and sympy.S.NegativeOne in values:
            return self.apply("negative", args[1 - values.index(sympy.S.NegativeOne)])
        if op == "add" and sympy.S.Zero in values:
            return args[1 - values.index(sympy.S.Zero)]
        if op in ("subtract", "divide") and values[1] == (0 if op == "subtract" else 1):
            return args[0]
        if op == "multiply" and args[0] == args[1]:
            return self.apply("square", args[0])
        if op == "negative" and self.nodes[args[0]].op == "negative":
            return self.nodes[args[0]].args[0]
        return None

    def _spread(self, args: tuple[int, ...]) -> Shape | None:
        """The shape of an elementwise result: sizes of 1 are spread."""
        shapes = [s for s in map(self.shape, args) if s is not None]
        if not shapes:
            return None
        rows, columns = (next((size for size in sizes if size != ONE), ONE) for sizes in zip(*shapes, strict=True))
        return (rows, columns)

    def full(self, i: int, shape: Shape) -> int:
        """The array in the shape that the formula says, repeated where it has one row or one column in memory."""
        if self.shape(i) == shape:
            return i
        return self.add(Node("broadcast", (i,), shape))

    def transpose(self, i: int) -> int:
        node = self.nodes[i]
        if node.shape is None or node.shape == (ONE, ONE):
            return i
        if node.op == "transpose":
            return node.args[0]
        return self.add(Node("transpose", (i,), (node.shape[1], node.shape[0])))

    def sum(self, i: int, axis: int | None) -> int:
        """The sum over an axis, which stays with one entry, or over everything, which is a number."""
        shape = self.shape(i)
        if shape is None:
            raise Unsupported("the sum of a number has no axis")
        if axis is None:
            return self._total(i)
        if shape[axis] == ONE:
            return i
        return self.add(Node("sum", (i,), (ONE, shape[1]) if axis == 0 else (shape[0], ONE), axis))

    def _total(self, i: int) -> int:
        """The sum of a product of two arrays is their inner product, which needs no array for the product."""
        node = self.nodes[i]
        if node.op == "square":
            return self.add(Node("inner", (node.args[0], node.args[0]), None))
        if node.op == "multiply" and all(self.shape(k) == node.shape for k in node.args):
            return self.add(Node("inner", node.args, None))
        if node.op == "negative":
            return self.apply("negative", self._total(node.args[0]))
        return self.add(Node("sum", (i,), None))

    def max(self, i: int, axis: int) -> int:
        rows, columns = self.shape(i) or (ONE, ONE)
        return self.add(Node("max", (i,), (ONE, columns) if axis == 0 else (rows, ONE), axis))

    def matmul(self, a: int, b: int) -> int:
        """A matrix product; transposes of its factors are views, and a factor of ones is a sum."""
        left, right = self.nodes[a], self.nodes[b]
        turned = (left.op == "transpose", right.op == "transpose")
        args = (left.args[0] if turned[0] else a, right.args[0] if turned[1] else b)
        rows, columns = left.shape, right.shape
        assert rows is not None
        assert columns is not None
        return self.add(Node("matmul", args, (rows[0], columns[1]), turned))

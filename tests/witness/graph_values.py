"""The value of a scalar graph by mpmath: an interpreter that shares nothing with the printers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mpmath
import sympy

from symbackprop.numeric.graph import Graph

OPERATIONS: dict[str, Any] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "maximum": max,
    "minimum": min,
    "power": lambda a, b: a**b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "equal": lambda a, b: a == b,
    "logical_and": lambda a, b: a and b,
    "logical_or": lambda a, b: a or b,
    "where": lambda c, a, b: a if c else b,
    "negative": lambda a: -a,
    "as_float": lambda a: mpmath.mpf(bool(a)),
    "absolute": abs,
    "sign": mpmath.sign,
    "square": lambda a: a * a,
    "reciprocal": lambda a: 1 / a,
    "sigmoid": lambda a: 1 / (1 + mpmath.exp(-a)),
    "softplus": lambda a: mpmath.log(1 + mpmath.exp(a)),
    **{name: getattr(mpmath, name) for name in ("exp", "expm1", "log", "log1p", "tanh", "sqrt", "sin", "cos")},
    **{name: getattr(mpmath, name) for name in ("sinh", "cosh", "erf", "erfc")},
}


def value(graph: Graph, i: int, inputs: Mapping[str, Any]) -> Any:
    """The value of a node whose inputs are numbers, at the working precision of mpmath."""
    node = graph.nodes[i]
    if node.op == "input":
        return inputs[str(node.value)]
    if node.op == "scalar":
        assert isinstance(node.value, sympy.Expr)
        return mpmath.mpmathify(sympy.N(node.value, mpmath.mp.dps + 5))
    return OPERATIONS[node.op](*(value(graph, k, inputs) for k in node.args))

"""SymPy scalars as array operations: a function's definition, node by node, in a form that does not overflow."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import sympy
from sympy.core.relational import Relational

from symbackprop.errors import Unsupported
from symbackprop.numeric.graph import Graph


class Sigmoid(sympy.Function):
    """1 / (1 + e^(-u)), kept whole so that its derivatives are made of it."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return self * (1 - self)


class Softplus(sympy.Function):
    """log(1 + e^u)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return Sigmoid(self.args[0])


def stabilised(definition: sympy.Expr) -> sympy.Expr:
    """The definition with 1/(1 + e^u) and log(1 + e^u) as functions that do not overflow, and whose rates do not.

    >>> z = sympy.Symbol("z")
    >>> stabilised(z / (1 + sympy.exp(-2 * z)))
    z*Sigmoid(2*z)
    """

    def whole(e: sympy.Expr) -> sympy.Expr:
        inner = _one_plus_exp(e.base if isinstance(e, sympy.Pow) else e.args[0])
        if inner is not None and isinstance(e, sympy.log):
            return Softplus(inner)
        if inner is not None and e.exp.is_negative:
            return Sigmoid(-inner) ** -e.exp
        return e

    return definition.replace(lambda e: isinstance(e, sympy.Pow | sympy.log), whole)


def _one_plus_exp(e: sympy.Expr) -> sympy.Expr | None:
    """u of 1 + e^u."""
    if isinstance(e, sympy.Add) and len(e.args) == 2 and sympy.S.One in e.args:
        other = next(a for a in e.args if a != 1)
        if isinstance(other, sympy.exp):
            return other.args[0]
    return None


# SymPy's functions of one argument, and the operation that each is.
OPERATIONS = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.tanh: "tanh",
    sympy.sinh: "sinh",
    sympy.cosh: "cosh",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.erf: "erf",
    sympy.erfc: "erfc",
    sympy.Abs: "absolute",
    sympy.sign: "sign",
    Sigmoid: "sigmoid",
    Softplus: "softplus",
}
RELATIONS = {
    sympy.StrictGreaterThan: "greater",
    sympy.GreaterThan: "greater_equal",
    sympy.StrictLessThan: "less",
    sympy.LessThan: "less_equal",
    sympy.Equality: "equal",
}
JOINED = {sympy.Add: "add", sympy.Mul: "multiply", sympy.Max: "maximum", sympy.Min: "minimum"}
JOINED_CONDITIONS = {sympy.And: "logical_and", sympy.Or: "logical_or"}


def nodes_of(e: sympy.Expr, graph: Graph, arrays: Mapping[sympy.Symbol, int]) -> int:
    """The expression as a node; symbols that name no array are rates. Raises Unsupported for an unknown function."""

    def go(u: sympy.Basic) -> int:
        if isinstance(u, sympy.Expr) and not u.free_symbols & arrays.keys() and not u.has(sympy.Piecewise):
            return graph.scalar(u)
        if u in arrays:
            return arrays[u]
        if isinstance(u, sympy.Mul):
            top, bottom = sympy.fraction(u, exact=True)
            if bottom != 1:
                return graph.apply("divide", go(top), go(bottom))
        if u.func in JOINED:
            # Numbers first: what is one scalar is multiplied once.
            constant, rest = u.as_independent(*arrays, as_Add=isinstance(u, sympy.Add))
            parts = list(u.func.make_args(rest)) if u.func in (sympy.Add, sympy.Mul) else list(u.args)
            parts += [constant] if u.func in (sympy.Add, sympy.Mul) and constant != u.func.identity else []
            return reduce(lambda a, b: graph.apply(JOINED[u.func], a, b), [go(p) for p in parts])
        if isinstance(u, sympy.Pow):
            return _power(go(u.base), u.exp, graph, go)
        if isinstance(u, sympy.Piecewise):
            return _pieces(u, graph, go)
        if u.func in OPERATIONS:
            return graph.apply(OPERATIONS[u.func], go(u.args[0]))
        if isinstance(u, sympy.ITE):
            return go(u.to_nnf(simplify=False))
        if isinstance(u, sympy.Unequality):
            return go(sympy.Or(u.lhs < u.rhs, u.lhs > u.rhs))
        if isinstance(u, Relational) and u.func in RELATIONS:
            return graph.apply(RELATIONS[u.func], go(u.lhs), go(u.rhs))
        if u.func in JOINED_CONDITIONS:
            return reduce(lambda a, b: graph.apply(JOINED_CONDITIONS[u.func], a, b), [go(c) for c in u.args])
        raise Unsupported(f"code for {u.func.__name__}: write it with exp, log, tanh, erf and the like")

    return go(e)


def _pieces(u: sympy.Piecewise, graph: Graph, go: object) -> int:
    """Nested choices, the last piece innermost."""
    assert callable(go)
    if u.args[-1][1] != sympy.true:
        raise Unsupported(f"code for {u}: its last piece must be for all else")
    value: int = go(u.args[-1][0])
    for piece, condition in reversed(u.args[:-1]):
        value = graph.apply("where", go(condition), go(piece), value)
    return value


def _power(base: int, exponent: sympy.Expr, graph: Graph, go: object) -> int:
    assert callable(go)
    if exponent.is_Rational:
        return power(graph, base, exponent)
    if exponent.free_symbols and base is not None:
        return graph.apply("power", base, int(go(exponent)))
    return graph.apply("power", base, graph.scalar(exponent))


def power(graph: Graph, base: int, exponent: sympy.Rational) -> int:
    """A rational power by the cheapest operations: squares and products, a root, a reciprocal."""
    if exponent < 0:
        return graph.apply("reciprocal", power(graph, base, -exponent))
    if exponent == sympy.Rational(1, 2):
        return graph.apply("sqrt", base)
    if not exponent.is_Integer or exponent > 8:
        return graph.apply("power", base, graph.scalar(exponent))
    n = int(exponent)
    if n == 0:
        return graph.scalar(1)
    half = power(graph, base, sympy.Integer(n // 2)) if n > 1 else base
    if n == 1:
        return base
    square = graph.apply("square", half)
    return square if n % 2 == 0 else graph.apply("multiply", base, square)

"""Scalar functions on arrays: a SymPy expression in one variable, read node by node, in any precision.

No code is made and nothing is lambdified, so that it is a second route beside what the package returns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import sympy

Array = Any
Known: TypeAlias = Mapping[str, Array]
Rule: TypeAlias = Callable[[Known], Array]


def scalar_value(expr: sympy.Expr, known: Known) -> Array:
    """The value of a scalar expression where its symbols are arrays or numbers of one precision, by name.

    Raises TypeError for a function that is not known here.

    >>> z = sympy.Symbol("z", real=True)
    >>> scalar_value(sympy.Piecewise((z, z > 0), (sympy.exp(z) - 1, True)), {"z": np.array([2.0, 0.0])})
    array([2., 0.])
    """
    return _rule(expr)(known)


@cache
def _rule(expr: sympy.Expr) -> Rule:
    """How an expression is evaluated: the tree is walked once, and called many times."""
    if expr.is_Symbol:
        name = expr.name
        return lambda known: known[name]
    if expr.is_number:
        return _number(expr)
    if isinstance(expr, sympy.Piecewise):
        return _pieces(expr)
    if expr.func not in FUNCTIONS:
        raise TypeError(f"{expr.func.__name__} has no values in numeric/scalar_values.py: add it to FUNCTIONS")
    function, rules = FUNCTIONS[expr.func], [_rule(a) for a in expr.args]
    return lambda known: function(*(rule(known) for rule in rules))


def _number(expr: sympy.Expr) -> Rule:
    """A constant in the precision of the arrays, from more digits than any has."""
    digits = str(expr.evalf(30))
    values: dict[Any, Array] = {}

    def rule(known: Known) -> Array:
        kind = np.result_type(*known.values())
        if kind not in values:
            values[kind] = kind.type(0).real.dtype.type(digits)
        return values[kind]

    return rule


def _pieces(expr: sympy.Piecewise) -> Rule:
    """The first piece whose condition holds; what the others are there does not matter."""
    pieces = [(_rule(piece), None if c == sympy.true else _condition(c)) for piece, c in reversed(expr.args)]

    def rule(known: Known) -> Array:
        found: Array = np.nan
        for piece, holds in pieces:
            found = piece(known) if holds is None else np.where(holds(known), piece(known), found)
        return found

    return rule


def _condition(condition: sympy.Basic) -> Rule:
    if isinstance(condition, sympy.And | sympy.Or):
        combine = np.logical_and if isinstance(condition, sympy.And) else np.logical_or
        parts = [_condition(part) for part in condition.args]
        return lambda known: combine.reduce([part(known) for part in parts])
    if type(condition) not in RELATIONS:
        raise TypeError(f"the condition {condition} has no values in numeric/scalar_values.py: add it to RELATIONS")
    relation, (left, right) = RELATIONS[type(condition)], (_rule(side) for side in condition.args)
    return lambda known: relation(np.real(left(known)), np.real(right(known)))


def _product(*factors: Array) -> Array:
    found = factors[0]
    for factor in factors[1:]:
        found = found * factor
    return found


def _total(*terms: Array) -> Array:
    found = terms[0]
    for term in terms[1:]:
        found = found + term
    return found


def _power(base: Array, exponent: Array) -> Array:
    """By multiplication and roots where the exponent is a small whole or half number: pow is slower and less exact."""
    if np.ndim(exponent) == 0 and float(np.real(exponent)) in (-1.0, 2.0, -2.0, 3.0, 0.5):
        e = float(np.real(exponent))
        whole = {-1.0: lambda u: 1 / u, 2.0: lambda u: u * u, -2.0: lambda u: 1 / (u * u), 3.0: lambda u: u * u * u}
        return np.sqrt(base) if e == 0.5 else whole[e](base)
    return base**exponent


def _absolute(u: Array) -> Array:
    """|u|, by the sign of the real part, so that a complex step passes through."""
    return np.where(np.real(u) < 0, -u, u)


def _erf(u: Array) -> Array:
    return np.vectorize(math.erf, otypes=[float])(u)


FUNCTIONS: dict[Any, Callable[..., Array]] = {
    sympy.Add: _total,
    sympy.Mul: _product,
    sympy.Pow: _power,
    sympy.exp: np.exp,
    sympy.log: np.log,
    sympy.tanh: np.tanh,
    sympy.sinh: np.sinh,
    sympy.cosh: np.cosh,
    sympy.sin: np.sin,
    sympy.cos: np.cos,
    sympy.tan: np.tan,
    sympy.atan: np.arctan,
    sympy.asinh: np.arcsinh,
    sympy.erf: _erf,
    sympy.Abs: _absolute,
    sympy.sign: lambda u: np.sign(np.real(u)),
}
RELATIONS: dict[Any, Callable[[Array, Array], Array]] = {
    sympy.StrictGreaterThan: np.greater,
    sympy.StrictLessThan: np.less,
    sympy.GreaterThan: np.greater_equal,
    sympy.LessThan: np.less_equal,
    sympy.Eq: np.equal,
    sympy.Ne: np.not_equal,
}

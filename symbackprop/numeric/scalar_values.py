"""Scalar functions on arrays: a SymPy expression in one variable, read node by node, in any precision.

No code is made and nothing is lambdified, so that it is a second route beside what the package returns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy

Array = Any


def scalar_value(expr: sympy.Expr, known: Mapping[str, Array]) -> Array:
    """The value of a scalar expression where its symbols are arrays or numbers of one precision, by name.

    Raises TypeError for a function that is not known here.

    >>> z = sympy.Symbol("z", real=True)
    >>> scalar_value(sympy.Piecewise((z, z > 0), (sympy.exp(z) - 1, True)), {"z": np.array([2.0, 0.0])})
    array([2., 0.])
    """
    if expr.is_Symbol:
        return known[expr.name]
    if expr.is_number:
        return _number(expr, known)
    if isinstance(expr, sympy.Piecewise):
        return _pieces(expr, known)
    arguments = [scalar_value(a, known) for a in expr.args]
    if expr.func not in FUNCTIONS:
        raise TypeError(f"{expr.func.__name__} has no values in numeric/scalar_values.py: add it to FUNCTIONS")
    return FUNCTIONS[expr.func](*arguments)


def _number(expr: sympy.Expr, known: Mapping[str, Array]) -> Array:
    """A constant in the precision of the arrays, from more digits than any has."""
    dtype = np.result_type(*known.values())
    real = np.dtype(dtype.type(0).real.dtype)
    return real.type(str(expr.evalf(30)))


def _pieces(expr: sympy.Piecewise, known: Mapping[str, Array]) -> Array:
    """The first piece whose condition holds; what the others are there does not matter."""
    found: Array = np.nan
    for piece, condition in reversed(expr.args):
        value = scalar_value(piece, known)
        found = value if condition == sympy.true else np.where(_holds(condition, known), value, found)
    return found


def _holds(condition: sympy.Basic, known: Mapping[str, Array]) -> Array:
    if isinstance(condition, sympy.And | sympy.Or):
        combine = np.logical_and if isinstance(condition, sympy.And) else np.logical_or
        return combine.reduce([_holds(part, known) for part in condition.args])
    if type(condition) not in RELATIONS:
        raise TypeError(f"the condition {condition} has no values in numeric/scalar_values.py: add it to RELATIONS")
    left, right = (np.real(scalar_value(side, known)) for side in condition.args)
    return RELATIONS[type(condition)](left, right)


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

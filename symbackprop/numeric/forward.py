"""The forward equations of a network in numbers: formulas read node by node, by NumPy, in any precision.

It shares no code with what the package returns: no SymPy matrix expression, nothing lambdified. The largest
intermediate is kept, since the rounding of the cost follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, singledispatch
from typing import Any

import numpy as np
import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Function
from symbackprop.model.model import Model
from symbackprop.numeric.scalar_values import scalar_value

Array = Any


@dataclass
class Known:
    """What has a value so far: arrays and scalars by name, sizes by symbol; and the largest number met."""

    arrays: dict[str, Array]
    scalars: Mapping[str, float]
    sizes: Mapping[sympy.Symbol, int]
    dtype: Any
    measured: bool = False
    largest: float = 0.0

    def size(self, n: sympy.Expr) -> int:
        return int(n) if n.is_Integer else self.sizes[n]


def forward(
    model: Model,
    given: Mapping[str, Array],
    scalars: Mapping[str, float],
    sizes: Mapping[sympy.Symbol, int],
    measured: bool = False,
) -> Known:
    """Every array of the forward pass, the cost J as a 1 x 1 array; ``given`` has the parameters, X and Y.

    With ``measured``, ``largest`` is the largest number that was met.
    """
    known = Known(dict(given), scalars, sizes, np.result_type(*given.values()), measured)
    with np.errstate(all="ignore"):
        for assignment in model.assignments:
            known.arrays[assignment.symbol.name] = _seen(assignment.formula, known)
    return known


def _seen(node: Formula, known: Known) -> Array:
    """A value, with its size kept where that is asked for."""
    found = value(node, known)
    if not known.measured:
        return found
    top = float(np.max(np.abs(found), initial=0.0))
    if np.isfinite(top):
        known.largest = max(known.largest, top)
    return found


@singledispatch
def value(node: Formula, known: Known) -> Array:
    """The value of a node as an array with two axes; raises TypeError for a node that no forward equation has."""
    raise TypeError(f"forward equations have no {type(node).__name__}: add its value to numeric/forward.py")


def _cell(number: Any, known: Known) -> Array:
    return np.full((1, 1), number, dtype=known.dtype)


@value.register
def _(node: f.Number, known: Known) -> Array:
    """Exact until here: a quotient of two whole numbers in the precision of the arrays."""
    return _cell(node.value.numerator, known) / _cell(node.value.denominator, known)


@value.register
def _(node: f.Scalar, known: Known) -> Array:
    return _cell(known.scalars[node.name], known)


@value.register
def _(node: f.Symbol, known: Known) -> Array:
    return known.arrays[node.name]


@value.register
def _(node: f.Ones, known: Known) -> Array:
    return np.ones([known.size(n) for n in node.shape], dtype=known.dtype)


@value.register
def _(node: f.Negative, known: Known) -> Array:
    return -_seen(node.arg, known)


@value.register
def _(node: f.Add, known: Known) -> Array:
    total = _seen(node.terms[0], known)
    for term in node.terms[1:]:
        total = total + _seen(term, known)
    return total


@value.register
def _(node: f.Hadamard, known: Known) -> Array:
    total = _seen(node.factors[0], known)
    for factor in node.factors[1:]:
        total = total * _seen(factor, known)
    return total


@value.register
def _(node: f.Product, known: Known) -> Array:
    """From the left; 1 x 1 factors, and what becomes 1 x 1, go anywhere."""
    scale, chain = None, None
    for array in (_seen(u, known) for u in node.factors):
        if array.shape == (1, 1):
            scale = array if scale is None else scale * array
        else:
            chain = array if chain is None else chain * array if chain.shape == (1, 1) else chain @ array
    return scale if chain is None else chain if scale is None else scale * chain


@value.register
def _(node: f.Quotient, known: Known) -> Array:
    return _seen(node.numerator, known) / _seen(node.denominator, known)


@value.register
def _(node: f.Power, known: Known) -> Array:
    return _seen(node.base, known) ** _seen(node.exponent, known)


@value.register
def _(node: f.Transpose, known: Known) -> Array:
    return _seen(node.arg, known).T


@value.register
def _(node: f.Map, known: Known) -> Array:
    return apply(node.function, node.order, _seen(node.arg, known), known.scalars)


def apply(function: Function, order: int, z: Array, scalars: Mapping[str, float]) -> Array:
    """A scalar function, or its derivative, on an array; what is opaque is sin(z) + z/2."""
    definition, names = _definition(function, order)
    real = np.real(z).dtype.type
    result = scalar_value(definition, {Function.argument.name: z, **{name: real(scalars[name]) for name in names}})
    return np.broadcast_to(result, z.shape)


@cache
def _definition(function: Function, order: int) -> tuple[sympy.Expr, tuple[str, ...]]:
    """The expression that is evaluated, and the names of its parameters."""
    z = Function.argument
    definition = sympy.sin(z) + z / 2 if function.definition is None else function.definition
    definition = sympy.diff(definition, z, order) if order else definition
    return definition, tuple(sorted(s.name for s in definition.free_symbols if s != z))


@value.register
def _(node: f.Softmax, known: Known) -> Array:
    z = _seen(node.arg, known)
    z = z - np.max(np.real(z), axis=node.axis, keepdims=True)
    total = np.sum(np.exp(z), axis=node.axis, keepdims=True)
    return z - np.log(total) if node.log else np.exp(z) / total


@value.register
def _(node: f.OpaqueLoss, known: Known) -> Array:
    return opaque_loss(_seen(node.prediction, known), _seen(node.target, known), node.axis)


def opaque_loss(a: Array, y: Array, axis: int) -> Array:
    """A loss in place of an opaque C, per sample: sum exp(a/2) - a y, plus (sum a)^2/7, which couples the outputs."""
    return np.sum(np.exp(a / 2) - a * y, axis=axis, keepdims=True) + np.sum(a, axis=axis, keepdims=True) ** 2 / 7


def opaque_loss_gradient(a: Array, y: Array, axis: int) -> Array:
    """The gradient of ``opaque_loss`` by a."""
    return np.exp(a / 2) / 2 - y + np.sum(a, axis=axis, keepdims=True) * 2 / 7


@value.register
def _(node: f.Total, known: Known) -> Array:
    return np.sum(_seen(node.arg, known), axis=node.axis, keepdims=True)


@value.register
def _(node: f.Norm, known: Known) -> Array:
    u = _seen(node.arg, known)
    if node.order == 1:
        total = np.sum(np.where(np.real(u) < 0, -u, u), keepdims=True)
    else:
        total = np.sum(u * u, keepdims=True)
    return total if node.power == node.order else total ** (node.power / node.order)

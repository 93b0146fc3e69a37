"""Index form written as a scalar formula, with entries and sums with their ranges: for printing and for SymPy."""

from __future__ import annotations

from fractions import Fraction
from functools import singledispatch

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, SCALAR, Formula
from symbackprop.errors import Unsupported


@singledispatch
def written(node: ix.IndexExpr) -> Formula:
    """The scalar formula of an index expression; 1 x 1 arrays lose their indices.

    >>> i, j = sympy.symbols("i j")
    >>> W = f.Symbol("W", (sympy.Integer(2), sympy.Integer(3)))
    >>> written(ix.Mul((ix.MINUS_ONE, ix.Generator(W, (i, j)))))
    Negative(arg=Entry(arg=Symbol('W'), row=i, column=j))
    """
    raise TypeError(f"written knows no {type(node).__name__}")


@written.register
def _(node: ix.Constant) -> Formula:
    return f.Number(node.value) if node.value >= 0 else f.Negative(f.Number(-node.value))


@written.register
def _(node: ix.Value) -> Formula:
    return f.Scalar(node.name)


@written.register
def _(node: ix.Generator) -> Formula:
    return _at(node.symbol, node.indices)


@written.register
def _(node: ix.DerivativeEntry) -> Formula:
    return f.Derivative(node.of, _at(node.wrt, node.indices))


def _at(array: f.Symbol, indices: tuple[sympy.Expr, ...]) -> Formula:
    return array if array.shape == SCALAR else f.Entry(array, *indices)


@written.register
def _(node: ix.Delta) -> Formula:
    return f.Kronecker(node.left, node.right, node.size)


@written.register
def _(node: ix.Add) -> Formula:
    return f.Add(tuple(written(term) for term in node.terms))


@written.register
def _(node: ix.Mul) -> Formula:
    """Signs and constants in front, reciprocals as one fraction below."""
    sign = False
    top: list[Formula] = []
    bottom: list[Formula] = []
    below: list[Formula] = []  # sizes and numbers under the fraction that stands in front
    for factor in node.factors:
        if factor == ix.MINUS_ONE:
            sign = not sign
        elif isinstance(factor, ix.Power) and factor.exponent == ix.MINUS_ONE:
            constant = all(isinstance(u, ix.Value | ix.Constant | ix.Mul) for u in ix.walk(factor.base))
            (below if constant else bottom).append(written(factor.base))
        else:
            new = written(factor)
            if isinstance(new, f.Negative):
                sign, new = not sign, new.arg
            top.append(new)
    front: list[Formula] = []
    if below:
        numbers: list[Formula] = [u for u in top if isinstance(u, f.Number)]
        front = [f.Quotient(_product(numbers), _product(below))]
        top = [u for u in top if u not in numbers]
    rest = [f.Quotient(_product(top), _product(bottom))] if bottom else top
    result = _product([*front, *rest])
    return f.Negative(result) if sign else result


def _product(factors: list[Formula]) -> Formula:
    if not factors:
        return f.Number(Fraction(1))
    return factors[0] if len(factors) == 1 else f.Hadamard(tuple(factors))


@written.register
def _(node: ix.Power) -> Formula:
    if node.exponent == ix.MINUS_ONE:
        return f.Quotient(f.Number(Fraction(1)), written(node.base))
    return f.Power(written(node.base), written(node.exponent))


@written.register
def _(node: ix.Apply) -> Formula:
    return f.Map(node.function, written(node.arg), node.order)


@written.register
def _(node: ix.Sum) -> Formula:
    return f.IndexSum(written(node.body), node.index, node.lower, node.upper)


@written.register
def _(node: ix.Opaque) -> Formula:
    """C at a sample is C of the two columns (or rows) of that sample; its gradient is an entry of grad_a C."""
    if not isinstance(node.prediction, ix.Generator) or not isinstance(node.target, ix.Generator):
        raise Unsupported("an opaque loss is written for named predictions and targets only")
    axis = node.axis
    a, y = node.prediction.symbol, node.target.symbol
    loss = f.OpaqueLoss(node.letter, a, y, axis, bool(node.slots))
    sample = node.prediction.indices[1 - axis]
    if not node.slots:
        at = (ONE, sample) if axis == 0 else (sample, ONE)
        return loss if a.shape[1 - axis] == 1 else f.Entry(loss, *at)
    if len(node.slots) > 1:
        raise Unsupported("second derivatives of an opaque loss")
    (slot,) = node.slots
    return f.Entry(loss, *((slot, sample) if axis == 0 else (sample, slot)))

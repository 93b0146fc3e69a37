"""Derivatives entry by entry, in index form: the reason behind each matrix rule, made without any matrix rule.

``differentiate`` is the ordinary partial derivative of an indexed expression by one entry of an array; ``collapse``
carries out the sums that Kronecker's deltas leave over.
"""

from __future__ import annotations

from fractions import Fraction
from functools import singledispatch
from typing import TypeAlias

import sympy

from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, Symbol
from symbackprop.algebra.index import Fresh, IndexExpr

Indices: TypeAlias = tuple[sympy.Expr, ...]


@singledispatch
def differentiate(node: IndexExpr, by: Symbol, at: Indices, fresh: Fresh) -> IndexExpr:
    """d node / d by[at], with Kronecker's deltas where entries meet.

    >>> i, j, k, l = sympy.symbols("i j k l")
    >>> W = Symbol("W", (sympy.Symbol("n"), sympy.Symbol("p")))
    >>> differentiate(ix.Generator(W, (i, j)), W, (k, l), Fresh())
    Mul(factors=(Delta(left=i, right=k, size=n), Delta(left=j, right=l, size=p)))
    """
    raise TypeError(f"differentiate knows no {type(node).__name__}")


@differentiate.register(ix.Constant)
@differentiate.register(ix.Value)
@differentiate.register(ix.Delta)
@differentiate.register(ix.DerivativeEntry)
def _(node: IndexExpr, by: Symbol, at: Indices, fresh: Fresh) -> IndexExpr:
    return ix.ZERO


@differentiate.register
def _(node: ix.Generator, by: Symbol, at: Indices, fresh: Fresh) -> IndexExpr:
    if node.symbol != by:
        return ix.ZERO
    pairs = zip(node.indices, at, by.shape, strict=True)
    deltas = tuple(ix.Delta(i, j, size) for i, j, size in pairs if size != ONE)
    return ix.ONE if not deltas else deltas[0] if len(deltas) == 1 else ix.Mul(deltas)


@differentiate.register
def _(node: ix.Add, by: Symbol, at: Indices, fresh: Fresh) -> IndexExpr:
    return ix.Add(tuple(differentiate(term, by, at, fresh) for term in node.terms))


@differentiate.register
def _(node: ix.Mul, by: Symbol, at: Indices, fresh: Fresh) -> IndexExpr:
    terms = []
    for position, factor in enumerate(node.factors):
        inner = differentiate(factor, by, at, fresh)
        if collapse(inner) != ix.ZERO:
            terms.append(ix.Mul((*node.factors[:position], inner, *node.factors[position + 1 :])))
    return ix.Add(tuple(terms)) if terms else ix.ZERO


@differentiate.register
def _(node: ix.Power, by: Symbol, at: Indices, fresh: Fresh) -> IndexExpr:
    lower = collapse(ix.Add((node.exponent, ix.MINUS_ONE)))
    power = node.base if lower == ix.ONE else ix.Power(node.base, lower)
    return ix.Mul((node.exponent, power, differentiate(node.base, by, at, fresh)))


@differentiate.register
def _(node: ix.Apply, by: Symbol, at: Indices, fresh: Fresh) -> IndexExpr:
    return ix.Mul((ix.Apply(node.function, node.arg, node.order + 1), differentiate(node.arg, by, at, fresh)))


@differentiate.register
def _(node: ix.Sum, by: Symbol, at: Indices, fresh: Fresh) -> IndexExpr:
    return ix.Sum(differentiate(node.body, by, at, fresh), node.index, node.lower, node.upper)


@differentiate.register
def _(node: ix.Opaque, by: Symbol, at: Indices, fresh: Fresh) -> IndexExpr:
    """The chain rule over the entries of the first vector; the target is a constant."""
    slot = fresh()
    inner = ix.replace_index(differentiate(node.prediction, by, at, fresh), node.index, slot)
    outer = ix.Opaque(node.letter, node.prediction, node.target, node.index, node.size, node.axis, (*node.slots, slot))
    return ix.Sum(ix.Mul((outer, inner)), slot, ONE, node.size)


def collapse(node: IndexExpr) -> IndexExpr:
    """The same value without zeros, ones, nested sums and products, and without a sum that a delta decides."""
    if node.children:
        node = node.with_children(tuple(collapse(child) for child in node.children))
    match node:
        case ix.Add():
            return _add(node)
        case ix.Mul():
            return _mul(node)
        case ix.Power(base, ix.Constant(value)) if value == 1:
            return base
        case ix.Power(_, ix.Constant(value)) if value == 0:
            return ix.ONE
        case ix.Delta(left, right) if left == right:
            return ix.ONE
        case ix.Sum():
            return _sum(node)
    return node


def _add(node: ix.Add) -> IndexExpr:
    terms: list[IndexExpr] = []
    constant = Fraction(0)
    for term in node.terms:
        for part in term.terms if isinstance(term, ix.Add) else (term,):
            if isinstance(part, ix.Constant):
                constant += part.value
            else:
                terms.append(part)
    if constant:
        terms.insert(0, ix.Constant(constant))
    if not terms:
        return ix.ZERO
    return terms[0] if len(terms) == 1 else ix.Add(tuple(terms))


def _mul(node: ix.Mul) -> IndexExpr:
    factors: list[IndexExpr] = []
    constant = Fraction(1)
    for factor in node.factors:
        for part in factor.factors if isinstance(factor, ix.Mul) else (factor,):
            if isinstance(part, ix.Constant):
                constant *= part.value
            else:
                factors.append(part)
    if constant == 0:
        return ix.ZERO
    if constant == -1 and factors:
        factors.insert(0, ix.MINUS_ONE)
    elif constant != 1 or not factors:
        factors.insert(0, ix.Constant(constant))
    return factors[0] if len(factors) == 1 else ix.Mul(tuple(factors))


def _sum(node: ix.Sum) -> IndexExpr:
    body = _distributed(node.body, node)
    if body == ix.ZERO:
        return ix.ZERO
    if isinstance(body, ix.Add) and any(_decides(term, node) is not None for term in body.terms):
        parts = tuple(collapse(ix.Sum(term, node.index, node.lower, node.upper)) for term in body.terms)
        return collapse(ix.Add(parts))
    delta = _decides(body, node)
    if delta is None:
        return _lifted(node)
    other = delta.right if delta.left == node.index else delta.left
    factors = list(body.factors) if isinstance(body, ix.Mul) else [body]
    factors.remove(delta)
    rest = ix.Mul(tuple(factors)) if factors else ix.ONE
    return collapse(ix.replace_index(rest, node.index, other))


def _distributed(body: IndexExpr, outer: ix.Sum) -> IndexExpr:
    """G (u delta + v) as G u delta + G v, where a delta inside the bracket decides the sum."""
    if not isinstance(body, ix.Mul):
        return body
    for position, factor in enumerate(body.factors):
        if isinstance(factor, ix.Add) and any(_decides(term, outer) is not None for term in factor.terms):
            before, after = body.factors[:position], body.factors[position + 1 :]
            return collapse(ix.Add(tuple(ix.Mul((*before, term, *after)) for term in factor.terms)))
    return body


def _lifted(node: ix.Sum) -> IndexExpr:
    """A delta that the sum does not decide, and every constant, stand before the sum."""
    if not isinstance(node.body, ix.Mul):
        return node
    out = tuple(u for u in node.body.factors if isinstance(u, ix.Delta | ix.Constant) and not _mentions(u, node.index))
    if not out:
        return node
    rest = tuple(u for u in node.body.factors if u not in out)
    inner: IndexExpr = ix.ONE if not rest else rest[0] if len(rest) == 1 else ix.Mul(rest)
    return collapse(ix.Mul((*out, ix.Sum(inner, node.index, node.lower, node.upper))))


def _decides(body: IndexExpr, outer: ix.Sum) -> ix.Delta | None:
    """A delta of the body that leaves one term of a sum.

    The sum must run over the whole axis along which the delta compares: the other index is then in its range.
    """
    index = outer.index
    for factor in body.factors if isinstance(body, ix.Mul) else (body,):
        if not isinstance(factor, ix.Delta) or outer.lower != ONE or outer.upper != factor.size:
            continue
        for here, other in ((factor.left, factor.right), (factor.right, factor.left)):
            if here == index and index not in other.free_symbols:
                return factor
    return None


def _mentions(node: IndexExpr, index: sympy.Symbol) -> bool:
    return isinstance(node, ix.Delta) and index in (node.left.free_symbols | node.right.free_symbols)

"""Index expressions under a condition: entries by what they are equal to, f(0) by its value, what is left of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import sympy

from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, Function, Symbol
from symbackprop.algebra.index import IndexExpr
from symbackprop.calculus.entrywise import Indices, collapse


def mentions(node: IndexExpr, index: sympy.Symbol) -> bool:
    """Whether a free index, or a size of that name, stands anywhere in an expression."""
    if isinstance(node, ix.Sum | ix.Opaque) and node.index == index:
        return False

    def inside(value: object) -> bool:
        if isinstance(value, tuple):
            return any(map(inside, value))
        return isinstance(value, sympy.Basic) and index in value.free_symbols

    return any(inside(getattr(node, name)) for name in node.indexed) or any(mentions(u, index) for u in node.children)


def entries_replaced(node: IndexExpr, known: Mapping[Symbol, Callable[[Indices], IndexExpr]]) -> IndexExpr:
    """Every entry of a known array by what it is at its indices."""
    if isinstance(node, ix.Generator) and node.symbol in known:
        return known[node.symbol](node.indices)
    children = node.children
    return node.with_children(tuple(entries_replaced(child, known) for child in children)) if children else node


def at_zero(node: IndexExpr) -> IndexExpr:
    """f(0) by its value where that is rational, sigmoid(0) = 1/2, tanh(0) = 0; and a constant summed over an axis."""
    if node.children:
        node = collapse(node.with_children(tuple(at_zero(child) for child in node.children)))
    if isinstance(node, ix.Apply) and node.arg == ix.ZERO:
        value = value_at_zero(node.function, node.order)
        return node if value is None else ix.Constant(value)
    if isinstance(node, ix.Sum) and isinstance(node.body, ix.Constant) and node.lower == ONE and node.upper.is_Symbol:
        return collapse(ix.Mul((node.body, ix.Value(node.upper.name))))
    return node


def value_at_zero(function: Function, order: int = 0) -> Fraction | None:
    """f(0), or a derivative there, where it is a rational number."""
    found = function.definition if order == 0 else function.derivative(order)
    value = None if found is None else found.subs(function.argument, 0)
    return Fraction(int(value.p), int(value.q)) if value is not None and value.is_Rational else None

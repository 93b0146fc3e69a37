"""A normal form of polynomial index forms: products expanded over sums, factors sorted, bound indices renamed.

Two polynomial index forms with the same normal form have the same value for all sizes. The converse holds for sums over
whole axes of products of generators, which is all that is asked of it here.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import sympy

from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, Function, Symbol
from symbackprop.algebra.index import IndexExpr
from symbackprop.calculus.entrywise import Indices, collapse
from symbackprop.errors import Unsupported

MAX_TERMS = 5000  # of one product, expanded
MAX_BOUND = 6  # bound indices of one term: their orders are all tried

Range: TypeAlias = tuple[sympy.Symbol, sympy.Expr]  # an index that runs from 1 to a size


@dataclass(frozen=True)
class Monomial:
    """A product of factors, summed over its ranges; the bound indices are _0, _1, ..."""

    factors: tuple[IndexExpr, ...]
    ranges: tuple[Range, ...]


Polynomial: TypeAlias = dict[Monomial, Fraction]


def normal(node: IndexExpr) -> Polynomial:
    """The normal form of a polynomial in generators, values and reciprocals of values.

    Raises Unsupported for what is no polynomial, for a sum that does not run over a whole axis, and beyond 6 bound
    indices in one term.

    >>> n, i, j, k = sympy.symbols("n i j k")
    >>> u, v = (lambda at: ix.Generator(Symbol("u", (n, ONE)), (at, ONE))), ix.Generator(Symbol("v"), (ONE, ONE))
    >>> left = ix.Mul((v, ix.Sum(u(i), i, ONE, n)))
    >>> normal(left) == normal(ix.Sum(ix.Mul((u(j), v)), j, ONE, n))
    True
    """
    found: Polynomial = {}
    names = (sympy.Dummy(f"b{n}") for n in itertools.count())
    for coefficient, factors, ranges in _terms(node, names):
        monomial = _canonical(factors, ranges)
        found[monomial] = found.get(monomial, Fraction(0)) + coefficient
    return {monomial: c for monomial, c in found.items() if c}


_Term: TypeAlias = tuple[Fraction, tuple[IndexExpr, ...], tuple[Range, ...]]


def _terms(node: IndexExpr, names: Iterator[sympy.Symbol]) -> list[_Term]:
    """The terms of the expanded expression; every bound index has a name of its own."""
    match node:
        case ix.Constant(value):
            return [(value, (), ())]
        case ix.Value() | ix.Generator() | ix.Power(ix.Value(), ix.Constant(Fraction(numerator=-1, denominator=1))):
            return [(Fraction(1), (node,), ())]
        case ix.Add(terms):
            return [t for term in terms for t in _terms(term, names)]
        case ix.Mul(factors):
            return _product([_terms(factor, names) for factor in factors])
        case ix.Power(base, ix.Constant(value)) if value.denominator == 1 and 0 <= value <= 8:
            return _product([_terms(base, names) for _ in range(int(value))])
        case ix.Sum(body, index, lower, upper) if lower == ONE and (upper.is_Symbol or upper.is_Integer):
            own = next(names)
            return [_summed(t, own, upper) for t in _terms(ix.replace_index(body, index, own), names)]
    raise Unsupported(f"{type(node).__name__} in a polynomial index form")


def _product(parts: list[list[_Term]]) -> list[_Term]:
    if math.prod(map(len, parts)) > MAX_TERMS:
        raise Unsupported(f"a product that expands to more than {MAX_TERMS} terms")
    found: list[_Term] = []
    for choice in itertools.product(*parts):
        coefficient = Fraction(1)
        for c, _, _ in choice:
            coefficient *= c
        factors = tuple(u for _, us, _ in choice for u in us)
        found.append((coefficient, factors, tuple(r for _, _, rs in choice for r in rs)))
    return found


def _summed(term: _Term, index: sympy.Symbol, size: sympy.Expr) -> _Term:
    """The term summed over an index; a term that does not use it is taken as many times as the axis is long."""
    coefficient, factors, ranges = term
    if any(mentions(u, index) for u in factors):
        return coefficient, factors, (*ranges, (index, size))
    if size.is_Integer:
        return coefficient * int(size), factors, ranges
    return coefficient, (*factors, ix.Value(size.name)), ranges


def mentions(node: IndexExpr, index: sympy.Symbol) -> bool:
    """Whether a free index, or a size of that name, stands anywhere in an expression."""
    if isinstance(node, ix.Sum | ix.Opaque) and node.index == index:
        return False

    def inside(value: object) -> bool:
        if isinstance(value, tuple):
            return any(map(inside, value))
        return isinstance(value, sympy.Basic) and index in value.free_symbols

    return any(inside(getattr(node, name)) for name in node.indexed) or any(mentions(u, index) for u in node.children)


def _canonical(factors: tuple[IndexExpr, ...], ranges: tuple[Range, ...]) -> Monomial:
    """The least of the names that the bound indices can have."""
    if len(ranges) > MAX_BOUND:
        raise Unsupported(f"{len(ranges)} bound indices in one term: at most {MAX_BOUND} are renamed")
    best: tuple[tuple[str, ...], Monomial] | None = None
    for order in itertools.permutations(ranges):
        renamed = list(factors)
        for position, (index, _) in enumerate(order):
            renamed = [ix.replace_index(u, index, sympy.Symbol(f"_{position}")) for u in renamed]
        renamed.sort(key=_key)
        bound = tuple((sympy.Symbol(f"_{position}"), size) for position, (_, size) in enumerate(order))
        key = (*(str(size) for _, size in bound), *map(_key, renamed))
        if best is None or key < best[0]:
            best = key, Monomial(tuple(renamed), bound)
    assert best is not None
    return best[1]


def _key(factor: IndexExpr) -> str:
    if isinstance(factor, ix.Generator):
        return f"2 {factor.symbol.name} {factor.indices}"
    return f"1 {factor}"


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

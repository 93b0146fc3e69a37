"""Derivatives that notes write, as formulas: by entries, in index form, as an array of what each entry is.

An array whose entry at (j, k) is known is the sum over j and k of that entry times e_j e_k^T: so the closed set of
nodes holds it, and proofs carry the sums out again.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, SCALAR, Formula, Symbol
from symbackprop.algebra.index import Fresh, IndexExpr
from symbackprop.algebra.meaning import index_names, meaning
from symbackprop.algebra.shape import shape
from symbackprop.algebra.written import written
from symbackprop.calculus.entrywise import collapse, differentiate
from symbackprop.calculus.sweep import uses
from symbackprop.calculus.tidy import tidy
from symbackprop.errors import ShapeMismatch, Unsupported
from symbackprop.model.layers import Assignment

MAX_NODES = 4_000


def unfolded(node: Formula, definitions: Mapping[Symbol, Formula], stop: Symbol) -> Formula:
    """The formula with every name put in that depends on an array, down to that array."""
    needs: dict[Symbol, bool] = {}

    def depends(symbol: Symbol) -> bool:
        if symbol == stop:
            return True
        if symbol not in needs:
            needs[symbol] = False
            inner = definitions.get(symbol)
            needs[symbol] = inner is not None and any(depends(u) for u in f.walk(inner) if isinstance(u, Symbol))
        return needs[symbol]

    def change(u: Formula) -> Formula:
        if isinstance(u, Symbol) and u != stop and u in definitions and depends(u):
            return f.rewrite(definitions[u], change)
        return u

    found = f.rewrite(node, change)
    for count, _ in enumerate(f.walk(found)):
        if count > MAX_NODES:
            raise Unsupported(f"a derivative through a formula of more than {MAX_NODES} pieces")
    return found


def put_in(node: Formula, definitions: Mapping[Symbol, Formula]) -> Formula:
    """The formula with every name that is defined replaced by what it stands for, down to what is not."""

    def change(u: Formula) -> Formula:
        return f.rewrite(definitions[u], change) if isinstance(u, Symbol) and u in definitions else u

    return f.rewrite(node, change)


def array(body: IndexExpr, rows: sympy.Expr, columns: sympy.Expr, i: sympy.Symbol, j: sympy.Symbol) -> Formula:
    """The array whose entry at (i, j) is given; an axis of size 1 has no index."""
    node = written(collapse(body))
    if columns != ONE:
        unit = f.Transpose(f.Unit(j, columns))
        node = f.Product((node, f.Unit(i, rows), unit)) if rows != ONE else f.Product((node, unit))
        node = f.IndexSum(node, j, ONE, columns)
    elif rows != ONE:
        node = f.Product((node, f.Unit(i, rows)))
    return f.IndexSum(node, i, ONE, rows) if rows != ONE else node


class _Own(Fresh):
    """Names for bound indices that no page writes: what is put in later is not captured."""

    def __call__(self, sample: bool = False) -> sympy.Symbol:
        number = 1
        while f"q_{number}" in self._used:
            number += 1
        self._used.add(f"q_{number}")
        return sympy.Symbol(f"q_{number}")


def _fresh(*nodes: Formula) -> Fresh:
    fresh = _Own()
    for node in nodes:
        fresh.avoid(index_names(node))
    return fresh


def of_scalar(node: Formula, wrt: Symbol) -> Formula:
    """The gradient of a scalar by an array, in the array's shape."""
    by_rules = _by_rules(node, wrt, f.formula(1))
    if by_rules is not None:
        return by_rules
    fresh = _fresh(node, wrt)
    i, j = fresh(), fresh()
    rows, columns = wrt.shape
    at = (i if rows != ONE else ONE, j if columns != ONE else ONE)
    return array(differentiate(meaning(node, (ONE, ONE), fresh).body, wrt, at, fresh), rows, columns, i, j)


def _by_rules(node: Formula, wrt: Symbol, cotangent: Formula) -> Formula | None:
    """By the matrix rules, where the formula has no indices: a short form that is easily compared; else None."""
    if any(
        isinstance(u, f.Entry | f.IndexSum | f.Kronecker | f.Unit) for part in (node, cotangent) for u in f.walk(part)
    ):
        return None
    try:
        found = uses(Assignment(Symbol("?", shape(node)), node), cotangent, lambda symbol: symbol == wrt)
        made = tidy(found[0][1].contribution) if found else None
        return made if made is not None and shape(made) == wrt.shape else None
    except (Unsupported, ShapeMismatch):
        return None


def pulled_back(node: Formula, wrt: Symbol, cotangent: Formula) -> Formula:
    """sum_ij cotangent_ij d node_ij / d wrt, in the shape of wrt.

    Derivatives that are names pass through as arrays.
    """
    named: dict[Formula, Formula] = {
        u: Symbol(f"?{n}", shape(u)) for n, u in enumerate(u for u in f.walk(cotangent) if isinstance(u, f.Derivative))
    }
    if named:
        passed = pulled_back(node, wrt, f.substitute(cotangent, named))
        return f.substitute(passed, {symbol: u for u, symbol in named.items()})
    by_rules = _by_rules(node, wrt, cotangent)
    if by_rules is not None:
        return by_rules
    fresh = _fresh(node, wrt, cotangent)
    i, j = fresh(), fresh()
    rows, columns = wrt.shape
    at = (i if rows != ONE else ONE, j if columns != ONE else ONE)
    out = tuple(ONE if n == ONE else fresh() for n in shape(node))
    inner = differentiate(meaning(node, out, fresh).body, wrt, at, fresh)
    total: IndexExpr = ix.Mul((meaning(cotangent, out, fresh).body, inner))
    for index, size in zip(out, shape(node), strict=True):
        if index != ONE:
            total = ix.Sum(total, index, ONE, size)
    return array(total, rows, columns, i, j)


def jacobian(node: Formula, wrt: Symbol, sample: tuple[bool, sympy.Expr] | None = None) -> Formula:
    """The matrix of d node_i / d wrt_j of two vectors, a row for each entry of ``node``.

    ``sample`` takes one column (or, where it is False, one row) of wrt for the vector.
    """
    (u_rows, u_columns), (v_rows, v_columns) = shape(node), wrt.shape
    if sample is not None:
        v_rows, v_columns = (v_rows, ONE) if sample[0] else (ONE, v_columns)
    if ONE not in (u_rows, u_columns) or ONE not in (v_rows, v_columns):
        raise ShapeMismatch(
            f"the derivative of an array {u_rows} x {u_columns} by one of {v_rows} x {v_columns} has more than two axes"
        )
    fresh = _fresh(node, wrt)
    if sample is not None:
        fresh.avoid({s.name for s in sample[1].free_symbols})
    i, j = fresh(), fresh()
    here = (i, ONE) if u_rows != ONE else (ONE, i) if u_columns != ONE else (ONE, ONE)
    there = (j, ONE) if v_rows != ONE else (ONE, j) if v_columns != ONE else (ONE, ONE)
    if sample is not None:
        there = (there[0], sample[1]) if sample[0] else (sample[1], there[1])
    rows, columns = (a if a != ONE else b for a, b in ((u_rows, u_columns), (v_rows, v_columns)))
    return array(differentiate(meaning(node, here, fresh).body, wrt, there, fresh), rows, columns, i, j)


def differential(node: Formula, wrt: Symbol, change: Formula) -> Formula:
    """sum_kl d node / d wrt_kl change_kl, in the shape of ``node``."""
    fresh = _fresh(node, wrt, change)
    i, j = fresh(), fresh()
    rows, columns = shape(node)
    here = (i if rows != ONE else ONE, j if columns != ONE else ONE)
    there = tuple(ONE if n == ONE else fresh() for n in wrt.shape)
    at = (there[0], there[1])
    inner = differentiate(meaning(node, here, fresh).body, wrt, at, fresh)
    total: IndexExpr = ix.Mul((inner, meaning(change, at, fresh).body))
    for index, size in zip(there, wrt.shape, strict=True):
        if index != ONE:
            total = ix.Sum(total, index, ONE, size)
    return array(total, rows, columns, i, j)


def entrywise(node: Formula, wrt: Symbol) -> Formula:
    """d node_ij / d wrt_ij for two arrays of one shape."""
    fresh = _fresh(node, wrt)
    i, j = fresh(), fresh()
    rows, columns = wrt.shape
    at = (i if rows != ONE else ONE, j if columns != ONE else ONE)
    return array(differentiate(meaning(node, at, fresh).body, wrt, at, fresh), rows, columns, i, j)


def by_entry(node: Formula, wrt: Symbol, at: tuple[sympy.Expr, sympy.Expr]) -> Formula:
    """d node / d wrt_at for one entry: an array in the shape of ``node``."""
    fresh = _fresh(node, wrt)
    fresh.avoid({s.name for e in at for s in e.free_symbols})
    i, j = fresh(), fresh()
    rows, columns = shape(node)
    here = (i if rows != ONE else ONE, j if columns != ONE else ONE)
    if shape(node) == SCALAR:
        here = (ONE, ONE)
    return array(differentiate(meaning(node, here, fresh).body, wrt, at, fresh), rows, columns, i, j)

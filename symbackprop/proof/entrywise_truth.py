"""What a derivative is, by the ordinary partial derivatives of entries: the truth against which matrix rules are held.

It uses what a formula means and how an entry is differentiated by an entry, and no rule of matrices.
"""

from __future__ import annotations

from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, Formula, Symbol
from symbackprop.algebra.index import Fresh, IndexExpr
from symbackprop.algebra.meaning import index_names, meaning
from symbackprop.algebra.shape import shape
from symbackprop.calculus.entrywise import differentiate
from symbackprop.proof.equality import COLUMN, ROW


def contracted(node: Formula, wrt: Symbol, cotangent: Formula | None) -> IndexExpr:
    """sum_ij cotangent_ij d node_ij / d wrt[ROW, COLUMN]; without a cotangent the node is the cost itself.

    >>> u = Symbol("u")
    >>> contracted(-u, u, None)
    Add(terms=(Mul(factors=(Constant(value=Fraction(-1, 1)), Constant(value=Fraction(1, 1)))),))
    """
    fresh = Fresh()
    for known in (node, wrt, *(() if cotangent is None else (cotangent,))):
        fresh.avoid(index_names(known))
    out = tuple(ONE if n == ONE else fresh() for n in shape(node))
    at = tuple(ONE if n == ONE else i for n, i in zip(wrt.shape, (ROW, COLUMN), strict=True))
    total = differentiate(meaning(node, out, fresh).body, wrt, at, fresh)
    if cotangent is None:
        return total
    total = ix.Mul((meaning(cotangent, out, fresh).body, total))
    for index, size in zip(out, shape(node), strict=True):
        if index != ONE:
            total = ix.Sum(total, index, ONE, size)
    return total

"""The bridge: the meaning of a formula in index form. Total over the nodes, or a shape error that names the factor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import singledispatch
from typing import TypeAlias

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, SCALAR, Formula
from symbackprop.algebra.functions import ABS, EXP, LOG
from symbackprop.algebra.index import Fresh, IndexExpr, IndexForm
from symbackprop.algebra.shape import runs, shape
from symbackprop.errors import ShapeMismatch, Unsupported

Expr: TypeAlias = sympy.Expr


def meaning(
    node: Formula, indices: Sequence[Expr] | None = None, fresh: Fresh | None = None, samples: Expr | None = None
) -> IndexForm:
    """What a formula means: its entry at (row, column), with every sum explicit.

    Axes of size 1 have no free index. ``indices`` names the two indices where the caller wants his own; ``samples`` is
    the size whose indices are named s, t, ... instead of i, j, ... Raises ShapeMismatch where factors do not conform.

    >>> n, k, m = sympy.symbols("n k m")
    >>> W, X = f.Symbol("W", (n, k)), f.Symbol("X", (k, m))
    >>> form = meaning(W @ X, samples=m)
    >>> form.axes, form.body.index
    (((i, n), (s, m)), j)
    """
    size = shape(node)
    fresh = fresh or Fresh()
    fresh.avoid(index_names(node))
    namer = _Namer(fresh, samples)
    if indices is None:
        indices = [ONE if n == ONE else namer(n) for n in size]
    row, column = indices
    axes = tuple((i, n) for i, n in zip(indices, size, strict=True) if isinstance(i, sympy.Symbol) and n != ONE)
    return IndexForm(axes, _entry(node, row, column, namer))


def index_names(root: Formula) -> set[str]:
    """The names of every index, bound or free, and of every size in a formula: no new index may have one of them."""
    exprs: list[Expr] = []
    for node in f.walk(root):
        match node:
            case f.Symbol() | f.Ones():
                exprs += node.shape
            case f.Entry():
                exprs += [node.row, node.column]
            case f.IndexSum():
                exprs += [node.index, node.lower, node.upper]
            case f.Kronecker():
                exprs += [node.left, node.right]
            case f.Unit():
                exprs += [node.index, node.size]
    return {symbol.name for e in exprs for symbol in e.free_symbols}


class _Namer:
    """Fresh bound indices for a size; indices over the samples have letters of their own."""

    def __init__(self, fresh: Fresh, samples: Expr | None) -> None:
        self._fresh, self._samples = fresh, samples

    def __call__(self, size: Expr) -> sympy.Symbol:
        return self._fresh(sample=self._samples is not None and size == self._samples)

    def claim(self, index: sympy.Symbol) -> sympy.Symbol:
        return self._fresh.claim(index)

    def is_samples_of(self, sizes: Sequence[Expr]) -> Callable[[int], bool]:
        return lambda axis: sizes[axis] == self._samples


def entry(node: Formula, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    """The entry of a part of an elementwise node: a scalar part is the same everywhere."""
    rows, columns = shape(node)
    return _entry(node, ONE if rows == ONE else row, ONE if columns == ONE else column, namer)


@singledispatch
def _entry(node: Formula, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    raise TypeError(f"meaning knows no {type(node).__name__}")


@_entry.register
def _(node: f.Number, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    return ix.Constant(node.value)


@_entry.register
def _(node: f.Scalar, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    return ix.Value(node.name)


@_entry.register
def _(node: f.Symbol, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    return ix.Generator(node, (row, column))


@_entry.register
def _(node: f.Ones, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    return ix.ONE


@_entry.register
def _(node: f.Unit, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    return ix.Delta(row, node.index, node.size)


@_entry.register
def _(node: f.Negative, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    return ix.Mul((ix.MINUS_ONE, _entry(node.arg, row, column, namer)))


@_entry.register
def _(node: f.Add, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    return ix.Add(tuple(entry(term, row, column, namer) for term in node.terms))


@_entry.register
def _(node: f.Hadamard, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    return ix.Mul(tuple(entry(factor, row, column, namer) for factor in node.factors))


@_entry.register
def _(node: f.Quotient, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    top, bottom = (entry(part, row, column, namer) for part in (node.numerator, node.denominator))
    return ix.Mul((top, ix.Power(bottom, ix.MINUS_ONE)))


@_entry.register
def _(node: f.Power, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    return ix.Power(_entry(node.base, row, column, namer), entry(node.exponent, row, column, namer))


@_entry.register
def _(node: f.Product, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    scalars, found = runs(node.factors)
    factors = [_entry(s, ONE, ONE, namer) for s in scalars]
    for run in found:
        whole = (shape(run[0])[0], shape(run[-1])[1])
        first, last = (ONE, ONE) if whole == SCALAR else (row, column)
        factors.append(_chain(run, first, last, namer))
    return factors[0] if len(factors) == 1 else ix.Mul(tuple(factors))


def _chain(run: list[Formula], row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    """A B C ... at (row, column): a sum over each inner index; one of size 1 needs no sum."""
    inner = [shape(factor)[1] for factor in run[:-1]]
    bound = [ONE if size == ONE else namer(size) for size in inner]
    ends = [row, *bound, column]
    factors = tuple(_entry(factor, a, b, namer) for factor, a, b in zip(run, ends, ends[1:], strict=False))
    body: IndexExpr = factors[0] if len(factors) == 1 else ix.Mul(factors)
    for index, size in zip(reversed(bound), reversed(inner), strict=True):
        if isinstance(index, sympy.Symbol):
            body = ix.Sum(body, index, ONE, size)
    return body


@_entry.register
def _(node: f.Transpose, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    return _entry(node.arg, column, row, namer)


@_entry.register
def _(node: f.Map, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    return ix.Apply(node.function, _entry(node.arg, row, column, namer), node.order)


@_entry.register
def _(node: f.Softmax, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    size = shape(node.arg)[node.axis]
    index = namer(size)
    along = (index, column) if node.axis == 0 else (row, index)
    top = ix.Apply(EXP, _entry(node.arg, row, column, namer))
    total = ix.Sum(ix.Apply(EXP, _entry(node.arg, *along, namer)), index, ONE, size)
    if node.log:
        minus_total = ix.Mul((ix.MINUS_ONE, ix.Apply(LOG, total)))
        return ix.Add((_entry(node.arg, row, column, namer), minus_total))
    return ix.Mul((top, ix.Power(total, ix.MINUS_ONE)))


@_entry.register
def _(node: f.OpaqueLoss, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    size = shape(node.prediction)[node.axis]
    index = namer(size)
    along = (index, column) if node.axis == 0 else (row, index)
    prediction, target = (entry(part, *along, namer) for part in (node.prediction, node.target))
    slots = ((row if node.axis == 0 else column),) if node.gradient else ()
    return ix.Opaque(node.letter, prediction, target, index, size, node.axis, slots)


@_entry.register
def _(node: f.Total, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    sizes = shape(node.arg)
    at = [row, column]
    summed = [axis for axis in (0, 1) if node.axis in (None, axis)]
    for axis in summed:
        at[axis] = ONE if sizes[axis] == ONE else namer(sizes[axis])
    body = _entry(node.arg, at[0], at[1], namer)
    inner_first = sorted(summed, key=namer.is_samples_of(sizes))  # the sum over the samples is written first
    return _sum_over(body, [(at[axis], sizes[axis]) for axis in inner_first])


@_entry.register
def _(node: f.Norm, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    sizes = shape(node.arg)
    at = [ONE if size == ONE else namer(size) for size in sizes]
    inner = _entry(node.arg, at[0], at[1], namer)
    term: IndexExpr
    if node.order == 1:
        term = ix.Apply(ABS, inner)
    elif node.order == 2:
        term = ix.Power(inner, ix.Constant(Fraction(2)))
    else:
        raise Unsupported(f"a norm of order {node.order}: 1 and 2 are known")
    total = _sum_over(term, list(zip(at, sizes, strict=True)))
    exponent = Fraction(node.power, node.order)
    return total if exponent == 1 else ix.Power(total, ix.Constant(exponent))


def _sum_over(body: IndexExpr, over: list[tuple[Expr, Expr]]) -> IndexExpr:
    for index, size in over:
        if isinstance(index, sympy.Symbol):
            body = ix.Sum(body, index, ONE, size)
    return body


@_entry.register
def _(node: f.Diagonal, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    at = (ONE, row) if shape(node.arg)[0] == ONE else (row, ONE)
    if shape(node.arg) == SCALAR:
        at = (ONE, ONE)
    return ix.Mul((ix.Delta(row, column, shape(node)[0]), _entry(node.arg, *at, namer)))


@_entry.register
def _(node: f.Entry, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    return _entry(node.arg, node.row, node.column, namer)


@_entry.register
def _(node: f.IndexSum, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    free = sympy.Dummy(node.index.name)
    outside = node.index in row.free_symbols | column.free_symbols
    if outside:  # an index of that name is free outside: it is another one, and steps aside while the body is read
        row, column = (e.xreplace({node.index: free}) for e in (row, column))
    index = namer(ONE) if outside else namer.claim(node.index)
    body = ix.replace_index(_entry(node.body, row, column, namer), node.index, index)
    if outside:
        body = ix.replace_index(body, free, node.index)
    return ix.Sum(body, index, node.lower, node.upper)


@_entry.register
def _(node: f.Kronecker, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    return ix.Delta(node.left, node.right, node.size)


@_entry.register
def _(node: f.Derivative, row: Expr, column: Expr, namer: _Namer) -> IndexExpr:
    if not isinstance(node.of, f.Symbol) or not isinstance(node.wrt, f.Symbol):
        raise ShapeMismatch("a derivative has a meaning as a name where both sides are named: name them first")
    return ix.DerivativeEntry(node.of, node.wrt, (row, column))

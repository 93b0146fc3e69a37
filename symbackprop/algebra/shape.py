"""The shape of a formula, for symbolic sizes: rows and columns, or an error that names the factor.

Sizes are compared as symbols: n_1 and n_2 differ even where a network gives them equal numbers.
"""

from __future__ import annotations

from functools import singledispatch

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula, Shape
from symbackprop.errors import ShapeMismatch


def show(shape: Shape) -> str:
    return f"{shape[0]} x {shape[1]}"


def shape(node: Formula) -> Shape:
    """Rows and columns of the value; raises ShapeMismatch where factors do not conform.

    >>> import sympy
    >>> n, m = sympy.symbols("n m")
    >>> shape(f.Symbol("W", (n, m)) @ f.Symbol("x", (m, ONE)))
    (n, 1)
    >>> shape(f.Symbol("W", (n, m)) @ f.Symbol("a", (n, ONE)))
    Traceback (most recent call last):
    ...
    symbackprop.errors.ShapeMismatch: W (n x m) times a (n x 1): m columns do not meet n rows
    """
    known = vars(node)
    if _KEY not in known:  # computed once a node: a formula asks again at every level above it
        known[_KEY] = _shape(node)
    found: Shape = known[_KEY]
    return found


_KEY = "_shape"


@singledispatch
def _shape(node: Formula) -> Shape:
    raise TypeError(f"shape knows no {type(node).__name__}")


@_shape.register(f.Number)
@_shape.register(f.Scalar)
@_shape.register(f.Kronecker)
def _(node: Formula) -> Shape:
    return SCALAR


@_shape.register(f.Symbol)
@_shape.register(f.Ones)
def _(node: f.Symbol | f.Ones) -> Shape:
    return node.shape


@_shape.register(f.Negative)
@_shape.register(f.Map)
@_shape.register(f.Softmax)
def _(node: f.Negative) -> Shape:
    return shape(node.arg)


@_shape.register(f.Power)
def _(node: f.Power) -> Shape:
    if shape(node.exponent) != SCALAR:
        raise ShapeMismatch(f"the exponent of {name(node.base)} is {show(shape(node.exponent))}; it must be a scalar")
    return shape(node.base)


@_shape.register(f.Add)
def _(node: f.Add) -> Shape:
    return _entrywise(node.terms, "plus")


@_shape.register(f.Hadamard)
def _(node: f.Hadamard) -> Shape:
    return _entrywise(node.factors, "elementwise times")


@_shape.register(f.Quotient)
def _(node: f.Quotient) -> Shape:
    return _entrywise((node.numerator, node.denominator), "divided by")


def _entrywise(args: tuple[Formula, ...], verb: str) -> Shape:
    """The one shape of the arguments; scalars among them are spread over it."""
    found, of = SCALAR, args[0]
    for arg in args:
        here = shape(arg)
        if here in (SCALAR, found):
            continue
        if found != SCALAR:
            raise ShapeMismatch(f"{name(of)} ({show(found)}) {verb} {name(arg)} ({show(here)}): the shapes differ")
        found, of = here, arg
    return found


def runs(factors: tuple[Formula, ...]) -> tuple[list[Formula], list[list[Formula]]]:
    """A product's 1 x 1 factors, and the runs of the other factors that conform with their neighbours.

    At most one run may be anything but 1 x 1 for the product to conform: in M (u^T v) the scalar u^T v is a run.
    """
    scalars: list[Formula] = []
    found: list[list[Formula]] = []
    for factor in factors:
        here = shape(factor)
        if here == SCALAR:
            scalars.append(factor)
        elif found and shape(found[-1][-1])[1] == here[0]:
            found[-1].append(factor)
        else:
            found.append([factor])
    return scalars, found


@_shape.register(f.Product)
def _(node: f.Product) -> Shape:
    _, found = runs(node.factors)
    result = SCALAR
    previous: list[Formula] = []
    for run in found:
        here = (shape(run[0])[0], shape(run[-1])[1])
        if here == SCALAR:
            continue
        if previous:
            left, right = previous[-1], run[0]
            raise ShapeMismatch(
                f"{name(left)} ({show(shape(left))}) times {name(right)} ({show(shape(right))}): "
                f"{shape(left)[1]} columns do not meet {shape(right)[0]} rows"
            )
        result, previous = here, run
    return result


@_shape.register(f.Transpose)
def _(node: f.Transpose) -> Shape:
    rows, columns = shape(node.arg)
    return (columns, rows)


@_shape.register(f.OpaqueLoss)
def _(node: f.OpaqueLoss) -> Shape:
    rows, columns = _entrywise((node.prediction, node.target), "compared with")
    if node.gradient:
        return (rows, columns)
    return (ONE, columns) if node.axis == 0 else (rows, ONE)


@_shape.register(f.Total)
def _(node: f.Total) -> Shape:
    rows, columns = shape(node.arg)
    return {None: SCALAR, 0: (ONE, columns), 1: (rows, ONE)}[node.axis]


@_shape.register(f.Norm)
def _(node: f.Norm) -> Shape:
    shape(node.arg)
    return SCALAR


@_shape.register(f.Diagonal)
def _(node: f.Diagonal) -> Shape:
    rows, columns = shape(node.arg)
    if ONE not in (rows, columns):
        raise ShapeMismatch(f"diag of {name(node.arg)} ({rows} x {columns}): it must be a row or a column")
    size = columns if rows == ONE else rows
    return (size, size)


@_shape.register(f.Entry)
def _(node: f.Entry) -> Shape:
    for index, size, what in zip((node.row, node.column), shape(node.arg), ("row", "column"), strict=True):
        if index.is_Integer and (index < 1 or (size.is_Integer and index > size)):
            raise ShapeMismatch(f"{what} {index} of {name(node.arg)}, which has {size}: indices count from 1")
    return SCALAR


@_shape.register(f.IndexSum)
def _(node: f.IndexSum) -> Shape:
    return shape(node.body)


@_shape.register(f.Unit)
def _(node: f.Unit) -> Shape:
    return (node.size, ONE)


@_shape.register(f.Derivative)
def _(node: f.Derivative) -> Shape:
    if shape(node.of) != SCALAR:
        raise ShapeMismatch(f"the derivative of {name(node.of)} ({show(shape(node.of))}): only scalars are derived so")
    return shape(node.wrt)


def name(node: Formula) -> str:
    """A short name of a factor for a message."""
    if isinstance(node, f.Symbol):
        return node.name
    if isinstance(node, f.Scalar):
        return node.name
    if isinstance(node, f.Number):
        return str(node.value)
    if isinstance(node, f.Transpose):
        return f"{name(node.arg)}^T"
    if isinstance(node, f.Map):
        return f"{node.function.name}{chr(39) * node.order}({name(node.arg)})"
    return f"the {type(node).__name__.lower()}"

"""The value of a formula: node by node on 2-D arrays of exact numbers, with no algebra of the package's."""

from fractions import Fraction
from functools import singledispatch
from typing import Any

import numpy as np
from exact import Env, power

from symbackprop.algebra import formula as f
from symbackprop.algebra.functions import ABS, EXP, LOG


@singledispatch
def value(node: f.Formula, env: Env) -> Any:
    """A 2-D object array, 1 x 1 for a scalar; fails where shapes do not conform."""
    raise TypeError(f"no value for {type(node).__name__}")


def _cell(v: Any) -> Any:
    out = np.empty((1, 1), dtype=object)
    out[0, 0] = v
    return out


def _spread(u: Any, v: Any) -> tuple[Any, Any]:
    """Both in one shape: only a 1 x 1 array is spread, unlike NumPy's broadcasting."""
    assert u.shape == v.shape or (1, 1) in (u.shape, v.shape), f"{u.shape} beside {v.shape}"
    return u, v


def _fold(arrays: list[Any], combine: Any) -> Any:
    total = arrays[0]
    for array in arrays[1:]:
        total = combine(*_spread(total, array))
    return total


def _each(array: Any, change: Any) -> Any:
    out = np.empty(array.shape, dtype=object)
    for at, v in np.ndenumerate(array):
        out[at] = change(v)
    return out


@value.register
def _(node: f.Number, env: Env) -> Any:
    return _cell(node.value)


@value.register
def _(node: f.Scalar, env: Env) -> Any:
    return _cell(env.scalar(node.name))


@value.register
def _(node: f.Symbol, env: Env) -> Any:
    found = env.array(node.name)
    assert found.shape == tuple(env.whole(n) for n in node.shape), f"{node.name} is {found.shape}"
    return found


@value.register
def _(node: f.Ones, env: Env) -> Any:
    return _each(np.empty([env.whole(n) for n in node.shape], dtype=object), lambda _: Fraction(1))


@value.register
def _(node: f.Unit, env: Env) -> Any:
    at = env.whole(node.index)
    out = np.empty((env.whole(node.size), 1), dtype=object)
    out[:, 0] = [Fraction(int(i + 1 == at)) for i in range(len(out))]
    return out


@value.register
def _(node: f.Negative, env: Env) -> Any:
    return -value(node.arg, env)


@value.register
def _(node: f.Add, env: Env) -> Any:
    return _fold([value(t, env) for t in node.terms], lambda u, v: u + v)


@value.register
def _(node: f.Hadamard, env: Env) -> Any:
    return _fold([value(u, env) for u in node.factors], lambda u, v: u * v)


@value.register
def _(node: f.Quotient, env: Env) -> Any:
    top, bottom = _spread(value(node.numerator, env), value(node.denominator, env))
    return top * _each(bottom, lambda v: power(v, -1))


@value.register
def _(node: f.Power, env: Env) -> Any:
    ((exponent,),) = value(node.exponent, env)
    return _each(value(node.base, env), lambda v: power(v, exponent))


@value.register
def _(node: f.Product, env: Env) -> Any:
    """1 x 1 factors go anywhere; the others are multiplied from the left, and what becomes 1 x 1 goes anywhere too."""
    scalars: list[Any] = []
    chains: list[Any] = []
    for array in (value(u, env) for u in node.factors):
        if array.shape == (1, 1):
            scalars.append(array)
        elif chains and chains[-1].shape[1] == array.shape[0]:
            chains[-1] = chains[-1].dot(array)
        else:
            chains.append(array)
    assert sum(c.shape != (1, 1) for c in chains) < 2, f"{[c.shape for c in chains]} do not conform"
    return _fold(scalars + chains, lambda u, v: u * v)


@value.register
def _(node: f.Transpose, env: Env) -> Any:
    return value(node.arg, env).T


@value.register
def _(node: f.Map, env: Env) -> Any:
    return _each(value(node.arg, env), lambda v: env.apply(node.function, node.order, v))


@value.register
def _(node: f.Softmax, env: Env) -> Any:
    powers = _each(value(node.arg, env), lambda v: env.apply(EXP, 0, v))
    totals = np.broadcast_to(powers.sum(axis=node.axis, keepdims=True), powers.shape)
    if node.log:
        return _each(powers * _each(totals, lambda v: power(v, -1)), lambda v: env.apply(LOG, 0, v))
    return powers * _each(totals, lambda v: power(v, -1))


@value.register
def _(node: f.OpaqueLoss, env: Env) -> Any:
    loss, gradient = env.losses[node.letter]
    a, y = (value(u, env) for u in (node.prediction, node.target))
    samples = [list(map(list, (u if node.axis else u.T))) for u in (a, y)]
    rows = [gradient(p, t) if node.gradient else [loss(p, t)] for p, t in zip(*samples, strict=True)]
    out = np.empty((len(rows), len(rows[0])), dtype=object)
    for i, row in enumerate(rows):
        out[i, :] = row
    return out if node.axis else out.T


@value.register
def _(node: f.Total, env: Env) -> Any:
    inner = value(node.arg, env)
    return _cell(inner.sum()) if node.axis is None else inner.sum(axis=node.axis, keepdims=True)


@value.register
def _(node: f.Norm, env: Env) -> Any:
    entries = value(node.arg, env).ravel()
    total = sum(env.apply(ABS, 0, v) for v in entries) if node.order == 1 else sum(v * v for v in entries)
    return _cell(power(total, Fraction(node.power, node.order)))


@value.register
def _(node: f.Diagonal, env: Env) -> Any:
    inner = value(node.arg, env)
    assert 1 in inner.shape
    out = np.full((inner.size, inner.size), Fraction(0), dtype=object)
    for i, v in enumerate(inner.ravel()):
        out[i, i] = v
    return out


@value.register
def _(node: f.Entry, env: Env) -> Any:
    i, j = env.whole(node.row), env.whole(node.column)
    assert i >= 1 <= j
    return _cell(value(node.arg, env)[i - 1, j - 1])


@value.register
def _(node: f.IndexSum, env: Env) -> Any:
    span = range(env.whole(node.lower), env.whole(node.upper) + 1)
    return _fold([value(node.body, env.bind(**{node.index.name: i})) for i in span], lambda u, v: u + v)


@value.register
def _(node: f.Kronecker, env: Env) -> Any:
    return _cell(Fraction(int(env.whole(node.left) == env.whole(node.right))))


@value.register
def _(node: f.Derivative, env: Env) -> Any:
    """By the name dJ_dW1; an entry of it where it is by an entry."""
    if isinstance(node.wrt, f.Entry):
        return value(f.Entry(f.Derivative(node.of, node.wrt.arg), node.wrt.row, node.wrt.column), env)
    return env.array(f"d{node.of.name}_d{node.wrt.name}")

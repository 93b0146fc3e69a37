"""The value of index form: each sum is run through, number by number. The second reading of what a formula means."""

from fractions import Fraction
from functools import singledispatch
from typing import Any

import numpy as np
from exact import Env, power

from symbackprop.algebra import index as ix


@singledispatch
def value(node: ix.IndexExpr, env: Env) -> Any:
    """One number; ``env.scalars`` holds sizes, rates and the free indices, which count from 1."""
    raise TypeError(f"no value for {type(node).__name__}")


@value.register
def _(node: ix.Constant, env: Env) -> Any:
    return node.value


@value.register
def _(node: ix.Value, env: Env) -> Any:
    return env.scalar(node.name)


def _at(array: Any, indices: Any, env: Env) -> Any:
    for index in indices:
        at = env.whole(index)
        assert 1 <= at <= len(array), f"{index} = {at} leaves its axis"
        array = array[at - 1]
    return array


@value.register
def _(node: ix.Generator, env: Env) -> Any:
    return _at(env.arrays[node.symbol.name], node.indices, env)


@value.register
def _(node: ix.DerivativeEntry, env: Env) -> Any:
    return _at(env.arrays[f"d{node.of.name}_d{node.wrt.name}"], node.indices, env)


@value.register
def _(node: ix.Delta, env: Env) -> Any:
    return Fraction(int(env.whole(node.left) == env.whole(node.right)))


@value.register
def _(node: ix.Add, env: Env) -> Any:
    return sum((value(t, env) for t in node.terms), Fraction(0))


@value.register
def _(node: ix.Mul, env: Env) -> Any:
    product: Any = Fraction(1)
    for factor in node.factors:
        product = product * value(factor, env)
    return product


@value.register
def _(node: ix.Power, env: Env) -> Any:
    return power(value(node.base, env), value(node.exponent, env))


@value.register
def _(node: ix.Apply, env: Env) -> Any:
    return env.apply(node.function, node.order, value(node.arg, env))


@value.register
def _(node: ix.Sum, env: Env) -> Any:
    span = range(env.whole(node.lower), env.whole(node.upper) + 1)
    return sum((value(node.body, env.bind(**{node.index.name: i})) for i in span), Fraction(0))


@value.register
def _(node: ix.Opaque, env: Env) -> Any:
    """C and its first derivatives; ``slots`` says by which entry."""
    span = range(1, env.whole(node.size) + 1)
    vectors = [[value(part, env.bind(**{node.index.name: i})) for i in span] for part in (node.prediction, node.target)]
    loss, gradient = env.losses[node.letter]
    if not node.slots:
        return loss(*vectors)
    (slot,) = node.slots
    return gradient(*vectors)[env.whole(slot) - 1]


def array(form: ix.IndexForm, env: Env) -> Any:
    """An index form of rank two or below as a 2-D array; ``axes`` that it lacks have size 1."""
    return entries(form.body, [(index, size) for index, size in form.axes], env)


def entries(body: ix.IndexExpr, axes: list[tuple[Any, Any]], env: Env) -> Any:
    """The values over the given (index, size) pairs, as an array of that rank."""
    out = np.empty([env.whole(size) for _, size in axes], dtype=object)
    for at in np.ndindex(*out.shape):
        out[at] = value(body, env.bind(**{index.name: i + 1 for (index, _), i in zip(axes, at, strict=True)}))
    return out

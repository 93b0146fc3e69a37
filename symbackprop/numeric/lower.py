"""Formulas as array operations: one rule a node, equal subformulas once, and stable forms of what overflows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce, singledispatch

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import SCALAR, Formula, Symbol
from symbackprop.algebra.shape import runs, shape
from symbackprop.calculus.tidy import negative, rational, split
from symbackprop.errors import Unsupported
from symbackprop.numeric.elementary import Build, form
from symbackprop.numeric.graph import Graph
from symbackprop.numeric.products import Factor, chain
from symbackprop.numeric.scalar_code import power


@dataclass
class Lowering:
    """A graph under construction: what each named array stands for, and its node once it is there."""

    definitions: Mapping[Symbol, Formula]
    stable: bool = True
    graph: Graph = field(default_factory=Graph)
    named: dict[Symbol, int] = field(default_factory=dict)

    @property
    def build(self) -> Build:
        return Build(self.graph)

    def __call__(self, node: Formula) -> int:
        return lower(node, self)

    def full(self, node: Formula) -> int:
        """The array in its whole shape, where operations that do not spread need it."""
        return self.graph.full(self(node), shape(node))

    def times(self, coefficient: sympy.Expr, i: int) -> int:
        return self.graph.apply("multiply", i, self.graph.scalar(coefficient))


def value_of(node: Formula, at: Lowering) -> int:
    """A formula whose coefficient is taken out: it is one number, multiplied once."""
    c, core = split(node)
    if core is None:
        return at.graph.scalar(c)
    return at.times(c, lower(core, at)) if c != 1 else lower(core, at)


@singledispatch
def lower(node: Formula, at: Lowering) -> int:
    """The node of a formula's value; raises Unsupported where a value cannot be computed."""
    raise TypeError(f"lower knows no {type(node).__name__}")


@lower.register(f.Unit)
@lower.register(f.Entry)
@lower.register(f.IndexSum)
@lower.register(f.Kronecker)
@lower.register(f.Derivative)
def _(node: Formula, at: Lowering) -> int:
    """What no gradient of a network has: entries, sums over an index, and names of derivatives."""
    raise Unsupported(f"code for {type(node).__name__}: a gradient has products and sums of whole arrays instead")


@lower.register
def _(node: f.Number, at: Lowering) -> int:
    return at.graph.scalar(node.value)


@lower.register
def _(node: f.Scalar, at: Lowering) -> int:
    return at.graph.scalar(sympy.pi if node.name == "pi" else sympy.Symbol(node.name))


@lower.register
def _(node: f.Symbol, at: Lowering) -> int:
    if node not in at.named:
        at.named[node] = at(at.definitions[node]) if node in at.definitions else at.graph.input(node.name, node.shape)
    return at.named[node]


@lower.register
def _(node: f.Ones, at: Lowering) -> int:
    """Ones are spread wherever they meet an array."""
    return at.graph.scalar(1)


@lower.register
def _(node: f.Negative, at: Lowering) -> int:
    return value_of(node, at)


@lower.register
def _(node: f.Add, at: Lowering) -> int:
    """Terms in the order in which they are written; a negative term is subtracted."""
    positive: list[Formula] = []
    below: list[Formula] = []
    for term in node.terms:
        c, _ = split(term)
        (below if negative(c) else positive).append(term)
    if not positive:
        return at.graph.apply("negative", at(f.Add(tuple(f.Negative(t) for t in below))))
    result = reduce(lambda u, v: at.graph.apply("add", u, v), [value_of(t, at) for t in positive])
    for term in below:
        result = at.graph.apply("subtract", result, value_of(f.Negative(term), at))
    return result


@lower.register
def _(node: f.Hadamard, at: Lowering) -> int:
    """Narrow factors first, so that a coefficient meets the smallest array."""
    c, core = split(node)
    if core is None or not isinstance(core, f.Hadamard):
        return value_of(node, at)
    parts = [at(u) for u in core.factors]
    scalars = [i for i in parts if at.graph.shape(i) is None]
    arrays = [i for i in parts if at.graph.shape(i) is not None]
    narrow = [i for i in arrays if at.graph.shape(i) != shape(node)]
    wide = [i for i in arrays if at.graph.shape(i) == shape(node)]
    front = reduce(lambda u, v: at.graph.apply("multiply", u, v), [*scalars, at.graph.scalar(c)])
    first, *rest = [*narrow, *wide] or [front]
    return reduce(lambda u, v: at.graph.apply("multiply", u, v), [first, front, *rest] if arrays else [front])


@lower.register
def _(node: f.Product, at: Lowering) -> int:
    """Scalars in front as one number, the matrices in the order that costs least."""
    c, core = split(node)
    if core is None or not isinstance(core, f.Product):
        return value_of(node, at)
    scalars, chains = runs(core.factors)
    found = [at(u) for u in scalars]
    for factors in chains:
        found.append(chain([_factor(u, at) for u in factors], at.graph))
    return at.times(c, reduce(lambda u, v: at.graph.apply("multiply", u, v), found))


def _factor(node: Formula, at: Lowering) -> Factor:
    if isinstance(node, f.Ones):
        return Factor("ones", node.shape, None)
    if isinstance(node, f.Diagonal):
        return Factor("diagonal", shape(node), at(node.arg))
    return Factor("array", shape(node), at(node))


@lower.register
def _(node: f.Quotient, at: Lowering) -> int:
    c, core = split(node)
    if core is None or not isinstance(core, f.Quotient):
        return value_of(node, at)
    return at.times(c, at.graph.apply("divide", at(core.numerator), at(core.denominator)))


@lower.register
def _(node: f.Power, at: Lowering) -> int:
    exponent = rational(node.exponent)
    if exponent is not None:
        return power(at.graph, at(node.base), sympy.Rational(exponent.numerator, exponent.denominator))
    return at.graph.apply("power", at(node.base), at(node.exponent))


@lower.register
def _(node: f.Transpose, at: Lowering) -> int:
    return at.graph.transpose(at.full(node.arg))


@lower.register
def _(node: f.Map, at: Lowering) -> int:
    if node.function.definition is None:
        raise Unsupported(f"code for {node.function.name}, of which nothing is known: give the function a definition")
    return form(node.function, node.order, at.stable)(at.build, at(node.arg))


@lower.register
def _(node: f.Softmax, at: Lowering) -> int:
    """From z less its largest entry; softmax and its logarithm share all but the last operation."""
    z = at.full(node.arg)
    g = at.graph
    shifted = g.apply("subtract", z, g.max(z, node.axis))
    exponentials = g.apply("exp", shifted)
    total = g.sum(exponentials, node.axis)
    if node.log:
        return g.apply("subtract", shifted, g.apply("log", total))
    return g.apply("divide", exponentials, total)


@lower.register
def _(node: f.OpaqueLoss, at: Lowering) -> int:
    raise Unsupported(f"code for {node.letter}(a, y), of which nothing is known: choose a loss from the table")


@lower.register
def _(node: f.Total, at: Lowering) -> int:
    if shape(node.arg) == SCALAR:
        return at(node.arg)
    c, core = split(node.arg)
    if core is None:
        core = f.Ones(shape(node.arg))
    i = at(core)
    return at.times(c, at.graph.sum(at.graph.full(i, shape(node.arg)), node.axis))


@lower.register
def _(node: f.Norm, at: Lowering) -> int:
    """The sum of squares or of absolute values, to the power that it stands in."""
    u = at(node.arg)
    total = at.graph.sum(at.graph.apply("square" if node.order == 2 else "absolute", u), None)
    if node.power == node.order:
        return total
    return power(at.graph, total, sympy.Rational(node.power, node.order))


@lower.register
def _(node: f.Diagonal, at: Lowering) -> int:
    raise Unsupported("code for a diagonal matrix by itself: multiply it by something")

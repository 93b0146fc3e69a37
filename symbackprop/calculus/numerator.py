"""Numerator layout: the derivative of the cost by a column is a row, and dz/da is W.

For one example the chain of Jacobians is a product from left to right: dJ/dz_l = dJ/dz_{l+1} W_{l+1} diag(f'(z_l)).
"""

from __future__ import annotations

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Equation, Formula, Symbol
from symbackprop.algebra.shape import shape
from symbackprop.calculus.derived import Derived
from symbackprop.calculus.tidy import tidy
from symbackprop.errors import Unsupported


def row(column: Formula) -> Formula:
    """The transpose of a column, with an elementwise factor behind it as a diagonal matrix: (u o v)^T = u^T diag(v).

    >>> import sympy
    >>> n = sympy.Symbol("n")
    >>> u, v = Symbol("u", (n, ONE)), Symbol("v", (n, ONE))
    >>> row(u * v)
    Product(factors=(Transpose(arg=Symbol('u')), Diagonal(arg=Symbol('v'))))
    """
    if isinstance(column, f.Hadamard):
        head, *rest = column.factors
        if shape(head)[1] == ONE != shape(head)[0]:
            tail = rest[0] if len(rest) == 1 else f.Hadamard(tuple(rest))
            return tidy(f.Product((row(head), f.Diagonal(tail))))
    return tidy(f.Transpose(column))


def jacobian_chain(derived: Derived) -> tuple[Equation, ...]:
    """dJ/dz of each layer as a row, from the last to the first; raises Unsupported for a batch."""
    model = derived.model
    if model.frame.samples is not None:
        raise Unsupported("numerator layout is for one example: leave batch out")
    rows: list[Equation] = []
    names: dict[Formula, Formula] = {}
    for z, delta in reversed(list(model.errors.items())):
        derivative = f.Derivative(model.cost, z)
        value = row(derived.backward.errors[delta])
        rows.append(Equation((derivative, f.substitute(value, names))))
        names[f.Transpose(delta)] = derivative
    return tuple(rows)


def local_jacobians(derived: Derived, layer: int) -> tuple[Equation, ...]:
    """What stands in the chain for a layer: da/dz = diag(f'(z)) and dz/da of the layer above = W, for one example."""
    model = derived.model
    assignments = {a.symbol: a.formula for a in model.assignments}
    z, a = model.blocks[layer].assignments[0].symbol, model.blocks[layer].output
    found: list[Equation] = []
    if isinstance(assignments[a], f.Map):
        mapped = assignments[a]
        assert isinstance(mapped, f.Map)
        rate: Formula = f.Map(mapped.function, z, 1)
        found.append(Equation((f.Derivative(a, z), f.Diagonal(rate))))
    if layer + 1 < len(model.blocks):
        above = model.blocks[layer + 1]
        weights: Symbol = above.weights[0]
        factor: Formula = weights.T if model.frame.in_by_out else weights
        found.append(Equation((f.Derivative(above.assignments[0].symbol, a), factor)))
    return tuple(found)

"""How many: parameters, arrays and their shapes, and operations, as expressions in the sizes.

One operation is one multiply-add pair of a matrix product (p x q times q x r takes p q r of them), or one value of a
scalar function: of an activation or its derivative, a logarithm, an exponential, an indicator, an absolute value;
softmax and an unknown cost count one for each value that they yield. Entrywise arithmetic is not counted: sums (also
over samples, written as products with ones), entrywise products, powers and quotients, scaling (also by a diagonal
matrix). Each takes a few steps for each entry of an array that a counted product has made. A formula that occurs twice
is computed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Formula, Shape, Symbol
from symbackprop.algebra.shape import runs, shape
from symbackprop.calculus.derive import derive
from symbackprop.calculus.derived import Derived
from symbackprop.errors import Unsupported
from symbackprop.model.layers import LayerEquations
from symbackprop.model.model import Model


@dataclass(frozen=True)
class LayerCount:
    """The parameters of one layer: its arrays with their shapes, and how many numbers they hold."""

    number: int
    shapes: tuple[tuple[Symbol, Shape], ...]

    @property
    def count(self) -> sympy.Expr:
        return sympy.expand(sympy.Add(*(rows * columns for _, (rows, columns) in self.shapes)))


def parameter_counts(model: Model) -> tuple[LayerCount, ...]:
    """The parameters of each layer; a bias that is left out is not there.

    >>> from symbackprop import Dense, Network
    >>> net = Network([Dense(3), Dense(2), Dense(1, "sigmoid")], inputs="m", loss="binary_cross_entropy")
    >>> [layer.count for layer in parameter_counts(net.model)], parameter_count(net.model)
    ([3*m + 3, 8, 3], 3*m + 14)
    """
    return tuple(
        LayerCount(number, tuple((p, p.shape) for p in (*block.weights, *block.biases)))
        for number, block in enumerate(model.blocks, start=1)
    )


def parameter_count(model: Model) -> sympy.Expr:
    """The number of all parameters."""
    return sympy.Add(*(layer.count for layer in parameter_counts(model)))


def shapes(model: Model) -> dict[Symbol, Shape]:
    """Every named array with its rows and columns: data, parameters, intermediates, errors."""
    return {symbol: shape(symbol) for symbol in model.symbols.values()}


def operations(formulas: Iterable[Formula]) -> sympy.Expr:
    """The operations of evaluating formulas, as this module counts them; a part that occurs twice counts once.

    Raises Unsupported for a sum over an index, which no formula of a network has.

    >>> n, k, m = sympy.symbols("n k m")
    >>> W, X = f.Symbol("W", (n, k)), f.Symbol("X", (k, m))
    >>> sigma = f.Function("sigma", "s")
    >>> operations([f.Map(sigma, W @ X), W @ X])
    k*m*n + m*n
    """
    seen: set[Formula] = set()
    return sympy.Add(*(cost for formula in formulas for cost in _operations(formula, seen)))


def _operations(node: Formula, seen: set[Formula]) -> Iterator[sympy.Expr]:
    if node in seen:
        return
    seen.add(node)
    for child in node.children:
        yield from _operations(child, seen)
    match node:
        case f.Product():
            for run in runs(node.factors)[1]:
                yield from _pairs(run)
        case f.Map() | f.Softmax() | f.OpaqueLoss():
            yield sympy.Mul(*shape(node))
        case f.Norm(order=1):
            yield sympy.Mul(*shape(node.arg))
        case f.IndexSum():
            raise Unsupported("operations of a sum over an index are not counted")


def _pairs(run: list[Formula]) -> Iterator[sympy.Expr]:
    """Multiply-add pairs of a chain of factors, from the left; ones only copy or add, a diagonal only scales."""
    rows, inner = shape(run[0])
    plain = isinstance(run[0], f.Ones | f.Diagonal)
    for factor in run[1:]:
        columns = shape(factor)[1]
        cheap = isinstance(factor, f.Ones | f.Diagonal)
        if not plain and not cheap:
            yield rows * inner * columns
        plain, inner = plain and cheap, columns


@dataclass(frozen=True)
class Costs:
    """Operation counts of one network, in its sizes and its number of samples m (1 for one example).

    ``forward`` evaluates every forward equation up to J, ``backward`` every error and every gradient in named form.
    """

    model: Model
    forward: sympy.Expr
    backward: sympy.Expr

    @cached_property
    def parameters(self) -> sympy.Expr:
        return parameter_count(self.model)

    @property
    def one_sided(self) -> sympy.Expr:
        """One-sided finite differences: J once, and once more for each parameter. Not multiplied out."""
        return sympy.Mul(self.parameters + 1, self.forward, evaluate=False)

    @property
    def central(self) -> sympy.Expr:
        """Central finite differences: J twice for each parameter. Not multiplied out."""
        return sympy.Mul(2, self.parameters, self.forward, evaluate=False)

    @cached_property
    def jacobian_entries(self) -> sympy.Expr:
        """Entries of all dense Jacobians of one sample: dL/da_L, and for each layer da/dz, dz/dW and dz/db.

        da_l/dz_l is n_l x n_l, dz_l/dW_l is n_l x (n_l n_{l-1}), dz_l/db_l is n_l x n_l; dz_l/da_{l-1} is W_l itself
        and is not formed.
        """
        terms = [self.model.sizes[-1]]
        for n, below, layer in self._layers():
            terms += [n**2, n**2 * below, n**2 if layer.biases else sympy.S.Zero]
        return sympy.Add(*terms)

    @cached_property
    def jacobian_pairs(self) -> sympy.Expr:
        """Multiply-add pairs of one sample: at each layer the row dL/da times da/dz, the result times dz/dW, dz/db, W.

        This is the cheapest order, a row times a matrix everywhere; zeros are multiplied like all else.
        """
        terms = []
        for n, below, layer in self._layers():
            terms += [n**2, n**2 * below, n**2 if layer.biases else sympy.S.Zero]
            terms.append(n * below if layer is not self.model.blocks[0] else sympy.S.Zero)
        return sympy.Add(*terms)

    @property
    def jacobians(self) -> sympy.Expr:
        """The product of the full Jacobians for every sample: one for each entry that is formed, and the pairs.

        The sum of the samples' gradients, and penalties, are not counted.
        """
        samples = ONE if self.model.frame.samples is None else self.model.frame.samples
        return sympy.expand(samples * (self.jacobian_entries + self.jacobian_pairs))

    def _layers(self) -> Iterator[tuple[sympy.Expr, sympy.Expr, LayerEquations]]:
        sizes = self.model.sizes
        yield from zip(sizes[1:], sizes, self.model.blocks, strict=False)


def costs(derived: Derived) -> Costs:
    """The operation counts of a derived network.

    >>> from symbackprop import Dense, Network
    >>> net = Network([Dense("n_1", "sigmoid"), Dense("n_2")], inputs="n_0", loss="squared_error", batch="m")
    >>> found = costs(net.derive())
    >>> found.forward, found.backward
    (m*n_0*n_1 + m*n_1*n_2 + m*n_1, m*n_0*n_1 + 2*m*n_1*n_2)
    """
    named, values = _named_ones(derived.model)
    pass_ = derived if not values else Derived(named, derive(named))
    forward = operations(a.formula for a in named.assignments)
    backward = operations([*pass_.backward.errors.values(), *pass_.backward.gradients.values()])
    return Costs(derived.model, forward.xreplace(values), backward.xreplace(values))


def _named_ones(model: Model) -> tuple[Model, dict[sympy.Symbol, sympy.Expr]]:
    """The model with a name for every size 1, so that an array of one entry is counted like any other."""
    values: dict[sympy.Symbol, sympy.Expr] = {}

    def named(size: sympy.Expr) -> sympy.Expr:
        if size != ONE:
            return size
        symbol = sympy.Dummy("one")
        values[symbol] = ONE
        return symbol

    sizes = tuple(map(named, model.sizes))
    samples = None if model.frame.samples is None else named(model.frame.samples)
    if not values:
        return model, values
    layers = tuple(
        layer.like(size, layer.activation, layer.bias) for layer, size in zip(model.layers, sizes[1:], strict=True)
    )
    return replace(model, sizes=sizes, layers=layers, frame=replace(model.frame, samples=samples)), values

"""Facts about networks that follow from the derived formulas, proved for symbolic sizes.

A fact holds the claims that prove it. A claim holds formulas and what is put in for their arrays, and is decided anew
each time, in index form: two entries are one polynomial, an entry is 0, an entry does not mention an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, SCALAR, Equation, Formula, Symbol
from symbackprop.algebra.index import IndexExpr
from symbackprop.algebra.meaning import meaning
from symbackprop.algebra.shape import shape
from symbackprop.algebra.written import written
from symbackprop.calculus.conditions import at_zero, entries_replaced, mentions
from symbackprop.calculus.derived import Derived
from symbackprop.calculus.entrywise import collapse
from symbackprop.calculus.steps import Index
from symbackprop.calculus.training import free, momentum, updates, velocity
from symbackprop.model.model import Assumption, Model
from symbackprop.proof.equality import Equality
from symbackprop.proof.setting import Setting

At: TypeAlias = tuple[sympy.Expr, sympy.Expr]


@dataclass(frozen=True)
class Fact:
    """What holds, under which conditions, and the claims that prove it.

    It is proved for ``layer`` and the one above; it holds in the same words for the layers ``alike``, whose equations
    differ in the layer number only. ``where`` says what letters in the proof stand for.
    """

    name: str
    statement: str
    conditions: tuple[Assumption, ...]
    proof: tuple[Claim, ...]
    layer: int = 1
    alike: tuple[int, ...] = ()
    where: tuple[Equation, ...] = ()

    def check(self) -> bool:
        """Whether every claim holds, decided anew. A proof without claims proves nothing."""
        return bool(self.proof) and all(claim.holds() for claim in self.proof)


@dataclass(frozen=True)
class Tie:
    """What a condition says of an array: it is 0 (no ``by``), or all its entries along ``axis`` are equal.

    ``by`` is the column of what they are equal to: W = 1 w^T is ``Tie(W, w, 0)``, W = v 1^T is ``Tie(W, v, 1)``.
    """

    symbol: Symbol
    by: Symbol | None = None
    axis: int = 0

    def entry(self, at: tuple[sympy.Expr, ...]) -> IndexExpr:
        """What the array's entry is under the condition."""
        return ix.ZERO if self.by is None else ix.Generator(self.by, (at[1 - self.axis], ONE))

    @property
    def equation(self) -> Equation:
        if self.by is None:
            return Equation((self.symbol, f.Number(Fraction(0))))
        size = self.symbol.shape[self.axis]
        if self.axis == 1 or self.by.shape == SCALAR:
            ones = f.Ones((ONE, size) if self.axis == 1 else (size, ONE))
            return Equation((self.symbol, f.Product((self.by, ones))))
        return Equation((self.symbol, f.Product((f.Ones((size, ONE)), f.Transpose(self.by)))))


@dataclass(frozen=True)
class SameArray:
    """Two formulas are equal at every entry: they have one normal form."""

    left: Formula
    right: Formula

    def holds(self) -> bool:
        same = shape(self.left) == shape(self.right)
        arrays = (u for side in (self.left, self.right) for u in f.walk(side) if isinstance(u, Symbol | f.Ones))
        sizes = frozenset(n.name for u in arrays for n in u.shape if n.is_Symbol)
        return same and Equality(Setting(free={}, sizes=sizes)).equal(self.left, self.right).equal is True

    @property
    def equation(self) -> Equation:
        return Equation((self.left, self.right))


@dataclass(frozen=True)
class _EntryClaim:
    """A claim about the entry at ``at`` of ``what``, which is ``formula`` with the ties put in."""

    what: Formula
    formula: Formula
    at: At
    ties: tuple[Tie, ...]
    index: Index

    @property
    def entry(self) -> IndexExpr:
        names = {str(i) for i in self.at} | self.index.taken
        form = meaning(self.formula, self.at, ix.Fresh(names.__contains__), self.index.samples)
        return collapse(at_zero(collapse(entries_replaced(form.body, {tie.symbol: tie.entry for tie in self.ties}))))

    @property
    def equation(self) -> Equation:
        array = self.what.wrt if isinstance(self.what, f.Derivative) else self.what
        left = array if self.at == SCALAR else f.Entry(array, *self.at)
        named = f.Derivative(self.what.of, left) if isinstance(self.what, f.Derivative) else left
        return Equation((named, written(self.entry)))


@dataclass(frozen=True)
class Vanishes(_EntryClaim):
    """Every entry is 0."""

    def holds(self) -> bool:
        return self.entry == ix.ZERO

    @property
    def equation(self) -> Equation:
        return Equation((self.what, f.Number(Fraction(0))))


@dataclass(frozen=True)
class SameForAll(_EntryClaim):
    """The entry is the same for every value of the index ``unit``: it does not mention it."""

    unit: sympy.Symbol

    def holds(self) -> bool:
        return self.unit in self.at and not mentions(self.entry, self.unit)


Claim: TypeAlias = SameArray | Vanishes | SameForAll  # each has ``equation``, and ``holds()`` decides it anew


def facts(derived: Derived) -> tuple[Fact, ...]:
    """Every fact of this module that applies to a network and is proved for it.

    >>> from symbackprop import Dense, Network
    >>> layers = [Dense("n_1", "tanh"), Dense("n_2", "sigmoid")]
    >>> for fact in facts(Network(layers, inputs="n_0", loss="binary_cross_entropy", batch="m").derive()):
    ...     print(f"{fact.name}: {fact.statement}")
    linear layers: layers without an activation between them are one layer
    zero weights: every gradient is zero but that of the last bias
    equal units: units of a layer that start equal stay equal
    """
    offered = [*_linear_layers(derived), *_zero_weights(derived), *_equal_units(derived)]
    return tuple(fact for fact in offered if fact.check())


def _groups(model: Model, numbers: list[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The first of the layers that have the same equations but for the number, and the others."""
    found: dict[object, list[int]] = {}
    for number in numbers:
        here, above = model.layers[number - 1 : number + 1]
        ones = tuple(size == ONE for size in model.sizes[number - 1 : number + 2])
        found.setdefault((here.activation, here.bias, above.bias, ones), []).append(number)
    yield from ((first, tuple(rest)) for first, *rest in found.values())


def _linear_layers(derived: Derived) -> Iterator[Fact]:
    """W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2), for layers that have no activation or are thought without it."""
    model, frame = derived.model, derived.model.frame
    inner = range(1, len(model.layers))
    linear = [number for number in inner if isinstance(model.blocks[number - 1].assignments[1].formula, Symbol)]
    for number, alike in _groups(model, linear or list(inner[:1])):
        (z, a), (upper, _) = model.blocks[number - 1].assignments[:2], model.blocks[number].assignments[:2]
        (w1,), (w2,) = model.blocks[number - 1].weights, model.blocks[number].weights
        below, _, above = model.sizes[number - 1 : number + 2]
        both = Symbol(free(model, "M", "P", "Q"), frame.weights(above, below, ONE).shape)
        shift = Symbol(free(model, "d", "e", "g"), (above, ONE))
        entering = model.x if number == 1 else model.blocks[number - 2].output
        b1, b2 = ((block.biases or (None,))[0] for block in model.blocks[number - 1 : number + 1])
        moved = None if b1 is None else (w2.T if frame.in_by_out else w2) @ b1
        parts = [u for u in (moved, b2) if u is not None]
        where: dict[Formula, Formula] = {both: w1 @ w2 if frame.in_by_out else w2 @ w1}
        if parts:
            where[shift] = parts[0] if len(parts) == 1 else parts[0] + parts[1]
        left = f.substitute(upper.formula, {a.symbol: z.formula})
        right = f.substitute(frame.affine(both, entering, shift if parts else None), where)
        granted = Assumption("the layer has no activation function", Equation((a.symbol, z.symbol)))
        proof, named = (
            (SameArray(left, right),),
            tuple(Equation(pair) for pair in where.items()),
        )
        statement = "layers without an activation between them are one layer"
        yield Fact("linear layers", statement, (granted,), proof, number, alike, named)


class _Layer:
    """A layer and the one above it: indices for their axes, and formulas in which the layer is written out."""

    def __init__(self, derived: Derived, number: int) -> None:
        self.derived, model = derived, derived.model
        self.block, self.above = model.blocks[number - 1], model.blocks[number]
        self.names = Index(model.frame.samples, model.taken)
        fresh = self.names.fresh()
        i, self.unit, k, s = fresh(), fresh(), fresh(), fresh(sample=True)
        sizes = zip(
            (k, self.unit, i, s), (*model.sizes[number - 1 : number + 2], model.frame.samples or ONE), strict=True
        )
        self.below_at, self.unit_at, self.above_at, self.sample_at = (ONE if n == ONE else u for u, n in sizes)

    def at(self, array: Symbol) -> At:
        """Where an array's entry is taken."""
        frame = self.derived.model.frame
        if array in self.block.biases:
            return self.unit_at, ONE
        if array in (self.block.output, self.block.errors[0][0]):
            return (self.unit_at, self.sample_at) if frame.unit_axis == 0 else (self.sample_at, self.unit_at)
        pair = (self.unit_at, self.below_at) if array in self.block.weights else (self.above_at, self.unit_at)
        return (pair[1], pair[0]) if frame.in_by_out else pair

    def gradient(self, parameter: Symbol, deep: bool = False) -> tuple[Formula, Formula, At]:
        """Its name, its formula with the layer's error put in, ``deep`` also a and z, and where its entry is taken."""
        known, named = self.derived.defining_formulas, f.Derivative(self.derived.model.cost, parameter)
        formula, (z, delta) = self.derived.formulas[parameter.name], self.block.errors[0]
        for symbol in (delta, self.block.output, z) if deep else (delta,):
            formula = f.substitute(formula, {symbol: known[symbol]})
        return named, formula, self.at(parameter)


def _zero_weights(derived: Derived) -> Iterator[Fact]:
    """All weights and hidden biases are 0: what is left of the gradients."""
    model, hidden = derived.model, list(range(1, len(derived.model.layers)))
    zero = [*(w for block in model.blocks for w in block.weights), *(b for u in model.blocks[:-1] for b in u.biases)]
    ties = tuple(Tie(symbol) for symbol in zero)
    claims: list[Claim] = []
    for number, _ in _groups(model, hidden):
        layer = _Layer(derived, number)
        for p in (*layer.block.weights, *layer.block.biases):
            claims.append(Vanishes(*layer.gradient(p, deep=True), ties, layer.names))
    if not hidden:
        return
    layer = _Layer(derived, hidden[-1])
    top = layer.gradient(layer.above.weights[0], deep=True)
    dead = Vanishes(*top, ties, layer.names)
    statement = "every gradient below the last layer is zero, and the last weights learn the same for each unit"
    if dead.holds():
        claims.append(dead)
        statement = "every gradient is zero" + (" but that of the last bias" if model.blocks[-1].biases else "")
    elif layer.unit_at != ONE:
        claims.append(SameForAll(*top, ties, layer.names, layer.unit))
    granted = [Assumption("all weights and all biases of hidden layers are 0, and the bias of the last is arbitrary")]
    granted += [Assumption("the sign of 0 is taken as 0")] if model.l1 is not None else []
    yield Fact("zero weights", statement, tuple(granted), tuple(claims))


def _tie(array: Symbol, letter: str, layer: _Layer, like: Symbol | None = None) -> Tie:
    """The array is the same for every unit of the layer; it is laid like another where that is given."""
    axis = layer.at(like or array).index(layer.unit)
    return Tie(array, Symbol(letter, (array.shape[1 - axis], ONE)), axis)


def _equal_units(derived: Derived) -> Iterator[Fact]:
    """W1 = 1 w^T, b1 = c 1, W2 = v 1^T: the gradients are of the same form, and so is what an update makes of them.

    In this order: z and a are the same for every unit; with that the gradients; with these the updated parameters.
    """
    model = derived.model
    for number, alike in _groups(model, [n for n in range(1, len(model.layers)) if model.sizes[n] != ONE]):
        layer = _Layer(derived, number)
        rest = (layer.names, layer.unit)
        letters = [*(("w", "p"), ("c", "g"))[: 1 + len(layer.block.biases)], ("v", "q")]
        tied = zip((*layer.block.weights, *layer.block.biases, *layer.above.weights), letters, strict=True)
        given = [_tie(p, free(model, *names), layer) for p, names in tied]
        ties, claims = list(given), list[Claim]()
        for assignment, letter in zip(layer.block.assignments, "za", strict=True):
            array = assignment.symbol
            claims.append(SameForAll(array, assignment.formula, layer.at(array), (*ties,), *rest))
            ties.append(_tie(array, letter, layer))
        found = {tie.symbol: layer.gradient(tie.symbol) for tie in given}
        claims += [SameForAll(*gradient, (*ties,), *rest) for gradient in found.values()]
        made = {named: Symbol(f"g_{p.letter}", p.shape, p.layer) for p, (named, _, _) in found.items()}
        for p, g in zip(found, made.values(), strict=True):
            ties += [_tie(array, f"{letter}_{p.letter}", layer, p) for array, letter in ((g, "g"), (velocity(p), "V"))]
        owner = {array: p for p in found for array in (p, velocity(p))}
        for change in (*updates(derived), *(u for both in momentum(derived) for u in (both.velocity, both.step))):
            if change.symbol in owner:
                formula, at = f.substitute(change.formula, dict(made)), layer.at(owner[change.symbol])
                claims.append(SameForAll(change.symbol, formula, at, (*ties,), *rest))
        granted = tuple(Assumption("", tie.equation) for tie in given)
        yield Fact("equal units", "units of a layer that start equal stay equal", granted, tuple(claims), number, alike)

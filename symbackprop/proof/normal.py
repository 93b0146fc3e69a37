"""The normal form of an index expression in the ring, with definitions put in where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import sympy

from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, Formula, Function, Symbol
from symbackprop.algebra.functions import EXP, LOG
from symbackprop.algebra.index import IndexExpr
from symbackprop.algebra.meaning import meaning
from symbackprop.errors import Unsupported
from symbackprop.model.activations import ARGUMENT, OUTPUT, claimed_rate
from symbackprop.proof.atoms import UNIT, Polynomial, Range
from symbackprop.proof.ring import Ring
from symbackprop.proof.scalar import applied, opaque

MAX_WRITTEN_OUT = 12  # terms of a sum over a concrete range that is written out


@dataclass
class Normaliser:
    """``definitions`` are formulas by name; those in ``unfolded`` are put in wherever the name stands.

    ``sizes`` are the names that are positive; functions in ``kept`` stay atoms instead of their definitions.
    ``write_out``: sums over concrete ranges are written term by term.
    """

    ring: Ring
    definitions: Mapping[Symbol, Formula] = field(default_factory=dict)
    unfolded: Collection[Symbol] = frozenset()
    sizes: Collection[str] = frozenset()
    kept: Callable[[Function], bool] = lambda function: False
    write_out: bool = False

    def __post_init__(self) -> None:
        self._known: dict[Symbol, Polynomial] = {}
        self.given: dict[Symbol, Polynomial] = {}

    def formula(self, node: Formula, at: tuple[sympy.Expr, sympy.Expr]) -> Polynomial:
        """The normal form of a formula's entry."""
        return self.of(meaning(node, at).body, {})

    def of(self, node: IndexExpr, names: Mapping[str, str]) -> Polynomial:
        """The normal form; ``names`` are those of the bound indices around it."""
        ring = self.ring
        match node:
            case ix.Constant(value):
                return ring.constant(value)
            case ix.Value(name):
                return self.scalar(name)
            case ix.Generator(symbol, indices):
                return self._entry(symbol, self._indices(symbol, indices, names))
            case ix.DerivativeEntry(of, wrt, indices):
                head = ring.head("derivative", (of.name, wrt.name))
                return {frozenset({((head, self._indices(wrt, indices, names)), 1)}): 1}
            case ix.Delta(left, right, size):
                return ring.delta(self._index(left, names), self._index(right, names), self._range(ONE, size))
            case ix.Add(terms):
                return ring.add(*(self.of(term, names) for term in terms))
            case ix.Mul(factors):
                return ring.mul(*(self.of(factor, names) for factor in factors))
            case ix.Power(base, exponent):
                return self._power(base, exponent, names)
            case ix.Apply(function, arg, order):
                return self._apply(function, order, self.of(arg, names))
            case ix.Sum(body, index, lower, upper):
                return self._sum(body, index, lower, upper, names)
            case ix.Opaque():
                return self._opaque(node, names)
        raise Unsupported(f"{type(node).__name__} in a proof")

    def scalar(self, name: str) -> Polynomial:
        if name == "pi":
            return self.ring.named_constant(name)
        return self.ring.size(name) if name in self.sizes else self.ring.scalar(name)

    def _index(self, index: sympy.Expr, names: Mapping[str, str]) -> str:
        if isinstance(index, sympy.Symbol):
            return names.get(index.name, index.name)
        if isinstance(index, sympy.Integer):
            return f"#{index}"
        raise Unsupported(f"the index {index}: an index in a proof is a name or a number")

    def _indices(self, symbol: Symbol, indices: tuple[sympy.Expr, ...], names: Mapping[str, str]) -> tuple[str, ...]:
        """The indices along the axes that are longer than 1."""
        return tuple(self._index(i, names) for i, n in zip(indices, symbol.shape, strict=True) if n != ONE)

    def _range(self, lower: sympy.Expr, upper: sympy.Expr | None) -> Range:
        def end(value: sympy.Expr) -> str | int:
            if isinstance(value, sympy.Integer):
                return int(value)
            if isinstance(value, sympy.Symbol):
                return value.name
            raise Unsupported(f"a sum that ends at {value}: its ends are names or numbers")

        if upper is None:
            return None
        return end(upper) if lower == ONE else (end(lower), end(upper))

    def _entry(self, symbol: Symbol, at: tuple[str, ...]) -> Polynomial:
        if symbol in self.given:
            return self.given[symbol]
        if symbol not in self.unfolded:
            return self.ring.entry(symbol.name, at)
        known = self._known.get(symbol)
        slots = tuple(f"?{k} of {symbol.name}" for k in range(len(at)))
        if known is None:
            places = iter(slots)
            own = tuple(ONE if n == ONE else sympy.Symbol(next(places)) for n in symbol.shape)
            known = self._known[symbol] = self.formula(self.definitions[symbol], (own[0], own[1]))
        return self.ring.rename(known, dict(zip(slots, at, strict=True)))

    def _power(self, base: IndexExpr, exponent: IndexExpr, names: Mapping[str, str]) -> Polynomial:
        ring = self.ring
        p, e = self.of(base, names), self.of(exponent, names)
        if not e:
            return {UNIT: 1}
        if len(e) == 1 and UNIT in e:
            return ring.power(p, e[UNIT])
        return ring.exp(ring.mul(e, ring.log(p)))

    def _apply(self, function: Function, order: int, arg: Polynomial) -> Polynomial:
        ring = self.ring
        stepped = ring.stepped(arg)
        if stepped is not None:  # f(u) is one thing where the step is 1, another where it is 0
            undefined = function == LOG  # log 0 has no value, and 0 does as well as any
            yes, no = (
                {} if undefined and not part else self._apply(function, order, part)
                for part in ring.split(arg, stepped)
            )
            one = ring.power({frozenset({(stepped, 1)}): 1}, 1)
            return ring.add(ring.mul(one, yes), ring.mul(ring.minus({UNIT: 1}, one), no))
        if function == EXP:
            return self.ring.exp(arg)
        if function == LOG and order == 0:
            return self.ring.log(arg)
        if self.kept(function):
            value = opaque(self.ring, function, 0, arg)
            rate = claimed_rate(function) if order == 1 else None
            if rate is not None:  # in the output and the argument, as the table of activations has it
                return self._rate(rate, value, arg)
            return opaque(self.ring, function, order, arg) if order else value
        return applied(self.ring, function, order, arg, self.scalar)

    def _rate(self, rate: Formula, output: Polynomial, arg: Polynomial) -> Polynomial:
        inner = Normaliser(self.ring, sizes=self.sizes, kept=self.kept)
        inner.given = {OUTPUT: output, ARGUMENT: arg}
        return inner.formula(rate, (ONE, ONE))

    def _sum(
        self, body: IndexExpr, index: sympy.Symbol, lower: sympy.Expr, upper: sympy.Expr, names: Mapping[str, str]
    ) -> Polynomial:
        span = self._range(lower, upper)
        low, high = span if isinstance(span, tuple) else (1, span)
        if isinstance(low, int) and isinstance(high, int):
            if high < low:
                return {}
            if (self.write_out or low != 1) and high - low < MAX_WRITTEN_OUT:
                parts = (self.of(body, {**names, index.name: f"#{k}"}) for k in range(low, high + 1))
                return self.ring.add(*parts)
        own = f"?{index.name}{len(names)}"
        return self.ring.sum(self.of(body, {**names, index.name: own}), own, span)

    def _opaque(self, node: ix.Opaque, names: Mapping[str, str]) -> Polynomial:
        """C(a, y) or one of its derivatives: an atom by the two vectors, whose own index is bound."""
        own = f"?{node.index.name}{len(names)}"
        inner = {**names, node.index.name: own}
        slots = sorted(self._index(i, names) for i in node.slots)
        return self.ring.vector_function(
            (node.letter, node.axis, len(slots)),
            own,
            self._range(ONE, node.size),
            [self.of(node.prediction, inner), self.of(node.target, inner)],
            tuple(slots),
        )

"""The model: a network as forward equations between named arrays, with the assumptions under which they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Equation, Formula, Size, Symbol, scalar
from symbackprop.model.frame import Frame
from symbackprop.model.layers import Assignment, Layer, LayerEquations
from symbackprop.model.losses import PREDICTION, TARGET, Loss


@dataclass(frozen=True)
class Assumption:
    """A fact that is granted and listed: in words, as an equation where it is one, and what it replaces by what."""

    text: str
    equation: Equation | None = None
    replaces: tuple[tuple[Formula, Formula], ...] = ()


@dataclass(frozen=True)
class Model:
    """A network ready to be differentiated.

    ``sizes`` are n_0, ..., n_L; ``layers`` the layers that were asked for, ``blocks`` their equations; penalties are
    coefficients of the squared (``l2``) and absolute (``l1``) weights, None where there is none; ``reserved`` are
    letters that no index may have.
    """

    frame: Frame
    sizes: tuple[Size, ...]
    layers: tuple[Layer, ...]
    loss: Loss
    l2: sympy.Expr | None = None
    l1: sympy.Expr | None = None
    any_labels: bool = False
    reserved: frozenset[str] = frozenset()

    @cached_property
    def x(self) -> Symbol:
        return self.frame.data("x", self.sizes[0])

    @cached_property
    def y(self) -> Symbol:
        return self.frame.data("y", self.sizes[-1])

    @cached_property
    def cost(self) -> Symbol:
        return Symbol("J")

    @cached_property
    def blocks(self) -> tuple[LayerEquations, ...]:
        entering, found = self.x, []
        for number, (layer, inputs) in enumerate(zip(self.layers, self.sizes, strict=False), start=1):
            block = layer.equations(sympy.Integer(number), entering, inputs, self.frame)
            found.append(block)
            entering = block.output
        return tuple(found)

    @cached_property
    def prediction(self) -> Symbol:
        return self.blocks[-1].output

    @cached_property
    def assignments(self) -> tuple[Assignment, ...]:
        """Every forward equation, the cost last."""
        forward = [assignment for block in self.blocks for assignment in block.assignments]
        rules = [(self.prediction, "derivative of the loss")]
        if self.l1 is not None or self.l2 is not None:
            rules += [(weights, "derivative of the penalty") for block in self.blocks for weights in block.weights]
        return (*forward, Assignment(self.cost, self._cost_formula(), tuple(rules)))

    @cached_property
    def affine(self) -> tuple[Assignment, ...]:
        """The equations of the pre-activations."""
        return tuple(block.assignments[0] for block in self.blocks)

    @cached_property
    def parameters(self) -> tuple[Symbol, ...]:
        """W1, b1, W2, b2, ..."""
        return tuple(p for block in self.blocks for p in (*block.weights, *block.biases))

    @cached_property
    def errors(self) -> dict[Symbol, Symbol]:
        """The name of dJ/dZ_l for each Z_l."""
        return {array: name for block in self.blocks for array, name in block.errors}

    @cached_property
    def symbols(self) -> dict[str, Symbol]:
        """Every named array by its Python name."""
        named = [self.x, self.y, *self.parameters, *(a.symbol for a in self.assignments), *self.errors.values()]
        return {symbol.name: symbol for symbol in named}

    @cached_property
    def taken(self) -> frozenset[str]:
        """Names that an index must not have: sizes and rates."""
        exprs = [*self.sizes, self.frame.samples, self.l1, self.l2]
        parameters = [*self.loss.constants, *(p for layer in self.layers for p in layer.activation.constants)]
        symbols = {str(s) for e in exprs if e is not None for s in e.free_symbols}
        return frozenset(symbols | {name for name, _ in parameters} | self.reserved)

    @cached_property
    def scalars(self) -> frozenset[str]:
        """The names of everything that is a number and no array."""
        return self.taken - self.reserved

    def sample_loss(self, prediction: Formula, target: Formula) -> Formula:
        """The term of the loss, entry by entry; for an opaque loss its value for each sample."""
        if self.loss.term is None:
            return f.OpaqueLoss("C", prediction, target, self.frame.unit_axis)
        assert isinstance(self.loss.term, Formula)
        term = f.substitute(self.loss.term, {PREDICTION: prediction, TARGET: target})
        return f.rewrite(term, lambda u: replace(u, axis=self.frame.unit_axis) if isinstance(u, f.Softmax) else u)

    def _cost_formula(self) -> Formula:
        """The mean over the samples of the loss, plus penalties."""
        data: Formula = self.sample_loss(self.prediction, self.y)
        if any(size != ONE for size in (self.sizes[-1], self.frame.samples or ONE)):
            one_value = self.loss.term is None and self.frame.samples is None
            data = data if one_value else f.Total(data)
        penalty = self.penalty([w for block in self.blocks for w in block.weights])
        if penalty is None:
            return self._scaled(data)
        return f.Add((self._scaled(data), *(penalty.terms if isinstance(penalty, f.Add) else (penalty,))))

    def penalty(self, weights: Sequence[Symbol]) -> Formula | None:
        """lambda/2 (|W1|^2 + |W2|^2 + ...) + mu (|W1|_1 + ...) over some weights; None where there is no penalty."""
        terms: list[Formula] = []
        for rate, order in ((self.l2, 2), (self.l1, 1)):
            if rate is None:
                continue
            norms = [f.Norm(w, order, order) for w in weights]
            total = norms[0] if len(norms) == 1 else f.Add(tuple(norms))
            symbolic = order == 2 and not rate.is_number
            factor = f.Quotient(scalar(rate), f.formula(2)) if symbolic else scalar(rate / order)
            terms.append(f.Product((factor, total)))
        return None if not terms else terms[0] if len(terms) == 1 else f.Add(tuple(terms))

    def _scaled(self, data: Formula) -> Formula:
        """Data times the loss's coefficient over m: -(1/m) u, 1/(2 m) u."""
        size = abs(self.loss.coefficient)
        bottom: list[Formula] = [f.formula(v) for v in (size.denominator,) if v != 1]
        if self.frame.samples is not None and self.frame.samples != ONE:
            bottom.append(scalar(self.frame.samples))
        if self.loss.mean_over_outputs and self.sizes[-1] != ONE:
            bottom.append(scalar(self.sizes[-1]))
        top = f.formula(size.numerator)
        if bottom:
            below = bottom[0] if len(bottom) == 1 else f.Product(tuple(bottom))
            data = f.Product((f.Quotient(top, below), data))
        elif size != 1:
            data = f.Product((top, data))
        return f.Negative(data) if self.loss.coefficient < 0 else data

    @cached_property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What is granted for this network; a derivation lists those that it used."""
        return tuple(a for a in (self._labels(), self._domain(), self._kinks()) if a is not None)

    def _labels(self) -> Assumption | None:
        """The targets of each sample sum to 1."""
        if not self.loss.labels_sum_to_one or self.any_labels:
            return None
        units, axis = self.sizes[-1], self.frame.unit_axis
        samples = self.frame.samples or ONE
        ones = f.Ones((ONE, units)) if axis == 0 else f.Ones((units, ONE))
        total = f.Product((ones, self.y) if axis == 0 else (self.y, ones))
        result = f.Ones((ONE, samples) if axis == 0 else (samples, ONE)) if samples != ONE else f.formula(1)
        return Assumption("the targets of each sample sum to 1", Equation((total, result)), ((total, result),))

    def _domain(self) -> Assumption | None:
        """The predictions lie where the loss is defined, unless the activation sees to that."""
        activation, low, high = self.layers[-1].activation, self.loss.above, self.loss.below
        low_ok = low is None or activation.low >= low
        high_ok = high is None or activation.high <= high
        if low_ok and high_ok:
            return None
        bound = "between 0 and 1" if high is not None else "above 0"
        return Assumption(f"every prediction lies {bound}, where the loss is defined")

    def _kinks(self) -> Assumption | None:
        kinked = sorted({layer.activation.name for layer in self.layers if layer.activation.kinks})
        if not kinked and self.l1 is None and not self.loss.kinks:
            return None
        parts = [f"no pre-activation lies at a kink of {', '.join(kinked)}"] if kinked else []
        parts += ["no weight is 0, where its absolute value has a kink"] if self.l1 is not None else []
        parts += [self.loss.kinks] if self.loss.kinks else []
        return Assumption(" and ".join(parts))

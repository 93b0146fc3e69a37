"""Layers: each emits its forward equations for a layer number, which may be symbolic. Nothing above knows its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import sympy

from symbackprop.algebra.formula import Formula, Size, Symbol
from symbackprop.model.activations import Activation
from symbackprop.model.frame import Frame


@dataclass(frozen=True)
class Assignment:
    """A forward equation: ``symbol`` is defined as ``formula``.

    ``rules`` name the step that differentiates it by an array, where the rule of the formula's node would not say it
    as a lecturer does.
    """

    symbol: Symbol
    formula: Formula
    rules: tuple[tuple[Symbol, str], ...] = ()

    def rule(self, wrt: Symbol) -> str | None:
        return next((name for symbol, name in self.rules if symbol == wrt), None)


@dataclass(frozen=True)
class LayerEquations:
    """What a layer computes, in order. ``errors`` pairs each array whose gradient has a name with that name."""

    assignments: tuple[Assignment, ...]
    weights: tuple[Symbol, ...]
    biases: tuple[Symbol, ...]
    errors: tuple[tuple[Symbol, Symbol], ...]
    output: Symbol


class Layer(Protocol):
    """A layer of known size: all that a network asks of it."""

    @property
    def size(self) -> Size: ...

    @property
    def activation(self) -> Activation: ...

    @property
    def bias(self) -> bool: ...

    def like(self, size: Size, activation: Activation, bias: bool) -> Layer:
        """A layer of the same kind."""
        ...

    def equations(self, number: sympy.Expr, entering: Symbol, inputs: Size, frame: Frame) -> LayerEquations: ...


@dataclass(frozen=True)
class DenseLayer:
    """z = W a + b, then the activation."""

    size: Size
    activation: Activation
    bias: bool = True

    def like(self, size: Size, activation: Activation, bias: bool) -> DenseLayer:
        return DenseLayer(size, activation, bias)

    def equations(self, number: sympy.Expr, entering: Symbol, inputs: Size, frame: Frame) -> LayerEquations:
        weights = frame.weights(self.size, inputs, number)
        bias = frame.bias(self.size, number) if self.bias else None
        z, a, delta = (frame.data(letter, self.size, number) for letter in ("z", "a", "delta"))
        return LayerEquations(
            (
                Assignment(z, frame.affine(weights, entering, bias)),
                Assignment(a, self.activation.apply(z, frame.unit_axis)),
            ),
            (weights,),
            (bias,) if bias else (),
            ((z, delta),),
            a,
        )

"""The frame of a network: one example or a batch, where samples lie, how weights are laid. It shapes every array."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Formula, Size, Symbol


@dataclass(frozen=True)
class Frame:
    """``samples`` is the batch size, None for one example; one example is always a column.

    ``rows``: each sample is a row of X. ``in_by_out``: weights have a row an input (z = W^T a + b, Z = A W + 1 b^T).
    """

    samples: Size | None = None
    rows: bool = False
    in_by_out: bool = False

    @property
    def unit_axis(self) -> int:
        """The axis along which the units of one sample lie."""
        return 1 if self.rows and self.samples is not None else 0

    def data(self, letter: str, units: Size, layer: sympy.Expr | None = None) -> Symbol:
        """An array with one vector a sample: x, z1, delta1 for one example; X, Z1, Delta1 for a batch."""
        if self.samples is None:
            return Symbol(letter, (units, ONE), layer)
        shape = (self.samples, units) if self.rows else (units, self.samples)
        return Symbol(letter[0].upper() + letter[1:], shape, layer)

    def weights(self, units: Size, inputs: Size, layer: sympy.Expr) -> Symbol:
        return Symbol("W", (inputs, units) if self.in_by_out else (units, inputs), layer)

    def bias(self, units: Size, layer: sympy.Expr) -> Symbol:
        return Symbol("b", (units, ONE), layer)

    def affine(self, weights: Symbol, entering: Symbol, bias: Symbol | None) -> Formula:
        """W a + b in this frame's layout: W A + b 1^T, or A W^T + 1 b^T with samples as rows."""
        if self.unit_axis == 1:
            linear = entering @ (weights if self.in_by_out else weights.T)
        else:
            linear = (weights.T if self.in_by_out else weights) @ entering
        if bias is None:
            return linear
        if self.samples is None:
            return linear + bias
        if self.unit_axis == 1:
            return linear + f.Ones((self.samples, ONE)) @ bias.T
        return linear + bias @ f.Ones((ONE, self.samples))

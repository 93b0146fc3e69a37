"""The activations, one entry each: a scalar definition and what cannot be derived from it.

``rate`` is the derivative in the output a (or, where there is no such form, absent): a claim, which
tests/laws/test_activations.py verifies against the definition. The derivative itself is always derived.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Function

_z = Function.argument
_a = f.Symbol("a")


@dataclass(frozen=True)
class Kink:
    """A point where the derivative jumps, and the value that is taken there."""

    at: sympy.Expr
    rate: sympy.Expr


@dataclass(frozen=True)
class Activation:
    """An activation a = f(z), applied to every unit, or over all units of a sample (softmax).

    ``latex`` is the name in print, ``written`` the definition in LaTeX with z for the argument, ``definition`` the
    same in SymPy; None for an opaque function. The output lies strictly between ``low`` and ``high``.
    """

    name: str
    latex: str
    definition: sympy.Expr | None = None
    written: str = ""
    rate: Formula | None = None
    kinks: tuple[Kink, ...] = ()
    low: sympy.Expr = -sympy.oo
    high: sympy.Expr = sympy.oo
    over_units: bool = False

    @property
    def function(self) -> Function:
        """The scalar function that a ``Map`` applies; an opaque one is called sigma."""
        return Function("sigma" if self.definition is None else self.name, self.latex, self.definition)

    def apply(self, z: Formula, unit_axis: int) -> Formula:
        """The forward equation a = f(z); units lie along ``unit_axis``."""
        if self.over_units:
            return f.Softmax(z, unit_axis)
        return z if self.definition == _z else f.Map(self.function, z)


ACTIVATIONS: dict[str, Activation] = {
    entry.name: entry
    for entry in (
        Activation("identity", r"\mathrm{id}", definition=_z, written="z"),
        Activation(
            "sigmoid",
            r"\sigma",
            definition=1 / (1 + sympy.exp(-_z)),
            written=r"\frac{1}{1 + e^{-z}}",
            rate=_a * (1 - _a),
            low=sympy.S.Zero,
            high=sympy.S.One,
        ),
        Activation(
            "tanh",
            r"\tanh",
            definition=sympy.tanh(_z),
            written=r"\frac{e^{z} - e^{-z}}{e^{z} + e^{-z}}",
            rate=1 - _a**2,
            low=-sympy.S.One,
            high=sympy.S.One,
        ),
        Activation(
            "relu",
            r"\mathrm{relu}",
            definition=sympy.Piecewise((_z, _z > 0), (0, True)),
            written=r"\max(0, z)",
            kinks=(Kink(sympy.S.Zero, sympy.S.Zero),),
        ),
        Activation(
            "softmax",
            r"\mathrm{softmax}",
            over_units=True,
            low=sympy.S.Zero,
            high=sympy.S.One,
        ),
        Activation("generic", r"\sigma"),
    )
}

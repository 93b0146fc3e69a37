"""The activations, one entry each: a scalar definition and what cannot be derived from it.

``rate`` is the derivative in the output a (or, where there is no such form, absent): a claim, which
tests/laws/test_activations.py verifies against the definition. The derivative itself is always derived.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Function
from symbackprop.algebra.sympy_border import to_sympy
from symbackprop.errors import NetworkError
from symbackprop.notation.definition import read_definition

_z = Function.argument
_a = f.Symbol("a")

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}")


@dataclass(frozen=True)
class Kink:
    """A point where the derivative jumps, and the value that is taken there."""

    at: sympy.Expr
    rate: sympy.Expr


@dataclass(frozen=True)
class Activation:
    r"""An activation a = f(z), applied to every unit, or over all units of a sample (softmax).

    ``definition`` is f(z) as a SymPy expression in one symbol, or as scalar LaTeX in z; None for an opaque function.
    ``latex`` is the name in print, ``written`` the definition in LaTeX. The output lies strictly between ``low`` and
    ``high``. Raises NotationError where LaTeX cannot be read, NetworkError where the name or the definition is no
    scalar function of z.

    >>> Activation("swish", r"\frac{z}{1 + e^{-z}}").definition
    z/(1 + exp(-z))
    """

    name: str
    definition: sympy.Expr | str | None = None
    latex: str = ""
    written: str = ""
    rate: Formula | None = None
    kinks: tuple[Kink, ...] = ()
    low: sympy.Expr = -sympy.oo
    high: sympy.Expr = sympy.oo
    over_units: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise NetworkError(
                f"the activation's name {self.name!r} must be letters, digits and underscores, like swish"
            )
        if not self.latex:
            shown = self.name.replace("_", r"\_")
            object.__setattr__(self, "latex", rf"\operatorname{{{shown}}}")
        if isinstance(self.definition, str):
            object.__setattr__(self, "written", self.definition)
            object.__setattr__(self, "definition", to_sympy(read_definition(self.definition, {"z": f.Scalar("z")})))
        if self.definition is not None:
            object.__setattr__(self, "definition", _in_z(self.definition, self.name))

    @property
    def function(self) -> Function:
        """The scalar function that a ``Map`` applies; an opaque one is called sigma."""
        return Function("sigma" if self.definition is None else self.name, self.latex, self.definition)

    def apply(self, z: Formula, unit_axis: int) -> Formula:
        """The forward equation a = f(z); units lie along ``unit_axis``."""
        if self.over_units:
            return f.Softmax(z, unit_axis)
        return z if self.definition == _z else f.Map(self.function, z)


def _in_z(definition: object, name: str) -> sympy.Expr:
    """A scalar expression in one symbol, whatever its name, as one in ``Function.argument``."""
    if not isinstance(definition, sympy.Expr) or isinstance(definition, sympy.MatrixExpr):
        raise NetworkError(f"{name} must be a scalar expression in z, not {type(definition).__name__}")
    found = definition.free_symbols
    if len(found) > 1:
        names = ", ".join(sorted(map(str, found)))
        raise NetworkError(f"{name} has the symbols {names}: an activation is a function of z alone")
    return definition.xreplace(dict.fromkeys(found, _z))


ACTIVATIONS: dict[str, Activation] = {
    entry.name: entry
    for entry in (
        Activation("identity", _z, written="z"),
        Activation(
            "sigmoid",
            latex=r"\sigma",
            definition=1 / (1 + sympy.exp(-_z)),
            written=r"\frac{1}{1 + e^{-z}}",
            rate=_a * (1 - _a),
            low=sympy.S.Zero,
            high=sympy.S.One,
        ),
        Activation(
            "tanh",
            latex=r"\tanh",
            definition=sympy.tanh(_z),
            written=r"\frac{e^{z} - e^{-z}}{e^{z} + e^{-z}}",
            rate=1 - _a**2,
            low=-sympy.S.One,
            high=sympy.S.One,
        ),
        Activation(
            "relu",
            definition=sympy.Piecewise((_z, _z > 0), (0, True)),
            written=r"\max(0, z)",
            kinks=(Kink(sympy.S.Zero, sympy.S.Zero),),
        ),
        Activation(
            "softmax",
            over_units=True,
            low=sympy.S.Zero,
            high=sympy.S.One,
        ),
        Activation("generic", latex=r"\sigma"),
    )
}

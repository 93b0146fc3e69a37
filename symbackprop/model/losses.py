"""The losses, one entry each: what one sample costs, as it is written, summed over its outputs.

A loss is ``coefficient`` times the sum over the outputs of ``term``, a scalar formula in the prediction ``a`` and the
target ``y``, or the same in SymPy or LaTeX. With a batch the cost J is the mean over the samples, without one it is
the loss itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula
from symbackprop.algebra.functions import log
from symbackprop.algebra.sympy_border import from_sympy
from symbackprop.errors import NetworkError
from symbackprop.notation.definition import read_definition

PREDICTION = f.Symbol("a")
TARGET = f.Symbol("y")

_a, _y = PREDICTION, TARGET

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}")


@dataclass(frozen=True)
class Loss:
    """A loss by its scalar term; ``term`` is None for an opaque C(a, y), which need not be a sum over the outputs.

    It is defined for predictions above ``above`` and below ``below``; ``labels_sum_to_one``: its targets are a
    distribution over the outputs. Raises NotationError where LaTeX cannot be read, NetworkError where the name or the
    term is no scalar function of a and y.
    """

    name: str
    term: Formula | sympy.Expr | str | None = None
    coefficient: Fraction = Fraction(1)
    above: int | None = None
    below: int | None = None
    labels_sum_to_one: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise NetworkError(f"the loss's name {self.name!r} must be letters, digits and underscores, like my_loss")
        if isinstance(self.term, str):
            object.__setattr__(self, "term", read_definition(self.term, {"a": PREDICTION, "y": TARGET}))
        elif isinstance(self.term, sympy.Expr):
            object.__setattr__(self, "term", from_sympy(self.term, {"a": PREDICTION, "y": TARGET}))
        if isinstance(self.term, Formula):
            strangers = sorted({u.name for u in f.walk(self.term) if isinstance(u, f.Scalar)} - {"pi"})
            if strangers:
                raise NetworkError(
                    f"{self.name} has the symbols {', '.join(strangers)}: a loss is a function of a and y"
                )


LOSSES: dict[str, Loss] = {
    entry.name: entry
    for entry in (
        Loss("squared_error", (_a - _y) ** 2),
        Loss("half_squared_error", (_a - _y) ** 2, coefficient=Fraction(1, 2)),
        Loss(
            "binary_cross_entropy",
            _y * log(_a) + (1 - _y) * log(1 - _a),
            coefficient=Fraction(-1),
            above=0,
            below=1,
        ),
        Loss("cross_entropy", _y * log(_a), coefficient=Fraction(-1), above=0, labels_sum_to_one=True),
        Loss("generic"),
    )
}

"""The losses, one entry each: what one sample costs, as it is written, summed over its outputs.

A loss is ``coefficient`` times the sum over the outputs of ``term``, a scalar formula in the prediction ``a`` and the
target ``y``. With a batch the cost J is the mean over the samples, without one it is the loss itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula
from symbackprop.algebra.functions import log

PREDICTION = f.Symbol("a")
TARGET = f.Symbol("y")

_a, _y = PREDICTION, TARGET


@dataclass(frozen=True)
class Loss:
    """A loss by its scalar term; ``term`` is None for an opaque C(a, y), which need not be a sum over the outputs.

    ``domain`` says in LaTeX what predictions it is defined for, ``above`` and ``below`` are its bounds there;
    ``labels_sum_to_one``: its targets are a distribution over the outputs.
    """

    name: str
    coefficient: Fraction = Fraction(1)
    term: Formula | None = None
    above: int | None = None
    below: int | None = None
    labels_sum_to_one: bool = False


LOSSES: dict[str, Loss] = {
    entry.name: entry
    for entry in (
        Loss("squared_error", term=(_a - _y) ** 2),
        Loss("half_squared_error", coefficient=Fraction(1, 2), term=(_a - _y) ** 2),
        Loss(
            "binary_cross_entropy",
            coefficient=Fraction(-1),
            term=_y * log(_a) + (1 - _y) * log(1 - _a),
            above=0,
            below=1,
        ),
        Loss("cross_entropy", coefficient=Fraction(-1), term=_y * log(_a), above=0, labels_sum_to_one=True),
        Loss("generic"),
    )
}

"""A scalar definition in LaTeX, read by our reader and, where latex2sympy2 is installed, by that too."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.algebra.formula import Formula
from symbackprop.notation.scalar_reader import read_scalar
from symbackprop.notation.second_reading import check_second_reading


def read_definition(text: str, symbols: Mapping[str, Formula]) -> Formula:
    """The formula; raises NotationError where it cannot be read, or where the two readings differ."""
    formula = read_scalar(text, symbols)
    check_second_reading(text, formula, symbols)
    return formula

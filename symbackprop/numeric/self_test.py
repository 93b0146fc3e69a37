"""What self-tests of exported modules share: sizes that are generic, and targets that the loss takes."""

from __future__ import annotations

from itertools import count

import sympy

from symbackprop.numeric.program import Program


def example_sizes(program: Program) -> dict[sympy.Symbol, int]:
    """A number for each symbolic size, all different, none 1: small and rectangular."""
    model = program.derived.model
    given = {int(n) for n in (*model.sizes, model.frame.samples) if n is not None and n.is_Integer}
    free = (n for n in count(3) if n not in given)
    return {size: next(free) for size in program.sizes}


def target_kind(program: Program) -> str:
    """ "numbers", "signs", "classes" or "fractions": the targets of the loss."""
    loss = program.derived.model.loss
    if loss.labels_sum_to_one:
        return "classes"
    if "hinge" in loss.name:
        return "signs"
    if loss.above is not None or loss.one_by_one or loss.partial:
        return "fractions"
    return "numbers"

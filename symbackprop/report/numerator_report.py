"""The section on numerator layout: the chain of Jacobians as rows, where the notation asks for it."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.calculus.numerator import jacobian_chain, local_jacobians
from symbackprop.report.document import Block, Boxed, Display, Math, Paragraph, Section, few
from symbackprop.report.subject import Subject


def numerator_blocks(subject: Subject) -> Iterator[Block]:
    """Empty unless the notation's layout is "numerator"; raises Unsupported for a batch."""
    derived, w = subject.derived, subject.writer
    if w.notation.layout != "numerator":
        return
    yield Section("In numerator layout")
    yield Paragraph(
        (
            "Here the derivative of the cost by a column is a row, and the chain is a product from left to right. "
            "Each layer adds two Jacobians:",
        )
    )
    for layer in range(len(derived.model.blocks) - 1):
        local = local_jacobians(derived, layer)
        if local:
            yield Display(r",\qquad ".join(w.equation(equation) for equation in local))
    yield Paragraph(("So the errors, as rows:",))
    yield Boxed(tuple(few([w.chain(equation) for equation in jacobian_chain(derived)])))
    weights = derived.model.blocks[-1].weights[0]
    affine = next(step for step in derived.steps if step.wrt == weights and step.through in derived.model.affine)
    assert affine.why is not None
    yield Paragraph(
        (
            "A weight moves one pre-activation only: ",
            Math(w.equation(affine.why.equations[1])),
            ", so the column of Jacobians by one weight is a unit vector times an activation. The gradient by a matrix "
            "has the shape of the matrix in both layouts.",
        )
    )

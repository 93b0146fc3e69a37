"""What the notes say: their own formula beside the derived one, and whether the two are the same."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Equation, Formula
from symbackprop.algebra.meaning import meaning
from symbackprop.algebra.shape import shape, show
from symbackprop.calculus.closed_form import close
from symbackprop.calculus.derive import rates_known
from symbackprop.calculus.derived import Derived
from symbackprop.calculus.expand import expanded
from symbackprop.calculus.normal import normal
from symbackprop.errors import ShapeMismatch, Unsupported
from symbackprop.model.notes import Note
from symbackprop.notation.latex import aligned
from symbackprop.numeric.point import differ
from symbackprop.report.document import Block, Display, Paragraph, Section
from symbackprop.report.subject import Subject

SPREADS = (1.0, 1.0, 0.5, 2.0, 4.0, 1.0, 3.0, 8.0)  # the scale of the pre-activations at each point tried


class Outcome(Enum):
    """What is known of a note, and what the report says of it."""

    SAME = "The same formula."
    EQUAL = "Equal, for all sizes: both have the same normal form."
    DIFFERS = "Not what is derived: at generic numbers the two have different values."
    MISSHAPEN = "Not what is derived: as it is written it does not conform"
    UNDECIDED = "Not compared"
    AGREES = "The two agree at generic numbers; that they are equal is not proved here."


def notes_blocks(subject: Subject) -> Iterator[Block]:
    """The section of a report, empty where there are no notes."""
    derived, notes, w = subject.derived, subject.notes, subject.writer
    if not notes:
        return
    yield Section("What the notes say")
    yield Paragraph(("Each formula as the notes have it, beside what was derived above.",))
    for note in notes:
        truth = _truth(derived, note)
        name: Formula = (
            f.Derivative(derived.model.cost, note.symbol) if note.is_gradient(derived.model) else note.symbol
        )
        lines = [rf"\text{{notes:}}\quad & {w.equation(Equation((name, note.says)))}"]
        lines.append(rf"\text{{derived:}}\quad & {w.equation(Equation((name, truth)))}")
        yield Display(aligned(lines))
        outcome, detail = judge(derived, note)
        yield Paragraph((outcome.value + (f": {detail}." if detail else ""),))


def _truth(derived: Derived, note: Note) -> Formula:
    if note.is_gradient(derived.model):
        return derived.formula(note.symbol.name)
    return derived.defining_formulas[note.symbol]


def judge(derived: Derived, note: Note) -> tuple[Outcome, str]:
    """What is known of a note. Equality is structural or that of normal forms; a difference is one of values."""
    truth = _truth(derived, note)
    try:
        claimed = shape(note.says)
        if claimed != shape(truth):
            return Outcome.MISSHAPEN, f"its shape is {show(claimed)}, not {show(shape(truth))}"
        left, right = (_unfolded(derived, u) for u in (note.says, truth))
        if note.says == truth or left == right:
            return Outcome.SAME, ""
        different = _different(derived, note.says, truth)
    except ShapeMismatch as error:
        return Outcome.MISSHAPEN, str(error)
    except Unsupported as error:
        return Outcome.UNDECIDED, str(error)
    if different:
        return Outcome.DIFFERS, ""
    if _equal_normal_forms(left, right):
        return Outcome.EQUAL, ""
    if different is None:
        return Outcome.UNDECIDED, "at no point that was tried do both have a value"
    return Outcome.AGREES, ""


def _different(derived: Derived, left: Formula, right: Formula) -> bool | None:
    """Whether the values differ at a generic point; None where no point gives both a value.

    Points have other sizes, rates and scales, so that both sides of every kink are met.
    """
    known = False
    for seed, spread in enumerate(SPREADS):
        found = differ(derived, left, right, seed, spread)
        if found:
            return True
        known = known or found is False
    return False if known else None


def _unfolded(derived: Derived, formula: Formula) -> Formula:
    """Errors put in, f(z) by the name of the output, f'(z) by its form in it: what two ways of writing share."""
    formula = expanded(formula, derived.backward.errors, {})
    for block in derived.model.blocks:
        z, a = (assignment for assignment in block.assignments)
        formula = f.substitute(formula, {a.formula: a.symbol})
        formula = rates_known(formula, a, z.symbol)
    return close(formula)


def _named_map(node: Formula) -> Formula:
    """sigma'(z) as an array of its own: equal forms in such arrays are equal whatever the function is."""
    if isinstance(node, f.Map) and isinstance(node.arg, f.Symbol):
        return f.Symbol(f"{node.function.name}({node.order}) of {node.arg.name}", node.arg.shape)
    return node


def _equal_normal_forms(left: Formula, right: Formula) -> bool:
    """Whether the entries at the same indices have one normal form; False also where there is none."""
    at = [
        f.ONE if size == f.ONE else sympy.Symbol(name)
        for size, name in zip(shape(left), ("row", "column"), strict=True)
    ]
    left, right = (f.rewrite(u, _named_map) for u in (left, right))
    try:
        return bool(normal(meaning(left, at).body) == normal(meaning(right, at).body))
    except Unsupported:
        return False

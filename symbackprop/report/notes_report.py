"""What the notes say: their own formula beside the derived one, and the verdict on it."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Equation, Formula
from symbackprop.calculus.derived import Derived
from symbackprop.model.notes import Note
from symbackprop.notation.latex import aligned
from symbackprop.proof.prover import Prover
from symbackprop.proof.setting import of_network
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Counterexample, Verdict
from symbackprop.report.document import Block, Display, Inline, Math, Paragraph, Section
from symbackprop.report.subject import Subject


def notes_blocks(subject: Subject) -> Iterator[Block]:
    """The section of a report, empty where there are no notes."""
    if not subject.notes:
        return
    w, prover = subject.writer, Prover(of_network(subject.derived))
    yield Section("What the notes say")
    yield Paragraph(("Each formula as the notes have it, beside what was derived above.",))
    for note in subject.notes:
        truth = _truth(subject.derived, note)
        lines = [rf"\text{{notes:}}\quad & {w.equation(Equation((note.subject, note.says)))}"]
        lines.append(rf"\text{{derived:}}\quad & {w.equation(Equation((note.subject, truth)))}")
        yield Display(aligned(lines))
        verdict = prover.judge(note.subject, note.says)
        yield Paragraph((sentence(verdict, note.says == truth),))
        if verdict.counterexample is not None:
            yield Paragraph(_example(verdict.counterexample, subject))


def _truth(derived: Derived, note: Note) -> Formula:
    if isinstance(note.subject, f.Symbol):
        return derived.defining_formulas[note.subject]
    assert isinstance(note.subject, f.Derivative)
    assert isinstance(note.subject.wrt, f.Symbol)
    return derived.backward.values[note.subject.wrt]


def sentence(verdict: Verdict, same: bool) -> str:
    """What a report says of a verdict."""
    match verdict.status:
        case Status.PROVED if same:
            return "The same formula."
        case Status.PROVED:
            where = "for all sizes" if verdict.scope == "all sizes" else f"for {verdict.scope}"
            return f"Proved equal, {where}."
        case Status.REFUTED:
            return f"Not what is derived ({verdict.code}): {verdict.message}."
        case Status.CONSISTENT:
            return f"Not decided: {verdict.message}."
    return f"Not compared: {verdict.message}."


def _example(example: Counterexample, subject: Subject) -> Inline:
    """The smallest facts of a counterexample: the sizes, the entry and both values."""
    numbers = {**example.sizes, **example.rates}
    sizes = r",\ ".join(f"{subject.writer(f.Scalar(name))} = {value}" for name, value in numbers.items())
    at = "" if not example.entry else f" at entry {example.entry if len(example.entry) > 1 else example.entry[0]}"
    with_sizes: Inline = (" with ", Math(sizes)) if sizes else ()
    if example.stand_ins:
        said = " and ".join(f"{name} = {meaning}" for name, meaning in example.stand_ins.items())
        with_sizes = (*with_sizes, f" with {said}")
    return (
        "In a small network",
        *with_sizes,
        f"{at} the notes give ",
        Math(example.claimed),
        "; right is ",
        Math(example.true),
        ".",
    )

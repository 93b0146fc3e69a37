"""The subject of a report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from symbackprop.calculus.derived import Derived
from symbackprop.model.notes import Note
from symbackprop.notation.latex import LatexWriter
from symbackprop.proof.steps import Proofs, prove


@dataclass(frozen=True)
class Subject:
    """What a report is about: what was derived, the notation to write it in, a title and notes where given."""

    derived: Derived
    writer: LatexWriter
    title: str = ""
    notes: tuple[Note, ...] = ()

    @cached_property
    def proofs(self) -> Proofs:
        """What is proved of each step."""
        return prove(self.derived)

"""Verdicts made of verdicts: the worst of several, with what was said of the reading, right under a condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.errors import NotationError, Position
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import WORST_FIRST, Verdict, chain


def joined(found: list[Verdict]) -> Verdict:
    worst = min(found, key=lambda v: WORST_FIRST.index(v.status))
    return replace(worst, assumptions=tuple(dict.fromkeys(text for v in found for text in v.assumptions)))


def with_notes(verdict: Verdict, said: Sequence[str]) -> Verdict:
    if not said:
        return verdict
    text = "read so: " + "; ".join(dict.fromkeys(said))
    return replace(verdict, hint=f"{verdict.hint}; {text}" if verdict.hint else text)


def unread(error: NotationError, at: Position) -> Verdict:
    start = error.position or at
    return Verdict(Status.UNREAD, error.message, error.code, span=(start, error.end or start))


def right_if(message: str, found: Verdict) -> Verdict:
    """The verdict on a formula that is right under something that is not declared."""
    links = [
        u if u.status is Status.PROVED else Verdict(Status.REFUTED, message, "SBP319", span=u.span)
        for u in found.links or (found,)
    ]
    return chain(tuple(links))

"""What a gradient check found: a verdict, a table with one row a parameter, and the ladders that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from symbackprop.proof.status import Status

AGREES, DISAGREES = 1.0, 10.0  # of the error estimate


@dataclass(frozen=True)
class Finding:
    """A claimed derivative along one direction beside its estimate.

    ``parameters`` are those that move, ``label`` says how; ``claim`` and ``estimate`` are derivatives along a direction
    of length 1. ``error`` is their distance, ``estimated_error`` what finite differences and the claim's own rounding
    explain of it, ``size`` that of a typical derivative in such a direction. ``kink`` holds the one-sided derivatives
    where the two differ. ``steps``, ``differences`` and ``floors`` are the ladder.
    """

    label: str
    parameters: tuple[str, ...]
    claim: float
    estimate: float
    error: float
    estimated_error: float
    size: float
    kink: tuple[float, float] | None = None
    steps: tuple[float, ...] = ()
    differences: tuple[float, ...] = ()
    floors: tuple[float, ...] = ()

    @property
    def ratio(self) -> float:
        """The error in units of its estimate."""
        if self.error == 0:
            return 0.0
        return self.error / self.estimated_error if self.estimated_error > 0 else np.inf

    @property
    def status(self) -> Status:
        """|claim - estimate| <= e agrees, > 10 e disagrees; between the two, or with e too large, it is open.

        At a kink nothing is refuted: where several meet, backpropagation gives values that are not between the
        one-sided derivatives.
        """
        if self.ratio > DISAGREES:
            return Status.REFUTED if self.kink is None else Status.UNDECIDED
        return Status.CONSISTENT if self.ratio <= AGREES and not self.vague else Status.UNDECIDED

    @property
    def vague(self) -> bool:
        """Whether the error estimate is so large that agreement says nothing."""
        return not self.estimated_error <= self.size / 100


@dataclass(frozen=True)
class Row:
    """One parameter: the direction that says most, and the worst of the entries that were looked at.

    ``error`` and ``estimated_error`` are those of ``direction``. ``index`` counts from 0, as NumPy does, and None where
    there is no entry; ``claim`` and ``estimate`` are the two values there, ``entry_error`` what explains a difference
    between them. ``looked_at`` of ``entries`` entries were looked at one by one.
    """

    parameter: str
    status: Status
    error: float
    estimated_error: float
    direction: str
    index: tuple[int, ...] | None
    claim: float
    estimate: float
    entry_error: float
    looked_at: int
    entries: int
    size: float

    @property
    def relative_error(self) -> float:
        """The error over the size of the claimed gradient."""
        return self.error / self.size if self.size > 0 else (np.inf if self.error > 0 else 0.0)


COLUMNS = ("parameter", "status", "error", "estimated error", "worst index", "claimed there", "estimated there")


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """The result of a gradient check; ``print`` shows the table.

    ``status`` is CONSISTENT, REFUTED or UNDECIDED, ``reason`` the reason in words, ``table`` a ``Row`` for each
    parameter by name. ``findings`` are all directions that were tried, ``notes`` what a reader should know: kinks that
    were met, where the error estimate comes from. ``maps`` hold claim minus estimate, entry by entry or block by block,
    of parameters that are wrong.
    """

    status: Status
    reason: str
    table: Mapping[str, Row]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    seed: int = 0
    maps: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __bool__(self) -> NoReturn:
        raise TypeError("a gradient check has three outcomes, not two: compare r.status with Status.CONSISTENT")

    def __str__(self) -> str:
        rows = [COLUMNS, *(_cells(row) for row in self.table.values())]
        widths = [max(len(cells[n]) for cells in rows) for n in range(len(COLUMNS))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) for cells in rows]
        return "\n".join([f"{self.status}: {self.reason}", *(line.rstrip() for line in lines), *self.notes])

    def __repr__(self) -> str:
        return f"<GradientCheck {self.status}: {self.reason}>"

    def _repr_html_(self) -> str:
        """The table, as a notebook shows it."""
        head = "".join(f"<th>{escape(name)}</th>" for name in COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(row)) + "</tr>"
            for row in self.table.values()
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        verdict = f"<p><b>{escape(str(self.status))}</b>: {escape(self.reason)}</p>"
        return f"{verdict}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"

    def plot(self, parameter: str | None = None) -> Any:
        """Error against step, and the map of claim minus estimate, for one parameter: a Matplotlib figure.

        Without ``parameter`` it is the worst one. Needs the extra ``plot``; raises Unsupported without it.
        """
        from symbackprop.numeric.check_plot import plot

        return plot(self, parameter)

    @property
    def worst(self) -> str:
        """The parameter whose error is largest in units of its estimate, the wrong ones first."""

        def rank(row: Row) -> tuple[bool, float]:
            return row.status is Status.REFUTED, row.error / row.estimated_error if row.estimated_error > 0 else 0.0

        return max(self.table.values(), key=rank).parameter


def _cells(row: Row) -> tuple[str, ...]:
    numbers = (f"{row.error:.1e}", f"{row.estimated_error:.1e}")
    if row.index is None:
        return (row.parameter, str(row.status), *numbers, "-", "-", "-")
    index = "[" + ", ".join(map(str, row.index)) + "]"
    return (row.parameter, str(row.status), *numbers, index, *_both(row.claim, row.estimate))


def _both(claim: float, estimate: float) -> tuple[str, str]:
    """Two numbers with as many digits as tell them apart, 6 at least."""
    for digits in range(6, 11):
        shown = f"{claim:.{digits}g}", f"{estimate:.{digits}g}"
        if shown[0] != shown[1] or claim == estimate:
            break
    return shown

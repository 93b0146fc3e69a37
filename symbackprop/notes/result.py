"""What came of a file of notes: one entry for each equality, the counts, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symbackprop.errors import Position
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Counterexample, Verdict

Row = dict[str, Any]
"""An entry in plain values, as JSON has it; every output format is made from rows."""

FAILED, TROUBLE, OPEN = 1, 2, 3


@dataclass(frozen=True)
class Entry:
    """The verdict of one equality, and where it stands: ``line`` and ``column`` are of the side that is claimed.

    ``latex`` is the equality as the source has it, ``source`` the lines it stands in. ``cell`` counts the cells of a
    notebook, where lines count in the cell. ``expected`` is the outcome that the notes ask for, None where they ask for
    none; ``met`` whether it came.
    """

    file: str
    span: tuple[Position, Position]
    latex: str
    verdict: Verdict
    source: tuple[str, ...] = ()
    cell: int | None = None
    expected: str | None = None
    met: bool = True

    @property
    def line(self) -> int:
        return self.span[0].line

    @property
    def column(self) -> int:
        return self.span[0].column

    @property
    def status(self) -> Status:
        return self.verdict.status

    @property
    def code(self) -> str | None:
        return self.verdict.code

    @property
    def message(self) -> str:
        return self.verdict.message

    @property
    def hint(self) -> str:
        return self.verdict.hint

    @property
    def counterexample(self) -> Counterexample | None:
        return self.verdict.counterexample

    @property
    def assumptions(self) -> tuple[str, ...]:
        return self.verdict.assumptions

    @property
    def scope(self) -> str:
        return self.verdict.scope

    @property
    def mistake(self) -> Any:
        return self.verdict.mistake

    @property
    def alternatives(self) -> tuple[Any, ...]:
        return self.verdict.alternatives

    def as_dict(self) -> Row:
        """The entry in plain values."""
        v = self.verdict
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "latex": self.latex,
            "status": v.status.value,
            "code": v.code,
            "message": v.message,
            "hint": v.hint,
            "mistake": _plain(v.mistake),
            "alternatives": [_plain(other) for other in v.alternatives],
            "counterexample": _numbers(v.counterexample) if v.counterexample else None,
            "assumptions": list(v.assumptions),
            "scope": v.scope,
            "end_line": self.span[1].line,
            "end_column": self.span[1].column,
            "cell": self.cell,
            "expected": self.expected,
            "met": self.met,
            "source": list(self.source),
        }


def _numbers(found: Counterexample) -> Row:
    """A counterexample as JSON has it; its script is empty where a function has no code."""
    try:
        return found.as_dict()
    except NotImplementedError:
        return replace(found, script=str).as_dict()


def _plain(mistake: Any) -> Any:
    """A mistake as JSON has it."""
    if mistake is None or isinstance(mistake, str):
        return mistake
    return {key: getattr(mistake, key, None) for key in ("code", "factor", "layer", "fix")}


@dataclass(frozen=True)
class NotesResult:
    """A file of notes, marked: ``verdicts`` has one entry for each equality, in order.

    ``passed_over`` counts formulas that claim no equality and formulas in running text, ``skipped`` those that the
    notes asked to skip. ``inferred`` says in words what the notes left undeclared and how it was read.
    """

    file: str
    verdicts: tuple[Entry, ...]
    passed_over: int = 0
    skipped: int = 0
    inferred: tuple[str, ...] = ()

    @property
    def summary(self) -> dict[str, int]:
        """How many equalities have which status, and the other counts."""
        return summary(self.rows(), self.passed_over, self.skipped)

    @property
    def exit_code(self) -> int:
        """0 all proved or as expected, 1 something refuted, 2 something not read, 3 something left open."""
        return exit_code(self.rows())

    def rows(self) -> list[Row]:
        return [entry.as_dict() for entry in self.verdicts]

    def as_dict(self) -> dict[str, Any]:
        """What ``--output-format json`` prints."""
        return plain(self.rows(), self.summary, self.inferred)


def plain(rows: Iterable[Row], counts: dict[str, int], inferred: Iterable[str] = ()) -> dict[str, Any]:
    """The object that JSON output is: rows without the lines of the source, the counts, and what was inferred."""
    verdicts = [{key: value for key, value in row.items() if key != "source"} for row in rows]
    return {"schema": 1, "verdicts": verdicts, "summary": counts, "inferred": list(inferred)}


def summary(rows: Sequence[Row], passed_over: int, skipped: int) -> dict[str, int]:
    counts = {status.value: sum(row["status"] == status.value for row in rows) for status in Status}
    expected = sum(row["expected"] is not None and row["met"] for row in rows)
    unmet = sum(not row["met"] for row in rows)
    return {**counts, "expected": expected, "unmet": unmet, "passed_over": passed_over, "skipped": skipped}


def fails(row: Row) -> int:
    """The exit code that a row asks for by itself; an outcome that was wanted asks for none.

    >>> fails({"status": "refuted", "expected": "refuted SBP301", "met": True})
    0
    """
    if not row["met"]:
        return FAILED
    if row["expected"] is not None or row["status"] in ("proved", "defined"):
        return 0
    return {"refuted": FAILED, "unread": TROUBLE}.get(row["status"], OPEN)


def exit_code(rows: Iterable[Row], errors: int = 0) -> int:
    """The worst of all, in the order 1, 2, 3."""
    codes = {fails(row) for row in rows} | ({TROUBLE} if errors else set())
    return next((code for code in (FAILED, TROUBLE, OPEN) if code in codes), 0)

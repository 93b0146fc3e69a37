"""What every output format tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.notes.result import Row, exit_code, fails, summary


@dataclass(frozen=True)
class Told:
    """The rows of all files in order, the errors that kept files from being judged, and what was passed over."""

    rows: Sequence[Row]
    errors: Sequence[str] = ()
    passed_over: int = 0
    skipped: int = 0
    inferred: Sequence[str] = ()

    @property
    def summary(self) -> dict[str, int]:
        return summary(self.rows, self.passed_over, self.skipped)

    @property
    def exit_code(self) -> int:
        return exit_code(self.rows, len(self.errors))

    @property
    def failing(self) -> list[Row]:
        """The rows that keep the exit code from being 0."""
        return [row for row in self.rows if fails(row)]


def place(row: Row) -> str:
    """``file:line:column``, with the cell where there are cells."""
    cell = f":cell {row['cell']}" if row["cell"] is not None else ""
    return f"{row['file']}{cell}:{row['line']}:{row['column']}"


def headline(row: Row) -> str:
    """The verdict in one line.

    >>> row = {"status": "refuted", "code": "SBP301", "message": "the sides differ", "expected": None, "met": True}
    >>> headline(row)
    'refuted SBP301: the sides differ'
    """
    verdict = f"{row['status']} {row['code']}" if row["code"] else row["status"]
    said = f"{verdict}: {one_line(row['message'])}"
    if row["expected"] is None:
        return said
    return f"{said} (as expected)" if row["met"] else f"expected {row['expected']}, but it is {said}"


def one_line(text: str) -> str:
    return " ".join(text.split())


def counterexample_lines(row: Row) -> list[str]:
    """The counterexample in a few lines; arrays that are large are named with their shape."""
    found = row["counterexample"]
    if not found:
        return []
    numbers = {**found.get("sizes", {}), **found.get("rates", {})}
    lines = ["with " + (", ".join(f"{name} = {value}" for name, value in numbers.items()) or "these numbers")]
    for name, rows in found.get("arrays", {}).items():
        if len(rows) <= 6 and all(len(r) <= 8 for r in rows):
            lines.append(f"  {name} = [" + "; ".join("  ".join(map(str, r)) for r in rows) + "]")
        else:
            lines.append(f"  {name}: {len(rows)} x {len(rows[0])}")
    entry = found.get("entry") or []
    at = "entry (" + ", ".join(map(str, entry)) + ")" if entry else "the value"
    lines.append(f"  {at} is {found.get('true')}; the claim gives {found.get('claimed')}")
    return lines


def counted(counts: dict[str, int]) -> str:
    """The summary in words: what there is none of is left out."""
    names = {"unmet": "not as expected", "passed_over": "passed over", "expected": "as expected"}
    parts = [f"{n} {names.get(key, key)}" for key, n in counts.items() if n]
    return ", ".join(parts) or "no equality found"

"""Formulas of people who had not seen the reader, with what they wanted: right, wrong, right under an assumption.

Each was written, with its declarations, before it was judged. A fourth item of a formula is what comes out in place of
what its author wanted: known, and not hidden.
"""

import json
from pathlib import Path

import pytest

from symbackprop import verify_file
from symbackprop.proof.status import Status

GROUPS = json.loads((Path(__file__).parents[1] / "witness" / "strangers.json").read_text(encoding="utf-8"))
ORDER = [Status.UNREAD, Status.REFUTED, Status.UNDECIDED, Status.CONSISTENT, Status.PROVED, Status.DEFINED]
SERVES = {
    "proved": {"proved"},
    "refuted": {"refuted", "assumption"},
    "assumption": {"assumption", "proved"},
    "skip": {"skip", "defined"},
}


def outcome(folder: Path, declares: str, before: list[str], latex: str) -> str:
    """What is said of a formula: the worst verdict on it, "assumption" for right in another layout or convention."""
    page = "".join(f"$$\n{line}\n$$\n\n" for line in before)
    block = f"<!-- symbackprop\n{declares}\n-->\n\n" if declares else ""
    file = folder / "notes.md"
    file.write_text(f"{block}{page}$$\n{latex}\n$$\n", encoding="utf-8")
    first = (block + page).count("\n") + 1
    found = [entry for entry in verify_file(str(file)).verdicts if entry.line >= first]
    if not found:
        return "skip"
    worst = min(found, key=lambda entry: ORDER.index(entry.status))
    return "assumption" if worst.code in ("SBP319", "SBP203") else worst.status.value


@pytest.mark.parametrize("number", range(len(GROUPS)))
def test_what_strangers_write_gets_the_verdict_that_they_want(tmp_path: Path, number: int) -> None:
    group = GROUPS[number]
    for latex, wanted, *more in group["formulas"]:
        found = outcome(tmp_path, group["declares"], more[0] if more else [], latex)
        if len(more) > 1:
            assert found == more[1], f"{latex}: wanted {wanted}, known to be {more[1]}"
        else:
            assert found in SERVES[wanted], f"{latex}: wanted {wanted}"

"""Verdicts for people, like the messages of a good compiler: place, code, the line itself, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.notes.formats.telling import Told, counted, counterexample_lines, headline, one_line, place
from symbackprop.notes.result import Row, fails

COLOURS = {"refuted": "31", "unread": "31", "undecided": "33", "consistent": "33", "proved": "32", "defined": "36"}
MAX_LINES = 4
MAX_WIDTH = 200


def render(told: Told, colour: bool = False, everything: bool = False) -> str:
    """All that failed, or everything, and the counts."""
    rows = [row for row in told.rows if everything or fails(row) or _remarked(row)]
    blocks = ["\n".join(entry(row, colour)) for row in rows]
    if everything and told.inferred:
        blocks.append("\n".join(told.inferred))
    return "\n\n".join([*blocks, totals(told, colour)]) + "\n"


def _remarked(row: Row) -> bool:
    """Whether something is to be said of a row that does not fail: a definition that looks like a slip."""
    return row["status"] == "defined" and bool(row["hint"])


def totals(told: Told, colour: bool) -> str:
    line = counted(told.summary)
    errors = len(told.errors)
    if errors:
        line += f"; {errors} file{'s' * (errors > 1)} with errors"
    return _painted(line, "32" if told.exit_code == 0 else "31" if told.exit_code < 3 else "33", colour)


def entry(row: Row, colour: bool = False) -> Iterator[str]:
    """The lines of one verdict."""
    shade = COLOURS[row["status"]] if row["met"] else "31"
    if row["expected"] is not None and row["met"]:
        shade = "32"
    yield f"{_painted(place(row), '1', colour)}: {_painted(headline(row), shade, colour)}"
    yield from _source(row, shade, colour)
    if row["hint"] and (fails(row) or _remarked(row)):
        yield f"  = hint: {one_line(row['hint'])}"
    if fails(row):
        for i, line in enumerate(counterexample_lines(row)):
            yield ("  = counterexample: " if i == 0 else "    ") + line
    if row["assumptions"]:
        yield f"  = granted: {one_line('; '.join(row['assumptions']))}"


def _source(row: Row, shade: str, colour: bool) -> Iterator[str]:
    """The lines that the claim stands in, with a mark under it."""
    lines = row["source"]
    width = len(str(row["line"] + max(len(lines), 1) - 1))
    for i, line in enumerate(lines[:MAX_LINES]):
        start = row["column"] - 1 if i == 0 else len(line) - len(line.lstrip())
        last = i == row["end_line"] - row["line"]
        stop = row["end_column"] - 1 if last else len(line)
        shift = max(0, min(start - 20, len(line) - MAX_WIDTH)) if len(line) > MAX_WIDTH else 0
        shown = line[shift : shift + MAX_WIDTH]
        start, stop = start - shift, min(max(stop - shift, start - shift + 1), len(shown) + 1)
        if i and not line[:stop].strip():
            continue
        under = "".join("\t" if c == "\t" else " " for c in shown[:start]) + "^" * max(stop - start, 1)
        yield f"  {row['line'] + i:>{width}} | {_safe(shown)}"
        yield f"  {'':>{width}} | {_painted(under, shade, colour)}"
    if len(lines) > MAX_LINES:
        yield f"  {'':>{width}} | ..."


def _safe(line: str) -> str:
    """A line of the source without what would steer a terminal."""
    return "".join(c if c == "\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\033[{code}m{text}\033[0m" if colour else text

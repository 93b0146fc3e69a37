"""Verdicts as annotations of GitHub Actions (docs.github.com, "Workflow commands").

In a message %, carriage return and newline are escaped, in a property also the colon and the comma.
"""

from __future__ import annotations

import re

from symbackprop.notes.formats.telling import Told, counterexample_lines, headline
from symbackprop.notes.result import Row, fails

_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<line>\d+):(?P<column>\d+))?: error: (?P<message>.*)", re.DOTALL)


def render(told: Told) -> str:
    """One command a line: an error for what is refuted or cannot be read, a warning for what is left open."""
    lines = [_command(row) for row in told.failing] + [_error(error) for error in told.errors]
    return "".join(line + "\n" for line in lines)


def _command(row: Row) -> str:
    kind = "warning" if fails(row) == 3 else "error"
    properties = {"file": row["file"]}
    message = [headline(row), row["hint"], *counterexample_lines(row)]
    if row["cell"] is None:
        properties |= {"line": str(row["line"]), "col": str(row["column"])}
        properties |= {"endLine": str(row["end_line"])}
        if row["end_line"] == row["line"]:
            properties["endColumn"] = str(max(row["end_column"] - 1, row["column"]))
    else:
        message.insert(0, f"cell {row['cell']}, line {row['line']}, column {row['column']}: {row['latex']}")
    properties["title"] = f"symbackprop {row['code'] or row['status']}"
    return _written(kind, properties, "\n".join(part for part in message if part))


def _error(error: str) -> str:
    found = _PLACE.fullmatch(error)
    if found is None:
        return _written("error", {"title": "symbackprop"}, error)
    properties = {"file": found["file"]}
    if found["line"]:
        properties |= {"line": found["line"], "col": found["column"]}
    return _written("error", {**properties, "title": "symbackprop"}, found["message"])


def _written(kind: str, properties: dict[str, str], message: str) -> str:
    shown = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{kind} {shown}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

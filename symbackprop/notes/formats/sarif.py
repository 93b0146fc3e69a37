"""Verdicts as SARIF 2.1.0 (OASIS standard, 2020), which code scanning services read."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from symbackprop.notes.explain import titles
from symbackprop.notes.formats.telling import Told, counterexample_lines, headline
from symbackprop.notes.result import Row, fails

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
UNEXPECTED = "expectation"


def render(told: Told) -> str:
    """One run; a result for everything that fails, a notification for each file that could not be judged."""
    rows = told.failing
    known = titles()
    rules = sorted({_rule(row) for row in rows})
    results = [_result(row, rules.index(_rule(row))) for row in rows]
    driver: dict[str, Any] = {
        "name": "symbackprop",
        "version": version("symbackprop"),
        "rules": [{"id": rule, "shortDescription": {"text": known.get(rule, _untitled(rule))}} for rule in rules],
    }
    invocation: dict[str, Any] = {"executionSuccessful": not told.errors, "exitCode": told.exit_code}
    if told.errors:
        invocation["toolExecutionNotifications"] = [
            {"level": "error", "message": {"text": error}} for error in told.errors
        ]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _rule(row: Row) -> str:
    return UNEXPECTED if not row["met"] else row["code"] or row["status"]


def _untitled(rule: str) -> str:
    return "The outcome that the notes expect did not come" if rule == UNEXPECTED else f"Verdict {rule}"


def _result(row: Row, index: int) -> dict[str, Any]:
    message = [headline(row), row["hint"], *counterexample_lines(row)]
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(row["file"])}}
    if row["cell"] is None:
        place["region"] = {
            "startLine": row["line"],
            "startColumn": row["column"],
            "endLine": row["end_line"],
            "endColumn": row["end_column"],
            "snippet": {"text": row["latex"]},
        }
    else:
        message.insert(0, f"cell {row['cell']}, line {row['line']}, column {row['column']}: {row['latex']}")
    return {
        "ruleId": _rule(row),
        "ruleIndex": index,
        "level": "warning" if fails(row) == 3 else "error",
        "message": {"text": "\n".join(part for part in message if part)},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    """A path as a URI reference: absolute ones with their scheme, others relative to where the tool ran."""
    path = PurePath(file)
    quoted = quote(path.as_posix().encode("utf-8", "replace"))
    if not path.is_absolute():
        return quoted
    return f"file://{quoted}" if quoted.startswith("/") else f"file:///{quoted}"

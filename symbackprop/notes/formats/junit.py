"""Verdicts as JUnit XML: a suite for each file, a case for each equality."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from symbackprop.notes.formats.telling import Told, counterexample_lines, headline, one_line, place
from symbackprop.notes.result import Row, fails

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(told: Told) -> str:
    """What is left open fails as what is refuted does: a formula that stops being proved must be seen."""
    root = ET.Element("testsuites", name="symbackprop")
    for file in dict.fromkeys(row["file"] for row in told.rows):
        rows = [row for row in told.rows if row["file"] == file]
        cases = [_case(row) for row in rows]
        failures, errors = (sum(c.find(tag) is not None for c in cases) for tag in ("failure", "error"))
        suite = _suite(root, file, len(cases), failures, errors)
        suite.extend(cases)
    for error in told.errors:
        suite = _suite(root, error.split(": error: ")[0], 1, 0, 1)
        case = ET.SubElement(suite, "testcase", name="the file is read", classname=suite.get("name", ""))
        ET.SubElement(case, "error", message=_clean(one_line(error)), type="error").text = _clean(error)
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, file: str, tests: int, failures: int, errors: int) -> ET.Element:
    counts = {"tests": str(tests), "failures": str(failures), "errors": str(errors), "skipped": "0"}
    suite = ET.SubElement(root, "testsuite", name=_clean(file))
    for key, count in counts.items():
        suite.set(key, count)
    return suite


def _case(row: Row) -> ET.Element:
    name = f"{place(row).removeprefix(row['file'] + ':')}: {one_line(row['latex'])}"
    case = ET.Element("testcase", name=_clean(name), classname=_clean(row["file"]))
    case.set("file", _clean(row["file"]))
    case.set("line", str(row["line"]))
    if fails(row):
        tag = "error" if fails(row) == 2 else "failure"
        found = ET.SubElement(case, tag, message=_clean(headline(row)), type=row["code"] or row["status"])
        lines = [f"{place(row)}: {headline(row)}", row["latex"], row["hint"], *counterexample_lines(row)]
        found.text = _clean("\n".join(line for line in lines if line))
    return case


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 does not allow, escaped or not."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)

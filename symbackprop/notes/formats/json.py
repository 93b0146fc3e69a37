"""Verdicts as one object of JSON."""

from __future__ import annotations

import json

from symbackprop.notes.formats.telling import Told
from symbackprop.notes.result import plain


def render(told: Told) -> str:
    """The object that the command line prints; errors of whole files are there where there are some."""
    whole = plain(told.rows, told.summary, told.inferred)
    if told.errors:
        whole["errors"] = list(told.errors)
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"

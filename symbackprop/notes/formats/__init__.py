"""How verdicts are told: to people, to programs, to the services that show them beside the source."""

from __future__ import annotations

from collections.abc import Callable

from symbackprop.notes.formats import github, json, junit, sarif
from symbackprop.notes.formats.telling import Told

FORMATS: dict[str, Callable[[Told], str]] = {
    "json": json.render,
    "github": github.render,
    "sarif": sarif.render,
    "junit": junit.render,
}
"""Beside these there is text, which is printed as it comes."""

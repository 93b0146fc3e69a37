"""pytest reads notes: each equality of a .tex, .md or .ipynb file that has a symbackprop block is a test.

pytest loads this module at its start, in every project of the environment: it imports nothing that is not there already
until a file of notes is found.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SUFFIXES = (".tex", ".md", ".ipynb")
MARK = b"symbackprop"
MAX_BYTES = 5_000_000


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("symbackprop", "formulas in notes")
    group.addoption(
        "--symbackprop-network",
        metavar="NET.toml",
        help="collect notes that declare nothing, too, under this network file",
    )
    group.addoption(
        "--symbackprop-time-limit", type=float, default=10.0, metavar="S", help="seconds for one formula (10)"
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> NotesFile | None:
    if file_path.suffix.lower() not in SUFFIXES:
        return None
    if parent.config.getoption("symbackprop_network") is None and not _declares(file_path):
        return None
    return NotesFile.from_parent(parent, path=file_path)


def _declares(path: Path) -> bool:
    """Whether a file has a block of declarations; the parser is asked only about files that name us."""
    try:
        with path.open("rb") as file:
            if MARK not in file.read(MAX_BYTES):
                return False
    except OSError:
        return False
    from symbackprop.notes.plan import declares

    return declares(path)


class NotesFile(pytest.File):
    """A file of notes; it is judged once, when its equalities are collected."""

    def collect(self) -> Iterator[pytest.Item]:
        from symbackprop.errors import FileError

        try:
            entries = self.result.verdicts
        except FileError as error:
            raise self.CollectError(str(error)) from error
        names: dict[str, int] = {}
        for entry in entries:
            cell = f"cell {entry.cell}, " if entry.cell is not None else ""
            name = f"{cell}line {entry.line}, column {entry.column}"
            names[name] = names.get(name, 0) + 1
            if names[name] > 1:
                name += f" ({names[name]})"
            yield Equality.from_parent(self, name=name, entry=entry)

    @functools.cached_property
    def result(self) -> Any:
        from symbackprop.notes.verify import verify_file

        network = self.config.getoption("symbackprop_network")
        return verify_file(self.path, network, time_limit=self.config.getoption("symbackprop_time_limit"))


class EqualityFailed(Exception):  # noqa: N818
    """An equality that is not proved, or an outcome that was expected and did not come."""


class Equality(pytest.Item):
    """One equality of the notes."""

    def __init__(self, *, entry: Any, **more: Any) -> None:
        super().__init__(**more)
        self.entry = entry

    def runtest(self) -> None:
        from symbackprop.notes.result import fails

        if fails(self.entry.as_dict()):
            raise EqualityFailed

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if not isinstance(excinfo.value, EqualityFailed):
            return super().repr_failure(excinfo, style)
        from symbackprop.notes.formats.text import entry

        return "\n".join(entry(self.entry.as_dict()))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.entry.line - 1, f"{self.path.name}:{self.entry.line}: {self.entry.latex}"

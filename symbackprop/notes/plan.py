"""What is to be judged in a file of notes, in order: claims with their directives, under the declarations in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from symbackprop.errors import FileError
from symbackprop.notes import markdown, notebook, tex
from symbackprop.notes.claims import Claim, claims
from symbackprop.notes.items import Block, Broken, Directive, Display, Expect, Found, Skip
from symbackprop.notes.macros import Macros
from symbackprop.notes.text import Source, Traced, read_source

SUFFIXES = (".tex", ".md", ".ipynb")


@dataclass(frozen=True)
class Task:
    """A claim to be judged, or what cannot be read as one; ``expected`` is the outcome that its author wants."""

    claim: Claim | Broken
    expected: Expect | None = None


@dataclass(frozen=True)
class Unmet:
    """A directive with no formula behind it."""

    directive: Directive


Work: TypeAlias = Task | Unmet


@dataclass
class Section:
    """The work under one block of declarations; ``block`` is None before the first."""

    block: Block | None
    work: list[Work] = field(default_factory=list)

    @property
    def tasks(self) -> Iterator[Task]:
        return (work for work in self.work if isinstance(work, Task))

    @property
    def formulas(self) -> list[str]:
        return [task.claim.text.text for task in self.tasks if isinstance(task.claim, Claim)]


@dataclass
class Plan:
    """A file of notes; ``passed_over`` counts what is no claim, ``skipped`` what was to be skipped."""

    file: str
    sections: list[Section]
    passed_over: int = 0
    skipped: int = 0

    @property
    def has_block(self) -> bool:
        return any(section.block is not None for section in self.sections)


def plan_file(path: str | Path) -> Plan:
    """The plan of a .tex, .md or .ipynb file. Raises FileError for a file that is none, or cannot be read."""
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES and Path(path).exists():
        known = ", ".join(SUFFIXES)
        raise FileError(str(path), None, f"notes are {known}, not {suffix or 'without a suffix'}: rename the file")
    source = read_source(path)
    scan = {".tex": tex.scan, ".md": markdown.scan, ".ipynb": notebook.scan}[suffix]
    return plan(source.file, scan(source))


def plan_formula(formula: str, name: str = "formula") -> Plan:
    r"""The plan of one formula that was given by itself, with or without signs of mathematics around it.

    >>> plan_formula(r"$$z = 1$$").sections[0].formulas
    ['z = 1']
    """
    source = Source(name, formula)
    found = tex.scan(source)
    if not any(isinstance(item, Display | Broken) for item in found.items):
        inside = formula.strip().removeprefix("$").removesuffix("$")
        start = formula.find(inside) if inside else 0
        found = Found([tex.written_out(source, Traced.of(formula, start, start + len(inside)), Macros(), start, "")])
    made = plan(name, found)
    if not any(section.work for section in made.sections):
        broken = Broken(source, 0, 1, "there is no equality here to judge", "write a formula with =")
        made.sections[0].work.append(Task(broken))
    return made


def plan(file: str, found: Found) -> Plan:
    """Directives bound to the formulas behind them, blocks to what follows them."""
    return _Binder(file, found).plan()


class _Binder:
    def __init__(self, file: str, found: Found) -> None:
        self.made = Plan(file, [Section(None)], passed_over=found.inline)
        self.items = found.items
        self.waiting: list[Directive] = []

    def plan(self) -> Plan:
        for item in self.items:
            if isinstance(item, Block):
                self.leave_waiting()
                self.made.sections.append(Section(item))
            elif isinstance(item, Broken):
                self.work(Task(item, self.expectation()))
            elif isinstance(item, Display):
                self.display(item)
            else:
                self.directive(item)
        self.leave_waiting()
        return self.made

    def work(self, work: Work) -> None:
        self.made.sections[-1].work.append(work)

    def expectation(self) -> Expect | None:
        asked = self.waiting.pop() if self.waiting else None
        return asked if isinstance(asked, Expect) else None

    def leave_waiting(self) -> None:
        for directive in self.waiting:
            self.work(Unmet(directive))
        self.waiting = []

    def directive(self, item: Directive) -> None:
        if self.waiting:
            self.leave_waiting()
        self.waiting = [item]

    def display(self, display: Display) -> None:
        found = claims(display)
        self.made.passed_over += found.passed_over
        inside = list(display.directives)
        skipping = any(isinstance(d, Skip) for d in self.waiting)
        if skipping:
            self.made.skipped += len(found.claims)
            self.waiting = []
        for claim in found.claims:
            self.take(inside, claim.start)
            asked = self.waiting.pop() if self.waiting else None
            if skipping:
                continue
            if isinstance(asked, Skip):
                self.made.skipped += 1
            else:
                self.work(Task(claim, asked))
        self.take(inside, None)

    def take(self, inside: list[Directive | Broken], before: int | None) -> None:
        """The directives inside a formula that stand before a place in it."""
        while inside and (before is None or inside[0].start < before):
            item = inside.pop(0)
            if isinstance(item, Broken):
                self.work(Task(item))
            else:
                self.directive(item)


def named_files(names: Iterable[str], everything: bool) -> tuple[list[str], int]:
    """The files to read: those named, and in folders those that declare something, or all of them.

    The number says how many files in folders were left out because they declare nothing.
    """
    files: list[str] = []
    left_out = 0
    for name in names:
        if not Path(name).is_dir():
            files.append(name)
            continue
        for path in sorted(Path(name).rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(name).parts)
            if hidden or path.suffix.lower() not in SUFFIXES or not path.is_file():
                continue
            if everything or declares(path):
                files.append(str(path))
            else:
                left_out += 1
    return list(dict.fromkeys(files)), left_out


def declares(path: Path) -> bool:
    """Whether a file holds a block of declarations; one that cannot be read is not asked about here."""
    try:
        source = read_source(path)
        return "symbackprop" in source.text and plan_file(path).has_block
    except FileError:
        return False

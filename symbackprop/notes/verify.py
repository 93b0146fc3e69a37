"""A file of notes judged, equality by equality."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from symbackprop.errors import Position
from symbackprop.marking.page import Page
from symbackprop.network import Network
from symbackprop.notes import declarations
from symbackprop.notes.claims import Claim
from symbackprop.notes.inference import inferences
from symbackprop.notes.items import Broken, Expect
from symbackprop.notes.limit import TimeIsUp, within
from symbackprop.notes.plan import Plan, Section, Task, Unmet, plan_file, plan_formula
from symbackprop.notes.result import Entry, NotesResult
from symbackprop.notes.text import Source
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Verdict

TIME_LIMIT = 10.0
"""Seconds for one formula."""

Begin = Callable[[int], str]
"""Told the number of a piece of work before it is done; says why it is not to be done, or nothing."""


def verify_file(
    path: str | Path,
    network: Network | str | Path | None = None,
    *,
    time_limit: float | None = TIME_LIMIT,
) -> NotesResult:
    """Judge every equality in a file of notes: .tex, .md or .ipynb.

    ``network`` serves notes that declare nothing themselves: a Network, or the path of a network file. A formula that
    takes longer than ``time_limit`` seconds is UNDECIDED, and its verdict says so; None takes the limit away. Raises
    FileError for a file that cannot be used, with the place of what is wrong.

    >>> verify_file("nowhere.tex")
    Traceback (most recent call last):
    symbackprop.errors.FileError: nowhere.tex: error: there is no such file: check the path
    """
    return verify_plan(plan_file(path), network, time_limit)


def verify_formula(
    formula: str, network: Network | str | Path | None = None, *, time_limit: float | None = TIME_LIMIT
) -> NotesResult:
    """Judge a formula that is given by itself, as ``verify_file`` judges one in a file."""
    return verify_plan(plan_formula(formula), network, time_limit)


def verify_plan(plan: Plan, network: Network | str | Path | None, time_limit: float | None) -> NotesResult:
    entries = tuple(entry for _, found in judged(plan, network, time_limit) for entry in found)
    inferred = inferred_words(plan, network)
    return NotesResult(plan.file, entries, plan.passed_over, plan.skipped, inferred)


def inferred_words(plan: Plan, network: Network | str | Path | None) -> tuple[str, ...]:
    """What was inferred of the notation, a line for each block that left something open."""
    given = network if isinstance(network, Network | None) else str(network)
    return tuple(str(found) for found in inferences(plan, given) if found.implied)


def judged(
    plan: Plan, network: Network | str | Path | None, time_limit: float | None, begin: Begin = lambda number: ""
) -> Iterator[tuple[int, list[Entry]]]:
    """The entries of each piece of work, with its number, when the declarations that it stands under are through."""
    number = -1
    for section in plan.sections:
        if not section.work:
            if section.block is not None:
                declarations.page_of_block(section.block, [])
            continue
        judge = _Judge(section, network, time_limit)
        found: dict[int, list[Entry]] = {}
        for work in section.work:
            number += 1
            reason = begin(number)
            found[number] = [_unmet(work)] if isinstance(work, Unmet) else judge.entries(work, reason, number)
        for letter, where in judge.unused.items():
            found[where] = [_said_unused(entry, letter) for entry in found[where]]
        yield from found.items()


def _said_unused(entry: Entry, letter: str) -> Entry:
    if entry.status is not Status.DEFINED:
        return entry
    hint = f"{letter} is used nowhere after: is it a slip for something else?"
    return replace(entry, verdict=replace(entry.verdict, hint=entry.verdict.hint or hint))


class _Judge:
    """The page that one block declares, and what it says of each formula."""

    def __init__(self, section: Section, network: Network | str | Path | None, time_limit: float | None) -> None:
        self.section, self.network, self.time_limit = section, network, time_limit
        self.page = self.new_page()
        self.definitions: list[Claim] = []
        self.known: set[str] = set()
        self.unused: dict[str, int] = {}

    def new_page(self) -> Page:
        formulas = self.section.formulas
        if self.section.block is not None:
            return declarations.page_of_block(self.section.block, formulas)
        if isinstance(self.network, Network):
            return declarations.page_of_network(self.network, formulas)
        if self.network is not None:
            return declarations.page_of_file(str(self.network), formulas)
        return declarations.page({}, formulas)

    def entries(self, task: Task, reason: str, number: int) -> list[Entry]:
        if isinstance(task.claim, Broken):
            broken = task.claim
            verdict = Verdict(Status.UNREAD, broken.message, broken.code, broken.hint)
            entry = _entry(broken.source, (broken.start, broken.stop), broken.start, verdict)
            return _expecting([entry], verdict, task.expected)
        verdict = self.verdict(task.claim) if not reason else Verdict(Status.UNDECIDED, reason, "SBP401", TOO_MUCH)
        if verdict.status is Status.DEFINED or any(link.status is Status.DEFINED for link in verdict.links):
            self.definitions.append(task.claim)
        self.note_use(number)
        return _expecting(list(_entries(task.claim, verdict)), verdict, task.expected)

    def note_use(self, number: int) -> None:
        """Keep in mind which definitions nothing has used yet, and in which piece of work they stand."""
        unused = set(self.page.unused)
        self.unused = {letter: at for letter, at in self.unused.items() if letter in unused}
        self.unused |= dict.fromkeys(unused - self.known, number)
        self.known |= set(self.page.defined)

    def verdict(self, claim: Claim) -> Verdict:
        try:
            return within(self.time_limit, lambda: self.page.judge(claim.text.text, Position(1, 1)))
        except TimeIsUp:
            verdict = Verdict(Status.UNDECIDED, out_of_time(self.time_limit), "SBP401", SLOW)
        except (RecursionError, MemoryError):
            verdict = Verdict(Status.UNREAD, "nested too deeply, or too large", "SBP105", "split the formula")
        except Exception as error:  # a fault of ours must not cost the user the rest of the page
            message = f"the judge failed on this formula ({type(error).__name__}: {str(error)[:200]})"
            verdict = Verdict(
                Status.UNDECIDED, message, "SBP401", "this is a fault of symbackprop: please report it with the formula"
            )
        self.page = self.new_page()  # the old one may be left half way; it knows again what was defined
        for defined in self.definitions:
            self.page.judge(defined.text.text, Position(1, 1))
        return verdict


TOO_MUCH = "split the formula, or give it more time with --time-limit"
SLOW = "give it more with --time-limit, or split the formula"


def out_of_time(limit: float | None) -> str:
    return f"not judged within the time limit of {limit:g} s" if limit else "not judged in time"


def _entries(claim: Claim, verdict: Verdict) -> Iterator[Entry]:
    """An entry for each link of a chain, placed in the source."""
    text = claim.text.text
    begin = 0
    for link in verdict.links or (verdict,):
        span = link.span or verdict.span
        first, last = (0, len(text)) if span is None else (_offset(text, span[0]), _offset(text, span[1]))
        if last <= first:
            first, last = first, len(text)
        start, stop = claim.text.span(first, last)
        left = claim.text.span(min(begin, first), last)[0]
        if span is not None and verdict.links:
            begin = first
        yield _entry(claim.source, (start, stop), left, link)


def _offset(text: str, place: Position) -> int:
    at = 0
    for _ in range(place.line - 1):
        at = text.find("\n", at) + 1
    return min(at + place.column - 1, len(text))


def _entry(source: Source, stretch: tuple[int, int], left: int, verdict: Verdict) -> Entry:
    start, stop = stretch
    first, last = source.position(start), source.position(stop)
    lines = tuple(source.line(number) for number in range(first.line, min(last.line, first.line + 5) + 1))
    return Entry(source.file, (first, last), source.text[min(left, start) : stop], verdict, lines, source.cell)


def _expecting(entries: list[Entry], chain: Verdict, expected: Expect | None) -> list[Entry]:
    """The entries with what was expected of the whole: the links it came true at, else the one that decided."""
    if expected is None:
        return entries
    if _comes(expected, chain):
        hits = {i for i, entry in enumerate(entries) if _comes(expected, entry.verdict)} or {0}
        met = True
    else:
        deciding = (i for i, e in enumerate(entries) if (e.status, e.code) == (chain.status, chain.code))
        hits, met = {next(deciding, 0)}, False
    return [replace(e, expected=str(expected), met=met) if i in hits else e for i, e in enumerate(entries)]


def _comes(expected: Expect, verdict: Verdict) -> bool:
    return verdict.status is expected.status and expected.code in (None, verdict.code)


def _unmet(work: Unmet) -> Entry:
    directive = work.directive
    asked = f"expect {directive}" if isinstance(directive, Expect) else "skip"
    verdict = Verdict(Status.UNREAD, f"{asked} has no formula behind it", "SBP101", "write it before the formula")
    entry = _entry(directive.source, (directive.start, directive.start + 1), directive.start, verdict)
    return replace(entry, expected=str(directive), met=False) if isinstance(directive, Expect) else entry

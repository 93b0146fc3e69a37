"""A document: what a report says, before it is LaTeX, HTML or Markdown. Formulas in it are LaTeX, made by notation/."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Math:
    """A formula within a line of text."""

    latex: str


Inline: TypeAlias = tuple[str | Math, ...]


@dataclass(frozen=True)
class Section:
    title: str


@dataclass(frozen=True)
class Paragraph:
    text: Inline


@dataclass(frozen=True)
class Display:
    """A formula on lines of its own."""

    latex: str


@dataclass(frozen=True)
class Bullets:
    items: tuple[Inline, ...]


@dataclass(frozen=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[tuple[Inline, ...], ...]


@dataclass(frozen=True)
class NumberedStep:
    """A step of a derivation: rule, chain, the reason in words and entry by entry, and what is proved of it."""

    label: str
    rule: str
    chain: str
    reason: Inline
    why: tuple[str, ...]
    why_text: Inline
    proved: str = ""


@dataclass(frozen=True)
class Boxed:
    """Closed forms, each a formula, in one box."""

    formulas: tuple[str, ...]


Block: TypeAlias = Section | Paragraph | Display | Bullets | Table | NumberedStep | Boxed


@dataclass(frozen=True)
class Document:
    title: str
    subtitle: str
    blocks: tuple[Block, ...]


def few(lines: list[str], most: int = 24) -> list[str]:
    """All of a few formulas; of very many, the first and the last."""
    return lines if len(lines) <= most else [*lines[: most - 4], r"\vdots", *lines[-2:]]

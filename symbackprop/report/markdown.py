"""A document as Markdown with dollar mathematics, as GitHub, Jupyter and pandoc read it."""

from __future__ import annotations

import re
from functools import singledispatch

from symbackprop.report.document import (
    Block,
    Boxed,
    Bullets,
    Display,
    Document,
    Inline,
    Math,
    NumberedStep,
    Paragraph,
    Section,
    Table,
)

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$])")


def document(doc: Document) -> str:
    """The whole document."""
    blocks = [f"# {escape(doc.title)}", f"*{escape(doc.subtitle)}*", *(render(block) for block in doc.blocks)]
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text)


def inline(text: Inline) -> str:
    return "".join(f"${part.latex}$" if isinstance(part, Math) else escape(part) for part in text)


def display(latex: str) -> str:
    return f"$$\n{latex}\n$$"


@singledispatch
def render(block: Block) -> str:
    raise TypeError(f"Markdown knows no block {type(block).__name__}")


@render.register
def _(block: Section) -> str:
    return f"## {escape(block.title)}"


@render.register
def _(block: Paragraph) -> str:
    return inline(block.text)


@render.register
def _(block: Display) -> str:
    return display(block.latex)


@render.register
def _(block: Bullets) -> str:
    return "\n".join(f"- {inline(item)}" for item in block.items)


@render.register
def _(block: Table) -> str:
    rows = [block.header, tuple("---" for _ in block.header)]
    rows += [tuple(inline(cell).replace("|", r"\vert ") for cell in row) for row in block.rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


@render.register
def _(block: NumberedStep) -> str:
    proved = f" — {escape(block.proved)}" if block.proved else ""
    parts = [f"**{escape(block.label)}. {escape(block.rule)}**{proved}", display(block.chain), inline(block.reason)]
    if block.why:
        parts += ["*Entry by entry:*", *map(display, block.why)]
        parts += [inline(block.why_text)] if block.why_text else []
    return "\n\n".join(parts)


@render.register
def _(block: Boxed) -> str:
    return "\n\n".join(display(rf"\boxed{{{formula}}}") for formula in block.formulas)

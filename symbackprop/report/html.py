"""A document as one self-contained HTML page."""

from __future__ import annotations

import re
from functools import singledispatch
from html import escape

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
from symbackprop.report.page import page

PUNCTUATION = re.compile(r"[.,;:)]+")


def document(doc: Document) -> str:
    """A complete page that opens offline."""
    head = f'<h1>{escape(doc.title)}</h1>\n<p class="subtitle">{escape(doc.subtitle)}</p>'
    return page(doc.title, "\n".join([head, *(render(block) for block in doc.blocks)]))


def inline(text: Inline) -> str:
    """Text with formulas; punctuation behind a formula stays on its line."""
    out = ""
    for part in text:
        if isinstance(part, Math):
            out += f'<span class="math">{escape(part.latex)}</span>'
        elif out.endswith("</span>") and (mark := PUNCTUATION.match(part)):
            at = out.rindex('<span class="math">')
            out = f'{out[:at]}<span class="together">{out[at:]}{mark[0]}</span>{escape(part[mark.end() :])}'
        else:
            out += escape(part)
    return out


def display(latex: str) -> str:
    return f'<div class="math display">{escape(latex)}</div>'


@singledispatch
def render(block: Block) -> str:
    raise TypeError(f"HTML knows no block {type(block).__name__}")


@render.register
def _(block: Section) -> str:
    return f"<h2>{escape(block.title)}</h2>"


@render.register
def _(block: Paragraph) -> str:
    return f"<p>{inline(block.text)}</p>"


@render.register
def _(block: Display) -> str:
    return display(block.latex)


@render.register
def _(block: Bullets) -> str:
    return "<ul>" + "".join(f"<li>{inline(item)}</li>" for item in block.items) + "</ul>"


@render.register
def _(block: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in block.header)
    rows = "\n".join("<tr>" + "".join(f"<td>{inline(cell)}</td>" for cell in row) + "</tr>" for row in block.rows)
    return f'<table class="shapes"><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>'


@render.register
def _(block: NumberedStep) -> str:
    why = ""
    if block.why:
        lines = "\n".join(map(display, block.why))
        text = f"<p>{inline(block.why_text)}</p>" if block.why_text else ""
        why = f'<details class="why"><summary>why, entry by entry</summary>\n{lines}\n{text}</details>'
    proved = f'<span class="proved">{escape(block.proved)}</span>' if block.proved else ""
    return (
        f'<section class="step"><header><span class="num">{escape(block.label)}</span>'
        f'<span class="rule">{escape(block.rule)}</span>{proved}</header>\n{display(block.chain)}\n'
        f'<p class="reason">{inline(block.reason)}</p>\n{why}</section>'
    )


@render.register
def _(block: Boxed) -> str:
    return '<div class="boxed">\n' + "\n".join(map(display, block.formulas)) + "\n</div>"

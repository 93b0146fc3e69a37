"""A document as LaTeX: body text, and a complete document that needs texlive-latex-recommended and nothing else."""

from __future__ import annotations

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

PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[utf8]{inputenc}
\usepackage[margin=25mm]{geometry}
\usepackage{amsmath,amssymb}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.5\baselineskip}
\allowdisplaybreaks
"""

ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
}


def document(doc: Document) -> str:
    """A complete LaTeX document."""
    head = f"\\title{{{escape(doc.title)}}}\n\\author{{}}\n\\date{{{escape(doc.subtitle)}}}\n"
    return f"{PREAMBLE}{head}\\begin{{document}}\n\\maketitle\n\n{body(doc)}\n\\end{{document}}\n"


def body(doc: Document) -> str:
    """The document's text without preamble; it needs amsmath and amssymb."""
    return "\n\n".join(render(block) for block in doc.blocks) + "\n"


def escape(text: str) -> str:
    return "".join(ESCAPES.get(c, c) for c in text)


def inline(text: Inline) -> str:
    return "".join(f"${part.latex}$" if isinstance(part, Math) else escape(part) for part in text)


def display(latex: str) -> str:
    return f"\\[\n{latex}\n\\]"


@singledispatch
def render(block: Block) -> str:
    raise TypeError(f"LaTeX knows no block {type(block).__name__}")


@render.register
def _(block: Section) -> str:
    return rf"\section*{{{escape(block.title)}}}"


@render.register
def _(block: Paragraph) -> str:
    return inline(block.text)


@render.register
def _(block: Display) -> str:
    return display(block.latex)


@render.register
def _(block: Bullets) -> str:
    items = "\n".join(rf"\item {inline(item)}" for item in block.items)
    return f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}"


@render.register
def _(block: Table) -> str:
    columns = "l" * len(block.header)
    head = " & ".join(map(escape, block.header))
    rows = "\n".join(" & ".join(map(inline, row)) + r" \\" for row in block.rows)
    return (
        f"\\begin{{center}}\n\\begin{{tabular}}{{{columns}}}\n\\hline\n{head} \\\\\n\\hline\n{rows}\n"
        "\\hline\n\\end{tabular}\n\\end{center}"
    )


@render.register
def _(block: NumberedStep) -> str:
    proved = rf"\hfill{{\small\itshape {escape(block.proved)}}}" if block.proved else ""
    parts = [
        rf"\textbf{{{escape(block.label)}.\ \ {escape(block.rule)}}}{proved}" + "\n" + display(block.chain),
        inline(block.reason),
    ]
    if block.why:
        why = "\n".join(display(line) for line in block.why)
        parts.append(f"{{\\small Entry by entry:\n{why}\n{inline(block.why_text)}\\par}}")
    return "\n\n".join(parts)


@render.register
def _(block: Boxed) -> str:
    lines = " \\\\[2ex]\n".join(f"\\displaystyle {line}" for line in block.formulas)
    return display(f"\\boxed{{\\begin{{array}}{{@{{\\ }}l@{{\\ }}}}\n{lines}\n\\end{{array}}}}")

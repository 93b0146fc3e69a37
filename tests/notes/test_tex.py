"""LaTeX documents: which formulas are found, and that every character knows where it comes from."""

import pytest

from symbackprop.errors import Position
from symbackprop.notes import tex
from symbackprop.notes.claims import claims
from symbackprop.notes.items import Block, Broken, Display, Expect, Skip
from symbackprop.notes.text import Source


def found(text):
    return tex.scan(Source("n.tex", text))


def texts(text):
    """The claims of a document, as they go to the judge."""
    return [claim.text.text for item in found(text).items if isinstance(item, Display) for claim in claims(item).claims]


@pytest.mark.parametrize(
    "document",
    [
        r"\begin{equation} z = 1 \end{equation}",
        r"\begin{equation*} z = 1 \label{eq:z} \end{equation*}",
        r"\begin{align} z &= 1 \nonumber \end{align}",
        r"\begin{align*} z &= 1 \end{align*}",
        r"\begin{alignat}{2} z &= 1 \end{alignat}",
        r"\begin{flalign} z &= 1 \end{flalign}",
        r"\begin{gather} z = 1 \tag{3} \end{gather}",
        r"\begin{multline} z \\ = 1 \end{multline}",
        r"\begin{eqnarray} z &=& 1 \end{eqnarray}",
        r"\begin{displaymath} z = 1. \end{displaymath}",
        r"$$ z = 1, $$",
        r"\[ z = 1 \]",
        "\\[\n\\begin{aligned} z &= 1 \\end{aligned}\n\\]",
        r"\begin{equation}\begin{split} z &= 1 \end{split}\end{equation}",
        r"\[ \begin{gathered} z = 1 \end{gathered} \]",
        r"\[ \left\{ \begin{aligned} z &= 1 \end{aligned} \right. \]",
        "\\[ z % the layer\n = 1 \\]",
        r"\newcommand{\be}{\begin{equation}} \newcommand{\ee}{\end{equation}} \be z = 1 \ee",
        r"\def\one{1} \[ z = \one \]",
        r"\[ \newcommand{\one}{1} z = \one \]",
        r"\[ z \stackrel{def}{=} 1 \]",
    ],
)
def test_every_way_of_displaying_a_formula(document):
    (only,) = texts(document)
    assert " ".join(only.split()) == "z = 1"


@pytest.mark.parametrize(
    "document",
    [
        "% \\[ z = 1 \\]",
        "\\begin{verbatim}\n\\[ z = 1 \\]\n% symbackprop\n\\end{verbatim}",
        r"\begin{lstlisting} \[ z = 1 \] \end{lstlisting}",
        r"\begin{comment} \[ z = 1 \] \end{comment}",
        r"\verb|\[ z = 1 \]|",
        r"\lstinline!$$z = 1$$!",
        r"\iffalse \[ z = 1 \] \fi",
        r"\end{document} \[ z = 1 \]",
        r"a line \\[2pt] and 100\% of it \\ \$ z = 1 \$",
        r"\newcommand{\x}{\[ z = 1 \]}",
    ],
)
def test_what_is_not_set_as_a_formula(document):
    assert found(document).items == []


def test_formulas_in_running_text_are_counted():
    counted = found("$a = 1$ and \\(b\\), \\begin{math}c\\end{math}; a stray $ sign\n\n\\[ z = 1 \\]")
    assert counted.inline == 3
    assert len(counted.items) == 1


def test_a_place_survives_comments_and_macros():
    text = "x\n\\newcommand{\\W}[1]{W^{(#1)}}\n\\[\n  z = % why\n  \\W{2} a\n\\]"
    source = Source("n.tex", text)
    (display,) = tex.scan(source).items
    (claim,) = claims(display).claims
    body = claim.text.text
    assert body == "z =    W^{(2)} a"
    at = body.index("W")
    assert source.text[slice(*claim.text.span(at, at + len("W^{(2)}")))] == r"\W{2}"
    digit = body.index("2")
    assert source.position(claim.text.span(digit, digit + 1)[0]) == (5, 6)
    last = body.index("a")
    assert source.position(claim.text.span(last, last + 1)[0]) == (5, 9)


@pytest.mark.parametrize(
    ("document", "line", "column", "says"),
    [
        ("text\n \\begin{align} z = 1", 2, 2, "does not end"),
        ("\\[ z = 1\n\n\\[ y = 2 \\]", 1, 1, "does not end"),
        ("$$ z = 1\n\ntext", 1, 1, "does not end"),
        ("\\begin{align} z = 1\n\\begin{align} y = 1 \\end{align}", 1, 1, "does not end"),
        ("\\newcommand{\\a}{\\b}\\newcommand{\\b}{\\a}\n\\[ z = \\a \\]", 2, 8, "calls itself"),
        ("\\newcommand{\\a}[2]{#1#2}\n\\[ z = \\a{1} \\]", 2, 8, "needs 2 arguments"),
        ("% symbackprop\n% inputs = 2\ntext\n", 1, 1, "does not end"),
        ("% symbackprop: skpi\n", 1, 1, "unknown directive 'skpi'"),
        ("% symbackprop: expect wrong\n", 1, 1, "expect needs one of proved, refuted"),
        ("% symbackprop: expect refuted SBP1\n", 1, 1, "is no code"),
        ("\\[\n% symbackprop\n z = 1 \\]", 2, 1, "declarations inside a formula"),
    ],
)
def test_what_is_broken_is_said_with_its_place(document, line, column, says):
    broken = []
    for item in found(document).items:
        broken += (
            [item]
            if isinstance(item, Broken)
            else [d for d in getattr(item, "directives", ()) if isinstance(d, Broken)]
        )
    assert broken, found(document).items
    assert broken[0].source.position(broken[0].start) == (line, column)
    assert says in broken[0].message


def test_what_follows_a_formula_that_does_not_end_is_still_read():
    items = found("\\[ z = 1\n\n\\[ y = 2 \\]").items
    assert [type(item) for item in items] == [Broken, Display]


def test_declarations_and_directives():
    text = '% symbackprop\n% inputs = 2\n%\n%  loss = "x"\n% /symbackprop\n'
    text += "% symbackprop: skip\n%symbackprop: expect refuted SBP301"
    block, skip, expect = found(text).items
    assert isinstance(block, Block) and isinstance(skip, Skip) and isinstance(expect, Expect)
    assert block.toml == 'inputs = 2\n\n loss = "x"'
    assert block.position(Position(3, 2)) == (4, 4)
    assert str(expect) == "refuted SBP301"

"""Markdown and notebooks: displayed formulas, code that is skipped, comments that declare."""

import json

import pytest

from symbackprop.errors import FileError, Position
from symbackprop.notes import markdown, notebook
from symbackprop.notes.claims import claims
from symbackprop.notes.items import Block, Broken, Display, Skip
from symbackprop.notes.text import Source


def found(text):
    return markdown.scan(Source("n.md", text))


def texts(found):
    return [claim.text.text for item in found.items if isinstance(item, Display) for claim in claims(item).claims]


@pytest.mark.parametrize(
    "document",
    [
        "$$z = 1$$",
        "$$\nz = 1\n$$",
        "text $$z = 1$$ text",
        "```math\nz = 1\n```",
        "~~~ math\nz = 1\n~~~",
        "> $$\n> z = 1\n> $$",
        "\\[\nz = 1\n\\]",
        "text\n  \\[ z = 1 \\]",
        "> \\[\n> z = 1\n> \\]",
        "\\begin{align}\nz &= 1\n\\end{align}",
        "$$\\begin{aligned} z &= 1 \\end{aligned}$$",
        "$\\newcommand{\\one}{1}$\n$$z = \\one$$",
        "costs \\$5 and $ 6\n$$z = 1$$",
    ],
)
def test_every_way_of_displaying_a_formula(document):
    (only,) = texts(found(document))
    assert " ".join(only.split()) == "z = 1"


@pytest.mark.parametrize(
    "document",
    [
        "`$$z = 1$$`",
        "``a ` $$z = 1$$``",
        "```python\n$$z = 1$$\n```",
        "~~~\n$$z = 1$$\n~~~",
        "````\n```math\nz = 1\n```\n````",
        "<!-- $$z = 1$$ -->",
        "a \\[link\\] in text",
        "\\[no end\n\nz = 1\\]",
        "`\\[ z = 1 \\]`",
        "\\$\\$z = 1\\$\\$",
        "```\n<!-- symbackprop\ninputs = 2\n-->\n```",
    ],
)
def test_what_is_not_set_as_a_formula(document):
    assert found(document).items == []


def test_formulas_in_running_text_are_counted():
    assert found("$a = 1$ and $b$, but $5 and $6 are prices").inline == 2


def test_comments_that_declare():
    text = '<!-- symbackprop\ninputs = "n_0"\n  loss = 3\n-->\n<!-- symbackprop: skip -->\n<!-- symbackprophet -->'
    block, skip = found(text).items
    assert isinstance(block, Block) and isinstance(skip, Skip)
    assert block.toml == '\ninputs = "n_0"\n  loss = 3\n'
    assert block.position(Position(3, 3)) == (3, 3)


@pytest.mark.parametrize("document", ["$$z = 1", "```math\nz = 1", "<!-- symbackprop\ninputs = 2"])
def test_what_does_not_end_is_said(document):
    (broken,) = found("text\n\n" + document).items
    assert isinstance(broken, Broken)
    assert broken.source.position(broken.start) == (3, 1)


def notebook_of(*sources):
    cells = [{"cell_type": "markdown", "source": source} for source in sources]
    cells.insert(1, {"cell_type": "code", "source": "x = '$$z = 2$$'", "outputs": []})
    return json.dumps({"cells": cells, "nbformat": 4})


def test_cells_of_a_notebook_are_one_page():
    text = notebook_of("$\\newcommand{\\one}{1}$", ["text\n", "$$ z = \\one $$"])
    made = notebook.scan(Source("n.ipynb", text))
    assert texts(made) == ["z = 1"]
    (item,) = made.items
    assert item.source.label == "n.ipynb:cell 3"
    assert item.source.position(item.start) == (2, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "n.ipynb:1:2: error: no notebook: "),
        ("[]", "n.ipynb: error: no notebook: it has no list of cells"),
        ('{"cells": [{"cell_type": "markdown", "source": 3}]}', "cell 1 has no text"),
        ("[" * 100000, "nested too deeply"),
    ],
)
def test_what_is_no_notebook(text, says):
    with pytest.raises(FileError) as caught:
        notebook.scan(Source("n.ipynb", text))
    assert says in str(caught.value)

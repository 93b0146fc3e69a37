"""Displayed formulas taken apart: chains over lines, claims side by side, and what claims nothing."""

import json
from pathlib import Path

import pytest

from symbackprop.notes.claims import claims
from symbackprop.notes.items import Display
from symbackprop.notes.text import Source, Traced


def parted(text, kind="align"):
    source = Source("n.tex", text)
    made = claims(Display(source, Traced.of(text, 0, len(text)), 0, kind))
    return [" ".join(claim.text.text.split()) for claim in made.claims], made.passed_over


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (r"a &= b \\ &= c \\ &= d", ["a = b = c = d"]),
        (r"a &= b \\ c &= d", ["a = b", "c = d"]),
        (r"a &= b \\ &= c \\ d &= e \\ &= f", ["a = b = c", "d = e = f"]),
        (r"a =& b \\ =& c", ["a = b = c"]),
        (r"a & = b + \\ & c", ["a = b + c"]),
        (r"a &= b \\ &\quad + c", ["a = b + c"]),
        (r"a &= b \\ &\quad - c", ["a = b - c"]),
        (r"a &= b \\ -c &= d", ["a = b", "-c = d"]),
        (r"a &= b \\ & \odot c", [r"a = b \odot c"]),
        (r"a &= b (c + d \\ &\quad + e)", ["a = b (c + d + e)"]),
        (r"a = \\ = b", ["a = b"]),
        (r"a &= b & c &= d \\ &= e & &= f", ["a = b = e", "c = d = f"]),
        (r"a &= b &= c", ["a = b = c"]),
        (r"& a = b \\ & c = d", ["a = b", "c = d"]),
        (r"a &:= b \\ c &\leftarrow d \\ e &\equiv f", ["a := b", r"c \leftarrow d", r"e \equiv f"]),
    ],
)
def test_rows(body, wanted):
    assert parted(body) == (wanted, 0)


@pytest.mark.parametrize(
    ("body", "wanted", "passed"),
    [
        (r"z = W a + b, \quad a = \sigma(z)", ["z = W a + b", r"a = \sigma(z)"], 0),
        (r"z = w, \qquad l = 1, \dots, L", ["z = w"], 1),
        (r"z = w, \quad l = L-1, L-2, \ldots, 2", ["z = w"], 1),
        (r"z = w \quad \text{for } l = 2", ["z = w"], 1),
        (r"z = w \quad (3)", ["z = w"], 0),
        (r"z = w \quad (i = 1, \dots, n)", ["z = w"], 0),
        (r"z = w \Rightarrow y = w", ["z = w", "y = w"], 0),
        (r"z = w \text{ and } y = w", ["z = w", "y = w"], 0),
        (r"z = w \text{i.e.} y = w", ["z = w", "y = w"], 0),
        (r"z \quad = \quad w", ["z = w"], 0),
        (r"z = f(a, b) + [c, d]", ["z = f(a, b) + [c, d]"], 0),
        (r"z = \sum_{i=1}^{n} x_i", [r"z = \sum_{i=1}^{n} x_i"], 0),
        (r"z = \sum_{i=1}^{n} (x_i = 2)", [r"z = \sum_{i=1}^{n} (x_i = 2)"], 0),
        (r"w_\text{new} = w_\text{old} - \alpha", [r"w_\text{new} = w_\text{old} - \alpha"], 0),
        (r"a = \text{ReLU}(z)", [r"a = \text{ReLU}(z)"], 0),
        (r"a = \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}", [r"a = \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}"], 0),
        (
            r"a = \begin{cases} 1 & \text{if } z > 0 \\ 0 \end{cases}",
            [r"a = \begin{cases} 1 & \text{if } z > 0 \\ 0 \end{cases}"],
            0,
        ),
        (r"\left. a = b \right|_{x}", [], 1),
        (r"a = \left( b + c \right)", [r"a = \left( b + c \right)"], 0),
        (r"a = b.", ["a = b"], 0),
        (r"\boxed{a = b}", ["a = b"], 0),
        (r"\boxed{a = b} \quad \textcolor{red}{c = d}", ["a = b", "c = d"], 0),
        (r"{\color{red} a = b}", [r"\color{red} a = b"], 0),
        (r"a = \boxed{b}", [r"a = \boxed{b}"], 0),
        (r"a = {b} c", ["a = {b} c"], 0),
        (r"\frac{a}{b} = \sum_{i=1}^{n} {x}", [r"\frac{a}{b} = \sum_{i=1}^{n} {x}"], 0),
        (r"a = b \,,", ["a = b"], 0),
        (r"a = b \label{x} \tag{1} \notag", ["a = b"], 0),
    ],
)
def test_side_by_side(body, wanted, passed):
    assert parted(body, "equation") == (wanted, passed)


@pytest.mark.parametrize(
    "body",
    [
        r"x \approx 3",
        r"W \in \mathbb{R}^{3 \times m}",
        r"a \to b",
        r"2 (y - y_d) \sigma'(z)",
        r"a_1, a_2, \dots, a_n",
        r"l = 1, 2, \dots, L",
        r"\hat y = 1 \text{ if } z > 0",
        r"\text{if } z > 0, \quad a = z",
        r"y = 0 \quad \text{otherwise}",
        r"= b",
        r"a =",
        r"\text{some prose}",
        r"\text{forward} = m n",
        r"n \geq 2",
    ],
)
def test_what_claims_no_equality_is_passed_over(body):
    found, passed = parted(body, "equation")
    assert found == []
    assert passed >= 1


def test_an_approximation_ends_a_chain():
    assert parted(r"a = b \approx 0.3")[0] == ["a = b"]
    assert parted(r"a \approx b = c")[0] == ["b = c"]


def test_rows_of_a_multline_are_one_formula():
    assert parted(r"a = b c \\ d e", "multline") == (["a = b c d e"], 0)
    assert parted(r"a = b c \\ d e", "gather")[0] == ["a = b c"]


CORPUS = json.loads((Path(__file__).parents[1] / "notation" / "corpus.json").read_text())["formulas"]


@pytest.mark.parametrize("formula", [f["latex"] for f in CORPUS], ids=[f["id"] for f in CORPUS])
def test_published_formulas_go_to_the_reader_as_they_are(formula):
    claims = formula.replace(r"\sum_{i=1}", "").replace(r"\sum_{k=1}", "")
    wanted = [" ".join(formula.split())] if "=" in claims else []
    assert parted(formula, "equation")[0] == wanted

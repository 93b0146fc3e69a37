"""Inputs that nobody would write on purpose: true formulas with pieces swapped, doubled and lost, and random tokens."""

# ruff: noqa: E501

import random
import re
from collections.abc import Iterator

from note_formulas import FORMULAS, SYMBOLS, network

from symbackprop.marking import Page

PIECES = [
    *[
        r"\frac",
        r"\partial",
        r"\nabla",
        r"\sum",
        r"\prod",
        r"\left(",
        r"\right)",
        r"\odot",
        r"\cdot",
        r"\times",
        r"\sigma",
        r"\delta",
        r"\hat{y}",
        r"\mathbf{1}",
        r"\top",
        r"\log",
    ],
    *[
        r"\begin{bmatrix}",
        r"\end{bmatrix}",
        r"\\",
        r"&",
        r"{",
        r"}",
        r"(",
        r")",
        r"[",
        r"]",
        r"^",
        r"_",
        r"'",
        r"=",
        r":=",
        r",",
        r".",
        r"|",
        r"\|",
        r"+",
        r"-",
        r"*",
        r"/",
        r"\underbrace",
        r"\text{x}",
        r"\quad",
        r"d",
        r"e",
        r"T",
    ],
    *[
        r"W",
        r"b",
        r"z",
        r"a",
        r"x",
        r"y",
        r"J",
        r"L",
        r"m",
        r"n_1",
        r"l",
        r"i",
        r"j",
        r"k",
        r"0",
        r"1",
        r"2",
        r"17",
        r"{(1)}",
        r"{[2]}",
        r"^{(l)}",
        r"^{[l-1]}",
        r"_{jk}",
        r"^T",
        r"^{-1}",
        r"\sqrt",
        r"\max",
        r"\tanh",
        r"\mathrm{diag}",
    ],
    *[
        r"\left|",
        r"\right|",
        r"\lVert",
        r"\rVert",
        r"^{(i)}",
        r"\prime",
        r"\mathbb{1}",
        r"\begin{aligned}",
        r"\end{aligned}",
        r"\begin{cases}",
        r"\alpha",
        r"0.5",
        r"%",
        r"$",
    ],
]
SETTINGS = [
    "batch", "ng", "nielsen", "softmax", "rows", "logistic", "scalar", "numerator", "sizes", "penalty",
    "least squares", "square", "",
]  # fmt: skip


def inputs(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """Pairs of a setting and a text."""
    draw = random.Random(seed)
    for _ in range(count):
        kind = draw.random()
        if kind < 0.4:
            setting, latex, _ = draw.choice(FORMULAS)
            yield setting, exchanged(latex, draw)
        elif kind < 0.65:
            setting, latex, _ = draw.choice(FORMULAS)
            yield setting, mutated(latex, draw)
        elif kind < 0.9:
            size = draw.randint(1, 25)
            yield draw.choice(SETTINGS), " ".join(draw.choice(PIECES) for _ in range(size))
        elif kind < 0.97:
            letters = "\\{}()[]^_=+-*/|'&% \n$#~.,;:!?<>0123456789abcdeWzaxyJéλ∂∑⊙𝑊\t"
            yield draw.choice(SETTINGS), "".join(draw.choice(letters) for _ in range(draw.randint(1, 60)))
        else:
            yield draw.choice(SETTINGS), nested(draw)


KINDS = [
    (r"[A-Za-z]", "WbzaxyJLdmTlijkhnpqtAZXYKC"),
    (r"\d", "0123459"),
    (r"[-+=*/]", "-+=*/"),
    (r"\\(?:odot|cdot|times)", [r"\odot", r"\cdot", r"\times", "*", "/"]),
    (r"\\(?:sigma|delta|alpha|eta|lambda|tanh|log)", [r"\sigma", r"\delta", r"\alpha", r"\hat y", r"\log", r"\tanh'"]),
    (r"\^\{?T\}?|\^\\top", ["", "^T", "^2", "^{-1}", "'"]),
]


def exchanged(latex: str, draw: random.Random) -> str:
    """Pieces exchanged for others of their kind: wrong formulas that look like formulas."""
    for _ in range(draw.randint(1, 3)):
        pattern, others = draw.choice(KINDS)
        places = [m for m in re.finditer(pattern, latex) if latex[max(0, m.start() - 1)] != "\\"]
        if places:
            place = draw.choice(places)
            latex = latex[: place.start()] + draw.choice(others) + latex[place.end() :]
    return latex


def mutated(latex: str, draw: random.Random) -> str:
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(latex) + 1)
        until = min(len(latex), at + draw.randint(1, 8))
        match draw.randrange(5):
            case 0:
                latex = latex[:at] + latex[until:]
            case 1:
                latex = latex[:at] + draw.choice(PIECES) + latex[at:]
            case 2:
                latex = latex[:until] + latex[at:until] + latex[until:]
            case 3:
                latex = latex[:at] + latex[at:until][::-1] + latex[until:]
            case _:
                other = draw.choice(FORMULAS)[1]
                cut = draw.randrange(len(other))
                latex = latex[:at] + other[cut : cut + 20] + latex[at:]
    return latex


def nested(draw: random.Random) -> str:
    depth = draw.choice([5, 30, 200, 2000])
    opening, closing = draw.choice([("(", ")"), ("{", "}"), (r"\frac{1}{", "}"), ("x^{", "}"), (r"\sqrt{", "}"), ("-(", ")"),
                                    (r"\left[", r"\right]"), (r"\sum_{i=1}^{m} ", ""), (r"\sigma(", ")"), ("((", "))")])  # fmt: skip
    return f"J = {opening * depth}z{closing * depth}"


def page(setting: str) -> Page:
    if not setting:
        return Page()
    if setting == "softmax table":
        return Page(declared={"symbols": SYMBOLS["softmax"]})
    if setting in SYMBOLS and setting != "softmax":
        return Page(declared={"symbols": SYMBOLS[setting]})
    return Page(network(setting))

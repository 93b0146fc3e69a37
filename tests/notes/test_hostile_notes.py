"""What strangers put into notes: an answer or an error with a place, in time, whatever the text."""

import contextlib
import random
import time

import pytest

from symbackprop.errors import FileError
from symbackprop.notes import markdown, notebook, tex
from symbackprop.notes.claims import claims
from symbackprop.notes.items import Broken, Display
from symbackprop.notes.plan import plan, plan_file
from symbackprop.notes.text import MAX_BYTES, Source

SCANS = {"n.tex": tex.scan, "n.md": markdown.scan}
N = 200_000
PARTS = [
    *(
        "$",
        "$$",
        "\\[",
        "\\]",
        "\\(",
        "\\)",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "&",
        "\\\\",
        "%",
        "\n",
        "\n\n",
        " ",
        "=",
        "a",
    ),
    *("\\begin{align}", "\\end{align}", "\\begin{aligned}", "\\end{aligned}", "\\begin{bmatrix}", "\\end{bmatrix}"),
    *(
        "\\newcommand{\\a}{",
        "\\def\\b",
        "\\a",
        "\\b",
        "\\let\\c\\a",
        "#1",
        "\\left(",
        "\\right.",
        "\\left\\{",
        "\\stackrel",
    ),
    *("% symbackprop\n", "% /symbackprop\n", "% symbackprop: skip\n", "% symbackprop: expect refuted\n", "<!--", "-->"),
    *(
        "<!-- symbackprop\n",
        "`",
        "```",
        "```math\n",
        "\\verb|",
        "\\iffalse",
        "\\fi",
        "\\text{if}",
        "\\quad",
        ",",
        "\\approx",
    ),
    *("\\begin{verbatim}", "\\end{verbatim}", "\\label{", "^", "_", "\t", "\r", "\x00", "\u2028", "é", "\\", "> ", "+"),
]


@pytest.mark.parametrize("name", SCANS)
@pytest.mark.parametrize(
    "text",
    [
        "\\begin{align}" * N,
        "\\[" * N,
        "\\(" * N,
        "$ " * N,
        "$a" * N,
        "$$" * (N // 10),
        "{" * N,
        "\\begin{equation}" + "{" * N + "\\end{equation}",
        "\\[" + "\\left(" * N + "\\]",
        "\\[" + "a = " * 10_000 + "\\]",
        "\\begin{align}" + "a &= b \\\\ " * 4_000 + "\\end{align}",
        "\\begin{align}" + "\\begin{bmatrix}" * 3_000 + "\\end{align}",
        "\\newcommand{\\a}{" * N,
        "\\def" * N,
        "\\newcommand{\\a}[1]{#1}" * 10_000,
        "%" * N,
        "% symbackprop\n" * N,
        "% symbackprop: skip\n" * 10_000,
        "<!-- symbackprop\n" * N,
        "<!--" * N,
        "`" * N,
        "` `` " * (N // 10),
        "```\n" * N,
        "> " * N,
        "\\verb|" * N,
        "\\iffalse" * N,
        "\\text{" * N,
        "\\" * N,
        "\\[" + "\\\\" * 20_000 + "\\]",
        "\\[" + "\\quad" * 9_000 + "\\]",
        "\\[" + "a," * 20_000 + "\\]",
        "\\[ a = " + "x" * N + "\\]",
        "\\[" + "{a=" * 10_000 + "}" * 10_000 + "\\]",
        "\\[" + "{" * 10_000 + "a=b" + "}" * 10_000 + "\\]",
        "\x00" * N,
        "\n" * N,
    ],
    ids=lambda text: text[:24].encode("unicode_escape").decode(),
)
def test_scanning_ends_in_time(name, text):
    start = time.monotonic()
    with contextlib.suppress(FileError):  # too many formulas
        plan(name, SCANS[name](Source(name, text)))
    assert time.monotonic() - start < 10


def test_random_pages_give_items_with_places():
    draw = random.Random(20260)
    for round_ in range(3_000):
        text = "".join(draw.choice(PARTS) for _ in range(draw.randrange(40)))
        for name, scan in SCANS.items():
            source = Source(name, text)
            found = scan(source)
            for item in found.items:
                assert 0 <= item.start <= len(text), (round_, text)
                if isinstance(item, Broken):
                    assert item.message and item.stop <= len(text) + 4
                if isinstance(item, Display):
                    for claim in claims(item).claims:
                        begin, end = claim.text.span(0, len(claim.text))
                        assert 0 <= begin <= end <= len(text), (round_, text)
                        assert claim.text.text.strip()
            plan(name, found)


def test_sizes_are_bounded(tmp_path):
    big = tmp_path / "big.tex"
    big.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(FileError, match="split the notes"):
        plan_file(big)
    with pytest.raises(FileError, match="more than 20000 formulas"):
        tex.scan(Source("n.tex", "$$a$$" * 30_000))
    (broken,) = tex.scan(Source("n.tex", "\\[ a = " + "x" * N + "\\]")).items
    assert (broken.code, broken.start) == ("SBP105", 0)


def test_no_file_is_included(tmp_path):
    (tmp_path / "secret.tex").write_text("\\[ a = b \\]")
    path = tmp_path / "n.tex"
    path.write_text("\\input{secret} \\include{secret} \\[ c = \\input{secret} \\]")
    (section,) = plan_file(path).sections
    assert section.formulas == [r"c = \input{secret}"]


def test_a_device_is_no_file():
    with pytest.raises(FileError, match=r"notes are \.tex"):
        plan_file("/dev/zero")


def test_nested_notebooks():
    with pytest.raises(FileError, match="no notebook"):
        notebook.scan(Source("n.ipynb", '{"cells": ' + "[" * N))

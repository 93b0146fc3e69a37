"""Macros as LaTeX has them, written out within bounds."""

import time

import pytest

from symbackprop.notes.macros import MAX_LENGTH, Macro, MacroError, Macros, definition, expanded
from symbackprop.notes.text import Traced


def written(definitions, formula):
    macros, at = Macros(), 0
    while at < len(definitions):
        end = definition(definitions, at, macros)
        at = at + 1 if end is None else end
    return expanded(Traced.of(formula, 0, len(formula)), macros).text


@pytest.mark.parametrize(
    ("definitions", "formula", "wanted"),
    [
        (r"\newcommand{\W}{W^{(1)}}", r"\W x", r"W^{(1)} x"),
        (r"\newcommand\W{W^{(1)}}", r"\W{}x", r"W^{(1)}{}x"),
        (r"\newcommand*{\W}[1]{W^{(#1)}}", r"\W{2}\W3", r"W^{(2)}W^{(3)}"),
        (r"\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}", r"\pd{J}{W}", r"\frac{\partial J}{\partial W}"),
        (r"\newcommand{\pd}[2]{\frac{\partial#1}{\partial#2}}", r"\pd J W", r"\frac{\partial J}{\partial W}"),
        (r"\newcommand{\pd}[2][J]{\frac{\partial #1}{\partial #2}}", r"\pd{W}", r"\frac{\partial J}{\partial W}"),
        (r"\newcommand{\pd}[2][J]{\frac{\partial #1}{\partial #2}}", r"\pd[L]{W}", r"\frac{\partial L}{\partial W}"),
        (r"\newcommand{\dd}{\partial}", r"\dd x", r"\partial x"),
        (r"\newcommand{\dd}{\partial}\newcommand{\x}[1]{\dd#1}", r"\x{y}z", r"\partial yz"),
        (r"\renewcommand{\vec}[1]{\mathbf{#1}}", r"\vec x", r"\mathbf{x}"),
        (r"\newcommand{\a}{1}\providecommand{\a}{2}\providecommand{\b}{3}", r"\a\b", "13"),
        (r"\def\T{^\top}", r"W\T", r"W^\top"),
        (r"\def\of#1#2{#1(#2)}", r"\of{f}{x}", "f(x)"),
        (r"\let\eps\varepsilon", r"\eps x", r"\varepsilon x"),
        (r"\newcommand{\a}{1}\let\b=\a", r"\b", "1"),
        (r"\DeclareMathOperator{\diag}{diag}", r"\diag(z)", r"\operatorname{diag}(z)"),
        (r"\DeclareMathOperator*{\argmax}{arg\,max}", r"\argmax x", r"\operatorname{arg\,max} x"),
        (r"\DeclarePairedDelimiter{\norm}{\lVert}{\rVert}", r"\norm{x}", r"\lVert x \rVert"),
        (r"\newcommand{\a}{\b c}\newcommand{\b}{d}", r"\a", "d c"),
        (r"\newcommand{\a}{% nothing" + "\n x}", r"\a", "% nothing\n x"),
        (r"\def\a#1.{x}", r"\a", r"\a"),
        (r"\newcommand{\left}{x}", r"\left( y \right)", r"\left( y \right)"),
        (r"\newcommand{\a}{x", r"\a", r"\a"),
    ],
)
def test_a_formula_written_out(definitions, formula, wanted):
    assert written(definitions, formula) == wanted


@pytest.mark.parametrize(
    ("definitions", "formula", "says"),
    [
        (r"\newcommand{\a}{\a}", r"x \a", "calls itself"),
        (r"\newcommand{\a}{\b\b}\newcommand{\b}{\a\a}", r"\a", "calls itself"),
        (r"\newcommand{\a}[1]{#1#1}", r"\a", "needs 1 arguments"),
        (r"\newcommand{\a}[1]{#1#1}", r"\a{x", "needs 1 arguments"),
        (r"\newcommand{\a}[1]{#1#1#1#1#1#1#1#1}", r"\a{" * 9 + "x" + "}" * 9, "without end|too much"),
    ],
)
def test_what_does_not_end_is_refused_in_time(definitions, formula, says):
    start = time.monotonic()
    with pytest.raises(MacroError, match=says):
        written(definitions, formula)
    assert time.monotonic() - start < 5


def test_a_body_of_comments_costs_nothing():
    big = Macros({"\\a": Macro("\\a", "x" * MAX_LENGTH)})
    with pytest.raises(MacroError):
        expanded(Traced.of(r"\a\a", 0, 4), big)

"""Formulas as people write them: each is read with exactly the structure that its meaning column gives."""

import pytest
from corpus_meaning import CORPUS, lexicon, of_chain, of_meaning, spelled

from symbackprop.notation.latex_reader import read_latex


def test_the_corpus_is_complete() -> None:
    assert len(CORPUS["formulas"]) == 77


@pytest.mark.parametrize("formula", CORPUS["formulas"], ids=lambda formula: formula["id"])
def test_a_formula_of_the_corpus_is_read_exactly(formula: dict) -> None:
    words = lexicon(formula["notation"])
    (chain,) = read_latex(formula["latex"], words)
    assert spelled(of_chain(chain)) == spelled(of_meaning(formula["meaning"], words))

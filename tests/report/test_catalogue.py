"""The README's tables are what the derivation gives today."""

from pathlib import Path

import pytest

from symbackprop import NetworkError
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.losses import LOSSES
from symbackprop.report.catalogue import BEGIN, END, catalogue, replace_between_marks

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_holds_the_catalogue():
    text = README.read_text(encoding="utf-8")
    assert replace_between_marks(text) == text, "run: python -m symbackprop.report.catalogue README.md"


def test_every_entry_has_a_row_and_every_row_its_cells():
    rows = catalogue().splitlines()
    for name in (*ACTIVATIONS, *LOSSES):
        assert any(row.startswith(f"| `{name}` |") for row in rows)
    assert {row.count(" |") for row in rows if row.startswith("| `")} == {4}


def test_derived_forms_are_in_it():
    text = catalogue()
    assert r"| `cross_entropy` | $-\sum_{i=1}^{n} y_i \log a_i$ | `softmax` | $a - y$ (targets sum to 1) |" in text
    assert r"| `tanh` | $\frac{e^{z} - e^{-z}}{e^{z} + e^{-z}}$ | $1 - a^2$ |  |" in text
    assert r"\frac{\partial a_i}{\partial z_j} = \delta_{ij} a_i - a_i a_j" in text


def test_an_old_table_is_replaced_and_a_file_without_marks_refused():
    assert replace_between_marks(f"x\n{BEGIN}\nold\n{END}\ny\n").count("old") == 0
    with pytest.raises(NetworkError, match="needs one line"):
        replace_between_marks("nothing")

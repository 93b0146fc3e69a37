"""The results in a report: what must be said, in which notation, and that no line runs off the page."""

import re
import shutil
import subprocess

import pytest

from symbackprop import Activation, Dense, Loss, Network
from symbackprop.report import tex
from symbackprop.report.document import Document, Section
from symbackprop.report.results_report import results_blocks
from symbackprop.report.subject import Subject

NETWORKS = {
    "sigmoid": Network(
        [Dense("n_1", "sigmoid"), Dense("n_2", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m"
    ),
    "notes": Network(
        [Dense(3, "relu"), Dense(2, "tanh"), Dense(1, "sigmoid")],
        inputs="m",
        loss="log_likelihood",
        batch="N",
        notation={"layer": "[l]"},
    ),
    "rows": Network(
        [Dense("hidden", "softmax"), Dense("n_h", "tanh", bias=False), Dense("n_out", "softmax")],
        inputs="n_in",
        loss="cross_entropy",
        batch="N",
        samples="rows",
        weights="in x out",
        l2="lambda",
        l1="mu",
        notation={"layer": "_l", "names": {"target": "y_d", "prediction": r"\hat{y}"}},
    ),
    "one unit": Network([Dense(1, "generic"), Dense(1, "generic")], inputs=1, loss="squared_error"),
    "deep": Network(
        [Dense(f"n_{i}", "relu") for i in range(1, 41)],
        inputs="n_0",
        loss="generic",
        batch="m",
        notation={"layer": "l", "first": 2},
    ),
    "own functions": Network(
        [Dense(3, Activation("my_swish", r"\frac{z}{1 + e^{-z}}"))], inputs=2, loss=Loss("my_loss", "(a - y)^4")
    ),
    "linear": Network(
        [Dense("p"), Dense("q"), Dense("r", bias=False), Dense("k")],
        inputs="width",
        loss="half_squared_error",
        batch=20,
        notation={"names": {"samples": "N", "loss": "C_y"}},
    ),
}


def document(name):
    derived = NETWORKS[name].derive()
    return Document(name, "", tuple(results_blocks(Subject(derived, derived.writer))))


TEXT = {}


def body(name):
    if name not in TEXT:
        TEXT[name] = tex.body(document(name))
    return TEXT[name]


def test_the_sections_in_their_order():
    titles = [block.title for block in document("sigmoid").blocks if isinstance(block, Section)]
    assert titles == ["One step of training", "Counting", "What follows for the weights"]


def test_one_layer_has_no_facts_to_tell():
    titles = [block.title for block in document("own functions").blocks if isinstance(block, Section)]
    assert titles == ["One step of training", "Counting"]


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_latex_compiles_and_no_line_runs_off_the_page(tmp_path):
    """All networks in one document."""
    blocks = tuple(block for name in NETWORKS for block in document(name).blocks)
    (tmp_path / "all.tex").write_text(tex.document(Document("All", "", blocks)))
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "all.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert re.findall(r"^Overfull \\hbox.*", done.stdout, re.M) == []


@pytest.mark.parametrize("name", NETWORKS)
def test_braces_and_places_of_formulas_are_all_used(name):
    text = body(name)
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert "@" not in text


def test_the_notes_numbers():
    text = body("notes")
    assert r"P = 3 m + 3 + 8 + 3 = 3 m + 14" in text
    assert r"P + 1 &= 3 m + 15" in text
    assert r"W^{[1]} &\leftarrow W^{[1]} + \alpha \frac{\partial J}{\partial W^{[1]}}" in text
    assert "goes a step along its gradient" in text
    assert "for all sizes" not in text  # 3, 2 and 1 are no symbols


def test_a_step_with_its_gradient():
    text = body("sigmoid")
    assert r"= W^{(2)} - \alpha \Delta^{(2)} A^{(1)T}" in text
    assert r"\theta &= \left(W^{(1)}, b^{(1)}, W^{(2)}, b^{(2)}\right)" in text
    assert r"\Delta^{(2)} = \frac{\partial {J}_B}{\partial Z^{(2)}} = \frac{1}{B} (A^{(2)} - Y)" in text
    assert r"\sum_{s=1}^{B}" in text


def test_the_minibatch_keeps_the_letters_of_the_notation():
    text = body("linear")
    assert r"{C_y}_B = \frac{1}{2 B}" in text
    assert r"\hat{y} - y_d" in body("rows")
    assert "minibatch" not in body("one unit")


def test_zero_weights_are_told_as_the_activation_has_it():
    stuck = "by induction the weights stay 0 for ever"
    assert stuck in body("notes")
    assert stuck not in body("sigmoid")
    assert r"\frac{\partial J}{\partial W_{ij}^{(2)}} &= \frac{1}{2} \sum_{s=1}^{m} \Delta_{is}^{(2)}" in body(
        "sigmoid"
    )


def test_facts_are_told_once_with_the_layers_they_hold_for():
    text = body("deep")
    assert text.count("Equal units never separate") == 1
    assert "It is proved in the same way for layers 3, 4, ... and 40." in text
    assert body("linear").count("Layers without a nonlinearity") == 1
    assert "Layer 1 has no activation function" in body("linear")
    assert "If layer 2 had no activation function" in text
    assert "Equal units" not in body("one unit")


def test_long_counts_are_in_the_order_of_the_layers():
    assert r"P = n_0 n_1 + n_1 + n_1 n_2 + n_2 + \cdots + n_{39} n_{40} + n_{40}" in body("deep")


def test_initialisations_are_named():
    text = body("sigmoid")
    assert "Glorot and Bengio" in text
    assert r"\mathcal{N}\left(0,\ 0.1\right)" in text

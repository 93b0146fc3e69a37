"""The report in each form: what it must say, LaTeX that compiles without an overfull line, text that is escaped."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from symbackprop import Activation, Dense, Loss, Network, Unsupported

NETWORKS = {
    "sigmoid": Network(
        [Dense("n_1", "sigmoid"), Dense("n_2", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m"
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
        [Dense(f"n_{i}", "relu") for i in range(1, 31)],
        inputs="n_0",
        loss="generic",
        notation={"layer": "l", "first": 2},
    ),
    "own functions": Network(
        [Dense(3, Activation("my_swish", r"\frac{z}{1 + e^{-z}}"))], inputs=2, loss=Loss("my_loss", "(a - y)^4")
    ),
}

SECTIONS = [
    "The network and its notation",
    "Shapes and parameters",
    "Forward pass",
    "Backward pass",
    "Closed forms",
]


@pytest.fixture(params=NETWORKS)
def derivation(request):
    return NETWORKS[request.param].derive()


@pytest.mark.parametrize("suffix", [".html", ".tex", ".md"])
def test_every_section_and_every_gradient_is_there(derivation, suffix, tmp_path):
    text = derivation.write(tmp_path / f"net{suffix}").read_text()
    if suffix == ".html":
        text = html_text(text)
    places = [text.index(section) for section in SECTIONS]
    assert places == sorted(places)
    for step in derivation.steps:
        assert step.rule.name in text
    closed = text[places[-1] :]
    parameters = derivation.model.parameters
    for parameter in [*parameters[:2], *parameters[-2:]]:  # of very many, the first and the last
        assert rf"\frac{{\partial J}}{{\partial {derivation.writer(parameter)}}}" in closed


def html_text(page):
    """The text of the page's body: scripts and styles left out, entities read."""

    class Reader(HTMLParser):
        def __init__(self):
            super().__init__(convert_charrefs=True)
            self.parts, self.open, self.silent = [], [], 0

        def handle_starttag(self, tag, attrs):
            self.silent += tag in ("script", "style")
            if tag not in ("meta", "br", "link"):
                self.open.append(tag)

        def handle_endtag(self, tag):
            self.silent -= tag in ("script", "style")
            assert self.open.pop() == tag

        def handle_data(self, data):
            if not self.silent:
                self.parts.append(data)

    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return "".join(reader.parts)


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_latex_compiles_and_no_line_runs_off_the_page(derivation, tmp_path):
    derivation.write(tmp_path / "net.tex")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "net.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert re.findall(r"^Overfull \\hbox.*", done.stdout, re.M) == []
    assert (tmp_path / "net.pdf").stat().st_size > 10_000


def test_latex_is_body_text(derivation):
    text = derivation.latex()
    assert "documentclass" not in text
    assert "begin{document}" not in text
    assert text.count("\\[\n") == text.count("\n\\]")
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


def test_names_are_escaped_where_they_are_text(tmp_path):
    layers = [Dense(2, Activation("my_act", "z^3"))]
    d = Network(layers, inputs=2, loss=Loss("my_loss", "(a - y)^4"), title="A < B & C_1 {100%}").derive()
    assert r"A $<$ B \& C\_1 \{100\%\}" in d.write(tmp_path / "net.tex").read_text()
    assert "<h1>A &lt; B &amp; C_1 {100%}</h1>" in d.write(tmp_path / "net.html").read_text()
    assert r"# A \< B & C\_1 \{100%\}" in d.write(tmp_path / "net.md").read_text()


def test_the_generic_layer_and_the_induction_are_told():
    text = NETWORKS["deep"].derive().latex()
    assert "Every layer at once" in text
    assert "By induction this holds at every depth" in text
    assert r"\delta^l = \frac{\partial J}{\partial z^l}" in text
    assert "for the last layer, 31, the error was derived from the loss" in text


def test_assumptions_are_listed():
    text = NETWORKS["rows"].derive().latex()
    assert r"Assumed: the targets of each sample sum to 1: $y_d \mathbf{1} = \mathbf{1}$." in text
    assert "The last line holds since the targets of each sample sum to 1" in text
    assert "Assumed: no weight is 0" in text
    assert "no pre-activation lies at a kink of relu" in NETWORKS["deep"].derive().latex()


def test_other_suffixes_are_refused_by_name(tmp_path):
    d = NETWORKS["sigmoid"].derive()
    for name in ("net.pdf", "net.ipynb", "net", "net.doc"):
        with pytest.raises(Unsupported, match=r"written as \.html, \.tex, \.md"):
            d.write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []

"""A page as a whole: definitions stay, chains go on, what follows from a wrong line says so, places are right."""

import pytest
from note_formulas import network

from symbackprop import Dense, Network
from symbackprop.errors import NetworkError, NotationError, Position
from symbackprop.marking import Page, infer
from symbackprop.proof.status import Status

PROVED, REFUTED, UNREAD, UNDECIDED, DEFINED = (
    Status.PROVED, Status.REFUTED, Status.UNREAD, Status.UNDECIDED, Status.DEFINED,
)  # fmt: skip


def judged(page: Page, *formulas: str) -> list[Status]:
    return [page.judge(formula).status for formula in formulas]


# Definitions


def test_what_a_page_defines_stays_in_scope() -> None:
    page = Page(network("softmax"))
    assert judged(
        page,
        r"q = \mathrm{softmax}(z^{(2)})",
        r"\frac{\partial L}{\partial z^{(2)}} = q - y",
        r"e = q - y",
        r"\frac{\partial L}{\partial W^{(2)}} = e a^{(1)T}",
        r"\frac{\partial L}{\partial W^{(2)}} = a^{(1)} e^T",
    ) == [DEFINED, PROVED, DEFINED, PROVED, REFUTED]
    assert page.unused == {}


def test_a_definition_that_nothing_uses_is_told() -> None:
    page = Page(network("softmax"))
    page.judge(r"q = \hat y - y", Position(7, 3))
    assert page.unused == {"q": Position(7, 3)}


def test_a_definition_one_edit_away_from_a_known_name_is_told() -> None:
    page = Page(network("batch"))
    found = page.judge(r"y_hut = A^{(2)}".replace("y_hut", r"\tilde{y}"))
    assert found.status is DEFINED
    assert judged(page, r"\tilde{y} = Y", r"\tilde y = A^{(2)}") == [REFUTED, PROVED]


def test_a_page_without_a_network_derives_what_it_defines() -> None:
    page = Page()
    assert judged(
        page,
        "z = w x + b",
        r"a = \sigma(z)",
        "J = (a - y)^2",
        r"\frac{dJ}{da} = 2 (a - y)",
        r"\frac{dJ}{da} = 2 a - y",
        r"\frac{\partial J}{\partial w} = 2 (a - y) \sigma'(z) x",
        r"\frac{\partial J}{\partial w} = \frac{\partial J}{\partial a} \frac{\partial a}{\partial z} "
        r"\frac{\partial z}{\partial w} = 2 (a - y) a (1 - a) x",
        r"\frac{\partial J}{\partial b} = 2 (a - y) \sigma'(a)",
        r"w := w - \alpha \frac{\partial J}{\partial w}",
        r"w := w - 2 \alpha (a - y) a (1 - a) x",
        r"w := w + 2 \alpha (a - y) a (1 - a) x",
    ) == [DEFINED, DEFINED, DEFINED, PROVED, REFUTED, PROVED, PROVED, REFUTED, PROVED, PROVED, REFUTED]


def test_functions_of_a_page() -> None:
    page = Page()
    assert judged(
        page,
        r"g(z) = \frac{1}{1 + e^{-z}}",
        r"g'(z) = g(z) (1 - g(z))",
        r"g'(z) = g(z) (1 + g(z))",
        r"f(x) = x^3 + 2x",
        r"f'(x) = 3x^2 + 2",
        r"\frac{df}{dx} = 3x^2 + 2",
        r"\frac{d}{dx} f(g(x)) = f'(g(x)) g'(x)",
    ) == [DEFINED, PROVED, REFUTED, DEFINED, PROVED, PROVED, PROVED]


def test_the_circuit_of_a_lecture() -> None:
    page = Page()
    assert judged(
        page,
        "f(x, y, z) = (x + y) z",
        r"\frac{\partial f}{\partial x} = z",
        r"\frac{\partial f}{\partial z} = x + y",
        r"\frac{\partial f}{\partial z} = x y",
    ) == [DEFINED, PROVED, PROVED, REFUTED]


def test_matrix_calculus_over_declared_symbols() -> None:
    page = Page(declared={"symbols": {"X": "m x n", "w": "n x 1", "y": "m x 1", "J": "loss", "lambda": "scalar"}})
    assert judged(
        page,
        r"J = \frac{1}{2m} \|X w - y\|^2 + \frac{\lambda}{2} \|w\|^2",
        r"\nabla_w J = \frac{1}{m} X^T (X w - y) + \lambda w",
        r"\nabla_w J = \frac{1}{m} X^T (X w - y) + 2 \lambda w",
        r"w \leftarrow w - \alpha \left( \frac{1}{m} X^T (X w - y) + \lambda w \right)",
        r"r = X w - y",
        r"\nabla_w J = \frac{1}{m} X^T r + \lambda w",
    ) == [DEFINED, PROVED, REFUTED, PROVED, DEFINED, PROVED]


def test_what_has_no_definition_is_not_refuted() -> None:
    page = Page()
    chain = r"\frac{\partial J}{\partial w} = \frac{\partial J}{\partial a} \frac{\partial a}{\partial w}"
    found = page.judge(chain)
    assert found.status is UNDECIDED
    assert "no definition" in found.message


# Chains


def test_each_equality_has_its_verdict_and_place() -> None:
    page = Page(network("three"))
    text = (
        "\\begin{aligned}\n  \\delta^{(3)} &= \\hat y - y \\\\\n  &= y - \\hat y \\\\\n  &= a^{(3)} - y\n\\end{aligned}"
    )
    found = page.judge(text, Position(10, 5))
    assert [link.status for link in found.links] == [PROVED, REFUTED, REFUTED]
    assert found.status is REFUTED
    assert [link.span[0] for link in found.links] == [Position(11, 19), Position(12, 6), Position(13, 6)]
    assert "wrong already" in found.links[2].message


def test_what_follows_from_a_wrong_line_says_so() -> None:
    page = Page(network("three"))
    found = page.judge(r"\delta^{(3)} = y - \hat y = -(\hat y - y)")
    assert [link.status for link in found.links] == [REFUTED, PROVED]
    assert "follows from a line that is wrong" in found.links[1].message


def test_a_chain_goes_on_in_the_next_display() -> None:
    page = Page(network("three"))
    assert judged(
        page,
        r"\frac{\partial L}{\partial W^{(3)}} = \delta^{(3)} a^{(2)T}",
        r"= (\hat y - y) a^{(2)T}",
        r"= (y - \hat y) a^{(2)T}",
    ) == [PROVED, PROVED, REFUTED]


def test_a_line_that_cannot_be_read_leaves_the_others() -> None:
    page = Page(network("three"))
    found = page.judge(r"\delta^{(3)} = \hat y - q = \hat y - y")
    assert [link.status for link in found.links] == [UNREAD, PROVED]
    assert found.links[0].code == "SBP102"


def test_a_symbolic_layer_names_the_layers_it_was_judged_for() -> None:
    found = Page(network("three")).judge(r"\delta^{(l)} = W^{(l+1)T} \delta^{(l+1)} \odot \tanh'(z^{(l)})")
    assert found.status is PROVED
    assert "l = 1" in found.message
    assert "l = 2" in found.message
    wrong = Page(network("three")).judge(r"a^{(l)} = \tanh(z^{(l)})")
    assert wrong.status is REFUTED
    assert wrong.message.startswith("for l = 3")


def test_a_formula_without_an_equals_sign_claims_nothing() -> None:
    found = Page(network("three")).judge(r"2 (\hat y - y)")
    assert (found.status, found.code) == (UNREAD, "SBP101")


# Readings and errors


def test_a_reading_is_in_our_words_with_shapes() -> None:
    net = network("batch")
    text = str(net.read(r"\nabla_{W^{(2)}} J = \frac{1}{m} (A^{(2)} - Y) A^{(1)T}"))
    assert text == "dJ/dW2  [n_2 x n_1]\n  = (1 / m) @ (A2 - Y) @ A1.T  [n_2 x n_1]"
    assert "added to every sample" in str(net.read(r"Z^{(1)} = W^{(1)} X + b^{(1)}"))


@pytest.mark.parametrize(
    ("setting", "latex", "code", "column", "says"),
    [
        ("batch", r"Z^{(1)} = V^{(1)} X", "SBP102", 11, "declare it"),
        ("batch", r"A^{(1)} = \simga(Z^{(1)})", "SBP104", 11, r"\sigma"),
        ("batch", r"A^{(1)} = \mathrm{sigmod}(Z^{(1)})", "SBP102", 11, "sigmoid"),
        ("batch", r"Z^{(3)} = W^{(2)} X", "SBP102", 1, "1 to 2"),
        ("batch", r"Z^{[1]} = W^{(1)} X", "SBP101", 4, "written"),
        ("batch", r"Z^{(1)} = (W^{(1)} X", "SBP101", 21, "expected )"),
        ("batch", r"Z^{(1)} = \frac{W^{(1)}}", "SBP101", 25, "expected"),
        ("batch", r"Z^{(1)} = W^{2} X", "SBP103", 14, "layer or a power"),
        ("batch", r"Z = W X", "SBP103", 1, "which layer"),
        ("batch", r"Z^{(1)} = W^{(1)'} X", "SBP101", 17, "expected"),
        ("batch", r"Z^{(1)} = 1/m W^{(1)} X / 2 A^{(1)}", "SBP103", 25, "divide"),
        ("batch", r"Z^{(1)} = \int X", "SBP104", 11, "integrals"),
        ("batch", r"J = \sum_q 2", "SBP103", 5, "over what"),
        ("batch", r"Z^{(1)} = W^{(1)-1} X", "SBP104", 17, "inverse"),
    ],
)
def test_an_error_has_its_code_its_place_and_what_to_do(
    setting: str, latex: str, code: str, column: int, says: str
) -> None:
    page = Page(network(setting), {"notation": {"layer": "(l)"}})
    found = page.judge(latex)
    assert found.status is UNREAD, found
    assert (found.code, found.span[0]) == (code, Position(1, column)), found
    assert says in found.message
    with pytest.raises(NotationError) as caught:
        page.read(latex)
    assert caught.value.position == Position(1, column)


def test_both_readings_of_what_is_ambiguous_are_shown() -> None:
    found = Page(network("wide")).judge(r"\delta^{(1)} = W^{(2)T} \delta^{(2)} \odot \tanh'(z^{(1)})")
    assert r"(W2^T delta2) \odot tanh'(z1)" in found.message
    assert r"W2^T (delta2 \odot tanh'(z1))" in found.message


def test_sigma_where_another_layer_has_the_sigmoid_is_ambiguous() -> None:
    found = Page(network("ng")).judge(r"A^{[1]} = \sigma(Z^{[1]})")
    assert (found.status, found.code) == (UNREAD, "SBP103")


def test_an_object_other_than_text_is_refused() -> None:
    with pytest.raises(TypeError, match="of="):
        network("batch").verify(network("batch").derive().gradient("W1"))


# What is inferred


@pytest.mark.parametrize(
    ("formulas", "notation"),
    [
        ([r"z^{[l]} = W^{[l]} a^{[l-1]} + b^{[l]}"], {"layer": "[l]"}),
        ([r"\delta^l = (w^{l+1})^T \delta^{l+1} \odot \sigma'(z^l)"], {"layer": "l"}),
        ([r"Z_1 = X W_1 + b_1"], {"layer": "_l", "first": 1}),
        ([r"a^{(0)} = x", r"z^{(1)} = W^{(1)} a^{(0)}"], {"layer": "(l)", "first": 1}),
        ([r"dW^{[1]} = \frac1m dZ^{[1]} X^T"], {"layer": "[l]", "first": 1, "differentials": "per sample"}),
        ([r"J = \frac{1}{m} \sum_{i=1}^m (y^i - t^i)^2"], {"sample": "i", "names": {"prediction": "y", "target": "t"}}),
    ],
)
def test_the_notation_of_a_page_is_inferred(formulas: list[str], notation: dict) -> None:
    assert infer(formulas, {})["notation"] == notation
    assert "notation" not in infer(formulas, {"notation": notation})


@pytest.mark.parametrize(
    ("formula", "layout"),
    [
        (r"Z^{[1]} = W^{[1]} X + b^{[1]}", ("columns", "out x in")),
        (r"z = w^T x + b", ("columns", "in x out")),
        (r"\mathbf{z}^{(2)} = \mathbf{W}^{(2)\top} \mathbf{a}^{(1)} + \mathbf{b}^{(2)}", ("columns", "in x out")),
        (r"Z_1 = X W_1 + b_1", ("rows", "in x out")),
        (r"Z = X W^T + b", ("rows", "out x in")),
    ],
)
def test_where_samples_and_weights_lie_is_inferred(formula: str, layout: tuple[str, str]) -> None:
    found = infer([r"J = 1", formula, formula], {})
    assert (found["samples"], found["weights"]) == layout
    assert "samples" not in infer([formula], {"samples": layout[0]})


def test_what_is_inferred_can_be_declared() -> None:
    page = [
        r"J = \frac{1}{m} \sum_{i=1}^m L^{(i)}",
        r"dW^{[1]} = \frac{1}{m} dZ^{[1]} X^T",
        r"Z^{[1]} = W^{[1]} X + b^{[1]}",
    ]
    found = infer(page, {})
    assert found["notation"]["names"] == {"loss": "J", "sample_loss": "L"}
    net = Network([Dense("k", "softmax")], inputs="n", loss="cross_entropy", batch="m", **found)
    assert [net.verify(line).status for line in page] == [PROVED] * 3


def test_what_is_inferred_never_stands_against_what_is_declared() -> None:
    net = Network(
        [Dense("k", "identity")], inputs="n", loss="squared_error", batch="m", notation={"names": {"target": "L"}}
    )
    assert net.verify(r"J = \frac{1}{m} \|A - L\|_F^2").status is PROVED
    with pytest.raises(NetworkError, match="known are"):
        Page(net, {"notation": {"layers": "[l]"}}).judge("x = y")


def test_what_is_declared_is_not_inferred() -> None:
    net = Network([Dense("n_1", "tanh")], inputs="n_0", loss="squared_error", notation={"layer": "(l)"})
    found = net.verify(r"z^{[1]} = W^{[1]} x + b^{[1]}")
    assert (found.status, found.code) == (UNREAD, "SBP101")
    assert 'layer = "[l]"' in found.message

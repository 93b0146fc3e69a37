"""Spellings that mean one thing are one tree; what is bounded, refused or ambiguous is an error with a place."""

# ruff: noqa: E501

import pytest

from symbackprop.errors import NotationError, Position
from symbackprop.notation import syntax as s
from symbackprop.notation.latex_reader import read_latex
from symbackprop.notation.latex_tokens import tokenize
from symbackprop.notation.lexicon import Lexicon, Word, plain

WORDS = {
    "W": Word("array", layered=True, rank=2),
    "a": Word("array", layered=True, rank=1, sampled=True),
    "z": Word("array", layered=True, rank=1, sampled=True),
    "x": Word("array", rank=1, sampled=True),
    "y": Word("array", rank=1, sampled=True),
    "y_hat": Word("array", rank=1, sampled=True),
    "y_d": Word("array", rank=1, sampled=True),
    "delta": Word("array", layered=True, rank=1, sampled=True),
    "sigma": Word("function", layered=True),
    "g": Word("function", layered=True),
    "J": Word("loss", sampled=True),
    "alpha": Word("scalar"),
    "m": Word("scalar"),
}


def tree(text: str, style: str = "(l)") -> s.Node:
    (chain,) = read_latex(text, Lexicon(WORDS, style))
    (side,) = chain.sides
    return side


@pytest.mark.parametrize(
    ("style", "spellings"),
    [
        ("(l)", [r"W^{(1)T}", r"{W^{(1)}}^T", r"(W^{(1)})^\top", r"\mathbf{W}^{(1)\top}", r"W^{(1)^T}", r"W^{(1)\mathsf{T}}",
                 r"\left(\boldsymbol{W}^{(1)}\right)^{\intercal}", r"\textcolor{red}{W}^{(1)T}", r"W^{(1){T}}"]),
        ("[l]", [r"g^{[1]'}(z^{[1]})", r"g^{[1]\prime}(z^{[1]})", r"{g^{[1]}}'(z^{[1]})", r"g'^{[1]}(z^{[1]})",
                 r"g^{[1]'}\left(z^{[1]}\right)", r"(g^{[1]})'(z^{[1]})"]),
        ("l", [r"a^l_j", r"a_j^l", r"a^{l}_{j}", r"\vec{a}_j^{\,l}"]),
        ("(l)", [r"W^{(1)}_{jk}", r"W_{jk}^{(1)}", r"W_{j,k}^{(1)}", r"W_{j k}^{(1)}"]),
        ("(l)", [r"\hat{y} - y", r"\hat y - y", r"\hat{\mathbf{y}} - \mathbf y", r"\widehat{y} \; - \quad y"]),
        ("(l)", [r"\frac{1}{m} x", r"\frac1m x", r"\dfrac{1}{m}\,x", r"\tfrac 1 m x", "1/m x"]),
        ("(l)", [r"x \odot y", r"x \circ y", "x * y", r"x .* y", r"x \bullet y"]),
        ("(l)", [r"\nabla_{W^{(1)}} J", r"\frac{\partial J}{\partial W^{(1)}}", r"\partial J / \partial W^{(1)}",
                 r"\frac{\partial}{\partial W^{(1)}} J", r"\dfrac{dJ}{dW^{(1)}}", r"dJ/dW^{(1)}", r"\partial_{W^{(1)}} J"]),
        ("(l)", [r"\|x\|_2^2", r"\|x\|^2", r"\lVert x \rVert^2", r"\left\|x\right\|^2_2", r"||x||^2", r"\Vert x \Vert_2^{2}"]),
        ("(l)", [r"\sum_{i=1}^m x", r"\sum\limits_{i=1}^{m} x", r"\sum^m_{i=1} x", r"\displaystyle\sum_{i = 1}^{m} x"]),
        ("(l)", [r"y_{d,j}", r"{y_d}_j"]),
        ("(l)", [r"\log \hat{y}", r"\ln \hat y", r"\log(\hat{y})", r"\log\left[\hat{y}\right]"]),
        ("(l)", [r"\sigma'(z^{(1)})", r"\sigma^{\prime}(z^{(1)})", r"\sigma ' \big( z^{(1)} \big)"]),
        ("(l)", [r"\mathbb{1}[z^{(1)} > 0]", r"\mathbf{1}\{z^{(1)} > 0\}", r"\mathbb{I}(z^{(1)} > 0)", r"\mathbf 1_{z^{(1)} > 0}"]),
    ],
)  # fmt: skip
def test_spellings_of_one_thing_are_one_tree(style: str, spellings: list[str]) -> None:
    first, *others = (tree(spelling, style) for spelling in spellings)
    for spelling, other in zip(spellings[1:], others):
        assert other == first, spelling


def test_juxtaposition_with_primes_and_powers() -> None:
    assert tree(r"\sigma(1 - \sigma)") == tree(r"\sigma \cdot (1 - \sigma)")
    assert isinstance(tree(r"\sigma(1 - z^{(1)})"), s.Call)
    assert tree(r"\tanh^2(z^{(1)})") == s.Raised(tree(r"\tanh(z^{(1)})"), s.Num(2))


def test_a_superscript_is_what_the_notation_says() -> None:
    assert tree("a^{(2)(i)}") == s.Name("a", *(tree("a^{(2)(i)}").layer, tree("a^{(2)(i)}").sample))
    assert tree("x^{(3)}").sample == 3
    assert tree("a^3", "l").layer == 3
    assert isinstance(tree("x^3"), s.Raised)
    with pytest.raises(NotationError, match="layer or a power"):
        tree("a^3")


def test_lines_are_joined_to_chains() -> None:
    text = r"""\begin{align*}
        \delta &= x + y \tag{1} \\   % first
               &\quad {} + z \\
               &= y, \qquad \text{where} \\
        x &= y. \label{last}
    \end{align*}"""
    chains = read_latex(text, Lexicon(WORDS))
    assert [len(chain.sides) for chain in chains] == [3, 2]
    assert isinstance(chains[0].sides[1], s.Plus)
    assert len(chains[0].sides[1].terms) == 3


def test_conditions_beside_a_formula_are_left_out() -> None:
    assert len(read_latex(r"x = y, \quad l = 1, \dots, L", Lexicon(WORDS))) == 1
    assert len(read_latex(r"x = y \quad \text{for all } i = 1, 2, \ldots, m", Lexicon(WORDS))) == 1
    assert len(read_latex(r"x = y \Rightarrow y = x", Lexicon(WORDS))) == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("(" * 60 + "x" + ")" * 60, "SBP105"),
        ("x + " * 3000 + "x", "SBP105"),
        ("9" * 50, "SBP105"),
        ("x" * 10_001, "SBP105"),
        ("\\frac{" * 100, "SBP105"),
        (r"x \otimes y", "SBP104"),
        (r"\int x", "SBP104"),
        (r"x \approx y", "SBP104"),
        (r"\frac{\partial^9 J}{\partial x^9}", "SBP104"),
        (r"\frac{\partial^2 J}{\partial x}", "SBP101"),
        (r"x / y z", "SBP103"),
        (r"W_{jk}^T", "SBP103"),
        (r"(x", "SBP101"),
        (r"x)", "SBP101"),
        (r"x + - y", "SBP101"),
        (r"x'", "SBP101"),
        (r"", "SBP101"),
        (r"\begin{bmatrix} 1 & 2 \\ 3 \end{bmatrix}", "SBP101"),
    ],
)
def test_what_is_not_read_is_an_error_with_a_place(text: str, code: str) -> None:
    with pytest.raises(NotationError) as caught:
        read_latex(text, Lexicon(WORDS), Position(4, 7))
    assert caught.value.code == code
    assert caught.value.position is not None
    assert caught.value.position.line == 4
    assert caught.value.position.column >= 7


def test_places_count_through_lines() -> None:
    tokens = tokenize("x = \n  \\sigma", Position(3, 10))
    assert [(t.text, t.start) for t in tokens[:-1]] == [
        ("x", Position(3, 10)),
        ("=", Position(3, 12)),
        ("sigma", Position(4, 3)),
    ]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [(r"\hat{y}", "y_hat"), (r"\hat y", "y_hat"), ("y_d", "y_d"), (r"\lambda", "lambda"), ("W_{hh}", "W_hh"),
     (r"\mathcal{L}", "L"), ("x", "x"), (r"\mathbf{w}_1", "w_1"), ("y_hat", "y_hat")],
)  # fmt: skip
def test_names_have_a_plain_form(name: str, wanted: str) -> None:
    assert plain(name) == wanted

"""The second reading: its decisions with a stand-in for latex2sympy2, and with the real one where that is installed."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from types import SimpleNamespace

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symbackprop.algebra.formula import Formula, Number, Scalar, Symbol
from symbackprop.algebra.functions import log
from symbackprop.errors import NotationError
from symbackprop.notation import second_reading
from symbackprop.notation.scalar_reader import read_scalar
from symbackprop.notation.second_reading import check_second_reading

z, a, y = Symbol("z"), Symbol("a"), Symbol("y")
SYMBOLS: dict[str, Formula] = {
    "z": z,
    "a": a,
    "y": y,
    r"\alpha": Scalar("alpha"),
    r"\hat{y}": Symbol("p"),
    "y_d": Symbol("y_d"),
    "i": Symbol("i"),
    "d": Symbol("d"),
    "E": Symbol("E"),
    r"\eta": Number(Fraction(3, 10)),
    "q": 1 - a,
    **{f"w_{{{number}}}": Symbol(f"w{number}") for number in range(17)},
}


class StandIn(SimpleNamespace):
    """Answers every text with one expression, and writes down what it was asked."""

    def __init__(self, answer: object) -> None:
        super().__init__(answer=answer, calls=[])

    def set_variances(self, variances: object) -> None:
        self.calls.append("reset")

    def set_real(self, real: object) -> None:
        assert real is None

    def latex2sympy(self, latex: str) -> object:
        self.calls.append(latex)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def check(monkeypatch: pytest.MonkeyPatch, text: str, answer: object) -> tuple[bool, list[str]]:
    module = StandIn(answer)
    monkeypatch.setattr(second_reading, "_latex2sympy2", lambda: module)
    return check_second_reading(text, read_scalar(text, SYMBOLS), SYMBOLS), module.calls


X, Y = sympy.symbols("x y")


def test_names_become_letters_and_the_state_is_reset_before_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    agrees, calls = check(monkeypatch, r"y_d \, \log \hat y - y_{d} \cdot 2", Y * 0 + X * sympy.log(Y) - 2 * X)
    assert agrees
    assert calls == ["reset", r"x \ln y - x * 2", "reset"]


def test_planted_disagreement(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotationError, match=r"the two readings differ: .* write brackets") as caught:
        check(monkeypatch, r"a - y", X + Y)
    assert caught.value.position is not None
    assert "\n" not in caught.value.message


def test_base_ten_is_a_disagreement(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotationError, match="differ"):
        check(monkeypatch, r"\log a", sympy.log(X) / sympy.log(10))


@pytest.mark.parametrize(
    "answer",
    [
        ValueError("no"),
        RecursionError(),
        None,
        [X],
        sympy.Symbol("w"),
        sympy.Function("x")(Y),
        sympy.Derivative(X, X),
        sympy.log(-(X**2)),
        sympy.Pow(sympy.Add(X, -X, evaluate=False), -1, evaluate=False),
        sympy.Pow(9, sympy.Pow(9, sympy.Pow(9, 9, evaluate=False), evaluate=False), evaluate=False),
    ],
    ids=str,
)
def test_failures_and_undefined_values_are_no_second_reading(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    agrees, calls = check(monkeypatch, "a + y", answer)
    assert not agrees
    assert calls == ["reset", "x + y", "reset"]


@pytest.mark.parametrize(
    "text",
    [
        r"\tanh'(z)",
        r"\mathbb{1}[z > 0]",
        r"\operatorname{erf}(z)",
        r"\operatorname{sgn}(z)",
        "((((((((z))))))))",
        "z" + "+z" * 200,
        "+".join(f"w_{{{number}}}" for number in range(17)),
    ],
    ids=lambda text: text[:20],
)
def test_texts_out_of_the_vocabulary_are_not_passed_on(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert check(monkeypatch, text, X) == (False, [])


def test_undefined_in_the_first_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not check(monkeypatch, r"\frac{1}{a - a} + \log(-1 - a^2)", X)[0]


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    assert check_second_reading("a + y", a - y, SYMBOLS) is False


AGREED = [
    r"\frac{z}{1+e^{-z}}",
    r"-\left(y \log a + (1-y)\log(1-a)\right)",
    r"-[y \log \hat{y} + (1-y)\log(1-\hat{y})]",
    r"\max(0, z) - 0.01\max\{-z, 0\}",
    r"\tfrac12 (a-y_d)^2",
    r"\ln(1+e^z)",
    r"\frac{z}{2}\left(1+\tanh\left(\sqrt{\frac{2}{\pi}}(z+0.044715z^3)\right)\right)",
    r"\left|a-y\right|^{\frac{3}{2}}",
    r"\lvert a-y\rvert y",
    r"\tanh^2(z) + \sin z \cos z",
    r"\log\cosh(a-y)",
    r"2^{-z} \exp(-z^2)",
    r"i \, d E e^{d i}",
    r"\eta \alpha z / y - q",
    r"a y / 2 \cdot z",
]


WORDS = ["a", "y", "z", r"\hat{y}", "2", "0.5", "+", "-", r"\cdot", "/", "(", ")", "^2", r"\log", r"\tanh("]
WORDS += [r"\frac12", "|", "e^z"]


@pytest.fixture
def installed() -> None:
    pytest.importorskip("latex2sympy2", exc_type=ImportError)


@pytest.mark.usefixtures("installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestInstalled:
    @pytest.mark.parametrize("text", AGREED)
    def test_agrees(self, text: str) -> None:
        assert check_second_reading(text, read_scalar(text, SYMBOLS), SYMBOLS) is True

    @pytest.mark.parametrize(
        "text", [r"y \log a (1-y)", r"\log a \cdot y", r"\log a / y", "|a|y|z|", r"y \log a (1-y)^2 + z"]
    )
    def test_refuses_what_has_two_readings(self, text: str) -> None:
        with pytest.raises(NotationError, match="the two readings differ"):
            check_second_reading(text, read_scalar(text, SYMBOLS), SYMBOLS)

    @pytest.mark.parametrize(
        ("text", "wrong"),
        [
            ("a - y", y - a),
            (r"\frac{1}{2}(a - y)^2", (a - y) ** 2),
            (r"y \log a", log(y * a)),
            ("a^2 y", (a * y) ** 2),
            ("-z^2", (-z) ** 2),
            (r"10^{-6} z", z / 999_999),
        ],
    )
    def test_notices_a_wrong_first_reading(self, text: str, wrong: Formula) -> None:
        with pytest.raises(NotationError, match="the two readings differ"):
            check_second_reading(text, wrong, SYMBOLS)

    @pytest.mark.parametrize("letter", second_reading._LETTERS)
    def test_every_letter_is_a_plain_symbol(self, letter: str) -> None:
        module = second_reading._latex2sympy2()
        assert module is not None
        read = second_reading._read(module, f"{letter} o ( 1 - {letter} ) + 2 {letter} ^ {{ 2 }}")
        x, o = sympy.symbols(f"{letter} o")
        assert sympy.expand(read - (x * o * (1 - x) + 2 * x**2)) == 0

    def test_poisoned_state_does_not_last(self) -> None:
        module = second_reading._latex2sympy2()
        assert module is not None
        module.set_variances({})
        module.latex2sympy("x = 7")
        with pytest.raises(TypeError):
            module.latex2sympy(r"d x") and module.latex2sympy("x y")
        assert check_second_reading("a + y", a + y, SYMBOLS)

    def test_a_long_text_does_not_take_long(self) -> None:
        text = "+".join([r"\log(1+a\tanh(1+y\exp(-z(1-a))))"] * 7)
        started = time.monotonic()
        assert check_second_reading(text, read_scalar(text, SYMBOLS), SYMBOLS) in (True, False)
        assert time.monotonic() - started < 20

    def test_many_threads_at_once(self) -> None:
        texts = AGREED * 3
        with ThreadPoolExecutor(8) as pool:
            agreed = pool.map(lambda text: check_second_reading(text, read_scalar(text, SYMBOLS), SYMBOLS), texts)
        assert all(agreed)

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.sampled_from(WORDS), max_size=12))
    def test_soup_agrees_or_is_refused(self, words: list[str]) -> None:
        text = " ".join(words)
        with contextlib.suppress(NotationError):
            assert check_second_reading(text, read_scalar(text, SYMBOLS), SYMBOLS) in (True, False)

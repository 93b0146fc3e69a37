"""What strangers write: an answer or one line, in time, and never a wrong word."""

import subprocess
import sys
import time

import numpy as np
import pytest
import sympy

from symbackprop import Activation, Dense, Loss, Network, NetworkError, NotationError, Unsupported
from symbackprop.algebra import formula as f
from symbackprop.proof.prover import Prover
from symbackprop.proof.setting import of_network
from symbackprop.proof.status import Status

z = sympy.Symbol("z", real=True)


def judged(derived, number=0):
    note = derived.notes[number]
    return Prover(of_network(derived)).judge(note.subject, note.says).status


def derivation(*layers, **more):
    options = {"inputs": "n_0", "loss": "squared_error"} | more
    return Network(list(layers) or [Dense("n_1", "tanh")], **options).derive()


@pytest.mark.parametrize(
    "loss",
    [r"(a-y)^{200}", r"(a-y)^{1000}", r"((a-y)^{31}+1)^{31}", r"(1+a+y+a^2)^{200}(a-y)", r"\tanh(\tanh(\tanh(a-y)))"],
)
def test_large_powers_end(loss, tmp_path):
    start = time.monotonic()
    d = derivation(Dense("n_1", "sigmoid"), Dense("n_2", "tanh"), loss=loss)
    d.write(tmp_path / "net.md")
    assert time.monotonic() - start < 30  # it was minutes once; a bound on hanging, no benchmark


def test_a_large_power_is_differentiated_right():
    d = derivation(Dense("n_1", "identity"), loss=r"(a-y)^{200}")
    assert str(d.definitions["delta1"]) == "200*(a1 - y)**199"


@pytest.mark.parametrize(
    ("says", "wanted"),
    [
        ("(((A1 + Y + 1)**9 + A1)**9 + Y)**9", Status.REFUTED),
        ("1 / (1 + 1 / (1 + 1 / (1 + 1 / (1 + A1 * A1))))", Status.REFUTED),
    ],
)
def test_notes_with_large_formulas_end(says, wanted):
    d = derivation(batch="m", notes=[("A1", says)])
    assert judged(d) is wanted


def test_a_note_on_a_deep_or_a_huge_network_does_not_cost_the_report(tmp_path):
    deep = derivation(
        *(Dense(f"n_{i}", "tanh") for i in range(1, 41)), notes=[("W1", "delta1 @ x.T"), ("W1", "2 * W1")]
    )
    assert [judged(deep, number) for number in (0, 1)] == [Status.PROVED, Status.REFUTED]
    assert "The same formula." in deep.write(tmp_path / "net.md").read_text()
    huge = derivation(Dense(10**9, "tanh"), inputs=10**9, notes=[("W1", "2 * delta1 @ x.T")])
    assert judged(huge) is Status.UNDECIDED


def test_a_note_without_a_value_at_any_point_is_not_called_right():
    d = derivation(Dense("n_1", "relu"), loss="poisson", batch="m", notes=[("Delta1", "(5 * A1 - Y) / m")])
    assert judged(d) in (Status.UNDECIDED, Status.REFUTED)


def test_a_size_with_the_name_of_a_function_is_refused():
    for name in ("sum", "log", "abs", "select", "sigma", "exp"):
        with pytest.raises(NetworkError, match="is the name of something else"):
            derivation(Dense(name, "tanh"))


def test_two_functions_do_not_share_a_name():
    with pytest.raises(NetworkError, match="two functions are called f"):
        derivation(Dense(2, Activation("f", z**2)), Dense(2, Activation("f", z**3)))
    with pytest.raises(NetworkError, match="two functions are called sigmoid"):
        derivation(Dense(2, Activation("sigmoid", z**2)))
    d = derivation(Dense(2, z**2), Dense(2, z**3), Dense(2, z**2))
    assert [str(d.definitions[name]) for name in ("a1", "a2", "a3")] == ["f(z1)", "g(z2)", "f(z3)"]
    opaque = derivation(Dense(2, Activation("f")), Dense(2, Activation("g")))
    assert [str(opaque.definitions[name]) for name in ("a1", "a2")] == ["f(z1)", "g(z2)"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Loss("own", "3"), "does not depend on the prediction"),
        (lambda: Loss("own", "y^2"), "does not depend on the prediction"),
        (lambda: Activation("own", "3"), "does not depend on z"),
        (lambda: Activation("own", r"\frac{1}{z - z}"), "no real function"),
        (lambda: Activation("own", sympy.I * z), "no real function"),
        (lambda: Activation("own", sympy.floor(z)), "no real function"),
        (lambda: Activation("own", sympy.Heaviside(z)), "no real function"),
        (lambda: Activation("own", z**2, over_units=True), "softmax and log_softmax only"),
        (lambda: derivation(loss=r"\frac{1}{a - a}"), "denominator is 0"),
        (lambda: derivation(notes=[("W1",)]), "a pair of a name and a formula"),
        (lambda: derivation(batch="m", notation={"layout": "numerator"}), "numerator layout is for one example"),
        (lambda: derivation(title=3), "title must be"),
        (lambda: derivation(notation={"names": {"target": "x"}}), "x would be both input and target"),
        (lambda: derivation(notation={"names": {"weights": "z"}}), "z would be both"),
        (lambda: derivation(notation={"names": {3: "z"}}), "unknown name 3"),
        (lambda: derivation().entry("W1", "lambda", "k"), "cannot be an index"),
        (lambda: derivation().entry("W1", "a1", "k"), "cannot be an index"),
        (
            lambda: derivation(Dense(2, "softmax"), Dense(2, "tanh"), Dense(1)).generic_layer,
            "no one layer stands for all",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(make, says):
    with pytest.raises((NetworkError, NotationError, Unsupported)) as caught:
        make()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numbers_of_other_libraries_are_taken():
    d = derivation(Dense(np.int64(3)), inputs=sympy.Integer(2), l2=sympy.Rational(1, 3))
    assert d.gradient("W1").shape == (3, 2)
    assert r"\frac{1}{6} \, \left\|W^{(1)}\right\|_F^2" in d.latex()


def test_index_letters_step_aside_for_chosen_letters():
    d = derivation(Dense("n_1", "tanh"), batch="m", notation={"names": {"preactivation": "s"}})
    assert r"\sum_{s=" not in d.latex()
    assert r"\sum_{t=1}^{m}" in d.latex()


def test_own_losses_say_where_they_are_not_defined():
    d = derivation(Dense("n_1", "identity"), loss=r"-y \log(a)")
    assert [a.text for a in d.assumptions] == ["every logarithm, root and quotient of the loss is defined"]
    d = derivation(Dense("n_1", "identity"), loss="|a - y|")
    assert [a.text for a in d.assumptions] == ["nothing inside an absolute value or a maximum of the loss is 0"]


def test_parts_of_a_derivative_are_written_as_parts():
    d = derivation(Dense("n_1", "tanh"), batch="m", l2="lambda")
    shares = [s for s in d.steps if s.wrt.name == "W1" and s.why is not None]
    assert len(shares) == 2
    for step in shares:
        last = d.writer.equation(step.why.equations[-1])
        assert last.startswith(r"\left.\frac{\partial J}{\partial W_{")
        assert r"\right|_{" in last


def test_many_penalties_are_one_sum():
    d = derivation(*(Dense(f"n_{i}", "tanh") for i in range(1, 9)), l2="lambda")
    assert r"\frac{\lambda}{2} \sum_{l=1}^{8} \left\|W^{(l)}\right\|_F^2" in d.latex()


def test_deep_nesting_is_one_line_on_the_command_line(tmp_path):
    net = tmp_path / "net.toml"
    net.write_text(
        'inputs = 2\nloss = "generic"\nlayers = [{ units = 2, activation = "' + "(" * 400 + "z" + ")" * 400 + '" }]\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "symbackprop", "derive", net, "-o", tmp_path / "net.md"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "net.toml:3:37: error: " in done.stderr


@pytest.mark.parametrize(
    ("term", "delta"),
    [
        (r"(c+1)^2 (a-y)^2", "2*(c + 1)**2*(a1 - y)"),
        (r"\frac{(a-y)^2}{(c+1)^{1/2}}", "2*(a1 - y)/sqrt(c + 1)"),
        (r"2^{1/2} (a-y)^2", "2*sqrt(2)*(a1 - y)"),
        (r"\pi (a-y)^2", "2*pi*(a1 - y)"),
    ],
)
def test_constants_of_every_kind_stand_in_front(term, delta, tmp_path):
    d = derivation(Dense("n_1", "identity"), loss=Loss("own", term, parameters=["c"]))
    a, y = np.array([[0.5], [2.0]]), np.array([[1.0], [0.5]])
    c = 1.5
    expr = d.definitions["delta1"]
    names = sorted(expr.free_symbols | expr.atoms(sympy.MatrixSymbol), key=str)
    got = sympy.lambdify(names, expr, "numpy")(*({"a1": a, "y": y, "c": c}[str(s)] for s in names))
    scalars = {"c": c, "a1": sympy.Symbol("u"), "y": sympy.Symbol("v")}
    want = sympy.lambdify(sympy.symbols("u v"), sympy.sympify(delta, locals=scalars), "numpy")(a, y)
    np.testing.assert_allclose(got, want, rtol=1e-12)
    d.write(tmp_path / "net.tex")


def test_a_users_claim_about_a_derivative_is_not_believed():
    wrong = Activation("mine", "z^3", rate=f.Symbol("a"))
    d = derivation(Dense("n_1", wrong))
    assert str(d.definitions["delta1"]) == "2*(a1 - y) o mine'(z1)"
    assert r"\operatorname{mine}'(z) = 3 z^2" in d.latex()

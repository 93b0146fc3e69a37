"""derivation.check(): every entry of the tables agrees, every planted mistake is refuted, blind sizes are refused."""

import itertools

import numpy as np
import pytest
import spec_networks as nets
import sympy
import truth
from truth import Spec

from symbackprop import Activation, CheckError, Dense, Loss, Network, Status
from symbackprop.cli import main
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.losses import LOSSES
from symbackprop.numeric.forward import forward
from symbackprop.numeric.network_check import check_network

LAYOUTS = list(itertools.product((None, "m"), ("columns", "rows"), ("out x in", "in x out")))


def net(activation="tanh", loss="half_squared_error", last="identity", **more):
    return Network([Dense("n_1", activation), Dense("n_2", last)], inputs="n_0", loss=loss, **{"batch": "m", **more})


@pytest.mark.parametrize(("number", "activation"), list(enumerate(ACTIVATIONS)))
def test_every_activation(number, activation):
    batch, samples, weights = LAYOUTS[number % 8]
    r = net(activation, batch=batch, samples=samples, weights=weights).derive().check(seed=number)
    assert r.status is Status.CONSISTENT, r
    assert not any("one side" in note for note in r.notes)
    assert any("sin(z) + z/2" in note for note in r.notes) == (activation == "generic")


LAST = {
    "binary_cross_entropy": "sigmoid",
    "log_likelihood": "sigmoid",
    "cross_entropy": "softmax",
    "kl_divergence": "softmax",
    "poisson": "softplus",
    "negative_log_likelihood": "log_softmax",
    "generic": "generic",
}


@pytest.mark.parametrize(("number", "loss"), list(enumerate(LOSSES)))
def test_every_loss(number, loss):
    batch, samples, weights = LAYOUTS[(3 * number) % 8]
    more = {"batch": batch, "samples": samples, "weights": weights, "l2": "lambda" if number % 2 else None}
    r = net(loss=loss, last=LAST.get(loss, "identity"), **more).derive().check(seed=number)
    assert r.status is Status.CONSISTENT, r


@pytest.mark.parametrize(
    ("loss", "last"),
    [("binary_cross_entropy", "identity"), ("cross_entropy", "relu"), ("poisson", "tanh"), ("kl_divergence", "gelu")],
)
@pytest.mark.parametrize("bias", [True, False])
def test_predictions_are_moved_to_where_the_loss_is_defined(loss, last, bias):
    network = Network([Dense("n_1", "tanh"), Dense("n_2", last, bias)], inputs="n_0", loss=loss, batch="m")
    r = network.derive().check()
    assert r.status is Status.CONSISTENT, r


def test_penalties_any_labels_and_functions_of_the_users_own():
    assert (
        net(loss="cross_entropy", last="softmax", labels="any", l1="mu", l2=0.1).derive().check().status.value
        == "consistent"
    )
    swish = Activation("swish", r"\frac{z}{1 + e^{-\beta z}}", parameters=["beta"])
    quartic = Loss("quartic", r"\frac{1}{4} (a - y)^4")
    assert net(swish, loss=quartic).derive().check().status is Status.CONSISTENT
    assert net(sympy.Max(0, sympy.Symbol("z")) ** 2).derive().check().status is Status.CONSISTENT


def test_one_number_everywhere():
    scalar = Network([Dense(1, "tanh"), Dense(1)], inputs=1, loss="half_squared_error")
    r = scalar.derive().check()
    assert r.status is Status.CONSISTENT
    assert "point 1: the sizes of the network" in r.notes


MISTAKES = {
    "factor": lambda g: 2 * g,
    "sign": lambda g: -g,
    "one part in two million": lambda g: sympy.Float("1.0000005", 20) * g,
}


@pytest.mark.parametrize("parameter", ["W1", "b1", "W2", "b2"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_closed_form_is_refuted(parameter, mistake):
    d = net(last="sigmoid", loss="binary_cross_entropy").derive()
    wrong = {**d.gradients, parameter: MISTAKES[mistake](d.gradients[parameter])}
    r = check_network(d.model, d.definitions, wrong, None, 0)
    assert r.status is Status.REFUTED
    assert [row.parameter for row in r.table.values() if row.status is Status.REFUTED] == [parameter]


def test_a_wrong_intermediate_is_refuted_where_it_is_used():
    d = net(last="sigmoid", loss="binary_cross_entropy").derive()
    wrong = {**d.definitions, "Delta1": d.definitions["Delta1"] * sympy.Integer(2)}
    r = check_network(d.model, wrong, d.gradients, None, 0)
    assert {row.parameter for row in r.table.values() if row.status is Status.REFUTED} == {"W1", "b1"}


def test_points_are_generic_and_of_different_sizes():
    r = net().derive().check(sizes={"n_0": 3}, seed=5)
    points = [note for note in r.notes if note.startswith("point ")]
    assert len(points) == len(set(points)) == 3
    for point in points:
        sizes = dict(part.split(" = ") for part in point.partition(": ")[2].split(", "))
        assert sizes["n_0"] == "3"
        assert len(set(sizes.values())) == len(sizes) == 4
        assert min(map(int, sizes.values())) > 1
    assert str(net().derive().check(seed=5)) == str(net().derive().check(seed=5))


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ({"m": 1}, "m = 1 is a blind point"),
        ({"n_1": 1}, "n_1 = 1 is a blind point"),
        ({"n_0": 3, "n_1": 3}, "n_0 = n_1 = 3 is a blind point, where a transposed square matrix fits"),
        ({"n_0": 0}, "n_0 is 0: a size is at least 1"),
        ({"n_0": 2.5}, "n_0 must be a whole number, not 2.5"),
        ({"n_0": True}, "n_0 must be a whole number"),
        ({"k": 3}, "no symbolic size is called 'k': known are n_0, n_1, n_2, m"),
        ({"n_0": 9999, "n_1": 9998}, "more than 100000 entries: choose smaller sizes"),
        ([3], "sizes must be a dict"),
    ],
)
def test_blind_and_wrong_sizes_are_one_line(sizes, says):
    with pytest.raises(CheckError, match=says) as error:
        net().derive().check(sizes=sizes)
    assert "\n" not in str(error.value)


def test_sizes_that_are_numbers():
    numbers = Network([Dense(3, "tanh"), Dense(3)], inputs=3, loss="half_squared_error", batch=1).derive()
    r = numbers.check()
    assert r.status is Status.CONSISTENT
    assert any(note.startswith("blind: the batch is 1") for note in r.notes)
    assert any(note.startswith("W1, W2 square") for note in r.notes)
    with pytest.raises(CheckError, match="all sizes of this network are numbers"):
        numbers.check(sizes={"m": 3})
    mixed = Network([Dense(3, "tanh"), Dense("k")], inputs="q", loss="half_squared_error").derive()
    with pytest.raises(CheckError, match="k = 3 is a blind point, since another size of the network is 3"):
        mixed.check(sizes={"k": 3})


def test_a_loss_that_is_defined_nowhere():
    root = Loss("root", sympy.sqrt(-1 - sympy.Symbol("a") ** 2) * sympy.Symbol("y"))
    with pytest.raises(CheckError, match="no point was found where root is defined"):
        net(loss=root).derive().check()


@pytest.mark.parametrize("number", range(8))
def test_forward_equations_have_the_values_of_the_witness(number):
    batch, samples, weights = LAYOUTS[number]
    activations = [("tanh", "softmax"), ("selu", "sigmoid"), ("gelu", "softplus"), ("hardsigmoid", "softmax")][
        number % 4
    ]
    loss = ["cross_entropy", "binary_cross_entropy", "poisson", "kl_divergence"][number % 4]
    m = None if batch is None else 5
    spec = Spec((3, 4, 2), activations, loss, m, samples, weights, l1="0.1", l2="0.3")
    d = nets.network(spec).derive()
    point = truth.random_point(spec, number)
    exact, _ = truth.numeric_gradients(spec, point)
    given = {name: np.array(rows, dtype=float) for name, rows in point.items()}
    scalars = {**nets.sizes(spec), **nets.rates(spec)}
    sizes = {sympy.Symbol(name): n for name, n in nets.sizes(spec).items()}
    for dtype, near in ((np.float64, 1e-14), (np.longdouble, 1e-15)):
        arrays = {name: array.astype(dtype) for name, array in given.items()}
        found = forward(d.model, arrays, scalars, sizes, measured=True)
        assert abs(float(found.arrays["J"][0, 0]) - float(exact)) <= near * max(1, abs(float(exact)))
        assert found.largest >= np.max(np.abs(found.arrays[d.model.prediction.name]))


# -------------------------------------------------------------------------------------------------- the command line
FILE = 'inputs = "n_0"\nbatch = "m"\nloss = "half_squared_error"\nlayers = [{ units = "n_1", activation = "tanh" }]\n'


def test_the_command_line(tmp_path, capsys):
    path = tmp_path / "net.toml"
    path.write_text(FILE)
    assert main(["check", str(path), "--sizes", "n_0=3, n_1=4", "--seed", "2"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{path}: consistent: the closed forms agree with finite differences at 3 points")
    assert "n_0 = 3, n_1 = 4, m = " in captured.out
    assert captured.err == ""


@pytest.mark.parametrize(("status", "code"), [(Status.REFUTED, 1), (Status.UNDECIDED, 3)])
def test_exit_codes(tmp_path, monkeypatch, status, code):
    from dataclasses import replace

    from symbackprop.numeric import network_check

    path = tmp_path / "net.toml"
    path.write_text(FILE)
    whole = network_check.check_network
    monkeypatch.setattr(network_check, "check_network", lambda *args: replace(whole(*args), status=status))
    assert main(["check", str(path)]) == code


@pytest.mark.parametrize(
    ("content", "more", "says"),
    [
        (None, [], "net.toml: error: there is no such file"),
        (FILE.replace("tanh", "tahn"), [], "net.toml:4:41: error: unknown activation 'tahn'"),
        (FILE, ["--sizes", "n_0=3,n_1=3"], "error: n_0 = n_1 = 3 is a blind point"),
        (FILE, ["--sizes", "m=1"], "error: m = 1 is a blind point"),
        (FILE, ["--sizes", "q=4"], "error: no symbolic size is called 'q'"),
        (FILE, ["--sizes", "n_0"], "error: argument --sizes: 'n_0' is no size: write name=number"),
        (FILE, ["--sizes", "n_0=2,n_0=3"], "error: argument --sizes: n_0 has two sizes"),
        (FILE, ["--sizes", "n_0=x"], "error: argument --sizes"),
        (FILE, ["--seed", "-1"], "error: argument --seed"),
    ],
)
def test_an_error_is_one_line_and_exits_with_2(tmp_path, capsys, content, more, says):
    path = tmp_path / "net.toml"
    if content is not None:
        path.write_text(content)
    try:
        code = main(["check", str(path), *more])
    except SystemExit as stopped:
        code = stopped.code
    captured = capsys.readouterr()
    assert (code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert says in captured.err

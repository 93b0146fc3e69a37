"""The gradient check as a user meets it: verdicts, tables, kinks, traps, and one line for what is wrong in a call."""

import builtins
import math
import pickle
import warnings

import numpy as np
import pytest

from symbackprop import BlindPointWarning, CheckError, Status, Unsupported, check_gradient

RNG = np.random.default_rng(7)
W = RNG.normal(size=(3, 2))
X, Y = RNG.normal(size=(2, 5)), RNG.normal(size=(3, 5))
B = RNG.normal(size=(3, 1))
PARAMS = {"W": W, "b": B}
CONSISTENT, REFUTED, UNDECIDED = Status.CONSISTENT, Status.REFUTED, Status.UNDECIDED


def value(p):
    return np.mean(np.sum((np.tanh(p["W"] @ X + p["b"]) - Y) ** 2, axis=0))


def gradient(p):
    a = np.tanh(p["W"] @ X + p["b"])
    delta = 2 / 5 * (a - Y) * (1 - a * a)
    return {"W": delta @ X.T, "b": delta.sum(axis=1, keepdims=True)}


TRUE = gradient(PARAMS)


def test_a_true_gradient_agrees():
    r = check_gradient(value, TRUE, PARAMS)
    assert r.status is CONSISTENT
    assert list(r.table) == ["W", "b"]
    for name, row in r.table.items():
        assert (row.parameter, row.status) == (name, CONSISTENT)
        assert row.error <= row.estimated_error < 1e-9 * row.size
        assert row.claim == TRUE[name][row.index]
        assert abs(row.claim - row.estimate) <= row.entry_error
    assert "estimated relative error" in r.reason


def test_gradients_may_be_a_function():
    assert check_gradient(value, gradient, PARAMS).status is CONSISTENT
    assert check_gradient(value, lambda p: {**gradient(p), "b": 0.9 * B}, PARAMS).status is REFUTED


@pytest.mark.parametrize("name", ["W", "b"])
@pytest.mark.parametrize("factor", [1 + 5e-7, 1 - 5e-7, 2, 0.2, -1, 0])
def test_a_wrong_factor_is_refuted_and_its_tensor_named(name, factor):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BlindPointWarning)
        r = check_gradient(value, {**TRUE, name: factor * TRUE[name]}, PARAMS)
    assert r.status is REFUTED
    assert [row.parameter for row in r.table.values() if row.status is REFUTED] == [name]
    assert r.reason.startswith(f"{name} is wrong: entry (")
    assert r.worst == name
    size = float(np.linalg.norm((factor - 1) * TRUE[name]))
    assert r.table[name].error <= 1.0001 * size


@pytest.mark.parametrize("index", [(0, 0), (1, 1), (2, 0)])
def test_a_wrong_entry_is_found(index):
    wrong = TRUE["W"].copy()
    wrong[index] *= 1.001
    r = check_gradient(value, {**TRUE, "W": wrong}, PARAMS)
    row = r.table["W"]
    assert r.status is REFUTED
    assert row.index == index
    assert f"entry ({index[0] + 1}, {index[1] + 1}) of W is claimed as" in r.reason
    assert row.claim == wrong[index]
    assert abs(row.estimate - TRUE["W"][index]) <= row.entry_error
    assert np.argmax(np.abs(r.maps["W"])) == np.ravel_multi_index(index, (3, 2))


def test_a_wrong_entry_of_a_large_tensor_is_found():
    weights = np.random.default_rng(0).normal(size=(70, 60))
    true = np.cos(weights)
    wrong = true.copy()
    wrong[41, 17] += 1e-6
    r = check_gradient(lambda p: np.sum(np.sin(p["W"])), {"W": wrong}, {"W": weights})
    assert r.status is REFUTED
    assert r.table["W"].index == (41, 17)
    assert r.maps["W"].size <= 256


def test_the_same_seed_gives_the_same_result():
    first, again, other = (check_gradient(value, TRUE, PARAMS, seed=s) for s in (3, 3, 4))
    assert str(first) == str(again)
    assert [u.estimate for u in first.findings] != [u.estimate for u in other.findings]
    assert first.seed == 3


def test_the_result_prints_shows_and_is_neither_true_nor_false():
    r = check_gradient(value, {**TRUE, "b": 2 * TRUE["b"]}, PARAMS)
    lines = str(r).splitlines()
    assert lines[0].startswith("refuted: b is wrong")
    assert lines[1].split()[:2] == ["parameter", "status"]
    assert [line.split()[0] for line in lines[2:4]] == ["W", "b"]
    assert repr(r).startswith("<GradientCheck refuted: b is wrong")
    with pytest.raises(TypeError, match="three outcomes"):
        bool(r)
    assert str(pickle.loads(pickle.dumps(r))) == str(r)


def test_html_is_escaped():
    name = "<b>&W"
    r = check_gradient(lambda p: np.sum(p[name] ** 2), {name: 2 * W}, {name: W})
    html = r._repr_html_()
    assert "&lt;b&gt;&amp;W" in html
    assert name not in html


def test_a_plot_without_matplotlib_says_what_to_install(monkeypatch):
    real = builtins.__import__
    monkeypatch.setattr(
        "symbackprop.numeric.check_plot.import_module",
        lambda name: (_ for _ in ()).throw(ImportError(name)) if "matplotlib" in name else real(name),
    )
    with pytest.raises(Unsupported, match=r"pip install 'symbackprop\[plot\]'"):
        check_gradient(value, TRUE, PARAMS).plot()


def test_a_plot_shows_the_curve_and_the_map():
    pytest.importorskip("matplotlib")
    wrong = check_gradient(value, {**TRUE, "W": 2 * TRUE["W"]}, PARAMS)
    assert len(wrong.plot().axes) == 3  # the curve, the map, its bar of colours
    assert len(wrong.plot("b").axes) == 1
    with pytest.raises(CheckError, match="no parameter 'q': there are W, b"):
        wrong.plot("q")


# -------------------------------------------------------------------------------------------------- kinks
FACTORS = np.arange(1.0, 7.0).reshape(3, 2)


def kinked(p):
    return np.sum(np.maximum(p["W"], 0) * FACTORS)


def test_kinks_nearby_are_stepped_around():
    weights = np.array([[1e-4, -1e-4], [2e-3, -0.5], [1.0, 1e-5]])
    true = (weights > 0) * FACTORS
    assert check_gradient(kinked, {"W": true}, {"W": weights}).status is CONSISTENT
    assert check_gradient(kinked, {"W": true * (1 + 5e-7)}, {"W": weights}).status is REFUTED


@pytest.mark.parametrize("convention", [0.0, 0.3, 1.0])
def test_at_a_kink_the_convention_is_reported(convention):
    weights = W.copy()
    weights[0, 0] = 0
    claim = (weights > 0) * FACTORS
    claim[0, 0] = convention
    r = check_gradient(kinked, {"W": claim}, {"W": weights})
    assert r.status is CONSISTENT
    assert any(
        note
        == f"W lies at a kink: entry (1, 1) of W has the one-sided derivatives 0 and 1, and {convention:g} between "
        "them is a convention"
        for note in r.notes
    )


def test_at_a_kink_a_wrong_value_elsewhere_is_refuted_and_one_outside_is_not_believed():
    weights = W.copy()
    weights[0, 0] = 0
    claim = (weights > 0) * FACTORS
    elsewhere = claim.copy()
    elsewhere[2, 1] += 0.01
    r = check_gradient(kinked, {"W": elsewhere}, {"W": weights})
    assert r.status is REFUTED
    assert r.table["W"].index == (2, 1)
    claim[0, 0] = 1.5
    r = check_gradient(kinked, {"W": claim}, {"W": weights})
    assert r.status is UNDECIDED
    assert "1.5 is not between them" in r.reason


def test_every_unit_at_its_kink():
    with pytest.warns(BlindPointWarning, match="W is 0"):
        r = check_gradient(kinked, {"W": np.zeros((3, 2))}, {"W": np.zeros((3, 2))})
    assert r.status is CONSISTENT
    assert any("is a convention" in note for note in r.notes)


# --------------------------------------------------------------------------------------- complex steps and their traps
def test_complex_steps_are_used_where_the_value_carries_them():
    assert any("complex steps were used" in note for note in check_gradient(value, TRUE, PARAMS).notes)


TRAPS = {
    "a small abs beside a square": (
        lambda w: np.sum(w**2) + 1e-3 * np.sum(np.abs(w)),
        lambda w: 2 * w + 1e-3 * np.sign(w),
    ),
    "conj": (lambda w: np.sum(w * np.conj(w)), lambda w: 2 * w),
    "vdot": (lambda w: np.vdot(w, w), lambda w: 2 * w),
    "norm": (lambda w: np.linalg.norm(w) ** 2, lambda w: 2 * w),
    "real": (lambda w: np.sum(w.real**2), lambda w: 2 * w),
    "a cast": (lambda w: np.sum(w.astype(float) ** 2), lambda w: 2 * w),
    "float()": (lambda w: float(np.sum(w**2)), lambda w: 2 * w),
    "maximum": (lambda w: np.sum(np.maximum(w, 0) ** 2), lambda w: 2 * np.maximum(w, 0)),
    "where": (lambda w: np.sum(np.where(w > 0, w, 0.1 * w)), lambda w: np.where(w > 0, 1.0, 0.1)),
    "max": (lambda w: np.max(w) ** 2, lambda w: 2 * np.max(w) * (w == np.max(w))),
    "angle": (lambda w: np.sum(w**2) + np.sum(np.angle(w)) * 1e-3, lambda w: 2 * w),
}


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_a_function_that_breaks_complex_steps_is_judged_by_real_ones(trap):
    function, derivative = TRAPS[trap]
    true = derivative(W)
    assert check_gradient(lambda p: function(p["W"]), {"W": true}, {"W": W}).status is CONSISTENT
    assert check_gradient(lambda p: function(p["W"]), {"W": true * (1 + 5e-7)}, {"W": W}).status is REFUTED
    wrong = true.copy()
    wrong[1, 0] += 1e-3
    assert check_gradient(lambda p: function(p["W"]), {"W": wrong}, {"W": W}).status is REFUTED


def test_a_broken_complex_step_is_said():
    function, derivative = TRAPS["a small abs beside a square"]
    r = check_gradient(lambda p: function(p["W"]), {"W": derivative(W)}, {"W": W})
    assert any("complex steps were not used" in note for note in r.notes)
    without = check_gradient(lambda p: function(p["W"]), {"W": 2 * W}, {"W": W})  # what complex steps would give
    assert without.status is REFUTED


# ----------------------------------------------------------------------------------------------- strange values
def test_a_value_that_is_not_deterministic_is_undecided():
    noise = np.random.default_rng(0)
    r = check_gradient(lambda p: value(p) * (1 + 0.01 * noise.normal()), TRUE, PARAMS)
    assert r.status is UNDECIDED
    assert "not deterministic" in r.reason
    assert r.table["W"].status is UNDECIDED
    assert "undecided" in str(r)
    assert "<td>undecided</td>" in r._repr_html_()


def test_a_little_noise_widens_the_estimate():
    noise = np.random.default_rng(0)
    r = check_gradient(lambda p: value(p) * (1 + 1e-10 * noise.normal()), TRUE, PARAMS)
    assert r.status is not REFUTED
    assert min(row.estimated_error / row.size for row in r.table.values()) > 1e-11
    assert (
        check_gradient(lambda p: value(p) * (1 + 1e-10 * noise.normal()), {**TRUE, "b": 2 * TRUE["b"]}, PARAMS).status
        is REFUTED
    )


def test_a_value_that_is_rounded_is_judged_by_long_steps():
    r = check_gradient(lambda p: np.round(value(p), 4), TRUE, PARAMS)
    assert r.status is not REFUTED
    assert all(row.estimated_error > 1e-5 * row.size for row in r.table.values())
    assert check_gradient(lambda p: np.round(value(p), 4), {**TRUE, "W": 2 * TRUE["W"]}, PARAMS).status is REFUTED


def test_a_constant():
    with pytest.warns(BlindPointWarning, match="the gradient of W is 0 here"):
        assert check_gradient(lambda p: 3.0, {"W": 0 * W}, {"W": W}).status is CONSISTENT
    with pytest.warns(BlindPointWarning):
        assert check_gradient(lambda p: 0.0, {"W": 0 * W}, {"W": W}).status is CONSISTENT
    assert check_gradient(lambda p: 3.0, {"W": 1e-9 * W}, {"W": W}).status is REFUTED


def test_a_gradient_that_rounding_has_swallowed_is_undecided_and_not_refuted():
    """Saturated in the right class: the loss is exactly 0, the gradient that backpropagation gives is 1e-18."""
    p = {"z": np.array([60.0, 18.0])}

    def loss(p):
        z = p["z"]
        return np.log(np.exp(z - z.max()).sum()) + z.max() - z[0]

    e = np.exp(-42.0)
    assert loss(p) == 0
    assert check_gradient(loss, {"z": np.array([-e, e])}, p).status is UNDECIDED


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e12, 1e150])
def test_any_scale_of_the_value(scale):
    true = scale * np.cos(W)
    assert check_gradient(lambda p: scale * np.sum(np.sin(p["W"])), {"W": true}, {"W": W}).status is CONSISTENT
    wrong = true * (1 + 5e-7)
    assert check_gradient(lambda p: scale * np.sum(np.sin(p["W"])), {"W": wrong}, {"W": W}).status is REFUTED


@pytest.mark.parametrize("scale", [1e-100, 1e-9, 1e9, 1e100])
def test_any_scale_of_the_parameters(scale):
    point = {"W": W * scale}
    true = np.cos(W) / scale
    assert check_gradient(lambda p: np.sum(np.sin(p["W"] / scale)), {"W": true}, point).status is CONSISTENT
    wrong = true * (1 + 5e-7)
    assert check_gradient(lambda p: np.sum(np.sin(p["W"] / scale)), {"W": wrong}, point).status is REFUTED


def test_parameters_of_very_different_sizes():
    point = {"u": W * 1e8, "v": W * 1e-8}

    def mixed(p):
        return np.sum(np.sin(p["u"] * 1e-8) + np.tanh(p["v"] * 1e8))

    true = {"u": np.cos(W) * 1e-8, "v": (1 - np.tanh(W) ** 2) * 1e8}
    assert check_gradient(mixed, true, point).status is CONSISTENT
    for name in point:
        r = check_gradient(mixed, {**true, name: true[name] * (1 + 5e-7)}, point)
        assert [row.parameter for row in r.table.values() if row.status is REFUTED] == [name]


def test_steps_that_leave_the_domain_are_no_fault():
    weights = np.abs(W)

    def strict(p):
        return sum(math.log(v) for v in p["W"].ravel().tolist())  # a ValueError below 0

    assert check_gradient(strict, {"W": 1 / weights}, {"W": weights}).status is CONSISTENT
    assert check_gradient(strict, {"W": 1.00001 / weights}, {"W": weights}).status is REFUTED


@pytest.mark.parametrize("error", [KeyError("mine"), ValueError("mine"), ZeroDivisionError("mine")])
def test_an_exception_of_the_value_passes_through(error):
    def broken(p):
        raise error

    with pytest.raises(type(error)) as seen:
        check_gradient(broken, {"W": W}, {"W": W})
    assert seen.value is error


def test_a_value_that_prints(capsys):
    def chatty(p):
        print("here")
        return value(p)

    assert check_gradient(chatty, TRUE, PARAMS).status is CONSISTENT
    assert set(capsys.readouterr().out.split()) == {"here"}


def test_arguments_stay_as_they_were():
    params = {name: array.copy() for name, array in PARAMS.items()}
    grads = {name: array.copy() for name, array in TRUE.items()}
    check_gradient(value, grads, params)
    for name in params:
        np.testing.assert_array_equal(params[name], PARAMS[name])
        np.testing.assert_array_equal(grads[name], TRUE[name])


def test_scalars_lists_vectors_and_tensors():
    tensor = RNG.normal(size=(2, 3, 4))
    assert check_gradient(lambda p: p["a"] ** 3, {"a": 12.0}, {"a": 2.0}).status is CONSISTENT
    assert check_gradient(lambda p: (p["a"] ** 3).sum(), {"a": [12.0, 3]}, {"a": [2.0, 1]}).status is CONSISTENT
    assert check_gradient(lambda p: np.sum(p["t"] ** 2), {"t": 2 * tensor}, {"t": tensor}).status is CONSISTENT
    wrong = 2 * tensor
    wrong[1, 2, 0] += 1e-3
    r = check_gradient(lambda p: np.sum(p["t"] ** 2), {"t": wrong}, {"t": tensor})
    assert r.table["t"].index == (1, 2, 0)
    assert "entry (2, 3, 1) of t" in r.reason
    assert "a is wrong: a is claimed as 12.1" in check_gradient(lambda p: p["a"] ** 3, {"a": 12.1}, {"a": 2.0}).reason


# ---------------------------------------------------------------------------------------------------- float32
def test_float32_parameters():
    short = {name: array.astype(np.float32) for name, array in PARAMS.items()}
    true = {name: array.astype(np.float32) for name, array in gradient(short).items()}
    assert check_gradient(value, true, short).status is CONSISTENT
    r = check_gradient(value, {**true, "W": true["W"] * np.float32(1.0001)}, short)
    assert [row.parameter for row in r.table.values() if row.status is REFUTED] == ["W"]


def test_a_value_that_takes_float32_only():
    short = {"w": np.float32([2.0, 1.0])}

    def strict(p):
        assert p["w"].dtype == np.float32
        return (p["w"] ** 3).sum()

    assert check_gradient(strict, {"w": np.float32([12.0, 3.0])}, short).status is CONSISTENT
    assert check_gradient(strict, {"w": np.float32([12.1, 3.0])}, short).status is REFUTED


def test_a_known_scale_is_the_floor():
    tight, wide = (check_gradient(value, TRUE, PARAMS, scale=s) for s in (1.0, 1e6))
    assert wide.table["W"].estimated_error > 1e2 * tight.table["W"].estimated_error
    assert wide.status is CONSISTENT


# ---------------------------------------------------------------------------------------------------- wrong calls
@pytest.mark.parametrize(
    ("grads", "says"),
    [
        ({"b": B}, r"grads has no W: an array of shape \(3, 2\) is wanted"),
        ({"W": W.T, "b": B}, r"the gradient of W has shape \(2, 3\), \(3, 2\) is wanted: transposed\?"),
        ({"W": W, "b": B[:2]}, r"the gradient of b has shape \(2, 1\), \(3, 1\) is wanted$"),
        ({"W": W, "b": B, "c": B}, "grads has 'c', which params has not: params has W, b"),
        ({"W": np.where(W > 0, np.nan, W), "b": B}, r"the gradient of W of shape \(3, 2\) has nan at index \["),
        ({"W": W + np.inf, "b": B}, "the gradient of W .* has inf"),
        ({"W": None, "b": B}, "W in grads is no array of numbers, but a NoneType"),
        ({"W": [[1.0, 2.0], [3.0]], "b": B}, "W in grads is no array: its rows have different lengths"),
        (7, "grads must be a dict of arrays, or a function"),
        (lambda p: None, "grads must be a dict of arrays, or a function of params that returns one, not a NoneType"),
    ],
)
def test_wrong_gradients_are_one_line(grads, says):
    with pytest.raises(CheckError, match=says) as error:
        check_gradient(value, grads, PARAMS)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({}, "params is empty"),
        ([W], "params must be a dict of arrays"),
        ({"W": np.ones((3, 2), int)}, r"W of shape \(3, 2\) is an array of int64: steps need floats"),
        ({"W": np.ones((3, 2), bool)}, "W .* is an array of bool"),
        ({"W": np.zeros((0, 2))}, r"W is empty, with shape \(0, 2\)"),
        ({"W": np.full((3, 2), np.nan)}, r"W of shape \(3, 2\) has nan at index \[0, 0\]"),
        ({"W": W.astype(complex)}, "W .* complex128: float32 or float64 is wanted"),
        ({"W": W.astype(np.float16)}, "W .* float16: float32 or float64 is wanted"),
        ({"W": "text"}, "W in params is no array of numbers"),
        ({3: W}, "names in params must be strings"),
    ],
)
def test_wrong_parameters_are_one_line(params, says):
    with pytest.raises(CheckError, match=says) as error:
        check_gradient(lambda p: 1.0, {"W": W}, params)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (3, "value must be a function of params, not a int"),
        (lambda p: None, "value returned NoneType: it must return one number"),
        (lambda p: p["W"], r"value returned an array of shape \(3, 2\): it must return one number"),
        (lambda p: "1", "value returned str"),
        (lambda p: np.nan, "value is nan at params"),
        (lambda p: 1j, "value returned a complex number"),
        (lambda p: p["W"].__imul__(2).sum(), "value changes W in place"),
    ],
)
def test_a_wrong_value_function_is_one_line(wrong, says):
    with pytest.raises(CheckError, match=says):
        check_gradient(wrong, {"W": W}, {"W": W})


@pytest.mark.parametrize(
    "more", [{"seed": "x"}, {"seed": -1}, {"seed": True}, {"scale": -1.0}, {"scale": np.nan}, {"scale": W}]
)
def test_wrong_options_are_one_line(more):
    with pytest.raises(CheckError, match=r"(seed|scale) must be"):
        check_gradient(value, TRUE, PARAMS, **more)

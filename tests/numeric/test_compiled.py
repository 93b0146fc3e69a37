"""Compiled functions against the witness over the tables, their arrays, their options, and errors planted in them."""

import itertools
import pickle
import random
import re
import subprocess
import sys

import numpy as np
import pytest
import spec_networks as nets
import sympy
import truth
from spec_networks import LAYOUTS, SIZES, assert_close, label
from truth import Spec

from symbackprop import Activation, Dense, Loss, Network
from symbackprop.errors import NetworkError, Unsupported
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.losses import LOSSES
from symbackprop.numeric.loader import load

PENALTIES = ({}, {}, {"l2": "0.3"}, {"l1": "1/7"}, {"l1": "0.2", "l2": "0.1"})
UNDEFINED = {("log_softmax", loss) for loss in truth._UP_TO}
KNOWN = [name for name in ACTIVATIONS if name != "generic"]


def specs():
    """Every fitting pair of output and loss, with hidden activations, layouts and penalties in turn."""
    rng, hidden = random.Random(5), itertools.cycle(KNOWN)
    for output, loss in itertools.product(KNOWN, LOSSES):
        if loss != "generic" and (output, loss) not in UNDEFINED and nets.accepted(loss, "tanh", output):
            bias = rng.choice(((True, True), (True, True), (False, True), (False, False)))
            yield Spec(SIZES, (next(hidden), output), loss, bias=bias, **rng.choice(LAYOUTS), **rng.choice(PENALTIES))


SPECS = list(specs())


def given(spec, seed=1, kind=float):
    point = truth.random_point(spec, seed)
    arrays = {name: np.array(rows, dtype=kind) for name, rows in point.items()}
    x, y = arrays.pop(spec.name("X")), arrays.pop(spec.name("Y"))
    return point, arrays, x, y


def call(spec, f, params, x, y, **options):
    return f(params, x, y, scalars=nets.rates(spec) or None, **options)


@pytest.mark.parametrize("spec", SPECS, ids=label)
def test_cost_and_gradients_over_the_tables(spec):
    point, params, x, y = given(spec)
    kept = {name: array.copy() for name, array in params.items()}
    f = nets.network(spec).derive().compile()
    J, gradients = call(spec, f, params, x, y)
    want, wanted = truth.numeric_gradients(spec, point)
    assert_close(float(J), want)
    assert list(gradients) == spec.parameters
    assert_close({name: g.tolist() for name, g in gradients.items()}, wanted)
    assert all(np.array_equal(params[name], kept[name]) for name in params)
    # The other form of the code, for large arrays, and single precision.
    rates = [nets.rates(spec)[name] for name in f.program.rates]
    J_large, in_place = f._run(params, x, y, *rates)
    assert_close(float(J_large), want)
    assert_close({name: g.tolist() for name, g in in_place.items()}, wanted)
    for run in (f._run, f._run_small):
        J, gradients = run(*single((params, x, y)), *rates)
        assert all(g.dtype == np.float32 for g in gradients.values())
        assert np.asarray(J).dtype == np.float32
        assert_close(float(J), want, 2e-4)
        assert_close({name: g.tolist() for name, g in gradients.items()}, wanted, 2e-3)


def single(arrays):
    return [u if not isinstance(u, dict) else {k: v.astype(np.float32) for k, v in u.items()} for u in arrays[:1]] + [
        u.astype(np.float32) for u in arrays[1:]
    ]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_gradients_by_the_input(layout):
    spec = Spec(SIZES, ("tanh", "softmax"), "squared_error", **layout)
    _, params, x, y = given(spec)
    f = nets.network(spec).derive().compile(wrt=[spec.name("X"), "b1"])
    _, gradients = f(params, x, y)
    assert list(gradients) == ["b1", spec.name("X")]
    value = nets.network(spec).derive().compile(wrt=())
    for at in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[at] += 1e-5
        below[at] -= 1e-5
        slope = (value(params, above, y)[0] - value(params, below, y)[0]) / 2e-5
        assert gradients[spec.name("X")][at] == pytest.approx(slope, abs=1e-9)


def test_wrt_picks_and_leaves_out_what_is_not_needed():
    d = Network([Dense(3, "tanh"), Dense(2, "softmax")], inputs=4, loss="cross_entropy", batch="m").derive()
    f = d.compile(wrt=["W2"])
    assert "Delta1" not in f.source
    assert f.wrt == ("W2",)
    with pytest.raises(NetworkError, match=r"wrt has 'W3', which is no parameter: there are W1, b1, W2, b2, X"):
        d.compile(wrt=["W3"])


NET = Network([Dense("n_1", "sigmoid"), Dense("n_2", "softmax")], inputs="n_0", loss="cross_entropy", batch="m", l2=0.1)
ROWS = Network([Dense("n_1", "relu"), Dense(3, "softmax")], inputs=4, loss="kl_divergence", batch="m", samples="rows")


def numbers(net, m, sizes, seed=0):
    rng, model = np.random.default_rng(seed), net.model
    named = {**sizes, "m": m}

    def draw(symbol):
        return rng.normal(size=tuple(int(s.subs(named)) for s in symbol.shape))

    labels = rng.integers(0, draw(model.y).shape[model.frame.unit_axis], m)
    hot = np.eye(draw(model.y).shape[model.frame.unit_axis])[labels]
    y = hot.T.copy() if model.frame.unit_axis == 0 else hot
    return {p.name: draw(p) for p in model.parameters}, draw(model.x), y, labels


@pytest.mark.parametrize(("net", "sizes"), [(NET, {"n_0": 3, "n_1": 4, "n_2": 5}), (ROWS, {"n_1": 6})])
@pytest.mark.parametrize("m", [7, 900])
def test_labels_and_weights(net, sizes, m):
    f = net.derive().compile()
    params, x, y, labels = numbers(net, m, sizes)
    J, gradients = f(params, x, y)
    by_label = f(params, x, labels)
    assert by_label[0] == J
    assert all(np.array_equal(by_label[1][name], gradients[name]) for name in gradients)
    # Whole weights are repetitions of samples, and equal weights change nothing.
    repeats = np.arange(m) % 3
    x_twice, y_twice = (np.repeat(u, repeats, axis=1 - net.model.frame.unit_axis) for u in (x, y))
    want, wanted = f(params, x_twice, y_twice)
    got, weighted = f(params, x, y, sample_weight=repeats.astype(float))
    assert got == pytest.approx(want, rel=1e-12)
    for name in gradients:
        np.testing.assert_allclose(weighted[name], wanted[name], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(f(params, x, y, sample_weight=np.full(m, 0.3))[1][name], gradients[name], atol=1e-13)


@pytest.mark.parametrize("m", [7, 2000])
def test_what_is_returned_is_never_written_again(m):
    f = NET.derive().compile()
    params, x, y, _ = numbers(NET, m, {"n_0": 3, "n_1": 4, "n_2": 5})
    _, first = f(params, x, y)
    kept = {name: g.copy() for name, g in first.items()}
    _, second = f({name: 2 * p for name, p in params.items()}, x + 1, y)
    assert all(np.array_equal(first[name], kept[name]) for name in first)
    everything = [*first.values(), *second.values(), *params.values(), x, y]
    assert not any(np.may_share_memory(a, b) for a, b in itertools.combinations(everything, 2))
    out = {name: np.full_like(p, np.nan) for name, p in params.items() if name != "b2"}
    _J, gradients = f(params, x, y, out=out)
    assert all(gradients[name] is out[name] for name in out)
    np.testing.assert_allclose(gradients["b2"], kept["b2"])
    assert all(np.allclose(out[name], kept[name], rtol=1e-13) for name in out)


def test_one_layer_of_one_unit_returns_separate_arrays():
    f = Network([Dense(1)], inputs=1, loss="squared_error").derive().compile()
    out = {name: np.empty((1, 1)) for name in ("W1", "b1")}
    for options in ({}, {"out": out}):
        J, g = f({"W1": np.array([[2.0]]), "b1": np.array([[1.0]])}, np.array([[1.0]]), np.array([[0.5]]), **options)
        assert (float(J), g["W1"].item(), g["b1"].item()) == (6.25, 5.0, 5.0)
        assert not np.may_share_memory(g["W1"], g["b1"])


def test_orders_of_memory_do_not_matter():
    f = NET.derive().compile()
    params, x, y, _ = numbers(NET, 40, {"n_0": 30, "n_1": 20, "n_2": 5})
    want = f(params, x, y)
    strided = [np.asfortranarray(x), np.repeat(y, 2, axis=1)[:, ::2]]
    got = f({name: np.asfortranarray(p) for name, p in params.items()}, *strided)
    assert got[0] == pytest.approx(want[0])
    assert all(np.allclose(got[1][name], want[1][name]) for name in params)


OWN = Activation("bent", r"\frac{z}{1 + e^{-\beta z}} + \max(0, 1 - |z|)", parameters=["beta"])


def test_functions_of_a_users_own():
    net = Network([Dense(3, OWN), Dense(2)], inputs=2, loss=Loss("quartic", r"\frac{1}{4} (a - y)^4"), batch="m")
    d = net.derive()
    f = d.compile()
    rng = np.random.default_rng(0)
    params = {p.name: rng.normal(size=tuple(map(int, p.shape))) for p in net.model.parameters}
    x, y = rng.normal(size=(2, 6)), rng.normal(size=(2, 6))
    J, g = f(params, x, y, scalars={"beta": 1.7})
    values = {**params, "X": x, "Y": y, "m": 6, "beta": 1.7}
    for name, expr in d.definitions.items():
        values[name] = nets.call(expr, values)
    assert float(J) == pytest.approx(np.asarray(values["J"]).item())
    for name, expr in d.gradients.items():
        np.testing.assert_allclose(g[name], nets.call(expr, values))
    huge = {name: 500 * p for name, p in params.items()}
    assert all(np.all(np.isfinite(v)) for v in f(huge, x, y, scalars={"beta": 1.7})[1].values())


@pytest.mark.parametrize(
    ("activation", "loss", "name"), [("generic", "squared_error", "sigma"), ("tanh", "generic", "C")]
)
def test_what_is_opaque_is_refused_by_name(activation, loss, name):
    with pytest.raises(Unsupported, match=rf"code for {name}\b"):
        Network([Dense(2, activation)], inputs=2, loss=loss).derive().compile()


def test_labels_any_keeps_its_terms():
    net = Network([Dense(3, "softmax")], inputs=2, loss="cross_entropy", batch=4, labels="any")
    spec = Spec((2, 3), ("softmax",), "cross_entropy", m=4)
    point = truth.random_point(spec, 4, labels="any")
    arrays = {name: np.array(rows, dtype=float) for name, rows in point.items()}
    J, g = net.derive().compile()({k: arrays[k] for k in ("W1", "b1")}, arrays["X"], arrays["Y"])
    want, wanted = truth.numeric_gradients(spec, point)
    assert_close(float(J), want)
    assert_close({name: v.tolist() for name, v in g.items()}, wanted)


NARROW = [
    (sizes, m, rows)
    for sizes in ((1, 1), (2, 1), (1, 3), (1, 1, 1), (3, 1, 2), (2, 3, 1))
    for m, rows in ((None, False), (1, False), (1, True), (2, True))
]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(("sizes", "m", "rows"), NARROW)
def test_sizes_of_one_as_numbers_and_as_symbols(sizes, m, rows, whole):
    """Where an axis has one entry arrays are spread, sums vanish, and a J may be an array of one entry."""
    names = ("selu", "softmax")[-(len(sizes) - 1) :]
    spec = Spec(sizes, names, "squared_error", m=m, samples="rows" if rows else "columns", l2="0.3")
    point, params, x, y = given(spec)
    layers = [Dense(size if whole else f"n_{k}", a) for k, (size, a) in enumerate(zip(sizes[1:], names), 1)]
    batch = m if whole or m is None else "m"
    inputs = sizes[0] if whole else "n_0"
    net = Network(layers, inputs=inputs, loss="squared_error", batch=batch, samples=spec.samples, l2=0.3)
    f = net.derive().compile()
    want, wanted = truth.numeric_gradients(spec, point)
    options = [{}, {"out": {name: np.empty_like(p) for name, p in params.items()}}]
    options += [] if m is None else [{"sample_weight": np.full(m, 2.0)}]
    for J, gradients in [f(params, x, y, **more) for more in options]:
        assert np.ndim(J) == 0
        assert_close(float(J), want)
        assert_close({name: g.tolist() for name, g in gradients.items()}, wanted)


# ---- the source


ALONE = """
import sys
sys.modules["symbackprop"] = None  # an import of it fails
import numpy as np
exec(open(sys.argv[1]).read())
with np.load(sys.argv[2]) as given:
    arrays = dict(given)
J, g = loss_and_gradients({k: v for k, v in arrays.items() if k not in "XY"}, arrays["X"], arrays["Y"])
np.savez(sys.argv[3], J=J, **g)
print(sorted(name for name in sys.modules if name.startswith(("sympy", "symbackprop."))))
"""


def test_the_source_runs_where_there_is_only_numpy(tmp_path):
    f = NET.derive().compile()
    params, x, y, _ = numbers(NET, 5, {"n_0": 3, "n_1": 4, "n_2": 5})
    (tmp_path / "net.py").write_text(f.source)
    np.savez(tmp_path / "given.npz", X=x, Y=y, **params)
    paths = [tmp_path / name for name in ("net.py", "given.npz", "found.npz")]
    done = subprocess.run([sys.executable, "-c", ALONE, *paths], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with np.load(paths[2]) as found:
        J, gradients = f(params, x, y)
        assert float(found["J"]) == pytest.approx(float(J))
        assert all(np.allclose(found[name], gradients[name]) for name in gradients)


def test_the_source_reads_as_if_written_by_hand():
    d = Network(
        [Dense("n_1", "sigmoid"), Dense(1, "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m"
    ).derive()
    for code in (d.compile().source, d.compile().small_source):
        assert code.startswith("import numpy as np\n\n\ndef loss_and_gradients(params, X, Y, out=None):")
        assert "params: W1 (n_1, n_0), b1 (n_1, 1), W2 (1, n_1), b2 (1, 1)" in code
        for name in ("Z1", "A1", "Z2", "A2", "J", "Delta2", "dW2", "db2", "Delta1", "dW1", "db1"):
            assert re.search(rf"# {name} = ", code), name
        assert "# Delta1 = (W2.T*Delta2) o A1 o (1 - A1)" in code
        assert code.count("np.exp(") == 2  # each sigmoid once: its rate comes from the output
        assert max(map(len, code.splitlines())) < 200


def test_nothing_is_computed_twice():
    d = Network([Dense(3, "silu"), Dense(4, "softmax")], inputs=2, loss="cross_entropy", batch="m").derive()
    for code in (d.compile().source, d.compile().small_source):
        body = [line.split("  #")[0].strip() for line in code.splitlines()]
        made = [line.split(" = ", 1)[1] for line in body if re.match(r"\w+ = ", line) and "out=" not in line]
        assert len(made) == len(set(made))


OPERATORS = re.compile(r" ([-+*/]=?) |\.T\b|axis=[01]|\bnp\.(tanh|exp|log|subtract)\b")
OTHER = {" + ": " - ", " - ": " + ", " * ": " / ", " / ": " * ", " += ": " -= ", " -= ": " += ", " *= ": " /= "}
OTHER |= {" /= ": " *= ", ".T": "", "axis=0": "axis=1", "axis=1": "axis=0"}
OTHER |= {"np.tanh": "np.sin", "np.exp": "np.cosh", "np.log": "np.sqrt", "np.subtract": "np.add"}


@pytest.mark.parametrize("small", [True, False])
def test_an_error_planted_anywhere_in_the_source_is_seen(small):
    """One operator, transpose, axis or function changed at a time: the witness disagrees with every one of them."""
    spec = Spec(SIZES, ("tanh", "softmax"), "cross_entropy", m=5, l2="0.3")
    point, params, x, y = given(spec)
    f = nets.network(spec).derive().compile()
    source = f.small_source if small else f.source
    want, wanted = truth.numeric_gradients(spec, point)

    def right(code):
        try:
            with np.errstate(all="ignore"):
                J, gradients = load(code, "loss_and_gradients")(params, x, y, 0.3)
        except ValueError:
            return False
        close = truth.difference({k: g.tolist() for k, g in gradients.items()}, wanted) < 1e-10
        return bool(truth.difference(float(J), want) < 1e-10 and close)

    assert right(source)
    body = source.index('"""\n', source.index('"""') + 3)
    planted = 0
    for match in OPERATORS.finditer(source, body):
        line = source[source.rfind("\n", 0, match.start()) : match.start()]
        if "#" in line:
            continue
        code = source[: match.start()] + OTHER[match.group()] + source[match.end() :]
        planted += 1
        # A shift by the largest entry cancels, whatever it is.
        shift = "max(" in source[match.start() - 60 : match.end() + 30] and match.group() not in (".T",)
        assert shift or not right(code), source[match.start() - 40 : match.end() + 40]
    assert planted > 15


def test_deep_networks_compile():
    layers = [Dense(2, "tanh") for _ in range(400)]
    f = Network(layers, inputs=2, loss="squared_error", batch="m").derive().compile()
    rng = np.random.default_rng(0)
    params = {p.name: rng.normal(size=tuple(map(int, p.shape))) for p in f.derived.model.parameters}
    J, g = f(params, rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))
    assert np.isfinite(J)
    assert len(g) == 800


@pytest.mark.parametrize("name", ["out", "np", "t1", "ones", "lambda", "params", "dW1", "dtype"])
def test_no_name_of_a_size_or_a_rate_hides_another(name):
    for options in ({"batch": name, "l2": "r"}, {"batch": "m", "l2": name}):
        try:
            net = Network([Dense(3, "sigmoid"), Dense(2, "softmax")], inputs=2, loss="cross_entropy", **options)
        except NetworkError:
            continue
        params, x, y, _ = numbers_of(net)
        rate = options["l2"]
        J, g = net.derive().compile()(params, x, y, scalars={rate: 0.5})
        plain = Network([Dense(3, "sigmoid"), Dense(2, "softmax")], inputs=2, loss="cross_entropy", batch="m", l2=0.5)
        want, wanted = plain.derive().compile()(params, x, y)
        assert float(J) == pytest.approx(float(want))
        assert all(np.allclose(g[k], wanted[k]) for k in g)


def numbers_of(net):
    rng = np.random.default_rng(0)
    shapes = {p.name: tuple(map(int, p.shape)) for p in net.model.parameters}
    return (
        {k: rng.normal(size=s) for k, s in shapes.items()},
        rng.normal(size=(2, 4)),
        np.eye(2)[[0, 1, 1, 0]].T.copy(),
        0,
    )


def test_a_compiled_function_survives_pickling():
    f = NET.derive().compile(wrt=["b2"])
    params, x, y, _ = numbers(NET, 5, {"n_0": 3, "n_1": 4, "n_2": 5})
    want = f(params, x, y)
    again = pickle.loads(pickle.dumps(f))
    assert again(params, x, y)[0] == want[0]


def test_dtype_converts():
    f = NET.derive().compile(dtype="float32")
    params, x, y, _ = numbers(NET, 5, {"n_0": 3, "n_1": 4, "n_2": 5})
    _J, g = f(params, x, y)
    assert {v.dtype for v in g.values()} == {np.dtype(np.float32)}


def test_sizes_stay_symbols():
    assert NET.derive().compile().program.sizes == sympy.symbols("n_0 n_1 n_2 m")

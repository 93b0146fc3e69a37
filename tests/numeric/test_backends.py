"""The same program in other libraries gives what NumPy gives; a library that is missing is said in one line."""

import itertools
import random
import sys

import numpy as np
import pytest
import spec_networks as nets
import truth
from spec_networks import LAYOUTS, SIZES, label
from truth import Spec

from symbackprop import Dense, Network
from symbackprop.errors import InputError, Unsupported
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.losses import LOSSES
from symbackprop.numeric import functional_source, loop_source
from symbackprop.numeric.program import program

KNOWN = [name for name in ACTIVATIONS if name != "generic"]
UNDEFINED = {("log_softmax", loss) for loss in truth._UP_TO}


def specs(count, seed):
    """Networks in which every activation and every loss occurs, if there are enough."""
    rng = random.Random(seed)
    hidden, outputs, losses = (itertools.cycle(rng.sample(names, len(names))) for names in (KNOWN, KNOWN, list(LOSSES)))
    found = []
    while len(found) < count:
        output, loss = next(outputs), next(losses)
        if loss == "generic":
            continue
        while (output, loss) in UNDEFINED or not nets.accepted(loss, "tanh", output):
            output = next(outputs)
        penalty = rng.choice(({}, {"l2": "0.3"}, {"l1": "1/7"}))
        found.append(Spec(SIZES, (next(hidden), output), loss, **rng.choice(LAYOUTS), **penalty))
    return found


def compared(spec, backend, convert=lambda u: u, tolerance=1e-11):
    point = truth.random_point(spec, 1)
    arrays = {name: np.array(rows, dtype=float) for name, rows in point.items()}
    x, y = arrays.pop(spec.name("X")), arrays.pop(spec.name("Y"))
    d, wrt = nets.network(spec).derive(), [*spec.parameters, spec.name("X")]
    scalars = nets.rates(spec) or None
    want, wanted = d.compile(wrt=wrt)(arrays, x, y, scalars=scalars)
    f = d.compile(wrt=wrt, backend=backend)
    got, gradients = f({k: convert(v) for k, v in arrays.items()}, convert(x), convert(y), scalars=scalars)
    assert list(gradients) == wrt
    np.testing.assert_allclose(np.asarray(got), want, rtol=tolerance, atol=tolerance)
    for name in wrt:
        np.testing.assert_allclose(np.asarray(gradients[name]), wanted[name], rtol=tolerance, atol=tolerance)
    return got, gradients


@pytest.mark.parametrize("spec", specs(40, 0), ids=label)
def test_the_array_api_with_numpy(spec):
    pytest.importorskip("array_api_compat")
    got, _ = compared(spec, "array_api")
    assert isinstance(got, np.floating)


@pytest.mark.parametrize("spec", specs(60, 6), ids=label)
def test_nothing_but_the_array_api(spec):
    """A namespace that refuses whatever the standard does not promise."""
    pytest.importorskip("array_api_compat")
    strict = pytest.importorskip("array_api_strict")
    got, _ = compared(spec, "array_api", strict.asarray)
    assert type(got).__module__.startswith("array_api_strict")


@pytest.mark.parametrize("spec", specs(20, 1), ids=label)
def test_the_array_api_with_torch(spec):
    pytest.importorskip("array_api_compat")
    torch = pytest.importorskip("torch")
    got, gradients = compared(spec, "array_api", torch.from_numpy)
    assert all(isinstance(g, torch.Tensor) for g in (got, *gradients.values()))


@pytest.mark.parametrize("spec", specs(4, 2), ids=label)
def test_the_array_api_with_jax(spec):
    pytest.importorskip("array_api_compat")
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        got, _ = compared(spec, "array_api", jax.numpy.asarray)
        assert isinstance(got, jax.Array)


@pytest.mark.parametrize("spec", specs(17, 3), ids=label)
def test_jax(spec):
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    got, _ = compared(spec, "jax")
    assert got.dtype == np.float64
    assert jax.config.jax_enable_x64 == before


@pytest.mark.parametrize("spec", specs(4, 4), ids=label)
def test_numba(spec):
    pytest.importorskip("numba")
    compared(spec, "numba")


NET = Network(
    [Dense(6, "tanh"), Dense(3, "softmax")], inputs=4, loss="cross_entropy", batch="m", l2=0.1, samples="rows"
)


def numbers(m, seed=0):
    rng = np.random.default_rng(seed)
    params = {p.name: rng.normal(size=tuple(map(int, p.shape))) for p in NET.model.parameters}
    return params, rng.normal(size=(m, 4)), np.eye(3)[rng.integers(0, 3, m)]


@pytest.mark.parametrize("backend", ["jax", "numba", "array_api"])
def test_labels_weights_types_and_wrong_calls(backend):
    pytest.importorskip({"array_api": "array_api_compat"}.get(backend, backend))
    d = NET.derive()
    f, plain = d.compile(backend=backend), d.compile()
    params, x, y = numbers(8)
    want, wanted = plain(params, x, y, sample_weight=np.arange(8.0))
    got, gradients = f(params, x, y.argmax(axis=1), sample_weight=np.arange(8.0))
    assert float(got) == pytest.approx(want)
    assert all(np.allclose(gradients[k], wanted[k]) for k in wanted)
    small = {k: v.astype(np.float32) for k, v in params.items()}
    _, gradients = f(small, x.astype(np.float32), y.astype(np.float32))
    assert {str(g.dtype) for g in gradients.values()} == {"float32"}
    with pytest.raises(InputError, match=r"W1 has shape \(4, 6\).*W1.T would fit"):
        f({**params, "W1": params["W1"].T}, x, y)
    with pytest.raises(InputError, match=r"X\[0, 0\] is NaN"):
        f(params, x * np.nan, y)
    with pytest.raises(InputError, match="params has no b2"):
        f({k: v for k, v in params.items() if k != "b2"}, x, y)


def test_a_cluster_sums_over_chunks_of_samples():
    pytest.importorskip("dask.array")
    distributed = pytest.importorskip("distributed")
    import dask.array as da

    params, x, y = numbers(1003)
    d = NET.derive()
    want, wanted = d.compile()(params, x, y)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        f = d.compile(backend="dask")
        got, gradients = f(params, da.from_array(x, chunks=(100, 2)), da.from_array(y, chunks=(77, 3)))
        lazy, lazy_gradients = d.compile(backend="array_api")(params, da.from_array(x), da.from_array(y))
        assert float(lazy.compute()) == pytest.approx(want)
        assert np.allclose(lazy_gradients["W1"].compute(), wanted["W1"])
    assert got == pytest.approx(want, rel=1e-12)
    for name in wanted:
        np.testing.assert_allclose(gradients[name], wanted[name], rtol=1e-10, atol=1e-14)
    with pytest.raises(InputError, match="X has an entry for each sample"):
        d.compile(wrt=["X"], backend="dask")(params, x, y)


@pytest.mark.parametrize(
    ("backend", "module", "extra"),
    [
        ("numba", "numba", "numba"),
        ("jax", "jax", "jax"),
        ("array_api", "array_api_compat", "array-api"),
        ("dask", "dask", "dask"),
    ],
)
def test_a_missing_library_is_said_in_one_line(backend, module, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    message = rf"the backend {backend} needs {module}, which is not installed: pip install 'symbackprop\[{extra}\]'"
    with pytest.raises(Unsupported, match=message):
        NET.derive().compile(backend=backend)


@pytest.mark.parametrize("spec", specs(40, 5), ids=label)
def test_every_program_prints_for_every_library(spec):
    """What cannot be run here is at least printed: no operation of the tables lacks a template."""
    made = program(nets.network(spec).derive())
    for library in functional_source.LIBRARIES.values():
        assert "loss_and_gradients" in functional_source.module(made, library)
    assert "numba.njit" in loop_source.numba_module(made)

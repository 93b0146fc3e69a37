"""What is returned is SymPy's to work with: what one does with an expression works, and means the same after."""

import copy
import pickle
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
import spec_networks as nets
import sympy
import truth
from sympy.matrices.expressions.matexpr import MatrixExpr
from truth import Spec

from symbackprop import Dense, Network
from symbackprop.algebra import formula as f
from symbackprop.derivation import Derivation
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.losses import LOSSES

LAYOUTS = nets.LAYOUTS
OUTPUT_FOR = {"log_likelihood": "sigmoid", "binary_cross_entropy": "sigmoid", "negative_log_likelihood": "log_softmax"}


def _specs() -> Iterator[tuple[str, Spec, bool]]:
    """A label, a spec, and whether its sizes are numbers in the network."""
    rng = random.Random(0)
    for a in ACTIVATIONS:
        yield a, Spec((3, 4, 2), (a, a), "half_squared_error", l2="0.3", **rng.choice(LAYOUTS)), False
    for loss in LOSSES:
        output = OUTPUT_FOR.get(loss, "identity" if "logits" in loss else "softmax")
        yield loss, Spec((3, 4, 2), ("tanh", output), loss, l1="0.2", **rng.choice(LAYOUTS)), False
    for n, layout in enumerate(LAYOUTS):
        spec = Spec((3, 4, 2), ("relu", "softmax"), "cross_entropy", l1="1/7", l2="0.3", **layout)
        yield f"layout-{n}", spec, False
        yield f"numbers-{n}", spec, True
    yield "opaque", Spec((3, 4, 2), ("generic", "generic"), "generic", m=5), False
    yield "opaque-rows", Spec((3, 4, 2), ("generic", "softmax"), "generic", m=5, samples="rows"), False
    yield "scalar", Spec((1, 1, 1), ("tanh", "sigmoid"), "half_squared_error", l1="0.2", l2="0.3"), True
    yield "scalar-relu", Spec((1, 1, 1), ("relu", "sigmoid"), "binary_cross_entropy"), True
    yield "scalar-opaque", Spec((1, 1, 1), ("generic", "generic"), "generic"), True
    yield "scalar-batch", Spec((1, 1, 1), ("tanh", "sigmoid"), "half_squared_error", m=4, l2="0.3"), True
    yield "one-output-rows", Spec((3, 4, 1), ("tanh", "sigmoid"), "half_squared_error", m=5, samples="rows"), True
    yield "one-hidden", Spec((3, 1, 2), ("sigmoid", "softmax"), "cross_entropy", m=5), True
    yield "batch-of-1", Spec((3, 4, 2), ("sigmoid", "identity"), "half_squared_error", m=1), True
    yield "one-layer", Spec((3, 2), ("softmax",), "cross_entropy", m=5, weights="in x out", bias=(False,)), False


CASES = {name: (spec, numbers) for name, spec, numbers in _specs() if nets.accepted(spec.loss, *spec.activations)}


def build(name: str) -> Derivation:
    spec, numbers = CASES[name]
    net = nets.network(spec)
    if numbers:
        layers = [Dense(n, a, bias=b) for n, a, b in zip(spec.sizes[1:], spec.activations, spec.bias, strict=True)]
        net = Network(
            layers,
            inputs=spec.sizes[0],
            loss=spec.loss,
            batch=spec.m,
            l1=net.l1,
            l2=net.l2,
            samples=spec.samples,
            weights=spec.weights,
        )
    return net.derive()


@cache
def derived(name: str) -> Derivation:
    return build(name)


@cache
def values(name: str) -> dict[str, Any]:
    spec, _ = CASES[name]
    return nets.intermediates(derived(name), spec, truth.random_point(spec, 1)) | {"j": 1, "k": 1}


def returned(d: Derivation) -> dict[str, Any]:
    """Everything that the derivation returns, by a name that says where it is from."""
    found = {f"definition {n}": e for n, e in d.definitions.items()}
    for n, e in d.gradients.items():
        found[n] = e
        found[f"{n} expanded"] = d.gradient(n, expand=True)
        letters = ("j", "k")[: 1 if n[0] == "b" else 2]
        found[f"entry of {n}"] = d.entry(n, *letters)
        found[f"entry of {n} expanded"] = d.entry(n, *letters, expand=True)
        found[f"first entry of {n}"] = d.entry(n, 1, 1)
    return found


@cache
def expressions(name: str) -> dict[str, Any]:
    return returned(derived(name))


@cache
def numbers_of(name: str) -> dict[str, Any]:
    """The value of every expression as it was returned."""
    return {what: evaluate(name, e) for what, e in expressions(name).items()}


def is_array(e: Any) -> bool:
    return isinstance(e, MatrixExpr)


def evaluate(name: str, e: Any, known: dict[str, Any] | None = None) -> Any:
    return nets.call(e, values(name) if known is None else known, nets.numpy_modules(CASES[name][0]))


def close(u: Any, v: Any) -> bool:
    return np.shape(u) == np.shape(v) and bool(np.allclose(u, v, rtol=1e-12, atol=1e-14))


def shape_of(name: str, what: str) -> tuple[int, int]:
    """The shape that the value must have, from the witness."""
    spec, _ = CASES[name]
    symbol = what.removeprefix("definition ").removesuffix(" expanded")
    if symbol in spec.parameters:
        return spec.shape(symbol)
    if symbol == "J":
        return (1, 1)
    shape = (spec.sizes[int(symbol[-1])], spec.m or 1)
    return shape[::-1] if spec.rows else shape


def scalars_in(name: str, what: str) -> set[str]:
    """Sizes and rates that occur as numbers: the m of 1/m, not the m of an n by m array."""
    d, symbol = derived(name), what.removeprefix("definition ").removesuffix(" expanded")
    written = {s.name: u for s, u in d.defining_formulas.items()}
    formula = written[symbol] if symbol in written else d.formula(symbol, what.endswith("expanded"))
    return {u.name for u in f.walk(formula) if isinstance(u, f.Scalar)}


every_case = pytest.mark.parametrize("name", CASES)


@every_case
def test_prints(name: str) -> None:
    for what, e in expressions(name).items():
        for text in (sympy.latex(e), str(e)):
            assert text, what
            assert "object at 0x" not in text, what
            assert "Dummy" not in text, what
        assert sympy.latex(e).count("{") == sympy.latex(e).count("}"), what


@every_case
def test_has_a_shape_and_free_symbols(name: str) -> None:
    spec, numbers = CASES[name]
    for what, e in expressions(name).items():
        assert all(isinstance(s, sympy.Symbol | sympy.MatrixSymbol) for s in e.free_symbols), what
        if "entry" in what:
            assert isinstance(e, sympy.Expr), what
            assert not is_array(e), what
            continue
        assert all(isinstance(n, sympy.Expr) for n in e.shape), what
        assert tuple(n.subs(nets.sizes(spec)) for n in e.shape) == shape_of(name, what), what
        if numbers:
            assert not {str(s) for s in e.free_symbols} & set(nets.sizes(spec)), what


@every_case
def test_is_called_with_arrays_and_what_occurs_as_a_value(name: str) -> None:
    """No size has to be passed that is only the length of an axis; a sum of an entry has its bounds as values."""
    spec, _ = CASES[name]
    modules = nets.numpy_modules(spec)
    for what, e in expressions(name).items():
        as_values = {"j", "k", *nets.sizes(spec), *nets.rates(spec)} if "entry" in what else scalars_in(name, what)
        args = [s for s in sorted(e.free_symbols, key=str) if isinstance(s, sympy.MatrixSymbol) or str(s) in as_values]
        got = sympy.lambdify(args, e, modules)(*(values(name)[str(s)] for s in args))
        assert np.all(np.isfinite(got)), what
        if "entry" in what:
            assert np.size(got) == 1, what
            parameter = what.split("of ")[1].removesuffix(" expanded")
            assert close(float(np.asarray(got).item()), numbers_of(name)[parameter][0, 0]), what
        elif is_array(e):
            assert np.shape(got) == shape_of(name, what), what
            assert close(got, numbers_of(name)[what]), what


@every_case
def test_keeps_its_value_under_doit_xreplace_and_subs(name: str) -> None:
    spec, numbers = CASES[name]
    known = values(name)
    renamed = {"W1": "U", "X": "V", "x": "v", "a1": "alpha", "A1": "Alpha"}
    for what, e in expressions(name).items():
        want = numbers_of(name)[what]
        assert close(np.asarray(evaluate(name, e.doit())), np.asarray(want)), what
        swap = {
            s: sympy.MatrixSymbol(renamed[str(s)], *s.shape)
            for s in e.free_symbols
            if isinstance(s, sympy.MatrixSymbol) and str(s) in renamed
        }
        again = e.xreplace(swap)
        assert not again.free_symbols & set(swap), what
        assert close(evaluate(name, again, known | {renamed[str(s)]: known[str(s)] for s in swap}), want), what
        assert again.xreplace({new: old for old, new in swap.items()}) == e, what
        assert e.xreplace({}) == e, what
        if not numbers:
            numbered = e.subs({sympy.Symbol(n): v for n, v in nets.sizes(spec).items()})
            assert close(evaluate(name, numbered), want), what
            assert not {str(s) for s in numbered.free_symbols} & set(nets.sizes(spec)), what
            if is_array(e):
                assert numbered.shape == shape_of(name, what), what
            one = e.subs({sympy.Symbol("n_1"): 4})
            assert not {str(s) for s in one.free_symbols} & {"n_1"}, what
            assert close(evaluate(name, one), want), what


@every_case
def test_is_a_value(name: str) -> None:
    """Equal to itself derived again, with an equal hash; it can be pickled and copied, and rebuilt from its parts."""
    again = returned(build(name))
    for what, e in expressions(name).items():
        assert e == again[what], what
        assert hash(e) == hash(again[what]), what
        assert pickle.loads(pickle.dumps(e)) == e, what
        assert copy.deepcopy(e) == e, what
        assert copy.copy(e) == e, what
        assert str(pickle.loads(pickle.dumps(e))) == str(e), what
        for part in sympy.preorder_traversal(e):
            assert not part.args or part.func(*part.args) == part, what


def test_a_symbol_of_the_users_own_is_the_same() -> None:
    n_1, n_0 = sympy.symbols("n_1 n_0")
    gradient = derived("layout-0").gradients["W1"]
    assert gradient.shape == (n_1, n_0)
    assert gradient.has(sympy.MatrixSymbol("W1", n_1, n_0))


def test_different_things_are_not_equal() -> None:
    """Equality is not so generous that the laws above say nothing."""
    found = returned(derived("layout-1"))
    assert len(set(found.values())) == len({str(e) for e in found.values()}) > 20
    d, other = derived("layout-1"), derived("numbers-1")
    assert all(d.gradients[n] != other.gradients[n] for n in d.gradients)

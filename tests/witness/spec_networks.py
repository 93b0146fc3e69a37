"""A ``truth.Spec`` as a network of the package with symbolic sizes, and what its expressions evaluate to at a point.

Expressions are evaluated by plain ``sympy.lambdify(args, e, "numpy")``; only the opaque functions of ``generic`` layers
and losses are handed over, as the witness makes them concrete.
"""

from typing import Any

import mpmath
import numpy as np
import sympy
import truth
from exact import Env
from truth import Point, Spec

from symbackprop import Dense, Network
from symbackprop.derivation import Derivation
from symbackprop.errors import NetworkError

L1, L2 = "mu", "lambda"
SIZES = (3, 4, 2)
LAYOUTS: tuple[dict[str, Any], ...] = tuple(
    {"m": m, "samples": samples, "weights": weights}
    for weights in ("out x in", "in x out")
    for m, samples in ((None, "columns"), (5, "columns"), (5, "rows"))
)


def network(spec: Spec, labels: str | None = None) -> Network:
    """Symbolic sizes n_0, n_1, ..., m and rates lambda, mu; the spec holds their numbers."""
    layers = [
        Dense(f"n_{n}", activation, bias=bias)
        for n, (activation, bias) in enumerate(zip(spec.activations, spec.bias, strict=True), 1)
    ]
    return Network(
        layers,
        inputs="n_0",
        loss=spec.loss,
        batch=None if spec.m is None else "m",
        l1=None if spec.l1 is None else L1,
        l2=None if spec.l2 is None else L2,
        labels=labels,
        samples=spec.samples,
        weights=spec.weights,
    )


def sizes(spec: Spec) -> dict[str, int]:
    return {f"n_{n}": size for n, size in enumerate(spec.sizes)} | ({} if spec.m is None else {"m": spec.m})


def rates(spec: Spec) -> dict[str, float]:
    return {name: float(truth._fraction(rate)) for name, rate in ((L1, spec.l1), (L2, spec.l2)) if rate is not None}


def numpy_modules(spec: Spec) -> Any:
    """What ``lambdify`` is told: nothing but "numpy" where nothing is opaque."""
    modules: dict[str, Any] = {}
    if "generic" in spec.activations:
        modules |= {"sigma": lambda z: np.sin(z) + z / 2, "sigma_prime": lambda z: np.cos(z) + 0.5}
    if spec.loss == "generic":

        def per_sample(function: Any, keep: bool) -> Any:
            def apply(a: Any, y: Any) -> Any:
                rows = zip(a, y, strict=True) if spec.rows else zip(a.T, y.T, strict=True)
                out = np.array([function(list(p), list(t), np) for p, t in rows])
                out = out if keep else out[:, None]
                return out if spec.rows else out.T

            return apply

        modules["C"] = per_sample(truth.generic_loss, False)
        modules["grad_C"] = per_sample(truth.generic_loss_gradient, True)
    return [modules, "numpy"] if modules else "numpy"


def call(expr: Any, values: dict[str, Any], modules: Any = "numpy") -> Any:
    """The value of an expression by ``lambdify`` over all that is free in it."""
    names = sorted(expr.free_symbols, key=str)
    return sympy.lambdify(names, expr, modules)(*(values[str(name)] for name in names))


def given(spec: Spec, point: Point) -> dict[str, Any]:
    """The point, the sizes and the rates, as floats and ints, by name."""
    arrays = {name: np.array(rows, dtype=float) for name, rows in point.items()}
    return arrays | sizes(spec) | rates(spec)


def intermediates(d: Derivation, spec: Spec, point: Point) -> dict[str, Any]:
    """What is given and the value of every definition, computed in the order of ``definitions``."""
    values, modules = given(spec, point), numpy_modules(spec)
    for name, expr in d.definitions.items():
        values[name] = call(expr, values, modules)
    return values


def environment(spec: Spec, point: Point) -> Env:
    """The same for the exact evaluators, in mpf; the rates exactly as the spec says."""
    rate = {n: truth._number(truth._fraction(r)) for n, r in ((L1, spec.l1), (L2, spec.l2)) if r is not None}
    return Env(
        {name: [[mpmath.mpf(v) for v in row] for row in rows] for name, rows in point.items()},
        sizes(spec) | rate,
        {"sigma": [truth.generic_activation, truth.generic_activation_derivative]},
        {"C": (truth.generic_loss, truth.generic_loss_gradient)},
    )


def nested(array: Any) -> list[list[Any]]:
    """As the witness writes arrays."""
    return np.asarray(array).tolist()


def accepted(loss: str, *activations: str) -> bool:
    """Whether ``Network`` takes the pair; only NetworkError counts as a refusal."""
    try:
        Network([Dense("n_1", a) for a in activations], inputs="n_0", loss=loss)
    except NetworkError:
        return False
    return True


def label(spec: Spec) -> str:
    layout = f"{spec.m}{spec.samples[0]}{spec.weights[0]}{'' if all(spec.bias) else '-unbiased'}"
    return f"{'-'.join(spec.activations)}-{spec.loss}-{layout}{'-l1' * bool(spec.l1)}{'-l2' * bool(spec.l2)}"


def assert_close(got: Any, want: Any, tolerance: float = 1e-10) -> None:
    error = truth.difference(got, want)
    assert error < tolerance, f"off by {mpmath.nstr(error, 3)}"

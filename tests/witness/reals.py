"""Claims about gradients at real numbers: the third opinion, and the check of counterexamples.

The truth is that of ``truth`` (dual numbers on the definition, entry by entry), the claim is evaluated node by node by
``formula_values``, both in mpmath. An error dJ/dZ_l is found sample by sample: in a network of one sample, dL/db_l.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import formula_values
import mpmath
import numpy as np
import spec_networks
import truth
from truth import Spec

from symbackprop import Network
from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula

DIGITS = 40


def number(value: Fraction) -> mpmath.mpf:
    return mpmath.mpf(value.numerator) / value.denominator


def spec_of(net: Network, sizes: Mapping[str, int], rates: Mapping[str, Fraction]) -> Spec:
    """The network with numbers for its sizes and rates."""
    model = net.model

    def count(size: Any) -> int:
        return sizes[str(size)] if size.is_Symbol else int(size)

    def rate(given: Any) -> Fraction | None:
        if given is None:
            return None
        return rates[str(given)] if given.is_Symbol else Fraction(int(given.p), int(given.q))

    return Spec(
        tuple(count(n) for n in model.sizes),
        tuple(layer.activation.name for layer in model.layers),
        model.loss.name,
        None if model.frame.samples is None else count(model.frame.samples),
        "rows" if model.frame.rows else "columns",
        "in x out" if model.frame.in_by_out else "out x in",
        tuple(layer.bias for layer in model.layers),
        l1=rate(model.l1),
        l2=rate(model.l2),
    )


_found: dict[tuple[Any, ...], Any] = {}


def _once(what: str, spec: Spec, point: dict[str, Any], find: Callable[[], Any]) -> Any:
    """What was found for a point before, or what is found now; the point is kept, so that its identity is its own."""
    key = (what, spec, id(point))
    if key not in _found:
        _found[key] = (point, find())
    return _found[key][1]


def forget() -> None:
    """For a change of what stands for opaque functions."""
    _found.clear()


def _all_gradients(spec: Spec, point: dict[str, Any]) -> dict[str, Any]:
    return _once("gradients", spec, point, lambda: truth.numeric_gradients(spec, point, DIGITS)[1])


def _forward(spec: Spec, point: dict[str, Any]) -> dict[str, Any]:
    return _once("forward", spec, point, lambda: truth.forward(spec, point, DIGITS))


def true_value(spec: Spec, point: dict[str, Any], of: str) -> Any:
    """dJ/d(parameter), an error, dJ/dA, or an array of the forward pass, as a 2-D object array of mpf."""
    return _once(of, spec, point, lambda: _true_value(spec, point, of))


def _true_value(spec: Spec, point: dict[str, Any], of: str) -> Any:
    if of in spec.parameters:
        return np.array(_all_gradients(spec, point)[of], dtype=object)
    if of[0] in "zZaA":
        return np.array(_forward(spec, point)[of], dtype=object)
    layer = 0 if of in ("dX", "dx") else int(of.lower().removeprefix("delta").removeprefix("da"))
    if of[0] == "d" and of[1] in "aAxX":
        spec, point, layer = _with_identity(spec, point, layer)
    X, Y = (np.array(point[spec.name(letter)], dtype=object) for letter in "XY")
    X, Y = (u.T if spec.rows else u for u in (X, Y))
    single = replace(spec, m=None, samples="columns", bias=(True,) * spec.depth, l1=None, l2=None)
    zero = {f"b{k}": [[mpmath.mpf(0)]] * n for k, n in enumerate(spec.sizes[1:], 1)}
    columns = []
    for i in range(X.shape[1]):
        inside = {k: v for k, v in point.items() if k not in "XYxy"}
        one = {**zero, **inside, "x": X[:, i : i + 1].tolist(), "y": Y[:, i : i + 1].tolist()}
        columns.append([row[0] / (spec.m or 1) for row in truth.numeric_gradients(single, one, DIGITS)[1][f"b{layer}"]])
    errors = np.array(columns, dtype=object)
    return errors if spec.rows else errors.T


def _with_identity(spec: Spec, point: dict[str, Any], layer: int) -> tuple[Spec, dict[str, Any], int]:
    """The network with a layer that does nothing behind another: its pre-activation is what entered it."""
    n = spec.sizes[layer]
    wider = replace(
        spec,
        sizes=(*spec.sizes[: layer + 1], *spec.sizes[layer:]),
        activations=(*spec.activations[:layer], "identity", *spec.activations[layer:]),
        bias=(*spec.bias[:layer], False, *spec.bias[layer:]),
    )
    moved = {k: v for k, v in point.items() if k[0] not in "Wb" or int(k[1:]) <= layer}
    moved |= {f"{k[0]}{int(k[1:]) + 1}": v for k, v in point.items() if k[0] in "Wb" and int(k[1:]) > layer}
    moved[f"W{layer + 1}"] = [[mpmath.mpf(int(i == j)) for j in range(n)] for i in range(n)]
    return wider, moved, layer + 1


def claimed_value(
    net: Network, spec: Spec, point: dict[str, Any], claim: Formula, rates: Mapping[str, Fraction]
) -> Any:
    """The claim at a point, with every named array as it truly is."""
    env = spec_networks.environment(spec, point)
    known = {str(n) for n in (*net.model.sizes, net.model.frame.samples) if n is not None and n.is_Symbol}
    numbers = dict(zip(map(str, net.model.sizes), spec.sizes, strict=True)) | {str(net.model.frame.samples): spec.m}
    env.scalars = {name: numbers[name] for name in known}  # type: ignore[misc]
    env.scalars |= {name: number(rate) for name, rate in rates.items()}
    forward = _forward(spec, point)
    env.arrays |= {name: rows for name, rows in forward.items() if name != "J"}
    for symbol in set(net.model.errors.values()) & set(f.walk(claim)):
        env.arrays[symbol.name] = true_value(spec, point, symbol.name).tolist()
    return formula_values.value(claim, env)


def compare(
    net: Network, spec: Spec, point: dict[str, Any], claim: Formula, of: str, rates: Mapping[str, Fraction]
) -> tuple[Any, Any]:
    """What is claimed and what is true, two arrays."""
    with mpmath.workdps(DIGITS):
        return claimed_value(net, spec, point, claim, rates), true_value(spec, point, of)


def agree(net: Network, claim: Formula, of: str, seed: int = 0) -> bool:
    """Whether claim and truth agree to 25 digits at a random point of small sizes."""
    names = sorted({str(n) for n in (*net.model.sizes, net.model.frame.samples) if n is not None and n.is_Symbol})
    rates = {str(r): Fraction(2, 7 + i) for i, r in enumerate((net.model.l1, net.model.l2)) if r is not None}
    spec = spec_of(net, {name: 2 + (2 * i + seed) % 3 for i, name in enumerate(names)}, rates)
    point = truth.random_point(spec, seed, "any" if net.model.any_labels else "auto")
    try:
        claimed, true = compare(net, spec, point, claim, of, rates)
    except AssertionError:
        return False
    return claimed.shape == true.shape and truth.difference(claimed.tolist(), true.tolist()) < mpmath.mpf(10) ** -25

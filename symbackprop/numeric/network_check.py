"""The closed forms of a network against finite differences of its forward equations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sympy

from symbackprop.errors import CheckError
from symbackprop.model.model import Model
from symbackprop.numeric.check import run
from symbackprop.numeric.evaluation import Evaluation
from symbackprop.numeric.forward import forward, opaque_loss, opaque_loss_gradient
from symbackprop.numeric.generic_point import GenericPoint, choose_sizes, generic_point
from symbackprop.numeric.gradient_check import Finding, GradientCheck, Row
from symbackprop.proof.status import Status

POINTS = 3
ORDER = (Status.CONSISTENT, Status.UNDECIDED, Status.REFUTED)


def check_network(
    model: Model,
    definitions: Mapping[str, Any],
    gradients: Mapping[str, Any],
    sizes: Mapping[str, int] | None,
    seed: int,
) -> GradientCheck:
    """The gradients, lambdified with what they rest on, at several generic points; the worst of each counts.

    Raises CheckError where the sizes asked for are blind, or the loss is defined nowhere.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise CheckError(f"seed must be a whole number from 0 up, not {seed!r}")
    if sizes is not None and not isinstance(sizes, Mapping):
        raise CheckError(f'sizes must be a dict, like {{"n_0": 3}}, not a {type(sizes).__name__}')
    modules = _modules(model)
    programs = [(name, _program(expr, modules)) for name, expr in definitions.items()]
    closed = [(name, _program(expr, modules)) for name, expr in gradients.items()]
    points, results = [], []
    for n in range(POINTS):
        rng = np.random.default_rng([seed, n])
        point = generic_point(model, choose_sizes(model, sizes, rng), rng)
        points.append(point)
        results.append(_at(model, point, programs, closed, seed))
    return _worst(points, results, (*_stand_ins(model), *_blind(model)), seed)


def _at(
    model: Model,
    point: GenericPoint,
    programs: Sequence[tuple[str, Callable[..., Any]]],
    closed: Sequence[tuple[str, Callable[..., Any]]],
    seed: int,
) -> GradientCheck:
    values: dict[str, Any] = {**point.scalars, **point.params, **point.data}
    with np.errstate(all="ignore"):
        for name, program in programs:
            values[name] = program(values)
        claimed = {name: np.asarray(program(values), dtype=float) for name, program in closed}
    for name, g in claimed.items():
        if g.shape != point.params[name].shape:
            raise CheckError(f"the gradient of {name} has shape {g.shape}, {point.params[name].shape} is wanted")

    def value(params: Mapping[str, Any]) -> Any:
        return forward(model, {**point.data, **params}, point.scalars, point.sizes).arrays["J"]

    largest = forward(model, {**point.data, **point.params}, point.scalars, point.sizes, measured=True).largest
    return run(Evaluation.of(value, point.params), claimed, seed, largest)


def _program(expr: Any, modules: Sequence[Any]) -> Callable[[Mapping[str, Any]], Any]:
    """An expression by ``sympy.lambdify``, called with values by name.

    Its symbols get neutral names in the code, so that a size called sum or log hides no function.
    """
    used = sorted(expr.free_symbols, key=str)
    neutral = {
        s: sympy.MatrixSymbol(f"_v{n}", *s.shape) if isinstance(s, sympy.MatrixSymbol) else sympy.Symbol(f"_v{n}")
        for n, s in enumerate(used)
    }
    function = sympy.lambdify(list(neutral.values()), expr.xreplace(neutral), list(modules))
    return lambda values: np.atleast_2d(np.asarray(function(*(values[str(s)] for s in used))))


def _modules(model: Model) -> list[Any]:
    """What code calls where the network is opaque: what ``forward`` puts there, with its derivatives."""
    axis = model.frame.unit_axis
    stand_ins = {
        "sigma": lambda z: np.sin(z) + z / 2,
        "sigma_prime": lambda z: np.cos(z) + 0.5,
        "C": lambda a, y: opaque_loss(a, y, axis),
        "grad_C": lambda a, y: opaque_loss_gradient(a, y, axis),
    }
    return [stand_ins, "numpy"]


def _stand_ins(model: Model) -> tuple[str, ...]:
    found = []
    if any(layer.activation.definition is None and not layer.activation.over_units for layer in model.layers):
        found.append("in place of the generic activation: sin(z) + z/2")
    if model.loss.term is None:
        found.append("in place of the generic loss: sum exp(a/2) - a y, plus (sum a)^2/7, for each sample")
    return tuple(found)


def _blind(model: Model) -> tuple[str, ...]:
    """What the sizes that a network has as numbers hide."""
    found = []
    if model.frame.samples == 1:
        found.append("blind: the batch is 1, so that 1/m and sums over samples cannot be seen")
    square = [u.name for block in model.blocks for u in block.weights if u.shape[0] == u.shape[1] and u.shape[0] != 1]
    if square and all(n.is_Integer for u in model.parameters for n in u.shape):
        found.append(f"{', '.join(square)} square: a transpose is seen in the values, not in the shape")
    return tuple(found)


def _worst(
    points: Sequence[GenericPoint], results: Sequence[GradientCheck], notes: tuple[str, ...], seed: int
) -> GradientCheck:
    """One result from several points: for each parameter the worst row, and the findings at that row's point."""

    def rank(row: Row) -> tuple[int, float]:
        return ORDER.index(row.status), row.error / row.estimated_error if row.estimated_error > 0 else 0.0

    table: dict[str, Row] = {}
    findings: list[Finding] = []
    maps: dict[str, Any] = {}
    for name in results[0].table:
        n = max(range(len(results)), key=lambda n: rank(results[n].table[name]))
        table[name] = results[n].table[name]
        findings += [u for u in results[n].findings if u.parameters == (name,)]
        maps |= {key: picture for key, picture in results[n].maps.items() if key == name}
    worst = max(results, key=lambda r: ORDER.index(r.status))
    where = [f"point {n}: {_shown(point)}" for n, point in enumerate(points, 1)]
    blind = dict.fromkeys(note for point in points for note in point.notes)
    kinks = dict.fromkeys(note for r in results for note in r.notes if "kink" in note)
    return replace(
        worst,
        reason=worst.reason if worst.status is not Status.CONSISTENT else _agreement(table, len(points)),
        table=table,
        findings=tuple(findings),
        notes=(*where, *notes, *blind, *kinks),
        seed=seed,
        maps=maps,
    )


def _agreement(table: Mapping[str, Row], points: int) -> str:
    largest = max((row.estimated_error / row.size for row in table.values() if row.size > 0), default=0.0)
    return (
        f"the closed forms agree with finite differences at {points} points, within an estimated relative error of at "
        f"most {largest:.1e}"
    )


def _shown(point: GenericPoint) -> str:
    if not point.sizes:
        return "the sizes of the network"
    return ", ".join(f"{symbol} = {size}" for symbol, size in point.sizes.items())

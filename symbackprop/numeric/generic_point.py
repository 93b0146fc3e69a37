"""Points where the gradients of a network are checked: generic and rectangular, never blind.

Sizes are all different and none is 1, parameters are random, predictions lie where the loss is defined, targets are
what it wants, and units of a layer with a kink lie on both sides of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from symbackprop.errors import CheckError
from symbackprop.model.build import suggestion
from symbackprop.model.model import Model
from symbackprop.numeric.forward import Known, forward

Sizes = dict[sympy.Symbol, int]

MOST = 100_000  # entries of the largest array
TRIES = 60
MARGIN = 1e-3  # from the ends of what the loss is defined for


@dataclass(frozen=True)
class GenericPoint:
    """Sizes, scalars, parameters and data by name, and what could not be had there."""

    sizes: Sizes
    scalars: dict[str, float]
    params: dict[str, Any]
    data: dict[str, Any]
    notes: tuple[str, ...]


def choose_sizes(model: Model, wanted: Mapping[str, int] | None, rng: np.random.Generator) -> Sizes:
    """A number for every symbolic size, small and all different; ``wanted`` fixes some.

    Raises CheckError for a name that is no size, and for sizes at which wrong gradients pass.
    """
    everything = [*model.sizes, model.frame.samples]
    symbols = list(dict.fromkeys(n for n in everything if n is not None and n.is_Symbol))
    given = {int(n) for n in everything if n is not None and n.is_Integer}
    found: Sizes = {}
    for name, size in (wanted or {}).items():
        _accept(name, size, [str(s) for s in symbols], found, given)
        found[sympy.Symbol(name)] = int(size)
    taken = given | set(found.values())
    rest = [s for s in symbols if s not in found]
    small = [n for n in range(2, 4 + len(symbols) + len(taken)) if n not in taken][: len(rest) + 2]
    found |= {s: int(n) for s, n in zip(rest, rng.permutation(small), strict=False)}
    shapes = ([int(n.subs(found)) for n in symbol.shape] for symbol in model.symbols.values())
    if max(rows * columns for rows, columns in shapes) > MOST:
        raise CheckError(f"an array of more than {MOST} entries: choose smaller sizes, formulas are the same for all")
    return found


def _accept(name: str, size: object, symbols: list[str], found: Sizes, given: set[int]) -> None:
    if name not in symbols:
        known = suggestion(str(name), symbols) if symbols else "all sizes of this network are numbers"
        raise CheckError(f"no symbolic size is called {name!r}: {known}")
    if isinstance(size, bool) or not isinstance(size, int | np.integer):
        raise CheckError(f"{name} must be a whole number, not {size!r}")
    if size < 1:
        raise CheckError(f"{name} is {size}: a size is at least 1")
    if size == 1:
        raise CheckError(f"{name} = 1 is a blind point, where sums and transposes cannot be seen: choose 2 or more")
    same = next((str(other) for other, n in found.items() if n == size), None)
    if same is not None:
        raise CheckError(
            f"{same} = {name} = {size} is a blind point, where a transposed square matrix fits: choose different sizes"
        )
    if size in given:
        raise CheckError(
            f"{name} = {size} is a blind point, since another size of the network is {size}: choose a different one"
        )


def generic_point(model: Model, sizes: Sizes, rng: np.random.Generator) -> GenericPoint:
    """A random point; raises CheckError where none is found at which the loss is defined."""
    rates = sorted(model.scalars - {s.name for s in sizes})
    scalars: dict[str, float] = {s.name: n for s, n in sizes.items()}
    scalars |= {name: float(rng.uniform(0.3, 0.9)) for name in rates}
    best: tuple[int, GenericPoint] | None = None
    for arrays in _draws(model, sizes, scalars, rng):
        known = forward(model, arrays, scalars, sizes)
        if not _defined(model, known):
            continue
        notes = tuple(_one_sided(model, known, scalars))
        params = {p.name: arrays[p.name] for p in model.parameters}
        data = {u.name: arrays[u.name] for u in (model.x, model.y)}
        if best is None or len(notes) < best[0]:
            best = len(notes), GenericPoint(sizes, scalars, params, data, notes)
        if not notes:
            break
    if best is None:
        raise CheckError(
            f"no point was found where {model.loss.name} is defined for every prediction: "
            f"{model.layers[-1].activation.name} does not keep them there; choose another activation of the last layer"
        )
    return best[1]


def _draws(
    model: Model, sizes: Sizes, scalars: Mapping[str, float], rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Random parameters and data, plain at first, then with predictions moved to where the loss is defined."""
    bounded = model.loss.above is not None or model.loss.below is not None or model.loss.partial
    for attempt in range(TRIES if not bounded else 4 * TRIES):
        arrays = _plain(model, sizes, rng)
        if bounded and attempt >= TRIES // 2:
            _move(model, arrays, sizes, scalars, positive=attempt % 3 == 2)
        yield arrays


def _plain(model: Model, sizes: Sizes, rng: np.random.Generator) -> dict[str, Any]:
    def shape(symbol: Any) -> tuple[int, ...]:
        return tuple(int(n.subs(sizes)) for n in symbol.shape)

    arrays = {}
    for block, inputs in zip(model.blocks, model.sizes, strict=False):
        for w in block.weights:
            arrays[w.name] = rng.normal(size=shape(w)) / np.sqrt(int(inputs.subs(sizes)))
        for b in block.biases:
            arrays[b.name] = 0.5 * rng.normal(size=shape(b))
    arrays[model.x.name] = rng.normal(size=shape(model.x))
    arrays[model.y.name] = _targets(model, shape(model.y), rng)
    return arrays


def _targets(model: Model, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    loss = model.loss
    if loss.targets:
        return rng.choice(np.array(loss.targets, dtype=float), size=shape)
    if loss.labels_sum_to_one:
        drawn = rng.uniform(0.1, 1.0, size=shape)
        return drawn if model.any_labels else drawn / drawn.sum(axis=model.frame.unit_axis, keepdims=True)
    if loss.above is not None or loss.one_by_one or loss.partial:
        return rng.uniform(0.1, 0.9, size=shape)
    return 1.5 * rng.normal(size=shape)


def _move(model: Model, arrays: dict[str, Any], sizes: Sizes, scalars: Mapping[str, float], positive: bool) -> None:
    """Makes the last pre-activations small and moves them to about 1/2, by the bias or by positive weights and data."""
    last = model.blocks[-1]
    if positive or not last.biases:
        for u in (*(w for block in model.blocks for w in block.weights), model.x):
            arrays[u.name] = np.abs(arrays[u.name])
    before = forward(model, arrays, scalars, sizes)
    for b in last.biases:
        arrays[b.name] = arrays[b.name] * 0.2
    z = before.arrays[last.assignments[0].symbol.name]
    top = float(np.max(np.abs(z))) if np.all(np.isfinite(z)) else 1.0
    for w in last.weights:
        arrays[w.name] = arrays[w.name] * (0.6 if not last.biases else 0.25) / max(top, 1e-3)
    for b in last.biases:
        arrays[b.name] = arrays[b.name] + 0.5


def _defined(model: Model, known: Known) -> bool:
    predictions = known.arrays[model.prediction.name]
    if not all(np.all(np.isfinite(array)) for array in known.arrays.values()):
        return False
    low, high = model.loss.above, model.loss.below
    activation = model.layers[-1].activation
    low_ok = low is None or activation.low >= low or np.min(predictions) > low + MARGIN
    high_ok = high is None or activation.high <= high or np.max(predictions) < high - MARGIN
    return bool(low_ok and high_ok)


def _one_sided(model: Model, known: Known, scalars: Mapping[str, float]) -> Iterator[str]:
    """Layers whose units all lie on one side of every kink, where a wrong mask cannot be seen."""
    for layer, block in zip(model.layers, model.blocks, strict=True):
        z = known.arrays[block.assignments[0].symbol.name]
        at = [float(kink.at.subs(dict(scalars))) for kink in layer.activation.kink_list]
        if at and z.size > 1 and not any(np.min(z) < kink < np.max(z) for kink in at):
            yield f"all units of {block.assignments[0].symbol.name} lie on one side of the kinks"

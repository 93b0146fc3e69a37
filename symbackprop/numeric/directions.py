"""The directions along which a gradient is checked: random ones, each with every entry in it, and along the claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def norm(*arrays: Any) -> float:
    """The length of all entries together; no square is lost, be they 1e-200 or 1e200."""
    top = max((float(np.max(np.abs(a), initial=0.0)) for a in arrays), default=0.0)
    if top == 0 or not np.isfinite(top):
        return top
    return top * float(np.sqrt(sum(float(np.sum((a / top) ** 2)) for a in arrays)))


def signs(rng: np.random.Generator, shape: tuple[int, ...], length: float) -> Floats:
    """Every entry moves by as much, up or down: an entry that is wrong cannot hide behind a small weight."""
    drawn: Floats = np.where(rng.integers(0, 2, shape) == 1, 1.0, -1.0)
    return drawn * (length / np.sqrt(drawn.size))


def directions(
    claim: Mapping[str, Floats], lengths: Mapping[str, float], rng: np.random.Generator
) -> Iterator[tuple[str, dict[str, Any]]]:
    """All parameters at random and along the claim; each parameter at random and along its own claim."""
    if len(claim) > 1:
        yield "all, random", {name: signs(rng, g.shape, lengths[name]) for name, g in claim.items()}
        along = {name: _along(g, lengths[name]) for name, g in claim.items() if np.any(g)}
        if len(along) > 1:
            yield "all, along the claim", along
    for name, g in claim.items():
        yield f"{name}, random", {name: signs(rng, g.shape, lengths[name])}
        if np.any(g) and g.size > 1:
            yield f"{name}, along the claim", {name: _along(g, lengths[name])}


def _along(g: Floats, length: float) -> Floats:
    along: Floats = (g / np.max(np.abs(g))) * (length * (np.max(np.abs(g)) / norm(g)))
    return along

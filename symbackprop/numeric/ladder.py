"""A derivative along a line by a ladder of steps, with an estimate of its own error.

The function of one number is known at 0 and at +-h for steps h = h_0, h_0/4, h_0/16, ...; Richardson's extrapolation
over neighbouring steps takes off h^2, h^4, ... Three things can be wrong with it, and their sum is the error estimate:

- truncation: what the last extrapolation changed (Ridders 1982);
- kinks: (f(h) - 2 f(0) + f(-h))/h vanishes with h where f is smooth, and tends to the jump of the slope where a kink
  lies within h, be it at 0 itself; extrapolated to h = 0 in the same way, what is left of it is a kink;
- rounding: the noise of one value over the smallest step that was used, as the extrapolation weights it.

Smaller steps than those that were used are a guard: where they disagree by more than noise, there is a kink between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

RATIO = 4.0
ORDERS = 4
RUNGS = 10
SAFETY = 2.0  # an estimate is chosen where it is smallest, which is where it flatters


@dataclass(frozen=True)
class Slope:
    """A derivative along a line: the estimate, its estimated error, and what it was made from.

    ``jump`` is the jump of the slope at 0, 0 where none was seen; ``steps``, ``differences`` and ``floors`` are the
    ladder: each step, the central difference there, and what rounding can do to it.
    """

    value: float
    error: float
    jump: float
    steps: tuple[float, ...]
    differences: tuple[float, ...]
    floors: tuple[float, ...]

    @property
    def ends(self) -> tuple[float, float]:
        """The one-sided derivatives, the smaller first."""
        half = abs(self.jump) / 2
        return self.value - half, self.value + half


@cache
def _weights(count: int, first: int, stride: int = 2) -> NDArray[np.float64]:
    """Weights over steps 1, 1/4, 1/16, ... that keep a constant and take off h^first, h^(first + stride), ..."""
    steps = RATIO ** -np.arange(count)
    powers = np.array([np.ones(count), *(steps ** (first + stride * n) for n in range(count - 1))])
    weights: NDArray[np.float64] = np.linalg.solve(powers, np.eye(count)[0])
    return weights


def _steps(first: float, rungs: int) -> Floats:
    steps: Floats = first * RATIO ** -np.arange(rungs, dtype=np.float64)
    return steps


def slope(along: Callable[[float], float], at_zero: float, first: float, noise: float, rungs: int = RUNGS) -> Slope:
    """The derivative of ``along`` at 0 from steps of ``first`` downwards; ``noise`` bounds a value's rounding."""
    steps = _steps(first, rungs)
    with np.errstate(all="ignore"):
        pairs = np.array([[along(h), along(-h)] for h in steps])
        central = (pairs[:, 0] - pairs[:, 1]) / (2 * steps)
        bend = (pairs[:, 0] - 2 * at_zero + pairs[:, 1]) / steps
    return from_differences(steps, central, bend, noise)


@dataclass(frozen=True)
class _Windows:
    """All windows of neighbouring steps, a row each: what extrapolation weights in them, and what lies below them."""

    value: Floats  # takes off h^2, h^4, ...
    kink: Floats  # takes off h, h^3, ...
    shorter: Floats  # without the first step
    earlier: Floats  # without the last
    below: Floats  # how small the smaller steps are, squared, against the last of the window; 0 elsewhere
    last: NDArray[np.intp]


@cache
def _windows(rungs: int) -> _Windows:
    rows: list[tuple[Floats, Floats, Floats, Floats, Floats, int]] = []
    for last in range(rungs):
        for order in range(2, min(ORDERS, last + 1) + 1):
            value, kink, shorter, earlier, below = np.zeros((5, rungs))
            value[last - order + 1 : last + 1] = _weights(order, 2)
            kink[last - order + 1 : last + 1] = _weights(order, 1)
            shorter[last - order + 2 : last + 1] = _weights(order - 1, 2)
            earlier[last - order + 1 : last] = _weights(order - 1, 2)
            below[last + 1 :] = RATIO ** (-2.0 * np.arange(1, rungs - last))
            rows.append((value, kink, shorter, earlier, below, last))
    value, kink, shorter, earlier, below = (np.array(arrays) for arrays in list(zip(*rows, strict=True))[:5])
    return _Windows(value, kink, shorter, earlier, below, np.array([row[5] for row in rows]))


def from_differences(steps: Floats, central: Floats, bend: Floats, noise: float) -> Slope:
    """The slope that central differences and second differences over ``steps`` show."""
    floors = noise / steps
    w = _windows(len(steps))
    there = np.isfinite(central) & np.isfinite(bend)
    d, s = np.where(there, central, 0.0), np.where(there, bend, 0.0)
    values = w.value @ d
    lower, upper = w.shorter @ d, w.earlier @ d
    truncation = np.maximum(np.abs(values - lower), np.abs(lower - upper) / RATIO**2)
    # A smaller step contradicts beyond noise and beyond what truncation leaves there, which shrinks with its square.
    allowed = floors + np.abs(d[w.last] - values)[:, None] * w.below
    against = np.where((w.below > 0) & there, np.abs(d - values[:, None]) - allowed, 0.0)
    errors = truncation + np.abs(w.kink @ s) + np.abs(w.value) @ floors + np.maximum(against, 0.0).max(axis=1)
    errors[(w.value != 0) @ ~there] = np.inf
    best = int(np.argmin(errors))
    nothing = not np.isfinite(errors[best])
    return Slope(
        np.nan if nothing else float(values[best]),
        float(SAFETY * errors[best]),
        _jump(bend, floors),
        tuple(map(float, steps)),
        tuple(map(float, central)),
        tuple(map(float, floors)),
    )


def one_sided(along: Callable[[float], float], at_zero: float, first: float, noise: float, rungs: int = RUNGS) -> Slope:
    """The derivative of ``along`` at 0 from one side, that of the sign of ``first``."""
    steps = _steps(first, rungs)
    with np.errstate(all="ignore"):
        quotients = (np.array([along(h) for h in steps]) - at_zero) / steps
    floors = 2 * noise / np.abs(steps)
    best, best_error = np.nan, np.inf
    for last in range(1, rungs):
        for order in range(2, min(ORDERS, last + 1) + 1):
            window = slice(last - order + 1, last + 1)
            weights, inner = _weights(order, 1, 1), _weights(order - 1, 1, 1)
            value = float(weights @ quotients[window])
            error = float(abs(value - inner @ quotients[window][1:]) + np.abs(weights) @ floors[window])
            error += _contradicted(value, quotients, steps, floors, last)
            if np.isfinite(error) and error < best_error:
                best, best_error = value, error
    ladder = (tuple(map(float, np.abs(steps))), tuple(map(float, quotients)), tuple(map(float, floors)))
    return Slope(float(best), float(SAFETY * best_error), 0.0, *ladder)


def _contradicted(value: float, central: Floats, steps: Floats, floors: Floats, last: int) -> float:
    """By how much, beyond noise, a smaller step contradicts an estimate."""
    rest = np.abs(central[last + 1 :] - value)
    allowed = floors[last + 1 :] + abs(central[last] - value) * (steps[last + 1 :] / steps[last])
    excess = rest - allowed
    excess = excess[np.isfinite(excess)]
    return float(max(np.max(excess), 0.0)) if excess.size else 0.0


def _jump(bend: Floats, floors: Floats) -> float:
    """The jump of the slope at 0: what second differences keep at every small step, well above rounding."""
    small = slice(-4, None)
    seen = bend[small]
    if not np.all(np.isfinite(seen)):
        return 0.0
    middle = float(np.median(seen))
    clear = np.abs(seen) > 40 * floors[small]
    spread = np.abs(seen - middle) <= np.abs(middle) / 8 + 8 * floors[small]
    steady = bool(np.sum(clear) >= 2 and np.all(spread))
    return middle if steady else 0.0

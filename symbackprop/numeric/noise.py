"""How much rounding one value of a function carries, found by looking.

A value can be far more exact than what it was computed from: log-sum-exp minus a logit of 50 is 1e-10 and carries the
rounding of the 50. So the noise is measured, in two ways, and the larger is taken:

- a table of differences (Hamming 1962; More and Wild 2011): values at equally spaced points so near to each other that
  the function is straight there, so that its high differences are nothing but noise;
- the same points in a longer precision, where the function carries one.

The points differ in every entry by tens of units in the last place, so that every intermediate is rounded anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]

POINTS = 8
LINES = 2
ULPS = 48.0
WIDER, WIDEST = 16.0, 2.0**36
HIDDEN = 100.0  # how large an intermediate is taken to be beside the parameters where no value shows any
COVER = 4.0  # from the typical size of noise to a bound on it


def noise(
    value: Callable[[Arrays], float],
    longer: Callable[[Arrays], float] | None,
    base: Arrays,
    eps: float,
    rng: np.random.Generator,
    hidden_eps: float | None = None,
) -> float:
    """A bound on the rounding error of one value near ``base``.

    ``eps`` is the precision of the points, ``hidden_eps`` that in which the function may compute inside. ``longer``
    evaluates in a longer precision at the same points, None where there is none.
    """
    found = eps * abs(value(base))
    for _ in range(LINES):
        line = {name: _shake(array, eps, rng) for name, array in base.items()}
        points = _points(base, line, 1.0)
        values = np.array([value(point) for point in points])
        if not np.all(np.isfinite(values)):
            continue
        found = max(found, _stair(value, base, line, values, hidden_eps or eps))
        found = max(found, COVER * _from_differences(values))
        if longer is not None:
            exact = np.array([longer(point) for point in points])
            if np.all(np.isfinite(exact)):
                found = max(found, COVER * float(np.sqrt(np.mean((values - exact) ** 2))))
    return float(found)


def _stair(
    value: Callable[[Arrays], float], base: Arrays, line: Arrays, values: NDArray[np.float64], eps: float
) -> float:
    """The height of a stair, where values near to each other are all the same: what 50 - 50 leaves of 1e-10.

    The points are moved apart until two values differ, and then further, over many stairs. Where none differs the
    function may be constant, or be lost in the rounding of what it is computed from: a logit of some size.
    """
    reach = 1.0
    while np.all(values == values[0]) and reach < WIDEST:
        reach *= WIDER
        values = _values(value, base, line, reach)
    if reach == 1.0 or not np.all(np.isfinite(values)):
        return 0.0
    if np.all(values == values[0]):
        return eps * HIDDEN * max(float(np.max(np.abs(a), initial=0.0)) for a in base.values())
    gaps = np.diff(np.unique(values))
    far = _values(value, base, line, WIDER * reach)
    beyond = COVER * _from_differences(far) if np.all(np.isfinite(far)) else 0.0
    return max(float(np.min(gaps)), beyond)


def _values(value: Callable[[Arrays], float], base: Arrays, line: Arrays, reach: float) -> NDArray[np.float64]:
    return np.array([value(point) for point in _points(base, line, reach)])


def _points(base: Arrays, line: Arrays, reach: float) -> list[Arrays]:
    return [{name: (a + n * reach * line[name]).astype(a.dtype) for name, a in base.items()} for n in range(POINTS)]


def _shake(array: NDArray[Any], eps: float, rng: np.random.Generator) -> NDArray[Any]:
    size = np.abs(array)
    top = np.max(size, initial=0.0) or 1.0
    step: NDArray[Any] = ULPS * eps * np.where(size > 0, size, top * eps) * rng.uniform(-1, 1, array.shape)
    return step


def _from_differences(values: NDArray[np.float64]) -> float:
    """The size of the noise in equally spaced values of a smooth function: the largest of the levels 3 to 6.

    The k-th difference of independent noise of size s has the variance s^2 (2k)!/(k!)^2.
    """
    table, found = values, []
    for level in range(1, 7):
        table = np.diff(table)
        if level >= 3:
            found.append(np.sqrt(np.mean(table**2) / comb(2 * level, level)))
    return float(max(found))

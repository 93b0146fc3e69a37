"""The initialisations, one entry each: how weights and biases are drawn before training, with formula and source.

The second number of N(mean, s) is a standard deviation here, as in the lecture notes, not a variance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import NetworkError

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Initialisation:
    """``deviation(n_in, n_out)`` is the standard deviation of every entry; the mean is 0, the entries independent.

    ``latex`` is the distribution as it is written, ``use`` what it is for, ``source`` where it comes from.
    """

    name: str
    latex: str
    use: str
    source: str
    deviation: Callable[[int, int], float]


INITIALISATIONS: dict[str, Initialisation] = {
    entry.name: entry
    for entry in (
        Initialisation(
            "zeros",
            latex="0",
            use="biases; for weights it keeps equal units equal",
            source="lecture notes",
            deviation=lambda n_in, n_out: 0.0,
        ),
        Initialisation(
            "normal",
            latex=r"\mathcal{N}\left(0,\ 0.1\right)",
            use="weights, small and different; 0.1 is the standard deviation",
            source="lecture notes",
            deviation=lambda n_in, n_out: 0.1,
        ),
        Initialisation(
            "xavier",
            latex=r"\mathcal{N}\left(0,\ \sqrt{\frac{2}{n_{\mathrm{in}} + n_{\mathrm{out}}}}\right)",
            use="weights; the root is the standard deviation, the variance is what is under it",
            source="Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, "
            "AISTATS 2010, equation 12",
            deviation=lambda n_in, n_out: float(np.sqrt(2.0 / (n_in + n_out))),
        ),
    )
}


def sample(name: str, rng: np.random.Generator, shape: tuple[int, ...], n_in: int, n_out: int) -> Floats:
    """An array drawn by a named initialisation; ``n_in`` and ``n_out`` are the units before and behind the weights.

    ``normal`` is N(0, 0.1) with standard deviation 0.1; ``xavier`` has the variance 2/(n_in + n_out) of Glorot and
    Bengio (2010, equation 12), drawn from a normal distribution. Raises NetworkError for an unknown name.

    >>> sample("zeros", np.random.default_rng(0), (2, 1), 3, 2)
    array([[0.],
           [0.]])
    >>> sample("xavier", np.random.default_rng(0), (200, 300), 300, 200).std().round(3)
    np.float64(0.063)
    """
    if name not in INITIALISATIONS:
        raise NetworkError(f"unknown initialisation {name!r}: known are {', '.join(INITIALISATIONS)}")
    if n_in < 1 or n_out < 1:
        raise NetworkError(f"n_in is {n_in}, n_out is {n_out}: a layer has at least one unit on each side")
    return rng.normal(0.0, INITIALISATIONS[name].deviation(n_in, n_out), shape)

"""Networks written by hand in NumPy, value and backward pass, in the precision of their parameters.

Softmax with cross-entropy over one to three layers, by log-sum-exp; logits as large as is asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Arrays = dict[str, Any]

ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    "tanh": (np.tanh, lambda z, a: 1 - a * a),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a)),
    "relu": (lambda z: np.maximum(z, 0), lambda z, a: (z > 0).astype(z.dtype)),
}


@dataclass(frozen=True)
class PlainNetwork:
    activation: str
    X: Any
    Y: Any
    params: Arrays
    logit: float  # the largest

    @property
    def depth(self) -> int:
        return len(self.params) // 2

    def logits(self, p: Arrays) -> Any:
        a = self.X
        for layer in range(1, self.depth):
            a = ACTIVATIONS[self.activation][0](p[f"W{layer}"] @ a + p[f"b{layer}"])
        return p[f"W{self.depth}"] @ a + p[f"b{self.depth}"]

    def value(self, p: Arrays) -> Any:
        z = self.logits(p)
        top = z.max(axis=0, keepdims=True)
        total = np.log(np.exp(z - top).sum(axis=0, keepdims=True)) + top
        return (total - (self.Y * z).sum(axis=0, keepdims=True)).mean()

    def gradients(self, p: Arrays) -> Arrays:
        slope, rate = ACTIVATIONS[self.activation]
        entering, z = [self.X], [self.X]
        for layer in range(1, self.depth + 1):
            z.append(p[f"W{layer}"] @ entering[-1] + p[f"b{layer}"])
            entering.append(slope(z[-1]) if layer < self.depth else z[-1])
        powers = np.exp(z[-1] - z[-1].max(axis=0, keepdims=True))
        delta = (powers / powers.sum(axis=0, keepdims=True) - self.Y) / self.X.dtype.type(self.X.shape[1])
        found = {}
        for layer in range(self.depth, 0, -1):
            found[f"W{layer}"] = delta @ entering[layer - 1].T
            found[f"b{layer}"] = delta.sum(axis=1, keepdims=True)
            if layer > 1:
                delta = (p[f"W{layer}"].T @ delta) * rate(z[layer - 1], entering[layer - 1])
        return {name: found[name] for name in p}


def network(
    activation: str,
    rng: np.random.Generator,
    dtype: Any = np.float64,
    sizes: tuple[int, ...] | None = None,
    samples: int | None = None,
    logit: float | None = None,
) -> PlainNetwork:
    """A random network; sizes from 2 to 8, 2 to 11 samples and a largest logit from 0.1 to 50 unless they are given."""
    if sizes is None:
        sizes = tuple(int(n) for n in rng.integers(2, 9, size=int(rng.integers(2, 5))))
    samples = int(rng.integers(2, 12)) if samples is None else samples
    logit = float(10 ** rng.uniform(-1, np.log10(50))) if logit is None else logit
    X = rng.normal(size=(sizes[0], samples))
    Y = np.eye(sizes[-1])[:, rng.integers(0, sizes[-1], samples)]
    params = {}
    for layer, (n_in, n_out) in enumerate(pairwise(sizes), 1):
        params[f"W{layer}"] = rng.normal(size=(n_out, n_in)) / np.sqrt(n_in)
        params[f"b{layer}"] = 0.3 * rng.normal(size=(n_out, 1))
    plain = PlainNetwork(activation, X, Y, params, logit)
    factor = logit / np.abs(plain.logits(params)).max()
    for letter in "Wb":
        params[f"{letter}{plain.depth}"] *= factor
    return PlainNetwork(
        activation, X.astype(dtype), Y.astype(dtype), {n: v.astype(dtype) for n, v in params.items()}, logit
    )


def in_precision(plain: PlainNetwork, dtype: Any) -> tuple[PlainNetwork, Arrays]:
    """The same network and parameters, exactly, in another precision."""
    params = {name: array.astype(dtype) for name, array in plain.params.items()}
    return PlainNetwork(plain.activation, plain.X.astype(dtype), plain.Y.astype(dtype), params, plain.logit), params

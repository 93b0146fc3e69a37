"""Blind points: values of the parameters where some wrong gradients are right, as far as the parameters show it.

What they do not show is a batch of one sample, predictions that equal their targets, and units that are all active:
those lie in the data, which a value function keeps to itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def blind(params: Mapping[str, NDArray[Any]], grads: Mapping[str, NDArray[Any]]) -> Iterator[str]:
    """What cannot be seen at this point, a line each."""
    for name, array in params.items():
        yield from _of_parameter(name, array)
    for name, g in grads.items():
        if not np.any(g):
            yield f"the gradient of {name} is 0 here, so that a wrong factor in it cannot be seen"


def _of_parameter(name: str, array: NDArray[Any]) -> Iterator[str]:
    if not np.any(array):
        yield f"{name} is 0, so that a term with it cannot be seen"
        return
    if array.size > 1 and np.all(array == array.flat[0]):
        yield f"all entries of {name} are equal, so that a transpose or a wrong index cannot be seen"
        return
    if array.ndim == 2 and min(array.shape) > 1:
        if array.shape[0] == array.shape[1] and np.allclose(array, array.T, rtol=1e-6, atol=0):
            yield f"{name} is symmetric, so that a transpose cannot be seen"
        elif np.all(array == array[:1]) or np.all(array == array[:, :1]):
            yield f"{name} has equal rows or columns, so that a wrong index cannot be seen"

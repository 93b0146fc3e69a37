"""What a user hands to a gradient check, read: float arrays by name, or one line that names the parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import CheckError

FLOATS = (np.float32, np.float64)


def read_params(params: object) -> dict[str, NDArray[Any]]:
    """The parameters as arrays of float32 or float64; raises CheckError."""
    if not isinstance(params, Mapping):
        raise CheckError(f'params must be a dict of arrays, like {{"W1": W1, "b1": b1}}, not {_kind(params)}')
    if not params:
        raise CheckError("params is empty: there is nothing to check")
    found = {}
    for name, value in params.items():
        if not isinstance(name, str):
            raise CheckError(f"the names in params must be strings, not {name!r}")
        array = _array(name, value, "params")
        if array.dtype.kind in "iub":
            raise CheckError(
                f"{name} of shape {array.shape} is an array of {array.dtype}: steps need floats, "
                f'as params["{name}"].astype(float)'
            )
        if array.dtype not in FLOATS:
            raise CheckError(
                f"{name} of shape {array.shape} is an array of {array.dtype}: float32 or float64 is wanted"
            )
        if array.size == 0:
            raise CheckError(f"{name} is empty, with shape {array.shape}: leave it out")
        _finite(array, name)
        found[name] = array
    return found


def read_grads(grads: object, params: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The claimed gradients as arrays, one for each parameter and of its shape; raises CheckError."""
    given = grads({name: array.copy() for name, array in params.items()}) if callable(grads) else grads
    if not isinstance(given, Mapping):
        raise CheckError(
            f"grads must be a dict of arrays, or a function of params that returns one, not {_kind(given)}"
        )
    for name, array in params.items():
        if name not in given:
            raise CheckError(f"grads has no {name}: an array of shape {array.shape} is wanted")
    unknown = [name for name in given if name not in params]
    if unknown:
        raise CheckError(f"grads has {unknown[0]!r}, which params has not: params has {', '.join(params)}")
    found = {}
    for name, parameter in params.items():
        array = _array(name, given[name], "grads")
        if array.shape != parameter.shape:
            turned = array.ndim == 2 and array.shape == parameter.shape[::-1]
            hint = ": transposed?" if turned else ""
            raise CheckError(f"the gradient of {name} has shape {array.shape}, {parameter.shape} is wanted{hint}")
        if array.dtype.kind not in "fiu":
            raise CheckError(f"the gradient of {name} is an array of {array.dtype}: floats are wanted")
        _finite(array, f"the gradient of {name}")
        found[name] = array
    return found


def _array(name: str, value: object, where: str) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise CheckError(f"{name} in {where} is no array: its rows have different lengths") from error
    if array.dtype.kind not in "fiubc":
        raise CheckError(f"{name} in {where} is no array of numbers, but {_kind(value)}")
    return array


def _finite(array: NDArray[Any], what: str) -> None:
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        index = tuple(int(i) for i in bad[0])
        at = f" at index {list(index)}" if index else ""
        raise CheckError(f"{what} of shape {array.shape} has {array[index]}{at}: all entries must be finite")


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"


Gradients = Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]]

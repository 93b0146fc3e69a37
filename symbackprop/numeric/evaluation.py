"""A user's value function, called at points near the parameters in the precisions that it carries."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import CheckError
from symbackprop.numeric.noise import noise

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Value: TypeAlias = Callable[[dict[str, Any]], Any]

TINY = 1e-30  # the complex step: nothing is subtracted, so that it can be as small as one likes


def one_number(result: Any) -> Any:
    """What a value function returned as a NumPy scalar; raises CheckError where it is not one number."""
    array = np.asarray(result)
    if array.size != 1 or array.dtype.kind not in "fiuc":
        what = type(result).__name__ if array.dtype.kind not in "fiuc" else f"an array of shape {array.shape}"
        raise CheckError(f"value returned {what}: it must return one number")
    return array.reshape(())[()]


@dataclass(frozen=True)
class Evaluation:
    """A value function and the point where it is looked at.

    ``given`` are the parameters as they came, ``base`` the same in float64; ``at_base`` is the value there. Float32
    parameters are stepped in float64 where the function takes that and says the same there (``longer``): then only
    the claim carries the rounding of float32, and not every difference.
    """

    value: Value
    given: dict[str, NDArray[Any]]
    base: dict[str, NDArray[Any]]
    at_base: float
    again: float
    longer: bool

    @staticmethod
    def of(value: Value, given: dict[str, NDArray[Any]]) -> Evaluation:
        """Looks at the value at the parameters: exceptions of the function itself pass through.

        Raises CheckError where it is not one finite number, or where the function changes its arguments.
        """
        kept = {name: array.copy() for name, array in given.items()}
        first, again = one_number(value(kept)), one_number(value(kept))
        for name, array in given.items():
            if not np.array_equal(kept[name], array):
                raise CheckError(f"value changes {name} in place: let it compute on copies")
        for result in (first, again):
            if isinstance(result, np.complexfloating):
                raise CheckError("value returned a complex number: it must return one real number")
            if not np.isfinite(result):
                raise CheckError(f"value is {result} at params: choose a point where it is finite")
        short = any(array.dtype != np.float64 for array in given.values())
        base = {name: array.astype(np.float64) for name, array in given.items()}
        if not short:
            return Evaluation(value, given, base, float(first), float(again), True)
        in_double = _quiet(value, base)
        near = in_double is not None and abs(in_double - float(first)) <= 1e-3 * abs(float(first)) + 1e-6
        chosen = in_double if near and in_double is not None else float(first)
        return Evaluation(value, given, base, chosen, float(again) - float(first) + chosen, near)

    def __call__(self, point: Arrays) -> float:
        """The value at a point; not finite where the function has none there, be it by a ValueError."""
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore", RuntimeWarning)
                return float(one_number(self.value(self._as_taken(point))))
        except (ValueError, ArithmeticError):
            return float("nan")

    def _as_taken(self, point: Arrays) -> dict[str, NDArray[Any]]:
        if self.longer:
            return {name: np.array(array) for name, array in point.items()}
        return {name: array.astype(self.given[name].dtype) for name, array in point.items()}

    def along(self, direction: Arrays) -> Callable[[float], float]:
        """The value on a line through the point; ``direction`` has the parameters that move."""

        def at(t: float) -> float:
            return self({**self.base, **{name: self.base[name] + t * u for name, u in direction.items()}})

        return at

    def measured_noise(self, rng: np.random.Generator) -> float:
        """A bound on the rounding of one value in the precision in which differences are taken."""
        if self.longer:
            found = noise(self, self._in_long_double, self.base, float(np.finfo(float).eps), rng, self.eps)
        else:
            found = noise(self, None, self.given, self.eps, rng)
        return max(found, 4 * abs(self.again - self.at_base))

    def given_noise(self, rng: np.random.Generator) -> float:
        """The same in the precision of the parameters as they came: the precision that the claim was made in."""
        if not self.short:
            return 0.0

        def as_given(point: Arrays) -> float:
            found = _quiet(self.value, {name: np.array(array) for name, array in point.items()})
            return float("nan") if found is None else found

        double = (lambda p: self({n: a.astype(np.float64) for n, a in p.items()})) if self.longer else None
        return noise(as_given, double, self.given, self.eps, rng)

    @property
    def short(self) -> bool:
        return any(array.dtype != np.float64 for array in self.given.values())

    @cached_property
    def eps(self) -> float:
        return max((float(np.finfo(array.dtype).eps) for array in self.given.values()), default=0.0)

    @cached_property
    def _carries_long_double(self) -> bool:
        if np.finfo(np.longdouble).eps >= np.finfo(float).eps or sum(a.size for a in self.base.values()) > 20_000:
            return False
        return _quiet(self.value, {name: array.astype(np.longdouble) for name, array in self.base.items()}) is not None

    def _in_long_double(self, point: Arrays) -> float:
        if not self._carries_long_double:
            return float("nan")
        found = _quiet(self.value, {name: array.astype(np.longdouble) for name, array in point.items()})
        return float("nan") if found is None else found

    def complex_slope(self, direction: Arrays) -> float | None:
        """The derivative along a direction by a complex step; None where the function does not carry one.

        A function that drops the imaginary part (abs, a cast) answers wrongly and in silence: what comes from here is
        to be compared with real differences before it is believed.
        """
        point = {name: array.astype(complex) for name, array in self.base.items()}
        for name, u in direction.items():
            point[name] = self.base[name] + 1j * TINY * u
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("error")
                result = one_number(self.value(point))
        except Exception:  # whatever a function raises that was never made for complex numbers
            return None
        if not isinstance(result, np.complexfloating) or not np.isfinite(result):
            return None
        return float(result.imag) / TINY


def _quiet(value: Value, point: dict[str, NDArray[Any]]) -> float | None:
    """The value in another precision, None where the function does not take it."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = float(one_number(value(point)))
    except Exception:  # whatever a function raises that was never made for this precision
        return None
    return result if np.isfinite(result) else None

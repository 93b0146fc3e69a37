"""Compiled derivations: functions of parameters and data that return the cost and its gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symbackprop.calculus.derived import Derived, listing
from symbackprop.errors import InputError
from symbackprop.numeric import conform, numpy_source
from symbackprop.numeric.loader import load
from symbackprop.numeric.program import Program, program

FUNCTION = "loss_and_gradients"
Gradients = dict[str, Any]
FLOAT64 = np.dtype(np.float64)
FLOAT32 = np.dtype(np.float32)


@dataclass(frozen=True)
class Compiled:
    """A derivation as a function; see ``Derivation.compile``."""

    derived: Derived
    wrt: tuple[str, ...]
    stable: bool = True
    dtype: np.dtype[Any] | None = None

    @cached_property
    def program(self) -> Program:
        return program(self.derived, self.wrt, self.stable)

    @cached_property
    def weighted_program(self) -> Program:
        return program(self.derived, self.wrt, self.stable, weighted=True)

    @cached_property
    def source(self) -> str:
        """The module that is run: NumPy and nothing else, readable, with the formula beside each line."""
        return numpy_source.module(self.program, FUNCTION)

    @cached_property
    def small_source(self) -> str:
        """The module that is run for small arrays: the same operations, written in expressions."""
        return numpy_source.module(self.program, FUNCTION, small=True)

    @cached_property
    def weighted_source(self) -> str:
        """The same with a weight for each sample."""
        return numpy_source.module(self.weighted_program, FUNCTION)

    @cached_property
    def _run(self) -> Callable[..., tuple[Any, Gradients]]:
        return load(self.source, FUNCTION)

    @cached_property
    def _run_small(self) -> Callable[..., tuple[Any, Gradients]]:
        return load(self.small_source, FUNCTION)

    @cached_property
    def _run_weighted(self) -> Callable[..., tuple[Any, Gradients]]:
        return load(self.weighted_source, FUNCTION)

    @cached_property
    def _fits(self) -> Callable[..., int]:
        return load(conform.guard_source(self.program), "fits")

    @cached_property
    def _hides_nan(self) -> bool:
        """Whether the cost may be a number though an input is none."""
        return self.program.cost_chooses

    @cached_property
    def _quick(self) -> bool:
        """Whether a call without options needs no more than the quick test."""
        return not (self._hides_nan or self.program.rates or self.dtype is not None)

    def __call__(
        self,
        params: Mapping[str, Any],
        X: Any,
        Y: Any,
        out: Mapping[str, Any] | None = None,
        *,
        sample_weight: Any = None,
        scalars: Mapping[str, float] | None = None,
    ) -> tuple[Any, Gradients]:
        """The cost J and the gradients, a dict by name; see ``Derivation.compile``."""
        if sample_weight is None and out is None and scalars is None and self._quick:
            try:
                fits = self._fits(params, X, Y, np.ndarray) and (X.dtype is FLOAT64 or X.dtype is FLOAT32)
            except (AttributeError, IndexError, KeyError, TypeError):
                fits = 0
            if fits:
                result = self._run_small(params, X, Y) if fits == 1 else self._run(params, X, Y)
                if result[0] != result[0]:
                    self._refuse_nan(params, X, Y)
                return result
        return self._with_care(params, X, Y, out, sample_weight, scalars or {})

    def _with_care(
        self,
        params: Mapping[str, Any],
        X: Any,
        Y: Any,
        out: Mapping[str, Any] | None,
        sample_weight: Any,
        scalars: Mapping[str, float],
    ) -> tuple[Any, Gradients]:
        """A call with options, or one that the quick test did not pass."""
        program = self.program
        if self.dtype is not None:
            params, X, Y = self._converted(params, X, Y)
        if conform.is_labels(Y) and isinstance(params, Mapping):
            Y = conform.one_hot(program, Y, params, getattr(X, "dtype", FLOAT64))
        conform.explain(program, params, X, Y)
        rates = self._rates(scalars)
        if out is not None:
            conform.out_arrays(program, out, params, X, Y)
        if self._hides_nan:
            self._refuse_nan(params, X, Y)
        if sample_weight is None:
            result = self._run(params, X, Y, *rates, out=out)
        else:
            result = self._run_weighted(params, X, Y, conform.weights(program, sample_weight, X), *rates, out=out)
        if result[0] != result[0]:
            self._refuse_nan(params, X, Y)
        return result

    def _rates(self, scalars: Mapping[str, float]) -> list[float]:
        wanted = self.program.rates
        for name in scalars:
            if name not in wanted:
                known = listing(wanted) if wanted else "none"
                raise InputError(f"scalars has {name!r}, which is none of this network's: there are {known}")
        for name in wanted:
            if name not in scalars:
                raise InputError(f"the number {name} is missing: pass scalars={{{name!r}: 0.1}}")
            if isinstance(scalars[name], bool) or not isinstance(scalars[name], int | float | np.floating):
                raise InputError(f"scalars[{name!r}] must be a number, given {type(scalars[name]).__name__}")
        return [float(scalars[name]) for name in wanted]

    def _converted(self, params: Any, X: Any, Y: Any) -> tuple[Any, Any, Any]:
        """Arrays of floats in the type that was asked for."""

        def cast(array: Any) -> Any:
            floats = isinstance(array, np.ndarray) and array.dtype.kind == "f"
            return array.astype(self.dtype, copy=False) if floats else array

        if isinstance(params, Mapping):
            params = {name: cast(array) for name, array in params.items()}
        return params, cast(X), cast(Y)

    def _refuse_nan(self, params: Mapping[str, Any], X: Any, Y: Any) -> None:
        for message in conform.not_a_number(self.program, params, X, Y):
            raise InputError(message)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} J and the gradients by {listing(self.wrt)}>"


def compiled(
    derived: Derived,
    wrt: Iterable[str] | None = None,
    backend: str = "numpy",
    stable: bool = True,
    dtype: Any = None,
) -> Compiled:
    """See ``Derivation.compile``."""
    first = program(derived, wrt, stable)
    return Compiled(derived, first.wrt, stable, _float_type(dtype))


def _float_type(dtype: Any) -> np.dtype[Any] | None:
    if dtype is None:
        return None
    try:
        found = np.dtype(dtype)
    except TypeError as error:
        raise InputError(f"dtype {dtype!r} is no type of arrays: float64 or float32") from error
    if found not in conform.FLOATS:
        raise InputError(f"dtype is {found}: float64 or float32")
    return found

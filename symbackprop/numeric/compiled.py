"""Compiled derivations: functions of parameters and data that return the cost and its gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from symbackprop.calculus.derived import Derived, listing
from symbackprop.errors import InputError
from symbackprop.model.build import suggestion
from symbackprop.numeric import conform, numpy_source
from symbackprop.numeric.dask_sum import Dask
from symbackprop.numeric.engines import ENGINES as WHOLE
from symbackprop.numeric.engines import FUNCTION, Engine
from symbackprop.numeric.loader import load
from symbackprop.numeric.program import Program, gradient_names, program

Gradients = dict[str, Any]
ENGINES: dict[str, Engine] = {**WHOLE, "dask": Dask()}
FLOAT64 = np.dtype(np.float64)
FLOAT32 = np.dtype(np.float32)


@dataclass(frozen=True, eq=False, repr=False)
class Compiled:
    """A derivation as a function; see ``Derivation.compile``."""

    derived: Derived
    wrt: tuple[str, ...]
    stable: bool = True
    dtype: np.dtype[Any] | None = None
    engine: Engine | None = None

    @cached_property
    def program(self) -> Program:
        return program(self.derived, self.wrt, self.stable)

    @cached_property
    def weighted_program(self) -> Program:
        return program(self.derived, self.wrt, self.stable, weighted=True)

    @cached_property
    def source(self) -> str:
        """The module that is run, readable, with the formula beside each line; by default NumPy and nothing else."""
        if self.engine is not None:
            return self.engine.source(self.program)
        return numpy_source.module(self.program, FUNCTION)

    @cached_property
    def small_source(self) -> str:
        """The module that is run for small arrays: the same operations, written in expressions."""
        return numpy_source.module(self.program, FUNCTION, small=True)

    @cached_property
    def weighted_source(self) -> str:
        """The same with a weight for each sample."""
        if self.engine is not None:
            return self.engine.source(self.weighted_program)
        return numpy_source.module(self.weighted_program, FUNCTION)

    @cached_property
    def _run(self) -> Callable[..., tuple[Any, Gradients]]:
        return load(self.source, FUNCTION) if self.engine is None else self.engine.run(self.program)

    @cached_property
    def _run_small(self) -> Callable[..., tuple[Any, Gradients]]:
        return load(self.small_source, FUNCTION) if self.engine is None else self._run

    @cached_property
    def _run_weighted(self) -> Callable[..., tuple[Any, Gradients]]:
        if self.engine is not None:
            return self.engine.run(self.weighted_program)
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

    @cached_property
    def _checks_itself(self) -> bool:
        """Whether the engine looks at the arrays itself."""
        return self.engine is not None and self.engine.name in ("jax", "array_api", "dask")

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
        if self._checks_itself:
            return self._by_engine(params, X, Y, out, sample_weight, scalars or {})
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
            Y = conform.one_hot(program, Y, params, X)
        conform.explain(program, params, X, Y)
        rates = self._rates(scalars)
        if out is not None:
            conform.out_arrays(program, out, params, X, Y)
        if self._hides_nan:
            self._refuse_nan(params, X, Y)
        run, more = self._run, rates
        if sample_weight is not None:
            more = [conform.weights(program, sample_weight, X), *rates]
            run = self._run_weighted
        result = run(params, X, Y, *more, out=out) if self.engine is None else run(params, X, Y, *more)
        if out is not None and self.engine is not None:
            for name, array in out.items():
                array[...] = result[1][name]
            result = result[0], {**result[1], **out}
        if result[0] != result[0]:
            self._refuse_nan(params, X, Y)
        return result

    def _by_engine(
        self, params: Any, X: Any, Y: Any, out: Any, sample_weight: Any, scalars: Mapping[str, float]
    ) -> tuple[Any, Gradients]:
        """A call of an engine whose arrays are its own."""
        assert self.engine is not None
        if out is not None:
            raise InputError(
                f"out needs arrays that can be written to: the backend {self.engine.name} returns new ones"
            )
        if self.dtype is not None:
            params, X, Y = self._converted(params, X, Y)
        if conform.is_labels(Y) and isinstance(params, Mapping):
            Y = conform.one_hot(self.program, Y, params, X)
        more: list[Any] = self._rates(scalars) if scalars or self.program.rates else []
        if sample_weight is None:
            return self._run(params, X, Y, *more)
        if self.engine.name == "dask":
            raise InputError(
                "sample_weight with the backend dask: evaluate the chunks yourself, with the backend numpy"
            )
        weights = conform.weights(self.program, sample_weight, X)
        return self._run_weighted(params, X, Y, weights, *more)

    def ready(self) -> None:
        """Find now, not at the first call, what cannot be computed, or that a library is missing."""
        _ = self.program if self.engine is None else self._run

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

    def __getstate__(self) -> dict[str, Any]:
        """What it is made of: functions are loaded again where it is unpickled."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

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
    if backend != "numpy" and backend not in ENGINES:
        raise InputError(f"unknown backend {backend!r}: {suggestion(str(backend), ['numpy', *ENGINES])}")
    made = Compiled(derived, gradient_names(derived, wrt), stable, _float_type(dtype), ENGINES.get(backend))
    made.ready()
    return made


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

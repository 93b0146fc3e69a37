"""How a program is run by each library. An engine makes a function of (params, X, Y, rates) from a program."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbackprop.errors import InputError, Unsupported
from symbackprop.numeric import conform, functional_source, loop_source
from symbackprop.numeric.loader import load
from symbackprop.numeric.program import Program

FUNCTION = "loss_and_gradients"
Run = Callable[..., tuple[Any, dict[str, Any]]]


def extra(module: str, name: str) -> Any:
    """A library that an extra installs, or one line that says which."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise Unsupported(
            f"the backend {name.replace('-', '_')} needs {module.split('.')[0]}, which is not installed: "
            f"pip install 'symbackprop[{name}]'"
        ) from error


class Engine(ABC):
    """A library that runs programs; ``library`` is what its arrays are called in messages."""

    name: str
    library: str

    @abstractmethod
    def source(self, program: Program) -> str:
        """The module that is run."""

    @abstractmethod
    def run(self, program: Program) -> Run:
        """The function of (params, X, Y) or, for a weighted program, (params, X, Y, sample_weight)."""


@dataclass(frozen=True)
class Jax(Engine):
    """One function for XLA; what does not fit is found where JAX traces a new combination of shapes."""

    name: str = "jax"
    library: str = "NumPy or JAX"

    def source(self, program: Program) -> str:
        return functional_source.module(program, functional_source.JAX)

    def run(self, program: Program) -> Run:
        jax = extra("jax", self.name)
        generated = load(self.source(program), FUNCTION)

        def traced(params: Any, X: Any, Y: Any, *more: Any) -> Any:
            conform.explain(program, params, X, Y, self.library)
            return generated(params, X, Y, *more)

        compiled = jax.jit(traced)

        def call(params: Any, X: Any, Y: Any, *more: Any) -> tuple[Any, dict[str, Any]]:
            with _precision(jax, X):
                J, gradients = compiled(params, X, Y, *more)
                if np.isnan(np.asarray(J)):
                    for message in conform.not_a_number(program, params, X, Y):
                        raise InputError(message)
            return J, {name: gradients[name] for name in program.wrt}  # a traced dict comes back sorted

        return call


def _precision(jax: Any, X: Any) -> AbstractContextManager[Any]:
    """JAX takes double precision for single unless it is told; what comes in as float64 stays float64."""
    double = getattr(X, "dtype", None) == np.float64
    if not double or jax.config.jax_enable_x64:
        return nullcontext()
    newer = hasattr(jax, "enable_x64")
    context: AbstractContextManager[Any] = (jax if newer else extra("jax.experimental", "jax")).enable_x64(True)
    return context


@dataclass(frozen=True)
class ArrayApi(Engine):
    """The arrays' own library: CuPy, PyTorch, JAX, Dask and NumPy through array_api_compat."""

    name: str = "array_api"
    library: str = "array-API"

    def source(self, program: Program) -> str:
        return functional_source.module(program, functional_source.ARRAY_API)

    def run(self, program: Program) -> Run:
        compat = extra("array_api_compat", self.name.replace("_", "-"))
        generated = load(self.source(program), FUNCTION)

        def call(params: Any, X: Any, Y: Any, *more: Any) -> tuple[Any, dict[str, Any]]:
            conform.explain(program, params, X, Y, self.library)
            xp = compat.array_namespace(X)
            with np.errstate(over="ignore"):
                J, gradients = generated(xp, params, X, Y, *more)
            if not compat.is_dask_namespace(xp) and float(J) != float(J):
                for message in conform.not_a_number(program, params, X, Y):
                    raise InputError(message)
            return J, gradients

        return call


@dataclass(frozen=True)
class Numba(Engine):
    """Loops compiled for small networks, where the calls of NumPy cost more than the arithmetic."""

    name: str = "numba"
    library: str = "NumPy"

    def source(self, program: Program) -> str:
        return loop_source.numba_module(program)

    def run(self, program: Program) -> Run:
        extra("numba", self.name)
        compiled = load(self.source(program), FUNCTION)
        parameters = [p.name for p in program.parameters if p.name in program.used]
        wrt = program.wrt

        def call(params: Any, X: Any, Y: Any, *more: Any) -> tuple[Any, dict[str, Any]]:
            J, *gradients = compiled(*[params[name] for name in parameters], X, Y, *more)
            return J, dict(zip(wrt, gradients, strict=True))

        return call


ENGINES: dict[str, Engine] = {e.name: e for e in (Jax(), ArrayApi(), Numba())}

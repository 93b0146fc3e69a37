"""A data set larger than memory: its samples in chunks, each evaluated where it lies, costs and gradients summed.

J is a mean over the samples, so the whole is the mean of the chunks weighted by their numbers of samples; a penalty is
the same in every chunk and comes out once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from symbackprop.errors import InputError, Unsupported
from symbackprop.numeric import conform, numpy_source
from symbackprop.numeric.engines import FUNCTION, Engine, Run, extra
from symbackprop.numeric.loader import load
from symbackprop.numeric.program import Program


@lru_cache(maxsize=8)
def _loaded(source: str) -> Run:
    """The function of a generated module, loaded once in each process."""
    return load(source, FUNCTION)


def chunk(
    source: str, params: Mapping[str, Any], X: Any, Y: Any, more: tuple[float, ...], share: float
) -> tuple[Any, dict[str, Any]]:
    """What one chunk of samples adds to the cost and to each gradient."""
    J, gradients = _loaded(source)(params, X, Y, *more)
    return J * share, {name: gradient * share for name, gradient in gradients.items()}


def summed(parts: list[tuple[Any, dict[str, Any]]]) -> tuple[Any, dict[str, Any]]:
    """The sum of what chunks add."""
    costs, gradients = zip(*parts, strict=True)
    return sum(costs[1:], costs[0]), {k: sum((g[k] for g in gradients[1:]), gradients[0][k]) for k in gradients[0]}


@dataclass(frozen=True)
class Dask(Engine):
    """Dask arrays, split along the samples; the cluster is the client that is active, threads without one."""

    name: str = "dask"
    library: str = "Dask"

    def source(self, program: Program) -> str:
        return numpy_source.module(program)

    def run(self, program: Program) -> Run:
        dask = extra("dask", self.name)
        array = extra("dask.array", self.name)
        model = program.derived.model
        if model.frame.samples is None:
            raise Unsupported("the backend dask splits a batch: give the network one with batch=")
        axis, source = 1 - model.frame.unit_axis, self.source(program)

        def call(params: Any, X: Any, Y: Any, *more: Any) -> tuple[Any, dict[str, Any]]:
            if model.x.name in program.wrt:
                raise InputError(
                    f"the gradient by {model.x.name} has an entry for each sample and is not summed: leave it out"
                )
            X, Y = (u if isinstance(u, array.Array) else array.from_array(u) for u in (X, Y))
            conform.explain(program, params, X, Y, self.library)
            X = X.rechunk({1 - axis: -1})
            Y = Y.rechunk({1 - axis: -1, axis: X.chunks[axis]})
            count = X.shape[axis]
            blocks = [u.to_delayed().ravel() for u in (X, Y)]
            given = dask.delayed({k: np.asarray(v) for k, v in params.items()}, pure=True)
            part, add = dask.delayed(chunk), dask.delayed(summed)
            parts = [
                part(source, given, x, y, tuple(more), size / count)
                for x, y, size in zip(*blocks, X.chunks[axis], strict=True)
            ]
            while len(parts) > 1:
                parts = [add(parts[k : k + 8]) for k in range(0, len(parts), 8)]
            (result,) = dask.compute(parts[0])
            J, gradients = result
            if J != J:
                raise InputError(
                    "J is NaN: an entry of X, Y or of the parameters is no number, or no cost is defined there"
                )
            return J, gradients

        return call

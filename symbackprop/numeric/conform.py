"""Whether what a compiled function is called with fits: one quick test, and where it fails one line that says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import sympy

from symbackprop.algebra.formula import Symbol
from symbackprop.calculus.derived import listing
from symbackprop.errors import InputError
from symbackprop.numeric.program import WEIGHT, Program
from symbackprop.numeric.scalar_text import identifier

SMALL = 4096  # entries of an array: below that the calls cost, above it the memory
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def guard_source(program: Program) -> str:
    """A function that says quickly that everything fits: 0 for no, 1 for small arrays, 2 for large ones.

    It may say no where all is well, but never the reverse.
    """
    model = program.derived.model
    data = (model.x, model.y)
    arrays = [*program.parameters, *data]
    taken = {a.name for a in arrays} | {"params", "np", "fits"}
    size_names = {s: identifier(s.name, taken) for s in program.sizes}
    bound: set[sympy.Symbol] = set()
    lines = [f'{p.name} = params["{p.name}"]' for p in program.parameters]
    tests = [f"len(params) == {len(program.parameters)}"]
    for array in (*data, *program.parameters):
        free = [(k, s) for k, s in enumerate(array.shape) if s in size_names and s not in bound]
        lines += [f"{size_names[s]} = {array.name}.shape[{k}]" for k, s in free]
        bound |= {s for _, s in free}
        shape = ", ".join(size_names.get(s, str(s)) for s in array.shape)
        tests.append(f"{array.name}.shape == ({shape})")
    tests += [f"{size_names[s]} > 0" for s in program.sizes]
    for what in ("type({})", "{}.dtype"):
        tests.append(" is ".join(what.format(a.name) for a in arrays))
    tests[-2] += " is array_type"
    units = ", ".join(dict.fromkeys(size_names.get(s, str(s)) for s in model.sizes))
    samples = model.frame.samples
    count = "1" if samples is None else size_names.get(samples, str(samples))
    largest = f"max({units})" if "," in units else units
    tests.append(f"(1 if {largest} * {count} < {SMALL} else 2)")
    body = "\n".join(f"    {line}" for line in lines)
    head = f"def fits(params, {model.x.name}, {model.y.name}, array_type):"
    return f"{head}\n{body}\n    return {' and '.join(tests)}\n"


def explain(program: Program, params: Any, x: Any, y: Any, library: str = "NumPy") -> None:
    """Raise InputError naming the first thing that does not fit; nothing where all is well."""
    model = program.derived.model
    if not isinstance(params, Mapping):
        raise InputError(f"params is a {type(params).__name__}: pass a dict of arrays, {listing(_names(program))}")
    for p in program.parameters:
        if p.name not in params:
            raise InputError(f"params has no {p.name}: it wants {_wanted(p)}; there are {listing(map(str, params))}")
    extra = [str(k) for k in params if k not in set(_names(program))]
    if extra:
        raise InputError(f"params has {extra[0]!r}, which is no parameter: there are {listing(_names(program))}")
    found: dict[sympy.Symbol, tuple[int, str]] = {}
    given = [(model.x, x), *((p, params[p.name]) for p in program.parameters), (model.y, y)]
    for symbol, array in given:
        _is_array(symbol, array, library)
    _one_turned([(symbol, tuple(array.shape)) for symbol, array in given])
    for symbol, array in given:
        _shape_fits(symbol, array, found)
    first = given[0][1].dtype
    for symbol, array in given:
        if array.dtype != first:
            raise InputError(f"{symbol.name} is {array.dtype}, but {model.x.name} is {first}: use one type for all")


def _names(program: Program) -> list[str]:
    return [p.name for p in program.parameters]


def _wanted(symbol: Symbol) -> str:
    return f"shape ({', '.join(map(str, symbol.shape))})"


def _is_array(symbol: Symbol, array: Any, library: str) -> None:
    if not hasattr(array, "shape") or not hasattr(array, "dtype") or (library == "NumPy" and not _is_plain(array)):
        kind = type(array).__name__
        raise InputError(f"{symbol.name} is a {kind}: pass a {library} array of floats, {_wanted(symbol)}")
    if not any(str(array.dtype).endswith(t.name) for t in FLOATS):
        raise InputError(
            f"{symbol.name} has type {array.dtype} and shape {tuple(array.shape)}, "
            f"wanted float64 or float32, {_wanted(symbol)}: "
            f"convert it with {symbol.name}.astype(float)"
        )


def _one_turned(shapes: list[tuple[Symbol, tuple[int, ...]]]) -> None:
    """Where all would fit if one array were transposed, it is that one, whichever was looked at first."""
    if _consistent(shapes):
        return
    for k, (symbol, got) in enumerate(shapes):
        turned = [*shapes[:k], (symbol, got[::-1]), *shapes[k + 1 :]]
        if len(got) == 2 and _consistent(turned):
            found = {
                s: (n, "") for other, shape in turned for s, n in zip(other.shape, shape, strict=True) if s.is_Symbol
            }
            wanted = [_known(size, found) for size in symbol.shape]
            raise InputError(
                f"{symbol.name} has shape {got}, wanted {_readable(symbol, wanted)}: {symbol.name}.T would fit"
            )


def _consistent(shapes: list[tuple[Symbol, tuple[int, ...]]]) -> bool:
    """Whether every size has one value throughout."""
    found: dict[sympy.Expr, int] = {}
    for symbol, got in shapes:
        if len(got) != 2:
            return False
        for size, length in zip(symbol.shape, got, strict=True):
            if found.setdefault(size, int(size) if size.is_Integer else length) != length:
                return False
    return True


def _is_plain(array: Any) -> bool:
    """An array whose * is elementwise and which hides no entry."""
    return isinstance(array, np.ndarray) and not isinstance(array, np.matrix | np.ma.MaskedArray)


def _shape_fits(symbol: Symbol, array: Any, found: dict[sympy.Symbol, tuple[int, str]]) -> None:
    got = tuple(array.shape)
    wanted = [_known(size, found) for size in symbol.shape]
    if len(got) != 2 or any(w is not None and w != g for w, g in zip(wanted, got, strict=True)):
        turned = len(got) == 2 and all(w is None or w == g for w, g in zip(wanted, got[::-1], strict=True))
        hint = f": {symbol.name}.T would fit" if turned else ""
        raise InputError(
            f"{symbol.name} has shape {got}, wanted {_readable(symbol, wanted)}{_because(symbol, found)}{hint}"
        )
    for size, length in zip(symbol.shape, got, strict=True):
        if length == 0:
            raise InputError(f"{symbol.name} has shape {got}: it is empty, {size} must be at least 1")
        if size.is_Symbol:
            found.setdefault(size, (length, symbol.name))


def _known(size: sympy.Expr, found: dict[sympy.Symbol, tuple[int, str]]) -> int | None:
    return int(size) if size.is_Integer else found[size][0] if size in found else None


def _readable(symbol: Symbol, wanted: list[int | None]) -> str:
    shape = ", ".join(map(str, symbol.shape))
    numbers = ", ".join(str(s) if w is None else str(w) for s, w in zip(symbol.shape, wanted, strict=True))
    return f"({shape})" if shape == numbers else f"({shape}) = ({numbers})"


def _because(symbol: Symbol, found: dict[sympy.Symbol, tuple[int, str]]) -> str:
    reasons = [f"{s} = {found[s][0]} from {found[s][1]}" for s in dict.fromkeys(symbol.shape) if s in found]
    return f" ({', '.join(reasons)})" if reasons else ""


def not_a_number(program: Program, params: Mapping[str, Any], x: Any, y: Any) -> Iterator[str]:
    """Each array that holds a NaN, with the first place."""
    model = program.derived.model
    for name, array in ((model.x.name, x), *params.items(), (model.y.name, y)):
        bad = np.argwhere(np.isnan(np.asarray(array)))
        if len(bad):
            row, column = bad[0]
            many = f"{len(bad)} such entr{'y' if len(bad) == 1 else 'ies'}"
            yield f"{name}[{row}, {column}] is NaN (shape {tuple(array.shape)}, {many}): clean {name} first"


def is_labels(y: Any) -> bool:
    """Whole numbers, one a sample, instead of targets."""
    if isinstance(y, int) and not isinstance(y, bool):
        return True
    return isinstance(y, np.ndarray | np.integer) and y.dtype.kind in "iu"


def one_hot(program: Program, labels: Any, params: Mapping[str, Any], x: Any) -> Any:
    """Class numbers as targets: a 1 for each sample's class, in the layout of Y. Raises InputError."""
    model = program.derived.model
    symbol, axis = model.y, model.frame.unit_axis
    labels = np.atleast_1d(np.asarray(labels))
    if not model.loss.labels_sum_to_one:
        raise InputError(
            f"{symbol.name} is an integer array; {model.loss.name} takes numbers, {_wanted(symbol)}: "
            f"convert it with {symbol.name}.astype(float)"
        )
    if labels.ndim != 1:
        raise InputError(
            f"{symbol.name} is an integer array of shape {labels.shape}; class labels are one number a sample, "
            f"shape ({symbol.shape[1 - axis]},), and targets are floats, {_wanted(symbol)}"
        )
    samples_given = np.shape(x)[1 - axis] if len(np.shape(x)) == 2 else len(labels)
    if len(labels) != samples_given:
        raise InputError(
            f"{symbol.name} has shape {labels.shape}, wanted one label a sample, "
            f"({symbol.shape[1 - axis]},) = ({samples_given},)"
        )
    last = model.blocks[-1].weights[0]
    count = np.shape(params[last.name])[last.shape.index(model.sizes[-1])] if last.name in params else 0
    if count and len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < count:
        bad = int(labels.min()) if labels.min() < 0 else int(labels.max())
        raise InputError(
            f"{symbol.name} has the label {bad}: there are {count} classes, and labels count from 0 to {count - 1}"
        )
    positions = np.arange(len(labels))
    dtype = str(getattr(x, "dtype", "float64")).split(".")[-1]
    targets = np.zeros((count, len(labels)) if axis == 0 else (len(labels), count), dtype)
    if count:
        targets[(labels, positions) if axis == 0 else (positions, labels)] = 1
    return targets


def weights(program: Program, given: Any, x: Any) -> Any:
    """Sample weights as they enter the program: one a sample, their mean 1. Raises InputError."""
    model = program.derived.model
    if model.frame.samples is None:
        raise InputError(f"{WEIGHT} needs a network with a batch: J of one example is no mean over samples")
    axis = 1 - model.frame.unit_axis
    count = x.shape[axis]
    if not isinstance(given, np.ndarray) or given.shape != (count,) or given.dtype.kind != "f":
        shape = tuple(given.shape) if hasattr(given, "shape") else type(given).__name__
        raise InputError(
            f"{WEIGHT} wants an array of floats of shape ({model.frame.samples},) = ({count},), given {shape}"
        )
    total = given.sum()
    if not np.all(given >= 0) or not 0 < total < np.inf:
        raise InputError(f"{WEIGHT} must be at least 0 everywhere, finite, and above 0 somewhere")
    scaled = (given * (count / total)).astype(x.dtype)
    return scaled[None, :] if axis == 1 else scaled[:, None]


def out_arrays(program: Program, out: Any, params: Mapping[str, Any], x: Any, y: Any) -> None:
    """Raise InputError where ``out`` cannot take the gradients."""
    if not isinstance(out, Mapping):
        raise InputError(f"out is a {type(out).__name__}: pass a dict of arrays, {listing(program.wrt)}")
    like = {**params, program.derived.model.x.name: x}
    for name, array in out.items():
        if name not in program.wrt:
            raise InputError(f"out has {name!r}, which is no gradient: there are {listing(program.wrt)}")
        wanted = like[name]
        good = isinstance(array, np.ndarray) and array.shape == wanted.shape and array.dtype == wanted.dtype
        if not good or not array.flags.c_contiguous or not array.flags.writeable:
            given = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
            raise InputError(
                f"out[{name!r}] must be a writable C-contiguous {wanted.dtype} array of shape {wanted.shape}, "
                f"given {given}"
            )
        others = [*like.values(), y, *(v for k, v in out.items() if k != name)]
        if any(np.may_share_memory(array, other) for other in others):
            raise InputError(f"out[{name!r}] shares its memory with another array of the call: give it room of its own")

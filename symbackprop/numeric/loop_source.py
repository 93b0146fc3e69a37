"""Loops as Python for Numba: one function of arrays, compiled, with products of small matrices written out."""

from __future__ import annotations

from symbackprop.algebra.formula import ONE, Shape
from symbackprop.numeric.loops import Elementwise, Kernel, Loops, MatMul, Number, Reduce
from symbackprop.numeric.module_text import bracketed, commented, docstring
from symbackprop.numeric.program import WEIGHT, Program

# How a scalar operation is written: {0}, {1}, {2} are bracketed operands.
OPERATIONS: dict[str, str] = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "negative": "-{0}",
    "power": "{0} ** {1}",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "equal": "{0} == {1}",
    "logical_and": "{0} and {1}",
    "logical_or": "{0} or {1}",
    "where": "{1} if {0} else {2}",
    "as_float": "1.0 if {0} else 0.0",
    "broadcast": "{0}",
    "maximum": "larger({0}, {1})",
    "minimum": "smaller({0}, {1})",
    "square": "squared({0})",
    "reciprocal": "1.0 / {0}",
    "sigmoid": "sigmoid({0})",
    "softplus": "softplus({0})",
    "sign": "sign({0})",
    "absolute": "abs({0})",
    **{op: f"math.{op}({{0}})" for op in ("exp", "expm1", "log", "log1p", "tanh", "sqrt", "sin", "cos")},
    **{op: f"math.{op}({{0}})" for op in ("sinh", "cosh", "erf", "erfc")},
}

HELPERS = frozenset(
    [
        "numba",
        "i",
        "j",
        "total",
        "larger",
        "smaller",
        "squared",
        "sign",
        "sigmoid",
        "softplus",
        "product",
        "abs",
        "range",
    ]
)
HEADER = '''import math

import numba
import numpy as np


@numba.njit
def larger(x, y):
    return y if y > x else x


@numba.njit
def smaller(x, y):
    return y if y < x else x


@numba.njit
def squared(x):
    return x * x


@numba.njit
def sign(x):
    return 1.0 if x > 0.0 else (-1.0 if x < 0.0 else 0.0)


@numba.njit
def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))


@numba.njit
def softplus(x):
    return larger(x, 0.0) + math.log1p(math.exp(-abs(x)))


@numba.njit
def product(a, b, c):
    """a b into c: by loops where a call of BLAS would cost more."""
    if a.shape[0] * a.shape[1] * b.shape[1] < 2000:
        for i in range(a.shape[0]):
            for j in range(b.shape[1]):
                total = 0.0
                for k in range(a.shape[1]):
                    total += a[i, k] * b[k, j]
                c[i, j] = total
    else:
        c[:, :] = np.dot(a, b)
'''


class Writer:
    """The text of one program's loops."""

    def __init__(self, program: Program) -> None:
        self.loops = Loops(program, HELPERS)
        self.names = self.loops.names
        self.program = program

    def value(self, i: int, row: str = "i", column: str = "j") -> str:
        """The node's value at a place, as one expression over what stands in memory."""
        node = self.loops.nodes[i]
        if node.op == "scalar":
            return self.names.scalar(node.value)
        if self.loops.stands(i) or node.op == "transpose":
            if node.shape is None:
                return self.loops.name(i)
            array, at_row, at_column = self.loops.entry(i, row, column)
            return f"{array}[{at_row}, {at_column}]"
        return self.applied(i, row, column)

    def applied(self, i: int, row: str = "i", column: str = "j") -> str:
        """The node's own operation at a place."""
        node = self.loops.nodes[i]
        return OPERATIONS[node.op].format(*(bracketed(self.value(k, row, column)) for k in node.args))

    def kernel(self, kernel: Kernel) -> list[str]:
        name = self.loops.name(kernel.node)
        match kernel:
            case Number(node):
                return [f"{name} = {self.applied(node)}"]
            case Elementwise(node, shape):
                return [self._new(name, shape), *_loops(self._ranges(shape), [f"{name}[i, j] = {self.applied(node)}"])]
            case MatMul(_, shape, _, args, turned):
                operands = [self.loops.name(k) + (".T" if t else "") for k, t in zip(args, turned, strict=True)]
                return [self._new(name, shape), f"product({', '.join(operands)}, {name})"]
            case Reduce():
                return self._reduced(name, kernel)

    def _new(self, name: str, shape: Shape) -> str:
        return f"{name} = np.empty({self.names.shape(shape)}, {self.names.dtype})"

    def _ranges(self, shape: Shape) -> tuple[str, str]:
        rows, columns = shape
        return "1" if rows == ONE else self.names.size(rows), "1" if columns == ONE else self.names.size(columns)

    def _reduced(self, name: str, kernel: Reduce) -> list[str]:
        rows, columns = self._ranges(kernel.over)
        term = " * ".join(bracketed(self.value(k)) for k in kernel.args)
        if kernel.axis is None:
            return [f"{name} = 0.0", *_loops((rows, columns), [f"{name} += {term}"])]
        shape = self.loops.nodes[kernel.node].shape
        assert shape is not None
        outer, inner = (("j", columns), ("i", rows)) if kernel.axis == 0 else (("i", rows), ("j", columns))
        target = f"{name}[0, j]" if kernel.axis == 0 else f"{name}[i, 0]"
        start = "0.0" if kernel.kind == "sum" else "-np.inf"
        step = f"total += {term}" if kernel.kind == "sum" else f"total = larger(total, {term})"
        body = [f"total = {start}", f"for {inner[0]} in range({inner[1]}):", f"    {step}", f"{target} = total"]
        return [self._new(name, shape), f"for {outer[0]} in range({outer[1]}):", *(f"    {u}" for u in body)]


def _loops(ranges: tuple[str, str], body: list[str]) -> list[str]:
    rows, columns = ranges
    inner = [f"        {u}" for u in body]
    return [f"for i in range({rows}):", f"    for j in range({columns}):", *inner]


def numba_module(program: Program) -> str:
    """A module with one function of arrays, which returns J and the gradients in the order of ``wrt``."""
    writer = Writer(program)
    lines: list[str] = []
    for step, kernels in writer.loops.steps:
        new = [u for kernel in kernels for u in writer.kernel(kernel)]
        if step.name == "J":
            node = writer.loops.nodes[step.node]
            value = writer.value(step.node) if node.shape is None else writer.value(step.node, "0", "0")
            new += [f"J = {value}"] if value != "J" else []
        elif step.output and writer.loops.name(step.node) != step.name:
            new.append(f"{step.name} = {writer.loops.name(step.node)}.copy()")
        comment = f"{step.name} = {writer.names.comment(step.formula)}"
        lines += [commented(new[0], comment), *new[1:]] if new else [f"# {comment}"]
    made = {s.symbol.name: s.name for s in program.steps if s.output}
    returned = ", ".join(["J", *(made[name] for name in program.wrt)])
    arguments = [p.name for p in program.parameters if p.name in program.used] + [writer.names.x, writer.names.y]
    arguments += [WEIGHT] if program.weighted else []
    arguments += writer.names.rates
    lines = [*writer.names.sizes_read(), *lines, f"return {returned}"]
    code = "\n".join(f"    {v}" for u in lines for v in u.split("\n"))
    head = f"@numba.njit\ndef loss_and_gradients({', '.join(arguments)}):"
    return f"{HEADER}\n\n{head}\n{docstring(program, writer.names)}\n{code}\n"

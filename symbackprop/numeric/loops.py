"""A program as loops: elementwise operations fused, sums taken where their terms arise, matrix products as calls.

The order of kernels and what they read is decided here, once; how a loop is written is a language's own matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from symbackprop.algebra.formula import ONE, SCALAR, Shape
from symbackprop.numeric.graph import ELEMENTWISE
from symbackprop.numeric.module_text import Names
from symbackprop.numeric.program import Program, Step

REDUCTIONS = frozenset(["sum", "max", "inner"])


@dataclass(frozen=True)
class Elementwise:
    """One entry after another of a new array."""

    node: int
    shape: Shape


@dataclass(frozen=True)
class Number:
    """A number made of numbers."""

    node: int


@dataclass(frozen=True)
class MatMul:
    """A matrix product; ``inner`` is the size that is summed over, ``stored`` the shapes in memory."""

    node: int
    shape: Shape
    inner: object
    args: tuple[int, int]
    turned: tuple[bool, bool]
    stored: tuple[Shape, Shape]


@dataclass(frozen=True)
class Reduce:
    """A sum, a largest entry or an inner product over ``over``, along ``axis`` or (None) of everything."""

    node: int
    kind: str
    axis: int | None
    args: tuple[int, ...]
    over: Shape


Kernel: TypeAlias = Elementwise | Number | MatMul | Reduce


class Loops:
    """The kernels of a program, step by step, and the name of every array and number that they make."""

    def __init__(self, program: Program, reserved: frozenset[str] = frozenset()) -> None:
        self.program = program
        self.names = Names(program, reserved)
        self.nodes = program.graph.nodes
        self.name_of: dict[int, str] = {}
        self.made: dict[str, Shape] = {}
        self.steps: list[tuple[Step, list[Kernel]]] = []
        for step, segment in zip(program.steps, program.segments, strict=True):
            if self.stands(step.node) and self.nodes[step.node].op not in ("input", "scalar"):
                self.name_of.setdefault(step.node, step.name)
            self.steps.append((step, [self._kernel(i) for i in segment if self._is_kernel(i)]))

    @cached_property
    def users(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {i: [] for i in self.program.order}
        for i in self.program.order:
            for k in self.nodes[i].args:
                found[k].append(i)
        return found

    @cached_property
    def outputs(self) -> set[int]:
        return {s.node for s in self.program.steps if s.output}

    def stands(self, i: int) -> bool:
        """Whether a node is kept: an array in memory, or a number in a variable."""
        node = self.nodes[i]
        if node.op in ("input", "matmul", "broadcast") or node.op in REDUCTIONS or i in self.outputs:
            return True
        if node.op in ("scalar", "transpose"):
            return False
        users = self.users[i]
        whole = any(self.nodes[u].op in ("matmul", "transpose", "broadcast") for u in users)
        spread = any(self.nodes[u].shape != node.shape for u in users if self.nodes[u].op in ELEMENTWISE)
        shared = len(users) != 1
        return whole or spread or shared

    def _is_kernel(self, i: int) -> bool:
        return self.stands(i) and self.nodes[i].op not in ("input", "scalar")

    def name(self, i: int) -> str:
        node = self.nodes[i]
        if node.op == "input":
            return str(node.value)
        if i not in self.name_of:
            self.name_of[i] = self.names.temporary()
        return self.name_of[i]

    def _kernel(self, i: int) -> Kernel:
        node = self.nodes[i]
        name = self.name(i)
        if node.shape is not None:
            self.made[name] = node.shape
        if node.op == "matmul":
            turned = node.value
            assert isinstance(turned, tuple)
            stored = tuple(self.nodes[k].shape or SCALAR for k in node.args)
            inner = stored[0][0 if turned[0] else 1]
            return MatMul(i, node.shape or SCALAR, inner, (node.args[0], node.args[1]), turned, (stored[0], stored[1]))
        if node.op in REDUCTIONS:
            axis = node.value
            assert axis is None or isinstance(axis, int)
            return Reduce(i, node.op, axis, node.args, self.nodes[node.args[0]].shape or SCALAR)
        if node.shape is None:
            return Number(i)
        return Elementwise(i, node.shape)

    def entry(self, i: int, row: str, column: str) -> tuple[str, str, str]:
        """Array, row and column of the entry that a node has at a place; sizes of 1 are spread."""
        node = self.nodes[i]
        if node.op == "transpose":
            return self.entry(node.args[0], column, row)
        rows, columns = node.shape or SCALAR
        return self.name(i), "0" if rows == ONE else row, "0" if columns == ONE else column

"""A program as expressions of a library whose arrays never change: the array API, JAX, PyTorch.

A library is a table of how it writes each operation; {0}, {1}, {2} are operands, bracketed where that is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sympy

from symbackprop.algebra.formula import SCALAR
from symbackprop.numeric import expansion
from symbackprop.numeric.graph import Node
from symbackprop.numeric.module_text import Names, bracketed, commented, docstring
from symbackprop.numeric.program import Program
from symbackprop.numeric.special_source import helpers

LONG = 70

INFIX: dict[str, str] = {
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
    "logical_and": "{0} & {1}",
    "logical_or": "{0} | {1}",
    "matmul": "{0} @ {1}",
    "square": "{0} * {0}",
    "reciprocal": "1.0 / {0}",
    "transpose": "{0}.T",
}


def _calls(lib: str, **names: str) -> dict[str, str]:
    plain = ["exp", "expm1", "log", "log1p", "tanh", "sqrt", "sign", "sin", "cos", "sinh", "cosh"]
    return {op: f"{lib}.{op}({{0}})" for op in plain} | {op: f"{lib}.{name}({{0}})" for op, name in names.items()}


@dataclass(frozen=True)
class Library:
    """How a library writes each operation; ``expand`` are those that it has not."""

    name: str
    header: str
    templates: Mapping[str, str]
    expand: Mapping[str, expansion.Expansion] = field(default_factory=dict)
    extra_argument: str = ""

    def template(self, op: str) -> str | None:
        return self.templates.get(op) or INFIX.get(op)


ARRAY_API = Library(
    "array_api",
    "",
    {
        **_calls("xp", absolute="abs"),
        "erf": "erf(xp, {0})",
        "erfc": "erfc(xp, {0})",
        "sum": "xp.sum({0}, axis={axis}, keepdims=True)",
        "total": "xp.sum({0})",
        "inner": "xp.sum({0} * {1})",
        "max": "xp.max({0}, axis={axis}, keepdims=True)",
        "where": "xp.where({0}, {1}, {2})",
        "maximum": "xp.maximum({0}, {1})",
        "minimum": "xp.minimum({0}, {1})",
        "maximum with a number": "xp.clip({0}, {1}, None)",
        "minimum with a number": "xp.clip({0}, None, {1})",
        "as_float": "xp.astype({0}, {dtype})",
        "broadcast": "xp.broadcast_to({0}, {shape})",
    },
    {"sigmoid": expansion.quiet_sigmoid, "softplus": expansion.softplus},
    extra_argument="xp",
)
JAX = Library(
    "jax",
    "import jax\nimport jax.numpy as jnp\n",
    {
        **_calls("jnp", absolute="abs", reciprocal="reciprocal", square="square"),
        "sigmoid": "jax.nn.sigmoid({0})",
        "softplus": "jax.nn.softplus({0})",
        "erf": "jax.scipy.special.erf({0})",
        "erfc": "jax.scipy.special.erfc({0})",
        "sum": "jnp.sum({0}, axis={axis}, keepdims=True)",
        "total": "jnp.sum({0})",
        "inner": "jnp.vdot({0}, {1})",
        "max": "jnp.max({0}, axis={axis}, keepdims=True)",
        "where": "jnp.where({0}, {1}, {2})",
        "maximum": "jnp.maximum({0}, {1})",
        "minimum": "jnp.minimum({0}, {1})",
        "as_float": "({0}).astype({dtype})",
        "broadcast": "jnp.broadcast_to({0}, {shape})",
    },
)
TORCH = Library(
    "torch",
    "import torch\n",
    {
        **_calls("torch", absolute="abs", reciprocal="reciprocal", square="square"),
        "sigmoid": "torch.sigmoid({0})",
        "softplus": "torch.logaddexp({0}, torch.zeros_like({0}))",
        "erf": "torch.erf({0})",
        "erfc": "torch.erfc({0})",
        "sum": "torch.sum({0}, dim={axis}, keepdim=True)",
        "total": "torch.sum({0})",
        "inner": "torch.sum({0} * {1})",
        "max": "torch.amax({0}, dim={axis}, keepdim=True)",
        "where": "torch.where({0}, {1}, {2})",
        "maximum": "torch.maximum({0}, {1})",
        "minimum": "torch.minimum({0}, {1})",
        "maximum with a number": "torch.clamp({0}, min={1})",
        "minimum with a number": "torch.clamp({0}, max={1})",
        "as_float": "({0}).to({dtype})",
        "broadcast": "{0}.expand({shape})",
    },
)
LIBRARIES = {u.name: u for u in (ARRAY_API, JAX, TORCH)}


@dataclass
class Expressions:
    """The steps of a program as assignments of expressions; values that are used twice get a name."""

    program: Program
    library: Library
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.program = expansion.expanded(self.program, self.library.expand)
        self.names = Names(self.program)
        self.nodes = self.program.graph.nodes
        self.written: dict[int, str] = {}

    @cached_property
    def uses(self) -> dict[int, int]:
        found = dict.fromkeys(self.program.order, 0)
        for i in self.program.order:
            for k in self.nodes[i].args:
                found[k] += 1
        return found

    def text(self, i: int) -> str:
        """The node as an operand."""
        if i not in self.written:
            self.written[i] = self._text(i)
        return self.written[i]

    def _text(self, i: int) -> str:
        node = self.nodes[i]
        if node.op == "input":
            return self.names.input(str(node.value))
        if node.op == "scalar":
            return self.names.scalar(node.value)
        code = self.expression(node)
        if node.op == "transpose" or (self.uses[i] == 1 and len(code) <= LONG):
            return code
        name = self.names.temporary()
        self.lines.append(f"{name} = {code}")
        return name

    def expression(self, node: Node) -> str:
        op = node.op
        args = [self.text(k) for k in node.args]
        numbers = [k for k, a in enumerate(node.args) if self.nodes[a].op == "scalar"]
        if op in ("maximum", "minimum") and numbers and (found := self.library.template(f"{op} with a number")):
            if numbers == [0]:
                args.reverse()
            return found.format(*args)
        if op == "where" and numbers == [1, 2]:
            yes, no = (self.program.graph.constant(a) for a in node.args[1:])
            assert yes is not None
            assert no is not None
            return f"{self._floating(args[0])} * {self._number(yes - no)} + {self._number(no)}"
        if op == "matmul":
            turned = node.value
            assert isinstance(turned, tuple)
            args = [bracketed(u) + (".T" if t else "") for u, t in zip(args, turned, strict=True)]
        if op == "sum" and node.value is None:
            op = "total"
        template = self.library.template(op)
        assert template is not None, op
        call = "(" in template and " * " not in template and not template.startswith("(")
        operands = args if call else [bracketed(u) for u in args]
        return template.format(
            *operands,
            axis=node.value,
            dtype=self.names.dtype,
            shape=self.names.shape(node.shape or SCALAR) if "{shape}" in template else "",
        )

    def _number(self, value: sympy.Expr) -> str:
        return bracketed(self.names.scalar(value))

    def _floating(self, condition: str) -> str:
        template = self.library.template("as_float")
        assert template is not None
        return template.format(condition, dtype=self.names.dtype)

    def body(self) -> list[str]:
        """The lines of all steps, each with its formula, without reading parameters and sizes."""
        for step in self.program.steps:
            before = len(self.lines)
            code = self.written.get(step.node) or self._value(step.node)
            node = self.nodes[step.node]
            if step.name == "J" and node.shape is not None:
                code = f"{bracketed(code)}[0, 0]"
            if code != step.name:
                self.lines.append(f"{step.name} = {code}")
            self.written.setdefault(step.node, step.name)
            if self.written[step.node] != step.name and not step.output and node.op not in ("input", "scalar"):
                self.written[step.node] = step.name
            comment = f"{step.name} = {self.names.comment(step.formula)}"
            if len(self.lines) > before:
                self.lines[before] = commented(self.lines[before], comment)
            else:
                self.lines.append(f"# {comment}")
        return self.lines

    def _value(self, i: int) -> str:
        node = self.nodes[i]
        return self.text(i) if node.op in ("input", "scalar") else self.expression(node)

    def returned(self) -> str:
        made = {s.symbol.name: s.name for s in self.program.steps if s.output}
        return "{" + ", ".join(f'"{name}": {made[name]}' for name in self.program.wrt) + "}"


def function(program: Program, library: Library, name: str = "loss_and_gradients") -> str:
    """The code of one function of (params, X, Y), for the array API with the namespace in front."""
    writer = Expressions(program, library)
    body = writer.body()
    head = writer.names.unpacking()
    lines = [*head, *body, f"return J, {writer.returned()}"]
    code = "\n".join(f"    {v}" for u in lines for v in u.split("\n"))
    extra = f"{library.extra_argument}, " if library.extra_argument else ""
    note = ["xp: the namespace of the arrays, as array_api_compat.array_namespace gives it."] if extra else []
    return f"def {name}({extra}{writer.names.signature}):\n{docstring(writer.program, writer.names, *note)}\n{code}\n"


def module(program: Program, library: Library, name: str = "loss_and_gradients") -> str:
    """The function with what it imports and the helpers that it calls."""
    code = function(program, library, name)
    parts = [library.header.rstrip(), helpers(code).strip() if library.extra_argument else "", code]
    return "\n\n\n".join(p for p in parts if p)

"""A program as NumPy code, for large arrays in place, for small ones in expressions.

Large arrays are overwritten by the first result that can take their room, which saves memory traffic; small ones cost
nothing but calls, and a new array is as cheap as an old one. Arrays that come in are never written to, and what is
returned is never overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import sympy

from symbackprop.algebra.formula import ONE, SCALAR
from symbackprop.numeric import expansion
from symbackprop.numeric.graph import BINARY, COMPARISON, UNARY, Node
from symbackprop.numeric.module_text import Names, bracketed, commented, docstring
from symbackprop.numeric.program import Program
from symbackprop.numeric.special_source import SPECIAL, helpers

TABLE: dict[str, expansion.Expansion] = {"sigmoid": expansion.sigmoid, "softplus": expansion.wide_softplus}
SMALL: dict[str, expansion.Expansion] = {"sigmoid": expansion.sigmoid}
LONG = 70  # characters of an expression that gets a name of its own
OPERATOR = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
COMPARED = {"greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "=="}
LOGICAL = {"logical_and": "&", "logical_or": "|"}
NEW_ONLY = frozenset(["where", "erf", "erfc", "broadcast", "max"])  # what has no out=
VIEWS = frozenset(["transpose", "input", "scalar"])


def function(program: Program, name: str = "loss_and_gradients", small: bool = False) -> str:
    """The code of one function of (params, X, Y), without imports."""
    return _Writer(expansion.expanded(program, SMALL if small else TABLE), name, small).source()


def module(program: Program, name: str = "loss_and_gradients", small: bool = False) -> str:
    """A module that needs NumPy and nothing else."""
    code = function(program, name, small)
    return f"import numpy as np\n{helpers(code)}\n\n{code}"


@dataclass
class _Writer:
    program: Program
    function_name: str
    small: bool = False
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.nodes = self.program.graph.nodes
        self.names = Names(self.program)
        self.of_node: dict[int, str] = {}
        self.ones: dict[sympy.Expr, str] = {}
        self.pending = ""
        self.written: dict[int, str] = {}

    # ---- what lives where

    @cached_property
    def outputs(self) -> set[int]:
        return {step.node for step in self.program.steps if step.output}

    def base(self, i: int) -> int:
        """The array in memory that a node is a view of."""
        while self.nodes[i].op == "transpose":
            i = self.nodes[i].args[0]
        return i

    def inline(self, i: int) -> bool:
        """Whether a node is written where it is used: views, and numbers, rows and columns that are used once."""
        node = self.nodes[i]
        if node.op in VIEWS:
            return True
        if node.op == "as_float":
            return all(self.nodes[u].op == "multiply" and not self.outputs & {u} for u in self.users[i])
        once = len(self.users[i]) == 1 and i not in self.step_name
        return once and i not in self.outputs and (self.small or node.shape is None or ONE in node.shape)

    @cached_property
    def users(self) -> dict[int, list[int]]:
        """For each node the nodes that use it; a step's own number uses it for its name."""
        found: dict[int, list[int]] = {i: [] for i in self.program.order}
        for i in self.program.order:
            for k in self.nodes[i].args:
                found[k].append(i)
        return found

    @cached_property
    def last_use(self) -> dict[int, int]:
        """The position of the last statement that reads an array, through views and inlined numbers."""
        position = {i: n for n, i in enumerate(self.program.order)}
        found: dict[int, int] = {}
        for i in reversed(self.program.order):
            at = found.get(i, position[i]) if self.inline(i) and self.users[i] else position[i]
            for k in self.nodes[i].args:
                for u in {k, self.base(k)}:
                    found[u] = max(found.get(u, -1), at)
        return found

    @cached_property
    def taken_from(self) -> dict[int, int]:
        """For each node that overwrites an argument's array: that argument. A row or a column is cheaper made anew."""
        found: dict[int, int] = {}
        for n, i in enumerate(self.program.order):
            node = self.nodes[i]
            if (
                self.small
                or self.inline(i)
                or ONE in (node.shape or (ONE,))
                or node.op not in UNARY | BINARY | {"where"}
                or node.op in ("erf", "erfc")
            ):
                continue
            for k in self._candidates(node):
                owned = self.nodes[k].op not in (*VIEWS, "broadcast", *COMPARISON) and not self.inline(k)
                alias = any(self.nodes[u].op == "transpose" and self.base(u) == k for u in node.args)
                if (
                    owned
                    and not alias
                    and self.nodes[k].shape == node.shape
                    and self.last_use[k] == n
                    and k not in self.outputs
                ):
                    found[i] = k
                    break
        return found

    def _candidates(self, node: Node) -> tuple[int, ...]:
        return node.args[2:] if node.op == "where" else node.args

    @cached_property
    def passes_to(self) -> dict[int, int]:
        return {k: i for i, k in self.taken_from.items()}

    @cached_property
    def step_name(self) -> dict[int, str]:
        found: dict[int, str] = {}
        for step in self.program.steps:
            found.setdefault(step.node, step.name)
        return found

    def name(self, i: int) -> str:
        """A node's name: that of its step, or of the step that its array ends in."""
        if i not in self.of_node:
            at = i
            while at not in self.step_name and at in self.passes_to:
                at = self.passes_to[at]
            if at not in self.step_name and at not in self.of_node:
                self.of_node[at] = self.names.temporary()
            self.of_node[i] = self.step_name[at] if at in self.step_name else self.of_node[at]
        return self.of_node[i]

    @cached_property
    def keys(self) -> dict[int, str]:
        """The gradient that a node is, by its name in ``out``."""
        found: dict[int, str] = {}
        for step in self.program.steps:
            if step.output:
                found.setdefault(step.node, step.symbol.name)
        return found

    def out(self, i: int) -> str:
        """Where a new array goes: into the caller's array where it ends as a gradient, else nowhere."""
        while i in self.passes_to:
            i = self.passes_to[i]
        return f'out.get("{self.keys[i]}")' if i in self.keys else ""

    # ---- text of a value

    def ref(self, i: int) -> str:
        """The node as an operand."""
        node = self.nodes[i]
        if node.op == "input":
            return self.names.input(str(node.value))
        if node.op == "scalar":
            return self.names.scalar(node.value)
        if node.op == "transpose":
            return f"{self._factor(node.args[0])}.T"
        if self.inline(i):
            if i not in self.written:
                self.written[i] = self._inlined(i, node)
            return self.written[i]
        return self.name(i)

    def _inlined(self, i: int, node: Node) -> str:
        """The expression, or a name for it where it is long."""
        code = bracketed(self.ref(node.args[0])) if node.op == "as_float" else self.expression(i)
        if len(code) <= LONG or node.shape is None:
            return code
        name = self.names.temporary()
        pending, self.pending = self.pending, ""
        self.line(f"{name} = {code}")
        self.pending = pending
        return name

    def _factor(self, i: int) -> str:
        return bracketed(self.ref(i))

    def expression(self, i: int, out: str = "") -> str:
        """The node as a new value; ``out`` is an array for it, or nothing."""
        node = self.nodes[i]
        args = [self.ref(k) for k in node.args]
        if node.op in OPERATOR and not out:
            return self._infix(OPERATOR[node.op], node)
        if node.op in COMPARED:
            return f"{self._factor(node.args[0])} {COMPARED[node.op]} {self._factor(node.args[1])}"
        if node.op in LOGICAL:
            left, right = (bracketed(u) for u in args)
            return f"{left} {LOGICAL[node.op]} {right}"
        if node.op == "negative" and not out:
            return f"-{self._factor(node.args[0])}"
        if node.op == "matmul":
            left, right = (
                self._factor(k) + (".T" if turned else "")
                for k, turned in zip(node.args, node.value, strict=True)  # type: ignore[call-overload]
            )
            return f"{left}.dot({right}{', ' + out if out else ''})"
        if node.op == "inner":
            return f"np.vdot({', '.join(args)})"
        if node.op == "sum":
            return self._sum(node, out)
        return self._call(node, args, out)

    def _call(self, node: Node, args: list[str], out: str) -> str:
        joined = ", ".join(args)
        if node.op == "max":
            return f"{self._factor(node.args[0])}.max(axis={node.value}, keepdims=True)"
        if node.op == "broadcast":
            return f"np.broadcast_to({joined}, {self.names.shape(node.shape or SCALAR)})"
        if node.op == "where":
            if all(self.nodes[k].shape is None for k in node.args[1:]):
                args[1:] = [f"{self.names.dtype}.type({u})" for u in args[1:]]
            return f"np.where({', '.join(args)})"
        if node.op == "as_float":
            return f"({joined}).astype({self.names.dtype})"
        if node.op == "softplus":
            return f"np.logaddexp(0.0, {joined}{', out=' + out if out else ''})"
        if node.op in SPECIAL:
            return f"{node.op}(np, {joined})"
        return f"np.{node.op}({joined}{', out=' + out if out else ''})"

    def _infix(self, operator: str, node: Node) -> str:
        left, right = node.args
        tight = operator in "*/"
        first = self._factor(left) if tight else self.ref(left)
        second = self._factor(right) if tight or operator == "-" else self.ref(right)
        return f"{first} {operator} {second}"

    def _sum(self, node: Node, out: str) -> str:
        """D 1 by one product with a column of ones, the cheapest call; along the other axis and over all by ``sum``."""
        operand = self._factor(node.args[0])
        shape = self.nodes[node.args[0]].shape
        assert shape is not None
        if node.value is None:
            return f"{operand}.dot({self._ones(shape[1])})[0, 0]" if shape[0] == ONE else f"{operand}.sum()"
        into = f", out={out}" if out else ""
        if node.value == 0:
            return f"{operand}.sum(axis=0, keepdims=True{into})"
        return f"{operand}.dot({self._ones(shape[1])}{', ' + out if out else ''})"

    def _ones(self, size: sympy.Expr) -> str:
        if size not in self.ones:
            self.ones[size] = self.names.fresh("ones" if not self.ones else f"ones_{len(self.ones) + 1}")
            pending, self.pending = self.pending, ""
            self.line(f"{self.ones[size]} = np.empty({self.names.shape((size, ONE))}, {self.names.dtype})")
            self.line(f"{self.ones[size]}.fill(1.0)")
            self.pending = pending
        return self.ones[size]

    # ---- statements

    def line(self, code: str) -> None:
        self.lines.append(commented(code, self.pending))
        self.pending = ""

    def emit(self, i: int) -> None:
        """The statements that make a node's array or number."""
        node = self.nodes[i]
        if self.inline(i):
            return
        if i in self.taken_from:
            self._in_place(i, node)
            return
        out = self.out(i)
        name = self.name(i)
        if out and node.op in (*NEW_ONLY, *COMPARISON, "as_float"):
            self.line(f"{name} = {self.expression(i)}")
            self._copy_out(i, name)
        else:
            self.line(f"{name} = {self.expression(i, out)}")

    def _copy_out(self, i: int, name: str) -> None:
        """What no call could write into the caller's array."""
        fresh = f"{name}.copy()" if self.nodes[i].op == "broadcast" else name
        self.line(f"{name} = _into({self.out(i)}, {fresh})")

    def _in_place(self, i: int, node: Node) -> None:
        k = self.taken_from[i]
        old, new = self.name(k), self.name(i)
        others = [self.ref(a) for a in node.args]
        renamed = "" if old == new else f"{new} = "
        if node.op == "where":
            condition, yes = others[:2]
            self.line(f"np.copyto({old}, {yes}, where={condition})")
            if renamed:
                self.line(f"{new} = {old}")
            return
        if node.op in OPERATOR and not renamed:
            if node.args[0] == k:
                self.line(f"{old} {OPERATOR[node.op]}= {others[1]}")
                return
            if node.op in ("add", "multiply"):
                self.line(f"{old} {OPERATOR[node.op]}= {others[0]}")
                return
        call = f"np.logaddexp(0.0, {others[0]}" if node.op == "softplus" else f"np.{node.op}({', '.join(others)}"
        self.line(f"{renamed}{call}, out={old})")

    def source(self) -> str:
        """The whole function."""
        for step, segment in zip(self.program.steps, self.program.segments, strict=True):
            self.pending = f"{step.name} = {self.names.comment(step.formula)}"
            before = len(self.lines)
            for i in segment:
                self.emit(i)
            self._close(step.node, step.name, step.output, step.symbol.name, len(self.lines) > before)
        return self._wrapped()

    def _close(self, i: int, name: str, output: bool, key: str, wrote: bool) -> None:
        """What is left of a step whose value stands elsewhere already, or is a number."""
        node = self.nodes[i]
        if name == "J":
            value = self.expression(i) if self.inline(i) and node.op not in VIEWS else self.ref(i)
            if node.shape is not None:
                value = f"{value}[0, 0]"
            if value != "J":
                self.line(f"J = {value}")
        elif output and (self.step_name.get(i) != name or node.op in VIEWS):
            self.line(f'{name} = _into(out.get("{key}"), {self._factor(i)}.copy())')
        elif not wrote and self.pending:
            self.lines.append(f"# {self.pending}")
        self.pending = ""

    def _wrapped(self) -> str:
        body = list(self.lines)
        head = self.names.unpacking()
        made = {s.symbol.name: s.name for s in self.program.steps if s.output}
        returned = ", ".join(f'"{name}": {made[name]}' for name in self.program.wrt)
        lines = [*head, *body]
        if needs_silence(self.program):
            inside = [f"    {v}" for u in lines for v in u.split("\n")]
            lines = ['with np.errstate(over="ignore"):  # e^1000 is inf, and 1 / (1 + inf) is 0', *inside]
        lines = ["out = {} if out is None else out", *lines, f"return J, {{{returned}}}"]
        code = "\n".join(f"    {v}" for u in lines for v in u.split("\n"))
        head_line = f"def {self.function_name}({self.names.signature}, out=None):"
        note = "out: arrays for the gradients, by name; without it they are new. No array that comes in is changed."
        text = f"{head_line}\n{docstring(self.program, self.names, note)}\n{code}\n"
        if "_into(" in text:
            text = f"{INTO}\n\n{text}"
        return text


def needs_silence(program: Program) -> bool:
    """Whether an exponential may overflow on the way to a value that is right: all but those of bounded arguments."""
    nodes = program.graph.nodes

    def bounded(i: int) -> bool:
        node = nodes[i]
        inner = [nodes[k] for k in node.args]
        match node.op:
            case "subtract":
                return inner[1].op == "max"
            case "minimum":
                return True
            case "negative":
                return inner[0].op in ("absolute", "square")
            case "multiply":
                signs = [v.is_negative for k in node.args if (v := program.graph.constant(k)) is not None]
                return True in signs and any(u.op in ("absolute", "square") for u in inner)
        return False

    return any(
        nodes[i].op in ("sinh", "cosh", "power") or (nodes[i].op == "exp" and not bounded(nodes[i].args[0]))
        for i in program.order
    )


INTO = '''def _into(out, array):
    """The array, written into ``out`` where there is one."""
    if out is None:
        return array
    out[...] = array
    return out
'''

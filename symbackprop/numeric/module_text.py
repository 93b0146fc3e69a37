"""What every generated function has: its names, its docstring with shapes, and formulas beside the lines."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import sympy

from symbackprop.algebra.formula import Formula, Shape, Symbol
from symbackprop.algebra.sympy_border import to_sympy
from symbackprop.numeric.program import WEIGHT, Program, weight_symbol
from symbackprop.numeric.scalar_text import identifier, text

COLUMN = 52
LONGEST = 150  # of a formula beside a line
RESERVED = (
    *(
        "params",
        "out",
        "np",
        "xp",
        "lib",
        "math",
        "J",
        "erf",
        "erfc",
        "_into",
        "loss_and_gradients",
        WEIGHT,
        "jax",
        "jnp",
        "torch",
    ),
    *("abs", "max", "min", "sum", "range", "type"),
)


def commented(code: str, comment: str) -> str:
    """A line of code with the formula beside it; a long formula stands above."""
    if not comment:
        return code
    if len(code) + len(comment) > LONGEST:
        return f"# {comment}\n{code}"
    return f"{code:<{COLUMN}}  # {comment}"


def bracketed(code: str) -> str:
    """An operand, in brackets where an operator stands in it outside of all brackets."""
    depth = 0
    for character in code:
        depth += (character in "([") - (character in ")]")
        if character == " " and depth == 0:
            return f"({code})"
    return f"({code})" if code.startswith("-") else code


@lru_cache(maxsize=8192)
def _printed(formula: Formula) -> str:
    return " ".join(str(to_sympy(formula)).split())


class Names:
    """The names in one generated function."""

    def __init__(self, program: Program, reserved: Iterable[str] = ()) -> None:
        self.program = program
        model = program.derived.model
        self._arrays: list[Symbol] = [*program.parameters, model.x, model.y]
        if program.weighted:
            self._arrays.append(weight_symbol(program.derived))
        self.taken = {*RESERVED, *reserved, *(a.name for a in self._arrays), *(s.name for s in program.steps)}
        self._scalars: dict[str, str] = {}
        self._count = 0
        self.rates = [self._scalar(sympy.Symbol(name)) for name in program.rates]
        self.used_sizes: set[sympy.Symbol] = set()

    @property
    def x(self) -> str:
        return self.program.derived.model.x.name

    @property
    def y(self) -> str:
        return self.program.derived.model.y.name

    @property
    def dtype(self) -> str:
        return f"{self.x}.dtype"

    def input(self, name: str) -> str:
        return name

    def _scalar(self, symbol: sympy.Symbol) -> str:
        if symbol.name not in self._scalars:
            self._scalars[symbol.name] = self.fresh(symbol.name)
        return self._scalars[symbol.name]

    def scalar(self, value: object) -> str:
        assert isinstance(value, sympy.Expr)
        self.used_sizes |= value.free_symbols & set(self.program.sizes)
        return text(value, self._scalar)

    def size(self, value: sympy.Expr) -> str:
        """A size as a whole number."""
        if value.is_Integer:
            return str(value)
        self.used_sizes.add(value)
        return self._scalar(value)

    def shape(self, shape: Shape) -> str:
        return f"({', '.join(map(self.size, shape))})"

    def fresh(self, name: str) -> str:
        found = identifier(name, self.taken)
        self.taken.add(found)
        return found

    def temporary(self) -> str:
        self._count += 1
        return self.fresh(f"t{self._count}")

    def comment(self, formula: Formula) -> str:
        """The formula as it prints everywhere else."""
        return _printed(formula)

    @property
    def signature(self) -> str:
        weight = [WEIGHT] if self.program.weighted else []
        return ", ".join(["params", self.x, self.y, *weight, *self.rates])

    def unpacking(self, given: Iterable[str] = ()) -> list[str]:
        """The lines that take parameters out of ``params`` and sizes out of shapes."""
        lines = []
        for block in self.program.derived.model.blocks:
            names = [p.name for p in (*block.weights, *block.biases) if p.name in self.program.used]
            if names:
                lines.append(f"{', '.join(names)} = {', '.join(f'params[{n!r}]' for n in names)}".replace("'", '"'))
        return lines + self.sizes_read()

    def sizes_read(self) -> list[str]:
        found = []
        for size in self.program.sizes:
            if size in self.used_sizes:
                array, axis = self.whereabouts(size)
                found.append(f"{self._scalar(size)} = {array}.shape[{axis}]")
        return found

    def whereabouts(self, size: sympy.Symbol) -> tuple[str, int]:
        """An input that has the size, and along which axis."""
        data = [a for a in self._arrays if a.name in (self.x, self.y)]
        for array in (*data, *self._arrays):
            if size in array.shape and (array.name in self.program.used or array in data):
                return array.name, array.shape.index(size)
        raise KeyError(size)


def docstring(program: Program, names: Names, *more: str) -> str:
    """What the function computes, with the shape of everything that goes in and comes out."""
    model = program.derived.model
    layers = " -> ".join(f"{layer.activation.name} ({layer.size})" for layer in model.layers)
    mean = "" if model.frame.samples is None else f", mean over {model.frame.samples} samples"
    arrays = [*program.parameters, model.x, model.y]
    if program.weighted:
        arrays.append(weight_symbol(program.derived))
    shown = {a.name: f"({', '.join(map(str, a.shape))})" for a in arrays}
    inside = [f"{p.name} {shown[p.name]}" for p in program.parameters]
    outside = [f"{a.name} {shown[a.name]}" for a in arrays if a not in program.parameters]
    lines = [
        f"{model.loss.name} of the network {model.sizes[0]} -> {layers}{mean}, and its gradients.",
        "",
        *_wrapped("params: ", inside),
        *_wrapped("arrays: ", [*outside, *names.rates]),
        *_wrapped("returns: J and the gradients by ", list(program.wrt), " in a dict, each in the shape of its array"),
        *more,
    ]
    body = "\n".join(f"    {line}".rstrip() for line in lines)
    return f'    """{body.strip()}\n    """'


def _wrapped(head: str, items: list[str], tail: str = "") -> list[str]:
    lines, current = [], head
    for n, item in enumerate(items):
        item += "," if n < len(items) - 1 else ""
        if len(current) + len(item) > 108:
            lines.append(current.rstrip())
            current = "    "
        current += item + " "
    return [*lines, current.rstrip() + tail]

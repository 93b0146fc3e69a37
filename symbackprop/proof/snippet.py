"""A counterexample as a NumPy script that anybody can run."""

from __future__ import annotations

import sympy
from sympy.printing.numpy import NumPyPrinter

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Symbol
from symbackprop.algebra.sympy_border import to_sympy
from symbackprop.algebra.sympy_text import call_name
from symbackprop.proof.evaluate import stand_in
from symbackprop.proof.points import Point

_C = """def C(a, y):  # nothing is known of C: this stands for it
    k = numpy.arange(1, a.shape[AXIS] + 1).reshape(SHAPE)
    inner = numpy.sum(a * y, axis=AXIS, keepdims=True)
    return numpy.sum(a**3 / 3 - k * a * y, axis=AXIS, keepdims=True) + inner**2 / 2


def grad_C(a, y):
    k = numpy.arange(1, a.shape[AXIS] + 1).reshape(SHAPE)
    return a**2 - k * y + numpy.sum(a * y, axis=AXIS, keepdims=True) * y
"""


def code(node: Formula) -> str:
    """A formula as NumPy."""
    return str(NumPyPrinter({"fully_qualified_modules": True, "allow_unknown_functions": True}).doprint(to_sympy(node)))


def snippet(point: Point, claim: Formula, target: Formula, wrt: Symbol | None, entry: tuple[int, ...]) -> str:
    """The point, the forward pass, the claim and what it should be, at an entry that counts from 1.

    For a gradient the true value is a difference quotient of J; else it is the other side's.
    """
    setting = point.setting
    lines = ["import math", "", "import numpy", ""]
    used = [u for node in (claim, target, *setting.definitions.values()) for u in f.walk(node)]
    unknown = {(u.function.name, u.order) for u in used if isinstance(u, f.Map) and u.function.definition is None}
    for name, order in sorted(unknown):
        lines += ["", *_unknown(name, order), ""]
    if any(isinstance(u, f.OpaqueLoss) for u in used):
        shape = "(-1, 1)" if setting.units == 0 else "(1, -1)"
        lines += ["", *_C.replace("AXIS", str(setting.units)).replace("SHAPE", shape).splitlines(), ""]
    names = _code_names(setting.sizes | setting.scalars)
    lines += [f"{names[name]} = {number}" for name, number in {**point.sizes, **point.rates}.items()]
    for symbol, rows in point.arrays.items():
        shown = ", ".join("[" + ", ".join(map(str, row)) + "]" for row in rows)
        lines.append(f"{symbol.name} = numpy.array([{shown}], dtype=float)")
    lines.append("")
    forward = [f"{s.name} = {code(definition)}" for s, definition in setting.forward.items()]
    errors = [f"{s.name} = {code(d)}" for s, d in setting.definitions.items() if s in setting.error_of]
    at = f"[{', '.join(str(k - 1) for k in entry)}]" if entry else ""
    if wrt is not None and wrt in setting.free and setting.cost is not None:
        inputs = ", ".join(s.name for s in setting.free)
        lines += ["", f"def cost({inputs}):", *(f"    {line}" for line in forward), "    return numpy.sum(J)", "", ""]
        lines += [*forward, *errors, f"claimed = {code(claim)}", f"step = numpy.zeros({wrt.name}.shape)"]
        lines.append(f"step[{', '.join(str(k - 1) for k in entry) if entry else '0, 0'}] = 1e-6")
        moved = {
            sign: ", ".join(f"{s.name} {sign} step" if s == wrt else s.name for s in setting.free) for sign in "+-"
        }
        lines.append(f"true = (cost({moved['+']}) - cost({moved['-']})) / 2e-6")
        lines.append(f'print("claimed", (claimed + 0 * {wrt.name}){at or "[0, 0]"}, "true", true)')
    else:
        lines += [*forward, *errors, f"claimed = numpy.atleast_2d({code(claim)})"]
        lines.append(f"true = numpy.atleast_2d({code(target)})")
        lines.append(f'print("claimed", claimed{at or "[0, 0]"}, "true", true{at or "[0, 0]"})')
    return "\n".join(lines) + "\n"


def _unknown(name: str, order: int) -> list[str]:
    """What stands for a function of which nothing is known, or for its derivative."""
    body = stand_in(name).derivative(order) if order else stand_in(name).definition
    assert body is not None
    z = sympy.Symbol("z")
    shown = NumPyPrinter({"fully_qualified_modules": True}).doprint(body.xreplace({f.Function.argument: z}))
    return [
        f"def {call_name(name, order)}(z):  # nothing is known of {name}: this stands for it",
        f"    return {shown}",
    ]


def _code_names(names: frozenset[str]) -> dict[str, str]:
    printer = NumPyPrinter()
    return {name: str(printer.doprint(sympy.Symbol(name))) for name in names}

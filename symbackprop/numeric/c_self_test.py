"""The self-test of a C file: derivatives along random directions against central differences, array by array."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symbackprop.numeric.module_text import Names
from symbackprop.numeric.program import Program
from symbackprop.numeric.self_test import example_sizes, target_kind

TEMPLATE = """
#ifdef SYMBACKPROP_SELF_TEST
/* Compares each gradient with central differences along a random direction; exit status 0 if they agree. */
#include <stdio.h>

static double drawn(void)
{{
    static unsigned long long state = 88172645463325252ULL; /* xorshift, so that every machine draws the same */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0 * 2 - 1;
}}

int main(void)
{{
    enum {{ {sizes} }};
    {arrays}
    real cost, above, below;
    int wrong = 0;
    const double step = sizeof(real) == 4 ? 1e-2 : 1e-5, enough = sizeof(real) == 4 ? 3e-2 : 1e-6;
{draws}
{target}
    if ({call_first})
        return 2;
{checks}
    return wrong;
}}
#endif
"""
CHECK = """    {{
        real kept[{count}], direction[{count}];
        double along = 0, size = 0;
        for (int i = 0; i < {count}; i++) {{
            kept[i] = {name}[i];
            direction[i] = (real)drawn();
            along += {gradient}[i] * direction[i];
            size += fabs({gradient}[i] * direction[i]);
        }}
        for (int i = 0; i < {count}; i++)
            {name}[i] = (real)(kept[i] + step * direction[i]);
        wrong |= {above};
        for (int i = 0; i < {count}; i++)
            {name}[i] = (real)(kept[i] - step * direction[i]);
        wrong |= {below};
        for (int i = 0; i < {count}; i++)
            {name}[i] = kept[i];
        const double found = (above - below) / (2 * step), error = fabs(found - along);
        const int fails = !(error <= enough * (size + fabs(cost) + 1e-3));
        printf("%-4s derivative %+.9f, by differences %+.9f: %s\\n", "{name}", along, found,
               fails ? "WRONG" : "agrees");
        wrong |= fails;
    }}"""


def self_test(program: Program, names: Names, sizes: Mapping[sympy.Symbol, str], stem: str) -> str:
    """A main that draws numbers, calls the function and compares."""
    model = program.derived.model
    numbers = example_sizes(program)

    def count(shape: tuple[sympy.Expr, ...]) -> int:
        return int(sympy.prod([u.subs(numbers) for u in shape]))

    inputs = [*program.parameters, model.x, model.y]
    gradients = {s.symbol.name: s.name for s in program.steps if s.output}
    arrays = [f"static real {a.name}[{count(a.shape)}];" for a in inputs]
    spare = {name: f"spare_{name}" for name in program.wrt}
    shape_of = {a.name: a.shape for a in inputs}
    for name in program.wrt:
        arrays += [f"static real {gradients[name]}[{count(shape_of[name])}], {spare[name]}[{count(shape_of[name])}];"]
    rates = ["(real)0.1"] * len(names.rates)

    def call(cost: str, to: Mapping[str, str]) -> str:
        given = [*sizes.values(), *(a.name for a in inputs), *rates, f"&{cost}", *(to[n] for n in program.wrt)]
        return f"{stem}({', '.join(given)})"

    draws = "\n".join(
        f"    for (int i = 0; i < {count(a.shape)}; i++)\n        {a.name}[i] = (real)drawn();" for a in inputs
    )
    checks = "\n".join(
        CHECK.format(
            name=name,
            count=count(shape_of[name]),
            gradient=gradients[name],
            above=call("above", spare),
            below=call("below", spare),
        )
        for name in program.wrt
    )
    held = ", ".join(f"{name} = {numbers[s]}" for s, name in sizes.items()) or "NONE = 0"
    return TEMPLATE.format(
        sizes=held,
        arrays="\n    ".join(arrays),
        draws=draws,
        target=_target(program, model.y.name, [int(u.subs(numbers)) for u in model.y.shape]),
        call_first=call("cost", gradients),
        checks=checks,
    )


def _target(program: Program, y: str, shape: list[int]) -> str:
    """Targets of the kind that the loss takes: signs, one of several classes, or between 0 and 1."""
    rows, columns = shape
    kind, axis = target_kind(program), program.derived.model.frame.unit_axis
    if kind == "signs":
        return f"    for (int i = 0; i < {rows * columns}; i++)\n        {y}[i] = {y}[i] > 0 ? 1 : -1;"
    if kind == "classes":
        units, samples = (rows, columns) if axis == 0 else (columns, rows)
        at = f"u * {columns} + s" if axis == 0 else f"s * {columns} + u"
        return (
            f"    for (int s = 0; s < {samples}; s++)\n        for (int u = 0; u < {units}; u++)\n"
            f"            {y}[{at}] = u == s % {units} ? 1 : 0;"
        )
    if kind == "fractions":
        return f"    for (int i = 0; i < {rows * columns}; i++)\n        {y}[i] = (real)(0.5 + 0.4 * {y}[i]);"
    return ""

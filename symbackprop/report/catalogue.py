"""The catalogue: every activation and every loss of the tables with what is derived for it, as Markdown for the README.

Run ``python -m symbackprop.report.catalogue README.md`` to write it between the two marks of a file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Symbol
from symbackprop.calculus.closed_form import close_terms
from symbackprop.calculus.derive import derive
from symbackprop.errors import NetworkError
from symbackprop.model.activations import ACTIVATIONS, Activation
from symbackprop.model.build import Dense, build
from symbackprop.model.losses import LOSSES, Loss
from symbackprop.notation.latex import LatexWriter
from symbackprop.notation.notation import name_latex
from symbackprop.notation.scalar_reader import read_scalar

BEGIN, END = "<!-- catalogue: begin -->", "<!-- catalogue: end -->"

# Which output activation a loss is meant for: its closed form stands in the table.
PARTNER = {
    "binary_cross_entropy": "sigmoid",
    "cross_entropy": "softmax",
    "kl_divergence": "softmax",
    "negative_log_likelihood": "log_softmax",
    "log_likelihood": "sigmoid",
    "generic": "generic",
}

_z = Symbol("z")


def catalogue() -> str:
    """Two tables: activations with their derivatives, losses with the error of the last layer."""
    w = LatexWriter()
    rows = [
        "| activation | a = f(z) | f'(z), in a where it has that form | at its kinks |",
        "|---|---|---|---|",
        *(_activation_row(entry, w) for entry in ACTIVATIONS.values()),
        "",
        "| loss | of one sample | with | the error of the last layer |",
        "|---|---|---|---|",
        *(_loss_row(entry) for entry in LOSSES.values()),
    ]
    return "\n".join(rows) + "\n"


def _cell(latex: str) -> str:
    return "$" + latex.replace(r"\left|", r"\lvert ").replace(r"\right|", r"\rvert ").replace("|", r"\vert ") + "$"


def _activation_row(entry: Activation, w: LatexWriter) -> str:
    if entry.over_units or entry.definition is None:
        return f"| `{entry.name}` | {_cell(entry.latex + '(z)')} | {_jacobian(entry)} | |"
    scalars = {name_latex(name): f.Scalar(name) for name, _ in entry.constants}
    definition = w(read_scalar(entry.written, {"z": _z, **scalars}))
    kinks = ", ".join(f"${sympy.latex(k.at)}$: ${_short(k.rate)}$" for k in entry.kink_list)
    return f"| `{entry.name}` | {_cell(definition)} | {_cell(_rate(entry, w))} | {kinks} |"


def _short(value: sympy.Expr) -> str:
    return str(value.evalf(5)) + r"\ldots" if value.is_Rational and value.q > 1000 else str(sympy.latex(value))


def _jacobian(entry: Activation) -> str:
    """The entries of the Jacobian, from the reason of the step through the activation."""
    if not entry.over_units:
        return _cell(entry.latex + "'(z)")
    model = build([Dense("n", entry)], inputs="p", loss="generic")
    (step,) = [s for s in derive(model).steps if s.wrt in model.errors]
    assert step.why is not None
    bare: dict[f.Formula, f.Formula] = {u: Symbol(u.letter, u.shape) for u in model.symbols.values()}
    sides = (f.substitute(side, bare) for side in step.why.equations[1].sides)
    return _cell(LatexWriter().equation(f.Equation(tuple(sides))))


def _rate(entry: Activation, w: LatexWriter) -> str:
    if entry.rate is not None:
        return w(close_terms(entry.rate))
    derivative = entry.function.derivative()
    assert derivative is not None
    long = {
        number: sympy.Symbol(f"{number.evalf(5)}\\ldots")
        for number in derivative.atoms(sympy.Rational)
        if number.q > 1000
    }
    return str(sympy.latex(derivative.xreplace(long)))


def _loss_row(entry: Loss) -> str:
    partner = PARTNER.get(entry.name, "identity")
    model = build([Dense("n", partner)], inputs="p", loss=entry)
    backward = derive(model)
    (error,) = backward.errors.values()
    bare: dict[f.Formula, f.Formula] = {u: Symbol(u.letter, u.shape) for u in model.symbols.values()}
    w = LatexWriter()
    cost = model.assignments[-1].formula
    used = {a.text for step in backward.steps for a in step.assumptions}
    note = " (targets sum to 1)" if used else ""
    printed = w(f.substitute(error, bare))
    return f"| `{entry.name}` | {_cell(w(f.substitute(cost, bare)))} | `{partner}` | {_cell(printed)}{note} |"


def replace_between_marks(text: str) -> str:
    """A text with the catalogue between its two marks made anew; raises NetworkError where the marks are missing."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise NetworkError(f"the file needs one line {BEGIN} and one line {END}")
    head, rest = text.split(BEGIN)
    return f"{head}{BEGIN}\n\n{catalogue()}\n{END}{rest.split(END)[1]}"


def main(path: str) -> None:
    file = Path(path)
    file.write_text(replace_between_marks(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])

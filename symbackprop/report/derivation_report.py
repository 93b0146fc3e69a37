"""The report of a derivation: network, shapes, forward pass, backward pass, the generic layer, closed forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Equation, Formula, Symbol
from symbackprop.algebra.functions import is_indicator
from symbackprop.algebra.index import Fresh
from symbackprop.algebra.sympy_border import from_sympy
from symbackprop.calculus.closed_form import rate
from symbackprop.calculus.generic import generic_applies, size_letter
from symbackprop.calculus.steps import Step
from symbackprop.calculus.tidy import tidy
from symbackprop.errors import Unsupported
from symbackprop.model.activations import ACTIVATIONS, Activation, claimed_rate
from symbackprop.model.model import Model
from symbackprop.notation.latex import LatexWriter, aligned, broken, tex_width
from symbackprop.notation.notation import name_latex
from symbackprop.notation.scalar_reader import read_scalar
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Verdict
from symbackprop.report.document import (
    Block,
    Boxed,
    Bullets,
    Display,
    Document,
    Inline,
    Math,
    NumberedStep,
    Paragraph,
    Section,
    Table,
    few,
)
from symbackprop.report.notes_report import notes_blocks
from symbackprop.report.numerator_report import numerator_blocks
from symbackprop.report.results_report import results_blocks
from symbackprop.report.subject import Subject

WIDE = 40  # letters of a closed form that is read at a glance
GENERIC_FROM = 3  # layers from which the step through layer l is worth a section of its own


def derivation_document(subject: Subject, tick: Callable[[int, int], None] | None = None) -> Document:
    """The whole report as a document; ``tick(done, of)`` is told how far it is, in steps."""
    blocks = [
        *_network(subject),
        *_shapes(subject),
        *_forward(subject),
        *_backward(subject, tick),
        *_generic(subject),
        *_closed_forms(subject),
        *_what_is_proved(subject),
        *numerator_blocks(subject),
        *notes_blocks(subject),
        *results_blocks(subject),
    ]
    return Document(_title(subject), _subtitle(subject.derived.model), tuple(blocks))


def words(name: str) -> str:
    return name.replace("cross_entropy", "cross-entropy").replace("_", " ")


def _title(subject: Subject) -> str:
    if subject.title:
        return subject.title
    model = subject.derived.model
    output, loss = model.layers[-1].activation, model.loss
    first = "any activation" if output.name == "generic" else words(output.name)
    return f"Backpropagation: {first} with {'any cost' if loss.term is None else words(loss.name)}"


def _subtitle(model: Model) -> str:
    count = len(model.layers)
    layers = "one layer" if count == 1 else f"{count} layers"
    data = (
        "one example"
        if model.frame.samples is None
        else "a batch, one sample a " + ("row" if model.frame.rows else "column")
    )
    return f"{layers}; {data}; every gradient by the chain rule, one named rule a step"


# The network


def _network(subject: Subject) -> Iterator[Block]:
    model, w = subject.derived.model, subject.writer
    yield Section("The network and its notation")
    chain = [w.size(size) for size in model.sizes]
    shown = chain if len(chain) <= 8 else [*chain[:3], r"\ldots", chain[-1]]
    yield Paragraph(
        (
            "Units, from the input to the output: ",
            Math(r" \to ".join(shown)),
            ". Layer ",
            Math("l"),
            " takes the activation of the layer below, forms the pre-activation, and applies its activation function. ",
            *_what_j_is(model, w),
        )
    )
    yield Bullets(tuple(_conventions(subject)))
    functions = [a for a in _activations(model) if a.definition is not None or a.over_units]
    opaque = any(a.definition is None and not a.over_units for a in _activations(model))
    for activation in functions:
        yield from _activation(activation, subject)
    if opaque:
        sigma = w(f.Map(ACTIVATIONS["generic"].function, Symbol("z"))).partition("(")[0]
        yield Paragraph(
            ("The activation ", Math(sigma), " is any differentiable function, ", Math(sigma + "'"), " its derivative.")
        )


def _what_j_is(model: Model, w: LatexWriter) -> Inline:
    cost = Math(w(model.cost))
    loss = "the loss C" if model.loss.term is None else f"the {words(model.loss.name)} loss, summed over the outputs"
    penalty = "" if model.l1 is None and model.l2 is None else ", plus a penalty on the weights, not on the biases"
    if model.frame.samples is None:
        return ("The cost ", cost, f" is {loss}{penalty}.")
    return (
        "The cost ",
        cost,
        " is the mean over the ",
        Math(w.size(model.frame.samples)),
        f" samples of {loss}{penalty}.",
    )


def _conventions(subject: Subject) -> Iterator[Inline]:
    model, w = subject.derived.model, subject.writer
    z = model.blocks[-1].errors[0][0]
    delta = model.errors[z]
    yield (
        "The error of layer ",
        Math("l"),
        " is ",
        Math(w.equation(Equation((_at_l(delta), f.Derivative(model.cost, _at_l(z)))))),
        ". A gradient has the shape of what it is the gradient of.",
    )
    if not subject.derived.scalar:
        yield (
            Math(r"\odot"),
            ", fractions, powers and functions of arrays go entry by entry, juxtaposition is the matrix product, ",
            Math(r"\mathbf{1}"),
            " is a column of ones.",
        )
    if any(isinstance(u, f.Map) and is_indicator(u.function) for s in subject.derived.steps for u in f.walk(s.result)):
        yield (
            Math(r"\mathbf{1}[\cdot]"),
            " is 1 where the condition in it holds, entry by entry, and 0 elsewhere.",
        )
    if model.loss.term is None:
        gradient = r"\nabla_{" + w(model.prediction) + "} C"
        where = "" if model.frame.samples is None else f", one sample a {'row' if model.frame.rows else 'column'}"
        yield (
            Math("C"),
            " is the loss of one sample, any differentiable function; ",
            Math(gradient),
            f" is its gradient{where}.",
        )
    for assumption in subject.derived.assumptions:
        formula: Inline = (": ", Math(w.equation(assumption.equation))) if assumption.equation else ()
        yield ("Assumed: ", assumption.text, *formula, ".")


def _at_l(symbol: Symbol) -> Symbol:
    return Symbol(symbol.letter, symbol.shape, sympy.Symbol("l"))


def _activations(model: Model) -> list[Activation]:
    return list(dict.fromkeys(layer.activation for layer in model.layers))


def _activation(activation: Activation, subject: Subject) -> Iterator[Block]:
    """A function's definition, its derivative, and what is taken at its kinks."""
    w = subject.writer
    if activation.definition == f.Function.argument:
        return
    z, a = Symbol("z"), Symbol("a")
    if activation.over_units:
        fresh = Fresh(subject.derived.model.taken.__contains__)
        i, k = str(fresh()), str(fresh())
        fraction = rf"\frac{{e^{{{w.symbol(z, index=i)}}}}}{{\sum_{{{k}}} e^{{{w.symbol(z, index=k)}}}}}"
        log = rf"\log {fraction}" if activation.name == "log_softmax" else fraction
        yield Display(rf"{activation.latex}({w(z)})_{{{i}}} = {log} \quad\text{{for each sample}}")
        return
    applied, derived = f.Map(activation.function, z), f.Map(activation.function, z, 1)
    line = f"{w(applied)} = {_definition(activation, w)}"
    for name, value in activation.constants:
        if value is not None:
            line += rf",\ {name_latex(name)} = {_decimal(value)}"
    claimed = claimed_rate(activation.function)
    if claimed is not None:
        rate_line = w.equation(Equation((derived, claimed)))
        if f.depends_on(claimed, a):
            rate_line += rf" \text{{ with }} {w(a)} = {w(applied)}"
    else:
        rate_line = f"{w(derived)} = {_derivative(activation, w)}"
    if tex_width(line) + tex_width(rate_line) < 56 and r"\begin" not in rate_line:
        yield Display(rf"{line}, \qquad {rate_line}")
    else:
        yield Display(line)
        left, _, right = rate_line.partition(" = ")
        lines = broken(right, 44)
        yield Display(aligned([f"{left} &= {lines[0]}", *(rf"&\quad {{}}{more}" for more in lines[1:])]))
    for kink in activation.kink_list:
        at = w(f.Map(activation.function, from_sympy(kink.at), 1))
        value = _decimal(kink.rate) if kink.rate.is_Rational and kink.rate.q > 1000 else sympy.latex(kink.rate)
        yield Paragraph(
            (f"At a kink of {words(activation.name)} the derivative is taken as ", Math(f"{at} = {value}"), ".")
        )


def _decimal(value: sympy.Rational) -> str:
    """A constant to five digits, dots where there are more."""
    short = sympy.Rational(str(value.evalf(5)))
    return str(value.evalf(5)) + ("" if short == value else r"\ldots")


def _definition(activation: Activation, w: LatexWriter) -> str:
    """The definition as it was written, or else as SymPy prints it."""
    if not activation.written:
        return _printed(activation.function.definition, w)
    symbols = {"z": Symbol("z"), **{name_latex(name): f.Scalar(name) for name, _ in activation.constants}}
    return w(read_scalar(activation.written, symbols))


def _derivative(activation: Activation, w: LatexWriter) -> str:
    try:
        derived = rate(activation.function, Symbol("z"))
    except Unsupported:
        derived = None
    return w(tidy(derived)) if derived is not None else _printed(activation.function.derivative(), w)


def _printed(expr: sympy.Expr, w: LatexWriter) -> str:
    """A scalar expression in z as SymPy prints it, in the letter of this notation; decimals for long fractions."""
    letter = w(Symbol("z"))
    long = {
        number: sympy.Symbol(f"{number.evalf(5)}\\ldots") for number in expr.atoms(sympy.Rational) if number.q > 1000
    }
    return str(sympy.latex(expr.xreplace(long), symbol_names={f.Function.argument: letter}))


# Shapes


def _shapes(subject: Subject) -> Iterator[Block]:
    model, w = subject.derived.model, subject.writer
    yield Section("Shapes and parameters")
    rows = [_row(w, model.x, "input"), _row(w, model.y, "target")]
    numbered = list(enumerate(model.blocks, start=1))
    shown = numbered if len(numbered) <= 6 else [*numbered[:2], *numbered[-1:]]
    for number, block in shown:
        if len(numbered) > 6 and number == len(numbered):
            rows.append(((Math(r"\vdots"),), (Math(r"\vdots"),), ("",)))
        layer = w.notation.number(block.weights[0].layer)
        rows += [_row(w, p, f"weights of layer {layer}") for p in block.weights]
        rows += [_row(w, p, f"bias of layer {layer}") for p in block.biases]
        z, delta = block.errors[0]
        rows.append(_row(w, (z, block.output, delta), f"pre-activation, activation and error of layer {layer}"))
    yield Table(("symbol", "shape", "what it is"), tuple(rows))


def _row(w: LatexWriter, symbols: Symbol | tuple[Symbol, ...], text: str) -> tuple[Inline, ...]:
    group = symbols if isinstance(symbols, tuple) else (symbols,)
    return ((Math(",\\ ".join(map(w, group))),), (Math(w.shape(group[0])),), (text,))


# Forward and backward


def _forward(subject: Subject) -> Iterator[Block]:
    model, w = subject.derived.model, subject.writer
    yield Section("Forward pass")
    pairs = [(w(a.symbol), w(a.formula)) for a in model.assignments]
    shown = pairs if len(pairs) <= 25 else [*pairs[:4], (r"\vdots", ""), *pairs[-3:]]
    lines = []
    for left, right in shown:
        first, *further = broken(right, 64)
        lines.append(rf"{left} &= {first}" if right else rf"&\ \,{left}")
        lines += [rf"&\quad {{}}{line}" for line in further]
    yield Display(aligned(lines))


def _backward(subject: Subject, tick: Callable[[int, int], None] | None) -> Iterator[Block]:
    yield Section("Backward pass")
    yield Paragraph(
        (
            "From the cost back to the input. Each step applies one rule to one forward equation; ",
            Math(r"\bar u"),
            " in the statement of a rule is the derivative of the cost by ",
            Math("u"),
            ".",
        )
    )
    for step in subject.derived.steps:
        if tick is not None:
            tick(step.number, len(subject.derived.steps))
        yield _step(step, subject.proofs[step.number - 1], subject.writer, str(step.number))


def _step(step: Step, verdict: Verdict, w: LatexWriter, label: str, prefix: str = "") -> NumberedStep:
    why = tuple(w.chain(equation) for equation in step.why.equations) if step.why else ()
    return NumberedStep(
        label,
        step.rule.name,
        w.chain(step.equation),
        _reason(step, w, prefix),
        why,
        _summary(step, w),
        _proved(verdict),
    )


def _proved(verdict: Verdict) -> str:
    """What is known of a step, in a few words."""
    if verdict.status is not Status.PROVED:
        return f"not proved: {verdict.message}"
    return f"proved for {verdict.scope}"


def _summary(step: Step, w: LatexWriter) -> Inline:
    """Which sums collapse, and where the sum over the samples goes."""
    if step.why is None:
        return ()
    parts: list[str | Math] = []
    if step.why.collapsed:
        several = "s" if len(step.why.collapsed) > 1 else ""
        parts.append(f"Kronecker's delta leaves one term of the sum{several} over ")
        for position, index in enumerate(step.why.collapsed):
            parts += [" and " if position else "", Math(w.size(index))]
        parts.append(". ")
    if step.why.over_samples is True:
        parts.append("The sum over the samples stays: every sample uses the same parameter.")
    if step.why.over_samples is False:
        parts.append("Nothing is summed over the samples: each is by itself.")
    return tuple(parts)


def _reason(step: Step, w: LatexWriter, prefix: str = "") -> Inline:
    """What the step applies to what, what it rests on, and the shape of what comes out."""
    parts: list[str | Math] = []
    if step.through is not None:
        forward = w.equation(Equation((step.through.symbol, step.through.formula)))
        if tex_width(forward) < 60:
            parts += ["Differentiates ", Math(forward)]
        else:
            parts += ["Differentiates the equation of ", Math(w(step.through.symbol))]
        parts.append(" by ")
        parts.append(Math(w(step.wrt)))
    else:
        parts += ["Adds what flows back to ", Math(w(step.wrt)), " through every equation that uses it"]
    if step.rule.identity and not step.rule.name.startswith("derivative of"):
        parts += ["; ", Math(step.rule.identity)]
    if step.premises:
        plural = "s" if len(step.premises) > 1 else ""
        parts.append(f". Rests on step{plural} " + " and ".join(prefix + str(p) for p in step.premises))
    for assumption in step.assumptions:
        parts += [f". The last line holds since {assumption.text}"]
    parts += [". Shape ", Math(w.shape(step.wrt)), "."]
    return tuple(parts)


def _generic(subject: Subject) -> Iterator[Block]:
    """The step from layer l + 1 to layer l, once for every l, and the induction in words."""
    if len(subject.derived.model.layers) < GENERIC_FROM or not generic_applies(subject.derived.model):
        return
    w = subject.writer
    steps = subject.derived.generic_layer
    yield Section("Every layer at once")
    opaque = any(isinstance(u, f.Map) and u.function.definition is None for s in steps for u in f.walk(s.result))
    if opaque and all(layer.activation.definition is not None for layer in subject.derived.model.layers[:-1]):
        sigma = w.notation.letter("function", False)
        yield Paragraph(("The hidden layers differ in their activations: ", Math(sigma), " stands for any of them."))
    last = w.notation.number(subject.derived.model.blocks[-1].weights[0].layer)
    first = w.notation.number(subject.derived.model.blocks[0].weights[0].layer)
    yield Paragraph(
        (
            "The same rules, applied once to a layer with a symbolic number ",
            Math("l"),
            ". The only thing that is used of the layers above is that ",
            Math(w(_delta_above(steps))),
            " is the derivative of the cost by the pre-activation of layer ",
            Math("l+1"),
            ". Layer ",
            Math("l"),
            " has ",
            Math(f"{size_letter(subject.derived.model)}_l"),
            " units, and the activation of layer 0 is the input" if w.notation.first == 1 else " units",
            ".",
        )
    )
    model = subject.derived.model
    if model.l1 is not None or model.l2 is not None:
        yield Paragraph((Math("R"), " is the share of layer ", Math("l"), " in the penalty, a term of the cost."))
    if len({layer.bias for layer in model.layers}) == 2:
        yield Paragraph(("What concerns the bias holds for the layers that have one.",))
    for step, verdict in zip(steps, subject.proofs.generic, strict=True):
        yield _step(step, verdict, w, f"l.{step.number}", "l.")
    yield Paragraph(
        (
            f"By induction this holds at every depth: for the last layer, {last}, the error was derived from the loss "
            "above; and if the error of layer ",
            Math("l+1"),
            " is right, the steps show that the error of layer ",
            Math("l"),
            " is right, and with it the gradients of layer ",
            Math("l"),
            f"; so they hold for every layer down to layer {first}.",
        )
    )


def _delta_above(steps: tuple[Step, ...]) -> Formula:
    """The error of layer l + 1: the first array named delta in the first chain."""
    found = (
        u for s in steps for u in f.walk(s.equation.right) if isinstance(u, Symbol) and u.letter.lower() == "delta"
    )
    return next(found)


# Closed forms


def _closed_forms(subject: Subject) -> Iterator[Block]:
    w, model = subject.writer, subject.derived.model
    yield Section("Closed forms")
    yield Paragraph(("The errors, from the last layer to the first:",))
    errors = [
        (symbol, formula)
        for symbol, formula in subject.derived.defining_formulas.items()
        if symbol in model.errors.values()
    ]
    yield Boxed(tuple(few([w.chain(Equation(pair)) for pair in errors])))
    yield Paragraph(("The gradients:",))
    yield Boxed(tuple(few([_gradient(subject, p) for p in model.parameters])))


def _what_is_proved(subject: Subject) -> Iterator[Block]:
    """How the steps were proved, and what was not."""
    proofs, generic = subject.proofs, subject.proofs.generic
    yield Section("What is proved")
    open_ = [str(n) for n, v in enumerate(proofs, start=1) if v.status is not Status.PROVED]
    open_ += [f"l.{n}" for n, v in enumerate(generic, start=1) if v.status is not Status.PROVED]
    counted = _counted(len(proofs), "step")
    if len(subject.derived.model.layers) >= GENERIC_FROM and generic:
        counted += f" and the {_counted(len(generic), 'step')} through a layer of any number"
    if open_:
        yield Paragraph((f"Of the {counted}, these are not proved: {', '.join(open_)}.",))
    else:
        yield Paragraph(
            (
                f"The {counted} are each proved for {proofs[0].scope if proofs else 'all sizes'}: every side of a "
                "chain equals the sum over all entries of what comes in times the derivative of an entry by an entry. "
                "The proof uses what the forward equations mean and the derivatives of scalar functions, and none "
                "of the rules for arrays by which the steps were made; both sides are brought to one normal form.",
            )
        )
    rules = sum(v.status is Status.PROVED for v in proofs.rules.values())
    yield Paragraph(
        (f"The rules for arrays are proved in the same way, for arrays of any size: {rules} of {len(proofs.rules)}.",)
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _gradient(subject: Subject, parameter: Symbol) -> str:
    """The named form and, where it is short enough to read, the form without errors."""
    w = subject.writer
    named = subject.derived.formula(parameter.name)
    sides: list[Formula] = [f.Derivative(subject.derived.model.cost, parameter), named]
    if parameter in _near_the_output(subject.derived.model):
        expanded = subject.derived.formula(parameter.name, expand=True)
        if tex_width(w(expanded)) <= WIDE:
            sides.append(expanded)
    line = w.equation(Equation(tuple(dict.fromkeys(sides))))
    return line if tex_width(line) <= 60 else w.chain(Equation(tuple(sides)))


def _near_the_output(model: Model) -> set[Symbol]:
    """The parameters whose gradients can be short without errors: those of the last two layers."""
    return {p for block in model.blocks[-2:] for p in (*block.weights, *block.biases)}

"""What a report says beside the gradients: one step of training, counts, and what follows for the weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Symbol
from symbackprop.calculus import training
from symbackprop.calculus.counts import Costs, costs, parameter_count, parameter_counts
from symbackprop.calculus.training import Update
from symbackprop.model.initialisation import INITIALISATIONS
from symbackprop.notation.latex import LatexWriter, aligned, broken, tex_width
from symbackprop.proof.facts import Fact, SameForAll, Vanishes, facts
from symbackprop.report.document import Block, Bullets, Display, Inline, Math, Paragraph, Section, Table
from symbackprop.report.subject import Subject

T = TypeVar("T")

WIDE = 60  # letters on a line
SHOWN = 6  # layers that are listed one by one; of more, the first two and the last
TERMS = 16  # terms of a count that are written out
DEEP = 30  # layers beyond which nothing is derived a second time for the sake of an example


def results_blocks(subject: Subject) -> Iterator[Block]:
    """The sections "One step of training", "Counting" and "What follows for the weights"."""
    yield Section("One step of training")
    yield from _training(subject)
    yield Section("Counting")
    yield from _counting(subject)
    yield from _costs(costs(subject.derived), subject)
    yield from _weights(subject)


def _say(text: str, *formulas: str) -> Paragraph:
    """A paragraph in which each @ is the next formula."""
    words = text.split("@")
    parts: list[str | Math] = [words[0]]
    for latex, more in zip(formulas, words[1:], strict=True):
        parts += [Math(latex), more]
    return Paragraph(tuple(parts))


def _lines(left: str, right: str) -> list[str]:
    """Aligned lines left = right, the right side broken where it is long."""
    first, *further = broken(right, WIDE - 10)
    return [f"{left} &= {first}", *(rf"&\quad {{}}{line}" for line in further)]


def _chain(left: str, right: str) -> str:
    lines = _lines(left, right)
    return aligned(lines) if len(lines) > 1 else f"{left} = {right}"


# One step of training


def _training(subject: Subject) -> Iterator[Block]:
    derived, w = subject.derived, subject.writer
    model, cost, alpha = derived.model, w(derived.model.cost), w(training.rate(derived.model))
    way, goal = ("along", "grow") if training.maximises(model) else ("against", "shrink")
    yield _say(
        f"Every parameter goes a step {way} its gradient, so that @ is to {goal}; @ is the learning rate, and the "
        "arrow replaces the old value by the new one:",
        cost,
        alpha,
    )
    shown = [p for block in _few(model.blocks) for p in (*block.weights, *block.biases)]
    lines = [_update(update, subject) for update in training.updates(derived) if update.symbol in shown]
    if len(model.blocks) > SHOWN:
        lines.insert(-len((*model.blocks[-1].weights, *model.blocks[-1].biases)), r"&\ \,\vdots")
    yield Display(aligned(lines))
    theta, whole = w(training.theta(model)), training.theta_update(derived)
    yield _say(
        "All parameters together are the tuple @, their derivatives in the same order are its gradient. In one line:",
        theta,
    )
    slopes = _row([f.Derivative(model.cost, p) for p in model.parameters], w)
    gradient = w(f.Derivative(model.cost, training.theta(model)))
    lines = [rf"{theta} &= {_row(model.parameters, w)}", f"{gradient} &= {slopes}", _arrow(whole, w)]
    yield Display(aligned(lines))
    yield from _minibatch(subject)
    yield from _momentum(subject)


def _few(every: Iterable[T]) -> list[T]:
    """All of a few layers; of many the first two and the last."""
    return known if len(known := [*every]) <= SHOWN else [*known[:2], known[-1]]


def _arrow(update: Update, w: LatexWriter) -> str:
    return rf"{w(update.symbol)} &\leftarrow {w(update.formula)}"


def _update(update: Update, subject: Subject) -> str:
    w = subject.writer
    line = _arrow(update, w)
    final = w(training.with_gradient(update, subject.derived).formula)
    return f"{line} = {final}" if tex_width(line + final) <= WIDE else line


def _row(every: Iterable[Formula], w: LatexWriter) -> str:
    """A tuple; of many entries the first two and the last."""
    shown = [w(u) for u in every]
    listed = ", ".join(shown if len(shown) <= 8 else [*shown[:2], r"\ldots", shown[-1]])
    return rf"\left({listed}\right)"


def _minibatch(subject: Subject) -> Iterator[Block]:
    """J_B, and the formulas with B for m."""
    small, w, samples = training.minibatch(subject.derived), subject.writer, subject.derived.model.frame.samples
    if small is None or samples is None:
        return
    model, size = small.model, str(small.size)
    notation = replace(w.notation, names={role: u for role, u in w.notation.names.items() if role != "samples"})
    output = None if w.output is None else model.prediction
    inner = replace(w, samples=small.size, taken=model.taken, notation=notation, output=output)
    cost = f"{{{w(model.cost)}}}_{size}"
    text = "A minibatch is @ of the @ samples. @ and @ hold these alone, and the cost is the mean over them:"
    yield _say(text, size, w.size(samples), w(model.x), w(model.y))
    yield Display(_chain(cost, inner(small.definition.right)))
    if len(model.layers) > DEEP:
        return
    z, delta = model.blocks[-1].errors[0]
    slope = inner(f.Derivative(model.cost, z)).replace(rf"\partial {w(model.cost)}", rf"\partial {cost}")
    yield _say("Derived with @ for the number of samples, the formulas stay as they are but for it:", size)
    yield Display(_chain(f"{inner(delta)} = {slope}", inner(small.derived.defining_formulas[delta])))


def _momentum(subject: Subject) -> Iterator[Block]:
    """The first weights' velocity, with a symbolic layer: every parameter has one."""
    first, w = training.momentum(subject.derived)[0], subject.writer
    layered = [u for u in f.walk(first.velocity.formula) if isinstance(u, Symbol) and u.layer is not None]
    here: dict[Formula, Formula] = {u: replace(u, layer=sympy.Symbol("l")) for u in layered}
    yield _say(
        "With momentum the step follows a running mean of the gradients, @, which starts at 0. For the weights of "
        "layer @, and in the same way for every other parameter:",
        w(here[first.velocity.symbol]),
        "l",
    )
    changes = (first.velocity, first.step)
    yield Display(aligned([rf"{w(here[u.symbol])} &\leftarrow {w(f.substitute(u.formula, here))}" for u in changes]))


# Counting


def _expression(count: sympy.Expr, w: LatexWriter) -> str:
    """A count in LaTeX, layer by layer: 3 m + 14; of very many terms the first and the last."""
    names = {s: w.size(s) for s in count.free_symbols}
    times = r" \, " if any("math" in name for name in names.values()) else None
    terms = sorted(sympy.Add.make_args(count), key=_place)
    written = [sympy.latex(term, symbol_names=names, mul_symbol=times) for term in terms]
    return " + ".join(written if len(written) <= TERMS else [*written[:4], r"\cdots", *written[-2:]])


def _place(term: sympy.Expr) -> tuple[bool, list[str], int]:
    """By the last size in it, n_9 before n_10, products first; a number is last."""
    sizes = sorted(re.sub(r"\d+", lambda digits: digits[0].zfill(10), str(s)) for s in term.free_symbols)
    return not sizes, sizes[-1:], -len(sizes)


def _counting(subject: Subject) -> Iterator[Block]:
    model, w = subject.derived.model, subject.writer
    rows: list[tuple[Inline, ...]] = []
    for layer in _few(parameter_counts(model)):
        arrays = r",\quad ".join(rf"{w(p)}:\ {w.shape(p)}" for p, _ in layer.shapes)
        number = w.notation.number(layer.shapes[0][0].layer)
        rows.append(((number,), (Math(arrays),), (Math(_expression(layer.count, w)),)))
    if len(model.blocks) > SHOWN:
        rows.insert(-1, ((Math(r"\vdots"),), (Math(r"\vdots"),), (Math(r"\vdots"),)))
    yield Table(("layer", "parameters and their shapes", "how many"), tuple(rows))
    yield _say("Together, the number of parameters is")
    each = " + ".join(_expression(layer.count, w) for layer in parameter_counts(model))
    total = _expression(parameter_count(model), w)
    short = len(model.blocks) <= SHOWN and each != total and tex_width(each + total) < WIDE - 10
    yield Display(_chain("P", f"{each} = {total}" if short else total))


def _costs(found: Costs, subject: Subject) -> Iterator[Block]:
    w = subject.writer
    yield _say(
        "What the passes cost. One operation is one multiply-add pair of a matrix product, or one value of a scalar "
        "function (an activation or its derivative, a logarithm, an exponential). Entrywise sums and products, sums "
        "over the samples and scaling are not counted: they are of lower order. A part that occurs twice is computed "
        "once."
    )
    passes = {"forward": found.forward, "backward": found.backward, "Jacobians": found.jacobians}
    counts = {rf"\text{{{name}}}": _expression(count, w) for name, count in passes.items()}
    yield Display(aligned([line for name, count in counts.items() for line in _lines(name, count)]))
    spare = sympy.expand(2 * found.forward - found.backward)
    if all(term.as_coeff_Mul()[0] >= 0 for term in sympy.Add.make_args(spare)):
        yield _say("The backward pass costs at most twice the forward pass, whatever the sizes.")
    frame, (inputs, units), at = found.model.frame, found.model.sizes[:2], sympy.Symbol("l")
    arrays = [*(frame.data(u, units, at) for u in "az"), frame.weights(units, inputs, at), frame.bias(units, at)]
    a, z, weights, bias = (rf"\partial {w(u)}" for u in arrays)
    yield _say(
        "The product of the full Jacobians forms the dense @, @ and @ of every layer for each sample, one operation an "
        "entry, and multiplies a row through them from the output to the input, zeros included. For one sample @ has @ "
        "entries, of which only @ can differ from zero; the outer product that backpropagation makes instead takes @ "
        "pairs.",
        *(f"{a} / {z}", f"{z} / {weights}", f"{z} / {bias}", f"{z} / {weights}"),
        *(r"n_l^2 \, n_{l-1}", r"n_l \, n_{l-1}", r"n_l \, n_{l-1}"),
    )
    yield _say(
        "Finite differences evaluate the cost anew for each parameter: @ forward passes from one side, @ from both, "
        "against one forward and one backward pass. A million parameters take @ forward passes for one gradient "
        "from one side, @ from both. Here the numbers of forward passes are",
        *("P + 1", "2 P", r"1\,000\,001", r"2\,000\,000"),
    )
    one, both = (_expression(sympy.expand(n), w) for n in (found.parameters + 1, 2 * found.parameters))
    yield Display(aligned([*_lines("P + 1", one), *_lines("2 P", both)]))


# What follows for the weights


def _weights(subject: Subject) -> Iterator[Block]:
    found = facts(subject.derived)
    if not found:
        return
    yield Section("What follows for the weights")
    tell = {"linear layers": _linear_layers, "zero weights": _zero_weights, "equal units": _equal_units}
    for name in dict.fromkeys(fact.name for fact in found):
        first, *rest = (fact for fact in found if fact.name == name)
        others = sorted([*first.alike, *(number for fact in rest for number in (fact.layer, *fact.alike))])
        yield from tell[name](replace(first, alike=tuple(others)), subject)
    yield _say("So the weights start small and different; the biases may start at 0. Common choices:")
    kinds = INITIALISATIONS.values()
    yield Bullets(tuple((f"{kind.name}: ", Math(kind.latex), f"; {kind.use} ({kind.source}).") for kind in kinds))


def _numbers(layers: Iterable[int], subject: Subject) -> str:
    """Layer numbers as this notation counts them; of many the first two and the last."""
    shown = [subject.writer.notation.number(sympy.Integer(number)) for number in layers]
    shown = shown if len(shown) <= 4 else [*shown[:2], "...", shown[-1]]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _scope(fact: Fact, subject: Subject) -> tuple[str, str]:
    """For which sizes the proof speaks, and for which other layers."""
    model, plural = subject.derived.model, "s" if len(fact.alike) > 1 else ""
    sizes = "for all sizes" if all(n.is_Symbol for n in model.sizes) else "whatever the entries are"
    alike = f" It is proved in the same way for layer{plural} {_numbers(fact.alike, subject)}." if fact.alike else ""
    return sizes, alike


def _linear_layers(fact: Fact, subject: Subject) -> Iterator[Block]:
    w, blocks = subject.writer, subject.derived.model.blocks
    (sizes, alike), here = _scope(fact, subject), _numbers([fact.layer], subject)
    pair = _numbers([fact.layer, fact.layer + 1], subject)
    linear = isinstance(blocks[fact.layer - 1].assignments[1].formula, Symbol)
    given, then = ("Layer @@ has", "so layers @@ are") if linear else ("If layer @@ had", "layers @@ would be")
    yield _say(
        f"Layers without a nonlinearity between them are one layer. {given.replace('@@', here)} no activation "
        f"function, @, {then.replace('@@', pair)} one:",
        *(w.equation(c.equation) for c in fact.conditions if c.equation),
    )
    claim = fact.proof[0].equation
    merged = f.substitute(claim.right, {named.right: named.left for named in fact.where})
    z = w(blocks[fact.layer].assignments[0].symbol)
    yield Display(aligned([rf"{z} &= {w(claim.left)}", rf"&= {w(merged)}"]))
    yield Display(r", \qquad ".join(map(w.equation, fact.where)))
    yield _say(
        f"Both sides are the same polynomial in the entries, {sizes}. The one layer is again of this form, so by "
        f"induction any number of layers without a nonlinearity is one layer.{alike}"
    )


def _zero_weights(fact: Fact, subject: Subject) -> Iterator[Block]:
    w, model, last = subject.writer, subject.derived.model, fact.proof[-1]
    granted = "; ".join(condition.text for condition in fact.conditions)
    yield _say(f"Zero weights. Suppose that {granted}. Put into the derived gradients, this gives")
    lines = [rf"{w(c.equation.left)} &= {w(c.equation.right)}" for c in fact.proof]
    yield Display(aligned(lines if len(lines) <= 8 else [*lines[:4], r"&\ \,\vdots", *lines[-2:]]))
    if isinstance(last, SameForAll):
        yield _say("The last is the same for every unit of the layer below, so these units stay equal, as follows.")
    elif isinstance(last, Vanishes) and last.what == f.Derivative(model.cost, model.blocks[-1].weights[0]):
        rest = "the bias of the last layer" if model.blocks[-1].biases else "no parameter"
        yield _say(
            f"The weights of the last layer do not move either: what enters them is 0. Only {rest} is changed by a "
            "step, and the assumption holds again after it; by induction the weights stay 0 for ever."
        )


def _equal_units(fact: Fact, subject: Subject) -> Iterator[Block]:
    w, (sizes, alike), here = subject.writer, _scope(fact, subject), _numbers([fact.layer], subject)
    yield _say(f"Equal units never separate. Let all units of layer {here} start with the same parameters:")
    yield Display(r", \qquad ".join(w.equation(c.equation) for c in fact.conditions if c.equation))
    yield _say("Put into the forward equations and the derived gradients, entry by entry:")
    claims = [c for c in fact.proof if isinstance(c, SameForAll)]
    for claim in (*claims[:2], *(c for c in claims if isinstance(c.what, f.Derivative))):
        yield Display(_chain(w(claim.equation.left), w(claim.equation.right)))
    yield _say(
        f"The index @ of the unit is on no right side: the units are equal, and so are their gradients, {sizes}. A "
        "step, with momentum too where the velocities start equal, keeps the form of the parameters; by induction the "
        f"units stay equal for ever, and do no more than one unit could.{alike}",
        w.size(claims[0].unit),
    )

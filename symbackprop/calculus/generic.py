"""The generic layer: backpropagation through layer l of any network, for a symbolic l, derived once."""

from __future__ import annotations

from fractions import Fraction

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Symbol
from symbackprop.calculus.derive import Backward, Writer
from symbackprop.calculus.steps import Index
from symbackprop.calculus.sweep import sweep
from symbackprop.errors import Unsupported
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.layers import Assignment
from symbackprop.model.model import Model

L = sympy.Symbol("l")
PENALTY = Symbol("R")


def generic_applies(model: Model) -> bool:
    """Whether one layer stands for all hidden ones: they share an activation, or each is applied entry by entry."""
    hidden = {layer.activation for layer in model.layers[:-1]}
    return len(hidden) == 1 or (len(hidden) > 1 and not any(activation.over_units for activation in hidden))


def generic_layer(model: Model) -> Backward:
    """Layer l of a network like ``model``, from Delta_{l+1} to Delta_l and the gradients of layer l.

    The activation is that of the hidden layers where they share one, and opaque otherwise. What is assumed is only that
    layer l + 1 takes a_l in and that Delta_{l+1} is dJ/dz_{l+1}. Raises Unsupported where no one layer stands for all.
    """
    if not generic_applies(model):
        raise Unsupported("no one layer stands for all hidden layers: they differ, and one of them is a softmax")
    hidden = {layer.activation for layer in model.layers[:-1]}
    activation = hidden.pop() if len(hidden) == 1 else ACTIVATIONS["generic"]
    letter = size_letter(model)
    below, here, above = (sympy.Symbol(f"{letter}_{index}") for index in ("{l-1}", "l", "{l+1}"))
    frame = model.frame
    entering = frame.data("a", below, L - 1)
    biased = any(layer.bias for layer in model.layers)
    kind = model.layers[0]
    block = kind.like(here, activation, biased).equations(L, entering, below, frame)
    upper = kind.like(above, activation, biased).equations(L + 1, block.output, here, frame).assignments[0]
    delta_above = frame.data("delta", above, L + 1)
    assignments = [*block.assignments, upper]
    errors = dict(block.errors)
    writer = Writer(errors, (), Index(frame.samples, model.taken | {"l"}))
    penalty = model.penalty(block.weights)
    if penalty is not None:
        assignments.append(Assignment(PENALTY, penalty, ((block.weights[0], "derivative of the penalty"),)))
        writer.start(PENALTY, f.Number(Fraction(1)))
    writer.start(upper.symbol, delta_above)
    wanted = {*block.weights, *block.biases, *(a.symbol for a in block.assignments)}
    for _ in sweep(assignments, writer.cotangents, wanted.__contains__, writer.arrive):
        pass
    parameters = (*block.weights, *block.biases)
    return Backward(
        tuple(writer.steps),
        {p: writer.value[p] for p in parameters},
        {errors[z]: writer.value[z] for z in writer.value if z in errors},
        dict(writer.value),
    )


def size_letter(model: Model) -> str:
    """A letter for the number of units of layer l that no size of the network has, so that no two meanings meet."""
    used = {str(size).partition("_")[0] for size in (*model.sizes, model.frame.samples) if size is not None}
    numbered = [f"n_{number}" for number in range(len(model.sizes))]
    if all(size.is_Integer or str(size) == name for size, name in zip(model.sizes, numbered, strict=True)):
        return "n"
    return next((letter for letter in "ndhuqrc" if letter not in used), "v")

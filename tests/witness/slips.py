"""Mistakes: edits that mean to change the value."""

import random
from fractions import Fraction

from edits import SCALAR, UNITY, Around, Edit, entry, joined, negated, size_of

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Formula
from symbackprop.model.activations import ACTIVATIONS

SLIPS: dict[str, Edit] = {}


@entry(SLIPS)
def transpose_dropped(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return node.arg if isinstance(node, f.Transpose) else None


@entry(SLIPS)
def transpose_added(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return f.Transpose(node) if isinstance(node, f.Symbol) else None


@entry(SLIPS)
def factors_swapped(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Product):
        return None
    i, j = rng.sample(range(len(node.factors)), 2) if len(node.factors) > 1 else (0, 0)
    factors = list(node.factors)
    factors[i], factors[j] = factors[j], factors[i]
    return f.Product(tuple(factors))


@entry(SLIPS)
def layer_shifted(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Symbol) or node.layer is None:
        return None
    others = [s for s in around.symbols if s.letter == node.letter and s != node]
    return rng.choice(others) if others else None


@entry(SLIPS)
def letter_changed(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """z for a, delta for a, and the like."""
    if not isinstance(node, f.Symbol):
        return None
    others = [s for s in around.symbols if s != node and s.shape == node.shape]
    return rng.choice(others) if others else None


@entry(SLIPS)
def factor_dropped(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Product | f.Hadamard) or len(node.factors) < 2:
        return None
    i = rng.randrange(len(node.factors))
    return joined(type(node), [*node.factors[:i], *node.factors[i + 1 :]])


@entry(SLIPS)
def factor_twice(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if isinstance(node, f.Hadamard):
        return f.Hadamard((*node.factors, rng.choice(node.factors)))
    if isinstance(node, f.Product):
        i = rng.randrange(len(node.factors))
        return f.Product((*node.factors[:i], node.factors[i], *node.factors[i:]))
    return None


@entry(SLIPS)
def term_dropped(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Add) or len(node.terms) < 2:
        return None
    i = rng.randrange(len(node.terms))
    return joined(f.Add, [*node.terms[:i], *node.terms[i + 1 :]])


@entry(SLIPS)
def term_twice(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return f.Add((*node.terms, rng.choice(node.terms))) if isinstance(node, f.Add) else None


@entry(SLIPS)
def term_negated(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Add):
        return None
    i = rng.randrange(len(node.terms))
    return f.Add((*node.terms[:i], negated(node.terms[i]), *node.terms[i + 1 :]))


@entry(SLIPS)
def sign_lost(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return negated(node)


@entry(SLIPS)
def product_for_elementwise(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return f.Product(node.factors) if isinstance(node, f.Hadamard) else None


@entry(SLIPS)
def elementwise_for_product(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return f.Hadamard(node.factors) if isinstance(node, f.Product) else None


@entry(SLIPS)
def constant_changed(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if isinstance(node, f.Number):
        return f.formula(rng.choice([node.value * 2, node.value / 2, node.value + 1, -node.value, Fraction(0)]))
    if isinstance(node, f.Power) and isinstance(node.exponent, f.Number):
        return rng.choice([node.base, node.base ** (node.exponent.value + 1)])
    return None


@entry(SLIPS)
def constant_factor(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return f.Product((f.formula(rng.choice([Fraction(2), Fraction(1, 2), Fraction(3), Fraction(0)])), node))


@entry(SLIPS)
def count_changed(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """n for m, 1 for m."""
    if node not in around.counts:
        return None
    others = [u for u in (*around.counts, UNITY) if u != node]
    return rng.choice(others) if others else None


@entry(SLIPS)
def count_too_much(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not around.counts:
        return None
    n = rng.choice(around.counts)
    return f.Quotient(node, n) if rng.random() < 0.7 else f.Product((n, node))


@entry(SLIPS)
def sum_other_axis(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    match node:
        case f.Total(arg, axis):
            return f.Total(arg, rng.choice([u for u in (0, 1, None) if u != axis]))
        case f.Ones((rows, columns)):
            others = {s for symbol in around.symbols for s in symbol.shape}
            return f.Ones(rng.choice([(columns, rows), (rng.choice(sorted(others, key=str)), columns)]))
    return None


@entry(SLIPS)
def sum_lost(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    match node:
        case f.Total(arg):
            return arg
        case f.Product(factors) if isinstance(factors[-1], f.Ones):
            return joined(f.Product, list(factors[:-1]))
    return None


@entry(SLIPS)
def sum_too_much(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    size = size_of(node)
    if size is None or size == SCALAR:
        return None
    axis = rng.choice((0, 1))
    total = f.Total(node, axis)
    if rng.random() < 0.5:
        return total
    return f.Product((f.Ones((size[0], ONE)), total)) if axis == 0 else f.Product((total, f.Ones((ONE, size[1]))))


@entry(SLIPS)
def slope_changed(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """f for f', of another function, taken at a or of another layer."""
    if not isinstance(node, f.Map):
        return None
    functions = [function for _, (_, _, function) in around.layers.items() if function.definition is not None]
    functions += [ACTIVATIONS[other].function for other in ("sigmoid", "tanh", "relu")]
    arguments = [u for pair in around.outputs.items() for u in pair]
    match rng.randrange(3):
        case 0:
            return f.Map(node.function, node.arg, 1 - node.order) if node.order < 2 else None
        case 1:
            return f.Map(rng.choice(functions), node.arg, node.order)
    return f.Map(node.function, rng.choice(arguments), node.order)


@entry(SLIPS)
def slope_too_much(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Symbol | f.Add) or (size := size_of(node)) is None:
        return None
    fitting = [(z, fn) for _, (kind, z, fn) in around.layers.items() if z.shape == size and kind != "softmax"]
    if not fitting:
        return None
    z, function = rng.choice(fitting)
    return f.Hadamard((node, f.Map(function, z, 1)))


@entry(SLIPS)
def another_in_place(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """Any other part of a formula, of the same shape."""
    size = size_of(node)
    fitting = [u for u in around.pool if size is not None and u != node and size_of(u) == size]
    return rng.choice(fitting) if fitting else None


@entry(SLIPS)
def term_added(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    size = size_of(node)
    fitting = [u for u in (*around.pool, *around.symbols) if size is not None and size_of(u) == size]
    return f.Add((node, rng.choice(fitting))) if fitting else None

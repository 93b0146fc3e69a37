"""Random edits of formulas: mistakes that people make, and ways to write the same thing differently.

``rewritings`` mean to keep the value and ``slips`` to change it; only the decider knows whether they do. Each is a
function of a node, an ``Around`` and a source of random numbers that gives a node to stand there instead, or None.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy

from symbackprop import Network
from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula
from symbackprop.algebra.functions import EXP, FUNCTIONS, STEP, sigmoid
from symbackprop.algebra.shape import shape
from symbackprop.errors import ShapeMismatch, Unsupported
from symbackprop.model.activations import ACTIVATIONS

TWO, HALF, UNITY = f.formula(2), f.formula(Fraction(1, 2)), f.formula(1)
MAX_NODES = 150


@dataclass
class Around:
    """The network in which a formula is edited: what stands for what."""

    net: Network
    pool: list[Formula] = field(default_factory=list)  # subformulas of true formulas, to be put in wrong places

    @cached_property
    def definitions(self) -> dict[Formula, Formula]:
        d = self.net.derive()
        return {s: u for s, u in d.defining_formulas.items() if s.name != "J"}

    @cached_property
    def named(self) -> dict[Formula, Formula]:
        return {u: s for s, u in self.definitions.items()}

    @cached_property
    def symbols(self) -> list[f.Symbol]:
        return [s for s in self.net.model.symbols.values() if s.name != "J"]

    @cached_property
    def counts(self) -> list[Formula]:
        """m and the numbers of units, as values."""
        model = self.net.model
        sizes = dict.fromkeys((model.frame.samples, *model.sizes))
        return [f.scalar(n) for n in sizes if n is not None]

    @cached_property
    def layers(self) -> dict[Formula, tuple[str, f.Symbol, f.Function]]:
        """By the output of each layer: the activation, Z and the function."""
        found: dict[Formula, tuple[str, f.Symbol, f.Function]] = {}
        for block, layer in zip(self.net.model.blocks, self.net.model.layers, strict=True):
            found[block.output] = (layer.activation.name, block.assignments[0].symbol, layer.activation.function)
        return found

    @cached_property
    def outputs(self) -> dict[Formula, Formula]:
        """A by Z."""
        return {z: a for a, (_, z, _) in self.layers.items()}


Edit = Callable[[Formula, Around, random.Random], Formula | None]

rewritings: dict[str, Edit] = {}
slips: dict[str, Edit] = {}


def _entry(table: dict[str, Edit]) -> Callable[[Edit], Edit]:
    def enter(edit: Edit) -> Edit:
        table[edit.__name__] = edit
        return edit

    return enter


rewriting, slip = _entry(rewritings), _entry(slips)


def size_of(node: Formula) -> f.Shape | None:
    try:
        return shape(node)
    except (ShapeMismatch, Unsupported, TypeError):
        return None


def _arrays(parts: tuple[Formula, ...]) -> bool:
    return all(size_of(u) not in (None, SCALAR) for u in parts)


def negated(node: Formula) -> Formula:
    return node.arg if isinstance(node, f.Negative) else f.Negative(node)


def transposed(node: Formula) -> Formula:
    return node.arg if isinstance(node, f.Transpose) else f.Transpose(node)


def _of(build: Any, parts: list[Formula]) -> Formula:
    return parts[0] if len(parts) == 1 else build(tuple(parts))


def _shuffled(parts: tuple[Formula, ...], rng: random.Random) -> tuple[Formula, ...]:
    return tuple(rng.sample(parts, len(parts)))


# ---------------------------------------------------------------------------- the same in other words
@rewriting
def transpose_taken_in(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    match node:
        case f.Transpose(f.Product(factors)):
            return f.Product(tuple(map(transposed, reversed(factors))))
        case f.Transpose(f.Hadamard(factors) | f.Add(factors) as inner):
            return inner.with_children(tuple(u if size_of(u) == SCALAR else transposed(u) for u in factors))
    return None


@rewriting
def transpose_taken_out(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    match node:
        case f.Product(factors):
            return f.Transpose(f.Product(tuple(map(transposed, reversed(factors)))))
        case f.Hadamard(factors) | f.Add(factors):
            return f.Transpose(node.with_children(tuple(map(transposed, factors))))
        case f.Map() | f.Power() | f.Negative():
            inner = node.children[0]
            return f.Transpose(node.with_children((transposed(inner), *node.children[1:])))
    return f.Transpose(f.Transpose(node))


@rewriting
def order(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if isinstance(node, f.Add | f.Hadamard):
        return node.with_children(_shuffled(node.children, rng))
    return None


@rewriting
def brackets(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """(a b c) as (a b) c and the like."""
    parts = node.children
    if not isinstance(node, f.Add | f.Hadamard | f.Product) or len(parts) < 3:
        return None
    start = rng.randrange(len(parts) - 1)
    end = rng.randrange(start + 2, len(parts) + 1)
    if end - start == len(parts):
        return None
    if isinstance(node, f.Product) and any(size_of(u) == SCALAR for u in parts):
        return None
    return type(node)((*parts[:start], type(node)(parts[start:end]), *parts[end:]))


@rewriting
def brackets_dropped(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    parts = node.children
    if not isinstance(node, f.Add | f.Hadamard | f.Product):
        return None
    flat: list[Formula] = []
    for u in parts:
        flat.extend(u.children if isinstance(u, type(node)) else (u,))
    return type(node)(tuple(flat)) if len(flat) > len(parts) else None


@rewriting
def distributed(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """(u + v) w as u w + v w."""
    if not isinstance(node, f.Hadamard | f.Product):
        return None
    sums = [i for i, u in enumerate(node.factors) if isinstance(u, f.Add)]
    if not sums:
        return None
    i = rng.choice(sums)
    inner = node.factors[i]
    assert isinstance(inner, f.Add)
    size = size_of(inner)
    terms = []
    for term in inner.terms:
        if size_of(term) == SCALAR != size:
            if size is None:
                return None
            term = f.Product((term, f.Ones(size)))
        terms.append(type(node)((*node.factors[:i], term, *node.factors[i + 1 :])))
    return f.Add(tuple(terms))


@rewriting
def factored(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """u w + v w as (u + v) w, for a common last factor of products."""
    match node:
        case f.Add((f.Product(left), f.Product(right))) if left[-1] == right[-1] and len(left) == len(right) == 2:
            return f.Product((f.Add((left[0], right[0])), left[-1]))
    return None


@rewriting
def sign_taken_out(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if isinstance(node, f.Add):
        return f.Negative(f.Add(tuple(map(negated, node.terms))))
    if isinstance(node, f.Hadamard | f.Product):
        i = rng.randrange(len(node.factors))
        return f.Negative(node.with_children((*node.factors[:i], negated(node.factors[i]), *node.factors[i + 1 :])))
    return f.Negative(f.Negative(node))


@rewriting
def sign_taken_in(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    match node:
        case f.Negative(f.Add(terms)):
            return f.Add(tuple(map(negated, terms)))
        case f.Negative(f.Product(factors) | f.Hadamard(factors) as inner):
            i = rng.randrange(len(factors))
            return inner.with_children((*factors[:i], negated(factors[i]), *factors[i + 1 :]))
    return None


@rewriting
def nothing_added(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """x as x + u - u."""
    size = size_of(node)
    fitting = [u for u in (*around.pool, *around.symbols) if size is not None and size_of(u) == size]
    if not fitting:
        return None
    other = rng.choice(fitting)
    terms = [node, other, f.Negative(other)]
    rng.shuffle(terms)
    return f.Add(tuple(terms))


@rewriting
def split(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """x as x/3 + 2x/3."""
    part = Fraction(rng.randint(1, 4), 5)
    return f.Add((f.Product((f.formula(part), node)), f.Product((f.formula(1 - part), node))))


@rewriting
def count_cancelled(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """x as (m/m) x, m x / m."""
    if not around.counts:
        return None
    n = rng.choice(around.counts)
    match rng.randrange(3):
        case 0:
            return f.Product((f.Quotient(n, n), node))
        case 1:
            return f.Quotient(f.Product((n, node)), n)
    return f.Product((f.Quotient(UNITY, n), node, n))


@rewriting
def array_cancelled(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """x as (x a) / a for an array that is nowhere 0."""
    fitting = [a for a, (name, _, _) in around.layers.items() if name in ("sigmoid", "softmax", "softplus")]
    fitting = [a for a in fitting if size_of(a) == size_of(node)]
    if not fitting:
        return None
    a = rng.choice(fitting)
    return rng.choice([f.Quotient(f.Hadamard((node, a)), a), f.Hadamard((f.Quotient(a, a), node))])


@rewriting
def square(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    match node:
        case f.Power(base, f.Number(value)) if value == 2:
            return f.Hadamard((base, base))
        case f.Hadamard((left, right)) if left == right:
            return f.Power(left, TWO)
    return None


@rewriting
def definition(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """A delta, an A or a Z as what it stands for."""
    return around.definitions.get(node)


@rewriting
def name(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return around.named.get(node)


@rewriting
def slope_by_name(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """a (1 - a) as sigma'(z), 1 - a^2 as tanh'(z), [z > 0] as relu'(z)."""
    match node:
        case f.Hadamard(factors):
            for a, (kind, z, function) in around.layers.items():
                other = f.Add((UNITY, f.Negative(a)))
                if kind == "sigmoid" and a in factors and other in factors:
                    left = list(factors)
                    left.remove(a)
                    left.remove(other)
                    return _of(f.Hadamard, [*left, f.Map(function, z, 1)])
        case f.Add((f.Number(value), f.Negative(f.Power(a, f.Number(two))))) if value == 1 and two == 2:
            kind, z, function = around.layers.get(a, ("", None, None))
            if kind == "tanh" and z is not None and function is not None:
                return f.Map(function, z, 1)
        case f.Map(function, z, 0) if function == STEP and z in around.outputs:
            kind, _, relu = around.layers[around.outputs[z]]
            return f.Map(relu, z, 1) if kind == "relu" else None
    return None


@rewriting
def slope_by_value(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """sigma'(z) as a (1 - a), a - a^2; tanh' as 1 - a^2, (1 - a)(1 + a); relu' as a step of z or of a."""
    match node:
        case f.Map(_, z, 1) if z in around.outputs:
            a = around.outputs[z]
            kind = around.layers[a][0]
            forms: dict[str, list[Formula]] = {
                "sigmoid": [a * (1 - a), a - a**2, a - a * a, a - f.Power(a, TWO)],
                "tanh": [1 - a**2, 1 - a * a, (1 - a) * (1 + a)],
                "relu": [f.Map(STEP, z), f.Map(STEP, a)],
                "softplus": [f.Map(sigmoid(), z), 1 / (1 + f.Map(EXP, -z))],
            }
            return rng.choice(forms[kind]) if kind in forms else None
        case f.Map(function, z, 0) if function == STEP and z in around.outputs:
            a = around.outputs[z]
            return f.Map(STEP, a) if around.layers[a][0] == "relu" else None
    return None


@rewriting
def function_spelled(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """1 - a as sigma(-z), a as 1/(1 + e^-z), tanh by sigma(2z), relu as z [z > 0]."""
    match node:
        case f.Add((f.Number(value), f.Negative(a))) if value == 1 and a in around.layers:
            kind, z, function = around.layers[a]
            return f.Map(function, -z) if kind == "sigmoid" else None
        case f.Symbol() if node in around.layers:
            kind, z, _ = around.layers[node]
            forms: dict[str, list[Formula]] = {
                "sigmoid": [1 / (1 + f.Map(EXP, -z)), f.Map(EXP, z) / (1 + f.Map(EXP, z)), 1 - f.Map(sigmoid(), -z)],
                "tanh": [TWO * f.Map(sigmoid(), TWO * z) - 1, -f.Map(FUNCTIONS["tanh"], -z)],
                "relu": [z * f.Map(STEP, z), f.Map(FUNCTIONS["positive_part"], z)],
            }
            return rng.choice(forms[kind]) if kind in forms else None
    return None


@rewriting
def sum_as_product(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """D 1 as the sum of D over the samples, and back."""
    match node:
        case f.Product((*rest, f.Ones((n, k)))) if rest and k == ONE != n:
            return f.Total(_of(f.Product, rest), 1)
        case f.Product((f.Ones((k, n)), *rest)) if rest and k == ONE != n:
            return f.Total(_of(f.Product, rest), 0)
        case f.Total(arg, axis) if axis is not None and (size := size_of(arg)) is not None:
            return arg @ f.Ones((size[1], ONE)) if axis else f.Ones((ONE, size[0])) @ arg
    return None


@rewriting
def sum_taken_in(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """(A B) 1 as A (B 1)."""
    match node:
        case f.Total(f.Product((*left, right)), 1) if left and all(
            size_of(u) not in (None, SCALAR) for u in (*left, right)
        ):
            return f.Product((*left, f.Total(right, 1)))
        case f.Total(f.Add(terms), axis) if len({size_of(u) for u in terms}) == 1:
            return f.Add(tuple(f.Total(u, axis) for u in terms))
    return None


@rewriting
def scalar_moved(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Product):
        return None
    scalars = [i for i, u in enumerate(node.factors) if size_of(u) == SCALAR]
    if not scalars or len(node.factors) < 2:
        return None
    i = rng.choice(scalars)
    factor, rest = node.factors[i], [*node.factors[:i], *node.factors[i + 1 :]]
    if isinstance(factor, f.Quotient) and factor.numerator == UNITY and rng.random() < 0.5:
        return f.Quotient(_of(f.Product, rest), factor.denominator)
    j = rng.randrange(len(rest))
    if rng.random() < 0.5:
        rest[j] = f.Hadamard((factor, rest[j])) if rng.random() < 0.5 else f.Product((factor, rest[j]))
        return _of(f.Product, rest)
    rest.insert(rng.randrange(len(rest) + 1), factor)
    return f.Product(tuple(rest))


@rewriting
def quotient_as_product(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    match node:
        case f.Quotient(top, bottom):
            return f.Hadamard((top, f.Power(bottom, f.formula(-1))))
    return None


@rewriting
def by_diagonal(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """u * v of columns as diag(u) v."""
    match node:
        case f.Hadamard((u, v)) if (
            size_of(u) == size_of(v) and (size_of(u) or SCALAR)[1] == ONE != (size_of(u) or SCALAR)[0]
        ):
            return f.Product((f.Diagonal(u), v))
    return None


@rewriting
def ones_multiplied(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    size = size_of(node)
    return None if size is None else f.Hadamard((f.Ones(size), node))


@rewriting
def sum_written_out(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """A B as the sum over k of (A e_k)(e_k^T B)."""
    if (
        not isinstance(node, f.Product)
        or any(size_of(u) in (None, SCALAR) for u in node.factors)
        or len(node.factors) < 2
    ):
        return None
    cut = rng.randrange(1, len(node.factors))
    left, right = _of(f.Product, list(node.factors[:cut])), _of(f.Product, list(node.factors[cut:]))
    size = size_of(left)
    if size is None or size[1] == ONE or any(isinstance(u, f.IndexSum) for u in f.walk(node)):
        return None
    k = sympy.Symbol("k")
    unit = f.Unit(k, size[1])
    return f.IndexSum(f.Product((f.Product((left, unit)), f.Product((f.Transpose(unit), right)))), k, ONE, size[1])


@rewriting
def sum_to_one(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """x times the sum of a softmax, or of the targets, over the units of each sample."""
    size, axis = size_of(node), around.net.model.frame.unit_axis
    closed = [a for a, (kind, *_) in around.layers.items() if kind == "softmax"]
    if around.net.model.loss.labels_sum_to_one:
        closed.append(around.net.model.y)
    fitting = [a for a in closed if size is not None and a.shape[1 - axis] == size[1 - axis]]  # type: ignore[attr-defined]
    if not fitting or size is None:
        return None
    total = f.Total(rng.choice(fitting), axis)
    spread = f.Ones((size[0], ONE)) @ total if axis == 0 else total @ f.Ones((ONE, size[1]))
    return f.Hadamard((node, spread))


@rewriting
def gate_twice(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """[z > 0] as its square, relu(z) as [z > 0] relu(z), or with (1 - [z > 0]) relu(z) added."""
    match node:
        case f.Map(function, _, order) if function == STEP or (function.name == "relu" and order == 1):
            return rng.choice([node * node, node**3, 1 - (1 - node), 1 - (1 - node) ** 2])
        case f.Symbol() if node in around.layers and around.layers[node][0] == "relu":
            step = f.Map(STEP, around.layers[node][1])
            return rng.choice([node * step, node + (1 - step) * node, around.layers[node][1] * step])
    return None


@rewriting
def scalar_cancelled(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """x as s x / s, or with s x - s x added, for an inner product, a sum or a norm s."""
    u = rng.choice(around.symbols)
    sums: list[Formula] = [f.Total(u), f.Total(u) ** rng.choice((2, 3)), f.Norm(u, 2, 2), f.Total(u @ u.T)]
    s = rng.choice(sums)
    match rng.randrange(3):
        case 0:
            return f.Quotient(f.Product((s, node)), s)
        case 1:
            return f.Add((f.Product((s, node)), node, f.Negative(f.Product((node, s)))))
    return f.Product((f.Quotient(f.Norm(u, 2, 2), f.Total(u * u)), node))


@rewriting
def identity_multiplied(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    size = size_of(node)
    if size is None or ONE in size:
        return None
    left, right = (f.Diagonal(f.Ones((n, ONE))) for n in size)
    return f.Product((left, node)) if rng.random() < 0.5 else f.Product((node, right))


@rewriting
def in_two_guises(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """x + u - v, where v is u in other words: a product of equal factors, or any other part."""
    size = size_of(node)
    fitting = [u for u in (*around.pool, *around.symbols) if size is not None and size_of(u) == size]
    if not fitting:
        return None
    u = rng.choice(fitting)
    if rng.random() < 0.5 and size_of(u) != SCALAR:
        u = f.Product((u, f.Transpose(u), u))
    v = u
    for _ in range(rng.randint(1, 3)):
        v = applied(rewritings, v, around, rng)[1]
    return f.Add((node, u, f.Negative(v)))


# ---------------------------------------------------------------------------- mistakes
@slip
def transpose_dropped(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return node.arg if isinstance(node, f.Transpose) else None


@slip
def transpose_added(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return f.Transpose(node) if isinstance(node, f.Symbol) else None


@slip
def factors_swapped(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Product):
        return None
    i, j = rng.sample(range(len(node.factors)), 2) if len(node.factors) > 1 else (0, 0)
    factors = list(node.factors)
    factors[i], factors[j] = factors[j], factors[i]
    return f.Product(tuple(factors))


@slip
def layer_shifted(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Symbol) or node.layer is None:
        return None
    others = [s for s in around.symbols if s.letter == node.letter and s != node]
    return rng.choice(others) if others else None


@slip
def letter_changed(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """z for a, delta for a, and the like."""
    if not isinstance(node, f.Symbol):
        return None
    others = [s for s in around.symbols if s != node and s.shape == node.shape]
    return rng.choice(others) if others else None


@slip
def factor_dropped(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Product | f.Hadamard) or len(node.factors) < 2:
        return None
    i = rng.randrange(len(node.factors))
    return _of(type(node), [*node.factors[:i], *node.factors[i + 1 :]])


@slip
def factor_twice(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if isinstance(node, f.Hadamard):
        return f.Hadamard((*node.factors, rng.choice(node.factors)))
    if isinstance(node, f.Product):
        i = rng.randrange(len(node.factors))
        return f.Product((*node.factors[:i], node.factors[i], *node.factors[i:]))
    return None


@slip
def term_dropped(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Add) or len(node.terms) < 2:
        return None
    i = rng.randrange(len(node.terms))
    return _of(f.Add, [*node.terms[:i], *node.terms[i + 1 :]])


@slip
def term_twice(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return f.Add((*node.terms, rng.choice(node.terms))) if isinstance(node, f.Add) else None


@slip
def term_negated(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Add):
        return None
    i = rng.randrange(len(node.terms))
    return f.Add((*node.terms[:i], negated(node.terms[i]), *node.terms[i + 1 :]))


@slip
def sign_lost(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return negated(node)


@slip
def product_for_elementwise(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return f.Product(node.factors) if isinstance(node, f.Hadamard) else None


@slip
def elementwise_for_product(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return f.Hadamard(node.factors) if isinstance(node, f.Product) else None


@slip
def constant_changed(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if isinstance(node, f.Number):
        return f.formula(rng.choice([node.value * 2, node.value / 2, node.value + 1, -node.value, Fraction(0)]))
    if isinstance(node, f.Power) and isinstance(node.exponent, f.Number):
        return rng.choice([node.base, node.base ** (node.exponent.value + 1)])
    return None


@slip
def constant_factor(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return f.Product((f.formula(rng.choice([Fraction(2), Fraction(1, 2), Fraction(3), Fraction(0)])), node))


@slip
def count_changed(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """n for m, 1 for m."""
    if node not in around.counts:
        return None
    return rng.choice([u for u in (*around.counts, UNITY) if u != node])


@slip
def count_too_much(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not around.counts:
        return None
    n = rng.choice(around.counts)
    return f.Quotient(node, n) if rng.random() < 0.7 else f.Product((n, node))


@slip
def sum_other_axis(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    match node:
        case f.Total(arg, axis):
            return f.Total(arg, rng.choice([u for u in (0, 1, None) if u != axis]))
        case f.Ones((rows, columns)):
            others = {s for symbol in around.symbols for s in symbol.shape}
            return f.Ones(rng.choice([(columns, rows), (rng.choice(sorted(others, key=str)), columns)]))
    return None


@slip
def sum_lost(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    match node:
        case f.Total(arg):
            return arg
        case f.Product(factors) if isinstance(factors[-1], f.Ones):
            return _of(f.Product, list(factors[:-1]))
    return None


@slip
def sum_too_much(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    size = size_of(node)
    if size is None or size == SCALAR:
        return None
    axis = rng.choice((0, 1))
    total = f.Total(node, axis)
    if rng.random() < 0.5:
        return total
    return f.Product((f.Ones((size[0], ONE)), total)) if axis == 0 else f.Product((total, f.Ones((ONE, size[1]))))


@slip
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


@slip
def slope_too_much(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Symbol | f.Add) or (size := size_of(node)) is None:
        return None
    fitting = [(z, fn) for _, (kind, z, fn) in around.layers.items() if z.shape == size and kind != "softmax"]
    if not fitting:
        return None
    z, function = rng.choice(fitting)
    return f.Hadamard((node, f.Map(function, z, 1)))


@slip
def another_in_place(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """Any other part of a formula, of the same shape."""
    size = size_of(node)
    fitting = [u for u in around.pool if size is not None and u != node and size_of(u) == size]
    return rng.choice(fitting) if fitting else None


@slip
def term_added(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    size = size_of(node)
    fitting = [u for u in (*around.pool, *around.symbols) if size is not None and size_of(u) == size]
    return f.Add((node, rng.choice(fitting))) if fitting else None


# ---------------------------------------------------------------------------- at a place
def places(root: Formula) -> Iterator[tuple[int, ...]]:
    """The way to every node but exponents."""
    yield ()
    for i, child in enumerate(root.children):
        if i == 1 and isinstance(root, f.Power):
            continue
        for rest in places(child):
            yield (i, *rest)


def at(root: Formula, place: tuple[int, ...]) -> Formula:
    for i in place:
        root = root.children[i]
    return root


def put(root: Formula, place: tuple[int, ...], new: Formula) -> Formula:
    if not place:
        return new
    children = list(root.children)
    children[place[0]] = put(children[place[0]], place[1:], new)
    return root.with_children(tuple(children))


def applied(table: dict[str, Edit], root: Formula, around: Around, rng: random.Random) -> tuple[str, Formula]:
    """One edit of the table at one place; no name where none of forty tries fits."""
    spots = list(places(root))
    names = list(table)
    for _ in range(40):
        chosen, place = rng.choice(names), rng.choice(spots)
        new = table[chosen](at(root, place), around, rng)
        if new is not None:
            edited = put(root, place, new)
            if edited != root and sum(1 for _ in f.walk(edited)) <= MAX_NODES:
                return chosen, edited
    return "", root

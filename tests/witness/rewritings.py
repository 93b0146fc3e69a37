"""The same formula in other words: edits that mean to keep the value."""

import random
from fractions import Fraction

import sympy
from decider import AGAINST_A_DISTRIBUTION
from edits import (
    SCALAR,
    TWO,
    UNITY,
    Around,
    Edit,
    applied,
    entry,
    joined,
    negated,
    shuffled,
    size_of,
    transposed,
)

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Formula
from symbackprop.algebra.functions import EXP, FUNCTIONS, STEP, sigmoid

REWRITINGS: dict[str, Edit] = {}


@entry(REWRITINGS)
def transpose_taken_in(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    match node:
        case f.Transpose(f.Product(factors)):
            return f.Product(tuple(map(transposed, reversed(factors))))
        case f.Transpose(f.Hadamard(factors) | f.Add(factors) as inner):
            return inner.with_children(tuple(u if size_of(u) == SCALAR else transposed(u) for u in factors))
    return None


@entry(REWRITINGS)
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


@entry(REWRITINGS)
def order(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if isinstance(node, f.Add | f.Hadamard):
        return node.with_children(shuffled(node.children, rng))
    return None


@entry(REWRITINGS)
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


@entry(REWRITINGS)
def brackets_dropped(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    parts = node.children
    if not isinstance(node, f.Add | f.Hadamard | f.Product):
        return None
    flat: list[Formula] = []
    for u in parts:
        flat.extend(u.children if isinstance(u, type(node)) else (u,))
    return type(node)(tuple(flat)) if len(flat) > len(parts) else None


@entry(REWRITINGS)
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


@entry(REWRITINGS)
def factored(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """u w + v w as (u + v) w, for a common last factor of products."""
    match node:
        case f.Add((f.Product(left), f.Product(right))) if left[-1] == right[-1] and len(left) == len(right) == 2:
            return f.Product((f.Add((left[0], right[0])), left[-1]))
    return None


@entry(REWRITINGS)
def sign_taken_out(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if isinstance(node, f.Add):
        return f.Negative(f.Add(tuple(map(negated, node.terms))))
    if isinstance(node, f.Hadamard | f.Product):
        i = rng.randrange(len(node.factors))
        return f.Negative(node.with_children((*node.factors[:i], negated(node.factors[i]), *node.factors[i + 1 :])))
    return f.Negative(f.Negative(node))


@entry(REWRITINGS)
def sign_taken_in(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    match node:
        case f.Negative(f.Add(terms)):
            return f.Add(tuple(map(negated, terms)))
        case f.Negative(f.Product(factors) | f.Hadamard(factors) as inner):
            i = rng.randrange(len(factors))
            return inner.with_children((*factors[:i], negated(factors[i]), *factors[i + 1 :]))
    return None


@entry(REWRITINGS)
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


@entry(REWRITINGS)
def split(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """x as x/3 + 2x/3."""
    part = Fraction(rng.randint(1, 4), 5)
    return f.Add((f.Product((f.formula(part), node)), f.Product((f.formula(1 - part), node))))


@entry(REWRITINGS)
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


@entry(REWRITINGS)
def array_cancelled(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """x as (x a) / a for an array that is nowhere 0."""
    fitting = [a for a, (name, _, _) in around.layers.items() if name in ("sigmoid", "softmax", "softplus")]
    fitting = [a for a in fitting if size_of(a) == size_of(node)]
    if not fitting:
        return None
    a = rng.choice(fitting)
    return rng.choice([f.Quotient(f.Hadamard((node, a)), a), f.Hadamard((f.Quotient(a, a), node))])


@entry(REWRITINGS)
def square(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    match node:
        case f.Power(base, f.Number(value)) if value == 2:
            return f.Hadamard((base, base))
        case f.Hadamard((left, right)) if left == right:
            return f.Power(left, TWO)
    return None


@entry(REWRITINGS)
def definition(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """A delta, an A or a Z as what it stands for."""
    return around.definitions.get(node)


@entry(REWRITINGS)
def name(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    return around.named.get(node)


@entry(REWRITINGS)
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
                    return joined(f.Hadamard, [*left, f.Map(function, z, 1)])
        case f.Add((f.Number(value), f.Negative(f.Power(a, f.Number(two))))) if value == 1 and two == 2:
            kind, z, function = around.layers.get(a, ("", None, None))
            if kind == "tanh" and z is not None and function is not None:
                return f.Map(function, z, 1)
        case f.Map(function, z, 0) if function == STEP and z in around.outputs:
            kind, _, relu = around.layers[around.outputs[z]]
            return f.Map(relu, z, 1) if kind == "relu" else None
    return None


@entry(REWRITINGS)
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


@entry(REWRITINGS)
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


@entry(REWRITINGS)
def sum_as_product(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """D 1 as the sum of D over the samples, and back."""
    match node:
        case f.Product((*rest, f.Ones((n, k)))) if rest and k == ONE != n:
            return f.Total(joined(f.Product, rest), 1)
        case f.Product((f.Ones((k, n)), *rest)) if rest and k == ONE != n:
            return f.Total(joined(f.Product, rest), 0)
        case f.Total(arg, axis) if axis is not None and (size := size_of(arg)) is not None:
            return arg @ f.Ones((size[1], ONE)) if axis else f.Ones((ONE, size[0])) @ arg
    return None


@entry(REWRITINGS)
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


@entry(REWRITINGS)
def scalar_moved(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    if not isinstance(node, f.Product):
        return None
    scalars = [i for i, u in enumerate(node.factors) if size_of(u) == SCALAR]
    if not scalars or len(node.factors) < 2:
        return None
    i = rng.choice(scalars)
    factor, rest = node.factors[i], [*node.factors[:i], *node.factors[i + 1 :]]
    if isinstance(factor, f.Quotient) and factor.numerator == UNITY and rng.random() < 0.5:
        return f.Quotient(joined(f.Product, rest), factor.denominator)
    j = rng.randrange(len(rest))
    if rng.random() < 0.5:
        rest[j] = f.Hadamard((factor, rest[j])) if rng.random() < 0.5 else f.Product((factor, rest[j]))
        return joined(f.Product, rest)
    rest.insert(rng.randrange(len(rest) + 1), factor)
    return f.Product(tuple(rest))


@entry(REWRITINGS)
def quotient_as_product(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    match node:
        case f.Quotient(top, bottom):
            return f.Hadamard((top, f.Power(bottom, f.formula(-1))))
    return None


@entry(REWRITINGS)
def by_diagonal(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """u * v of columns as diag(u) v."""
    match node:
        case f.Hadamard((u, v)) if (
            size_of(u) == size_of(v) and (size_of(u) or SCALAR)[1] == ONE != (size_of(u) or SCALAR)[0]
        ):
            return f.Product((f.Diagonal(u), v))
    return None


@entry(REWRITINGS)
def ones_multiplied(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    size = size_of(node)
    return None if size is None else f.Hadamard((f.Ones(size), node))


@entry(REWRITINGS)
def sum_written_out(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """A B as the sum over k of (A e_k)(e_k^T B)."""
    if (
        not isinstance(node, f.Product)
        or any(size_of(u) in (None, SCALAR) for u in node.factors)
        or len(node.factors) < 2
    ):
        return None
    cut = rng.randrange(1, len(node.factors))
    left, right = joined(f.Product, list(node.factors[:cut])), joined(f.Product, list(node.factors[cut:]))
    size = size_of(left)
    if size is None or size[1] == ONE or any(isinstance(u, f.IndexSum) for u in f.walk(node)):
        return None
    k = sympy.Symbol("q")
    unit = f.Unit(k, size[1])
    return f.IndexSum(f.Product((f.Product((left, unit)), f.Product((f.Transpose(unit), right)))), k, ONE, size[1])


@entry(REWRITINGS)
def sum_to_one(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """x times the sum of a softmax, or of the targets, over the units of each sample."""
    size, axis = size_of(node), around.net.model.frame.unit_axis
    closed = [a for a, (kind, *_) in around.layers.items() if kind == "softmax"]
    if around.net.model.loss.name in AGAINST_A_DISTRIBUTION:
        closed.append(around.net.model.y)
    fitting = [a for a in closed if size is not None and a.shape[1 - axis] == size[1 - axis]]  # type: ignore[attr-defined]
    if not fitting or size is None:
        return None
    total = f.Total(rng.choice(fitting), axis)
    spread = f.Ones((size[0], ONE)) @ total if axis == 0 else total @ f.Ones((ONE, size[1]))
    return f.Hadamard((node, spread))


@entry(REWRITINGS)
def gate_twice(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    """[z > 0] as its square, relu(z) as [z > 0] relu(z), or with (1 - [z > 0]) relu(z) added."""
    match node:
        case f.Map(function, _, order) if function == STEP or (function.name == "relu" and order == 1):
            return rng.choice([node * node, node**3, 1 - (1 - node), 1 - (1 - node) ** 2])
        case f.Symbol() if node in around.layers and around.layers[node][0] == "relu":
            step = f.Map(STEP, around.layers[node][1])
            return rng.choice([node * step, node + (1 - step) * node, around.layers[node][1] * step])
    return None


@entry(REWRITINGS)
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


@entry(REWRITINGS)
def identity_multiplied(node: Formula, around: Around, rng: random.Random) -> Formula | None:
    size = size_of(node)
    if size is None or ONE in size:
        return None
    left, right = (f.Diagonal(f.Ones((n, ONE))) for n in size)
    return f.Product((left, node)) if rng.random() < 0.5 else f.Product((node, right))


@entry(REWRITINGS)
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
        v = applied(REWRITINGS, v, around, rng)[1]
    return f.Add((node, u, f.Negative(v)))

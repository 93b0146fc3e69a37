"""At least one hand-made formula for each node, of rectangular symbolic sizes, and exact values for what is in them."""

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy
from exact import Env

from symbackprop.algebra import formula as f
from symbackprop.algebra import functions
from symbackprop.algebra.formula import ONE, Formula, Function

n, p, q, i, j = sympy.symbols("n_1 n_2 n_3 i j")
SIZES = {"n_1": 2, "n_2": 3, "n_3": 4}

U, V, P = (f.Symbol(name, (n, p)) for name in "UVP")  # P is positive
W, D = f.Symbol("W", (p, q), sympy.Integer(1)), f.Symbol("D", (q, q))
u, v = (f.Symbol(name, (n, ONE)) for name in "uv")
r = f.Symbol("r", (ONE, p))
s = f.Symbol("s")  # 1 x 1
ARRAYS = (U, V, P, W, D, u, v, r, s)

SIGMA = Function("sigma", r"\sigma")
c = f.Scalar("c")
J = f.Symbol("J")


def opaque_loss(a: list, y: list) -> Any:
    """sum_i a_i^2 y_i + a_i a_{i+1}, i + 1 cyclic."""
    return sum((a[k] * a[k] * y[k] + a[k] * a[k - 1] for k in range(len(a))), Fraction(0))


def opaque_gradient(a: list, y: list) -> list:
    return [2 * a[k] * y[k] + a[k - 1] + a[(k + 1) % len(a)] for k in range(len(a))]


OPAQUE_SIGMA = [lambda x: x * x * x / 3 + x, lambda x: x * x + 1, lambda x: 2 * x]

EXAMPLES: dict[str, Formula] = {
    "Number": f.Number(Fraction(3, 7)),
    "Number, negative": f.Number(Fraction(-2)),
    "Scalar": c,
    "Symbol": U,
    "Symbol with a layer": W,
    "Ones": f.Ones((n, p)),
    "Unit": f.Unit(sympy.Integer(2), n),
    "Negative": -U,
    "Negative of a sum": -(U + V),
    "Add": U - V,
    "Add, a number": 1 - U,
    "Add, a scalar array": U + s + V,
    "Add, twice the same": U + U,
    "Product": U @ W,
    "Product, scalars": f.Product((c, s, U, W)),
    "Product, a fraction": f.Product((1 / c, U - V)),
    "Product, a number before a sum": f.Product((f.formula(2), U + V)),
    "Product of three": f.Product((W.T, U.T, V)),
    "Product, an inner product inside": f.Product((U, W, W.T, u.T, v)),
    "Product, an inner product before": f.Product((u.T, v, U)),
    "Product, an inner product": u.T @ v,
    "Product, an outer product": u @ r,
    "Product, a square twice": D @ D,
    "Product, one thrice": f.Product((U, U.T, U)),
    "Product, repeated along": u @ f.Ones((ONE, p)),
    "Product, repeated down": f.Ones((n, ONE)) @ r,
    "Product, summed along": U @ f.Ones((p, ONE)),
    "Product, summed down": f.Ones((ONE, n)) @ U,
    "Hadamard": U * V,
    "Hadamard, scalars": s * U * c * V,
    "Hadamard, a square": U * U,
    "Hadamard, all scalars": s * c * s,
    "Quotient": U / P,
    "Quotient, of scalars": c / s,
    "Quotient, scalar above": s / P,
    "Quotient, scalar below": (U - V) / s,
    "Quotient, itself above": P / (P + 1),
    "Power": U**3,
    "Power, square": (U - V) ** 2,
    "Power, first": U ** f.formula(1),
    "Power, reciprocal": P**-2,
    "Power, root": P ** Fraction(1, 2),
    "Power, a named exponent": P**c,
    "Power, of a scalar": s**2,
    "Transpose": U.T,
    "Transpose of a product": (U @ W).T,
    "Transpose of a row": r.T,
    "Map": f.Map(functions.TANH, U),
    "Map, opaque": f.Map(SIGMA, U),
    "Map, opaque derivative": f.Map(SIGMA, U, 1),
    "Map, of a scalar": f.Map(SIGMA, s),
    "Map, of a scalar, derivative": f.Map(SIGMA, s, 1),
    **{f"Map, {name}": f.Map(function, P) for name, function in functions.FUNCTIONS.items()},
    "Softmax": f.Softmax(U, 0),
    "Softmax, rows": f.Softmax(U, 1),
    "Softmax, logarithm": f.Softmax(U, 0, log=True),
    "Softmax, logarithm, rows": f.Softmax(U, 1, log=True),
    "Softmax, one column": f.Softmax(u, 0),
    "Softmax, one row": f.Softmax(r, 1),
    "OpaqueLoss": f.OpaqueLoss("C", U, V, 0),
    "OpaqueLoss, rows": f.OpaqueLoss("C", U, V, 1),
    "OpaqueLoss, one column": f.OpaqueLoss("C", u, v, 0),
    "OpaqueLoss, gradient": f.OpaqueLoss("C", U, V, 0, gradient=True),
    "OpaqueLoss, gradient, rows": f.OpaqueLoss("C", U, V, 1, gradient=True),
    "Total": f.Total(U),
    "Total, down": f.Total(U, 0),
    "Total, along": f.Total(U, 1),
    "Norm": f.Norm(U, 2, 2),
    "Norm, of a column": f.Norm(u, 2, 2),
    "Norm, absolute": f.Norm(U, 1, 1),
    "Norm, a root": f.Norm(U, 2, 1),
    "Norm, absolute, squared": f.Norm(U, 1, 2),
    "Diagonal": f.Diagonal(u),
    "Diagonal of a row": f.Diagonal(r),
    "Entry": f.Entry(U, sympy.Integer(2), sympy.Integer(3)),
    "Entry, named": f.Entry(U, i, j + 1),
    "Entry of a product": f.Entry(U @ W, i, j + 1),
    "Entry of a softmax": f.Entry(f.Softmax(U, 0), i, j),
    "IndexSum": f.IndexSum(f.Product((f.Entry(u, i, ONE), V)), i, ONE, n),
    "IndexSum of entries": f.IndexSum(f.Entry(W, j, i + 1) * f.Entry(r, ONE, i), i, ONE, p),
    "IndexSum, in part": f.IndexSum(f.Entry(u, i, ONE) * f.Entry(u, i - 1, ONE), i, ONE + 1, n),
    "IndexSum of products": f.IndexSum(f.Entry(U @ W, i, j) * V, i, ONE, n),
    "IndexSum in another": f.IndexSum(f.IndexSum(f.Entry(U, i, j) * f.Entry(V, i, j), j, ONE, p), i, ONE, n),
    "Kronecker": f.Kronecker(i, sympy.Integer(2)),
    "Kronecker, unequal": f.Kronecker(i, j + 1),
    "Derivative": f.Derivative(J, U),
}


def environment(seed: int = 0) -> Env:
    """Small rationals, of both signs except where a positive one is needed; i = 2 and j = 2."""
    rng = random.Random(seed)

    def entry(positive: bool) -> Fraction:
        return Fraction(rng.randint(1, 19), rng.choice((2, 3, 5, 7))) * (1 if positive else rng.choice((1, -1)))

    def rows(symbol: f.Symbol) -> list[list[Fraction]]:
        height, width = (SIZES.get(str(size), 1) for size in symbol.shape)
        return [[entry(symbol in (P, s)) for _ in range(width)] for _ in range(height)]

    arrays = {symbol.name: rows(symbol) for symbol in ARRAYS} | {"dJ_dU": rows(U)}
    scalars = SIZES | {"c": Fraction(5, 3), "i": 2, "j": 2}
    return Env(arrays, scalars, {"sigma": list(OPAQUE_SIGMA)}, {"C": (opaque_loss, opaque_gradient)})


def random_formula(rng: random.Random, size: f.Shape, depth: int) -> Formula:
    """A rational formula of the given shape."""
    sizes = (n, p, ONE)

    def of(rows: sympy.Expr, columns: sympy.Expr) -> Formula:
        return random_formula(rng, (rows, columns), depth - 1)

    here = [symbol for symbol in ARRAYS if symbol.shape == size]
    if depth == 0:
        return rng.choice(here) if here else f.Ones(size)
    rows, columns = size
    inner = rng.choice(sizes)
    choices: list[Callable[[], Formula]] = [
        lambda: of(rows, columns) - of(rows, columns),
        lambda: of(rows, columns) * of(rows, columns),
        lambda: f.Product((of(rows, inner), of(inner, columns))),
        lambda: of(columns, rows).T,
        lambda: f.Map(SIGMA, of(rows, columns)),
        lambda: of(rows, columns) ** 2,
        lambda: f.Product((of(ONE, ONE), of(rows, columns))),
        lambda: of(rows, columns) + of(ONE, ONE),
        lambda: of(rows, columns) / (f.Norm(of(inner, columns), 2, 2) + 1),
    ]
    if columns == ONE:
        choices += [lambda: f.Total(of(rows, inner), 1), lambda: f.Product((f.Diagonal(of(rows, ONE)), of(rows, ONE)))]
    if rows == ONE:
        choices += [lambda: f.Total(of(inner, columns), 0)]
    if size == f.SCALAR:
        choices += [lambda: f.Total(of(n, p)), lambda: f.Entry(of(n, p), ONE, ONE + 1)]
    return rng.choice(choices)()

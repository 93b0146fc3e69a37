"""An independent decider of claims about gradients of dense networks.

A claim is evaluated at random points of the integers modulo a prime that satisfy every relation between the arrays, and
compared there with the truth, which is found by forward differentiation of the definition: one pass of dual numbers,
with all directions at once. Nothing is shared with the package's prover; formulas are only read, node by node.

A scalar function is a table that is filled as it is asked: its value and slope at a new argument are random, as far as
its identities leave them free. exp has E(-z) = 1/E(z) and E(2z) = E(z)^2, sigmoid is E/(1 + E), tanh the same of E(2z);
step is 0 or 1 with step(-z) = 1 - step(z) and step(0) = 0, relu is z step(z), softplus has L(z) - L(-z) = z. What is
equal for real numbers by an inequality only, such as step(sigmoid(z)) = 1, comes out as different: ``reals`` has the
last word on those.

Two unequal values show that a claim is false. Equal values at several points of several sizes show with overwhelming
probability that it is true: the degree over the prime, for each.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from functools import cached_property, partial
from typing import Any

import numpy as np
import sympy

from symbackprop import Network
from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula

P = 2**31 - 1
LARGEST = 8


class Answer(Enum):
    TRUE = "true"
    FALSE = "false"
    MISSHAPEN = "misshapen"
    UNDEFINED = "undefined"  # somewhere a denominator is 0 on a whole part of the variety


class NonconformingError(Exception):
    """Two arrays do not conform."""


class PoleError(Exception):
    """A denominator is 0."""


class NotCoveredError(Exception):
    """A function or node that this decider does not know."""


def _inverse(v: int) -> int:
    if v % P == 0:
        raise PoleError
    return pow(v, P - 2, P)


def _times(u: Any, v: Any) -> Any:
    """The matrix product, over any leading axes."""
    return ((u[..., :, :, None] * v[..., None, :, :]) % P).sum(axis=-2) % P


# ---------------------------------------------------------------------------- functions
@dataclass
class Functions:
    """Scalar functions on the variety of their identities, each a table by argument."""

    rng: random.Random
    tables: dict[str, dict[Any, Any]] = field(default_factory=dict)

    def free(self) -> int:
        return self.rng.randrange(2, P - 2)

    def _table(self, name: str) -> dict[Any, Any]:
        return self.tables.setdefault(name, {})

    def opaque(self, name: str, order: int, z: int) -> int:
        return int(self._table(f"{name}{order}").setdefault(z, self.free()))

    def exp(self, z: int) -> int:
        """Kept as a fourth power's root, so that E(z/2) and E(z/4) exist when they are asked for later."""
        if z == 0:
            return 1
        table = self._table("exp")
        for doublings in range(3):
            near = z * pow(2, doublings, P) % P
            if near in table:
                return pow(table[near], 4 >> doublings, P)
            if P - near in table:
                return _inverse(pow(table[P - near], 4 >> doublings, P))
        for halvings in range(1, 3):
            near = z * pow(_inverse(2), halvings, P) % P
            if near in table:
                return pow(table[near], 4 << halvings, P)
            if P - near in table:
                return _inverse(pow(table[P - near], 4 << halvings, P))
        table[z] = self.free()
        return pow(table[z], 4, P)

    def step(self, z: int) -> int:
        if z == 0:
            return 0
        table = self._table("step")
        if P - z in table:
            return 1 - int(table[P - z])
        return int(table.setdefault(z, int(self.rng.random() < 0.6)))

    def keep_positive(self, array: Any) -> None:
        """Where the loss needs predictions between 0 and 1, no gate is closed before them."""
        for z in array.ravel().tolist():
            self._table("step").update({z: 1, (z + 1) % P: 1, (1 - z) % P: 1})

    def sign(self, z: int) -> int:
        return 0 if z == 0 else (2 * self.step(z) - 1) % P

    def sigmoid(self, z: int) -> int:
        e = self.exp(z)
        return e * _inverse(1 + e) % P

    def tanh(self, z: int) -> int:
        e = self.exp(2 * z % P)
        return (e - 1) * _inverse(e + 1) % P

    def softplus(self, z: int) -> int:
        table = self._table("softplus")
        if P - z in table:
            return int(table[P - z] + z) % P
        return int(table.setdefault(z, self.free()))

    def inside(self, low: int, high: int, z: int) -> int:
        """1 where low < z < high."""
        return self.step((z - low) % P) * self.step((high - z) % P)

    def value(self, function: f.Function, order: int, z: int) -> int:
        """The value or the slope of a function of the package at z."""
        name = function.name
        if name == "interval" and order == 0:
            low, high = (bound.rhs if bound.rhs.is_number else bound.lhs for bound in _bounds(function))
            return self.inside(int(low), int(high), z)
        if function.definition is None or name in ("gelu", "gelu_tanh", "mish"):
            return self.opaque(name, order, z)
        if order > 1 or (name, order) not in _RULES:
            raise NotCoveredError(f"{name}, derivative {order}")
        return _RULES[name, order](self, z) % P

    def softmax(self, column: tuple[int, ...]) -> list[int]:
        """e^z over its sum; by differences to the first, so that a number added to all changes nothing."""
        powers = [self.exp((z - column[0]) % P) for z in column]
        total = _inverse(sum(powers))
        return [p * total % P for p in powers]


def _bounds(function: f.Function) -> Any:
    """low < z and z < high, in this order."""
    assert function.definition is not None
    return sorted(function.definition.args[0][1].args, key=lambda u: isinstance(u, sympy.StrictLessThan))


def _silu_slope(t: Functions, z: int) -> int:
    s = t.sigmoid(z)
    return s + z * s % P * (1 - s)


def _sigmoid_slope(t: Functions, z: int) -> int:
    s = t.sigmoid(z)
    return s * (1 - s)


def _softsign(t: Functions, z: int) -> int:
    return _inverse(1 + z * t.sign(z))


def _softsign_value(t: Functions, z: int) -> int:
    """Its sign is that of z."""
    a = z * _softsign(t, z) % P
    t._table("step").setdefault(a, t.step(z))
    return a


_RULES: dict[tuple[str, int], Callable[[Functions, int], int]] = {
    ("exp", 0): Functions.exp,
    ("exp", 1): Functions.exp,
    ("log", 0): lambda t, z: t.opaque("log", 0, z),
    ("log", 1): lambda t, z: _inverse(z),
    ("tanh", 0): Functions.tanh,
    ("tanh", 1): lambda t, z: 1 - t.tanh(z) ** 2,
    ("sigmoid", 0): Functions.sigmoid,
    ("sigmoid", 1): _sigmoid_slope,
    ("step", 0): Functions.step,
    ("step", 1): lambda t, z: 0,
    ("sign", 0): Functions.sign,
    ("sign", 1): lambda t, z: 0,
    ("abs", 0): lambda t, z: z * t.sign(z),
    ("abs", 1): Functions.sign,
    ("positive_part", 0): lambda t, z: z * t.step(z),
    ("positive_part", 1): Functions.step,
    ("relu", 0): lambda t, z: z * t.step(z),
    ("relu", 1): Functions.step,
    ("leaky_relu", 0): lambda t, z: z * (t.step(z) + (1 - t.step(z)) * _inverse(100)),
    ("leaky_relu", 1): lambda t, z: t.step(z) + (1 - t.step(z)) * _inverse(100),
    ("elu", 0): lambda t, z: z if t.step(z) else t.exp(z) - 1,
    ("elu", 1): lambda t, z: 1 if t.step(z) else t.exp(z),
    ("softplus", 0): Functions.softplus,
    ("softplus", 1): Functions.sigmoid,
    ("log1pexp", 0): Functions.softplus,
    ("log1pexp", 1): Functions.sigmoid,
    ("softsign", 0): _softsign_value,
    ("softsign", 1): lambda t, z: _softsign(t, z) ** 2,
    ("silu", 0): lambda t, z: z * t.sigmoid(z),
    ("silu", 1): _silu_slope,
    ("hardtanh", 0): lambda t, z: z if t.inside(-1, 1, z) else t.sign(z),
    ("hardtanh", 1): lambda t, z: t.inside(-1, 1, z),
}

COVERED = frozenset(
    {"identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "softsign", "silu", "gelu", "gelu_tanh"}
    | {"mish", "hardtanh", "softmax", "generic"}
)


# ---------------------------------------------------------------------------- the network
def _loss_slope(t: Functions, loss: str, a: int, y: int) -> int:
    """dL/da for one output; without the factor of a loss that takes a mean."""
    match loss:
        case "squared_error" | "mean_squared_error":
            return 2 * (a - y)
        case "half_squared_error":
            return a - y
        case "absolute_error":
            return t.sign((a - y) % P)
        case "log_cosh":
            return t.tanh((a - y) % P)
        case "binary_cross_entropy":
            return (1 - y) * _inverse(1 - a) - y * _inverse(a)
        case "log_likelihood":
            return y * _inverse(a) - (1 - y) * _inverse(1 - a)
        case "cross_entropy" | "kl_divergence":
            return -y * _inverse(a)
        case "poisson":
            return 1 - y * _inverse(a)
        case "binary_cross_entropy_with_logits":
            return t.sigmoid(a) - y
        case "negative_log_likelihood":
            return -y
        case "hinge":
            return -y * t.step((1 - y * a) % P)
        case "squared_hinge":
            return -2 * y * (1 - y * a) % P * t.step((1 - y * a) % P)
    raise NotCoveredError(loss)


AGAINST_A_DISTRIBUTION = (
    "cross_entropy",
    "cross_entropy_with_logits",
    "negative_log_likelihood",
    "kl_divergence",
)


@dataclass
class Point:
    """A network at random field elements: its sizes, every named array, and the derivative of J by each of them."""

    sizes: dict[str, int]
    rates: dict[str, int]
    functions: Functions
    arrays: dict[str, Any]
    truths: dict[str, Any]


def _each(array: Any, change: Callable[[int], int]) -> Any:
    flat = [change(v) % P for v in array.ravel().tolist()]
    return np.array(flat, dtype=np.int64).reshape(array.shape)


@dataclass
class Decider:
    """Answers for one network. ``of`` names what a claim is for: "W1", "b2", "Delta1", "dA1", "dX", "Z1"."""

    net: Network
    seed: int = 0
    _points: dict[int, Point] = field(default_factory=dict)

    @cached_property
    def _symbols(self) -> list[str]:
        model = self.net.model
        found = {str(n) for n in (*model.sizes, model.frame.samples) if n is not None and n.is_Symbol}
        return sorted(found)

    def sizes(self, number: int) -> dict[str, int]:
        """All different and more than 1 at first, in another order at each point; later any."""
        rng = random.Random(f"{self.seed}/{number}/sizes")
        names = self._symbols
        if number < 3 and len(names) <= LARGEST - 1:
            return dict(zip(names, rng.sample(range(2, LARGEST + 1), len(names)), strict=True))
        return {name: rng.randint(2, 4) for name in names}

    def point(self, number: int) -> Point:
        if number not in self._points:
            for attempt in range(20):
                try:
                    self._points[number] = self._drawn(number, attempt)
                    break
                except PoleError:
                    continue
        return self._points[number]

    def _drawn(self, number: int, attempt: int) -> Point:
        model, rng = self.net.model, random.Random(f"{self.seed}/{number}/{attempt}")
        sizes, t = self.sizes(number), Functions(rng)
        frame = model.frame

        def count(size: Any) -> int:
            return sizes[str(size)] if size.is_Symbol else int(size)

        def draw(rows: int, columns: int) -> Any:
            return np.array([[t.free() for _ in range(columns)] for _ in range(rows)], dtype=np.int64)

        batch = frame.samples is not None
        m = count(frame.samples) if batch else 1
        n = [count(size) for size in model.sizes]
        rates: dict[str, int] = {}
        penalties = []
        for rate in (model.l1, model.l2):
            if rate is not None and rate.is_Symbol:
                rates[str(rate)] = t.free()
                penalties.append(rates[str(rate)])
            else:
                penalties.append(0 if rate is None else int(rate.p) * _inverse(int(rate.q)) % P)
        l1, l2 = penalties

        Ws = [draw(n[k], n[k - 1]) for k in range(1, len(n))]
        bs = [draw(n[k], 1) if layer.bias else None for k, layer in enumerate(model.layers, 1)]
        X, Y = draw(n[0], m), draw(n[-1], m)
        if model.loss.name in AGAINST_A_DISTRIBUTION and not model.any_labels:
            Y[-1] = (1 - Y[:-1].sum(axis=0)) % P
        if model.loss.name in ("hinge", "squared_hinge"):
            Y = _each(Y, lambda _: rng.choice((1, -1)))

        # Directions: every entry of every parameter, then of every Z and every A, which get a disturbance of their own.
        shapes = [("W", k, W.shape) for k, W in enumerate(Ws, 1)]
        shapes += [("b", k, b.shape) for k, b in enumerate(bs, 1) if b is not None]
        shapes += [("X", 0, X.shape), *((letter, k, (n[k], m)) for k in range(1, len(n)) for letter in "ZA")]
        starts, total = {}, 0
        for letter, k, (rows, columns) in shapes:
            starts[letter, k] = total
            total += rows * columns

        def seeds(letter: str, k: int, like: Any) -> Any:
            out = np.zeros((total, *like.shape), dtype=np.int64)
            start = starts[letter, k]
            for at in range(like.size):
                out[(start + at, *divmod(at, like.shape[1]))] = 1
            return out

        arrays: dict[str, Any] = {}
        A, dA, slope = X, seeds("X", 0, X), np.zeros(total, dtype=np.int64)
        for k, layer in enumerate(model.layers, 1):
            W, b = Ws[k - 1], bs[k - 1]
            dW = seeds("W", k, W)
            Z = _times(W, A)
            dZ = (_times(dW, A[None]) + _times(W[None], dA) + seeds("Z", k, Z)) % P
            if b is not None:
                Z = (Z + b) % P
                dZ = (dZ + seeds("b", k, b)) % P
            name, function = layer.activation.name, layer.activation.function
            if name == "identity":
                new, dnew = Z, dZ
            elif name == "softmax":
                new = np.array([t.softmax(tuple(c)) for c in Z.T.tolist()], dtype=np.int64).T
                inner = (new * dZ % P).sum(axis=1, keepdims=True) % P
                dnew = new * ((dZ - inner) % P) % P
            elif name in COVERED:
                if k == len(n) - 1 and model.loss.above == 0:
                    t.keep_positive(Z)
                new, rate = (_each(Z, partial(t.value, function, order)) for order in (0, 1))
                dnew = rate * dZ % P
            else:
                raise NotCoveredError(name)
            A, dA = new, (dnew + seeds("A", k, Z)) % P
            entries = W.ravel().tolist()
            signs = np.array([l1 * t.sign(w) % P if l1 else 0 for w in entries], dtype=np.int64).reshape(W.shape)
            by_weight = (signs + l2 * W) % P
            slope = (slope + (by_weight * dW % P).sum(axis=(1, 2))) % P
            arrays |= {f"Z{k}": Z, f"A{k}": A}

        loss = model.loss.name
        if loss == "generic":
            by_output = np.zeros_like(A)
            for i in range(m):
                key = (tuple(A[:, i].tolist()), tuple(Y[:, i].tolist()))
                by_output[:, i] = [t.opaque("grad C", r, key) for r in range(n[-1])]  # type: ignore[arg-type]
        elif loss == "cross_entropy_with_logits":
            by_output = (np.array([t.softmax(tuple(c)) for c in A.T.tolist()], dtype=np.int64).T - Y) % P
        else:
            pairs = zip(A.ravel().tolist(), Y.ravel().tolist(), strict=True)
            flat = [_loss_slope(t, loss, a, y) % P for a, y in pairs]
            by_output = np.array(flat, dtype=np.int64).reshape(A.shape)
        scale = _inverse(m * (n[-1] if loss == "mean_squared_error" else 1))
        slope = (slope + (by_output * dA % P).sum(axis=(1, 2)) % P * scale) % P

        def laid(array: Any, weight: bool = False) -> Any:
            turned = frame.in_by_out if weight else batch and frame.rows
            return array.T if turned else array

        case = str.upper if batch else str.lower
        arrays = {case(name): laid(array) for name, array in arrays.items()}
        arrays |= {case("x"): laid(X), case("y"): laid(Y)}
        arrays |= {f"W{k}": laid(W, True) for k, W in enumerate(Ws, 1)}
        arrays |= {f"b{k}": b for k, b in enumerate(bs, 1) if b is not None}
        truths = {}
        for letter, k, (rows, columns) in shapes:
            start = starts[letter, k]
            gradient = slope[start : start + rows * columns].reshape(rows, columns)
            if letter == "X":
                truths[f"d{case(letter)}"] = laid(gradient)
            elif letter in "Wb":
                truths[f"{letter}{k}"] = laid(gradient, True) if letter == "W" else gradient
            else:
                truths[f"d{case(letter)}{k}"] = laid(gradient)
                truths[f"{case(letter)}{k}"] = arrays[f"{case(letter)}{k}"]
                if letter == "Z":
                    name = f"Delta{k}" if batch else f"delta{k}"
                    truths[name] = arrays[name] = laid(gradient)
        return Point(sizes, rates, t, arrays, truths)

    def agrees(self, claim: Formula, of: str, number: int) -> bool:
        """Whether claim and truth agree at a point."""
        point = self.point(number)
        got, want = value(claim, point), point.truths[of]
        if got.shape != want.shape:
            raise NonconformingError(f"{got.shape}, not {want.shape}")
        return bool((got == want).all())

    def decide(self, claim: Formula, of: str, points: int = 4) -> Answer:
        """The answer after as many points, at most: the first difference settles it."""
        undefined = 0
        for number in range(points):
            try:
                if not self.agrees(claim, of, number):
                    return Answer.FALSE
            except NonconformingError:
                return Answer.MISSHAPEN
            except PoleError:
                undefined += 1
        return Answer.UNDEFINED if undefined else Answer.TRUE


# ---------------------------------------------------------------------------- formulas
def _whole(size: Any, point: Point, bound: dict[str, int]) -> int:
    expr = sympy.sympify(size)
    if expr.is_Integer:
        return int(expr)
    if expr.is_Symbol:
        return bound[expr.name] if expr.name in bound else point.sizes[expr.name]
    return int(
        expr.xreplace({s: sympy.Integer(bound.get(s.name, point.sizes.get(s.name, 0))) for s in expr.free_symbols})
    )


def _scalar(v: int) -> Any:
    return np.array([[v % P]], dtype=np.int64)


def _beside(u: Any, v: Any) -> None:
    if u.shape != v.shape and (1, 1) not in (u.shape, v.shape):
        raise NonconformingError(f"{u.shape} beside {v.shape}")


def value(node: Formula, point: Point, bound: dict[str, int] | None = None) -> Any:
    """A 2-D array of field elements; raises NonconformingError, PoleError, NotCoveredError."""
    bound = bound or {}

    def of(child: Formula) -> Any:
        return value(child, point, bound)

    match node:
        case f.Number(Fraction() as v):
            return _scalar(v.numerator * _inverse(v.denominator))
        case f.Scalar(name):
            return _scalar(bound.get(name, point.sizes.get(name, point.rates.get(name, -1))))
        case f.Symbol():
            if node.name not in point.arrays:
                raise NotCoveredError(node.name)
            return point.arrays[node.name]
        case f.Ones(shape):
            return np.ones([_whole(n, point, bound) for n in shape], dtype=np.int64)
        case f.Unit(index, size):
            out = np.zeros((_whole(size, point, bound), 1), dtype=np.int64)
            out[_whole(index, point, bound) - 1] = 1
            return out
        case f.Negative(arg):
            return -of(arg) % P
        case f.Add(terms):
            return _folded([of(u) for u in terms], lambda u, v: (u + v) % P)
        case f.Hadamard(factors):
            return _folded([of(u) for u in factors], lambda u, v: u * v % P)
        case f.Quotient(top, bottom):
            return _folded([of(top), _each(of(bottom), _inverse)], lambda u, v: u * v % P)
        case f.Power(base, f.Number(e)) if e.denominator == 1:
            whole = int(e)
            return _each(of(base), lambda v: pow(v, whole, P) if whole >= 0 else pow(_inverse(v), -whole, P))
        case f.Product(factors):
            return _product([of(u) for u in factors])
        case f.Transpose(arg):
            return of(arg).T
        case f.Map(function, arg, order):
            return _each(of(arg), lambda v: point.functions.value(function, order, v))
        case f.Softmax(arg, axis, False):
            inner = of(arg)
            lines = (inner if axis else inner.T).tolist()
            out = np.array([point.functions.softmax(tuple(c)) for c in lines], dtype=np.int64)
            return out if axis else out.T
        case f.OpaqueLoss(_, prediction, target, axis, True):
            a, y = (of(u) if axis else of(u).T for u in (prediction, target))
            if a.shape != y.shape:
                raise NonconformingError(f"a loss of {a.shape} and {y.shape}")
            keys = [(tuple(p), tuple(q)) for p, q in zip(a.tolist(), y.tolist(), strict=True)]
            lines = [[point.functions.opaque("grad C", r, key) for r in range(len(key[0]))] for key in keys]  # type: ignore[arg-type]
            out = np.array(lines, dtype=np.int64)
            return out if axis else out.T
        case f.Total(arg, axis):
            return _scalar(int(of(arg).sum())) if axis is None else of(arg).sum(axis=axis, keepdims=True) % P
        case f.Norm(arg, 2, 2):
            return _scalar(int((of(arg) ** 2 % P).sum()))
        case f.Diagonal(arg):
            inner = of(arg)
            if 1 not in inner.shape:
                raise NonconformingError(f"a diagonal of {inner.shape}")
            return np.diagflat(inner)
        case f.Entry(arg, row, column):
            inner, i, j = of(arg), _whole(row, point, bound), _whole(column, point, bound)
            if not (1 <= i <= inner.shape[0] and 1 <= j <= inner.shape[1]):
                raise NonconformingError("an index outside")
            return inner[i - 1 : i, j - 1 : j]
        case f.IndexSum(body, index, lower, upper):
            span = range(_whole(lower, point, bound), _whole(upper, point, bound) + 1)
            return _folded([value(body, point, {**bound, index.name: i}) for i in span], lambda u, v: (u + v) % P)
        case f.Kronecker(left, right):
            return _scalar(int(_whole(left, point, bound) == _whole(right, point, bound)))
    raise NotCoveredError(type(node).__name__)


def _folded(arrays: list[Any], combine: Callable[[Any, Any], Any]) -> Any:
    total = arrays[0]
    for array in arrays[1:]:
        _beside(total, array)
        total = combine(total, array)
    return total


def _product(arrays: list[Any]) -> Any:
    """1 x 1 factors go anywhere; the others are multiplied from the left, and what becomes 1 x 1 goes anywhere too."""
    scalars, chains = [], []
    for array in arrays:
        if array.shape == (1, 1):
            scalars.append(array)
        elif chains and chains[-1].shape[1] == array.shape[0]:
            chains[-1] = _times(chains[-1], array)
        else:
            chains.append(array)
    if sum(c.shape != (1, 1) for c in chains) > 1:
        raise NonconformingError(f"{[c.shape for c in chains]} do not conform")
    return _folded([*scalars, *chains], lambda u, v: u * v % P)


def subjects(net: Network) -> Iterator[tuple[str, Formula]]:
    """What claims can be for: parameters and errors, with the formulas that the package derives for them."""
    d = net.derive()
    for name in d.formulas:
        yield name, d.formula(name)
    for symbol, formula in d.backward.errors.items():
        yield symbol.name, formula

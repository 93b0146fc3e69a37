"""Independent truth for the loss J of a dense network and for every entry of its gradient.

Nothing here uses backpropagation.  Route 1 (`symbolic_gradients`) writes J out in scalar SymPy symbols, index by
index, and calls `sympy.diff`.  Route 2 (`numeric_gradients`) runs the matrix definition on dual numbers, one parameter
entry at a time.  The two routes share the conventions below and no formula: each has its own table of functions.

Conventions
    one example (m=None)  x (n_0, 1), y (n_L, 1), names z1, a1, ...; always columns
    batch, columns        X (n_0, m), Y (n_L, m), names Z1, A1, ...     Z = W A + b 1^T
    batch, rows           X (m, n_0), Y (m, n_L)                        Z = A W^T + 1 b^T
    W_l                   (n_l, n_{l-1}) for "out x in"; (n_{l-1}, n_l) for "in x out", then W^T stands for W above
    b_l                   (n_l, 1) always
    J                     mean over the samples of the loss L, which sums over the outputs; plus, once,
                          (l2/2) sum W^2 + l1 sum |W| over all layers; biases are not penalised
    kinks                 relu'(0) = 0, leaky_relu'(0) = 1/100, |.|'(0) = 0, and 0 at both ends of a clipped range
    logarithms            a point that takes the log of a number <= 0 raises ValueError
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import mpmath
import sympy as sp
from mpmath import mpf

DPS = 30
SELU_SCALE = "1.0507009873554804934193349852946"
SELU_ALPHA = "1.6732632423543772848170429916717"

Nested = list[list[Any]]
Point = dict[str, Nested]
Symbolic = tuple[sp.Expr, Point, Point]


@dataclass(frozen=True)
class Spec:
    """A network and its loss.  bias=() means a bias in every layer; a float penalty 0.1 is read as exactly 1/10."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    m: int | None = None
    samples: str = "columns"
    weights: str = "out x in"
    bias: tuple[bool, ...] = ()
    l1: float | str | Fraction | None = None
    l2: float | str | Fraction | None = None

    def __post_init__(self) -> None:
        if not self.bias:
            object.__setattr__(self, "bias", (True,) * self.depth)
        if not self.depth == len(self.activations) == len(self.bias) or self.depth < 1:
            raise ValueError("sizes must be one longer than activations and bias")
        if unknown := [a for a in self.activations if a not in ACTIVATIONS] + [self.loss] * (self.loss not in LOSSES):
            raise ValueError(f"unknown: {unknown}")
        if self.samples not in ("columns", "rows") or self.weights not in ("out x in", "in x out"):
            raise ValueError(f"unknown layout: {self.samples!r}, {self.weights!r}")

    @property
    def depth(self) -> int:
        return len(self.sizes) - 1

    @property
    def rows(self) -> bool:
        """Whether a sample is a row; never so for one example."""
        return self.m is not None and self.samples == "rows"

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters, W1, b1, W2, ..., without the biases that are switched off."""
        return [k for n, has in enumerate(self.bias, 1) for k in (f"W{n}", f"b{n}")[: 1 + has]]

    def name(self, letter: str) -> str:
        """X, Y, Z or A for a batch, the lowercase letter for one example."""
        return letter if self.m is not None else letter.lower()

    def shape(self, name: str) -> tuple[int, int]:
        """Shape of a parameter, of the input or of the target."""
        if name in "XxYy":
            sample = (self.sizes[0 if name in "Xx" else -1], self.m or 1)
            return sample[::-1] if self.rows else sample
        n = int(name[1:])
        if name[0] == "b":
            return self.sizes[n], 1
        return (self.sizes[n], self.sizes[n - 1])[:: 1 if self.weights == "out x in" else -1]


def _transpose(matrix: Nested) -> Nested:
    return [list(row) for row in zip(*matrix, strict=True)]


def _fraction(value: float | str | Fraction | None) -> Fraction:
    return Fraction(0) if value is None else Fraction(str(value))


def _number(value: Any) -> mpf:
    """`value` as an mpf at the working precision."""
    return mpf(int(value.numerator)) / int(value.denominator) if hasattr(value, "numerator") else mpf(value)


# ---------------------------------------------------------------------------- the opaque functions, made concrete
def generic_activation(z: Any, lib: Any = mpmath) -> Any:
    """The stand-in for an opaque activation, sin(z) + z/2; pass lib=sympy for a SymPy argument."""
    return lib.sin(z) + z / 2


def generic_activation_derivative(z: Any, lib: Any = mpmath) -> Any:
    """cos(z) + 1/2."""
    return lib.cos(z) + lib.cos(0) / 2


def generic_loss(a: list[Any], y: list[Any], lib: Any = mpmath) -> Any:
    """The stand-in for an opaque loss of one sample, sum_i exp(a_i/2) - a_i y_i + a_i a_{i+1} / 3, i + 1 cyclic."""
    return sum(lib.exp(p / 2) - p * t + p * q / 3 for p, q, t in zip(a, a[1:] + a[:1], y, strict=True))


def generic_loss_gradient(a: list[Any], y: list[Any], lib: Any = mpmath) -> list[Any]:
    """The derivative of `generic_loss` with respect to each a_i."""
    n = len(a)
    return [lib.exp(a[i] / 2) / 2 - y[i] + (a[(i + 1) % n] + a[i - 1]) / 3 for i in range(n)]


# ---------------------------------------------------------------------------- route 1: SymPy, index by index
class Where(sp.Function):
    """Where(u, yes, no) is Piecewise((yes, u > 0), (no, True)), differentiated case by case.

    SymPy's own Piecewise rearranges its nests and conditions at every step, which is slow and, where a condition
    holds another Piecewise, leaves ITE behind; expr.rewrite(sympy.Piecewise) turns to it.
    """

    nargs = 3

    @classmethod
    def eval(cls, u: sp.Expr, yes: sp.Expr, no: sp.Expr) -> sp.Expr | None:
        return (yes if u.is_positive else no) if u.is_number else None

    def _eval_derivative(self, x: sp.Symbol) -> sp.Expr:
        return Where(self.args[0], sp.diff(self.args[1], x), sp.diff(self.args[2], x))

    def _eval_rewrite_as_Piecewise(self, u: sp.Expr, yes: sp.Expr, no: sp.Expr, **_: Any) -> sp.Expr:
        return sp.Piecewise((yes, u > 0), (no, True))


def _s_clip(z: sp.Expr, low: int, high: int, inside: sp.Expr, below: int, above: int) -> sp.Expr:
    return Where(z - low, Where(high - z, inside, above), below)


def _s_abs(r: sp.Expr) -> sp.Expr:
    return Where(r, r, Where(-r, -r, 0))


def _s_sigmoid(z: sp.Expr) -> sp.Expr:
    return 1 / (1 + sp.exp(-z))


def _s_softmax(z: list[sp.Expr]) -> list[sp.Expr]:
    return [sp.exp(p) / sum(sp.exp(q) for q in z) for p in z]


_SELU = [sp.Rational(SELU_SCALE), sp.Rational(SELU_ALPHA)]
_S_ACTIVATION: dict[str, Callable[[sp.Expr], sp.Expr]] = {  # of one number; softmax and log_softmax are apart
    "identity": lambda z: z,
    "sigmoid": _s_sigmoid,
    "tanh": sp.tanh,
    "relu": lambda z: Where(z, z, 0),
    "leaky_relu": lambda z: Where(z, z, z / 100),
    "elu": lambda z: Where(z, z, sp.exp(z) - 1),
    "selu": lambda z: _SELU[0] * Where(z, z, _SELU[1] * (sp.exp(z) - 1)),
    "softplus": lambda z: sp.log(1 + sp.exp(z)),
    "softsign": lambda z: z / (1 + _s_abs(z)),
    "silu": lambda z: z * _s_sigmoid(z),
    "gelu": lambda z: z * (1 + sp.erf(z / sp.sqrt(2))) / 2,
    "gelu_tanh": lambda z: z / 2 * (1 + sp.tanh(sp.sqrt(2 / sp.pi) * (z + sp.Rational("0.044715") * z**3))),
    "mish": lambda z: z * sp.tanh(sp.log(1 + sp.exp(z))),
    "hardtanh": lambda z: _s_clip(z, -1, 1, z, -1, 1),
    "hardsigmoid": lambda z: _s_clip(z, -3, 3, z / 6 + sp.S.Half, 0, 1),
    "relu6": lambda z: _s_clip(z, 0, 6, z, 0, 6),
    "generic": lambda z: generic_activation(z, sp),
}


def _s_bernoulli(p: sp.Expr, y: sp.Expr) -> sp.Expr:
    return y * sp.log(p) + (1 - y) * sp.log(1 - p)


_S_LOSS: dict[str, Callable[[list[sp.Expr], list[sp.Expr]], sp.Expr]] = {  # of one sample, the outputs a
    "squared_error": lambda a, y: sum((p - t) ** 2 for p, t in zip(a, y)),
    "half_squared_error": lambda a, y: sum((p - t) ** 2 / 2 for p, t in zip(a, y)),
    "mean_squared_error": lambda a, y: sum((p - t) ** 2 for p, t in zip(a, y)) / len(a),
    "absolute_error": lambda a, y: sum(_s_abs(p - t) for p, t in zip(a, y)),
    "huber": lambda a, y: sum(
        Where((p - t) ** 2 - 1, _s_abs(p - t) - sp.S.Half, (p - t) ** 2 / 2) for p, t in zip(a, y)
    ),
    "log_cosh": lambda a, y: sum(sp.log(sp.cosh(p - t)) for p, t in zip(a, y)),
    "binary_cross_entropy": lambda a, y: -sum(_s_bernoulli(p, t) for p, t in zip(a, y)),
    "cross_entropy": lambda a, y: -sum(t * sp.log(p) for p, t in zip(a, y)),
    "binary_cross_entropy_with_logits": lambda a, y: -sum(_s_bernoulli(_s_sigmoid(p), t) for p, t in zip(a, y)),
    "cross_entropy_with_logits": lambda a, y: -sum(t * sp.log(p) for p, t in zip(_s_softmax(a), y)),
    "negative_log_likelihood": lambda a, y: -sum(t * p for p, t in zip(a, y)),
    "log_likelihood": lambda a, y: sum(_s_bernoulli(p, t) for p, t in zip(a, y)),
    "hinge": lambda a, y: sum(Where(1 - t * p, 1 - t * p, 0) for p, t in zip(a, y)),
    "squared_hinge": lambda a, y: sum(Where(1 - t * p, (1 - t * p) ** 2, 0) for p, t in zip(a, y)),
    "kl_divergence": lambda a, y: sum(t * sp.log(t / p) for p, t in zip(a, y)),
    "poisson": lambda a, y: sum(p - t * sp.log(p) for p, t in zip(a, y)),
    "generic": lambda a, y: generic_loss(a, y, sp),
}
ACTIVATIONS = (*_S_ACTIVATION, "softmax", "log_softmax")
LOSSES = (*_S_LOSS,)


def symbolic_gradients(spec: Spec) -> Symbolic:
    """J, its derivative for every entry of every parameter {"W1": [[...]], "b1": ...}, and the symbols.

    The symbols are nested lists of real symbols keyed by "W1", "b1", ..., "X" and "Y" ("x" and "y" for one example),
    each in the orientation of the spec; the entry in row 1, column 2 of W1 is called W1_1_2.
    """
    x, y = spec.name("X"), spec.name("Y")
    symbols: Point = {
        k: [
            [sp.Symbol(f"{k}_{i + 1}_{j + 1}", real=True) for j in range(spec.shape(k)[1])]
            for i in range(spec.shape(k)[0])
        ]
        for k in (*spec.parameters, x, y)
    }

    def entry(name: str, sample: int, unit: int) -> sp.Expr:
        return symbols[name][sample][unit] if spec.rows else symbols[name][unit][sample]

    def weight(layer: int, to: int, source: int) -> sp.Expr:
        w = symbols[f"W{layer}"]
        return w[to][source] if spec.weights == "out x in" else w[source][to]

    total = sp.S.Zero
    for s in range(spec.m or 1):
        a = [entry(x, s, k) for k in range(spec.sizes[0])]
        for n, activation in enumerate(spec.activations, 1):
            z = [
                sum(weight(n, i, k) * a[k] for k in range(len(a))) + (symbols[f"b{n}"][i][0] if spec.bias[n - 1] else 0)
                for i in range(spec.sizes[n])
            ]
            if activation in _S_ACTIVATION:
                a = [_S_ACTIVATION[activation](p) for p in z]
            else:
                a = _s_softmax(z) if activation == "softmax" else [sp.log(p) for p in _s_softmax(z)]
        total += _S_LOSS[spec.loss](a, [entry(y, s, i) for i in range(len(a))])
    all_weights = [w for k in spec.parameters if k[0] == "W" for row in symbols[k] for w in row]
    J = total / (spec.m or 1)
    if spec.l2 is not None:
        J += sp.Rational(_fraction(spec.l2)) / 2 * sum(w**2 for w in all_weights)
    if spec.l1 is not None:
        J += sp.Rational(_fraction(spec.l1)) * sum(_s_abs(w) for w in all_weights)
    return J, {k: [[sp.diff(J, p) for p in row] for row in symbols[k]] for k in spec.parameters}, symbols


_VALUE_OF: dict[Any, Callable[..., Any]] = {
    sp.Add: lambda *terms: mpmath.fsum(terms),
    sp.Mul: lambda *factors: mpmath.fprod(factors),
    sp.Pow: mpmath.power,
    sp.exp: mpmath.exp,
    sp.log: lambda v: _log(v),
    sp.sin: mpmath.sin,
    sp.cos: mpmath.cos,
    sp.erf: mpmath.erf,
    sp.tanh: mpmath.tanh,
    sp.sinh: mpmath.sinh,
    sp.cosh: mpmath.cosh,
}


def _evaluate(e: sp.Basic, known: dict[sp.Basic, Any]) -> Any:
    if e not in known:
        if isinstance(e, Where):
            known[e] = _evaluate(e.args[1 if _evaluate(e.args[0], known) > 0 else 2], known)
        elif e.is_Rational:
            known[e] = mpf(int(e.p)) / int(e.q)
        else:
            known[e] = _VALUE_OF[e.func](*(_evaluate(p, known) for p in e.args))
    return known[e]


def evaluate_symbolic(symbolic: Symbolic, point: Point, dps: int = DPS) -> tuple[mpf, Point]:
    """(J, gradients) for the result of `symbolic_gradients` at the point, as mpf with `dps` digits."""
    J, gradients, symbols = symbolic
    with mpmath.workdps(dps):
        known: dict[sp.Basic, Any] = {sp.pi: +mpmath.pi}
        for k in symbols:
            for names, values in zip(symbols[k], point[k], strict=True):
                known |= {s: _number(v) for s, v in zip(names, values, strict=True)}
        return _evaluate(J, known), {k: [[_evaluate(e, known) for e in row] for row in g] for k, g in gradients.items()}


# ---------------------------------------------------------------------------- route 2: matrices of dual numbers
class Dual:
    """v + d epsilon with epsilon^2 = 0: a value and its derivative along the direction seeded in the inputs."""

    __slots__ = ("d", "v")

    def __init__(self, v: Any, d: Any = 0) -> None:
        self.v, self.d = v, d

    def __add__(self, other: Any) -> "Dual":
        o = _dual(other)
        return Dual(self.v + o.v, self.d + o.d)

    def __neg__(self) -> "Dual":
        return Dual(-self.v, -self.d)

    def __sub__(self, other: Any) -> "Dual":
        return self + -_dual(other)

    def __rsub__(self, other: Any) -> "Dual":
        return _dual(other) + -self

    def __mul__(self, other: Any) -> "Dual":
        o = _dual(other)
        return Dual(self.v * o.v, self.d * o.v + self.v * o.d)

    def __truediv__(self, other: Any) -> "Dual":
        o = _dual(other)
        return Dual(self.v / o.v, (self.d * o.v - self.v * o.d) / o.v**2)

    def __rtruediv__(self, other: Any) -> "Dual":
        return _dual(other) / self

    __radd__, __rmul__ = __add__, __mul__


def _dual(x: Any) -> Dual:
    return x if isinstance(x, Dual) else Dual(mpf(x))


def _log(v: mpf) -> mpf:
    if isinstance(v, mpmath.mpc) or v <= 0:
        raise ValueError("the logarithm of a number that is not positive")
    return mpmath.log(v)


def _rule(f: Callable[[mpf], mpf], slope: Callable[[mpf], mpf]) -> Callable[[Dual], Dual]:
    return lambda x: Dual(f(x.v), slope(x.v) * x.d)


_d_exp = _rule(mpmath.exp, mpmath.exp)
_d_log = _rule(_log, lambda v: 1 / v)
_d_sin = _rule(mpmath.sin, mpmath.cos)
_d_tanh = _rule(mpmath.tanh, lambda v: mpmath.sech(v) ** 2)
_d_erf = _rule(mpmath.erf, lambda v: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-v * v))
_d_abs = _rule(abs, mpmath.sign)


def _d_sigmoid(x: Dual) -> Dual:
    return _d_exp(x) / (1 + _d_exp(x))


def _d_clip(x: Dual, low: int, high: int) -> Dual:
    return x if low < x.v < high else _dual(min(max(x.v, low), high))


def _d_softmax(z: list[Dual]) -> list[Dual]:
    powers = [_d_exp(p) for p in z]
    total = sum(powers)
    return [p / total for p in powers]


def _d_log_softmax(z: list[Dual]) -> list[Dual]:
    log_total = _d_log(sum(_d_exp(p) for p in z))
    return [p - log_total for p in z]


def _d_elu(x: Dual, alpha: Any) -> Dual:
    return x if x.v > 0 else alpha * (_d_exp(x) - 1)


_D_ACTIVATION: dict[str, Callable[[Dual], Dual]] = {  # of one unit
    "identity": lambda z: z,
    "sigmoid": _d_sigmoid,
    "tanh": _d_tanh,
    "relu": lambda z: z if z.v > 0 else _dual(0),
    "leaky_relu": lambda z: z if z.v > 0 else z / 100,
    "elu": lambda z: _d_elu(z, 1),
    "selu": lambda z: mpf(SELU_SCALE) * _d_elu(z, mpf(SELU_ALPHA)),
    "softplus": lambda z: _d_log(_d_exp(z) + 1),
    "softsign": lambda z: z / (_d_abs(z) + 1),
    "silu": lambda z: z * _d_sigmoid(z),
    "gelu": lambda z: z * (_d_erf(z / mpmath.sqrt(2)) + 1) / 2,
    "gelu_tanh": lambda z: z * (_d_tanh(mpmath.sqrt(2 / mpmath.pi) * (z + z * z * z * 44715 / 1000000)) + 1) / 2,
    "mish": lambda z: z * _d_tanh(_d_log(_d_exp(z) + 1)),
    "hardtanh": lambda z: _d_clip(z, -1, 1),
    "hardsigmoid": lambda z: _d_clip(z / 6 + mpf("0.5"), 0, 1),
    "relu6": lambda z: _d_clip(z, 0, 6),
    "generic": lambda z: _d_sin(z) + z / 2,
}


def _d_bernoulli(p: Dual, y: Dual) -> Dual:
    return y * _d_log(p) + (1 - y) * _d_log(1 - p)


def _d_huber(r: Dual) -> Dual:
    return r * r / 2 if abs(r.v) <= 1 else _d_abs(r) - mpf("0.5")


def _d_hinge(p: Dual, y: Dual) -> Dual:
    return 1 - p * y if p.v * y.v < 1 else _dual(0)


_D_TERM: dict[str, Callable[[Dual, Dual], Dual]] = {  # what one output p with target t adds; the rest is in _d_loss
    "squared_error": lambda p, t: (p - t) * (p - t),
    "half_squared_error": lambda p, t: (p - t) * (p - t) / 2,
    "absolute_error": lambda p, t: _d_abs(p - t),
    "huber": lambda p, t: _d_huber(p - t),
    "log_cosh": lambda p, t: _d_log((_d_exp(p - t) + _d_exp(t - p)) / 2),
    "binary_cross_entropy": lambda p, t: -_d_bernoulli(p, t),
    "binary_cross_entropy_with_logits": lambda p, t: -_d_bernoulli(_d_sigmoid(p), t),
    "cross_entropy": lambda p, t: -t * _d_log(p),
    "negative_log_likelihood": lambda p, t: -t * p,
    "log_likelihood": _d_bernoulli,
    "hinge": _d_hinge,
    "squared_hinge": lambda p, t: _d_hinge(p, t) * _d_hinge(p, t),
    "kl_divergence": lambda p, t: t * (_d_log(t) - _d_log(p)),
    "poisson": lambda p, t: p - t * _d_log(p),
}


def _d_activate(activation: str, z: list[Dual]) -> list[Dual]:
    """The activations of one sample."""
    if activation == "softmax":
        return _d_softmax(z)
    return _d_log_softmax(z) if activation == "log_softmax" else [_D_ACTIVATION[activation](p) for p in z]


def _d_loss(loss: str, a: list[Dual], y: list[Dual]) -> Dual:
    """The loss of one sample."""
    if loss == "mean_squared_error":
        return _d_loss("squared_error", a, y) / len(a)
    if loss == "cross_entropy_with_logits":
        return _d_loss("negative_log_likelihood", _d_log_softmax(a), y)
    if loss == "generic":
        return sum(_d_exp(p / 2) - p * t + p * q / 3 for p, q, t in zip(a, a[1:] + a[:1], y))
    return sum(_D_TERM[loss](p, t) for p, t in zip(a, y))


def _matmul(p: Nested, q: Nested) -> Nested:
    return [[sum(u * v for u, v in zip(row, column, strict=True)) for column in zip(*q)] for row in p]


def _layers(spec: Spec, duals: Point) -> Iterator[tuple[Nested, Nested]]:
    """Z and A of each layer, in the orientation of the spec."""
    A = duals[spec.name("X")]
    for n, activation in enumerate(spec.activations, 1):
        W = duals[f"W{n}"] if spec.weights == "out x in" else _transpose(duals[f"W{n}"])
        Z = _matmul(A, _transpose(W)) if spec.rows else _matmul(W, A)
        if spec.bias[n - 1]:
            b = [row[0] for row in duals[f"b{n}"]]
            Z = [[v + b[j if spec.rows else i] for j, v in enumerate(row)] for i, row in enumerate(Z)]
        A = [_d_activate(activation, z) for z in (Z if spec.rows else _transpose(Z))]
        A = A if spec.rows else _transpose(A)
        yield Z, A


def _cost(spec: Spec, duals: Point, A: Nested) -> Dual:
    """J from the outputs A of the last layer."""
    Y = duals[spec.name("Y")]
    pairs = zip(A, Y, strict=True) if spec.rows else zip(_transpose(A), _transpose(Y), strict=True)
    J = sum(_d_loss(spec.loss, a, y) for a, y in pairs) / (spec.m or 1)
    weights = [w for n in range(spec.depth) for row in duals[f"W{n + 1}"] for w in row]
    l1, l2 = _number(_fraction(spec.l1)), _number(_fraction(spec.l2))
    return J + l2 / 2 * sum(w * w for w in weights) + l1 * sum(_d_abs(w) for w in weights)


def _duals(spec: Spec, point: Point) -> Point:
    duals = {}
    for k in (*spec.parameters, spec.name("X"), spec.name("Y")):
        duals[k] = [[Dual(_number(v)) for v in row] for row in point[k]]
        if (len(duals[k]), *{len(row) for row in duals[k]}) != spec.shape(k):
            raise ValueError(f"{k} must have shape {spec.shape(k)}")
    return duals


def _run(spec: Spec, duals: Point) -> Dual:
    return _cost(spec, duals, list(_layers(spec, duals))[-1][1])


def _values(matrix: Nested) -> Nested:
    return [[v.v for v in row] for row in matrix]


def forward(spec: Spec, point: Point, dps: int = DPS) -> dict[str, Any]:
    """{"Z1": ..., "A1": ..., ..., "J": mpf}, nested lists in the orientation of the spec; z1, a1 for one example."""
    with mpmath.workdps(dps):
        duals = _duals(spec, point)
        out: dict[str, Any] = {}
        A: Nested = []
        for n, (Z, A) in enumerate(_layers(spec, duals), 1):
            out |= {f"{spec.name('Z')}{n}": _values(Z), f"{spec.name('A')}{n}": _values(A)}
        return out | {"J": _cost(spec, duals, A).v}


def numeric_gradients(spec: Spec, point: Point, dps: int = DPS) -> tuple[mpf, Point]:
    """(J, {"W1": [[mpf, ...], ...], "b1": ..., ...}), one forward pass per parameter entry, with `dps` digits."""
    with mpmath.workdps(dps):
        duals = _duals(spec, point)

        def slope(entry: Dual) -> mpf:
            entry.d = mpf(1)
            d = _run(spec, duals).d
            entry.d = 0
            return mpf(d)

        return _run(spec, duals).v, {k: [[slope(v) for v in row] for row in duals[k]] for k in spec.parameters}


def difference(got: Any, want: Any) -> mpf:
    """The largest |got - want| / max(1, |want|) over nested lists or dicts of numbers; inf where shapes differ.

    Works at 60 digits whatever the precision in force, which by default would round both sides to 15.
    """
    if isinstance(want, dict | list):
        keys = set(want) if isinstance(want, dict) else range(len(want))
        if not isinstance(got, type(want)) or keys != (set(got) if isinstance(got, dict) else range(len(got))):
            return mpf("inf")
        return max((difference(got[k], want[k]) for k in keys), default=mpf(0))
    if isinstance(got, dict | list):
        return mpf("inf")
    with mpmath.workdps(60):
        error = abs(_number(got) - _number(want)) / max(1, abs(_number(want)))
    return mpf("inf") if mpmath.isnan(error) else error


# ---------------------------------------------------------------------------- points
_KINKS = {
    "relu": (0,),
    "leaky_relu": (0,),
    "elu": (0,),
    "selu": (0,),
    "softsign": (0,),
    "hardtanh": (-1, 1),
    "hardsigmoid": (-3, 3),
    "relu6": (0, 6),
}
_UP_TO = {"binary_cross_entropy": 1, "log_likelihood": 1, "cross_entropy": None, "kl_divergence": None, "poisson": None}
_SUM_TO_ONE = ("cross_entropy", "cross_entropy_with_logits", "negative_log_likelihood", "kl_divergence")
_GRID = 4096  # values are multiples of 1/4096, so they pass through floats and every precision unchanged
_TRIES = 400


def _draw(spec: Spec, rng: random.Random, labels: str) -> Point:
    """Values by unit and sample, before orientation: W out x in, X and Y one list per sample."""

    def between(low: float, high: float, signed: bool = False) -> mpf:
        return mpf(rng.randrange(int(low * _GRID), int(high * _GRID)) * (rng.choice((-1, 1)) if signed else 1)) / _GRID

    def target() -> list[mpf]:
        n = spec.sizes[-1]
        if labels == "any":
            return [between(0.1, 0.9) for _ in range(n)]
        if "hinge" in spec.loss:
            return [mpf(rng.choice((-1, 1))) for _ in range(n)]
        if spec.loss == "huber":  # both sides of |r| = 1
            return [between(0.1, 2, signed=True) for _ in range(n)]
        if spec.loss in _SUM_TO_ONE:
            parts = [between(0.3 / n, 1 / n) for _ in range(n - 1)]
            parts.insert(rng.randrange(n), 1 - sum(parts, mpf(0)))
            return parts
        return [between(0.1, 0.9) for _ in range(n)]

    point: Point = {}
    for n in range(1, spec.depth + 1):
        point[f"W{n}"] = [
            [between(0.2, 1.2, signed=True) for _ in range(spec.sizes[n - 1])] for _ in range(spec.sizes[n])
        ]
        point[f"b{n}"] = [[between(0.05, 0.8, signed=True)] for _ in range(spec.sizes[n])]
    point["X"] = [[between(0.2, 1.7, signed=True) for _ in range(spec.sizes[0])] for _ in range(spec.m or 1)]
    point["Y"] = [target() for _ in range(spec.m or 1)]
    return point


def _orient(spec: Spec, drawn: Point) -> Point:
    point = {
        k: drawn[k] if k[0] == "b" or spec.weights == "out x in" else _transpose(drawn[k]) for k in spec.parameters
    }
    return point | {spec.name(k): drawn[k] if spec.rows else _transpose(drawn[k]) for k in "XY"}


def _aim(spec: Spec, drawn: Point, tries: int) -> None:
    """Move the mean of each last pre-activation near 1/2, by the bias or, without one, by scaling W."""
    last, rng = spec.depth, random.Random(tries)
    if tries >= _TRIES // 2:  # then all of one sign, which a layer without bias may need
        drawn |= {k: [[abs(v) for v in row] for row in drawn[k]] for k in ("X", f"W{last}")}
    W = drawn[f"W{last}"] = [[_snap(w * (0.4 if tries < 100 else 0.15)) for w in row] for row in drawn[f"W{last}"]]
    Z = list(_layers(spec, _duals(spec, _orient(spec, drawn))))[-1][0]
    for i, z in enumerate(_transpose(Z) if spec.rows else Z):
        mean = sum(v.v for v in z) / len(z)
        goal = rng.uniform(0.3, 0.7) - (spec.activations[-1] == "softplus")
        if spec.bias[-1]:
            drawn[f"b{last}"][i][0] = _snap(drawn[f"b{last}"][i][0] + goal - mean)
        elif mean:
            W[i] = [_snap(w * goal / mean) for w in W[i]]


def _snap(value: mpf) -> mpf:
    return mpf(int(mpmath.nint(value * _GRID)) or 1) / _GRID


def _acceptable(spec: Spec, point: Point) -> bool:
    """Whether every value is 1/50 or more away from kinks and from the ends of the domain of the loss."""
    margin, duals, A = 0.02, _duals(spec, point), []
    for activation, (Z, A) in zip(spec.activations, _layers(spec, duals), strict=True):
        if any(abs(v.v - kink) < margin for row in Z for v in row for kink in _KINKS.get(activation, ())):
            return False
    pairs = [(p.v, t.v) for prow, trow in zip(A, duals[spec.name("Y")], strict=True) for p, t in zip(prow, trow)]
    if spec.loss in _UP_TO:
        return all(p > margin and (_UP_TO[spec.loss] is None or p < 1 - margin) for p, _ in pairs)
    gap = {
        "absolute_error": lambda p, t: p - t,
        "huber": lambda p, t: abs(p - t) - 1,
        "hinge": lambda p, t: 1 - p * t,
        "squared_hinge": lambda p, t: 1 - p * t,
    }.get(spec.loss)
    return gap is None or all(abs(gap(p, t)) >= margin for p, t in pairs)


def _live(spec: Spec, point: Point) -> bool:
    """Whether J without penalties depends on W1, so that the point is a test of every layer."""
    duals, rng = _duals(spec, point), random.Random(0)
    for row in duals["W1"]:
        for w in row:
            w.d = rng.random()
    return abs(_run(replace(spec, l1=None, l2=None), duals).d) > 1e-4


def random_point(spec: Spec, seed: int, labels: str = "auto") -> Point:
    """Reproducible values keyed "W1", "b1", ..., "X", "Y" ("x", "y" for one example) in the orientation of the spec.

    Values are generic multiples of 1/4096, away from kinks and inside the domain of the loss, and J depends on W1
    where such a point turns up.  The same seed gives the same numbers in every orientation and for every penalty.
    Targets: +-1 for the hinges; in (-2, 2) for huber; positive and summing to 1 per sample for the losses against a
    distribution (cross entropies by softmax, negative_log_likelihood, kl_divergence); else, and always with
    labels="any", generic in (0.1, 0.9).  Raises ValueError where the outputs cannot be brought into the domain.
    """
    if labels not in ("auto", "any"):
        raise ValueError(f"labels must be 'auto' or 'any', not {labels!r}")
    second_best, spare = None, 20
    with mpmath.workdps(DPS):
        for tries in range(_TRIES):
            drawn = _draw(spec, random.Random(f"{seed}/{tries}"), labels)
            if tries >= 20 and spec.loss in _UP_TO:
                _aim(spec, drawn, tries)
            point = _orient(spec, drawn)
            if _acceptable(spec, point):
                if _live(spec, point):
                    return point
                second_best, spare = second_best or point, spare - 1
                if not spare:
                    break
    if second_best is None:
        raise ValueError(f"no point found for {spec.loss} after {spec.activations[-1]}")
    return second_best

"""The pullback rules: how a cotangent passes backward through a node.

``pullback(node, cotangent, k)`` is the cotangent of child ``k``: with dJ = <cotangent, d node>, the array that
makes dJ = <result, d child>. One rule a node; its docstring states the identity. The results are formulas of the same
closed set, so that they can be pulled back again.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import singledispatch

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula
from symbackprop.algebra.functions import SIGN
from symbackprop.algebra.shape import runs, shape
from symbackprop.errors import Unsupported


@dataclass(frozen=True)
class Rule:
    """A named rule: what a step of a derivation cites. ``identity`` is LaTeX in neutral letters."""

    name: str
    identity: str

    def __str__(self) -> str:
        return self.name


RULES: dict[type[Formula], Rule] = {
    f.Symbol: Rule("identity", r"u = p:\ \bar p = \bar u"),
    f.Negative: Rule("sign", r"U = -P:\ \bar P = -\bar U"),
    f.Add: Rule("sum rule", r"U = P + Q:\ \bar P = \bar Q = \bar U"),
    f.Product: Rule("matrix product rule", r"U = P Q:\ \bar P = \bar U Q^T,\ \bar Q = P^T \bar U"),
    f.Hadamard: Rule("elementwise product rule", r"U = P \odot Q:\ \bar P = \bar U \odot Q"),
    f.Quotient: Rule("quotient rule", r"U = P / Q:\ \bar P = \bar U / Q,\ \bar Q = -\bar U \odot P / Q^2"),
    f.Power: Rule("power rule", r"U = P^c:\ \bar P = c\, P^{c-1} \odot \bar U"),
    f.Transpose: Rule("transpose rule", r"U = P^T:\ \bar P = \bar U^T"),
    f.Map: Rule("chain rule, entry by entry", r"U = f(P):\ \bar P = \bar U \odot f'(P)"),
    f.Softmax: Rule("softmax rule", r"p = \operatorname{softmax}(z):\ \bar z = p \odot \bar p - p\, (p^T \bar p)"),
    f.OpaqueLoss: Rule("gradient of the loss", r"c = C(a, y):\ \bar a = \bar c\, \nabla_a C"),
    f.Total: Rule("sum over entries", r"u = \textstyle\sum_{ij} P_{ij}:\ \bar P = \bar u\, \mathbf{1}\mathbf{1}^T"),
    f.Norm: Rule("norm rule", r"u = \|P\|^2:\ \bar P = 2 \bar u\, P"),
    f.Diagonal: Rule("diagonal rule", r"U = \operatorname{diag}(v):\ \bar v = (\bar U \odot I)\, \mathbf{1}"),
    f.Entry: Rule("entry rule", r"u = P_{jk}:\ \bar P = \bar u\, e_j e_k^T"),
    f.IndexSum: Rule("sum over an index", r"U = \textstyle\sum_i P_i:\ \bar P_i = \bar U"),
}

REPETITION = Rule(
    "repetition rule",
    r"U = p \mathbf{1}^T:\ \bar p = \bar U\, \mathbf{1};\ U = \mathbf{1} p^T:\ \bar p = \bar U^T \mathbf{1}",
)


LOG_SOFTMAX = Rule(
    "log-softmax rule",
    r"u = \log \operatorname{softmax}(z):\ \bar z = \bar u - \operatorname{softmax}(z)\, (\mathbf{1}^T \bar u)",
)


def rule_of(node: Formula) -> Rule:
    """The rule that ``pullback`` applies at a node; a product with ones repeats, and has a name of its own."""
    if isinstance(node, f.Product) and any(isinstance(factor, f.Ones) for factor in node.factors):
        return REPETITION
    if isinstance(node, f.Softmax) and node.log:
        return LOG_SOFTMAX
    return RULES[type(node)]


@singledispatch
def pullback(node: Formula, cotangent: Formula, k: int) -> Formula:
    """The cotangent of child ``k`` of ``node``; raises Unsupported where a node has no derivative by it."""
    raise TypeError(f"pullback knows no {type(node).__name__}")


@pullback.register(f.Number)
@pullback.register(f.Scalar)
@pullback.register(f.Symbol)
@pullback.register(f.Ones)
@pullback.register(f.Unit)
@pullback.register(f.Kronecker)
def _(node: Formula, cotangent: Formula, k: int) -> Formula:
    """A leaf has no children to pass anything to."""
    raise IndexError(f"{type(node).__name__} has no child {k}")


@pullback.register
def _(node: f.Negative, cotangent: Formula, k: int) -> Formula:
    """U = -V: dV = -dU."""
    return -cotangent


@pullback.register
def _(node: f.Add, cotangent: Formula, k: int) -> Formula:
    """U = V + W: dV = dU; a scalar that is added everywhere gathers the sum of dU."""
    return _gathered(cotangent, node.terms[k])


@pullback.register
def _(node: f.Product, cotangent: Formula, k: int) -> Formula:
    """U = V W: dV = dU W^T, dW = V^T dU; for a scalar factor c of U = c V: dc = <dU, V>."""
    scalars, chains = runs(node.factors)
    target = node.factors[k]
    position = sum(1 for factor in node.factors[:k] if factor is target or factor == target)
    others = _without(scalars, target, position)
    if len(others) < len(scalars):  # the child is a 1 x 1 factor
        rest = [*others, *(factor for chain in chains for factor in chain)]
        return _against(cotangent, rest, shape(node))
    for chain in chains:
        inside = [i for i, factor in enumerate(chain) if factor == target]
        if position >= len(inside):
            position -= len(inside)
            continue
        at = inside[position]
        around = [*scalars, *(factor for other in chains if other is not chain for factor in other)]
        if shape(chain[0])[0] == ONE == shape(chain[-1])[1] and shape(node) != SCALAR:
            cotangent = _against(cotangent, around, shape(node))  # the chain is itself a scalar factor
            around = []
        left = [f.Transpose(factor) for factor in reversed(chain[:at])]
        right = [f.Transpose(factor) for factor in reversed(chain[at + 1 :])]
        return f.Product((*around, *left, cotangent, *right)) if around or left or right else cotangent
    raise IndexError(k)


def _without(factors: list[Formula], factor: Formula, position: int) -> list[Formula]:
    """The list less the occurrence at ``position`` of the factor; unchanged where there is no such occurrence."""
    found = [i for i, other in enumerate(factors) if other == factor]
    if position >= len(found):
        return factors
    return factors[: found[position]] + factors[found[position] + 1 :]


def _against(cotangent: Formula, rest: list[Formula], whole: f.Shape) -> Formula:
    """<cotangent, product of the rest>, a scalar."""
    if not rest:
        return cotangent
    product = f.Product(tuple(rest)) if len(rest) > 1 else rest[0]
    if whole == SCALAR:
        return f.Product((cotangent, *rest))
    return f.Total(cotangent * product)


def _gathered(cotangent: Formula, child: Formula) -> Formula:
    """The cotangent for a child of an entrywise node: summed where the child is a scalar that was spread."""
    return f.Total(cotangent) if shape(child) == SCALAR != shape(cotangent) else cotangent


@pullback.register
def _(node: f.Hadamard, cotangent: Formula, k: int) -> Formula:
    """U = V o W: dV = dU o W."""
    others = node.factors[:k] + node.factors[k + 1 :]
    return _gathered(f.Hadamard((cotangent, *others)) if others else cotangent, node.factors[k])


@pullback.register
def _(node: f.Quotient, cotangent: Formula, k: int) -> Formula:
    """U = V / W: dV = dU / W, dW = -dU o V / W^2."""
    if k == 0:
        return _gathered(cotangent / node.denominator, node.numerator)
    return _gathered(-((cotangent * node.numerator) / node.denominator**2), node.denominator)


@pullback.register
def _(node: f.Power, cotangent: Formula, k: int) -> Formula:
    """U = V^c: dV = c V^(c-1) o dU."""
    if k != 0:
        raise Unsupported("the derivative of a power by its exponent: write it as exp of a product")
    if isinstance(node.exponent, f.Number):
        lower = node.exponent.value - 1
        base = node.base if lower == 1 else node.base**lower
        return f.Hadamard((node.exponent, cotangent) if lower == 0 else (node.exponent, base, cotangent))
    return f.Hadamard((node.exponent, node.base ** (node.exponent - 1), cotangent))


@pullback.register
def _(node: f.Transpose, cotangent: Formula, k: int) -> Formula:
    """U = V^T: dV = dU^T."""
    return cotangent.T


@pullback.register
def _(node: f.Map, cotangent: Formula, k: int) -> Formula:
    """U = f(V): dV = dU o f'(V)."""
    return cotangent * f.Map(node.function, node.arg, node.order + 1)


@pullback.register
def _(node: f.Softmax, cotangent: Formula, k: int) -> Formula:
    """p = softmax(z): dp_i/dz_j = p_i (delta_ij - p_j), so dz = p o dp - p (1^T (p o dp)), sample by sample.

    l = log p: dl_i/dz_j = delta_ij - p_j, so dz = dl - p (1^T dl).
    """
    rows, columns = shape(node)
    inner = cotangent if node.log else node * cotangent
    node = f.Softmax(node.arg, node.axis)
    if node.axis == 0:
        total = f.Product((f.Ones((ONE, rows)), inner))
        back = f.Product((node, total if columns == ONE else f.Diagonal(total)))
    else:
        total = f.Product((inner, f.Ones((columns, ONE))))
        back = f.Product((total if rows == ONE else f.Diagonal(total), node))
    return inner - back


@pullback.register
def _(node: f.OpaqueLoss, cotangent: Formula, k: int) -> Formula:
    """c = C(a, y) for each sample: da = dc grad_a C, where dc is the cotangent of that sample."""
    if k != 0 or node.gradient:
        raise Unsupported("an opaque loss is differentiated once, and by the prediction")
    gradient = f.OpaqueLoss(node.letter, node.prediction, node.target, node.axis, gradient=True)
    rows, columns = shape(gradient)
    if node.axis == 0:
        return gradient * (cotangent if columns == ONE else f.Product((f.Ones((rows, ONE)), cotangent)))
    return gradient * (cotangent if rows == ONE else f.Product((cotangent, f.Ones((ONE, columns)))))


@pullback.register
def _(node: f.Total, cotangent: Formula, k: int) -> Formula:
    """u = sum_ij V_ij: dV_ij = du; along one axis: dV repeats du along it."""
    rows, columns = shape(node.arg)
    if node.axis is None:
        return f.Product((cotangent, f.Ones((rows, columns))))
    if node.axis == 0:
        return f.Product((f.Ones((rows, ONE)), cotangent))
    return f.Product((cotangent, f.Ones((ONE, columns))))


@pullback.register
def _(node: f.Norm, cotangent: Formula, k: int) -> Formula:
    """u = |V|_2^p: dV = p |V|_2^(p-2) du V; u = |V|_1^p: dV = p |V|_1^(p-1) du sign(V)."""
    direction = node.arg if node.order == 2 else f.Map(SIGN, node.arg)
    lower = node.power - node.order
    scale: list[Formula] = [f.Number(Fraction(node.power))]
    if lower:
        scale.append(f.Norm(node.arg, node.order, 1) ** lower)
    return f.Product((*scale, cotangent, direction))


@pullback.register
def _(node: f.Diagonal, cotangent: Formula, k: int) -> Formula:
    """U = diag(v): dv_i = dU_ii."""
    rows, columns = shape(node.arg)
    if rows == ONE:
        return f.Product((f.Ones((ONE, columns)), cotangent * f.Diagonal(f.Ones((columns, ONE)))))
    return f.Product((cotangent * f.Diagonal(f.Ones((rows, ONE))), f.Ones((rows, ONE))))


@pullback.register
def _(node: f.Entry, cotangent: Formula, k: int) -> Formula:
    """u = V_jk: dV = du e_j e_k^T."""
    rows, columns = shape(node.arg)
    return f.Product((cotangent, f.Unit(node.row, rows), f.Transpose(f.Unit(node.column, columns))))


@pullback.register
def _(node: f.IndexSum, cotangent: Formula, k: int) -> Formula:
    """U = sum_i V_i: dV_i = dU, the same for every i; ``gathered`` sums what arrives from each."""
    return cotangent


@pullback.register
def _(node: f.Derivative, cotangent: Formula, k: int) -> Formula:
    """A derivative kept as a name has no formula to go into."""
    raise Unsupported("a derivative that is only named cannot be differentiated: give its formula")


def gathered(node: Formula, contribution: Formula) -> Formula:
    """What a contribution from inside a node becomes outside: a node that binds an index sums over it."""
    if isinstance(node, f.IndexSum):
        return f.IndexSum(contribution, node.index, node.lower, node.upper)
    return contribution

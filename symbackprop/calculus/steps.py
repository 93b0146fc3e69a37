"""A derivation step, and its reason entry by entry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, Equation, Formula, Shape, Symbol
from symbackprop.algebra.functions import EXP
from symbackprop.algebra.index import Fresh, IndexExpr
from symbackprop.algebra.meaning import meaning
from symbackprop.algebra.shape import shape
from symbackprop.algebra.written import written
from symbackprop.calculus.closed_form import close_terms
from symbackprop.calculus.entrywise import collapse, differentiate
from symbackprop.calculus.pullback import Rule
from symbackprop.model.layers import Assignment
from symbackprop.model.model import Assumption


@dataclass(frozen=True)
class Index:
    """What the entrywise reason needs to know of a network: the batch size, and names that are taken."""

    samples: sympy.Expr | None
    taken: frozenset[str]

    def fresh(self) -> Fresh:
        return Fresh(self.taken.__contains__)


@dataclass(frozen=True)
class Why:
    """The same fact entry by entry: ``through`` is the forward equation, ``wrt`` the array by which it is derived.

    The equations are made from the index form of the forward equation by ordinary partial derivatives; no matrix rule
    is used. ``cotangent`` is the name of dJ/du, None where u is the cost itself; ``share`` says that other equations
    use the array too, so that this is a part of its derivative.
    """

    through: Assignment
    wrt: Symbol
    cotangent: Symbol | None
    index: Index
    share: bool = False

    @cached_property
    def _parts(self) -> tuple[tuple[sympy.Expr, ...], tuple[sympy.Expr, ...], IndexExpr, IndexExpr, IndexExpr]:
        fresh = self.index.fresh()
        out = tuple(self._name(fresh, n) for n in self.through.symbol.shape)
        at = tuple(self._name(fresh, n) for n in self.wrt.shape)
        body = meaning(self.through.formula, out, fresh, self.index.samples).body
        local = self._closed(collapse(differentiate(body, self.wrt, at, fresh)), fresh)
        total: IndexExpr = local
        if self.cotangent is not None:
            total = ix.Mul((self._bar(out), *(local.factors if isinstance(local, ix.Mul) else (local,))))
            for index, size in zip(reversed(out), reversed(self.through.symbol.shape), strict=True):
                if isinstance(index, sympy.Symbol):
                    total = ix.Sum(total, index, ONE, size)
        return at, out, body, local, total

    def _closed(self, local: IndexExpr, fresh: Fresh) -> IndexExpr:
        """The partial derivative with log' and the like carried out, and exp(z_j) / sum exp as the softmax's output."""
        if isinstance(self.through.formula, f.Map):  # sigma' stays sigma'
            return local
        if isinstance(self.through.formula, f.Softmax):
            total = collapse(next(u for u in ix.walk(local) if isinstance(u, ix.Sum)))
            local = _in_output(local, self.through.symbol, self.wrt, total, self.through.formula.log)
        return collapse(meaning(close_terms(written(local)), (ONE, ONE), fresh, self.index.samples).body)

    def _name(self, fresh: Fresh, size: sympy.Expr) -> sympy.Expr:
        return ONE if size == ONE else fresh(sample=size == self.index.samples)

    def _bar(self, out: tuple[sympy.Expr, ...]) -> IndexExpr:
        assert self.cotangent is not None
        if self.cotangent == self.through.symbol:
            return ix.DerivativeEntry(Symbol("J"), self.through.symbol, out)
        return ix.Generator(self.cotangent, out)

    @property
    def entry(self) -> IndexExpr:
        """The collapsed entry of the contribution, in index form."""
        return collapse(self._parts[4])

    @property
    def indices(self) -> tuple[sympy.Expr, ...]:
        """The indices at which ``entry`` stands."""
        return self._parts[0]

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The forward equation at an entry, its partial derivative, the chain rule's sum and what is left of it."""
        at, out, body, local, total = self._parts
        rate = written(local)
        u, v = written(ix.Generator(self.through.symbol, out)), written(ix.Generator(self.wrt, at))
        first = Equation((u, written(collapse(body))))
        part = self.through.symbol if self.share else None
        if self.cotangent is None:  # the cost: the whole of it stands in the forward pass
            return (Equation((f.Derivative(u, v, part), rate)),)
        chain = f.Derivative(Symbol("J"), v, part)
        sides = [chain, written(total), written(self.entry)]
        return first, Equation((f.Derivative(u, v), rate)), Equation(tuple(dict.fromkeys(sides)))

    @property
    def collapsed(self) -> tuple[sympy.Symbol, ...]:
        """The indices of the sums of which Kronecker's delta leaves one term."""
        if self.cotangent is None:
            return ()
        return tuple(sorted(_ranges(self._parts[4]) - _ranges(self.entry), key=str))

    @property
    def over_samples(self) -> bool | None:
        """Whether the entry is summed over the samples; None where that is no question: one example, or the cost."""
        samples = self.index.samples
        if samples is None or samples == ONE or self.cotangent is None:
            return None
        if samples in self.wrt.shape:
            return False
        return True if any(isinstance(u, ix.Sum) and u.upper == samples for u in ix.walk(self.entry)) else None


def _in_output(node: IndexExpr, output: Symbol, wrt: Symbol, total: IndexExpr, log: bool) -> IndexExpr:
    """exp(z_j) as p_j times the sum of all exponentials, where the output is p_j, or its logarithm."""
    if node == total:
        return node
    if isinstance(node, ix.Apply) and node.function == EXP:
        arg = node.arg
        if isinstance(arg, ix.Generator) and arg.symbol == wrt:
            p = ix.Generator(output, arg.indices)
            return ix.Mul((ix.Apply(EXP, p) if log else p, total))
    if not node.children:
        return node
    return node.with_children(tuple(_in_output(child, output, wrt, total, log) for child in node.children))


def _ranges(node: IndexExpr) -> set[sympy.Symbol]:
    return {u.index for u in ix.walk(node) if isinstance(u, ix.Sum)}


@dataclass(frozen=True)
class Step:
    """One application of a named rule.

    ``equation`` is the chain from the derivative to its closed form, ``premises`` are the numbers of the steps that it
    rests on, ``why`` the reason entry by entry (None where a step only adds up what came before), ``assumptions`` what
    was granted on the way, and ``through`` the forward equation that was differentiated.
    """

    number: int
    rule: Rule
    equation: Equation
    premises: tuple[int, ...]
    why: Why | None
    wrt: Symbol
    through: Assignment | None = None
    assumptions: tuple[Assumption, ...] = ()

    @property
    def shape(self) -> Shape:
        """Rows and columns of what was derived."""
        return shape(self.wrt)

    @property
    def result(self) -> Formula:
        return self.equation.right

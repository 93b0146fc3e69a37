"""One step of training: what gradient descent, minibatches and momentum do with the derived gradients.

An update is a value: the array that is replaced, and the formula of what replaces it. A cost is minimised, the step
goes against the gradient; a likelihood is maximised, the step goes along it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Equation, Formula, Scalar, Symbol
from symbackprop.calculus.counts import parameter_count
from symbackprop.calculus.derive import derive
from symbackprop.calculus.derived import Derived
from symbackprop.calculus.tidy import tidy
from symbackprop.model.model import Model


@dataclass(frozen=True)
class Update:
    """``symbol`` is replaced by ``formula``, in which it stands for its old value."""

    symbol: Symbol
    formula: Formula


def maximises(model: Model) -> bool:
    """Whether training climbs, as for a likelihood, instead of descending."""
    return bool(getattr(model.loss, "maximise", False))


def rate(model: Model) -> Scalar:
    """The learning rate: alpha, or another letter where the network calls something else so."""
    return Scalar(free(model, "alpha", "eta", "rho"))


def memory(model: Model) -> Scalar:
    """The momentum parameter: the share of the old velocity that is kept, between 0 and 1."""
    return Scalar(free(model, "beta", "gamma", "kappa"))


def free(model: Model, *names: str) -> str:
    """The first of the names that no size and no penalty has."""
    return next((name for name in names if name not in model.taken), f"{names[0]}_0")


def _step(model: Model, symbol: Symbol, direction: Formula) -> Formula:
    """P - alpha D, or P + alpha D where the loss is maximised."""
    change = f.Product((rate(model), direction))
    return f.Add((symbol, change if maximises(model) else f.Negative(change)))


def updates(derived: Derived) -> tuple[Update, ...]:
    """Gradient descent for every parameter: P <- P - alpha dJ/dP.

    >>> from symbackprop import Dense, Network
    >>> d = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m").derive()
    >>> for update in updates(d):
    ...     print(d.writer(update.symbol), "<-", d.writer(with_gradient(update, d).formula))
    W^{(1)} <- W^{(1)} - \\alpha \\Delta^{(1)} X^T
    b^{(1)} <- b^{(1)} - \\alpha \\Delta^{(1)} \\mathbf{1}
    """
    model = derived.model
    return tuple(Update(p, _step(model, p, f.Derivative(model.cost, p))) for p in model.parameters)


def with_gradient(update: Update, derived: Derived) -> Update:
    """The same update with the derived gradient, in named form, for dJ/dP."""
    known: dict[Formula, Formula] = {
        f.Derivative(derived.model.cost, p): derived.formulas[p.name] for p in derived.model.parameters
    }
    return Update(update.symbol, tidy(f.substitute(update.formula, known)))


def theta(model: Model) -> Symbol:
    """All parameters under one another, W1, b1, W2, b2, ..., as one column: its shape counts them."""
    return Symbol(free(model, "theta", "omega", "phi"), (parameter_count(model), ONE))


def theta_update(derived: Derived) -> Update:
    """theta <- theta - alpha dJ/dtheta: the updates of all parameters in one line."""
    model = derived.model
    all_of_them = theta(model)
    return Update(all_of_them, _step(model, all_of_them, f.Derivative(model.cost, all_of_them)))


@dataclass(frozen=True)
class Momentum:
    """V <- beta V + (1 - beta) dJ/dP, then P <- P - alpha V with the new V."""

    velocity: Update
    step: Update


def velocity(parameter: Symbol) -> Symbol:
    """The running mean of a parameter's gradient: an array of the parameter's shape."""
    return Symbol(f"V_{parameter.letter}", parameter.shape, parameter.layer)


def momentum(derived: Derived) -> tuple[Momentum, ...]:
    """Gradient descent with momentum, for every parameter.

    >>> from symbackprop import Dense, Network
    >>> d = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m").derive()
    >>> print(d.writer(momentum(d)[0].velocity.formula))
    \\beta V_W^{(1)} + (1 - \\beta) \\frac{\\partial J}{\\partial W^{(1)}}
    """
    model = derived.model
    kept = memory(model)
    found = []
    for p in model.parameters:
        v = velocity(p)
        fresh = f.Product((1 - kept, f.Derivative(model.cost, p)))
        mean = f.Add((f.Product((kept, v)), fresh))
        found.append(Momentum(Update(v, mean), Update(p, _step(model, p, v))))
    return tuple(found)


@dataclass(frozen=True)
class Minibatch:
    """A step on ``size`` of the samples. ``model`` is the network with the minibatch for its batch."""

    size: sympy.Symbol
    model: Model

    @cached_property
    def derived(self) -> Derived:
        """Its derivation, made anew: the same formulas with B for m."""
        return Derived(self.model, derive(self.model))

    @cached_property
    def cost(self) -> Symbol:
        """J_B, the mean over the samples of the minibatch."""
        return Symbol(f"{self.model.cost.letter}_{self.size}")

    @property
    def definition(self) -> Equation:
        """J_B = the cost's formula, with B for the number of samples."""
        return Equation((self.cost, self.model.assignments[-1].formula))

    @property
    def updates(self) -> tuple[Update, ...]:
        """P <- P - alpha dJ_B/dP."""
        whole = self.model.cost
        return tuple(Update(u.symbol, f.substitute(u.formula, {whole: self.cost})) for u in updates(self.derived))


def minibatch(derived: Derived) -> Minibatch | None:
    """The network on a minibatch of B samples; None where there is no batch to take a part of.

    >>> from symbackprop import Dense, Network
    >>> d = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m").derive()
    >>> small = minibatch(d)
    >>> small.cost, small.model.x.shape
    (Symbol('J_B'), (n_0, B))
    >>> print(d.writer(small.updates[0].formula))
    W^{(1)} - \\alpha \\frac{\\partial J_B}{\\partial W^{(1)}}
    """
    samples = derived.model.frame.samples
    if samples is None or samples == ONE:
        return None
    size = sympy.Symbol(free(derived.model, "B", "M", "K"))
    model = replace(derived.model, frame=replace(derived.model.frame, samples=size))
    return Minibatch(size, model)

"""What a claim is about: which arrays are free, how the others are defined, what is granted. It knows no layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Size, Symbol
from symbackprop.calculus.derived import Derived
from symbackprop.calculus.sweep import uses
from symbackprop.calculus.tidy import tidy


class Draw(Enum):
    """How the entries of a free array are chosen at a point."""

    WEIGHT = "a small number"
    BIAS = "a small offset"
    DATA = "any number"
    TARGET = "any number, small or large"
    CHANCE = "between 0 and 1"
    DISTRIBUTION = "between 0 and 1, with the sum 1 over the units"
    SIGN = "1 or -1"
    COUNT = "a number that is not negative"


@dataclass(frozen=True)
class Setting:
    """What is given, what is defined, what was derived and what is granted.

    ``free`` are the given arrays and how they are drawn; ``forward`` the definitions in an order in which they can be
    computed, the cost last; ``gradients`` what the derivation found for an array, ``errors`` the names that some of
    them have; ``closed`` the arrays that sum to 1, with the axis; ``units`` is the axis of a distribution.
    """

    free: Mapping[Symbol, Draw]
    forward: Mapping[Symbol, Formula] = field(default_factory=dict)
    cost: Symbol | None = None
    gradients: Mapping[Symbol, Formula] = field(default_factory=dict)
    errors: Mapping[Symbol, Symbol] = field(default_factory=dict)
    closed: Mapping[str, int] = field(default_factory=dict)
    units: int = 0
    sizes: frozenset[str] = frozenset()
    scalars: frozenset[str] = frozenset()
    granted: tuple[str, ...] = ()
    labels: str = ""
    output: Symbol | None = None
    closable: Mapping[str, int] = field(default_factory=dict)  # arrays that would sum to 1, were it declared
    samples: Size | None = None
    given: tuple[int, ...] = ()  # sizes that are numbers
    interior: bool = False  # the predictions must lie between 0 and 1

    @cached_property
    def error_of(self) -> dict[Symbol, Symbol]:
        """The array of which a named error is the gradient."""
        return {error: array for array, error in self.errors.items()}

    @cached_property
    def definitions(self) -> dict[Symbol, Formula]:
        """Everything that has a definition, by its symbol."""
        return {**self.forward, **{error: self.gradients[array] for array, error in self.errors.items()}}

    @cached_property
    def scope(self) -> str:
        """For which sizes an answer holds."""
        if not self.given:
            return "all sizes"
        return "the sizes given: " + ", ".join(map(str, self.given)) + ("; all others" if self.sizes else "")

    def known(self, node: Formula) -> Formula:
        """The formula with every derivative of the cost by the name of the error, or by what was derived."""

        def change(u: Formula) -> Formula:
            if isinstance(u, f.Derivative) and u.of == self.cost and isinstance(u.wrt, Symbol) and u.through is None:
                return self.errors.get(u.wrt) or self.gradients.get(u.wrt) or u
            return u

        return f.rewrite(node, change)


def of_network(derived: Derived) -> Setting:
    """The setting of a network: its parameters and data, its forward pass, what was derived and what is granted."""
    model = derived.model
    loss = model.loss
    free = dict.fromkeys(model.parameters, Draw.WEIGHT)
    for block in model.blocks:
        free.update(dict.fromkeys(block.biases, Draw.BIAS))
    free[model.x] = Draw.DATA
    distribution = loss.labels_sum_to_one and not model.any_labels
    if distribution:
        free[model.y] = Draw.DISTRIBUTION
    elif loss.targets == (-1, 1):
        free[model.y] = Draw.SIGN
    elif loss.one_by_one or (loss.above is not None and loss.below is not None):
        free[model.y] = Draw.CHANCE
    else:
        free[model.y] = Draw.COUNT if loss.partial else Draw.TARGET
    used = {a.text for step in derived.steps for a in step.assumptions if a.replaces}
    labels = next((a.text for a in model.assumptions if a.text in used), "")
    sizes = {str(n) for n in (*model.sizes, model.frame.samples) if n is not None and n.is_Symbol}
    return Setting(
        free=free,
        forward={a.symbol: a.formula for a in model.assignments},
        cost=model.cost,
        gradients={**derived.backward.values, **_by_input(derived)},
        errors=dict(reversed(model.errors.items())),
        closed={model.y.name: model.frame.unit_axis} if distribution else {},
        closable={model.y.name: model.frame.unit_axis} if loss.labels_sum_to_one and model.any_labels else {},
        samples=model.frame.samples if model.frame.samples != 1 else None,
        units=model.frame.unit_axis,
        given=tuple(sorted({int(n) for n in (*model.sizes, model.frame.samples) if n is not None and n.is_Integer})),
        sizes=frozenset(sizes),
        scalars=model.scalars - sizes,
        granted=tuple(a.text for a in model.assumptions if not a.replaces),
        labels=labels,
        output=model.prediction,
        interior=loss.above is not None and not (model.layers[-1].activation.low >= loss.above),
    )


def _by_input(derived: Derived) -> dict[Symbol, Formula]:
    """The derivative by the input, which a derivation of the parameters leaves out."""
    model, parts = derived.model, list[Formula]()
    for assignment in model.assignments:
        if f.depends_on(assignment.formula, model.x):
            bar = model.errors.get(assignment.symbol) or derived.backward.values.get(assignment.symbol)
            if bar is not None:
                parts += [use.contribution for _, use in uses(assignment, bar, model.x.__eq__)]
    if not parts:
        return {}
    return {model.x: tidy(parts[0] if len(parts) == 1 else f.Add(tuple(parts)))}

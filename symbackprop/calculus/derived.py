"""Everything that was derived for a model, as formulas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from symbackprop.algebra.formula import ONE, Formula, Symbol
from symbackprop.calculus.derive import Backward
from symbackprop.calculus.expand import expanded
from symbackprop.calculus.generic import generic_layer
from symbackprop.calculus.steps import Step
from symbackprop.errors import NetworkError
from symbackprop.model.model import Assumption, Model


@dataclass(frozen=True)
class Derived:
    """A model and its backward pass, and what follows from the two."""

    model: Model
    backward: Backward

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps in the order in which a lecturer writes them; ``str(step.rule)`` is the rule's name."""
        return self.backward.steps

    @cached_property
    def generic_layer(self) -> tuple[Step, ...]:
        """The steps through layer l, for a symbolic l: from dJ/dz of layer l + 1 to the gradients of layer l."""
        return generic_layer(self.model).steps

    @cached_property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What was granted: facts used by a step, and where the loss and the activations can be differentiated."""
        used = {a for step in self.steps for a in step.assumptions}
        return tuple(a for a in self.model.assumptions if a in used or not a.replaces)

    @cached_property
    def formulas(self) -> dict[str, Formula]:
        """The gradient of each parameter as a formula: exactly as it is printed."""
        return {symbol.name: formula for symbol, formula in self.backward.gradients.items()}

    def formula(self, parameter: str, expand: bool = False) -> Formula:
        """One gradient as a formula, in named form or with every error put in."""
        if parameter not in self.formulas:
            raise NetworkError(f"no parameter {parameter!r}: there are {listing(self.formulas)}")
        named = self.formulas[parameter]
        return expanded(named, self.backward.errors, self._expanded_errors) if expand else named

    @cached_property
    def _expanded_errors(self) -> dict[Formula, Formula]:
        return {}

    @cached_property
    def defining_formulas(self) -> dict[Symbol, Formula]:
        """What each intermediate stands for: forward equations, then the errors from the last layer to the first."""
        forward = {a.symbol: a.formula for a in self.model.assignments}
        return {**forward, **self.backward.errors}

    @property
    def scalar(self) -> bool:
        """Whether every array of the network is a single number."""
        return self.model.frame.samples is None and all(size == ONE for size in self.model.sizes)


def listing(names: Iterable[str]) -> str:
    """Names in a message: all of a few, the ends of many."""
    known = list(names)
    return ", ".join(known if len(known) <= 8 else [*known[:4], "...", *known[-2:]])

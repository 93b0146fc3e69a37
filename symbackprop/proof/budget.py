"""A bound on the work of a proof, counted and not timed: the same claim gets the same answer on every machine."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.errors import SymbackpropError


class BudgetEnded(SymbackpropError):  # noqa: N818 (what is the case, not who is to blame)
    """A proof took more work than it may; the text names the budget."""


@dataclass
class Budget:
    """``limit`` counts products of terms, about a hundred thousand a second; naming indices counts as ten."""

    limit: int = 40_000
    spent: int = 0

    def spend(self, amount: int, what: str) -> None:
        """Raises BudgetEnded, naming what was being done, once more than the limit is spent."""
        self.spent += amount
        if self.spent > self.limit:
            raise BudgetEnded(f"the budget of {self.limit} products of terms ended while {what}")

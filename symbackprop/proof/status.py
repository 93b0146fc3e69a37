"""The six answers that a claim can get."""

from enum import Enum


class Status(Enum):
    """What is known about a claim. Six values are not two: `bool()` raises.

    >>> Status.PROVED.value
    'proved'
    """

    PROVED = "proved"  # equal for all sizes in the scope, under the assumptions listed
    REFUTED = "refuted"  # a concrete network shows the two sides certainly different
    CONSISTENT = "consistent"  # agrees numerically; no proof
    UNDECIDED = "undecided"  # a budget ended, or the evidence does not suffice
    UNREAD = "unread"  # the text could not be read
    DEFINED = "defined"  # the line introduces a new symbol: nothing to judge

    def __bool__(self) -> bool:
        raise TypeError(f"a status is one of six, not true or false: compare it with Status.{self.name}")

    def __str__(self) -> str:
        return self.value

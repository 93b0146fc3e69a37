"""What is known of a claim, in one value: the status, the reason, and the network that refutes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from symbackprop.errors import Position
from symbackprop.proof.status import Status

Rows = tuple[tuple[Fraction, ...], ...]

WORST_FIRST = (Status.REFUTED, Status.UNREAD, Status.UNDECIDED, Status.CONSISTENT, Status.PROVED, Status.DEFINED)


@dataclass(frozen=True)
class Counterexample:
    """A concrete network at which the two sides certainly differ.

    ``sizes`` and ``rates`` are numbers by name, ``arrays`` the parameters and the data, exact, a row each (rows and
    columns as in NumPy). ``entry`` counts from 1, as in the formulas; it is empty for a scalar. ``claimed`` and
    ``true`` are the two values there, exact or in decimals of which all digits are certain. ``stand_ins`` say what was
    taken for a function of which nothing is known.
    """

    sizes: Mapping[str, int]
    rates: Mapping[str, Fraction]
    arrays: Mapping[str, Rows]
    entry: tuple[int, ...]
    claimed: str
    true: str
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    script: Callable[[], str] = field(default=str, repr=False, compare=False)

    @cached_property
    def snippet(self) -> str:
        """A NumPy script that prints both values; it is written when it is asked for."""
        return self.script()

    def as_dict(self) -> dict[str, Any]:
        """The same in plain values, for JSON."""
        return {
            "sizes": dict(self.sizes),
            "rates": {name: str(rate) for name, rate in self.rates.items()},
            "arrays": {name: [[str(x) for x in row] for row in rows] for name, rows in self.arrays.items()},
            "entry": list(self.entry),
            "stand_ins": dict(self.stand_ins),
            "claimed": self.claimed,
            "true": self.true,
            "snippet": self.snippet,
        }

    def __str__(self) -> str:
        sizes = ", ".join(f"{name} = {value}" for name, value in {**self.sizes, **self.rates}.items())
        lines = [f"with {sizes}" if sizes else "with these numbers"]
        for name, rows in self.arrays.items():
            if len(rows) <= 6 and len(rows[0]) <= 8:
                lines.append(f"  {name} = [" + "; ".join("  ".join(map(str, row)) for row in rows) + "]")
            else:
                lines.append(f"  {name}: {len(rows)} x {len(rows[0])}")
        lines += [f"  {name} = {meaning}, which stands for any" for name, meaning in self.stand_ins.items()]
        at = "the value" if not self.entry else "entry (" + ", ".join(map(str, self.entry)) + ")"
        lines.append(f"  {at} is {self.true}; the claim gives {self.claimed}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Verdict:
    """What is known of one equality.

    ``code`` is None where proved or defined; ``message`` says what is known and ``hint`` what to do; ``scope`` is "all
    sizes" or names the sizes; ``assumptions`` are what was granted. ``links`` has one verdict for each ``=`` of a
    chain. ``mistake`` names the mistake once one is known, ``alternatives`` other explanations; ``span`` is where in
    the source the claim stands.

    >>> bool(Verdict(Status.PROVED, "equal"))
    Traceback (most recent call last):
    TypeError: a verdict is one of six, not true or false: look at its status
    """

    status: Status
    message: str
    code: str | None = None
    hint: str = ""
    counterexample: Counterexample | None = None
    assumptions: tuple[str, ...] = ()
    scope: str = "all sizes"
    mistake: None = None
    alternatives: tuple[str, ...] = ()
    links: tuple[Verdict, ...] = ()
    span: tuple[Position, Position] | None = None

    def __bool__(self) -> bool:
        raise TypeError("a verdict is one of six, not true or false: look at its status")

    def __str__(self) -> str:
        head = f"{self.status}: {self.message}" if self.code is None else f"{self.status} {self.code}: {self.message}"
        lines = [head, self.hint, str(self.counterexample or "")]
        lines += [f"granted: {text}" for text in self.assumptions]
        return "\n".join(line for line in lines if line)


def chain(links: tuple[Verdict, ...]) -> Verdict:
    """The verdict of a chain: that of the first link with the worst status, with all links."""
    worst = min(links, key=lambda v: WORST_FIRST.index(v.status))
    granted = tuple(dict.fromkeys(text for link in links for text in link.assumptions))
    return Verdict(
        worst.status,
        worst.message,
        worst.code,
        worst.hint,
        worst.counterexample,
        granted,
        worst.scope,
        worst.mistake,
        worst.alternatives,
        links,
        worst.span,
    )

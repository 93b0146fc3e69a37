"""The network as a user describes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy

from symbackprop.algebra.formula import Formula
from symbackprop.calculus.derive import derive
from symbackprop.derivation import Derivation
from symbackprop.errors import NetworkError, NotationError, ShapeMismatch, Unsupported
from symbackprop.marking import Page, Reading
from symbackprop.model.build import Dense, build
from symbackprop.model.losses import Loss
from symbackprop.model.model import Model
from symbackprop.model.notes import Note, read_formula, read_note, read_subject
from symbackprop.notation.notation import Notation
from symbackprop.proof.prover import Prover
from symbackprop.proof.setting import of_network
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Verdict


@dataclass(frozen=True)
class Network:
    """A feed-forward network with a loss.

    ``layers`` are ``Dense`` layers; ``inputs`` and every number of units is a name (symbolic) or a positive int;
    ``batch`` likewise, left out for one example. With a batch J is the mean over the samples of the loss, else it is
    the loss. ``l2`` adds (l2/2) times the sum of squared weights to J, ``l1`` adds l1 times the sum of absolute ones.
    ``samples`` is "columns" or "rows", ``weights`` "out x in" or "in x out"; ``labels="any"`` withdraws the assumption
    that targets of cross_entropy sum to 1. ``notes`` are pairs of a name and a formula in Python syntax, to stand
    beside what is derived in the report. Raises NetworkError where the description is wrong.

    >>> net = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m")
    >>> net.derive().gradient("W1")
    Delta1*X.T
    """

    layers: Sequence[Dense]
    inputs: str | int = field(kw_only=True)
    loss: str | Loss = field(kw_only=True)
    batch: str | int | None = field(default=None, kw_only=True)
    l1: str | float | None = field(default=None, kw_only=True)
    l2: str | float | None = field(default=None, kw_only=True)
    labels: str | None = field(default=None, kw_only=True)
    samples: str = field(default="columns", kw_only=True)
    weights: str = field(default="out x in", kw_only=True)
    notation: Notation | Mapping[str, Any] | None = field(default=None, kw_only=True)
    title: str = field(default="", kw_only=True)
    notes: Sequence[tuple[str, str]] = field(default=(), kw_only=True)
    declared_notation: Mapping[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers) if isinstance(self.layers, list) else self.layers)
        given = self.notation
        object.__setattr__(self, "notation", _notation(given))
        object.__setattr__(self, "declared_notation", vars(given) if isinstance(given, Notation) else dict(given or {}))
        if not isinstance(self.title, str):
            raise NetworkError("title must be a line of text", ("title",))
        object.__setattr__(self, "notes", tuple(self.notes))
        if isinstance(self.notation, Notation) and self.notation.layout == "numerator" and self.batch is not None:
            raise NetworkError("numerator layout is for one example: leave batch out", ("notation", "layout"))
        _ = self.model, self.read_notes

    @cached_property
    def model(self) -> Model:
        """The forward equations, shapes and assumptions."""
        return build(
            self.layers,
            inputs=self.inputs,
            loss=self.loss,
            batch=self.batch,
            l1=self.l1,
            l2=self.l2,
            labels=self.labels,
            samples=self.samples,
            weights=self.weights,
            reserved=self.notation.index_like if isinstance(self.notation, Notation) else frozenset(),
        )

    @cached_property
    def read_notes(self) -> tuple[Note, ...]:
        """What notes say, read: pairs of a name and a formula in Python syntax."""
        for i, note in enumerate(self.notes):
            if not isinstance(note, tuple | list) or len(note) != 2:
                raise NetworkError(
                    'a note is a pair of a name and a formula, like ("W1", "Delta1 @ X.T")', ("notes", i)
                )
        return tuple(read_note(self.model, *note, path=("notes", i)) for i, note in enumerate(self.notes))

    def verify(self, claim: str | sympy.Basic | Formula, of: str | Formula | None = None) -> Verdict:
        r"""Whether a formula is right: proved for all sizes, refuted by a concrete network, or in honest words less.

        Without ``of`` the claim is LaTeX, with an equals sign: one displayed formula as notes have it, a chain or
        several lines, with a verdict for each equality in ``links``. What is not declared of the notation is inferred.

        With ``of`` it is one side only. ``of`` says what the formula is for: "W1" or "dW1" is the gradient dJ/dW1,
        "Delta1" the error dJ/dZ1, "dA1" is dJ/dA1, "Z1" and "J" are the forward equations. The claim is
        Python syntax with NumPy's meaning, which is read and never evaluated, a SymPy expression, or a formula. Raises
        NetworkError for an unknown name in ``of``; a claim that cannot be read has the status UNREAD.

        >>> net = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m")
        >>> net.verify("(A1 - Y) @ X.T / m", of="W1").status.value
        'proved'
        >>> net.verify(r"\frac{\partial J}{\partial W} = \frac{1}{m} (A - Y) X^T").status.value
        'proved'
        >>> print(net.verify("(Y - A1) @ X.T / m", of="W1"))
        refuted SBP301: it differs from what is right
        with n_0 = 2, n_1 = 3, m = 2
          W1 = [1  2; 1  -1; -1  1]
          b1 = [-1; -2; 1]
          X = [2  3; 2  -2]
          Y = [3/5  1/5; 1/5  3/5; 4/5  1/5]
          entry (1, 1) is 0.272112; the claim gives -0.272112
        """
        if of is None:
            if not isinstance(claim, str):
                raise TypeError('a formula of one side is a claim about something: say what for, as in of="W2"')
            return Page(self).judge(claim)
        subject = of if isinstance(of, Formula) else read_subject(self.model, of)
        if not isinstance(claim, str | sympy.Basic | Formula):
            raise TypeError(f"a claim is a formula in Python syntax or a SymPy expression, not {type(claim).__name__}")
        try:
            says = claim if isinstance(claim, Formula) else read_formula(self.model, claim)
        except ShapeMismatch as error:
            return Verdict(Status.REFUTED, str(error), "SBP201")
        except NotationError as error:
            return Verdict(Status.UNREAD, str(error), "SBP101")
        except Unsupported as error:
            return Verdict(Status.UNREAD, str(error), "SBP104")
        return self._prover.judge(subject, says)

    def read(self, latex: str) -> Reading:
        r"""What a formula in LaTeX says, in our own words, with shapes; nothing is judged.

        Raises NotationError with a position for what cannot be read, is ambiguous, or uses unknown symbols.

        >>> net = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy")
        >>> print(net.read(r"z = W x + b"))
        z1  [n_1 x 1]
          = W1 @ x + b1  [n_1 x 1]
        """
        return Page(self).read(latex)

    @cached_property
    def _prover(self) -> Prover:
        return Prover(of_network(self.derive()))

    @cached_property
    def extended_provers(self) -> dict[frozenset[str], Prover]:
        """Provers with further scalars, like a learning rate, kept for the next formula."""
        return {}

    def derive(self, progress: Callable[[int, int], None] | None = None) -> Derivation:
        """Derive every gradient; ``progress(done, of)`` is told how far it is."""
        assert isinstance(self.notation, Notation)
        return Derivation(
            self.model, derive(self.model, progress), notation=self.notation, title=self.title, notes=self.read_notes
        )


def _notation(given: Notation | Mapping[str, Any] | None) -> Notation:
    if isinstance(given, Notation):
        return given
    if given is not None and not isinstance(given, Mapping):
        raise NetworkError(f"notation must be a table or a Notation, not a {type(given).__name__}", ("notation",))
    unknown = sorted(set(given or {}) - set(Notation.keys()))
    if unknown:
        raise NetworkError(
            f"unknown key {unknown[0]!r} in notation: known are {', '.join(Notation.keys())}",
            ("notation", unknown[0], "#key"),
        )
    return Notation(**(given or {}))

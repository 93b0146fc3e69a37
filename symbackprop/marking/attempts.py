"""A claim in every reading that is open to it: for each layer, for one sample or all, with layers told by indices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from symbackprop.errors import NotationError, ShapeMismatch, Unsupported
from symbackprop.marking.elaborate import Elaborator, Shorthand
from symbackprop.marking.instances import (
    exponents,
    layer_choices,
    layers_below,
    layers_by_index,
    of_any_layer,
    varies,
)
from symbackprop.marking.scope import LayerMissing, LayerOpen, Scope
from symbackprop.marking.verdicts import joined, with_notes
from symbackprop.notation import syntax as s
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import WORST_FIRST, Verdict

MAX_INSTANCES = 200


class Attempts:
    """The part of a page that tries readings; what none of them makes right is judged by the first."""

    if TYPE_CHECKING:

        def _one(
            self, left: s.Node, right: s.Node, relation: str, scope: Scope, first: bool, elaborator: Elaborator
        ) -> Verdict: ...

    def _elaborators(self, nodes: Sequence[s.Node], scope: Scope) -> Iterator[Elaborator]:
        """One for each choice of the symbolic layers, in order."""
        numbers = frozenset(exponents(nodes)) if scope.lexicon.free else frozenset()
        for layers in layer_choices(nodes, scope):
            yield Elaborator(scope, layers, numbers)

    def _instances(self, left: s.Node, right: s.Node, relation: str, scope: Scope, first: bool) -> Verdict:
        """The claim for every layer for which it makes sense; letters without one take it from their indices."""
        if scope.model is not None:
            left, right = layers_below(left, scope), layers_below(right, scope)
        fault: NotationError | ShapeMismatch | None = None
        found: Verdict | None = None
        try:
            found = self._numbered(left, right, relation, scope, first)
        except (NotationError, ShapeMismatch) as error:
            fault = error
        if scope.model is not None and (found is None or found.status is Status.REFUTED):
            try:
                other = self._by_index(left, right, relation, scope, first)
            except ShapeMismatch:
                if isinstance(fault, LayerOpen):
                    raise
                other = None
            if other is not None and (other.status is Status.PROVED or isinstance(fault, LayerOpen)):
                return other
        if found is None:
            assert fault is not None
            raise fault
        return found

    def _by_index(self, left: s.Node, right: s.Node, relation: str, scope: Scope, first: bool) -> Verdict | None:
        """The claim with layers on letters that carry none, for every choice that conforms; None where none does."""
        found: list[tuple[dict[str, int], Verdict]] = []
        misfit: ShapeMismatch | None = None
        unread, right_end = False, right.span[1]
        for layer_of, (u, v) in layers_by_index((left, right), scope):
            try:
                found.append((layer_of, self._numbered(u, v, relation, scope, first)))
            except ShapeMismatch as error:
                misfit = error
            except NotationError:
                unread = True
        if not found and misfit is not None and not unread:
            raise misfit
        if not found:
            return None
        if len({verdict.status for _, verdict in found}) > 1 and scope.last == 2:  # j is hidden, k an output
            usual = {"i": 0, "j": 1, "k": 2}
            kept = [pair for pair in found if all(usual.get(name, n) == n for name, n in pair[0].items())]
            found = kept if kept and all(verdict.status is Status.PROVED for _, verdict in kept) else found
        if len({verdict.status for _, verdict in found} & {Status.PROVED, Status.REFUTED}) == 2:
            proved = next(at for at, verdict in found if verdict.status is Status.PROVED)
            refuted = next(at for at, verdict in found if verdict.status is Status.REFUTED)
            shown = [", ".join(f"{name} in layer {n}" for name, n in at.items()) for at in (proved, refuted)]
            message = f"of which layer? right for {shown[0]}, wrong for {shown[1]}: write the layers"
            raise NotationError(message, left.span[0], "SBP103", right_end)
        layer_of, worst = min(found, key=lambda pair: WORST_FIRST.index(pair[1].status))
        units = {0: "the inputs", scope.last: "the outputs"}
        said = [f"{name} counts {units.get(n, f'the units of layer {n}')}" for name, n in layer_of.items()]
        return with_notes(worst, said or ["h is the hidden layer"])

    def _numbered(self, left: s.Node, right: s.Node, relation: str, scope: Scope, first: bool) -> Verdict:
        found: list[tuple[dict[str, int], Verdict]] = []
        missing: NotationError | None = None
        for count, elaborator in enumerate(self._elaborators((left, right), scope)):
            if count >= MAX_INSTANCES:
                reason = f"more than {MAX_INSTANCES} layers: judged for the first ones only, where it is right"
                found.append(({"L": 0}, Verdict(Status.UNDECIDED, reason, "SBP401")))
                break
            choice = dict(elaborator.layers)
            try:
                found.append((choice, self._of_samples(left, right, relation, scope, first, elaborator)))
            except LayerMissing as error:
                missing = error
            except LayerOpen as error:
                if not of_any_layer((left, right), scope):
                    raise
                return self._in_every_layer(left, right, scope, error)
            if found and found[-1][1].status in (Status.REFUTED, Status.UNREAD):
                break
        if not found:
            assert missing is not None
            raise missing
        if len(found) == 1 and not varies(found[0][0], scope):
            return found[0][1]
        choice, worst = min(found, key=lambda pair: WORST_FIRST.index(pair[1].status))
        letters = ", ".join(f"{k} = {v}" for k, v in choice.items() if k != "L")
        if not letters:
            return worst
        if worst.status is Status.PROVED:
            values = [", ".join(f"{k} = {v}" for k, v in c.items() if k != "L") for c, _ in found]
            shown = values if len(values) <= 6 else [*values[:3], "...", values[-1]]
            granted = tuple(dict.fromkeys(text for _, v in found for text in v.assumptions))
            return replace(worst, message=f"{worst.message}, for {'; '.join(shown)}", assumptions=granted)
        return replace(worst, message=f"for {letters}: {worst.message}")

    def _of_samples(
        self, left: s.Node, right: s.Node, relation: str, scope: Scope, first: bool, elaborator: Elaborator
    ) -> Verdict:
        """The claim for one sample; where it is not right so, with lower-case letters for those of all samples."""
        found: Verdict | None = None
        fault: ShapeMismatch | NotationError | None = None
        try:
            found = self._one(left, right, relation, scope, first, elaborator)
        except LayerMissing:
            raise
        except (ShapeMismatch, NotationError) as error:
            fault = error
        if elaborator.unmarked and (found is None or found.status in (Status.REFUTED, Status.UNDECIDED)):
            whole = Elaborator(scope, elaborator.layers, elaborator.exponents)
            whole.whole = True
            try:
                other = self._one(left, right, relation, scope, first, whole)
            except (ShapeMismatch, NotationError, Unsupported, Shorthand):
                other = None
            if other is not None and (other.status is Status.PROVED or isinstance(fault, ShapeMismatch)):
                return with_notes(other, ["lower-case letters without a mark are those of all samples"])
        if found is None:
            assert fault is not None
            raise fault
        return found

    def _in_every_layer(self, left: s.Node, right: s.Node, scope: Scope, error: NotationError) -> Verdict:
        """a = g(z), g'(z) = ... without a layer: for every layer."""
        found = []
        for layer in range(1, min(scope.last, MAX_INSTANCES) + 1):
            elaborator = next(self._elaborators((left, right), scope))
            elaborator.any_layer = layer
            found.append(self._one(left, right, "=", scope, False, elaborator))
            if found[-1].status is Status.REFUTED:
                break
        return with_notes(joined(found), ["letters without a layer are those of any one layer"])

"""Every step of a derivation proved from its premises, by partial derivatives entry by entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Symbol
from symbackprop.algebra.index import IndexExpr
from symbackprop.calculus.derived import Derived
from symbackprop.calculus.steps import Step
from symbackprop.errors import Unsupported
from symbackprop.proof.entrywise_truth import contracted
from symbackprop.proof.equality import Equality
from symbackprop.proof.rules import prove_rules
from symbackprop.proof.setting import Setting, of_network
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Verdict, chain


class Proofs(tuple[Verdict, ...]):
    """A verdict for each step of a derivation, in their order.

    ``generic`` has one for each step of the generic layer, for a symbolic l; ``rules`` one for each pullback rule.
    """

    generic: tuple[Verdict, ...]
    rules: dict[str, Verdict]

    def __new__(cls, steps: Iterable[Verdict], generic: tuple[Verdict, ...], rules: dict[str, Verdict]) -> Proofs:
        made = super().__new__(cls, steps)
        made.generic, made.rules = generic, rules
        return made

    def __repr__(self) -> str:
        parts = {"steps": self, "steps of the generic layer": self.generic, "rules": tuple(self.rules.values())}
        counted = (f"{sum(v.status is Status.PROVED for v in vs)} of {len(vs)} {what}" for what, vs in parts.items())
        return f"<Proofs: {', '.join(counted)} proved>"


def prove(derived: Derived) -> Proofs:
    """Prove every step of a derivation, of its generic layer, and every rule."""
    setting = of_network(derived)
    steps = prove_steps(derived.steps, setting)
    try:
        layer = derived.generic_layer
    except Unsupported:
        layer = ()
    return Proofs(steps, prove_generic(layer, setting), prove_rules())


def prove_generic(layer: Sequence[Step], setting: Setting) -> tuple[Verdict, ...]:
    """The steps of the generic layer, over its own forward equations: what holds for a symbolic l holds for each."""
    forward = {step.through.symbol: step.through.formula for step in reversed(layer) if step.through is not None}
    arrays = {s for u in forward.values() for s in f.walk(u) if isinstance(s, Symbol)} | set(forward)
    own = Setting(
        free={},
        forward=forward,
        cost=setting.cost,
        sizes=setting.sizes | {n.name for s in arrays for n in s.shape if n.is_Symbol},
        scalars=setting.scalars,
        granted=tuple(text for text in setting.granted if "prediction" not in text),
    )
    return prove_steps(layer, own)


def prove_steps(steps: Sequence[Step], setting: Setting) -> tuple[Verdict, ...]:
    """A verdict for each step: every side of its equation is what the chain rule gives, entry by entry.

    The cotangent that comes in has its name, or is the result of the step that found it, which has a verdict of its
    own. An array that several equations use must have a part from each of them.
    """
    equality = Equality(setting)
    results: dict[Formula, Formula] = {}
    found = []
    for step in steps:
        names, sides = _named(step)
        truth = _truth(step, steps, results)
        if truth is None:
            found.append(_undecided(f"not every equation that uses {step.wrt.name} is in the sum", setting))
            continue
        granted = (*(a.text for a in step.assumptions), *setting.granted)
        links = tuple(_link(equality, truth, f.substitute(side, results), granted, setting.scope) for side in sides)
        found.append(chain(links))
        results.update({name: step.result for name in names if isinstance(name, f.Derivative)})
    uses, met, summed = _uses(steps, setting)
    for n, step in enumerate(steps):
        wanted = uses[step.wrt]
        if wanted != met[step.wrt] or (len(wanted) > 1 and step.wrt not in summed):
            found[n] = _undecided(f"not every equation that uses {step.wrt.name} is in the sum", setting)
    return tuple(found)


def _named(step: Step) -> tuple[tuple[Formula, ...], tuple[Formula, ...]]:
    """The sides that only name what the step derives, the error and dJ/dz, and those that say what it is."""
    sides = step.equation.sides
    last = max(
        (n for n, u in enumerate(sides) if isinstance(u, f.Derivative) and u.wrt == step.wrt and n < 2), default=-1
    )
    return sides[: last + 1], sides[last + 1 :]


def _truth(step: Step, steps: Sequence[Step], results: dict[Formula, Formula]) -> IndexExpr | Formula | None:
    """What the chain rule gives for the array of a step."""
    if step.why is None or step.through is None:
        parts = [steps[number - 1].result for number in step.premises]  # steps are numbered from 1
        return f.Add(tuple(parts)) if len(parts) == len(step.premises) > 0 else None
    node = step.through.formula
    if step.why.cotangent is None:
        return contracted(node, step.wrt, None)
    if step.why.cotangent != step.through.symbol:
        return contracted(node, step.wrt, step.why.cotangent)
    (of,) = {u.of for u in step.equation.sides[:2] if isinstance(u, f.Derivative)}
    known = results.get(f.Derivative(of, step.through.symbol))
    return None if known is None else contracted(node, step.wrt, known)


def _uses(
    steps: Sequence[Step], setting: Setting
) -> tuple[dict[Symbol, set[Symbol]], dict[Symbol, set[Symbol]], set[Symbol]]:
    """The equations that use each array, those through which it was derived, and the arrays whose parts were summed."""
    uses: defaultdict[Symbol, set[Symbol]] = defaultdict(set)
    met: defaultdict[Symbol, set[Symbol]] = defaultdict(set)
    for symbol, definition in setting.forward.items():
        for node in f.walk(definition):
            if isinstance(node, Symbol):
                uses[node].add(symbol)
    for step in steps:
        if step.through is not None:
            met[step.wrt].add(step.through.symbol)
    return uses, met, {step.wrt for step in steps if step.through is None}


def _link(
    equality: Equality, truth: IndexExpr | Formula, said: Formula, granted: tuple[str, ...], scope: str
) -> Verdict:
    proof = equality.equal(truth, said)
    if proof.equal:
        return Verdict(
            Status.PROVED, "as the partial derivatives of the entries give it", assumptions=granted, scope=scope
        )
    return Verdict(
        Status.UNDECIDED, proof.reason or "the normal forms differ", "SBP401", assumptions=granted, scope=scope
    )


def _undecided(message: str, setting: Setting) -> Verdict:
    return Verdict(Status.UNDECIDED, message, "SBP401", assumptions=setting.granted, scope=setting.scope)

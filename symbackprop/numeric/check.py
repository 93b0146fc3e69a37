"""A numeric check of anybody's backward pass: what it claims against finite differences, with an error estimate.

The verdict comes from the estimate e and never from a tolerance alone: a difference of at most e agrees, one above 10 e
disagrees, and between the two the check says that it does not know.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import BlindPointWarning, CheckError
from symbackprop.numeric.arguments import Gradients, read_grads, read_params
from symbackprop.numeric.blind import blind
from symbackprop.numeric.directions import directions, norm
from symbackprop.numeric.entries import Index, counted, locate, some
from symbackprop.numeric.evaluation import Evaluation
from symbackprop.numeric.gradient_check import AGREES, Finding, GradientCheck, Row
from symbackprop.numeric.probe import Probe, lengths_of
from symbackprop.proof.status import Status

SHIFTS = (0.71, 1.37)  # ladders of their own, where the first one leaves a doubt
SHAKES = 3
AT_KINK = 64  # entries that are looked at one by one where a parameter lies at a kink
NOT_REPEATED = 1e-6  # relative: what two calls with the same arguments may differ by, as threads sum in any order


def check_gradient(
    value: Callable[[dict[str, Any]], Any],
    grads: Gradients,
    params: Mapping[str, Any],
    seed: int = 0,
    *,
    scale: float | None = None,
) -> GradientCheck:
    """Check a claimed gradient against finite differences of its value, each with an estimated error.

    ``value(params)`` returns one number; ``params`` is a dict of arrays of float32 or float64, ``grads`` a dict of the
    claimed derivatives with the same names and shapes, or a function of ``params`` that returns one. ``scale`` is the
    size of the largest intermediate of ``value`` (the largest logit), from which its rounding follows; without it
    rounding is measured. ``seed`` draws the directions.

    The result's ``status`` is REFUTED where a difference is more than 10 times its estimated error, CONSISTENT where
    all are within it, else UNDECIDED; ``table`` has a row for each parameter. Exactly at a kink every value between the
    one-sided derivatives agrees. Raises CheckError, one line, where names, shapes or numbers do not fit; warns with
    BlindPointWarning where some wrong gradients would pass, as far as the parameters show it.

    >>> import numpy as np
    >>> X, Y = np.array([[1.0, 2.0, -1.0], [0.5, -2.0, 3.0]]), np.array([[1.0, 0.0, 2.0]])
    >>> params = {"W": np.array([[0.3, -0.7]]), "b": np.array([[0.1]])}
    >>> def value(p):
    ...     return np.mean((p["W"] @ X + p["b"] - Y) ** 2)
    >>> D = 2 / 3 * (params["W"] @ X + params["b"] - Y)
    >>> check_gradient(value, {"W": D @ X.T, "b": D.sum(axis=1, keepdims=True)}, params).status
    <Status.CONSISTENT: 'consistent'>
    >>> check_gradient(value, {"W": D @ X.T, "b": 1.000001 * D.sum(axis=1, keepdims=True)}, params)
    <GradientCheck refuted: b is wrong: entry (1, 1) of b is claimed as -2.100002 and estimated as -2.1>
    """
    if not callable(value):
        raise CheckError(f"value must be a function of params, not a {type(value).__name__}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise CheckError(f"seed must be a whole number from 0 up, not {seed!r}")
    if scale is not None and not (np.ndim(scale) == 0 and np.isfinite(scale) and scale >= 0):
        raise CheckError(f"scale must be the size of the largest intermediate, a number from 0 up, not {scale!r}")
    given = read_params(params)
    claimed = read_grads(grads, given)
    evaluation = Evaluation.of(value, given)
    unseen = tuple(blind(given, claimed))
    if unseen:
        warnings.warn(BlindPointWarning("; ".join(unseen) + ": check at a generic point too"), stacklevel=2)
    return run(evaluation, claimed, seed, scale, tuple(f"blind: {line}" for line in unseen))


def run(
    evaluation: Evaluation,
    claimed: Mapping[str, NDArray[Any]],
    seed: int,
    scale: float | None,
    notes: tuple[str, ...] = (),
) -> GradientCheck:
    """The check of arguments that were read."""
    gap = abs(evaluation.again - evaluation.at_base)
    if gap > NOT_REPEATED * abs(evaluation.at_base):
        reason = f"value is not deterministic: two calls with the same parameters differ by {gap:.1e}; fix its seed"
        return _undecided(claimed, reason, seed, notes)
    rng = np.random.default_rng(seed)
    probe = _probe(evaluation, claimed, rng, scale)
    tried = list(directions(probe.claim, probe.lengths, rng))
    findings = [_assured(probe, label, direction) for label, direction in tried]
    findings, note = _with_complex_steps(probe, [direction for _, direction in tried], findings)
    notes += note
    rows, maps, kinks = {}, {}, []
    for name in probe.claim:
        own = [u for u in findings if u.parameters == (name,)]
        seen = _look(probe, name, own, rng)
        rows[name] = _row(probe, name, seen)
        if rows[name].status is Status.REFUTED and seen.picture is not None:
            maps[name] = seen.picture
        at = sorted((u.ratio <= AGREES, index) for index, u in seen.entries.items() if u.kink is not None)
        kinks += [_kink(name, index, seen.entries[index]) for _, index in at[:1]]
    together = [] if kinks else [u for u in findings if len(u.parameters) > 1 and u.kink is None]
    status, reason = _verdict(rows, together, kinks)
    return GradientCheck(status, reason, rows, tuple(findings), (*notes, *kinks), seed, maps)


@dataclass(frozen=True)
class _Seen:
    """What one parameter is judged by: directions, entries, and how many were looked at one by one."""

    directions: list[Finding]
    entries: Mapping[Index, Finding]
    looked_at: int
    picture: NDArray[np.float64] | None = None


def _look(probe: Probe, name: str, own: list[Finding], rng: np.random.Generator) -> _Seen:
    """The directions of a parameter and some of its entries; entries alone where one of them lies at a kink.

    Along a direction several kinks can cancel, so that nothing of them is seen but a derivative that backpropagation
    does not give.
    """
    size, smooth = probe.claim[name].size, [u for u in own if u.kink is None]
    if any(u.status is Status.REFUTED for u in smooth):
        index, worst, picture = locate(probe, name, rng)
        if worst.status is Status.REFUTED:
            return _Seen(smooth, {index: worst}, size, picture)
        entries = {**some(probe, name, rng, AT_KINK), index: worst}
        if not any(u.kink is not None for u in entries.values()):
            return _Seen(smooth, {index: worst}, size, picture)
        return _Seen([], entries, len(entries), picture)
    entries = some(probe, name, rng, AT_KINK if len(smooth) < len(own) else None)
    if any(u.kink is not None for u in entries.values()):
        entries = some(probe, name, rng, AT_KINK) if len(entries) < min(size, AT_KINK) else entries
        return _Seen([], entries, len(entries))
    return _Seen(smooth, entries, len(entries))


def _probe(
    evaluation: Evaluation, claimed: Mapping[str, NDArray[Any]], rng: np.random.Generator, scale: float | None
) -> Probe:
    eps = float(np.finfo(float).eps)
    claim_eps = max([evaluation.eps, *(float(np.finfo(g.dtype).eps) for g in claimed.values() if g.dtype.kind == "f")])
    noise = evaluation.measured_noise(rng)
    claim_noise = evaluation.given_noise(rng) if evaluation.short else noise * claim_eps / eps
    if scale is not None:
        noise = max(noise, 2 * (eps if evaluation.longer else evaluation.eps) * float(scale))
        claim_noise = max(claim_noise, claim_eps * float(scale))
    claim = {name: g.astype(np.float64) for name, g in claimed.items()}
    base = evaluation.base
    shaken = SHAKES if evaluation.longer and claim_eps > eps else 0
    shakes = tuple({name: a * rng.uniform(-1, 1, a.shape) for name, a in base.items()} for _ in range(shaken))
    return Probe(evaluation, claim, noise, claim_noise, claim_eps, lengths_of(base), shakes)


def _assured(probe: Probe, label: str, direction: Mapping[str, Any]) -> Finding:
    """A finding; one that does not agree has to stand on ladders of other steps too.

    What is most exact counts, whether it agrees or not; nothing is refuted that another ladder does not refute.
    """
    found = probe.finding(label, direction)
    if found.status is Status.CONSISTENT or found.kink is not None:
        return found
    others = [probe.finding(label, direction, shift) for shift in SHIFTS]
    most_exact = min((found, *others), key=lambda u: u.estimated_error)
    if most_exact.status is Status.REFUTED:
        return min((found, *others), key=lambda u: u.ratio if u.kink is None else np.inf)
    return most_exact


def _with_complex_steps(
    probe: Probe, tried: list[dict[str, Any]], findings: list[Finding]
) -> tuple[list[Finding], tuple[str, ...]]:
    """Complex steps in place of differences, where every one of them is within the error of the difference."""
    stepped = []
    for direction, found in zip(tried, findings, strict=True):
        other = probe.complex_finding(direction, found)
        if other is None:
            return findings, ()
        if not abs(other.estimate - found.estimate) <= found.estimated_error:
            return findings, (
                "complex steps were not used: value takes complex numbers, but drops a part of them (abs, a cast?)",
            )
        stepped.append(other if other.estimated_error < found.estimated_error else found)
    return stepped, ("complex steps were used, within the error of real ones",)


def _row(probe: Probe, name: str, seen: _Seen) -> Row:
    smooth, entries = seen.directions, seen.entries
    index, worst = max(entries.items(), key=lambda item: (item[1].ratio, abs(item[1].claim)))
    telling = [u for u in smooth if not u.vague] or smooth or [u for u in entries.values() if not u.vague] or [worst]
    shown = max(telling, key=lambda u: u.ratio)
    everything = [*smooth, *entries.values()]
    if any(u.status is Status.REFUTED for u in everything):
        status = Status.REFUTED
        shown = max(everything, key=lambda u: u.ratio)
    elif any(u.ratio > AGREES for u in everything) or all(u.vague for u in telling):
        status = Status.UNDECIDED
        shown = max(everything, key=lambda u: u.ratio) if not all(u.vague for u in telling) else shown
    else:
        status = Status.CONSISTENT
    return Row(
        name,
        status,
        shown.error,
        shown.estimated_error,
        shown.label,
        index,
        float(probe.claim[name][index]),
        worst.estimate,
        worst.estimated_error,
        seen.looked_at,
        probe.claim[name].size,
        norm(probe.claim[name]),
    )


def _verdict(rows: Mapping[str, Row], together: list[Finding], kinks: list[str]) -> tuple[Status, str]:
    wrong = [row for row in rows.values() if row.status is Status.REFUTED]
    if wrong:
        names = ", ".join(row.parameter for row in wrong)
        worst = max(wrong, key=lambda row: row.error / row.estimated_error if row.estimated_error > 0 else np.inf)
        assert worst.index is not None
        where = counted(worst.parameter, worst.index)
        claim, estimate = _apart(worst.claim, worst.estimate)
        there = f"{where} is claimed as {claim} and estimated as {estimate}"
        return Status.REFUTED, f"{names} {'is' if len(wrong) == 1 else 'are'} wrong: {there}"
    if any(u.status is Status.REFUTED for u in together):
        u = max(together, key=lambda u: u.ratio)
        return Status.REFUTED, (
            f"{u.label}: the derivative is claimed as {u.claim:.9g} and estimated as {u.estimate:.9g}, "
            f"with an error of {u.estimated_error:.1e}"
        )
    open_rows = [row for row in rows.values() if row.status is Status.UNDECIDED]
    if open_rows:
        row = max(open_rows, key=lambda row: row.estimated_error)
        for name, note in ((u.parameter, note) for u in open_rows for note in kinks):
            if note.startswith(f"{name} ") and NOT_BETWEEN in note:
                return Status.UNDECIDED, note
        why = "which may be rounding" if row.error > row.estimated_error else "which says too little"
        return Status.UNDECIDED, (
            f"{', '.join(u.parameter for u in open_rows)}: along {row.direction} the error is {row.error:.1e} where "
            f"{row.estimated_error:.1e} is estimated, {why} beside a gradient of size {row.size:.1e}"
        )
    largest = max((row.estimated_error / row.size for row in rows.values() if row.size > 0), default=0.0)
    return Status.CONSISTENT, f"agrees with finite differences, whose estimated relative error is at most {largest:.1e}"


def _apart(claim: float, estimate: float) -> tuple[str, str]:
    digits = 7
    while digits < 16 and f"{claim:.{digits}g}" == f"{estimate:.{digits}g}" and claim != estimate:
        digits += 1
    return f"{claim:.{digits}g}", f"{estimate:.{digits}g}"


NOT_BETWEEN = "is not between them"


def _kink(name: str, index: Index, u: Finding) -> str:
    assert u.kink is not None
    low, high = u.kink
    sides = f"{name} lies at a kink: {counted(name, index)} has the one-sided derivatives {low:.6g} and {high:.6g}"
    if u.ratio <= AGREES:
        return f"{sides}, and {u.claim:.6g} between them is a convention"
    return f"{sides}; {u.claim:.6g} {NOT_BETWEEN}, and no convention for a single kink gives it"


def _undecided(claimed: Mapping[str, NDArray[Any]], reason: str, seed: int, notes: tuple[str, ...]) -> GradientCheck:
    nan = float("nan")
    rows = {
        name: Row(name, Status.UNDECIDED, nan, nan, "none", None, nan, nan, nan, 0, g.size, norm(g))
        for name, g in claimed.items()
    }
    return GradientCheck(Status.UNDECIDED, reason, rows, (), notes, seed)

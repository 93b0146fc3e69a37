"""One random network checked with its true gradient, with a wrong tensor, and with a wrong entry: what came of it."""

from collections import Counter
from typing import Any

import numpy as np
from plain_networks import network

from symbackprop import Status, check_gradient

# How a value function computes: as its parameters, or in float32 whatever it is given.
KINDS = ("float64", "float64, scale known", "float64, returns float", "float32", "float32 inside")
TENSOR = {np.float64: 5e-7, np.float32: 1e-4}
ENTRY = 1e-3


def one_network(kind: str, n: int, planted: bool = True) -> Counter[str]:
    """Counts for network number ``n`` of a kind; with ``planted``, wrong gradients are checked too."""
    rng = np.random.default_rng([n, KINDS.index(kind)])
    dtype = np.float32 if "float32" in kind else np.float64
    plain = network(("tanh", "sigmoid", "relu")[n % 3], rng, dtype)

    def value(p: dict[str, Any]) -> Any:
        if kind == "float32 inside":
            return float(plain.value({name: array.astype(np.float32) for name, array in p.items()}))
        return float(plain.value(p)) if kind == "float64, returns float" else plain.value(p)

    def check(grads: dict[str, Any]) -> Any:
        return check_gradient(value, grads, plain.params, seed=n, scale=plain.logit if "scale" in kind else None)

    true = plain.gradients(plain.params)
    found = check(true)
    counts = Counter({found.status.value: 1})
    counts += coverage(found)
    name = list(true)[int(rng.integers(len(true)))]
    if not planted or not np.any(true[name]):
        return counts
    counts += tensor(check, true, name, found, dtype)
    counts += entry(check, true, name, rng, dtype)
    return counts


def coverage(found: Any) -> Counter[str]:
    """In how many directions a gradient that is true up to its rounding is within the estimated error."""
    good = [u.ratio <= 1 for u in found.findings]
    return Counter(directions=len(good), covered=sum(good), networks=int(all(good)))


def tensor(check: Any, true: Any, name: str, found: Any, dtype: Any) -> Counter[str]:
    relative = TENSOR[dtype]
    wrong = check({**true, name: (true[name] * dtype(1 + relative)).astype(dtype)})
    size = float(np.linalg.norm(true[name].astype(float)))
    along = [u.estimated_error for u in found.findings if u.label == f"{name}, along the claim" and u.kink is None]
    floor = min(along, default=found.table[name].estimated_error)
    where = "above" if relative * size > 10 * floor else "below"
    refuted = int(wrong.status is Status.REFUTED)
    return Counter({f"tensor {where}": 1, f"tensor {where} refuted": refuted})


def entry(check: Any, true: Any, name: str, rng: np.random.Generator, dtype: Any) -> Counter[str]:
    at = tuple(int(i) for i in np.unravel_index(int(rng.integers(true[name].size)), true[name].shape))
    changed = true[name].copy()
    changed[at] *= dtype(1 + ENTRY)
    planted = abs(float(changed[at]) - float(true[name][at]))
    if planted == 0:
        return Counter()
    wrong = check({**true, name: changed})
    row = wrong.table[name]
    floor = (
        row.entry_error
        if row.index == at
        else max(u.estimated_error for u in wrong.findings if u.parameters == (name,))
    )
    where = "above" if planted > 10 * floor else "below"
    refuted = int(wrong.status is Status.REFUTED)
    named = int(bool(refuted) and row.index == at)
    return Counter({f"entry {where}": 1, f"entry {where} refuted": refuted, "entry refuted": refuted, "named": named})

"""Entry by entry: a few entries of a gradient that agrees, the wrong one of a gradient that does not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from symbackprop.numeric.directions import signs
from symbackprop.numeric.gradient_check import AGREES, DISAGREES, Finding
from symbackprop.numeric.ladder import slope
from symbackprop.numeric.probe import Probe

Index = tuple[int, ...]
Block = tuple[slice, ...]

SMALL = 2000  # parameters in all: up to here many entries are looked at, beyond a few
MANY, FEW = 32, 3
MAP, BLOCKS = 1024, 256  # entries in the map of a wrong gradient, blocks in that of a larger one
QUICK_FIRST, QUICK_RUNGS = 1 / 16, 5


def entry(probe: Probe, name: str, index: Index) -> Finding:
    """The claim of one entry beside its estimate; the label counts from 1."""
    unit = np.zeros(probe.claim[name].shape)
    unit[index] = probe.lengths[name] / np.sqrt(unit.size)
    found = probe.finding(counted(name, index), {name: unit}, thorough=False)
    return found if found.ratio <= AGREES else probe.finding(counted(name, index), {name: unit})


def counted(name: str, index: Index) -> str:
    """An entry in words, counted from 1 as formulas count."""
    if not index:
        return name
    return (
        f"entry {index[0] + 1} of {name}"
        if len(index) == 1
        else f"entry ({', '.join(str(i + 1) for i in index)}) of {name}"
    )


def some(probe: Probe, name: str, rng: np.random.Generator, most: int | None = None) -> dict[Index, Finding]:
    """A few entries: that with the largest claim, and random others; all of a small gradient."""
    claim = probe.claim[name]
    if most is None:
        most = MANY if sum(g.size for g in probe.claim.values()) <= SMALL else FEW
    if claim.size <= most:
        chosen = list(range(claim.size))
    else:
        chosen = [int(np.argmax(np.abs(claim)))]
        chosen += [int(i) for i in rng.choice(claim.size, most - 1, replace=False) if i != chosen[0]]
    found = {}
    for flat in chosen:
        index = tuple(int(i) for i in np.unravel_index(flat, claim.shape))
        found[index] = entry(probe, name, index)
    return found


def locate(probe: Probe, name: str, rng: np.random.Generator) -> tuple[Index, Finding, NDArray[np.float64]]:
    """The entry that is most wrong, and a map of claim minus estimate: entries, or blocks of a large array.

    A block is looked at along random signs, which no error in it survives; the worst block is halved down to an entry.
    """
    claim = probe.claim[name]
    blocks = list(_blocks(claim.shape))
    seen = [_glance(probe, name, block, rng) for block in blocks]
    rows = claim.shape[0] if claim.ndim else 1
    groups = max(1, len({b[0].start for b in blocks})) if claim.ndim else 1
    picture = np.array([gap for gap, _ in seen]).reshape(min(rows, groups), -1)
    block = blocks[_worst(seen)]
    while any(part.stop - part.start > 1 for part in block):
        halves = _halves(block)
        block = halves[_worst([_glance(probe, name, half, rng) for half in halves])]
    index = tuple(part.start for part in block)
    return index, entry(probe, name, index), picture


def _worst(seen: list[tuple[float, float]]) -> int:
    """The largest gap among those that are no rounding; where all may be, the clearest."""
    gaps = np.array([abs(gap) for gap, _ in seen])
    ratios = np.array([abs(gap) / error if error > 0 else float(gap != 0) * np.inf for gap, error in seen])
    clear = ratios > DISAGREES
    return int(np.argmax(np.where(clear, gaps, -1.0))) if np.any(clear) else int(np.argmax(ratios))


def _glance(probe: Probe, name: str, block: Block, rng: np.random.Generator) -> tuple[float, float]:
    """Claim minus estimate along random signs in a block, and its error estimate, from a short ladder."""
    u = np.zeros(probe.claim[name].shape)
    part = u[block]
    length = probe.lengths[name] * np.sqrt(part.size / u.size)
    u[block] = signs(rng, part.shape, length)
    evaluation = probe.evaluation
    found = slope(evaluation.along({name: u}), evaluation.at_base, QUICK_FIRST, probe.noise, QUICK_RUNGS)
    gap = float(np.sum(probe.claim[name] * u)) - found.value
    return gap / length, found.error / length


def _blocks(shape: Index) -> Iterator[Block]:
    """Single entries of a small array, blocks that cover a large one."""
    cuts = [1] * len(shape)
    while True:
        wanted = [min(size, 2 * cut) for size, cut in zip(shape, cuts, strict=True)]
        if wanted == cuts or np.prod(wanted) > BLOCKS:
            break
        cuts = wanted
    if np.prod(shape) <= MAP:
        cuts = list(shape)
    edges = [np.linspace(0, size, cut + 1).astype(int) for size, cut in zip(shape, cuts, strict=True)]
    for at in np.ndindex(*cuts):
        yield tuple(slice(int(e[i]), int(e[i + 1])) for e, i in zip(edges, at, strict=True))


def _halves(block: Block) -> list[Block]:
    """A block cut in two along its longest axis."""
    axis = int(np.argmax([part.stop - part.start for part in block]))
    part = block[axis]
    middle = (part.start + part.stop) // 2
    return [(*block[:axis], half, *block[axis + 1 :]) for half in (slice(part.start, middle), slice(middle, part.stop))]

"""Canonical names for the indices of a sum of products, so that renaming never makes two of one.

Indices are the vertices of a small hypergraph: each factor joins those at which it is taken. Colours are refined until
they say nothing new; where indices still tie, each is tried first, and the least encoding wins. Two indices whose
exchange changes nothing are tried once: powers of one sum, which tie in every order, cost nothing that way.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

Index: TypeAlias = str | int  # free by its name, bound by its number
Exponent: TypeAlias = int | Fraction
MAX_LEAVES = 200


class Named(Protocol):
    """What a factor is an entry of, by a key that sorts alike in every run."""

    @property
    def key(self) -> str: ...

    @property
    def symmetries(self) -> tuple[tuple[int, ...], ...]:
        """The orders of its indices in which it is the same, with the one that changes nothing; () for no other."""
        ...


Factor: TypeAlias = tuple[Named, tuple[Index, ...], Exponent]
Term: TypeAlias = tuple[Exponent, Sequence[Factor]]  # a coefficient and factors


@dataclass(frozen=True)
class Canonical:
    """``terms`` with free indices as slots 0, 1, ... and bound ones as -1, -2, ...; ``free`` names the slots in order,
    ``bound`` are the ranges of the bound indices; ``symmetries`` the orders of the slots that leave all as it is."""

    terms: tuple[tuple[Exponent, tuple[tuple[Named, tuple[int, ...], Exponent], ...]], ...]
    free: tuple[str, ...]
    bound: tuple[Hashable, ...]
    symmetries: tuple[tuple[int, ...], ...]


def canonical(terms: Sequence[Term], ranges: dict[int, Hashable], ended: Callable[[str], None]) -> Canonical:
    """The canonical form; ``ended`` is called where more orders tie than are tried."""
    vertices: list[Index] = sorted(
        {i for _, factors in terms for _, at, _ in factors for i in at}, key=lambda i: (isinstance(i, str), str(i))
    )
    if len(vertices) <= 1:
        order = tuple(vertices)
        twins: list[tuple[Index, Index]] = []
        leaves = [order]
    else:
        search = _Search(terms, ranges, vertices, ended)
        leaves, twins = search.leaves, search.twins
    best = None
    same: list[tuple[Index, ...]] = []
    for leaf in leaves:
        encoded = _encoding(terms, leaf)
        if best is None or encoded[0] < best[0]:
            best, same = encoded, [leaf]
        elif encoded[0] == best[0]:
            same.append(leaf)
    assert best is not None
    free = [tuple(i for i in leaf if isinstance(i, str)) for leaf in same]
    chosen = min(range(len(same)), key=lambda n: free[n])
    names = free[chosen]
    bound = tuple(ranges[i] for i in same[chosen] if isinstance(i, int))
    return Canonical(best[1], names, bound, _symmetries(names, free, twins))


_Encoded: TypeAlias = tuple[
    tuple[tuple[tuple[tuple[str, tuple[int, ...], Exponent], ...], Exponent], ...],
    tuple[tuple[Exponent, tuple[tuple[Named, tuple[int, ...], Exponent], ...]], ...],
]


def _encoding(terms: Sequence[Term], order: tuple[Index, ...]) -> _Encoded:
    """The terms in the labels that an order of the indices gives, as what is compared and as what is kept."""
    labels: dict[Index, int] = {}
    slots = bound = 0
    for i in order:
        if isinstance(i, str):
            labels[i] = slots
            slots += 1
        else:
            bound -= 1
            labels[i] = bound
    rows = []
    for c, factors in terms:
        placed = ((head, tuple(labels[i] for i in at), e) for head, at, e in factors)
        row = sorted(((head.key, _least(head, at), e, head) for head, at, e in placed), key=lambda u: u[:3])
        rows.append((tuple(u[:3] for u in row), c, tuple((head, at, e) for _, at, e, head in row)))
    rows.sort(key=lambda row: row[:2])
    return tuple((u, c) for u, c, _ in rows), tuple((c, kept) for _, c, kept in rows)


def _least(head: Named, at: tuple[Any, ...]) -> tuple[Any, ...]:
    """The least of the orders of indices in which a factor is the same."""
    return min(tuple(at[k] for k in order) for order in head.symmetries) if head.symmetries else at


def _symmetries(
    names: tuple[str, ...], leaves: list[tuple[str, ...]], twins: list[tuple[Index, Index]]
) -> tuple[tuple[int, ...], ...]:
    """The permutations of the slots that the equal leaves and the exchanges of free twins make, closed to a group."""
    place = {name: n for n, name in enumerate(names)}
    identity = tuple(range(len(names)))
    makers = {tuple(place[name] for name in leaf) for leaf in leaves}
    for left, right in twins:
        if isinstance(left, str) and isinstance(right, str):
            swap = list(identity)
            swap[place[left]], swap[place[right]] = place[right], place[left]
            makers.add(tuple(swap))
    makers.discard(identity)
    if not makers:
        return ()
    group, frontier = {identity}, [identity]
    while frontier and len(group) <= 24:
        last = frontier.pop()
        for maker in makers:
            made = tuple(last[k] for k in maker)
            if made not in group:
                group.add(made)
                frontier.append(made)
    return tuple(sorted(group))


class _Search:
    """Refinement of colours, and the tree of choices where it stops."""

    def __init__(
        self,
        terms: Sequence[Term],
        ranges: dict[int, Hashable],
        vertices: list[Index],
        ended: Callable[[str], None],
    ) -> None:
        self.leaves: list[tuple[Index, ...]] = []
        self.twins: list[tuple[Index, Index]] = []
        self._ended = ended
        self._vertices = vertices
        self._factors = [(head, at, e, n) for n, (_, factors) in enumerate(terms) for head, at, e in factors]
        self._coefficients = [c for c, _ in terms]
        self._bag = self._sorted(self._factors)
        wholes = [(c, tuple(sorted((head.key, e) for head, _, e in factors))) for c, factors in terms]
        ranks = {whole: n for n, whole in enumerate(sorted(set(wholes)))}
        self._whole = [ranks[whole] for whole in wholes]
        self._uses: dict[Index, list[tuple[int, int]]] = {v: [] for v in vertices}
        for n, (_, at, _, _) in enumerate(self._factors):
            for position, i in enumerate(at):
                self._uses[i].append((n, position))
        start: dict[Index, Any] = {v: (1, "") if isinstance(v, str) else (0, str(ranges[v])) for v in vertices}
        self._descend(self._refined(_ranked(start)))

    def _refined(self, colour: dict[Index, int]) -> dict[Index, int]:
        while True:
            signature: dict[Index, Any] = {}
            for v in self._vertices:
                seen = []
                for n, position in self._uses[v]:
                    head, at, e, term = self._factors[n]
                    around = position, tuple(colour[i] for i in at)
                    if head.symmetries:
                        around = min((s.index(position), tuple(colour[at[k]] for k in s)) for s in head.symmetries)
                    seen.append((head.key, e, self._whole[term], *around))
                seen.sort()
                signature[v] = (colour[v], tuple(seen))
            finer = _ranked(signature)
            if len(set(finer.values())) == len(set(colour.values())):
                return finer
            colour = finer

    def _descend(self, colour: dict[Index, int]) -> None:
        classes: dict[int, list[Index]] = {}
        for v, c in colour.items():
            classes.setdefault(c, []).append(v)
        tied = min((c for c, members in classes.items() if len(members) > 1), default=None)
        if tied is None:
            if len(self.leaves) >= MAX_LEAVES:
                self._ended("indices that tie were put in order")
                return
            self.leaves.append(tuple(sorted(colour, key=colour.__getitem__)))
            return
        for v in self._representatives(classes[tied]):
            chosen: dict[Index, Any] = {u: (c, u != v) for u, c in colour.items()}
            self._descend(self._refined(_ranked(chosen)))

    def _representatives(self, members: list[Index]) -> Iterator[Index]:
        kept: list[Index] = []
        for v in members:
            twin = next((u for u in kept if self._exchange(u, v)), None)
            if twin is None:
                kept.append(v)
                yield v
            elif (twin, v) not in self.twins:
                self.twins.append((twin, v))

    def _exchange(self, u: Index, v: Index) -> bool:
        """Whether nothing changes when two indices are exchanged."""
        swap = {u: v, v: u}
        moved = [(head, tuple(swap.get(i, i) for i in at), e, n) for head, at, e, n in self._factors]
        return self._sorted(moved) == self._bag

    def _sorted(self, factors: list[tuple[Named, tuple[Index, ...], Exponent, int]]) -> list[object]:
        """The terms as a bag: the numbers of terms are forgotten, what belongs together is not."""
        rows: list[list[tuple[str, tuple[str, ...], Exponent]]] = [[] for _ in self._coefficients]
        for head, at, e, n in factors:
            rows[n].append((head.key, _least(head, tuple(map(repr, at))), e))
        return sorted((c, sorted(row)) for c, row in zip(self._coefficients, rows, strict=True))  # type: ignore[return-value]


def _ranked(signature: dict[Index, Any]) -> dict[Index, int]:
    ranks = {s: n for n, s in enumerate(sorted(set(signature.values())))}
    return {v: ranks[s] for v, s in signature.items()}

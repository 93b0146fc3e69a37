"""Operations that a library lacks, written in those that it has: the program is built again with them put in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from symbackprop.algebra.formula import ONE
from symbackprop.numeric.elementary import Build
from symbackprop.numeric.graph import ELEMENTWISE, Graph, Node
from symbackprop.numeric.program import Program

Expansion = Callable[[Build, int], int | None]  # None: the operation stays here


def sigmoid(g: Build, z: int) -> int:
    """1 / (1 + e^-z): where e^-z is infinite the quotient is 0, as it should be."""
    return g("reciprocal", g.plus(g("exp", g("negative", z)), 1))


def quiet_sigmoid(g: Build, z: int) -> int:
    """The same without any overflow: [z > 0, else e^-|z|] / (1 + e^-|z|)."""
    e = g("exp", g("negative", g("absolute", z)))
    return g("divide", g.where(g.above(z, 0), g.number(1), e), g.plus(e, 1))


def softplus(g: Build, z: int) -> int:
    """max(z, 0) + log(1 + e^-|z|)."""
    tail = g("log1p", g("exp", g("negative", g("absolute", z))))
    return g("add", g("maximum", z, g.number(0)), tail)


def wide_softplus(g: Build, z: int) -> int | None:
    """The same for whole arrays; for a single row or column one call of logaddexp costs less."""
    return None if ONE in (g.graph.shape(z) or (ONE,)) else softplus(g, z)


def expanded(program: Program, table: Mapping[str, Expansion]) -> Program:
    """The program with every operation of the table written out."""
    graph, new = Graph(), dict[int, int]()
    build = Build(graph)
    for i in program.order:
        node = program.graph.nodes[i]
        args = tuple(new[k] for k in node.args)
        written = table[node.op](build, *args) if node.op in table else None
        if written is None and node.op in ELEMENTWISE:
            written = graph.apply(node.op, *args)
        new[i] = graph.add(Node(node.op, args, node.shape, node.value)) if written is None else written
    steps = tuple(replace(step, node=new[step.node]) for step in program.steps)
    return replace(program, graph=graph, steps=steps)

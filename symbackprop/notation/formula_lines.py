r"""The lines of a displayed formula: environments opened, lines joined to chains, prose and conditions left out.

A line that begins with a relation goes on with the chain before it, one that begins with an operator and has no
relation goes on with the line before it; ``\quad``, prose and commas outside brackets part formulas.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbackprop.errors import NotationError
from symbackprop.notation.latex_tokens import ALIGNING, Token

RELATIONS = ("=", ":=")
SINGLE_INDEX = frozenset("ijklmnst")
_PARTS = (",", ";", r"\Rightarrow", r"\implies", r"\Longrightarrow", r"\to", r"\therefore", r"\because", r"\iff",
          r"\Leftrightarrow", r"\longrightarrow")  # fmt: skip
_OPENS, _CLOSES = ("(", "[", r"\{", "{", "|(", "||("), (")", "]", r"\}", "}", "|)", "||)")
_GOES_ON = ("+", "-", r"\odot", r"\cdot", r"\times", "*", "/")


def chains_of(tokens: Sequence[Token]) -> list[list[Token]]:
    """The tokens of each chain, an end token behind; raises NotationError where there is no formula at all."""
    last = tokens[-1]
    pieces = [piece for piece in _pieces(_opened(tokens)) if piece[1]]
    chains: list[list[Token]] = []
    for by_line, piece in pieces:
        starts = piece[0]
        has_relation = any(t.text in RELATIONS and t.kind == "mark" for t in _outer(piece))
        if (chains and starts.text in RELATIONS) or (
            chains and by_line and starts.text in _GOES_ON and not has_relation
        ):
            chains[-1] += piece
        else:
            chains.append(list(piece))
    chains = [c for c in (_trimmed(chain) for chain in chains) if c]
    some = bool(chains)
    dotted = any(t.text == r"\dots" for c in chains for t in c)
    if len(chains) > 1:  # (1), l = 1, \dots, L: numbers and conditions beside a formula
        chains = [c for k, c in enumerate(chains) if not _aside(c, dotted, k > 0)]
    if len(pieces) > 1 and len(chains) == 1 and _counted(chains[0]) and all(len(p) == 1 for _, p in pieces[1:]):
        chains = []  # j = 1, 2, 3
    if some and not chains:
        raise NotationError("this says for which index something holds: nothing to verify", tokens[0].start, "SBP104")
    if not chains:
        raise NotationError("there is no formula here", last.start)
    return [[*chain, Token("end", "", chain[-1].end, chain[-1].end)] for chain in chains]


def _opened(tokens: Sequence[Token]) -> Iterator[Token]:
    """Without environments that only align, and without the signs of a display."""
    skip = False
    for place, token in enumerate(tokens[:-1]):
        if (token.text == "{" and tokens[place + 1].text == "}") or (
            token.text == "}" and tokens[place - 1].text == "{"
        ):
            continue  # {}, which keeps a sign apart
        if token.kind in ("begin", "close") and token.text in ALIGNING:
            skip = token.kind == "begin" and token.text.startswith("alignat")
            continue
        if token.text in ("$", r"\[", r"\]", r"\(", r"\)") and token.kind in ("mark", "command"):
            continue
        if skip:
            skip = token.text != "}"
            continue
        yield token


def _pieces(tokens: Iterator[Token]) -> Iterator[tuple[bool, list[Token]]]:
    """Parts between breaks, gaps, prose and commas outside brackets; with each, whether a break stands before it."""
    depth, inside, by_line = 0, 0, True
    piece: list[Token] = []
    for token in tokens:
        inside += (token.kind == "begin") - (token.kind == "close")
        if token.kind == "mark":
            depth = max(depth + (token.text in _OPENS) - (token.text in _CLOSES), 0)
        parts = token.text == "\\\\" or token.kind in ("gap", "prose") or token.text in _PARTS
        if inside == 0 and token.text == "&":
            continue
        if token.kind == "gap" and piece and piece[-1].text in (*_GOES_ON, *RELATIONS):
            continue  # x = \\quad y
        if inside == 0 and ((depth == 0 and parts) or token.text == "\\\\"):
            if piece:
                yield by_line, piece
                piece, by_line = [], False
            if token.text == "\\\\":
                depth, by_line = 0, True
            continue
        if token.kind in ("gap", "prose"):
            continue
        piece.append(token)
    yield by_line, piece


def _outer(piece: Sequence[Token]) -> Iterator[Token]:
    depth = 0
    for token in piece:
        if token.kind == "mark":
            depth += (token.text in _OPENS) - (token.text in _CLOSES)
        if depth == 0:
            yield token


def _trimmed(chain: list[Token]) -> list[Token]:
    while chain and (
        (chain[-1].text in (".", ",", ";", ":") and chain[-1].kind == "mark") or chain[-1].text in (":=", "&")
    ):
        chain = chain[:-1]
    return chain


def _counted(chain: Sequence[Token]) -> bool:
    texts = [t.text for t in chain]
    return len(texts) == 3 and texts[1] == "=" and texts[0] in SINGLE_INDEX and chain[2].kind == "number"


def _aside(chain: Sequence[Token], dotted: bool, later: bool) -> bool:
    """Whether a piece is a number of a formula, or says for which index one holds."""
    texts = [t.text for t in chain]
    related = any(t in RELATIONS for t in texts)
    if dotted and not related:
        return any(t == r"\dots" for t in texts) or len(texts) <= 3
    if len(texts) == 3 and texts[0] == "(" and texts[2] == ")" and chain[1].kind in ("number", "mark"):
        return True
    if texts[0] in (r"\forall",) or (r"\in" in texts and later):
        return True
    counted = len(texts) >= 3 and texts[1] == "=" and texts[0] in SINGLE_INDEX
    if counted and (dotted or (later and all(t.kind in ("number", "letter") or t.text in "+-" for t in chain[2:]))):
        return True
    return later and len(texts) == 1 and not related and chain[0].kind in ("letter", "number")

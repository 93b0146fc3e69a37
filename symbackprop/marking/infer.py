r"""What a page implies of its notation, from the whole page, in a step of its own: the reader itself guesses nothing.

How layers are written is told by the scripts on the letters of parameters and activations; which layer is the first
with weights, by the lowest number on a weight; that samples are written ``^i``, by superscripts on the data; what dZ
means, by whether 1/m stands before it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from symbackprop.errors import NetworkError, NotationError
from symbackprop.marking.infer_names import names_of
from symbackprop.notation.latex_tokens import Token, tokenize
from symbackprop.notation.lexicon import plain
from symbackprop.notation.notation import Notation

_LAYERED = frozenset("W w b z Z a A delta Delta h H".split())  # noqa: SIM905
_MATRICES = frozenset("W b Z A H Delta".split())  # noqa: SIM905  (with one number below: that of a layer)
_OTHER_WEIGHTS = ("theta", "beta", "Theta")
_FUNCTIONS = frozenset("g f sigma".split())  # noqa: SIM905
_LOSSES = frozenset("J C E L ell".split())  # noqa: SIM905


def infer(formulas: Sequence[str], declared: Mapping[str, Any], used: Collection[str] = ()) -> dict[str, Any]:
    r"""The declarations that a page implies and does not make, as tables that can be printed as TOML.

    ``used`` are the letters of formulas that were read before these.

    >>> infer([r"dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}"], {})
    {'notation': {'layer': '[l]', 'differentials': 'per sample'}}
    """
    given = declared.get("notation", {})
    names = declared.get("names", given.get("names", {})) if isinstance(given, Mapping) else {}
    pages = [found for text in formulas if (found := _tokens(text)) is not None]
    marks: Counter[str] = Counter()
    lowest: dict[str, int] = {}
    inputs: set[tuple[str, int]] = set()
    losses: set[str] = set()
    bare_sample = per_sample = False
    for tokens in pages:
        _marks(tokens, marks, lowest, inputs)
        losses |= {t.text for t in tokens if t.kind == "letter" and t.text in _LOSSES and not _in_script(t, tokens)}
        bare_sample = bare_sample or _bare_sample(tokens)
        per_sample = per_sample or _per_sample(tokens)
    notation: dict[str, Any] = {}
    weak = marks.pop("weak", 0)
    marks["l"] += weak if "l" in marks else 0
    if not marks["l"]:
        del marks["l"]
    if "layer" not in given and marks:
        notation["layer"] = marks.most_common(1)[0][0]
    if "first" not in given and (first := _first(lowest, inputs)) is not None:
        notation["first"] = first
    if "sample" not in given and bare_sample:
        notation["sample"] = "i"
    if "differentials" not in given and per_sample:
        notation["differentials"] = "per sample"
    if "loss" not in names and "sample_loss" not in names and (pair := _two_losses(losses)) is not None:
        notation["names"] = dict(zip(("loss", "sample_loss"), pair, strict=True))
    letters = names_of(
        pages, {plain(letter) for letter in declared.get("symbols", {})} | set(map(str, names.values())), used
    )
    if letters := {role: letter for role, letter in letters.items() if role not in names}:
        notation["names"] = _that_stand_apart({**notation.get("names", {}), **letters}, names)
    layout = layout_of(formulas, enough=2)
    implied: dict[str, Any] = {key: value for key, value in layout.items() if key not in declared}
    return {**implied, "notation": notation} if notation else implied


def _that_stand_apart(names: dict[str, str], declared: Mapping[str, str]) -> dict[str, str]:
    """The letters by role that can be declared together; where they cannot, those of the losses alone."""
    try:
        Notation(names={**names, **declared})
    except NetworkError:
        return {role: letter for role, letter in names.items() if role in ("loss", "sample_loss")}
    return names


def letters_of(formula: str) -> set[str]:
    """The letters of a formula; none where it has no tokens."""
    return {t.text for t in _tokens(formula) or () if t.kind == "letter"}


def _two_losses(losses: set[str]) -> tuple[str, str] | None:
    """The cost and the loss of a sample, where a page has a letter for each."""
    of_sample = next((rf"\{name}" if name == "ell" else name for name in ("L", "ell") if name in losses), None)
    cost = next((name for name in ("J", "C", "E") if name in losses), None)
    if cost is not None and of_sample is not None:
        return cost, of_sample
    return ("J", "C") if {"J", "C"} <= losses else None


def _tokens(text: str) -> list[Token] | None:
    try:
        return tokenize(text)
    except NotationError:
        return None


def _in_script(token: Token, tokens: Sequence[Token]) -> bool:
    """Whether a letter stands right behind ^ or _, or in brackets of a script, as the L of z^{(L)}."""
    at = tokens.index(token)
    before = [t.text for t in tokens[max(0, at - 3) : at]]
    return bool(before) and (
        before[-1] in ("^", "_") or "".join(before[-3:]) in ("^{(", "^{[") or "".join(before[-2:]) in ("^{", "_{")
    )


def _marks(tokens: Sequence[Token], marks: Counter[str], lowest: dict[str, int], inputs: set[tuple[str, int]]) -> None:
    for at, token in enumerate(tokens):
        if token.kind != "letter" or token.text not in _LAYERED | _FUNCTIONS:
            continue
        place = at + 1
        while place < len(tokens) and tokens[place].text == "}":
            place += 1
        subscript: list[Token] = []
        while place < len(tokens) and tokens[place].text in ("_", "^"):
            script, inside, end = tokens[place].text, *_group(tokens, place + 1)
            if script == "_":
                subscript = inside
            else:
                _superscript(token.text, inside, marks, lowest, inputs)
            place = end
            while place < len(tokens) and tokens[place].text == "}":
                place += 1
        if len(subscript) == 1 and subscript[0].text.isdigit() and token.text in _MATRICES:
            marks["_l"] += 1
            number = int(subscript[0].text[:4])
            lowest[token.text] = min(lowest.get(token.text, number), number)


def _group(tokens: Sequence[Token], at: int) -> tuple[list[Token], int]:
    if at >= len(tokens) or tokens[at].text != "{":
        return list(tokens[at : at + 1]), at + 1
    depth = 0
    for place in range(at, len(tokens)):
        depth += (tokens[place].text == "{") - (tokens[place].text == "}")
        if depth == 0:
            return list(tokens[at + 1 : place]), place + 1
    return list(tokens[at + 1 :]), len(tokens)


def _superscript(
    letter: str, inside: Sequence[Token], marks: Counter[str], lowest: dict[str, int], inputs: set[tuple[str, int]]
) -> None:
    if not inside or (letter in _FUNCTIONS and inside[0].text not in ("[", "(")):
        return
    text = "".join(t.text for t in inside)
    if text.startswith("("):
        style, number = "(l)", re.match(r"\((\d+)\)", text)
        if re.match(r"\([ist]\)", text):
            return
    elif text.startswith("["):
        style, number = "[l]", re.match(r"\[(\d+)\]", text)
    elif inside[0].text in ("T", r"\top", "'", "-", "*") or inside[0].kind == "word" or text in ("new", "old"):
        return
    elif inside[0].kind in ("number", "letter"):
        if letter in ("h", "H") or text in ("n", "k", "i"):
            return
        style, number = "l", re.match(r"(\d+)", text)
    else:
        return
    if style == "l" and letter in ("a", "A", "h", "H") and inside[0].kind == "number":
        marks["weak"] += 1  # a power as well as a layer
    else:
        marks[style] += 3 if style != "l" else 1
    if number is not None:
        value = int(number[1][:4])
        if letter in ("W", "w", "b", "z", "Z", "delta", "Delta"):
            lowest[letter] = min(lowest.get(letter, value), value)
        elif letter in ("a", "A"):
            inputs.add((letter, value))


def _first(lowest: Mapping[str, int], inputs: set[tuple[str, int]]) -> int | None:
    """1 where a layer 1 has weights, or a^0 is the input; else nothing is known of it."""
    if any(value == 0 for _, value in inputs) or 1 in lowest.values():
        return 1
    return None


def _bare_sample(tokens: Sequence[Token]) -> bool:
    return any(
        t.kind == "letter" and t.text in ("x", "y", "t") and _next_script(tokens, k) in ("i",)
        for k, t in enumerate(tokens)
    )


def _next_script(tokens: Sequence[Token], at: int) -> str:
    place = at + 1
    while place < len(tokens) and tokens[place].text in ("_", "}"):
        place = _group(tokens, place + 1)[1] if tokens[place].text == "_" else place + 1
    if place < len(tokens) and tokens[place].text == "^":
        return "".join(t.text for t in _group(tokens, place + 1)[0])
    return ""


def _per_sample(tokens: Sequence[Token]) -> bool:
    """dW = (1/m) dZ A^T: what stands behind 1/m is of the loss of each sample."""
    text = "".join(" " if t.text in (",", ";", "\\\\") or t.kind in ("gap", "prose") else t.text for t in tokens)
    for line in text.split():
        left, _, right = line.replace("&", "").partition("=")
        over = re.match(r"-?(\\frac(\{1\}|1)(\{[mN]\}|[mN])|1/[mN])", right)
        if re.match(r"d\{*[Wwb]", left) and over is not None and re.search(r"d\{*[ZzA]", right):
            return True
    return False


def layout_of(formulas: Sequence[str], enough: int = 1) -> dict[str, str]:
    """Where samples and weights lie, from products that only one layout has: W x, W^T x, X W.

    It takes ``enough`` formulas, and none that says otherwise: a single one may be a slip. w^T x, of one unit, is none.
    """
    found: Counter[tuple[str, str]] = Counter()
    for tokens in (u for text in formulas if (u := _tokens(text)) is not None):
        shown = {layout for pair in _neighbours(tokens) if (layout := _by_product(*pair)) is not None}
        if not shown:
            pairs = (pair for side in _affine_sides(tokens) for pair in _neighbours(side))
            shown = {layout for pair in pairs if (layout := _by_affine(*pair)) is not None}
        column = any(first[0] in ("w", *_OTHER_WEIGHTS) and first[1] for first, _ in _neighbours(tokens))
        for layout in shown:
            found[layout] += enough if column else 1
    if len(found) != 1:
        return {}
    (((samples, weights), times),) = found.items()
    return {"samples": samples, "weights": weights} if times >= enough else {}


_Factor: TypeAlias = tuple[str, bool]


def _by_product(left: _Factor, right: _Factor) -> tuple[str, str] | None:
    (first, turned), (second, also) = left, right
    if (first in "Ww" or first in _OTHER_WEIGHTS) and turned and second in "xXaA" and not also:
        return "columns", "in x out"
    if first == "X" and not turned and (second in "Ww" or second in _OTHER_WEIGHTS):
        return "rows", "out x in" if also else "in x out"
    return None


def _by_affine(left: _Factor, right: _Factor) -> tuple[str, str] | None:
    (first, turned), (second, also) = left, right
    if first in "Ww" and second in "XAxa":
        return "columns", "in x out" if turned else "out x in"
    if first in "XA" and second in "Ww":
        return "rows", "out x in" if also else "in x out"
    return None


def _affine_sides(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """What stands behind z = or Z =, up to the first sign."""
    out = []
    for at, token in enumerate(tokens):
        if token.text in ("z", "Z") and token.kind == "letter":
            place = at + 1
            while place < len(tokens) and tokens[place].text in ("_", "^", "}", "&"):
                script = tokens[place].text in ("_", "^")
                place = _group(tokens, place + 1)[1] if script else place + 1
            if place < len(tokens) and tokens[place].text == "=":
                rest = tokens[place + 1 :]
                end = next((k for k, t in enumerate(rest) if t.text in ("+", "-", "=", ",", "\\\\", "")), len(rest))
                out.append(rest[:end])
    return out


def _neighbours(tokens: Sequence[Token]) -> Iterator[tuple[tuple[str, bool], tuple[str, bool]]]:
    """Letters side by side in a product, each with whether it is transposed."""
    before: tuple[str, bool] | None = None
    place = 0
    while place < len(tokens):
        token = tokens[place]
        place += 1
        if token.kind == "letter" and (len(token.text) == 1 or token.text in _OTHER_WEIGHTS):
            turned = False
            if token.text == "e":  # what stands above it is a formula
                before = None
                continue
            while place < len(tokens) and tokens[place].text in ("_", "^", "}", ")"):
                if tokens[place].text in ("_", "^"):
                    above = tokens[place].text == "^"
                    inside, place = _group(tokens, place + 1)
                    turned = turned or (above and any(t.text in ("T", r"\top") for t in inside))
                else:
                    place += 1
            if before is not None:
                yield before, (token.text, turned)
            before = token.text, turned
        elif token.text not in ("{", "}", r"\cdot"):
            before = None

r"""Which letters a page uses for what: told by the lines that define them, z = W x + b and h = \sigma(z)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from symbackprop.notation.latex_tokens import Token

_PARAMETERS = frozenset("w W b theta Theta beta".split())  # noqa: SIM905
_SHOWN = {"theta": r"\theta", "beta": r"\beta", "Theta": r"\Theta"}


def names_of(pages: Sequence[Sequence[Token]], taken: Collection[str], before: Collection[str] = ()) -> dict[str, str]:
    """Letters by role, where a page leaves the usual ones; ``taken`` are declared, and mean what they are declared to.

    A usual letter that stands on the page itself, or in what was read ``before``, keeps its role.
    """
    used = {t.text for tokens in pages for t in tokens if t.kind == "letter"} | set(before)
    found: dict[str, str] = {}
    if (prediction := _hypothesis(pages)) is not None:
        found["prediction"] = prediction
    if not used & {"w", "W"} and (weights := _regression(pages, prediction)) is not None:
        found["weights"] = weights
    pair = _output_and_target(pages) if prediction is None else None
    if pair is not None and not set(pair) & set(before):
        found |= dict(zip(("prediction", "target"), pair, strict=True))
    forward = list(_forward_lines(pages))
    free = [(left, right) for left, right in forward if left not in taken]
    inner = next((left for left, right in free if left in "asuvho" and _is_affine(right)), None)
    applied = {_argument(right) for _, right in forward}
    if inner is not None and not used & {"z", "Z"} and (inner != "a" or "a" in applied):  # a usual letter needs both
        found["preactivation"] = inner
    if found.get("preactivation") == "a":
        found["activation"] = "h" if "h" in used and not _is_function(pages) else "z"
    if inner == "a" and "z" in used and any(u == "z" and _is_called(v) for u, v in free):
        found |= {"preactivation": "a", "activation": "z"}
    plain = {"a", "A"} - {found.get("preactivation", "")}
    if "activation" not in found and "h" in used and not used & plain and "h" not in taken and not _is_function(pages):
        found["activation"] = "h"
    return found


def _hypothesis(pages: Sequence[Sequence[Token]]) -> str | None:
    r"""h_\theta(x), f_{w,b}(x): the output of the network."""
    for tokens in pages:
        for at, token in enumerate(tokens[:-3]):
            if token.text not in ("h", "f") or token.kind != "letter" or tokens[at + 1].text != "_":
                continue
            end = at + 3
            if tokens[at + 2].text == "{":
                end = next((k + 1 for k in range(at, len(tokens)) if tokens[k].text == "}"), len(tokens))
            below = [t.text for t in tokens[at + 2 : end] if t.text not in ("{", "}")]
            letters = [t for t in below if t != ","]
            while end < len(tokens) and tokens[end].text == "}":
                end += 1
            if letters and set(letters) <= _PARAMETERS and end < len(tokens) and tokens[end].text == "(":
                inside = "".join(below) if len(below) > 1 else _SHOWN.get(below[0], below[0])
                return f"{token.text}_{{{inside}}}" if len(below) > 1 else f"{token.text}_{inside}"
    return None


def _output_and_target(pages: Sequence[Sequence[Token]]) -> tuple[str, str] | None:
    """y - t, t - o, d - y: the output and the target, where others write y for the target."""
    for tokens in pages:
        texts = [t.text for t in _without_scripts(tokens)]
        for at in range(len(texts) - 2):
            one, sign, other = texts[at : at + 3]
            if sign == "-" and one in ("y", "o") and other in ("t", "d"):
                return one, other
            if sign == "-" and one in ("t", "d") and other in ("y", "o"):
                return other, one
    return None


def _regression(pages: Sequence[Sequence[Token]], prediction: str | None) -> str | None:
    r"""\theta^T x, X \beta: weights without the usual letter."""
    for letter, shown in _SHOWN.items():
        if prediction is not None and prediction[2:] == shown:
            return shown if letter != "Theta" else None
    for tokens in pages:
        texts = [t.text for t in tokens if t.text not in ("{", "}")]
        for at, text in enumerate(texts):
            if text in ("theta", "beta", "Theta"):
                turned = texts[at + 1 : at + 3] in (["^", "T"], ["^", r"\top"]) and texts[at + 3 : at + 4] == ["x"]
                if turned or texts[at - 1 : at] == ["X"]:
                    return _SHOWN[text]
    return None


def _forward_lines(pages: Sequence[Sequence[Token]]) -> Iterator[tuple[str, Sequence[Token]]]:
    """Lines that define one letter, with what stands behind the equals sign."""
    for tokens in pages:
        line: list[Token] = []
        for token in [*tokens, tokens[-1]]:
            if token.text not in ("\\\\", ",") and token.kind not in ("gap", "prose", "end"):
                line.append(token)
                continue
            texts = [t.text for t in line]
            if "=" in texts:
                equals = texts.index("=")
                left = [t for t in _without_scripts(line[:equals]) if t.text != "&"]
                if len(left) == 1 and left[0].kind == "letter" and len(left[0].text) == 1:
                    yield left[0].text, line[equals + 1 :]
            line = []


def _without_scripts(tokens: Sequence[Token]) -> list[Token]:
    out: list[Token] = []
    depth = place = 0
    while place < len(tokens):
        token = tokens[place]
        place += 1
        if token.text in ("_", "^"):
            depth = 0
            while place < len(tokens):
                depth += (tokens[place].text == "{") - (tokens[place].text == "}")
                place += 1
                if depth <= 0:
                    break
        elif token.text not in ("{", "}"):
            out.append(token)
    return out


def _is_affine(right: Sequence[Token]) -> bool:
    r"""W x + b, or \sum_j w_{ij} x_j + b_i, with nothing applied to it."""
    texts = [t.text for t in _without_scripts(right) if t.text != "&"]
    weights = [k for k, text in enumerate(texts) if text in ("W", "w")]
    plain = set(texts) <= {*"wWxXzahb0123456789", "+", r"\sum", r"\cdot"}
    return bool(weights) and plain and ("+" in texts or r"\sum" in texts)


def _argument(right: Sequence[Token]) -> str:
    """The letter to which a function is applied, where a side is no more than that."""
    return _without_scripts(right)[2].text if _is_called(right) else ""


def _is_called(right: Sequence[Token]) -> bool:
    """h(a): a function of one letter, and no more."""
    texts = [t.text for t in _without_scripts(right)]
    return len(texts) == 4 and texts[1] == "(" and texts[3] == ")"


def _is_function(pages: Sequence[Sequence[Token]]) -> bool:
    """Whether h stands right before an argument, or is derived by a prime, somewhere."""
    for tokens in pages:
        texts = [t.text for t in tokens]
        for at, text in enumerate(texts):
            after = [u for u in texts[at + 1 : at + 5] if u not in ("{", "}")]
            if text == "h" and (after[:1] in (["("], ["'"]) or after[:2] == ["^", "'"]):
                return True
    return False

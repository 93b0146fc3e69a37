"""Notation as a value: how layers, samples and letters are written. Every renderer writes in it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import sympy

from symbackprop.algebra.formula import Symbol
from symbackprop.errors import NetworkError

LAYER_STYLES = ("(l)", "[l]", "l", "_l")
SAMPLE_STYLES = ("(i)", "i")
LAYOUTS = ("gradient", "numerator")
DIFFERENTIALS = ("J", "per sample")

# The usual letters: what a role is called where nothing else is said, for one example and for a batch.
LETTERS: dict[str, tuple[str, str]] = {
    "input": ("x", "X"),
    "target": ("y", "Y"),
    "prediction": ("", ""),
    "loss": ("J", "J"),
    "sample_loss": ("L", "L"),
    "weights": ("W", "W"),
    "bias": ("b", "b"),
    "preactivation": ("z", "Z"),
    "activation": ("a", "A"),
    "error": (r"\delta", r"\Delta"),
    "function": (r"\sigma", r"\sigma"),
    "rate": (r"\alpha", r"\alpha"),
    "samples": ("", ""),
}

ROLE_OF_LETTER = {
    "x": "input",
    "y": "target",
    "J": "loss",
    "W": "weights",
    "b": "bias",
    "z": "preactivation",
    "a": "activation",
    "delta": "error",
}

GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau "  # noqa: SIM905
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell".split()
)

# Letters that a network file may choose: one letter or Greek letter, accents, one subscript. Nothing that runs.
_GREEK = "|".join(sorted(GREEK))
_ATOM = rf"(?:[A-Za-z]|\\(?:{_GREEK}))"
_ACCENT = r"\\(?:hat|tilde|bar|vec|mathbf|mathcal|mathrm|boldsymbol)"
_INSIDE = r"[A-Za-z0-9]{1,12}(?:,[A-Za-z0-9]{1,12})*"
LETTER = re.compile(rf"(?:{_ATOM}|{_ACCENT}\{{{_ATOM}\}})(?:_(?:{_ATOM}|[0-9]|\{{{_INSIDE}\}}))?")


@dataclass(frozen=True)
class Notation:
    """How things are written.

    ``layer`` is "(l)", "[l]", "l" (a bare superscript) or "_l"; ``first`` the number of the first layer that has
    weights; ``names`` the letters that differ from the usual ones, by role. ``sample``, ``layout`` and
    ``differentials`` say how notes are to be read.

    >>> Notation(layer="[l]", names={"target": "t"}).letter("target", batch=False)
    't'
    """

    layer: str = "(l)"
    sample: str = "(i)"
    first: int = 1
    layout: str = "gradient"
    differentials: str = "J"
    names: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for key, known in (
            ("layer", LAYER_STYLES),
            ("sample", SAMPLE_STYLES),
            ("layout", LAYOUTS),
            ("differentials", DIFFERENTIALS),
        ):
            value = getattr(self, key)
            if value not in known:
                shown = " or ".join(f'"{k}"' for k in known)
                raise NetworkError(f"notation.{key} is {value!r}: it must be {shown}", ("notation", key))
        if isinstance(self.first, bool) or not isinstance(self.first, int) or not 0 <= self.first <= 9:
            raise NetworkError(
                f"notation.first is {self.first!r}: it must be a number from 0 to 9", ("notation", "first")
            )
        if not isinstance(self.names, Mapping):
            raise NetworkError("notation.names must be a table of letters by role", ("notation", "names"))
        greek = {role: rf"\{letter}" for role, letter in self.names.items() if letter in GREEK}
        object.__setattr__(self, "names", {**self.names, **greek})  # alpha for \alpha, as in a table of symbols
        for role, letter in self.names.items():
            path = ("notation", "names", role)
            if role not in LETTERS:
                near = difflib.get_close_matches(str(role), LETTERS, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(LETTERS)}"
                raise NetworkError(f"unknown name {role!r} in notation.names: {hint}", (*path, "#key"))
            if not isinstance(role, str) or not isinstance(letter, str) or not LETTER.fullmatch(letter):
                shown = repr(letter) if len(repr(letter)) < 60 else repr(letter)[:57] + "..."
                raise NetworkError(
                    f"notation.names.{role} is {shown}: it must be one letter, like y, \\theta, \\hat{{y}} or y_d", path
                )

        self._letters_apart()

    def _letters_apart(self) -> None:
        """Refuses two roles with one letter: nobody could tell them apart on the page."""
        shown: dict[str, str] = {}
        for role in LETTERS:
            if role in ("sample_loss", "samples", "rate") and role not in self.names:
                continue
            for letter in {self.letter(role, batch) for batch in (False, True)} - {""}:
                other = shown.setdefault(letter, role)
                if other != role:
                    which = role if role in self.names else other
                    raise NetworkError(
                        f"{letter} would be both {other} and {role}: choose another letter for one of them",
                        ("notation", "names", which),
                    )

    @property
    def index_like(self) -> frozenset[str]:
        """Chosen letters that an index must not have."""
        return frozenset(letter for letter in self.names.values() if len(letter) == 1)

    def letter(self, role: str, batch: bool) -> str:
        """The letter of a role; a chosen one is the same for one example and for a batch."""
        return self.names.get(role) or LETTERS[role][int(batch)]

    def number(self, layer: sympy.Expr) -> str:
        """A layer's number as printed: shifted where the first layer with weights is not 1, unless it is symbolic."""
        if layer.is_Integer:
            return str(int(layer) + self.first - 1)
        return str(layer).replace(" ", "")

    def mark(self, letter: str, layer: sympy.Expr | None, transposed: bool = False, index: str = "") -> str:
        """A letter with its layer, a transpose and an index, each where this notation puts it."""
        t = "T" if transposed else ""
        if layer is None:
            return _scripts(letter, index, t)
        number = self.number(layer)
        if self.layer == "_l":
            base = _scripts(letter, number, "")
            return _scripts(f"({base})" if index else base, index, t)
        if self.layer == "l":
            base = _scripts(letter, index if not transposed else "", number)
            return base if not transposed else _scripts(f"({base})", index, t)
        shown = {"(l)": f"({number})", "[l]": f"[{number}]"}[self.layer]
        return _scripts(letter, index, shown + t)

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        return tuple(f.name for f in fields(cls))


def _scripts(base: str, below: str, above: str) -> str:
    """base_{below}^{above}; a letter that has a subscript of its own takes the further one behind a comma."""
    if below and (own := re.fullmatch(r"(.*)_(?:\{(.*)\}|(.|\\[A-Za-z]+))", base, re.S)) and base[0] != "(":
        base, below = own.group(1), f"{own.group(2) or own.group(3)},{below}"
    out = base
    if below:
        out += f"_{below}" if len(below) == 1 else f"_{{{below}}}"
    if above:
        out += f"^{above}" if len(above) == 1 else f"^{{{above}}}"
    return out


def name_latex(name: str) -> str:
    """A size's or a rate's name in LaTeX: n_1, \\lambda, d_{in}.

    >>> print(name_latex("lambda"), name_latex("n_12"), name_latex("width"))
    \\lambda n_{12} \\mathit{width}
    """
    if name.startswith("n_{"):
        return name
    head, _, below = name.partition("_")
    if not below and (parts := re.fullmatch(r"([A-Za-z])(\d+)", name)):
        head, below = parts.groups()
    shown = rf"\{head}" if head in GREEK else head if len(head) == 1 else rf"\mathit{{{head}}}"
    if not below:
        return shown
    inner = below if below.isdigit() or len(below) == 1 else rf"\mathrm{{{below}}}"
    return f"{shown}_{inner}" if len(inner) == 1 else f"{shown}_{{{inner}}}"


def is_batch(symbol: Symbol) -> bool:
    """Data of a batch is named by a capital letter."""
    return symbol.letter in ("X", "Y", "Z", "A", "Delta")

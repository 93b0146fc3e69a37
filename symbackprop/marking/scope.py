"""What every letter of a page means: the arrays of a network by role and layer, declared symbols, functions, losses."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula, Function, Shape, Size, Symbol
from symbackprop.errors import NotationError, Position
from symbackprop.model.model import Model
from symbackprop.notation.lexicon import FUNCTION_WORDS, Lexicon, Word, plain
from symbackprop.notation.notation import Notation
from symbackprop.notation.syntax import Node

USUAL: dict[str, tuple[str, ...]] = {
    "input": ("x", "X"),
    "target": ("y", "Y", "t"),
    "prediction": ("y_hat", "Y_hat", "p", "P"),
    "loss": ("J", "L", "C", "E", "ell", "Loss", "loss", "Cost", "cost", "NLL", "MSE", "BCE", "CE"),
    "weights": ("W", "w"),
    "bias": ("b",),
    "preactivation": ("z", "Z", "net"),
    "activation": ("a", "A"),
    "error": ("delta", "Delta"),
    "function": ("sigma", "g", "f", "phi", "varphi"),
    "rate": ("alpha", "eta", "epsilon", "varepsilon"),
    "samples": ("m", "N"),
}
COUNTS = frozenset("mnNMKTdp")
SIZE = re.compile(r"([A-Za-z]\w*)_(?:\{(.+)\}|(\w))")


class LayerMissing(NotationError):  # noqa: N818
    """A layer that the network does not have: a claim for every layer is not meant for this one."""


class LayerOpen(NotationError):  # noqa: N818
    """A letter of a network of several layers, without one."""


@dataclass(frozen=True)
class Family:
    """An array, or one for each layer: ``layers`` by the network's own number, ``generic`` for any expression.

    ``column``: the letter stands for one sample, a column of what is held here.
    """

    what: str
    layers: Mapping[int, Formula] = field(default_factory=dict)
    plain: Formula | None = None
    generic: Callable[[sympy.Expr], Formula] | None = None
    column: bool = False
    weights: bool = False


@dataclass
class Scope:
    """Everything that reading a page needs to know; ``model`` is None where there is no network."""

    lexicon: Lexicon
    model: Model | None = None
    families: dict[str, Family] = field(default_factory=dict)
    scalars: dict[str, Formula] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    composed: dict[str, tuple[Symbol, Formula]] = field(default_factory=dict)  # f(x) = h(g(x)), by its argument
    arguments: dict[str, tuple[Node, ...]] = field(default_factory=dict)  # of what depends on several letters
    losses: dict[str, str] = field(default_factory=dict)
    rates: frozenset[str] = frozenset()
    sizes: dict[str, Size] = field(default_factory=dict)
    first: int = 1
    layout: str = "gradient"
    differentials: str = "J"
    errors_of_samples: bool = False  # whether delta too is declared to be that of the loss of each sample
    definitions: dict[Symbol, Formula] = field(default_factory=dict)
    errors: dict[Symbol, Formula] = field(default_factory=dict)  # delta by what it was derived to be
    gradients: Mapping[Symbol, Formula] = field(default_factory=dict)  # dJ/dW likewise
    through: dict[str, list[Symbol]] = field(default_factory=dict)  # by what a loss without definition was derived

    @property
    def cost(self) -> Symbol | None:
        return self.model.cost if self.model is not None else None

    @property
    def last(self) -> int:
        return len(self.model.blocks) if self.model is not None else 0

    @property
    def samples(self) -> Size | None:
        return self.model.frame.samples if self.model is not None else None

    @property
    def rows(self) -> bool:
        return self.model is not None and self.model.frame.unit_axis == 1

    @cached_property
    def twins(self) -> dict[Formula, Formula]:
        """Arrays with a symbol for each size that is a number: equal numbers do not make two sizes one."""
        model = self.model
        if model is None or not any(n.is_Integer and n != ONE for n in model.sizes):
            return {}
        found: dict[Formula, Formula] = {}
        for array in model.symbols.values():
            last = len(model.sizes) - 1
            own = 0 if array == model.x else last if array == model.y else int(array.layer or 0)
            weights = any(array in block.weights for block in model.blocks)
            inward = [own - 1, own] if model.frame.in_by_out else [own, own - 1]
            layers = inward if weights else [own, own]
            twin = tuple(
                sympy.Symbol(f"n?{k}") if n.is_Integer and n != ONE and n == model.sizes[k] else n
                for n, k in zip(array.shape, layers, strict=True)
            )
            found[array] = Symbol(array.letter, (twin[0], twin[1]), array.layer)
        return found

    def known(self) -> list[str]:
        """All names, for advice."""
        return [*self.families, *self.scalars, *self.functions, *self.losses, *self.sizes]

    def unknown(self, letter: str, span: tuple[Position, Position]) -> NotationError:
        """The error for a symbol that nobody declared, with the nearest that somebody did."""
        words = [*self.known(), *(w for w in FUNCTION_WORDS if len(letter) > 2)]
        near = difflib.get_close_matches(letter, words, 1, 0.5)
        if not near:
            near = [n for n in self.known() if n.lower() == letter.lower()][:1]
        few = ", ".join(dict.fromkeys(self.known()[:10]))
        hint = (
            f"did you mean {near[0]}?"
            if near
            else f"declare it in [symbols], or use one of {few}"
            if few
            else "declare it"
        )
        return NotationError(f"{letter} is not declared: {hint}", span[0], "SBP102", span[1])

    def size(
        self, expr: sympy.Expr, layer: Callable[[sympy.Expr], sympy.Expr], span: tuple[Position, Position]
    ) -> Size:
        """A bound or a shape as written, with the names of sizes resolved."""
        found = {}
        for symbol in expr.free_symbols:
            found[symbol] = self._size(symbol.name, layer, span)
        return expr.xreplace(found)

    def _size(self, name: str, layer: Callable[[sympy.Expr], sympy.Expr], span: tuple[Position, Position]) -> Size:
        if name in self.sizes:
            return self.sizes[name]
        parts = SIZE.fullmatch(name)
        if parts is not None and self.model is not None:
            inner = parts[2] or parts[3]
            number = layer(_affine(inner))
            if number.is_Integer and 0 <= int(number) < len(self.model.sizes):
                return self.model.sizes[int(number)]
            raise LayerMissing(
                f"there is no layer {inner}, of which {name} would be the size", span[0], "SBP102", span[1]
            )
        if parts is not None and parts[2]:
            return sympy.Symbol(f"{parts[1]}_{{{str(layer(_affine(parts[2]))).replace(' ', '')}}}")
        if self.lexicon.free or name in ("L",):
            return sympy.Symbol(name)
        raise self.unknown(name, span)


def _affine(text: str) -> sympy.Expr:
    """l-1, L, 2 as an expression, from a text of letters, digits, + and -."""
    total: sympy.Expr = sympy.Integer(0)
    for sign, atom in re.findall(r"([+-]?)([A-Za-z]+|\d+)", text.replace(" ", "")):
        value = sympy.Integer(int(atom)) if atom.isdigit() else sympy.Symbol(atom)
        total = total - value if sign == "-" else total + value
    return total


# Tables of symbols


def shape_of(text: str) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Rows and columns from "q x n", "n_l x n_{l-1}"; None where the text is no shape."""
    parts = re.fullmatch(r"\s*([\w{}+\-]+)\s*(?:x|×|\\times)\s*([\w{}+\-]+)\s*", text)
    if parts is None:
        return None
    return _one_size(parts[1]), _one_size(parts[2])


def _one_size(text: str) -> sympy.Expr:
    return sympy.Integer(int(text)) if text.isdigit() else sympy.Symbol(text.replace("{l}", "l"))


def _layered_size(size: sympy.Expr, layer: sympy.Expr) -> sympy.Expr:
    """n_{l-1} at a layer: n_1, or n_{k-1} at a symbolic one."""
    found = SIZE.fullmatch(str(size))
    inner = (found[2] or found[3]) if found else ""
    if found is None or not re.search(r"\bl\b", inner):
        return size
    at = _affine(inner).xreplace({sympy.Symbol("l"): layer})
    text = str(at).replace(" ", "")
    return sympy.Symbol(f"{found[1]}_{text}" if at.is_Integer or len(text) == 1 else f"{found[1]}_{{{text}}}")


def add_symbols(scope: Scope, words: dict[str, Word], symbols: Mapping[str, str]) -> None:
    """Declared symbols: "scalar", "function", "loss", or a shape."""
    for given, what in symbols.items():
        letter = plain(given)
        kind = what.strip()
        for table in (scope.families, scope.scalars, scope.functions, scope.losses):
            table.pop(letter, None)
        if kind in ("function", "loss"):
            words[letter] = Word(kind)
            if kind == "function":
                scope.functions[letter] = Function(letter, letter if len(letter) == 1 else rf"\{letter}")
            else:
                scope.losses[letter] = "own"
        elif kind.partition(",")[0] == "scalar":
            words[letter] = Word("scalar", layered=True)
            if letter in COUNTS:  # a bound of sums as well as a value
                scope.scalars[letter] = f.Scalar(letter)
                scope.sizes[letter] = sympy.Symbol(letter)
            else:
                scope.families[letter] = _scalars(letter)
        elif kind == "unit vector":
            words[letter] = Word("unit")
        else:
            shape = shape_of(kind)
            if shape is None:
                raise NotationError(
                    f'{given} = "{what}": it must be "scalar", "function", "loss" or a shape, like "q x n"'
                )
            _add_array(scope, words, letter, shape)


def _scalars(letter: str) -> Family:
    """A scalar, or one for each layer where it carries a layer."""
    return Family(letter, plain=Symbol(letter), generic=lambda layer: Symbol(letter, SCALAR, layer))


def _add_array(scope: Scope, words: dict[str, Word], letter: str, shape: Shape) -> None:
    layered = any(_layered_size(n, sympy.Symbol("?")) != n for n in shape)
    rank = sum(n != ONE for n in shape)
    words[letter] = Word("array", layered, rank, sampled=False)

    def generic(layer: sympy.Expr) -> Formula:
        return Symbol(letter, (_layered_size(shape[0], layer), _layered_size(shape[1], layer)), layer)

    if layered:
        scope.families[letter] = Family(letter, generic=generic)
    else:
        scope.families[letter] = Family(letter, plain=Symbol(letter, shape))
        for size in shape:
            scope.sizes.update({s.name: s for s in size.free_symbols})


def table_scope(notation: Notation, symbols: Mapping[str, str]) -> Scope:
    """Notes without a network: matrix calculus over declared symbols, scalar calculus where none are declared."""
    words: dict[str, Word] = {}
    free = all(kind.strip() == "function" for kind in symbols.values())  # functions, of numbers that nobody declares
    numbers = all(kind.strip() in ("function", "scalar", "loss") for kind in symbols.values())
    lexicon = Lexicon(words, notation.layer, notation.sample, free=free, numbers=numbers)
    scope = Scope(lexicon, first=notation.first)
    scope.layout, scope.differentials = notation.layout, notation.differentials
    if symbols:
        add_symbols(scope, words, symbols)
        for letter in ("m", "N", "n"):
            if letter not in words and sympy.Symbol(letter) in scope.sizes.values():
                words[letter] = Word("scalar")
                scope.scalars[letter] = f.Scalar(letter)
        for letter in USUAL["rate"] if not free else ():
            if letter not in words:
                words[letter] = Word("scalar")
                scope.scalars[letter] = f.Scalar(letter)
    scope.rates = frozenset(USUAL["rate"])
    return scope


# Networks


def network_scope(
    model: Model, notation: Notation, symbols: Mapping[str, str], implied: Mapping[str, str] | None = None
) -> Scope:
    """The letters of a network: what each role is called, with every usual letter where none is declared.

    Letters that are ``implied`` come before the usual ones, which keep every role that is left to them.
    """
    words: dict[str, Word] = {}
    every = {letter for role in USUAL.values() for letter in role}
    every |= {plain(letter) for letter in (*notation.names.values(), *(implied or {}).values())}
    bare = every if len(model.blocks) == 1 else {"h", "H"} if len(model.blocks) == 2 else set()
    lexicon = Lexicon(words, notation.layer, notation.sample, bare=frozenset(bare))
    scope = Scope(lexicon, model, first=notation.first)
    scope.layout, scope.differentials = notation.layout, notation.differentials
    for role, letter in (implied or {}).items():
        if role in USUAL and role not in notation.names and letter not in notation.names.values():
            _add_role(scope, words, role, plain(letter), False)
    for role, usual in USUAL.items():
        chosen = notation.names.get(role)
        letters = (plain(chosen),) if chosen else usual
        for letter in letters:
            if not chosen and letter in words:
                continue
            _add_role(scope, words, role, letter, bool(chosen))
    if chosen := notation.names.get("sample_loss"):
        words[plain(chosen)] = Word("loss", sampled=True)
        scope.losses[plain(chosen)] = "sample"
    for name in sorted(model.scalars | {str(n) for n in model.sizes if n.is_Symbol}):
        if name not in words:
            words[name] = Word("scalar")
            scope.scalars[name] = f.Scalar(name)
    for size in (*model.sizes, model.frame.samples):
        if size is not None:
            scope.sizes.update({s.name: s for s in size.free_symbols})
    add_symbols(scope, words, symbols)
    scope.sizes.update({n: s for n, s in _sample_letters(model, notation).items() if n not in scope.sizes})
    return scope


def _sample_letters(model: Model, notation: Notation) -> dict[str, Size]:
    if model.frame.samples is None:
        return {}
    chosen = notation.names.get("samples")
    return dict.fromkeys((plain(chosen),) if chosen else USUAL["samples"], model.frame.samples)


def _add_role(scope: Scope, words: dict[str, Word], role: str, letter: str, chosen: bool) -> None:
    model = scope.model
    assert model is not None
    batch = model.frame.samples is not None
    names_size = sympy.Symbol(letter) in (*model.sizes, model.frame.samples) or letter in model.scalars
    if names_size and not chosen:
        if role == "samples":
            scope.scalars[letter] = f.Scalar(letter)
            words[letter] = Word("scalar")
        return
    if role == "loss":
        scope.losses[letter] = "cost"
        words[letter] = Word("loss", sampled=True)
        return
    if role == "function":
        words[letter] = Word("function", layered=True)
        return
    if role == "rate":
        words[letter] = Word("scalar")
        scope.scalars[letter] = f.Scalar(letter)
        scope.rates |= {letter}
        return
    if role == "samples":
        if batch and model.frame.samples is not None:
            words[letter] = Word("scalar")
            scope.scalars[letter] = f.scalar(model.frame.samples)
        return
    family = _family(model, role)
    data = role not in ("weights", "bias")
    column = data and batch and not chosen and letter[0].islower()
    layered = role not in ("input", "target", "prediction")
    called = "any" if role == "prediction" else "x" if role in ("target", "activation", "preactivation") else ""
    rank = 2 if role == "weights" or (data and batch and not column) else 1
    words[letter] = Word("array", layered, rank, sampled=data, called=called)
    scope.families[letter] = Family(role, family.layers, family.plain, column=column, weights=role == "weights")


def _family(model: Model, role: str) -> Family:
    blocks = list(enumerate(model.blocks, start=1))
    one = len(blocks) == 1
    match role:
        case "input":
            return Family(role, plain=model.x)
        case "target":
            return Family(role, plain=model.y)
        case "prediction":
            return Family(role, plain=model.prediction)
        case "weights":
            found: dict[int, Formula] = {k: b.weights[0] for k, b in blocks}
        case "bias":
            found = {k: b.biases[0] for k, b in blocks if b.biases}
        case "preactivation":
            found = {k: b.assignments[0].symbol for k, b in blocks}
        case "activation":
            found = {0: model.x, **{k: b.output for k, b in blocks}}
        case _:
            found = {k: b.errors[0][1] for k, b in blocks}
    return Family(role, found, found.get(1) if one else None)

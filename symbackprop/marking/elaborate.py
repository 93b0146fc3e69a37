"""From what was written to formulas: letters resolved, shapes checked, products bracketed, indices given ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula, Shape, Symbol
from symbackprop.algebra.functions import EXP, LOG
from symbackprop.algebra.shape import shape, show
from symbackprop.errors import NotationError, ShapeMismatch
from symbackprop.marking.arrays import Arrays
from symbackprop.marking.calls import Calls, folded
from symbackprop.marking.conditions import Conditions
from symbackprop.marking.differentials import Differentials
from symbackprop.marking.partials import Misfit, Partials, Shorthand
from symbackprop.marking.products import MAX_FACTORS, UNKNOWN, Bracketing, neighbours_settled, settled
from symbackprop.marking.scope import Scope
from symbackprop.marking.sums import Sums, free_symbols, sized_deltas
from symbackprop.marking.unfolding import Unfolding
from symbackprop.notation import syntax as s
from symbackprop.notation.call_reader import bare, composed
from symbackprop.notation.syntax import Node

__all__ = ["Elaborator", "Misfit", "Shorthand"]

MAX_DEGREE = 1000  # of powers of powers


class Elaborator(Arrays, Sums, Calls, Conditions, Unfolding, Partials, Differentials):
    """Makes formulas of trees for one choice of the symbolic layers.

    ``layers`` gives each layer symbol its number as it is written. ``indices`` gathers the sizes along which free and
    bound indices run, ``said`` what a reader of the verdict should know.
    """

    def __init__(self, scope: Scope, layers: Mapping[str, int], exponents: frozenset[str] = frozenset()) -> None:
        self.scope = scope
        self.layers = dict(layers)
        self.exponents = exponents
        self.indices: dict[str, sympy.Expr] = {}
        self.bound: list[str] = []
        self.said: list[str] = []
        self.deriving = False
        self.unknown: list[str] = []
        self.any_layer: int | None = None
        self.whole = False  # whether lower-case letters without a mark are those of all samples
        self.unmarked = False  # whether there were such letters
        self.ends: dict[str, sympy.Expr] = {}  # where the sums around end that say so
        self.sample_letter = "i"
        self.loss_order: list[bool] | None = None  # in which the target stands among the arguments of a loss
        self.direct: frozenset[str] = frozenset()  # letters of what is derived in part, and as a whole, in the line
        self.local: dict[Symbol, Formula] = {}  # expressions by which is derived, under names of their own
        self.mentioned: list[Symbol] = []  # what the page defines, and by which something is derived in the line
        self.granted: list[str] = []  # on what a reading rests that nothing declares
        self.from_derivation = False  # whether a gradient was taken as it was derived
        self.changing: dict[Symbol, Formula] = {}  # arrays with a differential in the line, each with its change
        self.begins: Node | None = None
        self.constant: set[str] = set()  # those without one, in what a differential is taken of
        self.asserted: list[tuple[Formula, Formula]] = []

    @property
    def sample(self) -> sympy.Symbol:
        """The index of the sample that is meant where lower-case letters of a batch carry none."""
        return sympy.Symbol(self.sample_letter)

    def free_ranges(self, nodes: Sequence[Formula]) -> dict[str, sympy.Expr]:
        """The free indices of formulas, with the sizes along which they run."""
        names: set[str] = set()
        for node in nodes:
            names |= {symbol.name for symbol in free_symbols(node)}
        return {name: size for name, size in self.indices.items() if name in names}

    def with_ranges(self, node: Formula) -> Formula:
        """The formula with the range of every Kronecker delta that what stands elsewhere told."""
        for u in f.walk(node):
            if isinstance(u, f.Kronecker):
                sizes = {self.indices[str(e)] for e in (u.left, u.right) if str(e) in self.indices}
                if len(sizes) > 1 and self.scope.model is None:
                    raise ShapeMismatch("the indices of a Kronecker delta run along axes of different size")
                if len(sizes) > 1:
                    message = "delta with two indices is Kronecker's, and these count different things: write the layer"
                    raise NotationError(message, None, "SBP103")
        for name, size in self.indices.items():
            node = sized_deltas(node, sympy.Symbol(name), size)
        return node

    def misfit(self, message: str, node: Node, code: str = "SBP201") -> Misfit:
        return Misfit(message, code, node.span)

    def checked(self, formula: Formula, node: Node) -> Formula:
        try:
            shape(formula)
        except ShapeMismatch as error:
            code = "SBP204" if isinstance(formula, f.Entry) else "SBP201"
            raise Misfit(str(error), code, node.span) from None
        return formula

    # Layers and indices

    def layer(self, expr: sympy.Expr) -> sympy.Expr:
        """A layer as the network counts it, from one as it is written; symbolic where nothing gives it a number."""
        found = expr.xreplace({symbol: sympy.Integer(self.layers[symbol.name]) for symbol in expr.free_symbols
                               if symbol.name in self.layers})  # fmt: skip
        if found.is_Integer:
            return found - self.scope.first + 1 if self.scope.model is not None else found
        return found

    def meets(self, index: sympy.Expr, size: sympy.Expr, node: Node) -> None:
        """Notes that an index runs along an axis."""
        if index.is_Integer:
            if index < 1 or (size.is_Integer and index > size):
                raise self.misfit(f"index {index} leaves an axis of {size}: indices count from 1", node, "SBP204")
            return
        for symbol in index.free_symbols:
            if symbol.name in self.layers or symbol in self.scope.sizes.values():
                continue
            known = self.indices.setdefault(symbol.name, size)
            if index == symbol and known != size:
                raise self.misfit(
                    f"the index {symbol} runs to {known} in one place and to {size} in another", node, "SBP204"
                )

    # Nodes

    def of(self, node: Node) -> Formula:
        """The formula of a node."""
        match node:
            case s.Num(value):
                return f.Number(value)
            case s.Name():
                return self.name(node)
            case s.Plus(terms):
                return self.plus(terms, node)
            case s.Minus(arg):
                return f.Negative(self.of(arg))
            case s.Times():
                return self.times(node)
            case s.Over(top, bottom):
                return self.quotient(top, bottom, node)
            case s.Raised():
                return self.raised(node)
            case s.Turned(arg):
                return f.Transpose(self.of(arg))
            case s.Call():
                return self.checked(self.call(node), node)
            case s.Func():
                return self.pointwise(node)
            case s.Partial():
                return self.partial(node)
            case s.Big():
                return self.big(node)
            case s.Grid(rows):
                return self.grid(rows, node)
            case s.NormOf(arg, order):
                return f.Norm(self.of(arg), 1 if order == "1" else 2, 1)
            case s.Picked(arg, entries):
                return self.entries(self.of(arg), entries, node)
            case s.OfSample(arg, sample):
                return self.of_sample(arg, sample, node)
            case s.Choice():
                return self.choice(node)
            case s.Cases():
                return self.checked(self.cases(node), node)
            case s.OnesOf():
                return f.Ones((UNKNOWN, ONE))
            case s.UnitAt(index):
                return f.Unit(index, UNKNOWN)
            case s.Kron(left, right):
                return self.kronecker(left, right, node)
            case s.Identity():
                return f.Diagonal(f.Ones((UNKNOWN, ONE)))
            case s.At(arg, values):
                return self.at_values(arg, values, node)
            case s.Differential(arg):
                return self.total(arg, node)
            case s.Asserted():
                return self.assertion(node)
            case s.Tuple():
                raise NotationError("a tuple is read as a whole side only", node.span[0], "SBP104", node.span[1])
        raise TypeError(f"elaborate knows no {type(node).__name__}")

    def say(self, text: str) -> None:
        if text not in self.said:
            self.said.append(text)

    # Sums and products

    def plus(self, terms: Sequence[Node], node: Node) -> Formula:
        parts: list[Formula] = []
        for term in terms:
            part = f.Negative(self.of(term.arg)) if isinstance(term, s.Minus) else self.of(term)
            parts.append(part)
        return self.checked(f.Add(tuple(self.spread(parts, node))), node)

    def spread(self, parts: list[Formula], node: Node) -> list[Formula]:
        """A column beside a matrix of samples is that of every sample; ones take the size of what is beside them."""
        try:
            shapes = [shape(part) for part in parts]
        except ShapeMismatch as error:
            raise Misfit(str(error), "SBP201", node.span) from None
        whole = next((sh for sh in shapes if ONE not in sh and UNKNOWN not in sh), None)
        whole = whole or next((sh for sh in shapes if sh != SCALAR and UNKNOWN not in sh), SCALAR)
        samples, rows = self.scope.samples, self.scope.rows
        out = []
        for part, here in zip(parts, shapes, strict=True):
            if UNKNOWN in here:
                part = settled(part, whole)
                here = shape(part)
            if rows and samples == ONE and here == whole[::-1] and here[1] == ONE != here[0]:
                part = part.T
                self.say("a bias is added to the one sample, a row")
            elif samples is not None and here != whole and ONE not in whole and here[1] == ONE != here[0]:
                if not rows and here[0] == whole[0] and whole[1] == samples:
                    part = f.Product((part, f.Ones((ONE, samples))))
                    self.say("a column is added to every sample")
                elif rows and here[0] == whole[1] and whole[0] == samples:
                    part = f.Product((f.Ones((samples, ONE)), part.T))
                    self.say("a bias is added to every sample")
            out.append(part)
        return out

    def times(self, node: s.Times) -> Formula:
        if "o" in node.joints and any(map(bare, node.factors)):
            if self.scope.lexicon.of_numbers:
                node = composed(node, s.Name("z", span=node.span))
                return self.of(node.factors[0]) if len(node.factors) == 1 else self.of(node)
            if all(map(bare, node.factors)):
                message = "composition, or a product for each entry? write the functions with their arguments"
                raise NotationError(message, node.span[0], "SBP103", node.span[1])
        if "o" not in node.joints:
            return self.run(node.factors, node)
        nodes: list[Node] = []
        joints: list[str] = []
        run: list[Node] = [node.factors[0]]
        runs = [run]
        for joint, factor in zip(node.joints, node.factors[1:], strict=True):
            if joint:
                run = []
                runs.append(run)
            run.append(factor)
        formulas: list[Formula] = []
        for r in runs:
            whole = any(isinstance(u, s.Partial) for u in r)
            if formulas:
                joints.append("o")
            if whole and len(r) > 1:
                formulas.append(self.run(r, node))
                nodes.append(node)
                continue
            for k, factor in enumerate(r):
                if k:
                    joints.append("")
                formulas.append(self.elementwise(factor) if isinstance(factor, s.Partial) else self.of(factor))
                nodes.append(factor)
        return self.bracketed(formulas, joints, nodes, node)

    def bracketed(self, formulas: list[Formula], joints: list[str], nodes: Sequence[Node], node: Node) -> Formula:
        for formula, part in zip(formulas, nodes, strict=True):
            self.checked(formula, part)
        items, between, words = _scalars_attached(formulas, joints)
        if len(items) == 1:
            return items[0]
        if all(shape(u) == SCALAR for u in items) or len(items) > MAX_FACTORS:
            made = Bracketing(items, between)
            return self.checked(made.formula(made.default()), node)
        made = Bracketing(items, between, self.symbolic_shapes(items))
        readings = list(made.readings())
        if not readings:  # no bracketing conforms but by equal numbers: the usual one, if it does
            made = Bracketing(items, between)
            readings = list(made.readings())
            readings = [made.default()] if made.default() in readings else readings
        default = made.default()
        if not readings:
            return self.checked(made.formula(default), node)
        if len(readings) > 1 and not all(shape(u) == SCALAR for u in items):
            best = [default, *[r for r in readings if r != default]] if default in readings else readings
            first, second = (made.shown(t, words) for t in best[:2])
            raise NotationError(
                f"two readings conform: {first}, or {second}: write the brackets", node.span[0], "SBP103", node.span[1]
            )
        found = made.formula(readings[0])
        return self.checked(_ones_in_hadamard(found), node)

    def symbolic_shapes(self, items: Sequence[Formula]) -> list[Shape]:
        """Shapes with a symbol for each size that is a number; their own where that does not conform."""
        twins = self.scope.twins
        found = []
        for item in items:
            try:
                found.append(shape(f.substitute(item, twins)) if twins else shape(item))
            except ShapeMismatch:
                found.append(shape(item))
        return found

    def run(self, nodes: Sequence[Node], node: Node) -> Formula:
        """Factors side by side."""
        chained = self.chain_rule(nodes, node)
        if chained is not None:
            return chained
        factors = [self.checked(self.of(u), u) for u in nodes]
        return self.checked(f.Product(tuple(neighbours_settled(factors))), node)

    def quotient(self, top: Node, bottom: Node, node: Node) -> Formula:
        above, below = self.of(top), self.of(bottom)
        if below == f.Number(Fraction(0)):
            raise NotationError("a division by 0", node.span[0], "SBP101", node.span[1])
        return self.checked(f.Quotient(above, below), node)

    def raised(self, node: s.Raised) -> Formula:
        base, exponent = self.of(node.base), self.of(node.exponent)
        if isinstance(base, f.Norm) and base.power == 1 and exponent == f.Number(Fraction(2)):
            return f.Norm(base.arg, base.order, 2)
        self.checked(base, node.base)
        rows, columns = shape(base)
        if rows == columns != ONE and isinstance(node.base, s.Name) and folded(exponent) == f.Number(Fraction(2)):
            message = f"{node.base.letter} times itself, or each entry squared? write the product, or \\odot"
            raise NotationError(message, node.span[0], "SBP103", node.span[1])
        negative = isinstance(times := folded(exponent), f.Number) and times.value < 0
        if negative and rows == columns != ONE:
            message = "a square array to the -1 is its inverse for some: write \\frac{1}{...} for the entries"
            raise NotationError(message, node.span[0], "SBP103", node.span[1])
        symbolic = any(isinstance(u, Symbol) for u in f.walk(exponent))
        if symbolic and self.scope.lexicon.free and shape(base) == shape(exponent) == SCALAR:
            return f.Map(EXP, f.Product((exponent, f.Map(LOG, base))))  # a^x is e^(x log a)
        if symbolic:
            raise NotationError(
                "an exponent that depends on an array is not read, but for e: write exp",
                node.exponent.span[0],
                "SBP104",
                node.exponent.span[1],
            )
        for u in f.walk(exponent):
            if isinstance(u, f.Number) and abs(u.value) > 1000:
                raise NotationError("an exponent beyond 1000: write a smaller one", node.exponent.span[0], "SBP105")
        made = f.Power(base, folded(exponent))
        if _degree(made) > MAX_DEGREE:
            raise NotationError(
                f"powers of powers beyond {MAX_DEGREE}: write smaller ones", node.span[0], "SBP105", node.span[1]
            )
        return self.checked(made, node)

    def at_values(self, arg: Node, values: Sequence[tuple[Node, Node]], node: Node) -> Formula:
        """A formula at values of letters, all that depends on them put in before."""
        found = self.checked(self.of(arg), arg)
        put: dict[Formula, Formula] = {}
        for name, value in values:
            letter, at = self.of(name), self.checked(self.of(value), value)
            if not isinstance(letter, Symbol) or shape(letter) != shape(at) or letter in self.scope.definitions:
                raise NotationError(
                    "below the bar stands a letter with a value of its shape", name.span[0], "SBP104", name.span[1]
                )
            put[letter] = at
        if any(isinstance(u, f.Derivative) for u in f.walk(found)):
            raise NotationError("a derivative of the cost at a value is not read", node.span[0], "SBP104", node.span[1])
        return f.substitute(self._unfolded_fully(found), put)

    def assertion(self, node: s.Asserted) -> Formula:
        found = self.checked(self.of(node.arg), node.arg)
        if node.shape is not None:
            rows, columns = (self.scope.size(e, self.layer, node.span) for e in node.shape)
            if shape(found) != (rows, columns):
                raise self.misfit(
                    f"the brace says {rows} x {columns}, and this is {show(shape(found))}", node, "SBP202"
                )
        if node.equals is not None:
            try:
                self.asserted.append((found, self.of(node.equals)))
            except NotationError:
                self.say("a brace was taken for a label")
        return found

    # Sums over indices, matrices written out


def _scalars_attached(formulas: Sequence[Formula], joints: Sequence[str]) -> tuple[list[Formula], list[str], list[str]]:
    """Scalar factors joined to the array beside them: they change no shape."""
    items: list[Formula] = []
    between: list[str] = []
    words: list[str] = []
    waiting: list[Formula] = []
    joint = ""
    for k, formula in enumerate(formulas):
        joint = joint or (joints[k - 1] if k else "")
        if shape(formula) == SCALAR and k + 1 < len(formulas):
            waiting.append(formula)
            continue
        made = f.Product((*waiting, formula)) if waiting else formula
        if shape(formula) == SCALAR and items:
            items[-1] = f.Product((items[-1], *waiting, formula))
            continue
        if items:
            between.append(joint)
        items.append(made)
        words.append(_word(formula))
        waiting, joint = [], ""
    return items, between, words


def _word(node: Formula) -> str:
    match node:
        case Symbol():
            return node.name
        case f.Transpose(arg):
            return f"{_word(arg)}^T"
        case f.Map(function, arg, order):
            return f"{function.name}{chr(39) * order}({_word(arg)})"
        case f.Add():
            return "(...)"
    return f"[{type(node).__name__.lower()}]"


def _ones_in_hadamard(node: Formula) -> Formula:
    def change(u: Formula) -> Formula:
        if isinstance(u, f.Hadamard):
            wide = next((shape(v) for v in u.factors if shape(v) != SCALAR and UNKNOWN not in shape(v)), None)
            return f.Hadamard(tuple(settled(v, wide) for v in u.factors)) if wide else u
        if isinstance(u, f.Product):
            return f.Product(tuple(neighbours_settled(u.factors)))
        return u

    return f.rewrite(node, change) if any(
        isinstance(u, f.Ones | f.Unit) and UNKNOWN in shape(u) for u in f.walk(node)
    ) else node  # fmt: skip


def _degree(node: Formula) -> Fraction:
    """The exponents on the way down, multiplied, at most."""
    inner = max((_degree(child) for child in node.children), default=Fraction(1))
    if isinstance(node, f.Power) and isinstance(node.exponent, f.Number):
        return inner * max(abs(node.exponent.value), Fraction(1))
    return inner

"""Functions applied: elementary ones, activations by the layer of their argument, losses, and functions of the page."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula, Function, Symbol
from symbackprop.algebra.functions import FUNCTIONS, FURTHER, clip, huber, logit, sigmoid
from symbackprop.algebra.shape import shape
from symbackprop.errors import NotationError
from symbackprop.marking import derivatives as dv
from symbackprop.model.activations import ACTIVATIONS, Activation
from symbackprop.notation import syntax as s
from symbackprop.notation.syntax import Node

if TYPE_CHECKING:
    from symbackprop.marking.scope import Scope

ELEMENTARY = {name: function for name, function in (FUNCTIONS | FURTHER).items() if name != "positive_part"}
_SPELLED = "relu elu selu softplus softsign silu gelu mish hardtanh hardsigmoid relu6 sigmoid identity"
NAMED_ACTIVATIONS = {**{name: name for name in _SPELLED.split()}, "leakyrelu": "leaky_relu"}


class Calls:
    """The part of the elaborator that resolves functions."""

    scope: Scope
    bound: list[str]
    loss_order: list[bool] | None

    if TYPE_CHECKING:

        def of(self, node: Node) -> Formula: ...
        def layer(self, expr: sympy.Expr) -> sympy.Expr: ...
        def say(self, text: str) -> None: ...
        def meets(self, index: sympy.Expr, size: sympy.Expr, node: Node) -> None: ...
        def checked(self, formula: Formula, node: Node) -> Formula: ...
        def _kept(self, formula: Formula, stops: set[str] | None) -> Formula: ...

        @property
        def definitions(self) -> dict[Symbol, Formula]: ...
        def trace(self, arg: Formula, node: Node) -> Formula: ...
        def maximum(self, args: Sequence[Formula], smaller: bool) -> Formula: ...
        def greatest(self, body: Formula, index: str, node: Node) -> Formula: ...
        def log_sum_exp(self, arg: Formula) -> Formula: ...

        @property
        def sample(self) -> sympy.Symbol: ...

    def call(self, node: s.Call) -> Formula:
        function, args = node.function, node.args
        letter = function.letter
        if letter in self.scope.losses and letter not in self.scope.functions:
            return self.loss_of(node)
        if letter in self.scope.arguments and letter not in self.scope.functions:
            return self.at_arguments(letter, args, node)
        if letter in ("max", "min"):
            if len(args) == 1 and letter == "max":
                return self.greatest(self.checked(self.of(args[0]), args[0]), "", node)
            if len(args) != 2:
                self.reject(f"{letter} takes two arguments", node)
            return self.maximum([self.of(a) for a in args], letter == "min")
        if letter == "clip" and len(args) == 3:
            low, high = (self._number(a) for a in args[1:])
            return f.Map(clip(low, high), self.checked(self.of(args[0]), args[0]), function.order)
        if len(args) > 1 and self.scope.lexicon.free and letter not in ELEMENTARY and letter not in NAMED_ACTIVATIONS:
            return self.at_arguments(letter, args, node)
        if len(args) != 1:
            self.reject(f"{letter} takes one argument here", node)
        arg = self.checked(self.of(args[0]), args[0])
        match letter if letter not in self.scope.functions else "":
            case "diag":
                return f.Diagonal(arg)
            case "tr" | "trace":
                return self.trace(arg, node)
            case "softmax" | "logsoftmax":
                return f.Softmax(arg, self.unit_axis(arg), log=letter == "logsoftmax")
            case "logsumexp":
                return self.log_sum_exp(arg)
            case "sum":
                return f.Total(arg)
            case "vec" | "mean":
                self.reject(f"{letter} is not read", node)
        return self.apply(function, arg, node)

    def at_arguments(self, letter: str, args: tuple[Node, ...], node: Node) -> Formula:
        """f(x, y): what f was defined to be, at these arguments; one without a definition has the same each time."""
        known = self.scope.arguments.setdefault(letter, args)
        symbol = next((u for u in self.scope.definitions if u.letter == letter and u.layer is None), Symbol(letter))
        if known == args:
            return symbol
        definition = self.scope.definitions.get(symbol)
        symbols = [self.of(u) for u in known]
        if definition is None or len(known) != len(args) or not all(isinstance(u, Symbol) for u in symbols):
            self.reject(f"{letter} stood with other arguments before: define it, or write the same ones", node)
        values = [self.checked(self.of(u), u) for u in args]
        if [shape(u) for u in symbols] != [shape(u) for u in values]:
            self.reject(f"the arguments of {letter} have other shapes than those it was defined with", node)
        assert definition is not None
        inner = self._kept(definition, {u.letter for u in symbols if isinstance(u, Symbol)})
        return f.substitute(inner, dict(zip(symbols, values, strict=True)))

    def _number(self, node: Node) -> Fraction:
        found = folded(self.of(node))
        if not isinstance(found, f.Number):
            self.reject("the ends of a clip are numbers", node)
            raise AssertionError
        return found.value

    def reject(self, message: str, node: Node, code: str = "SBP104") -> None:
        raise NotationError(message, node.span[0], code, node.span[1])

    def unit_axis(self, arg: Formula) -> int:
        rows, columns = shape(arg)
        if columns == ONE:
            return 0
        if rows == ONE:
            return 1
        return 1 if self.scope.rows else 0

    def apply(self, function: s.Func, arg: Formula, node: Node) -> Formula:
        letter, order = function.letter, function.order
        scope = self.scope
        if letter in scope.composed:
            name, inner = scope.composed[letter]
            inner = dv.unfolded(inner, self.definitions, name)
            for _ in range(order):
                inner = dv.of_scalar(inner, name)
            return f.substitute(inner, {name: arg})
        if letter in scope.functions:
            return f.Map(scope.functions[letter], arg, order)
        if letter in scope.lexicon.words and scope.model is not None:
            return self._activated(function, arg, node)
        if letter == "huber":
            return f.Map(huber(1), arg, order)
        if letter == "logit":
            return f.Map(logit(), arg, order)
        if letter in ELEMENTARY:
            return f.Map(ELEMENTARY[letter], arg, order)
        if letter in NAMED_ACTIVATIONS:
            activation = ACTIVATIONS[NAMED_ACTIVATIONS[letter]]
            return self._applied(activation, arg, order, node)
        if scope.lexicon.free:
            return f.Map(free_function(letter), arg, order)
        raise scope.unknown(letter, node.span)

    def _activated(self, function: s.Func, arg: Formula, node: Node) -> Formula:
        layers = self._layers_of(function, arg, node)
        model = self.scope.model
        assert model is not None
        found = list(dict.fromkeys(model.layers[k - 1].activation for k in layers))
        if len(found) == 1 and function.letter == "sigma" and function.layer is None:
            if found[0].rate is not None and any(
                isinstance(u, f.Map) and u.function == sigmoid() for u in f.walk(found[0].rate)
            ):
                self.say(f"sigma is the sigmoid, which is the derivative of {found[0].name}; g is {found[0].name}")
                return f.Map(sigmoid(), arg, function.order)
            everywhere = {u.activation.name for u in model.layers}
            if found[0].name not in ("sigmoid", "generic") and "sigmoid" in everywhere:
                self.reject(
                    f"sigma here is {found[0].name} by its argument, and the sigmoid by its name: name the function",
                    node,
                    "SBP103",
                )
        if len(found) > 1:
            names = " or ".join(u.name for u in found)
            self.reject(
                f"{function.letter} is {names}: its argument does not tell the layer; write g^{{[l]}}", node, "SBP103"
            )
        return self._applied(found[0], arg, function.order, node)

    def _layers_of(self, function: s.Func, arg: Formula, node: Node) -> list[int]:
        model = self.scope.model
        assert model is not None
        count = len(model.blocks)
        if function.layer is not None:
            number = self.layer(function.layer)
            from symbackprop.marking.scope import LayerMissing

            if not number.is_Integer or not 1 <= int(number) <= count:
                raise LayerMissing(f"there is no layer {function.layer}", node.span[0], "SBP102", node.span[1])
            return [int(number)]
        used = {u for u in f.walk(arg) if isinstance(u, Symbol)}
        inner = [k for k, b in enumerate(model.blocks, start=1) if b.assignments[0].symbol in used]
        if len(inner) == 1:
            return inner
        outputs = [k for k, b in enumerate(model.blocks, start=1) if b.output in used]
        affine = [k for k, b in enumerate(model.blocks, start=1) if used & {*b.weights, *b.biases}]
        if affine and not inner:
            return [max(affine)]
        if len(outputs) == 1 and not inner:  # g'(a^{(l)}), which is wrong, of layer l
            return outputs
        return list(range(1, count + 1))

    def _applied(self, activation: Activation, arg: Formula, order: int, node: Node) -> Formula:
        if activation.over_units:
            if order:
                self.reject(f"{activation.name}' is no function of each entry: write its Jacobian", node)
            return f.Softmax(arg, self.unit_axis(arg), log=activation.name == "log_softmax")
        if activation.definition == Function.argument and order == 0:
            return arg
        return f.Map(activation.function, arg, order)

    def pointwise(self, node: s.Func) -> Formula:
        """A function without its argument: sigma' for sigma'(z)."""
        scope = self.scope
        if scope.model is not None and node.letter in scope.lexicon.words and node.letter not in scope.functions:
            layer = None if node.layer is None else self.layer(node.layer)
            if layer is None and len(scope.model.blocks) > 1:
                self.reject(
                    f"{node.letter} without an argument: of which layer? write {node.letter}(z^{{(l)}})", node, "SBP103"
                )
            number = 1 if layer is None else self._layers_of(node, f.formula(1), node)[0]
            block = scope.model.blocks[number - 1]
            array: Formula = block.assignments[0].symbol
            if scope.samples is not None:
                array = f.Product((array.T if scope.rows else array, f.Unit(self.sample, scope.samples)))
            self.say(f"{node.letter} without an argument is taken at z")
            return self._activated(node, array, node)
        if not node.order and Symbol(node.letter) in scope.definitions:
            return Symbol(node.letter)
        self.say(f"{node.letter} without an argument is taken at z")
        return self.apply(node, Symbol("z"), node)

    # Losses

    def loss(self, node: s.Name) -> Formula:
        kind = self.scope.losses[node.letter]
        if kind == "own":
            return Symbol(node.letter)
        if len(node.entries) == 1 and kind == "cost":  # C_x, E_n: of one sample
            family = self.scope.families.get(str(node.entries[0]))
            of_input = family is not None and family.what == "input"
            return self.sample_loss(self.sample if of_input else node.entries[0], node)
        if kind == "sample" or node.sample is not None:
            return self.sample_loss(node.sample if node.sample is not None else self.sample, node)
        assert self.scope.cost is not None
        return self.scope.cost

    def loss_of(self, node: s.Call) -> Formula:
        """J(w, b) is J; L(a, y) the loss of a prediction and a target."""
        kind = self.scope.losses[node.function.letter]
        if kind == "own":
            return self.at_arguments(node.function.letter, node.args, node)
        names = [a for a in node.args if isinstance(a, s.Name)]
        model = self.scope.model
        if model is None:
            return Symbol(node.function.letter)
        parameters = all(
            isinstance(a, s.Name) and a.letter in self.scope.families
            and self.scope.families[a.letter].what in ("weights", "bias") for a in node.args
        )  # fmt: skip
        if parameters or (len(names) == 1 and len(node.args) == 1):
            return self.loss(s.Name(node.function.letter, span=node.span))
        if len(node.args) != 2:
            self.reject("a loss takes a prediction and a target", node)
        first, second = (self.checked(self.of(a), a) for a in node.args)
        used = [model.y in set(f.walk(u)) for u in (first, second)]
        if self.loss_order not in (None, used):
            self.reject("the prediction and the target stand in both orders in one line: write one", node, "SBP103")
        self.loss_order = used
        if used == [True, False]:
            first, second = second, first
        elif used != [False, True]:
            self.reject("which of the two is the target?", node, "SBP103")
        whole = shape(first) == shape(model.y) and self.scope.samples is not None
        if whole and kind == "cost":
            return self._scaled(f.Total(model.sample_loss(first, second)), mean=True)
        data = model.sample_loss(first, second)
        return self._scaled(f.Total(data) if shape(data) != SCALAR else data, mean=False)

    def sample_loss(self, sample: sympy.Expr, node: Node) -> Formula:
        """The loss of one sample, without penalties."""
        model = self.scope.model
        samples = self.scope.samples
        assert model is not None
        if samples is None:
            return model.cost
        self.meets(sample, samples, node)

        def column(array: Symbol) -> Formula:
            return f.Product((f.Transpose(array) if self.scope.rows else array, f.Unit(sample, samples)))

        units = column(model.prediction), column(model.y)
        if self.scope.rows:
            units = tuple(f.Transpose(u) for u in units)  # type: ignore[assignment]
        data = model.sample_loss(*units)
        return self._scaled(f.Total(data) if shape(data) != SCALAR else data, mean=False)

    def sum_of_losses(self) -> Formula:
        """The losses of all samples, added up."""
        model = self.scope.model
        assert model is not None
        return self._scaled(f.Total(model.sample_loss(model.prediction, model.y)), mean=False)

    def _scaled(self, data: Formula, mean: bool) -> Formula:
        model = self.scope.model
        assert model is not None
        factors: list[Formula] = [f.Number(model.loss.coefficient)] if model.loss.coefficient != 1 else []
        if model.loss.mean_over_outputs and model.sizes[-1] != ONE:
            factors.append(f.Quotient(f.formula(1), f.scalar(model.sizes[-1])))
        if mean and self.scope.samples is not None:
            factors.append(f.Quotient(f.formula(1), f.scalar(self.scope.samples)))
        return f.Product((*factors, data)) if factors else data


def folded(node: Formula) -> Formula:
    """A formula of numbers as one number: -1, 1/2."""
    match node:
        case f.Negative(f.Number(value)):
            return f.Number(-value)
        case f.Quotient(f.Number(top), f.Number(bottom)) if bottom:
            return f.Number(top / bottom)
        case f.Negative(f.Quotient(f.Number(top), f.Number(bottom))) if bottom:
            return f.Number(-top / bottom)
    return node


def free_function(letter: str) -> Function:
    """A function of a page without network: sigma is the sigmoid, others are opaque."""
    if letter in ("sigma", "varsigma"):
        return sigmoid()
    return Function(letter, letter if len(letter) == 1 else rf"\{letter}")

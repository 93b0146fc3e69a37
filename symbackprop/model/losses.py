"""The losses, one entry each: what one sample costs, as it is written, summed over its outputs.

A loss is ``coefficient`` times the sum over the outputs of ``term``, a scalar formula in the prediction ``a`` and the
target ``y``, or the same in SymPy or LaTeX. With a batch the cost J is the mean over the samples, without one it is
the loss itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Map
from symbackprop.algebra.functions import ABS, LOG, POSITIVE_PART, SIGN, SQRT, STEP, log, log_cosh, softplus
from symbackprop.algebra.functions import huber as huber_function
from symbackprop.algebra.sympy_border import from_sympy
from symbackprop.errors import NetworkError
from symbackprop.model.activations import NAME, Parameters, ParameterTable, parameter_table
from symbackprop.model.kinks import in_pieces
from symbackprop.model.table import Table
from symbackprop.notation.definition import read_definition
from symbackprop.notation.notation import name_latex

PREDICTION = f.Symbol("a")
TARGET = f.Symbol("y")

_a, _y = PREDICTION, TARGET


@dataclass(frozen=True)
class Loss:
    r"""A loss by its scalar term; ``term`` is None for an opaque C(a, y), which need not be a sum over the outputs.

    ``parameters`` are further symbols in the term, by name: a number for a value, None for a symbol that stays. The
    loss is defined for predictions above ``above`` and below ``below``; ``labels_sum_to_one``: its targets are a
    distribution over the outputs; ``one_by_one``: each output is a choice of its own, so that softmax does not fit;
    ``mean_over_outputs`` divides by their number; ``maximise``: the cost is to grow; ``targets``: the only values that
    a target has, where they are few. ``kinks`` says in words where the derivative jumps. Raises NotationError where
    LaTeX cannot be read, NetworkError where the term is no scalar function of a and y.

    >>> Loss("quartic", r"\frac{1}{4} (a - y)^4").name
    'quartic'
    """

    name: str
    term: Formula | sympy.Expr | str | None = None
    coefficient: Fraction = Fraction(1)
    parameters: Parameters = ()
    above: int | None = None
    below: int | None = None
    labels_sum_to_one: bool = False
    one_by_one: bool = False
    mean_over_outputs: bool = False
    maximise: bool = False
    kinks: str = ""
    targets: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise NetworkError(f"a loss's name is letters, digits and underscores, like my_loss; not {self.name!r}")
        table = parameter_table(self.parameters)
        object.__setattr__(self, "parameters", table)
        known: dict[str, Formula] = {"a": PREDICTION, "y": TARGET}
        scalars = {name: f.Scalar(name) if value is None else f.scalar(value) for name, value in table}
        term = self.term
        if isinstance(term, str):
            term = read_definition(term, {**known, **{name_latex(name): u for name, u in scalars.items()}})
        elif isinstance(term, sympy.Expr):
            term = from_sympy(in_pieces(term), {**known, **scalars})
        if term is not None and not isinstance(term, Formula):
            raise NetworkError(f"{self.name} must be a scalar expression in a and y, not {type(term).__name__}")
        if term is not None:
            used = {u.name for u in f.walk(term) if isinstance(u, f.Scalar)}
            strangers = ", ".join(sorted(used - {"pi", *scalars}))
            if strangers:
                raise NetworkError(f"{self.name} has the symbols {strangers}: declare what is not a or y in parameters")
        if term is not None and not f.depends_on(term, PREDICTION):
            raise NetworkError(f"{self.name} does not depend on the prediction a: there is nothing to derive")
        if not self.kinks and not isinstance(self.term, Formula | None) and _has_kinks(term):
            object.__setattr__(self, "kinks", "nothing inside an absolute value or a maximum of the loss is 0")
        if not isinstance(self.term, Formula | None) and _is_partial(term):
            defined = "every logarithm, root and quotient of the loss is defined"
            object.__setattr__(self, "kinks", f"{self.kinks}, and {defined}" if self.kinks else defined)
        object.__setattr__(self, "term", term)

    @property
    def partial(self) -> bool:
        """Whether the term has no value at some predictions or targets."""
        return isinstance(self.term, Formula) and _is_partial(self.term)

    @property
    def constants(self) -> ParameterTable:
        """The parameters by name, with their values where they have one."""
        return parameter_table(self.parameters)


def _has_kinks(term: Formula | None) -> bool:
    return term is not None and any(
        isinstance(u, Map) and u.function in (ABS, POSITIVE_PART, SIGN, STEP) for u in f.walk(term)
    )


def _is_partial(term: Formula | None) -> bool:
    """Whether the term has no value at some predictions: a logarithm, a root, a quotient by the prediction."""

    def partial(u: Formula) -> bool:
        match u:
            case f.Quotient(_, bottom):
                return f.depends_on(bottom, PREDICTION)
            case f.Map(function=function):
                return function in (LOG, SQRT)
            case f.Power(_, f.Number(value)):
                return value.denominator != 1 or value < 0
        return False

    return term is not None and any(partial(u) for u in f.walk(term) if f.depends_on(u, PREDICTION))


def huber(d: Fraction | int = 1) -> Loss:
    """Huber's loss, quadratic within d of the target and linear beyond."""
    return Loss("huber", Map(huber_function(d), _a - _y))


def _entries() -> tuple[Loss, ...]:
    return (
        Loss("squared_error", (_a - _y) ** 2),
        Loss("half_squared_error", (_a - _y) ** 2, coefficient=Fraction(1, 2)),
        Loss("mean_squared_error", (_a - _y) ** 2, mean_over_outputs=True),
        Loss("absolute_error", Map(ABS, _a - _y), kinks="no prediction equals its target"),
        huber(),
        Loss("log_cosh", Map(log_cosh(), _a - _y)),
        Loss(
            "binary_cross_entropy",
            _y * log(_a) + (1 - _y) * log(1 - _a),
            coefficient=Fraction(-1),
            above=0,
            below=1,
            one_by_one=True,
        ),
        Loss("cross_entropy", _y * log(_a), coefficient=Fraction(-1), above=0, labels_sum_to_one=True),
        Loss("binary_cross_entropy_with_logits", Map(softplus(), _a) - _y * _a, one_by_one=True),
        Loss(
            "cross_entropy_with_logits",
            _y * f.Softmax(_a, 0, log=True),
            coefficient=Fraction(-1),
            labels_sum_to_one=True,
        ),
        Loss("negative_log_likelihood", _y * _a, coefficient=Fraction(-1), labels_sum_to_one=True),
        Loss(
            "log_likelihood",
            _y * log(_a) + (1 - _y) * log(1 - _a),
            above=0,
            below=1,
            one_by_one=True,
            maximise=True,
        ),
        Loss(
            "hinge",
            Map(POSITIVE_PART, 1 - _y * _a),
            kinks="no margin, target times prediction, is exactly 1",
            targets=(-1, 1),
        ),
        Loss("squared_hinge", Map(POSITIVE_PART, 1 - _y * _a) ** 2, targets=(-1, 1)),
        Loss("kl_divergence", _y * log(_y / _a), above=0, labels_sum_to_one=True),
        Loss("poisson", _a - _y * log(_a), above=0),
        Loss("generic"),
    )


LOSSES: Table[Loss] = Table(_entries)

"""The activations, one entry each: a scalar definition and what cannot be derived from it.

``rate`` is the derivative as textbooks write it, in the output a and the argument z, where it has such a form: a claim,
which tests/laws/test_activations.py verifies against the definition. The derivative itself is always derived.
Definitions are those of the PyTorch documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Function, Map
from symbackprop.algebra.functions import ABS, STEP, clip, interval, sigmoid
from symbackprop.algebra.sympy_border import to_sympy
from symbackprop.errors import NetworkError
from symbackprop.model.kinks import Kink, find_kinks, in_pieces
from symbackprop.model.table import Table
from symbackprop.notation.definition import read_definition
from symbackprop.notation.notation import name_latex

_z = Function.argument
ARGUMENT, OUTPUT = f.Symbol("z"), f.Symbol("a")

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")

ParameterTable: TypeAlias = tuple[tuple[str, sympy.Rational | None], ...]
Parameters: TypeAlias = Mapping[str, object] | Iterable[str] | ParameterTable


@dataclass(frozen=True)
class Activation:
    r"""An activation a = f(z), applied to every unit, or over all units of a sample (softmax).

    ``definition`` is f(z) as a SymPy expression, or as scalar LaTeX in z; None for an opaque function. ``parameters``
    are further symbols in it, by name: a number for a value, None for a symbol that stays. ``kinks`` are found unless
    they are given, a point and the derivative taken there each. ``latex`` is the name in print, ``written`` the
    definition in LaTeX; the output lies strictly between ``low`` and ``high``. Raises NotationError where LaTeX cannot
    be read, NetworkError where the name or the definition is no scalar function of z.

    >>> Activation("swish", r"\frac{z}{1 + e^{-z}}").definition
    z/(1 + exp(-z))
    >>> Activation("swish", r"\frac{z}{1 + e^{-\beta z}}", parameters=["beta"]).definition
    z/(1 + exp(-beta*z))
    >>> Activation("hat", r"\max(0, 1 - |z|)").kinks
    (Kink(at=-1, rate=0), Kink(at=0, rate=0), Kink(at=1, rate=0))
    """

    name: str
    definition: sympy.Expr | str | None = None
    parameters: Parameters = ()
    latex: str = ""
    written: str = ""
    rate: Formula | None = None
    kinks: tuple[Kink, ...] | None = None
    low: sympy.Expr = -sympy.oo
    high: sympy.Expr = sympy.oo
    over_units: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise NetworkError(
                f"an activation's name is letters, digits and underscores, like swish; not {self.name!r}"
            )
        if not self.latex:
            shown = self.name.replace("_", r"\_")
            object.__setattr__(self, "latex", rf"\operatorname{{{shown}}}")
        object.__setattr__(self, "parameters", parameter_table(self.parameters))
        definition = self.definition
        if self.over_units and (definition is not None or self.name not in ("softmax", "log_softmax")):
            raise NetworkError(f"{self.name}: over all units of a sample there are softmax and log_softmax only")
        if isinstance(definition, str):
            object.__setattr__(self, "written", definition)
            symbols = {"z": f.Scalar("z"), **{name_latex(name): f.Scalar(name) for name, _ in self.constants}}
            definition = to_sympy(read_definition(definition, symbols))
        if definition is not None:
            definition = in_pieces(_in_z(definition, self.name, dict(self.constants)))
        object.__setattr__(self, "definition", definition)
        if self.kinks is None:
            object.__setattr__(self, "kinks", () if definition is None else find_kinks(definition, self.name))

    @property
    def constants(self) -> ParameterTable:
        """The parameters by name, with their values where they have one."""
        return parameter_table(self.parameters)

    @property
    def kink_list(self) -> tuple[Kink, ...]:
        return self.kinks or ()

    @property
    def function(self) -> Function:
        """The scalar function that a ``Map`` applies; an opaque one is called sigma."""
        if self.name == "sigmoid":
            return sigmoid()
        assert not isinstance(self.definition, str)
        return Function("sigma" if self.name == "generic" else self.name, self.latex, self.definition)

    def apply(self, z: Formula, unit_axis: int) -> Formula:
        """The forward equation a = f(z); units lie along ``unit_axis``."""
        if self.over_units:
            return f.Softmax(z, unit_axis, log=self.name == "log_softmax")
        return z if self.definition == _z else f.Map(self.function, z)


def claimed_rate(function: Function) -> Formula | None:
    """The rate that the table claims for a function, in a and z; None for a function that is no entry of the table.

    What a user claims for a function of his own is not used: nobody has verified it.
    """
    entry = ACTIVATIONS.get(function.name)
    return entry.rate if entry is not None and entry.function == function else None


def parameter_table(parameters: Parameters) -> ParameterTable:
    """Parameters as (name, value or None), from a mapping, from names, or as it is."""
    found = []
    for item in parameters.items() if isinstance(parameters, Mapping) else parameters:
        name, value = item if isinstance(item, tuple) else (item, None)
        if not isinstance(name, str) or not NAME.fullmatch(name) or name in ("z", "a", "y"):
            raise NetworkError(f"a parameter's name is letters and digits, like beta, and not z, a or y; not {name!r}")
        found.append((name, _value(name, value)))
    return tuple(found)


def _value(name: str, value: object) -> sympy.Rational | None:
    """A parameter's value, kept exactly as its decimal is written."""
    if value is None or isinstance(value, sympy.Rational):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction) or value != value:
        raise NetworkError(f"the parameter {name} must be a number, or None for a symbol; not {value!r}")
    exact = Fraction(str(value)) if isinstance(value, float) else Fraction(value)
    return sympy.Rational(exact.numerator, exact.denominator)


def _in_z(definition: object, name: str, parameters: Mapping[str, sympy.Rational | None]) -> sympy.Expr:
    """A scalar expression in one symbol, whatever its name, as one in ``Function.argument``; parameters put in."""
    if not isinstance(definition, sympy.Expr) or isinstance(definition, sympy.MatrixExpr):
        raise NetworkError(f"{name} must be a scalar expression in z, not {type(definition).__name__}")
    values = {s: parameters[s.name] for s in definition.free_symbols if parameters.get(s.name) is not None}
    kept = {s: sympy.Symbol(s.name) for s in definition.free_symbols if s.name in parameters and s not in values}
    variables = definition.free_symbols - values.keys() - kept.keys()
    if len(variables) > 1:
        names = ", ".join(sorted(map(str, variables)))
        raise NetworkError(f"{name} has the symbols {names}: all but one must be declared in parameters")
    written: sympy.Expr = definition.xreplace({**values, **kept, **dict.fromkeys(variables, _z)})
    if written.has(sympy.I, sympy.nan, sympy.zoo, sympy.oo, sympy.floor, sympy.ceiling, sympy.Heaviside, sympy.Mod):
        raise NetworkError(f"{name} is no real function with a slope: write it with elementary functions and pieces")
    if not written.has(_z):
        raise NetworkError(f"{name} does not depend on z: an activation is a function of z")
    return written


def _pieces(*pieces: tuple[sympy.Expr, sympy.Basic]) -> sympy.Expr:
    return sympy.Piecewise(*pieces)


# Klambauer et al., Self-Normalizing Neural Networks (2017), to 32 digits.
SELU_SCALE = sympy.Rational("1.0507009873554804934193349852946")
SELU_ALPHA = sympy.Rational("1.6732632423543772848170429916717")


def _entries() -> tuple[Activation, ...]:
    return (
        Activation("identity", _z, written="z", kinks=()),
        Activation(
            "sigmoid",
            sigmoid().definition,
            latex=r"\sigma",
            written=r"\frac{1}{1 + e^{-z}}",
            rate=OUTPUT * (1 - OUTPUT),
            kinks=(),
            low=sympy.S.Zero,
            high=sympy.S.One,
        ),
        Activation(
            "tanh",
            sympy.tanh(_z),
            latex=r"\tanh",
            written=r"\frac{e^{z} - e^{-z}}{e^{z} + e^{-z}}",
            rate=1 - OUTPUT**2,
            kinks=(),
            low=-sympy.S.One,
            high=sympy.S.One,
        ),
        Activation(
            "relu",
            _pieces((_z, _z > 0), (0, True)),
            written=r"\max(0, z)",
            rate=Map(STEP, ARGUMENT),
            kinks=(Kink(sympy.S.Zero, sympy.S.Zero),),
        ),
        Activation(
            "leaky_relu",
            _pieces((_z, _z > 0), (_z / 100, True)),
            written=r"\max(0, z) - 0.01 \max(0, -z)",
            kinks=(Kink(sympy.S.Zero, sympy.Rational(1, 100)),),
        ),
        Activation(
            "elu",
            _pieces((_z, _z > 0), (sympy.exp(_z) - 1, True)),
            written=r"\max(0, z) - \max(0, 1 - e^{z})",
            kinks=(),
            low=-sympy.S.One,
        ),
        Activation(
            "selu",
            SELU_SCALE * _pieces((_z, _z > 0), (SELU_ALPHA * (sympy.exp(_z) - 1), True)),
            parameters={"lambda": SELU_SCALE, "alpha": SELU_ALPHA},
            written=r"\lambda \left(\max(0, z) - \alpha \max(0, 1 - e^{z})\right)",
            kinks=(Kink(sympy.S.Zero, SELU_SCALE * SELU_ALPHA),),
            low=-SELU_SCALE * SELU_ALPHA,
        ),
        Activation(
            "softplus",
            sympy.log(1 + sympy.exp(_z)),
            written=r"\log(1 + e^{z})",
            rate=Map(sigmoid(), ARGUMENT),
            kinks=(),
            low=sympy.S.Zero,
        ),
        Activation(
            "softsign",
            _z / (1 + sympy.Abs(_z)),
            written=r"\frac{z}{1 + |z|}",
            rate=(1 - Map(ABS, OUTPUT)) ** 2,
            kinks=(),
            low=-sympy.S.One,
            high=sympy.S.One,
        ),
        Activation("silu", _z / (1 + sympy.exp(-_z)), written=r"\frac{z}{1 + e^{-z}}", kinks=()),
        Activation(
            "gelu",
            _z / 2 * (1 + sympy.erf(_z / sympy.sqrt(2))),
            written=r"\frac{z}{2} \left(1 + \operatorname{erf}\left(\frac{z}{\sqrt{2}}\right)\right)",
            kinks=(),
        ),
        Activation(
            "gelu_tanh",
            _z / 2 * (1 + sympy.tanh(sympy.sqrt(2 / sympy.pi) * (_z + sympy.Rational(44715, 1000000) * _z**3))),
            written=r"\frac{z}{2} \left(1 + \tanh\left(\sqrt{\frac{2}{\pi}} (z + 0.044715 z^3)\right)\right)",
            kinks=(),
        ),
        Activation(
            "mish",
            _z * sympy.tanh(sympy.log(1 + sympy.exp(_z))),
            written=r"z \tanh(\log(1 + e^{z}))",
            kinks=(),
        ),
        Activation(
            "hardtanh",
            clip(-1, 1).definition,
            written=r"\max(0, z + 1) - \max(0, z - 1) - 1",
            rate=Map(interval(-1, 1), ARGUMENT),
            kinks=(Kink(-sympy.S.One, sympy.S.Zero), Kink(sympy.S.One, sympy.S.Zero)),
        ),
        Activation(
            "hardsigmoid",
            _pieces((0, _z <= -3), (1, _z >= 3), (_z / 6 + sympy.Rational(1, 2), True)),
            written=r"\max\left(0, \frac{z}{6} + \frac{1}{2}\right) - \max\left(0, \frac{z}{6} - \frac{1}{2}\right)",
            rate=f.Number(Fraction(1, 6)) * Map(interval(-3, 3), ARGUMENT),
            kinks=(Kink(sympy.Integer(-3), sympy.S.Zero), Kink(sympy.Integer(3), sympy.S.Zero)),
        ),
        Activation(
            "relu6",
            clip(0, 6).definition,
            written=r"\max(0, z) - \max(0, z - 6)",
            rate=Map(interval(0, 6), ARGUMENT),
            kinks=(Kink(sympy.S.Zero, sympy.S.Zero), Kink(sympy.Integer(6), sympy.S.Zero)),
        ),
        Activation("softmax", over_units=True, low=sympy.S.Zero, high=sympy.S.One),
        Activation("log_softmax", latex=r"\log\operatorname{softmax}", over_units=True, high=sympy.S.Zero),
        Activation("generic", latex=r"\sigma"),
    )


ACTIVATIONS: Table[Activation] = Table(_entries)

ALIASES = {"swish": "silu", "logistic": "sigmoid", "linear": "identity"}

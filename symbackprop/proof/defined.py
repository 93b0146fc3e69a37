"""Where a formula has a value: whether what it divides by, takes the root or the logarithm of may vanish."""

from __future__ import annotations

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Symbol
from symbackprop.algebra.functions import COSH, EXP, LOG, SQRT, sigmoid
from symbackprop.proof.setting import Setting


def may_be_undefined(node: Formula, setting: Setting) -> bool:
    """Whether a formula has a quotient, a root or a logarithm that is not plainly defined for all arrays.

    >>> a, b = Symbol("a"), Symbol("b")
    >>> may_be_undefined(a / b, Setting(free={})), may_be_undefined(a / f.Map(EXP, b), Setting(free={}))
    (True, False)
    """
    return any(_partial(u, setting) for u in f.walk(node))


def _partial(node: Formula, setting: Setting) -> bool:
    match node:
        case f.Quotient(_, bottom):
            return not positive(bottom, setting)
        case f.Map(function=function, arg=arg) if function in (LOG, SQRT):
            return not positive(arg, setting)
        case f.Power(base, f.Number(value)) if value < 0 or value.denominator != 1:
            return not positive(base, setting)
    return False


def positive(node: Formula, setting: Setting) -> bool:
    """Whether every entry is plainly positive."""
    match node:
        case f.Number(value):
            return value > 0
        case f.Scalar(name):
            return name in setting.sizes or name == "pi"
        case f.Product(parts) | f.Hadamard(parts):
            return all(positive(part, setting) for part in parts)
        case f.Add(parts):
            return all(positive(part, setting) for part in parts) or _complement(node, setting)
        case f.Quotient(top, bottom):
            return positive(top, setting) and positive(bottom, setting)
        case f.Power(base, f.Number()):
            return positive(base, setting)
        case f.Transpose(arg) | f.Total(arg):
            return positive(arg, setting)
        case f.Ones():
            return True
        case f.Map(function=function, order=0):
            return function in (EXP, COSH, sigmoid())
        case f.Softmax(log=False):
            return True
        case Symbol():
            defined = setting.forward.get(node)
            return defined is not None and (positive(defined, setting) or (setting.interior and node == setting.output))
    return False


def _complement(node: f.Add, setting: Setting) -> bool:
    """1 - a, where a lies between 0 and 1."""
    match node.terms:
        case (f.Number(value), f.Negative(Symbol() as a)) if value == 1:
            defined = setting.forward.get(a)
            inside = isinstance(defined, f.Softmax) and not defined.log
            inside = inside or (isinstance(defined, f.Map) and defined.function == sigmoid())
            return inside or (setting.interior and a == setting.output)
    return False

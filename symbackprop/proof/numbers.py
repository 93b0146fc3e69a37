"""Numbers that know their error: exact rationals while that is possible, then balls; and dual numbers over both.

A ball is a centre and a radius, both integers in units of 2^-bits; every operation widens the radius by what it rounds,
so that the true value always lies inside. Elementary functions come from mpmath with 40 bits to spare. A dual number
carries a derivative along, by the definition of differentiation and by no rule of matrices.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import Any, TypeAlias

from mpmath.libmp import (
    from_man_exp,
    from_rational,
    mpf_atan,
    mpf_cos,
    mpf_erf,
    mpf_exp,
    mpf_log,
    mpf_pi,
    mpf_sin,
    to_fixed,
    to_str,
)

from symbackprop.errors import SymbackpropError

MAX_EXPONENT = 5000  # of e


class NoValue(SymbackpropError):  # noqa: N818 (what is the case, not who is to blame)
    """An expression has no certain value here: a quotient by what may be zero, a kink that may be met."""


class Ball:
    """A real number within ``rad`` of ``mid``, in units of 2^-bits."""

    __slots__ = ("bits", "mid", "rad")

    def __init__(self, mid: int, rad: int, bits: int) -> None:
        self.mid, self.rad, self.bits = mid, rad, bits

    def __repr__(self) -> str:
        return f"{self.mid / 2**self.bits:.17g} +- {self.rad / 2**self.bits:.1g}"

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Dual):
            return NotImplemented
        o = _ball(other, self.bits)
        return Ball(self.mid + o.mid, self.rad + o.rad, self.bits)

    __radd__ = __add__

    def __neg__(self) -> Ball:
        return Ball(-self.mid, self.rad, self.bits)

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Dual):
            return NotImplemented
        o = _ball(other, self.bits)
        return Ball(self.mid - o.mid, self.rad + o.rad, self.bits)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, int):
            return Ball(self.mid * other, self.rad * abs(other), self.bits)
        if isinstance(other, Dual):
            return NotImplemented
        o = _ball(other, self.bits)
        if self.mid == self.rad == 0 or o.mid == o.rad == 0:
            return Ball(0, 0, self.bits)
        rad = (abs(self.mid) * o.rad + abs(o.mid) * self.rad + self.rad * o.rad >> self.bits) + 2
        return Ball(self.mid * o.mid >> self.bits, rad, self.bits)

    __rmul__ = __mul__

    def inverse(self) -> Ball:
        size = abs(self.mid)
        if size <= self.rad:
            raise NoValue("a quotient by a number that may be zero")
        one = 1 << 2 * self.bits
        return Ball(one // self.mid, self.rad * one // (size * (size - self.rad)) + 2, self.bits)

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Ball):
            return self * other.inverse()
        if other == 0:
            raise NoValue("a quotient by zero")
        return self * (Fraction(1) / other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.inverse() * other


Real: TypeAlias = int | Fraction | Ball


class Dual:
    """A number with its derivative by one entry."""

    __slots__ = ("slope", "value")

    def __init__(self, value: Real, slope: Real) -> None:
        self.value, self.slope = value, slope

    def __add__(self, other: Number) -> Dual:
        if isinstance(other, Dual):
            return Dual(self.value + other.value, self.slope + other.slope)
        return Dual(self.value + other, self.slope)

    __radd__ = __add__

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)

    def __sub__(self, other: Number) -> Dual:
        return self + -other

    def __rsub__(self, other: Number) -> Dual:
        return -self + other

    def __mul__(self, other: Number) -> Dual:
        if isinstance(other, Dual):
            return Dual(self.value * other.value, self.value * other.slope + self.slope * other.value)
        return Dual(self.value * other, self.slope * other)

    __rmul__ = __mul__


Number: TypeAlias = Real | Dual


def _ball(value: Real, bits: int) -> Ball:
    if isinstance(value, Ball):
        return value
    if isinstance(value, int):
        return Ball(value << bits, 0, bits)
    return Ball((value.numerator << bits) // value.denominator, 1, bits)


def ball(value: Real, bits: int) -> Ball:
    """The number as a ball."""
    return _ball(value, bits)


def divide(top: Number, bottom: Number) -> Number:
    """top / bottom; raises NoValue where the bottom may be zero."""
    if isinstance(bottom, Dual):
        inverse = divide(1, bottom.value)
        assert not isinstance(inverse, Dual)
        return top * Dual(inverse, -(bottom.slope * inverse * inverse))
    if isinstance(top, Dual):
        inverse = divide(1, bottom)
        return top * inverse
    if isinstance(bottom, Ball) or isinstance(top, Ball):
        return top * bottom.inverse() if isinstance(bottom, Ball) else top / bottom  # type: ignore[return-value]
    if bottom == 0:
        raise NoValue("a quotient by zero")
    found = Fraction(top) / bottom
    return found.numerator if found.denominator == 1 else found


def sign(x: Real) -> int:
    """1, 0 or -1; raises NoValue where it is not certain."""
    if isinstance(x, Ball):
        if x.mid == x.rad == 0:
            return 0
        if abs(x.mid) <= x.rad:
            raise NoValue("a number that may be zero, at a kink")
        return 1 if x.mid > 0 else -1
    return (x > 0) - (x < 0)


def differ(x: Real, y: Real) -> bool:
    """Whether two numbers are certainly different."""
    gap = x - y
    return abs(gap.mid) > gap.rad if isinstance(gap, Ball) else gap != 0


def negligible(x: Real, y: Real, bits: int, scale: Real = 0) -> bool:
    """Whether two numbers agree to ``bits`` bits of the larger, or of ``scale`` where that is larger still."""
    gap = x - y
    if not isinstance(gap, Ball):
        return gap == 0
    size = max(abs(_ball(u, gap.bits).mid) for u in (x, y, scale))
    return abs(gap.mid) + gap.rad << bits <= size


# Elementary functions of a real number


def exp(x: Real, bits: int) -> Real:
    if not isinstance(x, Ball) and x == 0:
        return 1
    b = _ball(x, bits)
    whole = b.mid >> bits
    if whole > MAX_EXPONENT or b.rad >> bits:
        raise NoValue("an exponential that is too large to hold")
    extra = max(0, int(whole * 1.4427) + 2)
    value = to_fixed(mpf_exp(from_man_exp(b.mid, -bits), bits + extra + 40, "n"), bits)
    # e^(m+r) - e^m <= 2 r e^m for r < 1
    return Ball(value, (2 * b.rad * (abs(value) + 1) >> bits) + 2, bits)


def log(x: Real, bits: int) -> Real:
    if not isinstance(x, Ball) and x == 1:
        return 0
    b = _ball(x, bits)
    if b.mid <= b.rad:
        raise NoValue("the logarithm of a number that may not be positive")
    value = to_fixed(mpf_log(from_man_exp(b.mid, -bits), bits + 60, "n"), bits)
    return Ball(value, (b.rad << bits) // (b.mid - b.rad) + 2, bits)


def sqrt(x: Real, bits: int) -> Real:
    if not isinstance(x, Ball):
        exact = Fraction(x)
        if exact >= 0:
            root = Fraction(isqrt(exact.numerator), isqrt(exact.denominator))
            if root * root == exact:
                return root
    b = _ball(x, bits)
    if b.mid <= b.rad:
        raise NoValue("the root of a number that may not be positive")
    low = isqrt(b.mid - b.rad << bits)
    return Ball(isqrt(b.mid << bits), (b.rad << bits) // max(low, 1) + 2, bits)


def sin(x: Real, bits: int) -> Real:
    b = _ball(x, bits)
    return Ball(to_fixed(mpf_sin(from_man_exp(b.mid, -bits), bits + 40, "n"), bits), b.rad + 2, bits)


def cos(x: Real, bits: int) -> Real:
    b = _ball(x, bits)
    return Ball(to_fixed(mpf_cos(from_man_exp(b.mid, -bits), bits + 40, "n"), bits), b.rad + 2, bits)


def atan(x: Real, bits: int) -> Real:
    b = _ball(x, bits)
    return Ball(to_fixed(mpf_atan(from_man_exp(b.mid, -bits), bits + 40, "n"), bits), b.rad + 2, bits)


def erf(x: Real, bits: int) -> Real:
    b = _ball(x, bits)
    return Ball(to_fixed(mpf_erf(from_man_exp(b.mid, -bits), bits + 40, "n"), bits), 2 * b.rad + 2, bits)


def pi(bits: int) -> Real:
    return Ball(to_fixed(mpf_pi(bits + 20), bits), 2, bits)


def power(x: Real, exponent: Fraction | int, bits: int) -> Real:
    """x to a rational power; raises NoValue for a root of what may not be positive."""
    if exponent == int(exponent):
        whole = int(exponent)
        if whole < 0:
            found = divide(1, power(x, -whole, bits))
            assert not isinstance(found, Dual)
            return found
        out: Real = 1
        while whole:
            if whole & 1:
                out = out * x
            whole >>= 1
            if whole:
                x = x * x
        return out
    if Fraction(exponent).denominator == 2:
        return power(sqrt(x, bits), Fraction(exponent) * 2, bits)
    return exp(log(x, bits) * Fraction(exponent), bits)


def approximate(x: Real) -> float:
    """The nearest float, roughly."""
    return float(Fraction(x.mid, 1 << x.bits)) if isinstance(x, Ball) else float(x)


def apart(x: Real, y: Real) -> tuple[str, str]:
    """Two different numbers for a message, with as many digits as it takes to tell them apart."""
    for digits in range(6, 60, 4):
        left, right = shown(x, digits), shown(y, digits)
        if left != right:
            break
    return left, right


def shown(x: Real, digits: int = 6) -> str:
    """A number for a message: exact where it is short, else in decimals."""
    if not isinstance(x, Ball):
        if Fraction(x).denominator <= 10_000 and -(10**9) < x < 10**9:
            return str(x)
        return _decimal(Fraction(x), digits)
    return _decimal(Fraction(x.mid, 1 << x.bits), digits)


def _decimal(x: Fraction, digits: int) -> str:
    return str(to_str(from_rational(x.numerator, x.denominator, 4 * digits + 20), digits, strip_zeros=True))

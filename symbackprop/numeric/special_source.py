"""The error function for libraries that have none, as code that goes into the generated module.

Rational approximations of W. J. Cody's kind, with the coefficients of Moshier's Cephes library (ndtr.c); relative error
below 1e-15 where the value is not denormal, which tests/numeric/test_special.py measures.
"""

from __future__ import annotations

COEFFICIENTS = '''# Moshier's Cephes library, ndtr.c: erf on [-1, 1], e^(x^2) erfc on [1, 8] and beyond.
_T = (9.60497373987051638749e0, 9.00260197203842689217e1, 2.23200534594684319226e3, 7.00332514112805075473e3,
      5.55923013010394962768e4)
_U = (1.0, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3, 2.26290000613890934246e4,
      4.92673942608635921086e4)
_P = (2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687e0, 4.86371970985681366614e1,
      1.96520832956077098242e2, 5.26445194995477358631e2, 9.34528527171957607540e2, 1.02755188689515710272e3,
      5.57535335369399327526e2)
_Q = (1.0, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2, 9.75708501743205489753e2,
      1.82390916687909736289e3, 2.24633760818710981792e3, 1.65666309194161350182e3, 5.57535340817727675546e2)
_R = (5.64189583547755073984e-1, 1.27536670759978104416e0, 5.01905042251180477414e0, 6.16021097993053585195e0,
      7.40974269950448939160e0, 2.97886665372100240670e0)
_S = (1.0, 2.26052863220117276590e0, 9.39603524938001434673e0, 1.20489539808096656605e1, 1.70814450747565897222e1,
      9.60896809063285878198e0, 3.36907645100081516050e0)


def _polynomial(coefficients, x):
    value = coefficients[0]
    for c in coefficients[1:]:
        value = value * x + c
    return value


def _tail(xp, x):
    """erfc for x >= 1."""
    x = xp.clip(x, None, 30.0)  # where it has vanished in double precision
    inner = xp.clip(x, None, 8.0)
    near = _polynomial(_P, inner) / _polynomial(_Q, inner)
    far = _polynomial(_R, x) / _polynomial(_S, x)
    return xp.exp(-x * x) * xp.where(x < 8.0, near, far)


def _centre(x):
    """erf for |x| <= 1."""
    return x * _polynomial(_T, x * x) / _polynomial(_U, x * x)
'''
ERF = '''def erf(xp, x):
    """The error function."""
    size = xp.abs(x)
    outside = xp.sign(x) * (1.0 - _tail(xp, xp.clip(size, 1.0, None)))
    return xp.where(size < 1.0, _centre(xp.clip(x, -1.0, 1.0)), outside)
'''
ERFC = '''def erfc(xp, x):
    """1 - erf(x), which keeps its digits where erf is near 1."""
    tail = _tail(xp, xp.clip(xp.abs(x), 1.0, None))
    outside = xp.where(x < 0.0, 2.0 - tail, tail)
    return xp.where(xp.abs(x) < 1.0, 1.0 - _centre(xp.clip(x, -1.0, 1.0)), outside)
'''
SPECIAL = {"erf": ERF, "erfc": ERFC}


def helpers(code: str) -> str:
    """The definitions that a function's code needs; they take the library as their first argument."""
    wanted = [text for name, text in SPECIAL.items() if f"{name}(" in code]
    return "".join(f"\n\n{u}" for u in ([COEFFICIENTS, *wanted] if wanted else []))

"""Only what generated code looks like is loaded."""

import pytest

from symbackprop.errors import Unsupported
from symbackprop.numeric.loader import load

GOOD = "import numpy as np\n\n\ndef f(x):\n    return np.exp(x) * 2.0\n"


def test_generated_code_runs():
    assert load(GOOD, "f")(0.0) == 2.0


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "from numpy import exp",
        "x = ().__class__",
        "x = np._core",
        "x = eval('1')",
        "x = open('/etc/passwd')",
        "x = (lambda: 1)()",
        "x = [u for u in y]",
        "global x",
        "x = __builtins__",
        "x = f'{x}'",
        "while True:\n        x = 1",
        "class A:\n        x = 1",
        "x = getattr(np, 'exp')",
    ],
)
def test_anything_else_is_refused(line):
    with pytest.raises(Unsupported, match="generated code"):
        load(f"import numpy as np\n\n\ndef f(x):\n    {line}\n    return x\n", "f")

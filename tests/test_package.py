"""What the package exports is there, and is imported only when it is used."""

import subprocess
import sys

import pytest

import symbackprop


@pytest.mark.parametrize("name", symbackprop.__all__)
def test_every_name_is_there(name):
    assert getattr(symbackprop, name).__name__ == name
    assert name in dir(symbackprop)


def test_no_other_name_is():
    with pytest.raises(AttributeError, match="has no attribute 'Netwrok'"):
        _ = symbackprop.Netwrok


def test_the_import_alone_loads_no_algebra():
    script = "import sys, symbackprop; assert 'sympy' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)

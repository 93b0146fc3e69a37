"""Exported modules check themselves when run, with the library's own checker, and find an error that is planted."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from symbackprop.cli import main

FILES = {
    "classes": """
inputs = "n_0"
batch = "m"
loss = "cross_entropy"
l2 = "lambda"
layers = [{ units = "n_1", activation = "gelu" }, { units = "n_2", activation = "softmax" }]
""",
    "one": """
inputs = "n_0"
loss = "half_squared_error"
layers = [{ units = "n_1", activation = "silu" }, { units = 1, activation = "sigmoid" }]
""",
    "rows": """
inputs = 3
batch = "m"
loss = "binary_cross_entropy"
samples = "rows"
weights = "in x out"
layers = [{ units = 4, activation = "elu", bias = false }, { units = 2, activation = "sigmoid" }]
""",
}
# The first line that makes an error, in Python and in C: doubled, it makes every gradient wrong.
ERROR = re.compile(r"(?m)^(\s+[dD]elta\d(?:\[.*?\])? = )(.*?)(;?(?:  # .*)?)$")


def planted(code):
    wrong, count = ERROR.subn(r"\1 2 * (\2)\3", code, count=1)
    assert count == 1
    return wrong


def network(tmp_path, name):
    path = tmp_path / f"{name}.toml"
    path.write_text(FILES[name])
    return str(path)


def run(path):
    return subprocess.run([sys.executable, "-W", "error", str(path)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("to", ["numpy", "torch", "jax"])
def test_a_module_checks_itself(tmp_path, name, to, capsys):
    if to != "numpy":
        pytest.importorskip(to)
    path = tmp_path / "net_grad.py"
    assert main(["export", network(tmp_path, name), "--to", to, "-o", str(path)]) == 0
    assert f"{path}: " in capsys.readouterr().out
    code = path.read_text()
    assert "symbackprop" not in code.replace("Written by symbackprop", "")
    checker = {"numpy": "", "torch": "torch.autograd.gradcheck(", "jax": "check_grads("}[to]
    assert checker in code
    done = run(path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "agree" in done.stdout
    assert "WRONG" not in done.stdout
    path.write_text(planted(code))
    done = run(path)
    assert done.returncode != 0
    assert "WRONG" in done.stdout or "AssertionError" in done.stderr


def compiler():
    return shutil.which("cc") or shutil.which("gcc")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "flags", [["-DSYMBACKPROP_NO_BLAS"], ["-DSYMBACKPROP_NO_BLAS", "-DSYMBACKPROP_FLOAT"], ["-lopenblas"]]
)
def test_c_checks_itself(tmp_path, name, flags):
    if compiler() is None:
        pytest.skip("no C compiler")
    path = tmp_path / "net_grad.c"
    assert main(["export", network(tmp_path, name), "--to", "c", "-o", str(path)]) == 0
    assert "int net_grad(" in (tmp_path / "net_grad.h").read_text()
    warnings = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic"]

    def built(source):
        path.write_text(source)
        command = [compiler(), *warnings, "-O1", "-DSYMBACKPROP_SELF_TEST", str(path), "-o", str(tmp_path / "test")]
        return subprocess.run([*command, *flags, "-lm"], capture_output=True, text=True, check=False)

    source = path.read_text()
    made = built(source)
    if "openblas" in flags[0] and made.returncode and ("cblas.h" in made.stderr or "lopenblas" in made.stderr):
        pytest.skip("no OpenBLAS to compile against")
    assert made.returncode == 0, made.stderr
    done = subprocess.run([tmp_path / "test"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "WRONG" not in done.stdout
    assert built(planted(source)).returncode == 0
    done = subprocess.run([tmp_path / "test"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "WRONG" in done.stdout


@pytest.mark.parametrize(
    ("to", "file", "says"),
    [
        ("numpy", "net.txt", "a module for numpy is a .py file"),
        ("c", "net.py", "C code is a .c file, with its header beside it"),
        ("c", "my-net.c", "must be a name in C"),
        ("c", "double.c", "must be a name in C"),
        ("torch", "nowhere/net.py", "there is no folder"),
    ],
)
def test_a_failing_export_leaves_what_was_there(tmp_path, capsys, to, file, says):
    path = tmp_path / file
    if path.parent.exists():
        path.write_text("the old file")
    assert main(["export", network(tmp_path, "one"), "--to", to, "-o", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert says in captured.err
    assert not path.exists() or path.read_text() == "the old file"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        {"one.toml", *([Path(file).name] if path.exists() else [])}
    )


def test_an_opaque_network_is_refused_in_one_line(tmp_path, capsys):
    net, path = tmp_path / "net.toml", tmp_path / "net.py"
    net.write_text('inputs = 2\nloss = "generic"\nlayers = [{ units = 2, activation = "tanh" }]\n')
    path.write_text("the old file")
    assert main(["export", str(net), "--to", "numpy", "-o", str(path)]) == 2
    assert (
        capsys.readouterr().err == "error: code for C(a, y), of which nothing is known: choose a loss from the table\n"
    )
    assert path.read_text() == "the old file"

"""The commands about notes as a user meets them: what is printed, exit codes, one line for an error."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from symbackprop.cli import main

ROOT = Path(__file__).parents[2]
NET = """inputs = "n_0"
batch = "m"
loss = "binary_cross_entropy"
layers = [{ units = "n_1", activation = "sigmoid" }]
"""
RIGHT = r"\frac{\partial J}{\partial W^{(1)}} = \frac{1}{m} (A^{(1)} - Y) X^T"
WRONG = r"\frac{\partial J}{\partial W^{(1)}} = \frac{1}{m} (Y - A^{(1)}) X^T"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "")
    Path("net.toml").write_text(NET)
    Path("empty.toml").write_text("")
    Path("right.tex").write_text(f"\\[ {RIGHT} \\]\n")
    Path("wrong.tex").write_text(f"\\begin{{align}}\n  {RIGHT} \\\\\n\t{WRONG}\n\\end{{align}}\n")
    return tmp_path


def test_the_text_of_a_refutation(folder, capsys):
    assert main(["verify", "wrong.tex", "--network", "net.toml"]) == 1
    lines = capsys.readouterr().out.splitlines()
    column = WRONG.index("=") + 4  # behind the tab, the sign and a space
    assert lines[0].startswith(f"wrong.tex:3:{column}: refuted SBP301: ")
    assert lines[1] == f"  3 | \t{WRONG}"
    assert lines[2] == "    | \t" + " " * (column - 2) + "^" * (len(WRONG) - WRONG.index("=") - 2)
    assert any(line.startswith("  = counterexample: with n_0 = ") for line in lines)
    assert any("the claim gives" in line for line in lines)
    assert lines[-1] == "1 proved, 1 refuted"


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        (RIGHT, 0),
        (WRONG, 1),
        (r"\frac{\partial J}{\partial W^{(1)}} = H X^T", 2),
        (r"W^{(1)} + b", 2),
        (r"\tanh(2 W^{(1)}) = \frac{2 \tanh(W^{(1)})}{1 + \tanh^2(W^{(1)})}", 3),
        (r"\[" + RIGHT + r"\] \[" + WRONG + r"\]", 1),
    ],
)
def test_a_formula_and_its_exit_code(folder, capsys, formula, code):
    assert main(["verify", "--formula", formula, "--network", "net.toml"]) == code
    assert ("formula:1:" in capsys.readouterr().out) == (code > 0)


def test_notes_of_scalar_calculus_need_no_network(folder, capsys):
    assert main(["verify", "--formula", r"\frac{d}{dx} x^n = n x^{n-1}"]) == 0
    assert capsys.readouterr().out == "1 proved\n"


def test_verbose_shows_what_is_proved_and_what_was_granted(folder, capsys):
    assert main(["verify", "right.tex", "--network", "net.toml", "--verbose"]) == 0
    out = capsys.readouterr().out
    assert f"right.tex:1:{4 + RIGHT.index('=') + 2}: proved: " in out
    assert 'right.tex: read with layer = "(l)"; first = 1\n' in out


def test_json(folder, capsys):
    assert main(["verify", "wrong.tex", "--network", "net.toml", "--output-format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    proved, refuted = told["verdicts"]
    assert (proved["status"], proved["code"], proved["latex"]) == ("proved", None, RIGHT)
    assert (refuted["file"], refuted["line"], refuted["code"]) == ("wrong.tex", 3, "SBP301")
    numbers = refuted["counterexample"]
    script = numbers["snippet"].encode()
    done = subprocess.run([sys.executable, "-"], input=script, capture_output=True, check=True)
    assert numbers["claimed"][:6].encode() in done.stdout
    assert told["summary"]["proved"] == told["summary"]["refuted"] == 1


@pytest.mark.parametrize("name", ["text", "json", "github", "sarif", "junit"])
def test_every_format_can_be_written_to_a_file(folder, capsys, name):
    arguments = ["verify", "wrong.tex", "--network", "net.toml", "--output-format", name, "--output", "out"]
    assert main(arguments) == 1
    assert capsys.readouterr().out == ""
    out = Path("out").read_text()
    if name in ("json", "sarif"):
        json.loads(out)
    elif name == "junit":
        assert ET.fromstring(out).get("failures") == "1"
    else:
        assert "SBP301" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["verify"], "name files of notes, or give one formula with --formula"),
        (["verify", "right.tex", "--formula", "a = b"], "name files of notes, or give one"),
        (["verify", "no.tex"], "no.tex: error: there is no such file"),
        (["verify", "net.toml"], "net.toml: error: notes are .tex, .md, .ipynb"),
        (["verify", "right.tex", "--network", "no.toml"], "no.toml: error: there is no such file"),
        (["verify", "--formula", "z = W x", "--network", "empty.toml"], "empty.toml:1:1: error: it declares neither"),
        (["verify", "right.tex", "--network", "net.toml", "--output", "no/out"], "no/out: error: cannot be written"),
        (["infer", "no.tex"], "no.tex: error: there is no such file"),
        (["explain", "SBP999"], "'SBP999' is no code: did you mean"),
        (["explain"], "name a code"),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(folder, capsys, arguments, says):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert "error: " in error


@pytest.mark.parametrize(
    "arguments",
    [
        ("--time-limit", "x"),
        ("--time-limit", "0"),
        ("--time-limit", "nan"),
        ("--jobs", "-1"),
        ("--output-format", "x"),
    ],
)
def test_wrong_usage_is_one_line(folder, capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(["verify", "right.tex", *arguments])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_one_bad_file_does_not_cost_the_others(folder, capsys):
    Path("bad.tex").write_bytes(b"a\xffb")
    assert main(["verify", "bad.tex", "right.tex", "--network", "net.toml", "--jobs", "2"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("bad.tex:1:2: error: not a text in UTF-8")
    assert captured.out == "1 proved; 1 file with errors\n"


def test_folders(folder, capsys):
    block = "".join(f"% {line}\n" for line in NET.splitlines())
    Path("sub").mkdir()
    Path("sub/notes.tex").write_text(f"% symbackprop\n{block}% /symbackprop\n\\[ {RIGHT} \\]\n")
    assert main(["verify", "."]) == 0
    captured = capsys.readouterr()
    assert captured.out == "1 proved\n"
    assert captured.err.startswith("2 files declare nothing")
    assert main(["verify", ".", "--network", "net.toml"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "3 proved, 1 refuted"


def test_inferred_declarations_are_toml_that_serves(folder, capsys):
    import tomllib

    Path("ng.md").write_text("$$ dW^{[1]} = \\frac{1}{m} dZ^{[1]} X^T $$\n")
    assert main(["infer", "ng.md", "--network", "net.toml"]) == 0
    out = capsys.readouterr().out
    data = tomllib.loads(out)
    assert data["notation"] == {"layer": "[l]", "first": 1, "differentials": "per sample"}
    assert data["inputs"] == "n_0"
    Path("pasted.md").write_text(f"<!-- symbackprop\n{out}-->\n" + Path("ng.md").read_text())
    assert main(["verify", "pasted.md"]) == 0


def test_explain(folder, capsys):
    assert main(["explain", "sbp301"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("# SBP301: ")
    assert "Wrong:\n\n$$" in page and "Right:\n\n$$" in page and "symbackprop: expect" not in page
    assert main(["explain", "SBP303"]) == 0
    assert "does not name this mistake yet" in capsys.readouterr().out
    assert main(["explain", "--list"]) == 0
    assert "SBP402" in capsys.readouterr().out


def test_help_needs_no_algebra():
    script = "import sys; from symbackprop.cli import main\ntry: main(['explain', 'SBP301'])\nexcept SystemExit: pass\n"
    script += "assert 'sympy' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)

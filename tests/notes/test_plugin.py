"""pytest collects the equalities of notes, tells what is wrong with them, and stays out of the way elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

WITNESS = Path(__file__).parents[1] / "witness"
NOTES = """\
% symbackprop
% /symbackprop
\\begin{align}
  a &= b \\\\
    &= wrong
\\end{align}
% symbackprop: expect refuted SBP301
\\[ c = wrong \\]
\\[ d = open \\]
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "conftest.py").write_text("import fake_page\nfake_page.install()\n")

    def run(*arguments, **files):
        for name, text in files.items():
            (tmp_path / ".".join(name.rsplit("_", 1))).write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(WITNESS)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_each_equality_is_a_test(run):
    code, out = run("notes.tex", "-vv", notes_tex=NOTES)
    assert code == 1
    assert "2 failed, 2 passed" in out
    assert "line 4, column 8" in out
    assert "notes.tex:5:8: refuted SBP301: it is refuted" in out
    assert "  5 |     &= wrong\n    |        ^^^^^" in out
    assert "notes.tex:9:8: undecided" in out
    assert "Traceback" not in out


def test_one_can_be_chosen(run):
    code, out = run("notes.tex", "-k", "line and 8", notes_tex=NOTES.replace("    &= wrong\n", ""))
    assert "passed" in out
    assert code == 1


def test_files_without_a_block_are_left_alone(run):
    code, out = run(
        notes_tex="\\[ a = wrong \\]", readme_md="symbackprop is nice: $$a = wrong$$", test_x_py="def test(): pass"
    )
    assert (code, "1 passed" in out) == (0, True)
    code, out = run(
        "--symbackprop-network", "net.toml", net_toml='inputs = 1\nloss = "generic"\nlayers = [{units = 1}]\n'
    )
    assert "2 failed, 1 passed" in out


def test_what_is_wrong_in_a_block_is_said_in_a_line(run):
    code, out = run(notes_md="<!-- symbackprop\ninputs == 2\n-->\n$$a = b$$")
    assert code == 2
    assert "notes.md:2:9: error: not TOML" in out
    assert "Traceback" not in out


def test_the_plugin_costs_nothing_where_there_are_no_notes(tmp_path):
    (tmp_path / "test_x.py").write_text(
        "import sys\ndef test_x():\n"
        "    assert 'sympy' not in sys.modules\n    assert 'symbackprop.notes' not in sys.modules\n"
        "    assert 'symbackprop.pytest_plugin' in sys.modules\n"
    )
    (tmp_path / "page.tex").write_text("\\[ a = b \\]")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr

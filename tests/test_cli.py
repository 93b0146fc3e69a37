"""The command line as a user meets it: the report, one line for an error, status 2, and old files left alone."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from symbackprop.cli import main, progress

ROOT = Path(__file__).parents[1]
NET = ROOT / "derivations" / "sigmoid_bce.toml"


def test_derive_writes_every_report_that_is_asked_for(tmp_path, capsys):
    names = [str(tmp_path / f"net{suffix}") for suffix in (".html", ".tex", ".md")]
    assert main(["derive", str(NET), *(part for name in names for part in ("-o", name))]) == 0
    out = capsys.readouterr().out
    for name in names:
        assert f"{name}: 8 steps, 4 gradients" in out
        assert "A^{(2)} - Y" in Path(name).read_text()


def test_the_console_script_is_installed(tmp_path):
    script = Path(sys.executable).parent / "symbackprop"
    done = subprocess.run(
        [script, "derive", NET, "-o", tmp_path / "net.md"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "net.md").read_text().startswith("# Backpropagation: sigmoid with binary cross-entropy")


@pytest.mark.parametrize(
    ("content", "output", "says"),
    [
        ('inputs = 0\nloss = "generic"\nlayers = [{units = 2}]\n', "net.html", "net.toml:1:10: error: inputs is 0"),
        ("", "net.html", "net.toml:1:1: error: the file is empty"),
        (None, "net.html", "net.toml: error: there is no such file"),
        ("x", "net.pdf", "a report is written as .html, .tex, .md, not .pdf"),
        ("x", "net", "not without a suffix"),
    ],
)
def test_an_error_is_one_line_and_leaves_the_old_report(tmp_path, capsys, content, output, says):
    net, report = tmp_path / "net.toml", tmp_path / output
    if content is not None:
        net.write_text(content)
    report.write_text("the old report")
    assert main(["derive", str(net), "-o", str(report)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err
    assert captured.err.count("\n") == 1
    assert "error: " in captured.err
    assert report.read_text() == "the old report"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        {report.name, *([net.name] if content is not None else [])}
    )


def test_a_report_that_cannot_be_written_leaves_the_others(tmp_path, capsys):
    good, bad = tmp_path / "net.html", tmp_path / "nowhere" / "net.tex"
    good.write_text("the old report")
    assert main(["derive", str(NET), "-o", str(good), "-o", str(bad)]) == 2
    assert f"there is no folder {bad.parent}: make it first" in capsys.readouterr().err
    assert good.read_text() == "the old report"
    assert [p.name for p in tmp_path.iterdir()] == ["net.html"]


def test_a_folder_is_no_report(tmp_path, capsys):
    (tmp_path / "net.md").mkdir()
    assert main(["derive", str(NET), "-o", str(tmp_path / "net.md")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_reports_are_the_same_twice(tmp_path):
    for name in ("a", "b"):
        assert main(["derive", str(NET), "-o", str(tmp_path / f"{name}.html")]) == 0
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_wrong_usage_is_one_line(capsys):
    for arguments in ([], ["derive"], ["derive", "x.toml"], ["nonsense"]):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_shows_on_a_terminal_and_only_there(monkeypatch):
    assert progress(io.StringIO()) is None
    out = Terminal()
    tick = progress(out, after=0.0)
    for done in range(1, 5):
        tick(done, 4)
    assert "2/4 steps" in out.getvalue()
    quiet = Terminal()
    tick = progress(quiet, after=60.0)
    tick(4, 4)
    assert quiet.getvalue() == ""


def test_files_keep_their_mode(tmp_path):
    report = tmp_path / "net.md"
    report.write_text("old")
    os.chmod(report, 0o640)
    assert main(["derive", str(NET), "-o", str(report)]) == 0
    assert report.stat().st_mode & 0o777 == 0o640
    assert time.time() - report.stat().st_mtime < 60

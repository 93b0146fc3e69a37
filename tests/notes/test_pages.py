"""The pages that explain codes, and the lecture notes in derivations/: each is judged as it says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import symbackprop
from symbackprop.notes import explain
from symbackprop.notes.plan import plan_file
from symbackprop.notes.verify import verify_file

ROOT = Path(symbackprop.__file__).parent
NOTES = sorted((Path(__file__).parents[2] / "derivations").glob("*.tex"))
PAGES = sorted((ROOT / "notes" / "pages").glob("*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_a_page_shows_its_code_and_a_right_example(path):
    result = verify_file(path)
    assert result.exit_code == 0, [str(e.verdict) for e in result.verdicts]
    wrong = [e for e in result.verdicts if e.expected is not None]
    right = [e for e in result.verdicts if e.expected is None]
    assert wrong and {e.code for e in wrong} == {path.stem}
    assert right and {e.status.value for e in right} == {"proved"}
    assert explain.titles()[path.stem] in explain.page(path.stem)


def test_every_code_that_is_given_has_a_page():
    given = set()
    for path in ROOT.rglob("*.py"):
        if path.name != "explain.py":
            given |= set(re.findall(r'"(SBP\d{3})"', path.read_text()))
    assert given <= set(explain.titles())
    assert not set(explain.titles()) & set(explain.LATER)


@pytest.mark.parametrize("path", NOTES, ids=lambda p: p.stem)
def test_lecture_notes_stay_proved(path):
    result = verify_file(path)
    failing = [(e.line, e.column, str(e.verdict)) for e in result.verdicts if not e.met or e.expected is None]
    failing = [f for f in failing if not re.match(r"proved|defined", f[2])]
    assert failing == []
    assert result.exit_code == 0
    slips = path.read_text().partition("Slips}")[2]
    assert slips and any(e.expected for e in result.verdicts)
    assert plan_file(path).has_block


def test_all_five_are_there():
    assert [path.stem[:9] for path in NOTES] == [f"notes_00{n}" for n in range(5)]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
@pytest.mark.parametrize("path", NOTES, ids=lambda p: p.stem)
def test_lecture_notes_can_be_set(path, tmp_path):
    arguments = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-output-directory", tmp_path, path]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]

"""The networks in derivations/: each derives, its facts check, and its notes come out as they are known to be."""

from pathlib import Path

import pytest

from symbackprop.network_file import load_network
from symbackprop.proof.prover import Prover
from symbackprop.proof.setting import of_network
from symbackprop.proof.status import Status

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "derivations").glob("*.toml"))

# The slips of the notes' authors, which the report must not call right; all other notes are right.
SLIPS = {
    ("notes_000_recursion", 4): "SBP301",
    ("notes_003_cost", 1): "SBP202",
    ("notes_003_cost", 2): "SBP201",
}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_notes_come_out_as_they_are_known_to_be(path):
    d = load_network(path).derive()
    prover = Prover(of_network(d))
    for number, note in enumerate(d.notes):
        verdict = prover.judge(note.subject, note.says)
        slip = SLIPS.get((path.stem, number))
        assert verdict.status is (Status.PROVED if slip is None else Status.REFUTED), (number, verdict)
        assert verdict.code == slip


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_step_is_proved(path):
    proofs = load_network(path).derive().prove()
    assert {v.status for v in (*proofs, *proofs.generic, *proofs.rules.values())} == {Status.PROVED}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_facts_check(path):
    facts = load_network(path).derive().facts
    assert all(fact.check() for fact in facts)


def test_every_slip_is_in_a_file():
    counts = {path.stem: len(load_network(path).notes) for path in FILES}
    assert all(number < counts[stem] for stem, number in SLIPS)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_report_is_there(path):
    for suffix in (".html", ".tex", ".md"):
        assert (ROOT / "reports" / f"{path.stem}{suffix}").exists()


def test_parameters_of_m_3_2_1():
    d = load_network(ROOT / "derivations" / "notes_003_cost.toml").derive()
    assert str(d.parameter_count) == "3*m + 14"

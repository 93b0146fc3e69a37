"""Processes that judge: what hangs or dies is ended, and the rest of the page is judged."""

import time

import pytest

from symbackprop.notes import supervisor
from symbackprop.notes.supervisor import Job, judge_all


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    start = supervisor._START.replace("from symbackprop", "import fake_page; fake_page.install(); from symbackprop")
    assert "fake_page" in start
    monkeypatch.setattr(supervisor, "_START", start)


def statuses(result):
    return [row["status"] for row in result.rows]


def test_files_come_back_in_order_whatever_becomes_of_them(tmp_path):
    texts = [r"\[ a = b \]", r"\[ a = wrong \]", b"\xff", r"\[ a = die \] \[ a = b \]"]
    jobs = []
    for i, text in enumerate(texts):
        path = tmp_path / f"{i}.tex"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        jobs.append(Job(str(path), time_limit=5.0))
    ticks = []
    found = judge_all(jobs, 2, lambda done, of: ticks.append((done, of)))
    assert [statuses(result) for result in found] == [["proved"], ["refuted"], [], ["undecided", "proved"]]
    assert "2.tex:1:1: error: not a text in UTF-8" in found[2].error
    assert "ended" in found[3].rows[0]["message"]
    assert ticks[-1] == (4, 4)


def test_what_does_not_hear_the_alarm_is_ended_from_outside(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "patience_for", lambda limit: 0.5)
    path = tmp_path / "n.tex"
    path.write_text(r"\[ a = new \] \[ a = deaf \] \[ a = used \]")
    start = time.monotonic()
    (found,) = judge_all([Job(str(path), time_limit=0.1)])
    assert statuses(found) == ["defined", "undecided", "proved"]
    assert found.rows[1]["message"] == "not judged within the time limit of 0.1 s"
    assert time.monotonic() - start < 30


def test_a_process_that_cannot_start_is_an_error(monkeypatch):
    monkeypatch.setattr(supervisor, "_START", "raise SystemExit(1)")
    (found,) = judge_all([Job("n.tex")])
    assert found.error.startswith("n.tex: error: the process that judges ended")


def test_nothing_to_judge():
    assert judge_all([]) == []

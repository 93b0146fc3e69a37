"""Judging in processes of their own: several files at a time, and an end for whatever does not end by itself."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from symbackprop.notes.result import Row

STARTING = 120.0
"""Seconds in which a process must have read a file, the import of SymPy on a slow disk included."""
MAX_STUCK = 100
"""So many formulas of one file may have to be ended from outside; then the rest of it is left."""

_START = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from symbackprop.notes.worker import main; main()"

Tick = Callable[[int, int], None]


@dataclass
class Judged:
    """What came of one file: its rows, or the error in one line that kept it from being judged."""

    file: str
    rows: list[Row] = field(default_factory=list)
    passed_over: int = 0
    skipped: int = 0
    inferred: list[str] = field(default_factory=list)
    error: str = ""


@dataclass(frozen=True)
class Job:
    """A file, or a formula by itself; ``time_limit`` in seconds for one formula, None for no limit."""

    file: str
    formula: str | None = None
    network: str | None = None
    time_limit: float | None = None


def judge_all(jobs: Sequence[Job], processes: int = 1, tick: Tick | None = None) -> list[Judged]:
    """The results in the order of the jobs; ``tick(done, of)`` is told how many formulas are done of those known."""
    count = _Count(tick)
    local = threading.local()
    supervisors: list[_Supervisor] = []
    lock = threading.Lock()

    def judge(job: Job) -> Judged:
        supervisor: _Supervisor | None = getattr(local, "supervisor", None)
        if supervisor is None:
            supervisor = local.supervisor = _Supervisor(count)
            with lock:
                supervisors.append(supervisor)
        return supervisor.judge(job)

    pool = ThreadPoolExecutor(max(1, min(processes, len(jobs))))
    try:
        return list(pool.map(judge, jobs))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for supervisor in supervisors:
            supervisor.stopped = True
            supervisor.end()


class _Count:
    def __init__(self, tick: Tick | None) -> None:
        self.tick, self.done, self.known = tick, 0, 0
        self.lock = threading.Lock()

    def add(self, done: int = 0, known: int = 0) -> None:
        with self.lock:
            self.done += done
            self.known += known
            if self.tick is not None:
                self.tick(self.done, self.known)


class _Supervisor:
    """Keeps one process, gives it one job after the other, and starts another where it hangs or dies."""

    def __init__(self, count: _Count) -> None:
        self.count = count
        self.process: subprocess.Popen[str] | None = None
        self.reader: threading.Thread | None = None
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.stopped = False

    def judge(self, job: Job) -> Judged:
        result = Judged(job.file)
        stuck: dict[str, str] = {}
        begun: set[int] = set()
        finished: set[int] = set()
        while True:
            reached, complaint = self.attempt(job, stuck, begun, finished, result)
            if not complaint:
                return result
            self.end()
            if self.stopped or reached is None or len(stuck) >= MAX_STUCK:
                result.error = f"{job.file}: error: {complaint}; split the notes to find the formula"
                return result
            stuck[str(reached)] = complaint

    def attempt(
        self, job: Job, stuck: dict[str, str], begun: set[int], finished: set[int], result: Judged
    ) -> tuple[int | None, str]:
        """Run a job to its end, or say at which formula it stopped and why."""
        reached: int | None = None
        first = not stuck
        patience: float | None = STARTING
        self.send({**vars(job), "stuck": stuck})
        while True:
            try:
                line = self.lines.get(timeout=patience)
            except queue.Empty:
                return reached, _too_late(job.time_limit)
            if line is None:
                return reached, "the process that judges ended, perhaps for want of memory"
            message: dict[str, Any] = json.loads(line)
            if "size" in message and first:
                self.count.add(known=message["size"])
            elif "begin" in message:
                reached = message["begin"]
                if reached not in begun:
                    begun.add(reached)
                    self.count.add(done=1)
                patience = patience_for(job.time_limit)
            elif "rows" in message:
                if message["number"] not in finished:
                    finished.add(message["number"])
                    result.rows += message["rows"]
            elif "error" in message:
                result.error = message["error"]
                return reached, ""
            elif "skipped" in message:
                result.passed_over, result.skipped = message["passed_over"], message["skipped"]
                result.inferred = message["inferred"]
                return reached, ""

    def send(self, job: dict[str, Any]) -> None:
        if self.process is None or self.process.poll() is not None:
            self.start()
        assert self.process is not None
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # it ended meanwhile, which the reading of its answer says
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()

    def start(self) -> None:
        self.lines = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self.reader = threading.Thread(target=_read, args=(self.process, self.lines), daemon=True)
        self.reader.start()

    def end(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        if self.reader is not None:
            self.reader.join()
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError):  # what was not yet written has no reader any more
            process.stdin.close()
        process.stdout.close()


def _read(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def patience_for(limit: float | None) -> float | None:
    """Seconds that a formula gets before its process is ended: the process should have ended it itself by then."""
    return None if limit is None else 2 * limit + 5


def _too_late(limit: float | None) -> str:
    return "not judged in time" if limit is None else f"not judged within the time limit of {limit:g} s"

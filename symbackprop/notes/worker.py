"""The process that judges: files come in as lines of JSON, verdicts go out as lines of JSON, one by one.

It is a process of its own so that whoever waits for it can end it, whatever it is doing.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

from symbackprop.errors import SymbackpropError
from symbackprop.notes.plan import plan_file, plan_formula
from symbackprop.notes.verify import inferred_words, judged


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever waits decides when to end
    for line in sys.stdin:
        job = json.loads(line)
        try:
            work(job)
        except SymbackpropError as error:
            send(error=str(error))
        except (RecursionError, MemoryError):
            send(error=f"{job['file']}: error: nested too deeply, or too large: split the notes")
        except Exception as error:  # a fault of ours is told in a line, and costs this file only
            fault = f"{type(error).__name__}: {str(error)[:200]}".replace("\n", " ")
            send(error=f"{job['file']}: error: a fault of symbackprop ({fault}): please report it with the notes")


def work(job: dict[str, Any]) -> None:
    """One file, or one formula: a line before each piece of work, a line with its rows, a line at the end."""
    plan = plan_formula(job["formula"]) if job["formula"] is not None else plan_file(job["file"])
    send(size=sum(len(section.work) for section in plan.sections))
    stuck: dict[str, str] = job["stuck"]

    def begin(number: int) -> str:
        send(begin=number)
        return stuck.get(str(number), "")

    for number, entries in judged(plan, job["network"], job["time_limit"], begin):
        send(number=number, rows=[entry.as_dict() for entry in entries])
    inferred = inferred_words(plan, job["network"])
    send(passed_over=plan.passed_over, skipped=plan.skipped, inferred=inferred)


def send(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

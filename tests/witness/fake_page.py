"""A page that judges by a word in the formula, to test what goes on around the judge."""

import os
import signal
import time

from symbackprop.errors import Position
from symbackprop.notes import declarations
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Verdict, chain

WORDS = {
    "wrong": (Status.REFUTED, "SBP301"),
    "open": (Status.UNDECIDED, "SBP401"),
    "agrees": (Status.CONSISTENT, "SBP402"),
    "bad": (Status.UNREAD, "SBP102"),
    "new": (Status.DEFINED, None),
}


class FakePage:
    def __init__(self, network=None, declared=None):
        self.defined = {}
        self.unused = {}

    def imply(self, names):
        assert isinstance(names, dict)

    def judge(self, latex, at=None):
        if "crash" in latex:
            raise KeyError("x")
        if "slow" in latex:
            time.sleep(60)
        if "deaf" in latex:  # the alarm does not reach it
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
            time.sleep(60)
        if "die" in latex:
            os._exit(3)
        if "used" in latex and "new" not in self.defined:
            return Verdict(Status.UNREAD, "used before it is defined", "SBP102")
        if "used" in latex:
            self.unused.clear()
        links, begin = [], latex.find("=") + 1
        for side in latex[begin:].split("="):
            start = begin + len(side) - len(side.lstrip())
            stop = max(begin + len(side.rstrip()), start)
            begin += len(side) + 1
            status, code = next((found for word, found in WORDS.items() if word in side), (Status.PROVED, None))
            if status is Status.DEFINED:
                self.defined["new"] = self.unused["new"] = place(latex, start)
            links.append(Verdict(status, f"it is {status}", code, span=(place(latex, start), place(latex, stop))))
        return chain(tuple(links))


def place(text, offset):
    return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def install():
    declarations.Page = FakePage
    declarations.infer = lambda formulas, declared: {}

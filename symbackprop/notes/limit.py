"""A limit on the wall clock, for work whose own budgets should have ended it before."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn, TypeVar

T = TypeVar("T")


class TimeIsUp(BaseException):
    """Not an Exception, so that nothing on the way takes it for an error of its own and goes on."""


def within(seconds: float | None, work: Callable[[], T]) -> T:
    """The result of ``work``; raises TimeIsUp where it takes longer.

    The clock is an alarm of the system. Where there is none (another thread than the first, Windows, an alarm that
    somebody else has set) the work runs to its end; the command line then ends it from outside.

    >>> within(5, lambda: 2 + 2)
    4
    """
    if seconds is None or not _has_alarm():
        return work()

    def ring(number: int, frame: FrameType | None) -> NoReturn:
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
        try:
            return work()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)


def _has_alarm() -> bool:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return False
    return signal.getitimer(signal.ITIMER_REAL)[0] == 0 and signal.getsignal(signal.SIGALRM) is not None

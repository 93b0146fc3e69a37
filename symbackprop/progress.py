"""A bar that shows how far the work is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO, TypeAlias

Tick: TypeAlias = Callable[[int, int], None]  # (done, of)


def progress(out: TextIO, after: float = 1.0, unit: str = "steps") -> Tick | None:
    """A bar that appears where a terminal is there and the work takes longer than ``after`` seconds."""
    if not out.isatty():
        return None
    start, shown = time.monotonic(), -1

    def tick(done: int, of: int) -> None:
        nonlocal shown
        now = int(40 * done / max(of, 1))
        if time.monotonic() - start < after or now == shown:
            return
        shown = now
        print(f"\r[{'#' * now}{'.' * (40 - now)}] {done}/{of} {unit}", end="", file=out, flush=True)
        if done >= of:
            print("\r" + " " * 70 + "\r", end="", file=out, flush=True)

    return tick

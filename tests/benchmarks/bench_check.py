"""The gradient check, measured: true gradients, planted errors, how good its error estimates are, and its time.

Run: python tests/benchmarks/bench_check.py [networks of each kind, 1000]

Each network is random (tests/witness/plain_networks.py): 1 to 3 layers, logits up to 50. "covered" counts the
directions in which a gradient that is true, up to the rounding of its own precision, is within the estimated error;
"networks" those where that is so of all directions. Errors are planted in every fifth network. One counts as above the
floor where it is more than ten times the error that the check itself estimates: for a whole tensor along the claim, for
a single entry at that entry.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "witness"))

from check_statistics import KINDS, one_network
from plain_networks import network

from symbackprop import BlindPointWarning, Status, check_gradient

SIZES = (784, 128, 10)


def statistics(count: int) -> None:
    print(f"{count} networks of each kind, a third tanh, sigmoid and relu")
    print("value's precision      consistent  undecided  refuted   directions covered   networks covered   ms a check")
    planted = {}
    for kind in KINDS:
        total: Counter[str] = Counter()
        checks, start = 0, time.perf_counter()
        for n in range(count):
            total += one_network(kind, n, planted=n % 5 == 0)
            checks += 3 if n % 5 == 0 else 1
        seconds = (time.perf_counter() - start) / checks
        outcomes = "  ".join(f"{total[s.value]:9}" for s in (Status.CONSISTENT, Status.UNDECIDED, Status.REFUTED))
        covered, directions = total["covered"], total["directions"]
        shares = (
            f"{covered}/{directions} = {100 * covered / directions:.3f} %",
            f"{100 * total['networks'] / count:8.2f} %",
        )
        print(f"{kind:22} {outcomes}   {shares[0]:>24}   {shares[1]}   {1e3 * seconds:10.0f}")
        planted[kind] = total
    print()
    print("planted errors                  above the floor: refuted     below: refuted")
    for kind, total in planted.items():
        for what in ("tensor", "entry"):
            parts = [
                f"{total[f'{what} {where} refuted']:8}/{total[f'{what} {where}']:<8}" for where in ("above", "below")
            ]
            named = f"   entry named: {total['named']}/{total['entry refuted']}" if what == "entry" else ""
            print(f"{kind:22} {what:8} {parts[0]} {parts[1]} {named}")


def large() -> None:
    print()
    print("784-128-10, 101,770 parameters, batch 32                 one check      a planted entry is found in")
    for activation in ("tanh", "relu"):
        for dtype in (np.float64, np.float32):
            plain = network(activation, np.random.default_rng(0), dtype, SIZES, 32, 5.0)
            true = plain.gradients(plain.params)
            wrong = {**true, "W1": true["W1"].copy()}
            at = np.unravel_index(np.argmax(np.abs(wrong["W1"])), wrong["W1"].shape)
            wrong["W1"][at] *= dtype(1.001)
            times: list[list[float]] = [[], []]
            for seed in range(5):
                for n, grads in enumerate((true, wrong)):
                    start = time.perf_counter()
                    r = check_gradient(plain.value, grads, plain.params, seed=seed)
                    times[n].append(time.perf_counter() - start)
                    assert r.status is (Status.REFUTED if n else Status.CONSISTENT), r
                    assert not n or r.table["W1"].index == tuple(int(i) for i in at)
            medians = [float(np.median(t)) for t in times]
            print(f"{activation:8} {dtype.__name__:10} {medians[0]:40.2f} s {medians[1]:20.2f} s")


def main() -> None:
    warnings.simplefilter("ignore", BlindPointWarning)
    statistics(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    large()


if __name__ == "__main__":
    main()

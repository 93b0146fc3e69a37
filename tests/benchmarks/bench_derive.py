"""How long a derivation takes by depth, and what the import costs. Run: python tests/benchmarks/bench_derive.py

Each figure is a median over whole processes, which are interleaved; machines are noisy, so trust the ratios.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

RUNS = 7

DERIVE = """
import json, sys, time
from symbackprop import Dense, Network
Network([Dense("k_1", "tanh")], inputs="k_0", loss="squared_error").derive()
depth = int(sys.argv[1])
start = time.perf_counter()
layers = [Dense(f"n_{i}", "sigmoid") for i in range(1, depth + 1)]
d = Network(layers, inputs="n_0", loss="binary_cross_entropy", batch="m").derive()
derived = time.perf_counter()
d.gradients, d.definitions
print(json.dumps([derived - start, time.perf_counter() - start]))
"""

FIRST = """
import json, time
from symbackprop import Dense, Network
start = time.perf_counter()
layers = [Dense("n_1", "sigmoid"), Dense("n_2", "sigmoid")]
d = Network(layers, inputs="n_0", loss="binary_cross_entropy", batch="m").derive()
print(json.dumps([time.perf_counter() - start] * 2))
"""


def run(code: str, *arguments: str) -> list[float]:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def whole(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def main() -> None:
    depths = (2, 10, 100, 1000)
    times: dict[object, list[list[float]]] = {depth: [] for depth in (*depths, "first")}
    base, ours = [], []
    for _ in range(RUNS):
        base.append(whole("import sympy, numpy"))
        ours.append(whole("from symbackprop import Network"))
        times["first"].append(run(FIRST))
        for depth in depths:
            times[depth].append(run(DERIVE, str(depth)))
    print(f"median of {RUNS} interleaved processes        derive    with all SymPy expressions")
    print(f"2 layers, first in a fresh process    {statistics.median(t[0] for t in times['first']):8.4f} s")
    medians = {}
    for depth in depths:
        first, both = (statistics.median(t[k] for t in times[depth]) for k in (0, 1))
        medians[depth] = first
        print(f"{depth:5} layers, warm                    {first:8.4f} s  {both:8.4f} s")
    print(f"1000 layers / 100 layers: {medians[1000] / medians[100]:.1f}; 100 / 10: {medians[100] / medians[10]:.1f}")
    ratio = statistics.median(b / a for a, b in zip(base, ours, strict=True))
    print(f"from symbackprop import Network / import sympy, numpy: {ratio:.2f} (whole processes, paired)")


if __name__ == "__main__":
    main()

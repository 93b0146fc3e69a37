"""Mutated and random formulas, by default 100,000: how many get which answer, how long the slowest takes.

Run as: python tests/benchmarks/bench_reading.py [COUNT [SEED]]
"""

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "witness"))
from note_fuzz import inputs, page


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    answers: Counter[str] = Counter()
    times: list[tuple[float, str, str]] = []
    for setting, latex in inputs(seed, count):
        start = time.perf_counter()
        found = page(setting).judge(latex)
        times.append((time.perf_counter() - start, setting, latex))
        answers[f"{found.status} {found.code or ''}".strip()] += 1
    times.sort(reverse=True)
    print(*(f"{n:7} {answer}" for answer, n in answers.most_common()), sep="\n")
    print(f"median {1000 * times[len(times) // 2][0]:.2f} ms, slowest:")
    for took, setting, latex in times[:5]:
        print(f"  {took:.2f} s  {setting!r}  {latex[:120]!r}")


if __name__ == "__main__":
    main()

"""Many random claims about gradients against the independent decider; prints the score and every disagreement.

    python tests/benchmarks/fuzz_prove.py [N] [SEED] [NETWORK ...]

N claims (100,000), spread over the networks of ``fuzzing.NETWORKS`` or the named ones. Exit code 1 where the prover
proved what is false, refuted what is true, or left more than 1 % of the true claims without a proof.
"""

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "witness"))

import fuzzing
from decider import Answer


def main(arguments: list[str]) -> int:
    count, seed = (int(given) for given in (*arguments[:2], *("100000", "0")[len(arguments[:2]) :]))
    start = time.perf_counter()
    score = fuzzing.run(count, seed, arguments[2:] or None)
    print(f"{len(score.seconds)} claims in {time.perf_counter() - start:.0f} s, seed {seed}")
    for (status, answer), n in sorted(score.counts.items()):
        print(f"  {status:11} {answer:10} {n}")
    for what, n in score.skipped.most_common(8):
        print(f"  skipped, {what}: {n}")
    median, most, worst = score.times()
    print(f"verdicts: median {1e3 * median:.1f} ms, 99 % {1e3 * most:.1f} ms, worst {1e3 * worst:.0f} ms")
    for seconds, claim in sorted(score.seconds, reverse=True)[:10]:
        print(f"  {1e3 * seconds:.0f} ms {claim}")
    true = score.total(Answer.TRUE)
    print(f"true claims without a proof: {len(score.unproved)} of {true}, {100 * len(score.unproved) / true:.2f} %")
    for status, n in Counter(text.split(":")[0] for text in score.unproved).items():
        print(f"  {status}: {n}")
    lists = {"FAULT": score.faults, "UNPROVED": score.unproved, "UNREFUTED": score.unrefuted, "PARTIAL": score.partial}
    for title, found in lists.items():
        print(f"{title}: {len(found)}")
        for text in found:
            print(f"  {text}")
    return int(bool(score.faults) or len(score.unproved) > 0.01 * true)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

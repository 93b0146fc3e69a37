"""How fast compiled code is, beside hand-written NumPy and automatic differentiation.

Run: python tests/benchmarks/bench_evaluate.py [--rounds 30] [--threads 2]

Every library runs in a process of its own, all with the same number of threads on as many cores. The processes take
turns, one short run each, in another order each round; the time of the hand-written code is the median over the rounds,
and a ratio is the median of the ratios within the rounds, so that what slows the machine for a while slows both. Peers
that are not installed are left out. The output is the table of the README.

The hand-written code is what somebody writes who knows NumPy: the stable forms of the losses, products with @, arrays
overwritten where that is plain to see. The floor is the matrix products alone, into arrays that are there already.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

CASES = {
    "2-3-1, 1": ((2, 3, 1), 1),
    "2-3-1, 64": ((2, 3, 1), 64),
    "784-128-10, 64": ((784, 128, 10), 64),
    "784-512-256-10, 128": ((784, 512, 256, 10), 128),
}
TYPES = ("float64", "float32")
# Name in the table, and the module that must be there.
LIBRARIES = {
    "blas": ("BLAS alone", "numpy"),
    "hand": ("hand NumPy", "numpy"),
    "numpy": ("symbackprop", "numpy"),
    "numba": ("symbackprop, numba", "numba"),
    "jax": ("symbackprop, jax", "jax"),
    "torch-peer": ("PyTorch", "torch"),
    "jax-peer": ("JAX jit", "jax"),
    "autograd-peer": ("autograd", "autograd"),
}
OURS = ("numpy", "numba", "jax")
CHUNK = 0.02  # seconds of one run


# ---- one process: reads "case type" or "memory case type", answers seconds a call, or bytes


def data(sizes, m, kind):
    import numpy as np

    rng = np.random.default_rng(0)
    params = {}
    for n, (inputs, units) in enumerate(itertools.pairwise(sizes), 1):
        params[f"W{n}"] = (rng.normal(size=(units, inputs)) / np.sqrt(inputs)).astype(kind)
        params[f"b{n}"] = (0.1 * rng.normal(size=(units, 1))).astype(kind)
    X = rng.normal(size=(sizes[0], m)).astype(kind)
    if sizes[-1] == 1:
        Y = (rng.random((1, m)) < 0.5).astype(kind)
    else:
        Y = np.ascontiguousarray(np.eye(sizes[-1])[rng.integers(0, sizes[-1], m)].T.astype(kind))
    return params, X, Y


def hand_sigmoid(params, X, Y):
    import numpy as np

    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    m = X.shape[1]
    A1 = 1 / (1 + np.exp(-(W1 @ X + b1)))
    Z2 = W2 @ A1 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    J = (np.logaddexp(0, Z2) - Y * Z2).sum() / m
    D2 = (A2 - Y) / m
    D1 = (W2.T @ D2) * A1 * (1 - A1)
    return J, {
        "W1": D1 @ X.T,
        "b1": D1.sum(axis=1, keepdims=True),
        "W2": D2 @ A1.T,
        "b2": D2.sum(axis=1, keepdims=True),
    }


def hand_tanh(params, X, Y):
    import numpy as np

    depth, m, A = len(params) // 2, X.shape[1], [X]
    for n in range(1, depth + 1):
        Z = params[f"W{n}"] @ A[-1]
        Z += params[f"b{n}"]
        if n < depth:
            A.append(np.tanh(Z, out=Z))
    Z -= Z.max(axis=0, keepdims=True)
    D = np.exp(Z)
    total = D.sum(axis=0, keepdims=True)
    J = ((np.log(total) - Z) * Y).sum() / m
    D /= total
    D -= Y
    D /= m
    gradients = {}
    for n in range(depth, 0, -1):
        gradients[f"W{n}"] = D @ A[n - 1].T
        gradients[f"b{n}"] = D.sum(axis=1, keepdims=True)
        if n > 1:
            D = params[f"W{n}"].T @ D
            D *= 1 - A[n - 1] ** 2
    return J, gradients


def blas_alone(params, X, Y):
    import numpy as np

    depth, m, kind = len(params) // 2, X.shape[1], X.dtype
    A = [X, *(np.ones((params[f"W{n}"].shape[0], m), kind) for n in range(1, depth + 1))]
    D = [np.ones_like(a) for a in A]
    G = [None, *(np.empty_like(params[f"W{n}"]) for n in range(1, depth + 1))]
    forward = [(params[f"W{n}"], A[n - 1], A[n]) for n in range(1, depth + 1)]
    backward = [(D[n], A[n - 1].T, G[n]) for n in range(1, depth + 1)]
    through = [(params[f"W{n}"].T, D[n], D[n - 1]) for n in range(2, depth + 1)]

    def call():
        for left, right, into in (*forward, *backward, *through):
            left.dot(right, into)

    return call


def ours(backend, sizes):
    from symbackprop import Dense, Network

    last = "sigmoid" if sizes[-1] == 1 else "softmax"
    hidden = "sigmoid" if sizes[-1] == 1 else "tanh"
    loss = "binary_cross_entropy" if sizes[-1] == 1 else "cross_entropy"
    layers = [*(Dense(n, hidden) for n in sizes[1:-1]), Dense(sizes[-1], last)]
    return Network(layers, inputs=sizes[0], loss=loss, batch="m").derive().compile(backend=backend)


def torch_call(params, X, Y):
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    given = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
    X, Y = torch.tensor(X), torch.tensor(Y)
    depth, names = len(given) // 2, list(given)
    binary, classes = Y.shape[0] == 1, Y.T.contiguous()

    def call():
        A = X
        for n in range(1, depth + 1):
            Z = given[f"W{n}"] @ A + given[f"b{n}"]
            A = torch.sigmoid(Z) if binary else torch.tanh(Z)
        if binary:
            J = torch.nn.functional.binary_cross_entropy_with_logits(Z, Y)
        else:
            J = torch.nn.functional.cross_entropy(Z.T, classes)
        return J.detach(), dict(zip(names, torch.autograd.grad(J, list(given.values())), strict=True))

    return call


def value(np, sigmoid, logsumexp, params, X, Y):
    """J in the language of autograd and JAX."""
    A, depth = X, len(params) // 2
    for n in range(1, depth + 1):
        Z = params[f"W{n}"] @ A + params[f"b{n}"]
        A = sigmoid(Z) if Y.shape[0] == 1 else np.tanh(Z)
    if Y.shape[0] == 1:
        return np.mean(np.logaddexp(0.0, Z) - Y * Z)
    return -np.sum(Y * (Z - logsumexp(Z))) / X.shape[1]


def jax_call(params, X, Y):
    import jax
    import jax.numpy as jnp

    def cost(params, X, Y):
        logsumexp = jax.scipy.special.logsumexp
        return value(jnp, jax.nn.sigmoid, lambda Z: logsumexp(Z, axis=0, keepdims=True), params, X, Y)

    f = jax.jit(jax.value_and_grad(cost))
    params, X, Y = jax.tree.map(jnp.asarray, (params, X, Y))
    return lambda: jax.block_until_ready(f(params, X, Y))


def autograd_call(params, X, Y):
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.special import logsumexp

    def sigmoid(z):
        return 1 / (1 + anp.exp(-z))

    f = value_and_grad(lambda p: value(anp, sigmoid, lambda Z: logsumexp(Z, axis=0, keepdims=True), p, X, Y))
    return lambda: f(params)


def prepared(library, sizes, m, kind):
    """A call without arguments that evaluates J and every gradient once."""
    params, X, Y = data(sizes, m, kind)
    if library in ("jax", "jax-peer"):
        import jax

        jax.config.update("jax_enable_x64", True)
    if library == "blas":
        return blas_alone(params, X, Y)
    if library == "hand":
        f = hand_sigmoid if sizes[-1] == 1 else hand_tanh
        return lambda: f(params, X, Y)
    if library == "jax":
        import jax.numpy as jnp

        f = ours("jax", sizes)
        params, X, Y = jax.tree.map(jnp.asarray, (params, X, Y))
        return lambda: jax.block_until_ready(f(params, X, Y))
    if library in OURS:
        f = ours(library, sizes)
        return lambda: f(params, X, Y)
    return {"torch-peer": torch_call, "jax-peer": jax_call, "autograd-peer": autograd_call}[library](params, X, Y)


def agrees(library, call, sizes, m, kind):
    """Whether J and the gradients are those of the hand-written code."""
    import numpy as np

    if library == "blas":
        call()
        return True
    params, X, Y = data(sizes, m, kind)
    J, gradients = call()
    want = (hand_sigmoid if sizes[-1] == 1 else hand_tanh)(params, X, Y)
    tolerance = 1e-9 if kind == "float64" else 1e-3
    close = [np.allclose(np.asarray(gradients[k]), want[1][k], atol=tolerance, rtol=tolerance) for k in want[1]]
    return bool(np.allclose(float(J), float(want[0]), rtol=tolerance)) and all(close)


def peak_memory(library, sizes, m, kind):
    """How much the process grows over what it has once the library is loaded and has compiled a small network."""
    import resource

    small = prepared(library, (*[4] * (len(sizes) - 1), sizes[-1]), 2, kind)
    small()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    call = prepared(library, sizes, m, kind)
    for _ in range(20):
        call()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


def child(library, threads):
    if hasattr(os, "sched_setaffinity"):  # some libraries have threads that no setting reaches
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    calls, counts = {}, {}
    for line in sys.stdin:
        what, name, kind = json.loads(line)
        sizes, m = CASES[name]
        if what == "memory":
            print(json.dumps(peak_memory(library, sizes, m, kind)), flush=True)
            continue
        if (name, kind) not in calls:
            call = calls[name, kind] = prepared(library, sizes, m, kind)
            assert agrees(library, call, sizes, m, kind), (library, name, kind)
            start, n = time.perf_counter(), 0
            while time.perf_counter() - start < CHUNK or n < 3:
                call()
                n += 1
            counts[name, kind] = n
        call, n = calls[name, kind], counts[name, kind]
        start = time.perf_counter()
        for _ in range(n):
            call()
        print(json.dumps((time.perf_counter() - start) / n), flush=True)


# ---- the parent: turns, medians, the table


def started(library, threads):
    limits = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    environment = {
        **os.environ,
        **dict.fromkeys(limits, str(threads)),
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}",
        "OMP_WAIT_POLICY": "PASSIVE",  # who waits for its turn must not spin
    }
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).resolve()), "--child", library, "--threads", str(threads)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def ask(process, what, name, kind):
    process.stdin.write(json.dumps([what, name, kind]) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise SystemExit("a process ended before its answer; see its error above")
    return json.loads(answer)


def measured(libraries, threads, rounds):
    times, rng = {}, random.Random(0)
    processes = {library: started(library, threads) for library in libraries}
    for name in CASES:
        for kind in TYPES:
            for n in range(rounds + 1):  # the first round warms up
                for library in rng.sample(libraries, len(libraries)):
                    seconds = ask(processes[library], "time", name, kind)
                    if n:
                        times.setdefault((name, kind, library), []).append(seconds)
    for process in processes.values():
        process.stdin.close()
        process.wait()
    return times


def memory(libraries, threads):
    found = {}
    name = list(CASES)[-1]
    for library in libraries:
        process = started(library, threads)
        found[library] = ask(process, "memory", name, "float64")
        process.stdin.close()
        process.wait()
    return name, found


def table(times, libraries):
    heads = [LIBRARIES[u][0] for u in libraries if u != "hand"]
    print(f"| network, batch | type | hand NumPy | {' | '.join(heads)} |")
    print(f"|---|---|---|{'---|' * len(heads)}")
    for name in CASES:
        for kind in TYPES:
            hand = times[name, kind, "hand"]
            others = [times[name, kind, u] for u in libraries if u != "hand"]
            ratios = [statistics.median(a / b for a, b in zip(other, hand, strict=True)) for other in others]
            shown = " | ".join(f"{ratio:.2f}" for ratio in ratios)
            print(f"| {name} | {kind} | {statistics.median(hand) * 1e6:.0f} µs | {shown} |")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=list(LIBRARIES), help="these libraries; hand is always measured")
    parser.add_argument("--child", choices=list(LIBRARIES))
    given = parser.parse_args()
    if given.child:
        child(given.child, given.threads)
        return
    libraries = [u for u, (_, module) in LIBRARIES.items() if importlib.util.find_spec(module)]
    if given.only:
        libraries = [u for u in libraries if u in given.only or u == "hand"]
    print(f"{platform.machine()}, {os.cpu_count()} cores, {given.threads} threads, medians of {given.rounds} rounds")
    table(measured(libraries, given.threads, given.rounds), libraries)
    name, peaks = memory(libraries, given.threads)
    print(f"\nPeak memory above the loaded library, {name}, float64, in MB: ", end="")
    print(", ".join(f"{LIBRARIES[u][0]} {peaks[u] / 1e6:.0f}" for u in libraries))


if __name__ == "__main__":
    main()

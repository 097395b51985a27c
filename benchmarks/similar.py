"""What the search for similar reference cells costs, beside a plain `matrix @ query` of the same size.

    python -m benchmarks.similar [--rounds 40]

Random directions, in a file as the index has them; as many as promised, and as many as PBC has. The tasks take turns,
so that whatever else the machine does hits all of them; figures are medians. Ends with status 1 where the promise is
not kept.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.speed import in_turns
from hematovision.library.similar import Embeddings

WIDTH = 1280
PROMISED_SIZE, PROMISED = 20_000, 0.020
"""Pictures, and seconds for the search among all of them, on two cores."""
PBC_SIZE = 16_427
"""Pictures of the index with PBC and the quiz bank."""
CLASSES = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    print("| pictures | what | median | times `matrix @ query` | promised |")
    print("| --- | --- | --- | --- | --- |")
    kept = True
    for size in (PROMISED_SIZE, PBC_SIZE):
        with tempfile.TemporaryDirectory() as folder:
            first, times = measure(size, Path(folder), rounds)
        plain, every, _ = times.values()
        kept &= size != PROMISED_SIZE or every < PROMISED
        for name, seconds in times.items():
            is_promised = size == PROMISED_SIZE and seconds is every
            promise = f"under {PROMISED * 1e3:.0f} ms" if is_promised else ""
            print(f"| {size:,} | {name} | {seconds * 1e3:.1f} ms | {seconds / plain:.2f} | {promise} |")
        print(f"| {size:,} | once, in the background: the lengths | {first * 1e3:.0f} ms | {first / plain:.1f} | |")
    print("promise kept" if kept else "PROMISE NOT KEPT")
    return 0 if kept else 1


def measure(size: int, folder: Path, rounds: int) -> tuple[float, dict[str, float]]:
    """Seconds of what is done once, and the median of each task."""
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((size, WIDTH), np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    file = folder / "embedding.f32"
    matrix.tofile(file)
    known = Embeddings({f"{row:016x}": row for row in range(size)}, np.memmap(file, np.float32, "r", 0, matrix.shape))
    ids = list(known.rows)
    start = time.perf_counter()
    every, one_class = known.among(ids), known.among(ids[: size // CLASSES])
    first = time.perf_counter() - start
    queries = rng.random((2 * rounds + 20, WIDTH), np.float32)
    queries = iter(queries / np.linalg.norm(queries, axis=1, keepdims=True))
    query = matrix[0].copy()
    times = in_turns(
        {
            "`matrix @ query`, in memory": lambda: matrix @ query,
            "the nearest 5 of all": lambda: known.nearest(next(queries), every, 5),
            "the nearest 5 of one class": lambda: known.nearest(next(queries), one_class, 5),
        },
        rounds,
    )
    return first, times


if __name__ == "__main__":
    raise SystemExit(main())

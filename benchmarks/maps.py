"""What each heat map costs, beside the answer it explains.

    python -m benchmarks.maps [--rounds 10]

With the shipped model and drawn cells, each of which is new: the app computes no map twice. Grad-CAM, Score-CAM and
occlusion run on LiteRT, the others in the worker, which is started before. The methods take turns, so that whatever
else the machine does hits all of them. Ends with status 1 where a promise is not kept.
"""

import argparse
import statistics
import time

import numpy as np

from hematovision.cells import CELL_CLASSES
from hematovision.library.drawn import draw_cell, series
from hematovision.services.explain import Explain, Subject
from hematovision.settings import load_settings
from hematovision.vision.methods import GRADCAM, LAYERCAM, METHODS, SCORECAM
from hematovision.vision.scorecam import CHANNELS

LIMIT = 0.5
"""Seconds of a Score-CAM, at the median."""
ANSWER = "answer"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    explain = Explain(load_settings().model)
    size = explain.classifier.card.size
    try:
        start = time.perf_counter()
        explain.worker.features_of(np.zeros((size, size, 3), np.uint8))
        started = time.perf_counter() - start
        times = measure(explain, rounds)
    finally:
        explain.close()
    answer = statistics.median(times[ANSWER])
    print("| what | by | median | longest | times the answer |")
    print("| --- | --- | --- | --- | --- |")
    for name, row in times.items():
        by = "TensorFlow" if name in METHODS and METHODS[name].needs_worker else "LiteRT"
        title = {ANSWER: "The answer, with its Grad-CAM", LAYERCAM: "LayerCAM, four depths"}
        what = title.get(name) or METHODS[name].title
        median = statistics.median(row)
        print(f"| {what} | {by} | {median * 1e3:.0f} ms | {max(row) * 1e3:.0f} ms | {median / answer:.1f} |")
    print(f"Start of the worker with its first pass: {started:.1f} s")
    is_kept = statistics.median(times[SCORECAM]) < LIMIT
    print(f"Score-CAM by {CHANNELS} masks within {LIMIT} s: {'promise kept' if is_kept else 'PROMISE NOT KEPT'}")
    return 0 if is_kept else 1


def measure(explain: Explain, rounds: int) -> dict[str, list[float]]:
    """Seconds of each map, in turns, a new cell each turn; the first two warm everything up."""
    times: dict[str, list[float]] = {name: [] for name in (ANSWER, *METHODS) if name != GRADCAM}
    cells = series(CELL_CLASSES, rounds, seed=0)
    for turn, nth in enumerate(np.random.default_rng(0).permutation(len(cells))[: rounds + 2]):
        picture = draw_cell(cells[nth]).picture
        for name, row in times.items():
            start = time.perf_counter()
            if name == ANSWER:
                (cell,) = explain.read(picture, "cell").cells
                subject = Subject.of(picture, cell.prediction, frame=cell.frame)
            explain.map_of(subject, GRADCAM if name == ANSWER else name)
            if turn >= 2:
                row.append(time.perf_counter() - start)
    return times


if __name__ == "__main__":
    raise SystemExit(main())

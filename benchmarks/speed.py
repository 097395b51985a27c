"""What an answer with its heat map costs, beside TensorFlow doing the same.

    python -m benchmarks.speed [--rounds 40]

The engines take turns, so that whatever else the machine does hits all of them; figures are medians, and the ratios
are what counts. Ends with status 1 where a promise is not kept.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from hematovision import images
from hematovision.cells import CLASS_HEAD, HEADS
from hematovision.library.drawn import draw_cell, series
from hematovision.settings import ROOT, load_settings
from hematovision.smear.framing import Frame, cut
from hematovision.smear.survey import Survey
from hematovision.vision.classifier import Classifier
from hematovision.vision.gradients import Gradients
from hematovision.vision.heatmap import lay
from hematovision.vision.methods import DEPTHS, GRADCAM_GRADIENTS, TRAINED


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    model = load_settings().model
    picture = draw_cell(series(["monocyte"], 1, seed=0)[0]).picture
    classifier = Classifier(model)
    cold = [cold_classify(picture) for _ in range(5)]

    import tensorflow as tf

    gradients = Gradients(model)
    inputs = cut(picture, Frame.of_cell(picture), classifier.card.size)
    batch = tf.constant(inputs[None].astype(np.float32))
    compiled = tf.function(lambda x: gradients.model(x, training=False), input_signature=[tf.TensorSpec(batch.shape)])
    index = list(HEADS[CLASS_HEAD]).index("monocyte")

    def answer_with_map() -> None:
        seen = Survey(picture)
        frame = Frame.of_cell(seen)
        prediction = classifier.classify(seen, frame)
        lay(prediction.map_of(CLASS_HEAD, prediction.label), frame, picture.shape)

    times = in_turns(
        {
            "answer and heat map, LiteRT": answer_with_map,
            "forward pass, TensorFlow compiled": lambda: compiled(batch).numpy(),
            "Grad-CAM, tf-keras-vis": lambda: gradients.map_by(GRADCAM_GRADIENTS, inputs, index, DEPTHS[-1], TRAINED),
        },
        rounds,
    )
    ours, forward, gradcam = times.values()
    print("| what | median | times ours | promised |")
    print("| --- | --- | --- | --- |")
    promised = ("", "2 or more", "30 or more")
    for (name, seconds), promise in zip(times.items(), promised, strict=True):
        print(f"| {name} | {seconds * 1e3:.1f} ms | {seconds / ours:.1f} | {promise} |")
    print(f"| `classify` of one picture, cold | {statistics.median(cold):.2f} s | | under 1.5 s |")
    kept = ours <= 0.5 * forward and gradcam >= 30 * ours and statistics.median(cold) < 1.5
    print("promises kept" if kept else "PROMISES NOT KEPT")
    return 0 if kept else 1


def in_turns(tasks: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each task."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(rounds + 3):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            if turn >= 3:  # the first turns trace, allocate and warm up
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(row) for name, row in times.items()}


def cold_classify(picture: images.Picture) -> float:
    """Seconds of a whole `classify` process for one picture."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cell.png"
        path.write_bytes(images.encode_png(picture))
        command = [sys.executable, "-m", "hematovision", "classify", str(path)]
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.perf_counter() - start


if __name__ == "__main__":
    raise SystemExit(main())

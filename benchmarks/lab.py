"""What a move of a slider in the Morphology lab costs, beside a bare forward pass of the model.

    python -m benchmarks.lab [--rounds 40]

Each round draws a cell that was not drawn before. The tasks take turns, so that whatever else the machine does hits all
of them; figures are medians. Ends with status 1 where the promise is not kept.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.speed import in_turns
from hematovision.images import encode_png
from hematovision.library.drawn import DrawnCell, draw_cell
from hematovision.services import open_services
from hematovision.services.lab import LabCell
from hematovision.settings import Settings, load_settings
from hematovision.smear.framing import Frame, cut
from hematovision.smear.morphology import typical
from hematovision.vision.heatmap import overlay

CHANGE = "a slider moved: draw, answer, heat map, PNG"
PROMISED = 0.150
"""Seconds from a change to the bytes of the picture with its heat map, on two cores."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as home:
        services = open_services(Settings(home=Path(home), model=load_settings().model, data=None))
        explain, lab = services.explain, services.lab
        first = DrawnCell(typical("monocyte"), "mgg", 1)
        cells = iter([replace(first, seed=seed) for seed in range(2, 2 * rounds + 20)])
        known = lab.draw(first)
        frame = Frame.of_cell(known.drawn.picture)
        inputs = cut(known.drawn.picture, frame, explain.classifier.card.size)[None]

        def shown(found: LabCell) -> bytes:
            picture = found.drawn.picture
            return encode_png(overlay(picture, explain.evidence(picture, found.prediction)))

        times = in_turns(
            {
                "bare forward pass": lambda: explain.classifier.classify_inputs(inputs),
                "drawing alone": lambda: draw_cell(next(cells)),
                CHANGE: lambda: shown(lab.draw(next(cells))),
                "the heat map's opacity moved: a cell that is known": lambda: shown(lab.draw(first)),
            },
            rounds,
        )
        start = time.perf_counter()
        tips = lab.sensitivity(first)
        trials = time.perf_counter() - start
    forward, change = times["bare forward pass"], times[CHANGE]
    print("| what | median | times a forward pass | promised |")
    print("| --- | --- | --- | --- |")
    for name, seconds in times.items():
        promise = f"under {PROMISED * 1e3:.0f} ms" if name == CHANGE else ""
        print(f"| {name} | {seconds * 1e3:.1f} ms | {seconds / forward:.1f} | {promise} |")
    print(f"| what tips the answer, {len(tips)} cells | {trials:.1f} s | {trials / forward:.0f} | |")
    print("promise kept" if change < PROMISED else "PROMISE NOT KEPT")
    return 0 if change < PROMISED else 1


if __name__ == "__main__":
    raise SystemExit(main())

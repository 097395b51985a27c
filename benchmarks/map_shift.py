"""How far off its cells a layer's map lies, and whether drawing it elsewhere brings its evidence into the cell.

    python -m benchmarks.map_shift [--pictures 154] [--data FOLDER]

On photographs (PBC `val`, outlined by program) and on drawn cells (with their exact outline), the same number of each
class that has a nucleus. Two measures that know nothing of each other: a picture turned by 180 degrees has its map
turned too, but what padding shifts stays: half the distance of the two is the shift. And the share of the evidence
inside the cell, for maps drawn with more and more of a shift. Ends with status 1 where the one that the app draws with
does not bring clearly more evidence into the cell than none, in either set. docs/heatmaps.md says what came out.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from hematovision import images
from hematovision.cells import CELL_CLASSES, CLASS_HEAD, NO_NUCLEUS, output_index
from hematovision.errors import DataError
from hematovision.images import Picture
from hematovision.library.datasets import read_datasets
from hematovision.library.drawn import draw_cell, series
from hematovision.settings import load_settings
from hematovision.smear.cell_mask import cell_regions
from hematovision.smear.framing import Frame, cut, paste
from hematovision.training.measuring.map_batches import LAYERCAM_COMMON, ManyMaps
from hematovision.vision.classifier import Classifier
from hematovision.vision.gradients import Gradients
from hematovision.vision.heatmap import SHIFT, positive
from hematovision.vision.methods import GRADCAM, GRADCAM_PLUS_PLUS
from hematovision.vision.quality import share_inside

SHIFTS = (0.0, 0.1, 0.2, 0.3, 0.4, 31 / 64)
"""Of a cell. The last one is where the middle of a receptive field lies by padding alone."""
NAMES = {GRADCAM: "Grad-CAM", GRADCAM_PLUS_PLUS: "LayerCAM, last depth", LAYERCAM_COMMON: "LayerCAM, all depths"}
"""Before global average pooling and a linear layer Grad-CAM++ is LayerCAM's last depth, but for its scale."""
BATCH = 32

Cells = Sequence[tuple[Picture, NDArray[np.bool_]]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=154, help="of each set (default: %(default)s)")
    parser.add_argument("--data", type=Path, default=load_settings().data, help="folder with PBC")
    options = parser.parse_args()
    model = load_settings().model
    classifier, many = Classifier(model), ManyMaps(Gradients(model))
    sets = {"drawn": drawn(options.pictures)}
    if options.data:
        sets = {"photographs": photographs(options.data, options.pictures)} | sets
    print("| cells | n | map | by turning | in the cell, shift " + " | ".join(f"{s:.2f}" for s in SHIFTS) + " | gain |")
    print("| --- " * (5 + len(SHIFTS)) + "|")
    is_kept = True
    for name, cells in sets.items():
        is_kept &= measure(name, cells, classifier, many)
    print(f"drawn with {SHIFT} of a cell: {'promise kept' if is_kept else 'PROMISE NOT KEPT'}")
    return 0 if is_kept else 1


def photographs(folder: Path, count: int) -> Cells:
    """Cells of PBC's `val` with the outline that the program finds. Raises DataError."""
    by_class: dict[str, list] = {}
    for record in read_datasets(folder):
        if record.split == "val" and record.label not in NO_NUCLEUS:
            by_class.setdefault(record.label, []).append(record)
    if not by_class:
        raise DataError(f"{folder} has no split named val.", "Give a folder with PBC and its splits.csv.")
    rng = np.random.default_rng(0)
    found = []
    for records in by_class.values():
        for nth in rng.permutation(len(records))[: count // len(by_class)]:
            picture = images.read(records[nth].path)
            regions = cell_regions(picture)
            if regions is not None:
                found.append((picture, regions.cell))
    return found


def drawn(count: int) -> Cells:
    """Cells of the drawing, with their exact outline."""
    labels = [label for label in CELL_CLASSES if label not in NO_NUCLEUS]
    found = []
    for label in labels:
        for cell in series([label], count // len(labels), seed=77):
            made = draw_cell(cell)
            found.append((made.picture, made.nucleus | made.cytoplasm))
    return found


def measure(name: str, cells: Cells, classifier: Classifier, many: ManyMaps) -> bool:
    """Print a row for each map; whether `SHIFT` gains clearly for those of the last layer."""
    size = classifier.card.size
    frames = [Frame.of_cell(picture) for picture, _ in cells]
    inputs = np.stack([cut(picture, frame, size) for (picture, _), frame in zip(cells, frames, strict=True)])
    indices = [output_index(CLASS_HEAD, answer.label) for answer in classifier.classify_inputs(inputs)]
    upright, turned = (maps_of(many, seen, indices) for seen in (inputs, inputs[:, ::-1, ::-1].copy()))
    is_kept = True
    for method, title in NAMES.items():
        found = [(positive(one[method]), positive(other[method])) for one, other in zip(upright, turned, strict=True)]
        known = [nth for nth, maps in enumerate(found) if all(values.any() for values in maps)]
        apart = np.array([(middle(found[n][1][::-1, ::-1]) - middle(found[n][0])) / 2 for n in known])
        x, y = apart.mean(axis=0)
        shares = np.array([[share(found[n][0], frames[n], cells[n], shift) for shift in SHIFTS] for n in known])
        gains = shares[:, SHIFTS.index(SHIFT)] - shares[:, 0]
        error = 1.96 * gains.std() / len(gains) ** 0.5
        figures = " | ".join(f"{100 * value:.1f} %" for value in shares.mean(axis=0))
        gain = f"{100 * gains.mean():+.1f} ± {100 * error:.1f} points"
        print(f"| {name} | {len(known)} | {title} | {x:.2f}, {y:.2f} | {figures} | {gain} |", flush=True)
        if method != LAYERCAM_COMMON:
            is_kept &= bool(gains.mean() - error > 0.01)
    return is_kept


def maps_of(many: ManyMaps, inputs: NDArray, indices: Sequence[int]) -> list[dict[str, NDArray[np.float32]]]:
    """In batches: one of all at once would take gigabytes."""
    starts = range(0, len(inputs), BATCH)
    return [maps for start in starts for maps in many.by_layers(inputs[start:][:BATCH], indices[start : start + BATCH])]


def middle(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The center (x, y) of a map's evidence, in its own cells."""
    places = np.arange(len(values)) + 0.5
    return np.array([places @ values.sum(axis=0), places @ values.sum(axis=1)]) / values.sum(dtype=np.float64)


def share(values: NDArray[np.float32], frame: Frame, cell: tuple[Picture, NDArray[np.bool_]], shift: float) -> float:
    """Of the evidence in the cell, where the map is drawn so much of its cell lower and more to the right."""
    picture, outline = cell
    off = shift * frame.side / len(values)
    tiled = Frame(frame.x + off, frame.y + off, frame.side)
    return share_inside(paste(values, frame, picture.shape, tiled), outline)


if __name__ == "__main__":
    raise SystemExit(main())

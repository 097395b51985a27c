"""Every method's heat maps for many pictures, and checks of them that say more than where the evidence lies."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hematovision.cells import output_index
from hematovision.smear.framing import Frame
from hematovision.training.measuring.map_batches import ManyMaps
from hematovision.training.measuring.map_quality import BATCH, Case, Maps, mean_of
from hematovision.vision.classifier import Classifier
from hematovision.vision.gradients import Gradients
from hematovision.vision.heatmap import lay_signed, positive, shift_of
from hematovision.vision.methods import GRADCAM, OCCLUSION, SCORECAM, SMOOTHGRAD, WEIGHTS
from hematovision.vision.occlusion import occlusion_map
from hematovision.vision.passes import Seen, seen_of
from hematovision.vision.quality import agreement, curves, random_map
from hematovision.vision.scorecam import score_cam

FEW = 50
"""Pictures of the sample whose maps are made once more under random weights."""
RANDOM = "random"
"""A map that knows nothing, among those of deletion and insertion."""

Sample = Sequence[tuple[Case, Maps]]


class Makers:
    """The maps, before scaling, that the app shows, made in this process and many at a time where they can be."""

    def __init__(self, classifier: Classifier, gradients: Gradients):
        self._classifier = classifier
        self._shift = shift_of(classifier.card)
        self._many = ManyMaps(gradients, self._shift)

    def of_all(self, cases: Sequence[Case]) -> list[Maps]:
        """Those of one pass and one way back, for each case; Grad-CAM is the one that comes with the answer."""
        found = self._many.by_layers(self._inputs(cases), _indices(cases))
        for maps, case in zip(found, cases, strict=True):
            maps[GRADCAM] = case.prediction.map_of(*case.target)
        return found

    def of_sampled(self, case: Case) -> Maps:
        """Those that take many passes, and saliency."""
        seen = self._seen(case)
        inputs, empty, forward = seen.inputs, seen.empty, self._classifier.logits_of
        features = self._many.features(inputs[None])[0]
        (slopes,) = self._many.saliency(inputs[None], _indices([case]))
        return {
            SCORECAM: score_cam(inputs, features, case.target, empty, forward),
            OCCLUSION: occlusion_map(inputs, case.target, empty, forward),
            **slopes,
            SMOOTHGRAD: self._many.smoothgrad(inputs, output_index(*case.target)),
        }

    def checks(self, sample: Sample) -> dict[str, Any]:
        """Deletion and insertion, agreement of the methods, and how much of a map random weights leave."""
        return {
            "faithfulness": self._faithfulness(sample),
            "agreement": self._agreement(sample),
            "random_weights": self._random_weights(sample[:FEW]),
        }

    def _faithfulness(self, sample: Sample) -> dict[str, Any]:
        """Mean area under both curves, of each method's map and of a random one, which is the same in all pictures."""
        areas = []
        for case, maps in tqdm(sample, desc="deletion and insertion", unit="picture"):
            seen = self._seen(case)
            values = [*self._squared(maps).values(), random_map(self._size)]
            found = curves(seen.inputs, values, case.target, seen.empty, self._classifier.logits_of)
            areas.append([(deletion.area, insertion.area) for deletion, insertion in found])
        by_map = np.array(areas).transpose(1, 2, 0)
        return {
            "n": len(sample),
            "maps": {
                name: {"deletion": mean_of(deletion), "insertion": mean_of(insertion)}
                for name, (deletion, insertion) in zip([*sample[0][1], RANDOM], by_map, strict=True)
            },
        }

    def _agreement(self, sample: Sample) -> dict[str, Any]:
        """Mean rank correlation of each two methods' maps, over the pictures where both have evidence."""
        names = list(sample[0][1])
        squared = [list(self._squared(maps).values()) for _, maps in sample]
        rows: list[list[float | None]] = [[1.0] * len(names) for _ in names]
        for i in range(len(names)):
            for j in range(i):
                known = [r for maps in squared if (r := agreement(maps[i], maps[j])) is not None]
                rows[i][j] = rows[j][i] = float(np.mean(known)) if known else None
        return {"n": len(sample), "maps": names, "rows": rows}

    def _random_weights(self, sample: Sample) -> dict[str, Any]:
        """Mean rank correlation of a map with that under random weights (Adebayo et al. 2018).

        Of whole maps, what speaks against the answer included: random weights may leave nothing that speaks for it.
        For the methods that take no more than a pass and a way back: others would take an hour.
        """
        found: dict[str, dict[str, Any]] = {}
        for weights in WEIGHTS[1:]:
            known: dict[str, list[float]] = {}
            for start in range(0, len(sample), BATCH):
                cases = [case for case, _ in sample[start : start + BATCH]]
                inputs, indices = self._inputs(cases), _indices(cases)
                parts = (self._many.by_layers(inputs, indices, weights), self._many.saliency(inputs, indices, weights))
                for (_, before), layers, slopes in zip(sample[start:], *parts, strict=False):
                    after = self._whole(layers | slopes)
                    for name, values in self._whole(before).items():
                        if name in after and (r := agreement(values, after[name])) is not None:
                            known.setdefault(name, []).append(r)
            for name, correlations in known.items():
                found.setdefault(name, {})[weights] = mean_of(np.array(correlations)) | {"n": len(correlations)}
        return {"n": len(sample), "maps": found}

    @property
    def _size(self) -> int:
        return self._classifier.card.size

    def _squared(self, maps: Maps) -> Maps:
        """Their evidence at the network's size, (size, size)."""
        return self._whole({name: positive(raw) for name, raw in maps.items()})

    def _whole(self, maps: Maps) -> Maps:
        """The same with their signs, not scaled."""
        whole, shape = Frame(0, 0, self._size), (self._size, self._size)
        return {name: lay_signed(raw, whole, shape, name, self._shift) for name, raw in maps.items()}

    def _inputs(self, cases: Sequence[Case]) -> NDArray[np.uint8]:
        return np.stack([self._seen(case).inputs for case in cases])

    def _seen(self, case: Case) -> Seen:
        return seen_of(case.picture, case.frame, self._size)


def _indices(cases: Sequence[Case]) -> list[int]:
    return [output_index(*case.target) for case in cases]

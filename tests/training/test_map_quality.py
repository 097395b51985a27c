"""Every method's maps over many pictures: made as the worker makes them, and measured beside maps that saw nothing."""

from itertools import combinations

import numpy as np
import pytest

from hematovision import images
from hematovision.cells import CELL_CLASSES, CLASS_HEAD, output_index
from hematovision.smear.cell_mask import cell_regions
from hematovision.smear.framing import Frame, cut
from hematovision.training.measuring import map_batches, map_checks
from hematovision.training.measuring import map_quality as module
from hematovision.training.measuring.map_batches import ManyMaps
from hematovision.training.measuring.map_quality import map_quality
from hematovision.vision.classifier import Classifier
from hematovision.vision.gradients import Gradients
from hematovision.vision.heatmap import common, fused, lay, positive
from hematovision.vision.methods import DEPTHS, METHODS
from hematovision.vision.quality import placement

FAST = {"gradcam", "gradcam++", "layercam-common", "layercam-fused"}
SLOW = {"scorecam", "occlusion", "saliency", "smoothgrad"}


@pytest.fixture(scope="module")
def gradients(tiny_model):
    return Gradients(tiny_model)


@pytest.fixture(scope="module")
def eight(records):
    return [record for record in records if record.split == "test"]


@pytest.fixture(scope="module")
def measured(tiny_model, eight, gradients):
    """All of it on eight cells, with four in the sample and two under random weights.

    With next to no noise, SmoothGrad is saliency, whatever the weights.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(map_batches, "SMOOTH_NOISE", 1e-4)
        patch.setattr(module, "SAMPLE", 4)
        patch.setattr(module, "BATCH", 3)
        patch.setattr(map_checks, "BATCH", 3)
        patch.setattr(map_checks, "FEW", 2)
        return map_quality(Classifier(tiny_model), eight, gradients=gradients)


@pytest.mark.filterwarnings("ignore:The structure of")  # tf-keras-vis puts its inputs into a list
def test_maps_of_many_are_those_that_the_worker_makes_one_by_one(gradients, eight):
    pictures = [images.read(record.path) for record in eight[:2]]
    inputs = np.stack([cut(picture, Frame.of_cell(picture), 64) for picture in pictures])
    indices = [output_index(CLASS_HEAD, label) for label in ("monocyte", "platelet")]
    many = ManyMaps(gradients)
    for weights in ("trained", "all"):
        layers = many.by_layers(inputs, indices, weights)
        slopes = many.saliency(inputs, indices, weights)
        for picture, index, maps in zip(inputs, indices, map(dict.__or__, layers, slopes), strict=True):
            depths = [gradients.map_by("layercam", picture, index, depth, weights) for depth in DEPTHS]
            wanted = {
                "gradcam": gradients.raw_map(picture, index, weights),
                "gradcam++": gradients.map_by("gradcam++", picture, index, DEPTHS[-1], weights),
                "layercam-common": common(depths),
                "layercam-fused": fused(depths),
                "saliency": gradients.map_by("saliency", picture, index, DEPTHS[-1], weights),
            }
            assert set(maps) == set(wanted)
            for name, values in wanted.items():
                assert maps[name].shape == values.shape
                assert np.allclose(positive(maps[name]), positive(values), atol=1e-3), (name, weights)
    assert np.allclose(many.features(inputs)[1], gradients.features_of(inputs[1], "trained"), atol=1e-3)


@pytest.mark.filterwarnings("ignore:The structure of")  # tf-keras-vis puts its inputs into a list
def test_smoothgrad_has_the_noise_of_the_worker(gradients, eight, monkeypatch):
    monkeypatch.setattr(map_batches, "SMOOTH_SAMPLES", 4)
    picture = images.read(eight[0].path)
    inputs = cut(picture, Frame.of_cell(picture), 64)
    many = ManyMaps(gradients)
    wanted = sum(gradients.noisy_saliency(inputs, 2, first, 2, "trained") for first in (0, 2)) / 4
    # In one run of many a few pixels differed; a ReLU's kink may do that, but it could not be made to happen again.
    is_same = np.isclose(positive(many.smoothgrad(inputs, 2)), positive(wanted), atol=0.01)
    assert is_same.mean() > 0.95
    assert not np.allclose(positive(many.saliency(inputs[None], [2])[0]["saliency"]), positive(wanted), atol=0.05)


def test_a_network_too_shallow_for_layercam_has_the_other_maps(tiny_trained):
    many = ManyMaps(Gradients(tiny_trained))
    inputs = np.full((1, 32, 32, 3), 128, np.uint8)
    assert many.depths == ("last",)
    assert set(many.by_layers(inputs, [0])[0]) == {"gradcam", "gradcam++"}


def test_without_gradients_the_map_of_the_answer_is_measured(tiny_model, eight):
    found = map_quality(Classifier(tiny_model), eight)
    assert found["found"]["n"] == 7  # of eight classes, platelets have none
    assert found["n"] == found["found"]["value"] * 7 >= 5
    assert set(found["methods"]) == {"gradcam"} and "faithfulness" not in found
    gradcam = found["methods"]["gradcam"]
    assert gradcam["n"] + gradcam["without_evidence"] == found["n"]
    for row in (gradcam, found["gaussian"], found["uniform"]):
        cell, nucleus = row["cell"], row["nucleus"]
        assert 0 < nucleus["value"] < cell["value"] <= 1
        assert cell["interval"][0] <= cell["value"] <= cell["interval"][1]
    # An even map holds as much of itself as the cell takes of the picture.
    assert found["uniform"]["cell"]["value"] < 0.3 < found["gaussian"]["cell"]["value"]


def test_figures_are_means_over_the_pictures_and_answers_are_handed_on(tiny_model, eight, monkeypatch):
    classifier = Classifier(tiny_model)
    cells = [record for record in eight if record.label != "platelet"]
    pictures = [images.read(record.path) for record in cells]
    answers = classifier.classify_many([(picture, Frame.of_cell(picture)) for picture in pictures])
    placed = []
    for picture, answer in zip(pictures, answers, strict=True):
        evidence = lay(answer.map_of(CLASS_HEAD, answer.label), Frame.of_cell(picture), picture.shape)
        regions = cell_regions(picture)
        placed.append(placement(evidence, regions) if regions is not None else None)
    known = [one for one in placed if one is not None]
    asked = []
    monkeypatch.setattr(Classifier, "classify_many", lambda self, pictures: asked.extend(pictures) or [])
    found = map_quality(classifier, cells, answers)
    assert asked == []
    for region in ("cell", "nucleus"):
        for row, of in ((found["methods"]["gradcam"], "evidence"), (found["uniform"], "uniform")):
            wanted = np.mean([getattr(getattr(one, of), region) for one in known])
            assert row[region]["value"] == pytest.approx(wanted, abs=1e-9)


def test_every_method_that_is_offered_is_measured(measured):
    assert set(measured["methods"]) == FAST | SLOW
    offered = {name.split("-")[0] for name in METHODS}
    assert {name.split("-")[0] for name in measured["methods"]} == offered
    for name, row in measured["methods"].items():
        assert row["n"] + row["without_evidence"] == (measured["n"] if name in FAST else 4)


def test_the_checks_are_made_on_the_sample(measured):
    names = list(measured["methods"])
    areas = measured["faithfulness"]
    assert areas["n"] == 4 and list(areas["maps"]) == [*names, "random"]
    assert all(0 <= row[way]["value"] <= 1 for row in areas["maps"].values() for way in ("deletion", "insertion"))
    agreement = measured["agreement"]
    assert agreement["n"] == 4 and agreement["maps"] == names
    for i, j in combinations(range(len(names)), 2):
        assert agreement["rows"][i][j] == agreement["rows"][j][i]
        assert agreement["rows"][i][j] is None or -1 <= agreement["rows"][i][j] < 1
    known = dict(zip(names, agreement["rows"][names.index("saliency")], strict=True))
    assert known.pop("saliency") == 1 and known.pop("smoothgrad") > 0.95
    assert all(value is None or value < 0.95 for value in known.values())
    random = measured["random_weights"]
    assert random["n"] == 2 and set(random["maps"]) <= FAST | {"saliency"}
    for row in random["maps"].values():
        assert all(-1 <= one["value"] < 1 and one["n"] <= 2 for one in row.values())


def test_without_a_cell_nothing_is_made_up(tiny_model, records, gradients):
    platelets = [record for record in records if record.label == "platelet"]
    found = map_quality(Classifier(tiny_model), platelets, gradients=gradients)
    assert found["n"] == 0 and found["methods"] == {} and "gaussian" not in found and "agreement" not in found


def test_classes_are_those_that_have_a_nucleus():
    assert set(module.NO_NUCLEUS) < set(CELL_CLASSES)

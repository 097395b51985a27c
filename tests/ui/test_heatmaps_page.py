"""The Heat maps page as Streamlit runs it without a browser, with every method but Grad-CAM answering at once."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision import images
from hematovision.cells import CELL_CLASSES, output_index
from hematovision.errors import ModelError, WorkerError
from hematovision.services import open_services
from hematovision.services.explain import Subject
from hematovision.ui.explore.cover import SIDE, change_in_words, place_of
from hematovision.ui.explore.map_details import adding_up, signed, sum_table
from hematovision.vision.classifier import Classifier
from hematovision.vision.exactness import LogitParts
from hematovision.vision.gradients import GradientWorker
from hematovision.vision.methods import METHODS
from tests.ui.screen import press, texts, visit

CORNER = np.eye(4, dtype=np.float32)


@pytest.fixture
def worker(monkeypatch):
    """What the methods would find, at once and the same for every target: in some cells they may see nothing.

    Only Grad-CAM is real, which comes with the answer.
    """
    asked = []

    def map_by(self, method, inputs, target, depth="last", weights="trained"):
        asked.append((method, depth))
        return CORNER * (method != "gradcam++")

    def forward_only(method):
        return lambda *arguments: asked.append((method, "common")) or CORNER

    monkeypatch.setattr("hematovision.services.explain.score_cam", forward_only("scorecam"))
    monkeypatch.setattr("hematovision.services.explain.occlusion_map", forward_only("occlusion"))
    monkeypatch.setattr(GradientWorker, "map_by", map_by)
    monkeypatch.setattr(GradientWorker, "raw_map", lambda self, inputs, target, weights="trained": CORNER)
    return asked


@pytest.fixture
def maps(app, worker):
    """With both maps that are there where nobody chose any."""
    visit(app, "explore/heatmaps")
    press(app, "maps-show-layercam")
    return app


def alts(app) -> list[str]:
    return [image.alt for found in app.get("image") for image in found.proto.imgs]


def names(app) -> list[str]:
    """The pictures, by their content."""
    return [image.url for found in app.get("image") for image in found.proto.imgs]


def cell(app):
    return app.session_state["maps-cell"]


def choose(app, *methods):
    app.session_state["maps-methods"] = list(methods)
    app.run()
    assert not app.exception


def unfold(app, section):
    app.session_state[f"maps-{section}"] = True
    app.run()
    assert not app.exception


def own(app) -> str:
    return cell(app).prediction.label.replace("_", " ")


def test_no_tensorflow_starts_by_itself(app, worker):
    visit(app, "explore/heatmaps")
    assert [alt.split(":")[0] for alt in alts(app)] == ["The cell", "Grad-CAM"] and worker == []
    press(app, "maps-another")
    unfold(app, "quality")
    assert worker == []
    # Who chooses methods by hand has asked for them.
    pills = app.get("button_group")
    (methods,) = [group for group in pills if group.key == "maps-methods"]
    methods.set_value(["gradcam", "layercam", "saliency"]).run()
    assert len(alts(app)) == 4 and {method for method, _ in worker} == {"layercam", "saliency"}


def test_one_sees_the_cell_and_two_maps_of_the_models_own_answer(maps):
    key = cell(maps).record.label.replace("_", " ")
    assert alts(maps) == [
        f"The cell: {key}",
        f"Grad-CAM: heat map of what speaks for {own(maps)}",
        f"LayerCAM, what all depths show: heat map of what speaks for {own(maps)}",
    ]
    words = texts(maps)
    assert f"Key: **{key.capitalize()}**. The model says **{own(maps)}**, " in words
    assert f"What speaks for {own(maps)}" in words and "own peak" in words
    # Both sentences of a method and its paper are there, behind its name.
    method = METHODS["layercam"]
    assert method.good_for in words and method.misleads in words and method.address in words
    assert METHODS["occlusion"].good_for not in words


def test_methods_stand_side_by_side_in_one_order_and_none_is_computed_twice(maps, worker):
    choose(maps, "saliency", "occlusion", "gradcam", "scorecam", "layercam")
    assert [alt.split(":")[0] for alt in alts(maps)[1:]] == [
        "Grad-CAM",
        "LayerCAM, what all depths show",
        "Score-CAM",
        "Occlusion",
        "Saliency",
    ]
    asked = sorted(worker)
    assert {method for method, _ in asked} == {"layercam", "scorecam", "occlusion", "saliency"}
    assert len(set(asked)) == len(asked)
    maps.selectbox(key="maps-depth").set_value("fine").run()
    assert "LayerCAM, fine depth" in alts(maps)[2] and sorted(worker) == asked
    choose(maps)
    assert alts(maps)[1:] == [] and not maps.exception


def test_any_attribute_value_is_a_target_and_stays_one_for_the_next_cell(maps):
    before = names(maps)
    maps.selectbox(key="maps-target").set_value(("granularity", "yes")).run()
    assert alts(maps)[1] == "Grad-CAM: heat map of what speaks for granularity: yes"
    assert names(maps)[0] == before[0] and names(maps)[1] != before[1]
    press(maps, "maps-another")
    assert alts(maps)[1] == "Grad-CAM: heat map of what speaks for granularity: yes"
    assert names(maps)[0] != before[0]


def test_the_look_changes_the_map_and_never_the_cell(maps):
    seen = {names(maps)[1]}
    for change in (
        lambda: maps.slider(key="maps-opacity").set_value(20),
        lambda: maps.slider(key="maps-threshold").set_value(50),
        lambda: maps.toggle(key="maps-outline").set_value(True),
        lambda: maps.segmented_control(key="maps-colors").set_value("Magma"),
    ):
        first = names(maps)[0]
        change().run()
        assert not maps.exception and names(maps)[0] == first and names(maps)[1] not in seen
        seen.add(names(maps)[1])
    assert "hidden below 50 %" in texts(maps)


def test_a_map_without_evidence_is_words_and_no_picture(maps):
    choose(maps, "gradcam", "gradcam++")
    assert [alt.split(":")[0] for alt in alts(maps)] == ["The cell", "Grad-CAM"]
    assert [info.value for info in maps.info] == [f"By Grad-CAM++ nothing in this picture speaks for {own(maps)}."]
    choose(maps, "gradcam++")
    unfold(maps, "quality")
    assert "There is no map to measure." in texts(maps)


def test_what_the_model_takes_for_no_cell_gets_no_map(maps):
    gray = images.encode_png(np.full((200, 200, 3), 128, np.uint8))
    maps.segmented_control(key="maps-source").set_value("Upload").run()
    maps.file_uploader(key="maps-upload").set_value(("gray.png", gray, "image/png")).run()
    assert not maps.exception and alts(maps) == ["The cell"]
    words = texts(maps)
    assert "Not a blood cell" in words and "there is no heat map" in words
    assert not [label for label in CELL_CLASSES if f"The model says **{label}" in words]
    press(maps, "maps-another")
    assert len(alts(maps)) == 3


def test_a_large_photograph_is_looked_at_no_larger_than_it_is_shown(maps):
    large = images.encode_png(cell(maps).picture.repeat(6, axis=0).repeat(6, axis=1))
    maps.segmented_control(key="maps-source").set_value("Upload").run()
    maps.file_uploader(key="maps-upload").set_value(("cell.png", large, "image/png")).run()
    assert not maps.exception and cell(maps).record is None and max(cell(maps).picture.shape) == 800


def test_a_file_that_is_no_picture_is_refused_and_the_former_cell_stays(maps):
    before = names(maps)
    maps.segmented_control(key="maps-source").set_value("Upload").run()
    maps.file_uploader(key="maps-upload").set_value(("cell.png", b"no picture", "image/png")).run()
    assert maps.error and not maps.exception and names(maps) == before


def test_each_cell_of_a_field_can_be_taken_out(maps, field):
    maps.segmented_control(key="maps-source").set_value("Upload").run()
    png = images.encode_png(field.picture)
    maps.file_uploader(key="maps-upload").set_value(("field.png", png, "image/png")).run()
    assert not maps.exception and cell(maps).record is None
    first = names(maps)
    assert alts(maps)[-1] == "The cell" or "The field, its cells numbered" in alts(maps)
    maps.segmented_control(key="maps-nth").set_value(2).run()
    assert not maps.exception and names(maps) != first
    height, width = cell(maps).picture.shape[:2]
    assert max(height, width) < 400 and cell(maps).number == 3


def test_a_class_and_an_example_can_be_chosen_and_stay_for_the_next_visit(maps):
    maps.selectbox(key="maps-class").set_value("platelet").run()
    assert cell(maps).record.label == "platelet"
    ids = open_ids(maps)
    assert maps.number_input(key="maps-example").max == len(ids["platelet"])
    maps.number_input(key="maps-example").set_value(2).run()
    assert cell(maps).record.picture_id == ids["platelet"][1]
    press(maps, "maps-another")
    assert cell(maps).record.label == "platelet" and cell(maps).record.picture_id != ids["platelet"][1]
    before = names(maps)
    visit(maps, "about/library")
    visit(maps, "explore/heatmaps")
    assert names(maps) == before and maps.selectbox(key="maps-class").value == "platelet"


def open_ids(app):
    from hematovision.settings import load_settings

    return open_services(load_settings()).pictures.library.to_ask


def test_a_contrast_is_signed_and_says_who_is_ahead(maps):
    unfold(maps, "contrast")
    before = names(maps)[-1]
    logits = cell(maps).prediction.logits[:8]
    one, other = np.argsort(-logits)[:2]
    name = CELL_CLASSES[other].replace("_", " ")
    assert alts(maps)[-1] == f"Grad-CAM: what speaks for {own(maps)} rather than {name}"
    words = texts(maps).replace("−", "-")
    first, second = (round(float(logits[nth]), 2) for nth in (one, other))
    assert f"The scores are {first:.2f} and {second:.2f}: {own(maps)} is ahead by {first - second:.2f}." in words
    assert f"Speaks for {name}" in words and f"for {own(maps)}" in words
    maps.selectbox(key="maps-target").set_value(("cell_class", CELL_CLASSES[other])).run()
    maps.selectbox(key="maps-other").set_value(CELL_CLASSES[one]).run()
    assert names(maps)[-1] != before
    assert f"{name} is behind by {first - second:.2f}" in texts(maps)
    maps.selectbox(key="maps-target").set_value(("granularity", "no")).run()
    assert alts(maps)[-1] == "Grad-CAM: what speaks for granularity: no rather than granularity: yes"


def figures(html: str) -> list[float]:
    found = re.findall(r'class="number">([^<]+)<', html)
    return [float(number.replace("−", "-")) for number in found]


def test_the_sum_shown_is_the_score_shown(maps):
    maps.selectbox(key="maps-class").set_value("neutrophil").run()
    unfold(maps, "sum")
    (html,) = [e.proto.body for e in maps.get("html") if "hv-sum" in e.proto.body and "<style>" not in e.proto.body]
    *parts, total = figures(html)
    assert len(parts) == 4 and sum(parts) == pytest.approx(total, abs=1e-9)
    answer = cell(maps).prediction
    assert total == pytest.approx(answer.logits[output_index("cell_class", answer.label)], abs=0.0051)


@settings(deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=5))
def test_figures_that_are_added_up_give_their_sum(values):
    *shown, total = adding_up(values)
    assert sum(shown) == total == round(100 * sum(values))
    assert all(abs(number - 100 * value) < 1 for number, value in zip(shown, values, strict=True))


def test_a_cell_without_nucleus_has_no_row_for_it():
    parts = LogitParts(3.1, 0.4, -0.2, 0.1)
    assert figures(sum_table(parts)) == [3.1, 0.4, -0.2, 0.1, 3.4]
    assert figures(sum_table(parts, has_nucleus=False)) == [3.5, -0.2, 0.1, 3.4]
    assert signed(-20) == "−0.20" and signed(0) == "0.00"


def test_a_covered_place_tells_the_change_of_probability(maps, app_environment):
    unfold(maps, "cover")
    assert "Point at a place" in texts(maps)
    (component,) = maps.get("bidi_component")
    assert json.loads(component.proto.json)["answered"] is None
    maps.session_state["maps-cover-1"] = {"place": {"x": 0.5, "y": 0.5}}
    maps.run()
    it = cell(maps)
    height, width = it.picture.shape[:2]
    explain = open_services(app_environment).explain
    subject = Subject.of(it.picture, it.prediction, frame=it.frame)
    found = explain.occlude(subject, (width / 2, height / 2), SIDE * it.frame.side)
    assert found.probability_before == pytest.approx(it.prediction.probability, abs=1e-4)
    assert found.logit_change != 0 and change_in_words(own(maps).capitalize(), found) in texts_html(maps)
    (component,) = maps.get("bidi_component")
    assert json.loads(component.proto.json)["answered"] == [0.5, 0.5]


def texts_html(app) -> str:
    return "\n".join(e.proto.body for e in app.get("html"))


def test_only_a_place_in_the_picture_is_covered():
    assert place_of({"place": {"x": 0.25, "y": 1}}) == (0.25, 1)
    wrong = [{}, 7, {"x": 0.5}, {"x": 1.1, "y": 0}, {"x": "left", "y": 0}, {"x": float("nan"), "y": 0}]
    assert [place_of({"place": sent}) for sent in wrong] == [None] * len(wrong)
    assert place_of(None) is None


def test_a_mark_is_compared_with_the_cell_and_with_every_map(maps):
    maps.selectbox(key="maps-class").set_value("neutrophil").run()
    unfold(maps, "mark")
    assert "Mark what decides for you." in texts(maps)
    mark = {"x": 0.25, "y": 0.25, "w": 0.5, "h": 0.5}
    maps.session_state[f"maps-mark-{cell(maps).number}"] = {"region": mark}
    maps.run()
    words = texts(maps)
    assert "% nucleus, " in words and "20 % of the picture" in words
    rows = re.findall(r"<tr><th[^>]*>([^<]+)</th><td>([^<]+)</td></tr>", texts_html(maps))
    assert [name for name, _ in rows] == ["Grad-CAM", "LayerCAM, what all depths show"]
    assert all(re.fullmatch(r"[<>]? ?\d+ %", share) for _, share in rows)


def test_quality_is_measured_on_demand_with_n_and_seed(maps):
    maps.selectbox(key="maps-class").set_value("neutrophil").run()
    unfold(maps, "quality")
    words = texts(maps) + texts_html(maps)
    assert "A spot in the middle" in words and "Even everywhere" in words and "Rank correlation" in words
    assert "(n = 1)" in words and "Random map" not in words and "Heads random" not in words
    press(maps, "maps-faithfulness")
    words = texts(maps) + texts_html(maps)
    assert "Deletion, less is better" in words and "Random map" in words and "(seed 0)" in words
    press(maps, "maps-sanity")
    words = texts_html(maps)
    assert "Heads random" in words
    # The worker's map is the same with any weights: the check says so.
    assert "<td>1.00</td><td>1.00</td><td>1.00</td>" in words
    # Another target was not measured.
    maps.selectbox(key="maps-target").set_value(("granularity", "yes")).run()
    assert "Random map" not in texts_html(maps) and maps.button(key="maps-faithfulness")


def test_a_model_file_without_features_says_so_in_the_place_of_that_map(maps, monkeypatch):
    def features_of(self, inputs):
        raise ModelError("The model file does not give its last feature map away.", "Export the model again.")

    monkeypatch.setattr(Classifier, "features_of", features_of)
    choose(maps, "gradcam", "scorecam")
    assert "Export the model again." in maps.error[0].value
    assert alts(maps)[1].startswith("Grad-CAM: ") and len(alts(maps)) == 2


def test_work_that_was_stopped_waits_until_one_goes_on(maps):
    it = cell(maps)
    key = (it.number, ("cell_class", it.prediction.label), "occlusion", "common", "")
    maps.session_state["maps-stopped"] = {key}
    choose(maps, "gradcam", "occlusion")
    assert "Occlusion was stopped." in texts(maps) and len(alts(maps)) == 2
    (button,) = [button for button in maps.button if button.label == "Go on"]
    press(maps, button.key)
    assert len(alts(maps)) == 3 and "was stopped" not in texts(maps)


def test_from_classify_one_goes_on_with_the_same_cell(app, worker):
    visit(app, "explore/classify")
    press(app, "classify")
    record = app.session_state["record"]
    press(app, "more-maps")
    assert [title.value for title in app.title] == ["Heat maps"]
    assert cell(app).record == record and len(alts(app)) == 2


def test_a_dead_worker_is_told_and_the_other_map_stays(maps, monkeypatch):
    def dead(self, *arguments, **options):
        raise WorkerError("The gradient worker stopped in the middle of its work.", "Try again.")

    with monkeypatch.context() as patch:
        patch.setattr(GradientWorker, "map_by", dead)
        press(maps, "maps-another")
        assert "stopped in the middle of its work" in texts(maps) and len(alts(maps)) == 2
    press(maps, "maps-another")
    assert "stopped in the middle" not in texts(maps) and len(alts(maps)) == 3

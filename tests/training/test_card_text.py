"""The card in words says what the card in figures says, and `model/CARD.md` is what it says."""

import copy
from dataclasses import replace

import pytest

from hematovision.settings import ROOT
from hematovision.training.card.text import (
    TEXT_FILE,
    card_text,
    figures,
    headline,
    not_measured,
    place_name,
    sections,
)
from hematovision.vision.card import load_card
from hematovision.vision.wrong_cells import load_wrong_cells
from tests.training.full_card import full_card, older_heat_maps, wrong_cells


def words_of(card, key, wrong=None):
    found = next(section for section in sections(card, wrong) if section.key == key)
    return f"{found.words}\n{found.table}"


def test_the_text_beside_the_shipped_card_is_that_of_the_card():
    card = load_card(ROOT / "model")
    written = (ROOT / "model" / TEXT_FILE).read_text(encoding="utf-8")
    assert written == card_text(card.raw, load_wrong_cells(card)), (
        "write it with: python -m hematovision evaluate --data FOLDER --write"
    )


def test_the_headline_says_what_it_is_and_how_well_it_does():
    card = full_card()
    assert headline(card) == (
        "MobileNetV2 at 224 pixels, which sees one picture of one stained blood cell, names 75.0 % "
        "(40.9 % to 92.9 %, n = 8) of the cells of PBC test right. For teaching, not for diagnosis."
    )
    assert "is unmeasured" in headline(card | {"metrics": {}})


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("data", "| train | 9,399 |"),
        ("results", "| all eight classes | 75.0 % (40.9 % to 92.9 %, n = 8) |"),
        ("report", "| neutrophil | 50.0 % (9.5 % to 90.5 %, n = 2) | 100.0 % | 66.7 % |"),
        ("confusion", "| **neutrophil** | · | · | · | 1 | · | · | 1 | · |"),
        ("confusion", "Most often: neutrophil taken for immature granulocyte (1)"),
        ("attributes", "| granularity | 90.0 % | 80.0 % |"),
        ("curves", "2 epochs; epoch 2 was chosen, the best on val (n = 1,710)."),
        ("curves", "that of val is of the class alone"),
        ("curves", "| epoch | phase | training loss | val loss of the class |"),
        ("curves", "| 1 | frozen | 1.500 | 0.400 | 85.0 % | 87.0 % |"),
        ("calibration", "| PBC test | 8 | 0.0125 | 0.3000 (0.2000 to 0.4000) | 0.1000 (0.0500 to 0.1500) |"),
        ("calibration", "| 90.0 % | 6 | 95.0 % | 83.3 % |"),
        ("elsewhere", "a laboratory that was never trained on"),
        (
            "elsewhere",
            "light and detail of pictures and the shipped models were chosen, so these figures are somewhat kind",
        ),
        ("elsewhere", "Core four named right: 50.0 % (9.5 % to 90.5 %, n = 2)."),
        (
            "elsewhere",
            "The key calls 4 cells eosinophils in which we see neutrophils, and 3 in which we see neither: read so, by "
            "eye, with the key in view and by no hematologist, and without the unclear ones, 100.0 % (20.7 % to "
            "100.0 %, n = 1) of the core four are named right.",
        ),
        ("refusal", "Of kinds that no threshold was fitted to: 90.0 % (59.6 % to 98.2 %, n = 10)"),
        ("refusal", "| text | 100.0 % |"),
        ("unfamiliar", "in 93.0 % of all pairs (AUROC)"),
        ("unfamiliar", "| Unfamiliar | 0.0 % (0.0 % to 32.4 %, n = 8) | 50.0 % (9.5 % to 90.5 %, n = 2) |"),
        ("answer_sets", "| all | 100.0 % (67.6 % to 100.0 %, n = 8) | 1.25 |"),
        ("heat_maps", "| LayerCAM, what all depths show | 6 | 94.0 % (93.0 % to 95.0 %) | 80.0 % (78.0 % to 82.0 %) |"),
        ("heat_maps", "| Score-CAM | 3 | 75.0 % (74.0 % to 76.0 %) | 55.0 % (53.0 % to 57.0 %) |"),
        ("heat_maps", "| Even | 6 | 27.0 % (26.0 % to 28.0 %) | 12.0 % (10.0 % to 14.0 %) |"),
        (
            "heat_maps",
            "The app shows Grad-CAM (70.0 % of its evidence in the cell) and LayerCAM, what all depths show (94.0 %",
        ),
        ("heat_maps", "LayerCAM, what all depths show: no method measured here has more of its evidence in the cell."),
        ("heat_maps", "| Random map | 50.0 % (48.0 % to 52.0 %) | 60.0 % (57.0 % to 63.0 %) |"),
        ("heat_maps", "Not clear of a random map in both: Score-CAM."),
        ("heat_maps", "| **Score-CAM** | – | 0.25 | 1.00 |"),
        ("heat_maps", "| Grad-CAM | 0.20 (0.10 to 0.30) | 0.10 (0.00 to 0.20) | -0.05 (-0.15 to 0.05) |"),
        (
            "heat_maps",
            "with all weights random, LayerCAM, what all depths show (0.42) still keeps 0.3 or more: such a map",
        ),
        ("defects", "Annotators called 40.0 % of the cells that PBC names segmented a band"),
        ("limits", "12.5 % of test are eosinophils"),
        ("reproduce", "| seed | 1 |"),
    ],
)
def test_every_part_says_its_figures(key, said):
    assert said in words_of(full_card(), key)


def test_a_card_from_before_there_were_methods_says_what_it_has():
    card = full_card()
    card["metrics"]["heatmaps"] = older_heat_maps()
    said = words_of(card, "heat_maps")
    assert "0 maps had no evidence." in said and "The app shows" not in said
    assert "| heat map | 90.0 % (89.0 % to 91.0 %) | 60.0 % (58.0 % to 62.0 %) |" in said
    assert "| even | 27.0 % (26.0 % to 28.0 %) | 12.0 % (10.0 % to 14.0 %) |" in said


def test_where_one_method_alone_is_measured_nothing_is_compared():
    card = full_card()
    found = card["metrics"]["heatmaps"]
    for name in ("faithfulness", "agreement", "random_weights"):
        del found[name]
    found["methods"] = {"gradcam": found["methods"]["gradcam"]}
    said = words_of(card, "heat_maps")
    assert "Other methods are not measured yet: `python -m hematovision evaluate" in said
    assert "| Grad-CAM | 6 | 70.0 %" in said and "The app shows" not in said and "sample" not in said


@pytest.mark.parametrize(
    ("lacking", "heading"),
    [
        ("faithfulness", "Areas under both curves"),
        ("agreement", "Rank correlation of two methods' maps"),
        ("random_weights", "Rank correlation with the map under random weights"),
    ],
)
def test_what_was_not_checked_of_heat_maps_has_no_table(lacking, heading):
    card = full_card()
    assert heading in words_of(card, "heat_maps")
    del card["metrics"]["heatmaps"][lacking]
    assert heading not in words_of(card, "heat_maps")


def test_good_heat_maps_are_said_to_be_good():
    card = full_card()
    found = card["metrics"]["heatmaps"]
    found["methods"]["layercam-common"] = {"n": 0, "without_evidence": 6}
    del found["methods"]["scorecam"], found["faithfulness"]["maps"]["scorecam"]
    found["random_weights"]["maps"]["layercam-common"]["all"]["value"] = 0.29
    said = words_of(card, "heat_maps")
    assert "The app shows Grad-CAM (70.0 % of its evidence in the cell). " in said
    assert "Grad-CAM: no method measured here has more of its evidence in the cell." in said
    assert "Every method is clear of a random map in both." in said
    assert "no method keeps 0.3 or more with all weights random." in said
    assert "| LayerCAM, what all depths show | 0 | – | – |" in said


def test_a_method_that_is_better_than_those_shown_is_named():
    card = full_card()
    card["metrics"]["heatmaps"]["methods"]["scorecam"]["cell"]["value"] = 0.96
    assert "Score-CAM has more of its evidence there (96.0 %)." in words_of(card, "heat_maps")


def test_every_wrong_cell_is_named_with_what_speaks_for_each_side():
    said = words_of(full_card(), "errors", wrong_cells())
    assert "1 of the n = 8 cells of PBC test" in said
    assert (
        "| neutrophil/BNE_1.jpg | neutrophil | immature granulocyte, 60.0 % | Check | "
        "Nucleus shape: unsegmented-band (62 % : 5 %) | Cell size: big (30 % : 90 %) |"
    ) in said


def test_cells_that_are_refused_are_counted_and_called_refused():
    card = full_card()
    assert "refused" not in words_of(card, "confusion") and "refused" not in words_of(card, "results")
    card["metrics"]["test"]["classes"]["neutrophil"]["n"] += 3
    for key in ("results", "confusion"):
        assert "3 cells were refused as no blood cell: they have no answer, and are wrong." in words_of(card, key)
    wrong = wrong_cells()
    wrong = replace(wrong, cells=(replace(wrong.cells[0], answer="", status="not_blood", hints=()),))
    assert "| neutrophil/BNE_1.jpg | neutrophil | refused | Not blood | – | – |" in words_of(card, "errors", wrong)


def test_a_card_without_figures_names_the_commands_and_makes_nothing_up():
    bare = {"input": {"size": 224}, "temperature": 1.0, "files": {}}
    unmeasured = {s.key: s.words for s in sections(bare, None) if s.words.startswith("Not measured yet")}
    assert set(unmeasured) == {s.key for s in sections(bare, None)} - {"limits", "reproduce"}
    assert unmeasured["heat_maps"] == not_measured("python -m hematovision evaluate --data FOLDER --write --heatmaps")
    assert "python -m hematovision train" in unmeasured["curves"]


@pytest.mark.parametrize("part", ["calibration", "status", "answer_sets"])
def test_what_one_part_lacks_takes_nothing_from_the_others(part):
    card = copy.deepcopy(full_card())
    for place in ("test", "bccd"):
        del card["metrics"][place][part]
    missing = [s.key for s in sections(card, wrong_cells()) if s.words.startswith("Not measured yet")]
    assert missing == {"calibration": ["calibration"], "status": ["unfamiliar"], "answer_sets": ["answer_sets"]}[part]


ADAPTED = {
    "how": {"epochs": 8, "batch_size": 32},
    "pictures": {"learned": 75, "held_out": 25},
    "from": "a5b7e9",
    "data": {"name": "mine", "sha256": "b1c2"},
}


@pytest.mark.parametrize(
    "whose", ["its own", "a former model's", "an older card's", "a teacher's", "the former model's of a teacher"]
)
def test_a_card_tells_of_every_adaptation(whose):
    card = full_card()
    adapted = {"recipe": card["training"]["recipe"], "sha256": "c3", "adaptations": [ADAPTED]}
    if whose == "its own":
        card["adaptations"] = [ADAPTED]
    elif whose == "a former model's":
        card["training"]["former"] = [adapted, adapted]
    elif whose == "an older card's":
        card["training"]["former"] = adapted | {"backbone_weights": "random", "epochs": card["training"]["epochs"]}
    elif whose == "a teacher's":
        card["training"]["teachers"] = {"share": 0.7, "models": [adapted]}
    else:
        card["training"]["teachers"] = {"share": 0.7, "models": [{"sha256": "d4", "former": [adapted]}]}
    assert "Adapted to 75 cells of mine, 25 more were held out; SHA-256 `b1c2`." in words_of(card, "data")
    said = "The model `a5b7e9` was adapted (`--extra`) to mine, whose SHA-256 is above: epochs 8, batch size 32."
    assert said in words_of(card, "reproduce")
    assert ("After these it was adapted, in 8 more epochs." in words_of(card, "curves")) == (whose == "its own")
    elsewhere = words_of(card, "elsewhere")
    assert "never trained on" not in elsewhere
    assert "BCCD, which was not trained on, unless cells of mine come from it, with one" in elsewhere


def test_cells_of_bccd_that_it_was_adapted_to_are_not_called_unseen():
    card = full_card() | {"adaptations": [ADAPTED | {"data": {"name": "BCCD cells", "sha256": "b1"}}]}
    assert "BCCD, which was trained on, with one" in words_of(card, "elsewhere")


def test_epochs_without_annotated_attributes_say_nothing_of_them():
    card = full_card()
    for epoch in card["training"]["epochs"]:
        epoch["val_attribute_accuracy"] = None
    assert "| 1 | frozen | 1.500 | 0.400 | 85.0 % | – |" in words_of(card, "curves")


def test_a_laboratory_that_was_learned_is_not_called_unseen():
    card = full_card()
    assert "BCCD, which was trained on" in words_of(card | {"data": card["data"] | {"name": "BCCD, PBC"}}, "elsewhere")


def test_a_figure_that_is_not_there_is_none():
    assert figures({"a": {"b": 1}}, "a", "b") == 1
    assert figures({"a": {"b": 1}}, "a", "c") is None is figures({"a": 3}, "a", "b")
    assert (place_name({"data": {"name": "PBC"}}, "test"), place_name({}, "bccd")) == ("PBC test", "BCCD fields")

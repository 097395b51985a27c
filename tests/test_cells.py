import pytest

from hematovision import cells
from hematovision.errors import InputError
from hematovision.smear.morphology import KINDS


def test_the_label_order_is_frozen():
    assert tuple(sorted(cells.CELL_CLASSES)) == cells.CELL_CLASSES
    assert len(cells.CELL_CLASSES) == 8
    assert sum(len(values) for values in cells.HEADS.values()) == 39
    assert next(iter(cells.HEADS)) == cells.CLASS_HEAD


def test_slices_of_the_outputs_cover_them_once():
    covered = [i for head in cells.HEADS for i in range(*cells.output_slice(head).indices(39))]
    assert covered == list(range(39))
    assert cells.output_index("granularity", "yes") == 38


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("monocyte", ("cell_class", "monocyte")),
        ("Immature granulocyte", ("cell_class", "immature_granulocyte")),
        ("granularity=yes", ("granularity", "yes")),
        ("nucleus_shape=segmented-bilobed", ("nucleus_shape", "segmented-bilobed")),
    ],
)
def test_a_target_is_a_class_or_an_attribute_value(text, target):
    assert cells.parse_target(text) == target


def test_stages_are_those_that_can_be_drawn_and_belong_to_their_classes():
    assert [(label, stage) for label, stage in KINDS if stage] == [(cells.class_of(s), s) for s in cells.STAGES]
    assert cells.class_of("monocyte") == "monocyte"


def test_names_are_shown_in_words():
    shown = [cells.display_name(name) for name in ("immature_granulocyte", "band", "myelocyte")]
    assert shown == ["Immature granulocyte", "Band neutrophil", "Myelocyte"]


@pytest.mark.parametrize("text", ["neutro", "granularity=maybe", "size=big", "=", ""])
def test_an_unknown_target_names_what_there_is(text):
    with pytest.raises(InputError) as caught:
        cells.parse_target(text)
    assert "Should be one of" in caught.value.hint


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("band", "segmented", True),
        ("band", "metamyelocyte", True),
        ("band", "myelocyte", False),
        ("band", "neutrophil", False),
        ("metamyelocyte", "neutrophil", True),
        ("myelocyte", "neutrophil", False),
        ("band", "immature_granulocyte", True),
        ("segmented", "immature_granulocyte", False),
        ("immature_granulocyte", "neutrophil", True),
        ("band", "monocyte", False),
        ("monocyte", "monocyte", False),
    ],
)
def test_neighbors_follow_each_other_in_maturation(one, other, expected):
    assert cells.are_neighbors(one, other) is cells.are_neighbors(other, one) is expected


def test_look_alikes_are_pairs_of_classes_in_the_order_of_the_names():
    assert list(cells.LOOK_ALIKES) == sorted(cells.LOOK_ALIKES)
    assert all(one < other and {one, other} < set(cells.CELL_CLASSES) for one, other in cells.LOOK_ALIKES)
    assert cells.are_look_alikes("monocyte", "lymphocyte") and cells.are_look_alikes("band", "monocyte")
    assert cells.are_look_alikes("band", "segmented") and cells.are_look_alikes("band", "promyelocyte")
    assert not cells.are_look_alikes("platelet", "monocyte") and not cells.are_look_alikes("monocyte", "monocyte")
    assert cells.pair_of("monocyte", "band") == cells.pair_of("band", "monocyte") == "band|monocyte"


@pytest.mark.parametrize(
    ("key", "choice", "weight"),
    [
        ("monocyte", "monocyte", 0.0),
        ("band", "segmented", 0.25),
        ("band", "metamyelocyte", 0.25),
        ("promyelocyte", "metamyelocyte", 0.25),
        ("immature_granulocyte", "neutrophil", 1.0),
        ("myelocyte", "band", 1.0),
        ("erythroblast", "lymphocyte", 1.0),
        ("erythroblast", "immature_granulocyte", 1.0),
        ("lymphocyte", "erythroblast", 0.75),
        ("monocyte", "lymphocyte", 0.5),
    ],
)
def test_a_missed_finding_weighs_most(key, choice, weight):
    assert cells.severity(key, choice) == weight


def test_white_cells_are_classes_and_stages_are_a_scope():
    assert set(cells.WHITE_CELLS) | {"erythroblast", "platelet"} == set(cells.CELL_CLASSES)
    assert cells.SCOPES["stages"] == ("promyelocyte", "myelocyte", "metamyelocyte", "band", "segmented")

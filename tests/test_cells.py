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

import csv

import numpy as np
import pytest

from hematovision import images
from hematovision.cells import ATTRIBUTES, CELL_CLASSES, STAGES, class_of
from hematovision.content import content
from hematovision.errors import InputError
from hematovision.library.drawn import draw_cell, random_cell
from hematovision.services.atlas import Atlas, drawn_with, never_asked
from hematovision.services.explain import Explain
from hematovision.services.pictures import Pictures


@pytest.fixture
def atlas(app_environment):
    """Of a library in which every cell may be asked."""
    return Atlas(Pictures(app_environment, Explain(app_environment.model)))


@pytest.fixture
def with_train(app_environment, tmp_path):
    """An Atlas beside a data set like PBC: monocytes to learn from (gray 10 to 13, the last typical) and one to ask."""
    typical = {
        attribute: max(values, key=values.get) for attribute, values in content().measured.counts["monocyte"].items()
    }
    root = tmp_path / "data" / "pbc" / "PBC_dataset_normal_DIB" / "monocyte"
    root.mkdir(parents=True)
    rows = []
    for gray, split in ((10, "train"), (11, "train"), (12, "train"), (13, "train"), (200, "test")):
        (root / f"{gray}.png").write_bytes(images.encode_png(np.full((40, 40, 3), gray, np.uint8)))
        size = {"cell_size": "small" if gray == 12 else "big"}
        known = typical if gray == 13 else dict.fromkeys(ATTRIBUTES, "") | size
        rows.append({"name": f"{gray}.png", "split": split} | known)
    with (root.parents[1] / "splits.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    settings = app_environment.model_copy(update={"data": tmp_path / "data"})
    return Atlas(Pictures(settings, Explain(settings.model)))


def grays(exemplars):
    return {int(exemplar.picture[0, 0, 0]) for exemplar in exemplars}


def test_real_cells_come_first_and_never_one_that_is_asked(with_train):
    assert grays(with_train.of_kind("monocyte", 9)) == {10, 11, 12, 13}
    assert not any(exemplar.is_drawn for exemplar in with_train.of_kind("monocyte", 9))
    assert {exemplar.name for exemplar in with_train.of_kind("monocyte", 2)} == {"monocyte"}
    assert all(exemplar.is_drawn for exemplar in with_train.of_kind("lymphocyte", 1))


def test_the_first_turn_shows_typical_cells_and_later_ones_what_else_there_is(with_train):
    assert grays(with_train.of_kind("monocyte", 1)) == {13}
    assert {13} < grays(with_train.of_kind("monocyte", 2))
    assert {10, 11, 12} & set().union(*(grays(with_train.of_kind("monocyte", 1, turn)) for turn in range(1, 9)))


def test_a_typical_cell_has_the_commonest_values_and_a_neutrophil_any_nucleus():
    measured = content().measured
    for name, n in measured.n.items():
        commonest = {attribute: max(counts, key=counts.get) for attribute, counts in measured.counts[name].items()}
        assert n and measured.is_typical(name, commonest) and not measured.is_typical(name, {})
        for attribute, values in ATTRIBUTES.items():
            other = commonest | {attribute: next(value for value in values if value != commonest[attribute])}
            assert measured.is_typical(name, other) == ((name, attribute) == ("neutrophil", "nucleus_shape"))
    assert measured.is_typical("erythroblast", {})


def test_the_same_turn_shows_the_same_cells(with_train):
    first = [grays(with_train.of_kind("monocyte", 1, turn)) for turn in range(6)]
    assert first == [grays(with_train.of_kind("monocyte", 1, turn)) for turn in range(6)]
    assert len(set().union(*first)) > 1


def test_where_all_may_be_asked_other_cells_are_drawn(atlas):
    assert never_asked(atlas._pictures.library) == {}
    asked = [atlas._pictures.picture(i) for i in atlas._pictures.library.records]
    for exemplar in atlas.of_kind("band", 2):
        assert exemplar.is_drawn and exemplar.name == "band" and exemplar.picture.shape == (256, 256, 3)
        assert not any(np.array_equal(exemplar.picture, picture) for picture in asked)
    one, other = atlas.of_kind("band", 1)[0], atlas.of_kind("band", 1, turn=1)[0]
    assert not np.array_equal(one.picture, other.picture)


@pytest.mark.parametrize("name", [*CELL_CLASSES, *STAGES])
def test_every_class_and_stage_has_a_cell(atlas, name):
    (exemplar,) = atlas.of_kind(name, 1)
    assert name in (exemplar.name, class_of(exemplar.name))


def test_cells_with_a_value_are_annotated_ones_or_drawn_so(with_train):
    assert grays(with_train.of_value("cell_size", "small", 3)) == {12}
    assert grays(with_train.of_value("cell_size", "big", 9)) == {10, 11, 13}
    assert all(exemplar.is_drawn for exemplar in with_train.of_value("granule_type", "round", 2))


@pytest.mark.parametrize(("attribute", "value"), [(a, v) for a, values in ATTRIBUTES.items() for v in values])
def test_every_value_can_be_drawn(attribute, value):
    cells = drawn_with(attribute, value)
    assert len(cells) >= 3 and {cell.spec.attributes[attribute] for cell in cells} == {value}


def test_a_drawn_cell_is_that_of_its_seed(atlas):
    (exemplar,) = atlas.of_kind("platelet", 1)
    assert np.array_equal(exemplar.picture, draw_cell(random_cell("platelet", 7_000_000_000)).picture)


def test_unknown_names_are_refused(atlas):
    for call in (
        lambda: atlas.of_kind("blast", 1),
        lambda: atlas.of_value("mood", "blue", 1),
        lambda: atlas.of_value("cell_size", "huge", 1),
    ):
        with pytest.raises(InputError, match="Unknown"):
            call()

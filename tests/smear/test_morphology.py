"""Specs of cells: limits, presets, the way from one to another, and the attributes that follow."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hematovision.cells import ATTRIBUTES, CELL_CLASSES
from hematovision.errors import InputError
from hematovision.smear.morphology import KINDS, LIMITS, CellSpec, morph, plausible, stages, typical

KIND = st.sampled_from(KINDS)


@given(KIND, st.integers(0, 10**6))
def test_plausible_cells_lie_within_the_limits_and_have_known_attributes(kind, seed):
    cell_class, stage = kind
    spec = plausible(cell_class, np.random.default_rng(seed), stage)
    assert (spec.cell_class, spec.stage) == kind
    for name, (low, high) in LIMITS.items():
        assert low <= getattr(spec, name) <= high
    for name, value in spec.attributes.items():
        assert value in ATTRIBUTES[name]
    assert len(spec.attributes) == 11 - 3 * (not spec.has_nucleus) - (spec.stage == "promyelocyte")


def test_every_class_can_be_drawn():
    assert {cell_class for cell_class, _ in KINDS} == set(CELL_CLASSES)
    assert stages("immature_granulocyte") == ("promyelocyte", "myelocyte", "metamyelocyte")
    assert stages("neutrophil") == ("band", "segmented")
    assert stages("monocyte") == ("",)


@pytest.mark.parametrize(
    ("cell_class", "stage", "expected"),
    [
        ("neutrophil", "band", {"nucleus_shape": "unsegmented-band", "granule_colour": "pink", "granularity": "yes"}),
        ("neutrophil", "segmented", {"nucleus_shape": "segmented-multilobed", "granule_type": "small"}),
        ("eosinophil", "", {"granule_type": "round", "granule_colour": "red", "nuclear_cytoplasmic_ratio": "low"}),
        ("basophil", "", {"granule_type": "coarse", "granule_colour": "purple", "cell_size": "small"}),
        ("lymphocyte", "", {"nuclear_cytoplasmic_ratio": "high", "granularity": "no", "cytoplasm_colour": "blue"}),
        ("monocyte", "", {"chromatin_density": "loosely", "cytoplasm_texture": "frosted", "cytoplasm_vacuole": "yes"}),
    ],
)
def test_presets_have_the_attributes_of_their_class(cell_class, stage, expected):
    attributes = typical(cell_class, stage).attributes
    assert {name: attributes[name] for name in expected} == expected


def test_a_platelet_has_no_nuclear_attributes():
    assert not {"nucleus_shape", "nuclear_cytoplasmic_ratio", "chromatin_density"} & set(typical("platelet").attributes)


@given(KIND, KIND)
def test_a_morph_begins_and_ends_where_it_should(first, last):
    start, end = typical(*first), typical(*last)
    at_start, at_end = morph(start, end, 0.0), morph(start, end, 1.0)
    for name in LIMITS:
        assert getattr(at_start, name) == pytest.approx(getattr(start, name))
        assert getattr(at_end, name) == pytest.approx(getattr(end, name))
    assert at_start.attributes == start.attributes and at_end.attributes == end.attributes
    assert at_start.cell_class == start.cell_class and at_end.cell_class == end.cell_class


@given(KIND, KIND, st.floats(0, 1))
def test_a_morph_stays_between_its_ends(first, last, share):
    start, end = typical(*first), typical(*last)
    spec = morph(start, end, share)
    for name in LIMITS:
        low, high = sorted((getattr(start, name), getattr(end, name)))
        assert low - 1e-9 <= getattr(spec, name) <= high + 1e-9


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"diameter": 40.0}, "between 1 and 22"),
        ({"lobes": 0}, "between 1 and 5"),
        ({"basophilia": -0.1}, "between 0 and 1"),
        ({"granule_type": "big"}, "coarse, nil, round, small"),
        ({"cell_class": "neutro"}, "neutrophil"),
    ],
)
def test_what_no_cell_has_is_refused_with_a_hint(change, words):
    with pytest.raises(InputError) as caught:
        replace(typical("neutrophil"), **change)
    assert words in caught.value.hint


def test_unknown_stages_are_named():
    with pytest.raises(InputError, match="no stage of monocyte") as caught:
        typical("monocyte", "band")
    assert "no stages" in caught.value.hint
    with pytest.raises(InputError, match="no stage of neutrophil") as caught:
        typical("neutrophil", "blast")
    assert "band, segmented" in caught.value.hint


def test_granules_need_an_amount_a_kind_and_a_color():
    spec = CellSpec("neutrophil", granules=0.5)
    assert not spec.has_granules and spec.attributes["granule_type"] == "nil"
    assert replace(spec, granule_type="small", granule_colour="pink").attributes["granularity"] == "yes"

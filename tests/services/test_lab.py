from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import numpy as np
import pytest

from hematovision.errors import InputError
from hematovision.library.bank import own_set
from hematovision.library.drawn import DrawnCell, draw_cell, read_drawn
from hematovision.services import lab as lab_module
from hematovision.services import open_services
from hematovision.services.lab import Trial, matters, rank, trials, with_granules
from hematovision.smear.morphology import KINDS, LIMITS, NUMBERS, typical
from hematovision.smear.stain import STAINS

MONOCYTE = DrawnCell(typical("monocyte"), "mgg", 5)
PLATELET = DrawnCell(typical("platelet"), "wright", 5)


@pytest.fixture
def services(app_environment):
    return open_services(app_environment)


@pytest.fixture
def drawings(monkeypatch):
    """Every cell that the lab draws from now on."""
    drawn = []
    monkeypatch.setattr(lab_module, "draw_cell", lambda cell: drawn.append(cell) or draw_cell(cell))
    return drawn


def test_the_picture_is_that_of_the_cell_and_the_answer_that_of_the_picture(services):
    found = services.lab.draw(MONOCYTE)
    assert np.array_equal(found.drawn.picture, draw_cell(MONOCYTE).picture)
    alone = services.explain.classifier.classify(found.drawn.picture)
    assert found.prediction.probabilities == alone.probabilities


def test_a_cell_is_drawn_once(services, drawings):
    for _ in range(3):
        services.lab.draw(MONOCYTE)
        services.lab.draw(replace(MONOCYTE))
    assert drawings == [MONOCYTE]


def test_features_drawn_stand_beside_features_seen(services):
    found = services.lab.draw(MONOCYTE)
    assert [(name, drawn) for name, drawn, _ in found.features] == list(MONOCYTE.spec.attributes.items())
    assert {name: seen for name, _, seen in found.features} == found.prediction.attributes
    missing = [name for name, drawn, _ in services.lab.draw(PLATELET).features if drawn is None]
    assert missing == ["nucleus_shape", "nuclear_cytoplasmic_ratio", "chromatin_density"]


def moves(cell: DrawnCell) -> list[tuple[str, object]]:
    """Each trial as its feature and what became of it."""
    found = []
    for trial in trials(cell):
        spec = trial.cell.spec
        after = {"stain": trial.cell.stain, "granule_kind": f"{spec.granule_type} {spec.granule_colour}"}
        found.append((trial.feature, (after | asdict(spec))[trial.feature]))
    return found


def test_every_feature_of_a_platelet_is_moved_and_none_that_it_lacks():
    spec = replace(PLATELET.spec, diameter=5, irregularity=0.1, granule_size=0.2, granules=0.9, vacuoles=0)
    assert moves(replace(PLATELET, spec=replace(spec, ruffles=0.5, basophilia=0.2, acidophilia=0.1))) == [
        ("diameter", 3.0),
        ("diameter", 7.0),
        ("irregularity", 0.0),
        ("irregularity", 0.3),
        ("ruffles", 0.3),
        ("ruffles", 0.7),
        ("nuclear_ratio", 0.2),
        ("basophilia", 0.0),
        ("basophilia", 0.4),
        ("acidophilia", 0.0),
        ("acidophilia", 0.3),
        ("ground_glass", 0.2),
        ("vacuoles", 3),
        ("granules", 0.7),
        ("granules", 1.0),
        ("granule_size", 0.1),
        ("granule_size", 0.4),
        ("granule_kind", "nil nil"),
        ("granule_kind", "round purple"),
        ("granule_kind", "coarse purple"),
        ("granule_kind", "small pink"),
        ("granule_kind", "small red"),
        *(("stain", stain) for stain in STAINS if stain != "wright"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_moves_one_feature_of_the_same_cell_within_its_limits(kind):
    cell = DrawnCell(typical(*kind), "mgg", 9)
    for trial in trials(cell):
        moved, spec = trial.cell, asdict(trial.cell.spec)
        changed = {name for name, value in asdict(cell.spec).items() if spec[name] != value}
        assert moved.seed == cell.seed
        if trial.feature == "stain":
            assert not changed and moved.stain != cell.stain
        elif trial.feature == "granule_kind":
            assert changed <= {"granule_type", "granule_colour", "granules", "granule_size"} and moved.stain == "mgg"
        else:
            assert changed == {trial.feature} and moved.stain == "mgg"
        assert all(LIMITS[name][0] <= spec[name] <= LIMITS[name][1] for name in NUMBERS)


def test_what_a_cell_lacks_makes_no_difference():
    segmented, lymphocyte = typical("neutrophil", "segmented"), typical("lymphocyte")
    assert set(NUMBERS) - matters(segmented) == {"indentation"}
    assert set(NUMBERS) - matters(lymphocyte) == {"granules", "granule_size", "granules_over_nucleus"}
    assert set(NUMBERS) - matters(replace(segmented, granules=0)) == {
        "indentation",
        "granule_size",
        "granules_over_nucleus",
    }
    assert "nuclear_ratio" in matters(PLATELET.spec) and "lobes" not in matters(PLATELET.spec)


def test_a_cell_without_granules_gets_the_usual_ones_of_a_type():
    usual = typical("eosinophil")
    gained = with_granules(typical("lymphocyte"), "round")
    assert gained == replace(
        typical("lymphocyte"),
        granule_type="round",
        granule_colour="red",
        granules=usual.granules,
        granule_size=usual.granule_size,
    )
    assert with_granules(usual, "coarse") == replace(usual, granule_type="coarse")
    assert with_granules(usual, "round", "pink") == replace(usual, granule_colour="pink")
    assert not with_granules(usual, "nil").has_granules


def test_the_greatest_change_comes_first_and_says_what_the_answer_becomes():
    a, b, c = (Trial(name, MONOCYTE) for name in ("lobes", "halo", "stain"))
    answer = {"monocyte": 0.7, "lymphocyte": 0.2, "basophil": 0.1}
    found = [
        (a, {"monocyte": 0.75, "lymphocyte": 0.15, "basophil": 0.1}),
        (b, {"monocyte": 0.3, "lymphocyte": 0.6, "basophil": 0.1}),
        (c, {"monocyte": 0.5, "lymphocyte": 0.2, "basophil": 0.3}),
    ]
    tips = rank(answer, found)
    assert [(tip.trial, round(tip.change, 6), tip.becomes) for tip in tips] == [
        (b, -0.4, "lymphocyte"),
        (c, -0.2, None),
        (a, 0.05, None),
    ]


def test_sensitivity_tells_how_far_it_is_and_draws_nothing_twice(services, drawings):
    seen = []
    tips = services.lab.sensitivity(MONOCYTE, lambda done, total: seen.append((done, total)))
    count = len(trials(MONOCYTE))
    assert seen == [(done, count) for done in range(count)]
    assert {tip.trial for tip in tips} == set(trials(MONOCYTE))
    assert [abs(tip.change) for tip in tips] == sorted((abs(tip.change) for tip in tips), reverse=True)
    assert len(drawings) == count + 1
    assert services.lab.sensitivity(MONOCYTE) == tips and len(drawings) == count + 1


def test_trials_that_were_broken_off_go_on_where_they_stopped(services, drawings):
    def stop(done, total):
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        services.lab.sensitivity(MONOCYTE, stop)
    services.lab.sensitivity(MONOCYTE)
    assert len(drawings) == len(set(drawings))


def test_saved_cells_are_in_the_library_and_their_set_can_be_played(services):
    assert "Mine" not in [quiz_set.title for quiz_set in services.pictures.library.sets.values()]
    assert services.lab.save(MONOCYTE, "Mine") == 1
    assert services.lab.save(MONOCYTE, " Mine ") == 1  # it is in there already
    assert services.lab.save(PLATELET, "Mine") == 2
    assert services.lab.save(PLATELET, "Other") == 1
    library = services.pictures.library
    (own,) = (quiz_set for quiz_set in library.sets.values() if quiz_set.title == "Mine")
    pool = library.pool(own)
    assert {key for key, ids in pool.items() if ids} == {"monocyte", "platelet"}
    (picture_id,) = pool["monocyte"]
    assert library.record(picture_id).attributes == MONOCYTE.spec.attributes
    assert services.pictures.picture(picture_id).shape == (256, 256, 3)


def test_cells_that_are_saved_at_once_are_all_kept(services, app_environment):
    cells = [replace(PLATELET, seed=seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as threads:
        counts = list(threads.map(lambda cell: services.lab.save(cell, "Mine"), cells))
    assert sorted(counts) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len(own_set(app_environment.own_cells, "Mine").cells) == 8
    assert len(read_drawn(app_environment.own_cells)) == 8


def test_a_set_needs_a_name(services, app_environment):
    with pytest.raises(InputError, match="title"):
        services.lab.save(MONOCYTE, "  ")
    assert not app_environment.own_cells.exists()

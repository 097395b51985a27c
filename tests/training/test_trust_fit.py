import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision import images
from hematovision.cells import CELL_CLASSES
from hematovision.library.records import Record
from hematovision.smear.finder import is_stained
from hematovision.training.measuring import trust as module
from hematovision.training.measuring.evaluate import evaluate_cells, evaluate_trust
from hematovision.training.measuring.metrics import auroc, share
from hematovision.training.measuring.noncells import HELD_OUT, KINDS, NO_WHITE_CELL, NOT_FITTED, noncells
from hematovision.training.measuring.trust import (
    UNFAMILIAR,
    Amounts,
    border,
    conformal_thresholds,
    familiarity_scores,
    fit_familiarity,
    fit_likeness,
    fit_subspace,
    fit_trust,
    sample_classes,
)
from hematovision.vision import classifier as engine
from hematovision.vision.classifier import Classifier
from hematovision.vision.trust import TRUST_FILE, conformal_set
from tests.trusted import give_trust, indifferent


def test_every_kind_is_made_again_from_its_seed_and_another_from_another():
    first, again, other = ([n.picture for n in noncells(1, seed)] for seed in (1, 1, 2))
    assert len(first) == len(KINDS) >= 12
    for a, b, c in zip(first, again, other, strict=True):
        assert a.shape == (256, 256, 3) and a.dtype == np.uint8
        assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_a_kind_alone_gives_what_it_gives_among_all():
    alone = next(noncells(1, 3, ("tissue",)))
    assert alone.kind == "tissue"
    assert any(np.array_equal(alone.picture, n.picture) for n in noncells(1, 3, ("flat", "tissue")))


def test_kinds_are_held_out_whole_and_tissue_is_stained_like_blood():
    assert set(KINDS) > HELD_OUT and NO_WHITE_CELL in NOT_FITTED and len(HELD_OUT) >= 8
    assert all(is_stained(n.picture) for n in noncells(3, 1, ("tissue",)))


def test_likeness_counts_in_standard_deviations():
    cells = np.array([0.0, 5.0]) + np.random.default_rng(0).normal(0, (1, 3), (4000, 2))
    at = fit_likeness(cells).scores(np.array([[0, 5], [2, 5], [0, 11], [0, 23]]))
    assert at == pytest.approx([0, -2, -2, -6], abs=0.15)


def test_the_subspace_holds_what_cells_differ_in():
    values = np.random.default_rng(0).normal(0, (9, 5, 0), (200, 3))
    scores = fit_subspace(values, directions=2).scores(values.mean(0) + np.array([[7, 3, 0], [0, 0, 1.0]]))
    assert scores == pytest.approx([0, -1], abs=1e-3)


def test_what_goes_elsewhere_and_what_no_class_speaks_for_are_both_unfamiliar():
    rng = np.random.default_rng(0)

    def answers(count, away=0.0, logit=9.0):
        places = rng.normal(0, 1, (count, 100)) * (np.arange(100) < 3) + away * (np.arange(100) == 50)
        places += rng.normal(0, 0.03, places.shape)
        logits = np.column_stack([logit + rng.normal(0, 1, count), np.zeros((count, 38))])
        return [SimpleNamespace(embedding=e, logits=one) for e, one in zip(places, logits, strict=True)]

    known, checked = answers(200), answers(1000)
    familiarity, familiar_from = fit_familiarity(known, checked)
    at_home = familiarity_scores(familiarity, checked)
    assert (at_home < familiar_from).mean() == pytest.approx(UNFAMILIAR)
    # Either of the two is below -1 in 5 of 100 cells.
    assert 0.05 <= (at_home < -1).mean() <= 0.1
    for strangers in (answers(200, away=9), answers(200, logit=2)):
        assert auroc(at_home, familiarity_scores(familiarity, strangers)) > 0.99


def test_a_feature_that_never_varies_does_no_harm():
    cells = np.column_stack([np.random.default_rng(1).normal(0, 1, 100), np.full(100, 7.0)])
    assert np.isfinite(fit_likeness(cells).scores(np.array([[0.0, 7.0], [0.0, 8.0]]))).all()


def test_the_border_lies_half_way_and_never_within_the_cells():
    assert border(np.full(9, -2.0), np.full(9, -8.0)) == pytest.approx(-4)
    assert border(np.full(9, -2.0), np.full(9, -1.0)) == pytest.approx(-2)


def test_conformal_thresholds_by_hand():
    own = [{"monocyte": p / 100} for p in range(1, 100)]
    least = conformal_thresholds(own, ["monocyte"] * 99)
    assert least["monocyte"] == 0.01 and least["platelet"] == 0
    assert conformal_thresholds(own[1:], ["monocyte"] * 98)["monocyte"] == 0
    assert conformal_thresholds(own, ["monocyte"] * 99, coverage=0.9)["monocyte"] == 0.10


@settings(max_examples=50)
@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=60),
    st.sampled_from((0.5, 0.8, 0.9, 0.95)),
)
def test_of_exchangeable_cells_the_promised_share_is_covered(values, coverage):
    """Each of n + 1 cells in turn is the new one: that many of them are covered, whatever their probabilities are."""
    covered = 0
    for i, new in enumerate(values):
        known = [{"monocyte": p} for p in values[:i] + values[i + 1 :]]
        least = conformal_thresholds(known, ["monocyte"] * len(known), coverage)
        probabilities = dict.fromkeys(CELL_CLASSES, 0.0) | {"monocyte": new, "platelet": 1.1}
        covered += "monocyte" in conformal_set(probabilities, least)
    assert covered >= coverage * len(values) - 1e-9


FEW = Amounts(of_class=2, abroad=3, non_cells=1)


@pytest.fixture
def folder(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "model")


@pytest.fixture(scope="session")
def drawn(cells_folder):
    paths = [(label, path) for label in CELL_CLASSES for path in sorted((cells_folder / label).iterdir())]
    return [Record("drawn", path, label) for label, path in paths]


def test_a_sample_has_its_count_of_each_class(drawn):
    sample = sample_classes(drawn[:9], 4, np.random.default_rng(0))
    assert [record.label for record in sample] == [CELL_CLASSES[0]] * 4 + [CELL_CLASSES[1]] * 3
    assert len({record.path for record in sample}) == 7
    assert sample == sample_classes(drawn[:9], 4, np.random.default_rng(0))


def test_a_fit_writes_what_the_classifier_reads(folder, drawn, monkeypatch):
    records, promised = drawn, []
    conform = module.conformal_thresholds
    monkeypatch.setattr(module, "conformal_thresholds", lambda p, keys: promised.extend(keys) or conform(p, keys))
    card = fit_trust(Classifier(folder), records[::2], records[1::2], amounts=FEW)
    trusted = Classifier(folder)
    # An answer set is promised to the cells that get one, and to no other.
    given = [record.label for record in records[1::2] if trusted.classify(images.read(record.path)).answer_set]
    assert promised == given and 0 < len(given) < 24
    assert trusted.card.raw == card and TRUST_FILE in card["files"]
    assert trusted.trust is not None and trusted.trust.least == dict.fromkeys(CELL_CLASSES, 0.0)
    assert trusted.trust.gate is not None
    found = evaluate_trust(trusted, records[:8], [], each=1)
    assert set(found["refused"]["kinds"]) == set(KINDS)
    assert found["refused"]["held_out"]["n"] == len(HELD_OUT) and found["familiarity_auroc"] is None


def test_a_network_without_early_features_gets_no_gate(folder, drawn, monkeypatch):
    run = engine._Engine.run
    monkeypatch.setattr(engine._Engine, "run", lambda self, inputs: run(self, inputs)[:3])
    fit_trust(Classifier(folder), drawn[::6], drawn[1::6], amounts=FEW)
    assert Classifier(folder).trust.gate is None


def test_a_fit_that_is_killed_leaves_a_model_that_works(folder, drawn, monkeypatch):
    fit_trust(Classifier(folder), drawn[::6], drawn[1::6], amounts=FEW)
    with monkeypatch.context() as patch:
        patch.setattr(module, "describe_file", lambda path: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fit_trust(Classifier(folder), drawn[2::6], drawn[1::6], amounts=FEW)
    assert Classifier(folder).trust is None
    fit_trust(Classifier(folder), drawn[::6], drawn[1::6], amounts=FEW)
    assert Classifier(folder).trust is not None


def test_coverage_counts_the_answer_sets_that_are_shown(folder, drawn):
    give_trust(folder, indifferent(folder), familiar=1.0)
    found = evaluate_cells(Classifier(folder), drawn[:3])
    assert found["answer_sets"] == {"all": {"coverage": share(0, 0), "size": None}}
    give_trust(folder, indifferent(folder), answer_set=dict.fromkeys(CELL_CLASSES, 0.0))
    covered = evaluate_cells(Classifier(folder), drawn[:3])["answer_sets"]["all"]
    assert covered == {"coverage": share(3, 3), "size": 8.0}

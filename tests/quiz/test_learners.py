"""The simulation behind the claim that the schedule beats random order."""

import json

import pytest

from benchmarks.learners import DAYS, QUESTIONS, Learner, measure, taught
from hematovision.settings import ROOT


def test_a_simulated_learner_learns_forgets_and_is_the_same_each_time():
    learner = Learner("a", contrast=1.0)
    before = learner.expected(0)
    learner.take_feedback("monocyte", "lymphocyte", 0)
    gains = {pair: skill - Learner("a", 1.0).skill[pair] for pair, skill in learner.skill.items()}
    assert gains["lymphocyte|monocyte"] > 0 == gains["eosinophil|neutrophil"]
    assert learner.expected(0) > before > learner.expected(60)
    assert taught(Learner("a", 1.0), True, "order") == taught(Learner("a", 1.0), True, "order")


def test_contrast_teaches_more_where_it_is_assumed_to():
    skills = []
    for contrast in (1.0, 1.5):
        learner = Learner("a", contrast)
        learner.take_feedback("lymphocyte", "lymphocyte", 0)
        learner.take_feedback("monocyte", "monocyte", 0)
        skills.append(learner.skill["lymphocyte|monocyte"])
    assert skills[1] > skills[0]


def test_the_schedule_beats_random_order_in_what_was_measured_and_in_a_few_learners_now():
    written = json.loads((ROOT / "docs" / "learners.json").read_text())
    assert (written["learners"], written["questions"]) == (200, DAYS * QUESTIONS)
    few = measure(12, seed=3)
    for name, row in few.items():
        assert written[name]["interval"][0] > 0
        assert row["scheduled"] - row["random"] == pytest.approx(row["gain"], abs=2e-4) and row["gain"] > 0

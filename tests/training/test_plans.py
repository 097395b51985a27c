"""A run goes on with what it was begun with, and with nothing else."""

from dataclasses import replace

import pytest

from hematovision.errors import InputError
from hematovision.training.fitting.fit import Recipe, fit
from hematovision.training.plans import PLAN, keep_plan, plan_of

RECIPE = Recipe(size=32, batch_size=16, frozen_epochs=1, epochs=0, settled_epochs=0)


@pytest.fixture
def weights(tmp_path):
    paths = [tmp_path / name for name in ("some.keras", "other.keras")]
    for path in paths:
        path.write_text(path.name)
    return paths


def test_each_thing_that_decides_what_comes_of_training_is_in_the_plan(records, weights):
    moved = [replace(records[0], split="test"), *records[1:]]
    plans = [
        plan_of(records, RECIPE, None),
        plan_of(records, RECIPE, "imagenet"),
        plan_of(records, RECIPE, weights[0]),
        plan_of(records, RECIPE, weights[1]),
        plan_of(records, RECIPE, weights),
        plan_of(records, replace(RECIPE, seed=2), None),
        plan_of(moved, RECIPE, None),
    ]
    assert all(plans.count(plan) == 1 for plan in plans)
    assert plan_of(list(reversed(records)), RECIPE, None) == plans[0]


def test_the_same_weights_in_another_place_are_the_same(records, weights, tmp_path):
    moved = weights[0].rename(tmp_path / "moved.keras")
    assert plan_of(records, RECIPE, moved) == plan_of(records, RECIPE, str(moved))
    weights[0].write_text("some.keras")
    assert plan_of(records, RECIPE, moved) == plan_of(records, RECIPE, weights[0])


def test_a_run_with_another_plan_is_refused_and_stays_as_it_was(tmp_path):
    folder = tmp_path / "new" / "run"
    keep_plan(folder, {"recipe": {"size": 32}})
    keep_plan(folder, {"recipe": {"size": 32}})
    with pytest.raises(InputError, match="another run"):
        keep_plan(folder, {"recipe": {"size": 64}})
    keep_plan(folder, {"recipe": {"size": 32}})


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(InputError, match="another run"):
        keep_plan(tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_of_several_machines_one_writes_and_all_look(tmp_path):
    keep_plan(tmp_path / "run", {"seed": 1}, writes=False)
    assert not (tmp_path / "run").exists()
    keep_plan(tmp_path / "run", {"seed": 1})
    with pytest.raises(InputError, match="another run"):
        keep_plan(tmp_path / "run", {"seed": 2}, writes=False)


def test_training_refuses_a_folder_where_it_was_begun_from_another_model(records, weights, tmp_path):
    keep_plan(tmp_path / "run", plan_of(records, RECIPE, weights[0]))
    with pytest.raises(InputError, match="another run"):
        fit(records, RECIPE, tmp_path / "run", weights[1])
    assert [path.name for path in (tmp_path / "run").iterdir()] == [PLAN]

"""What a model learns from others: the share of it, and that nothing is taught where nothing is known."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hematovision.cells import CLASS_HEAD, HEADS, SIZE_HEAD, output_slice
from hematovision.cli import main
from hematovision.errors import InputError, ModelError
from hematovision.training.card.text import card_text
from hematovision.training.fitting.batches import Batches
from hematovision.training.fitting.fit import Recipe
from hematovision.training.fitting.teachers import Teachers, turned
from hematovision.training.plans import plan_of
from hematovision.training.run import produce
from hematovision.vision.card import KERAS_FILE, load_card
from hematovision.vision.classifier import Classifier, softmax

RECIPE = Recipe(size=32, batch_size=8, frozen_epochs=0, epochs=1, settled_epochs=0, averaged=0.5)
NOISE = np.random.default_rng(3).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)


class Same(np.random.Generator):
    """Draws the symmetry that leaves pictures as they are."""

    def integers(self, *_, **__):
        return 0


def rows(of_class: list[int], size: int | None) -> dict[str, np.ndarray]:
    found = {head: np.zeros((len(of_class), len(values)), np.float32) for head, values in HEADS.items()}
    found[CLASS_HEAD][range(len(of_class)), of_class] = 1
    if size is not None:
        found[SIZE_HEAD][:, size] = 0.7
    return found


def test_a_share_of_each_target_is_what_the_teachers_answer_together(tiny_trained):
    teachers = Teachers([tiny_trained, tiny_trained], share=0.25)
    softened = teachers.soften(rows([3, 5], size=1), NOISE, Same(np.random.PCG64(0)))
    logits = Classifier(tiny_trained).logits_of(NOISE)
    for head, weight in ((CLASS_HEAD, 1.0), (SIZE_HEAD, 0.7)):
        expected = 0.75 * rows([3, 5], size=1)[head] + 0.25 * weight * softmax(logits[:, output_slice(head)])
        assert np.allclose(softened[head], expected, atol=1e-6)


@given(share=st.floats(0, 1), seed=st.integers(0, 99), size=st.sampled_from([None, 0, 1]))
def test_no_target_weighs_more_or_less_and_none_is_taught_that_nobody_knows(tiny_trained, share, seed, size):
    own = rows([0, 7], size)
    softened = Teachers([tiny_trained], share).soften(own, NOISE, np.random.default_rng(seed))
    for head, values in own.items():
        assert np.allclose(softened[head].sum(axis=1), values.sum(axis=1), atol=1e-5)
        assert (softened[head] >= (1 - share) * values - 1e-6).all()


def test_the_symmetries_of_the_square_are_eight_and_one_of_them_changes_nothing():
    found = {turned(NOISE, symmetry).tobytes() for symmetry in range(8)}
    assert len(found) == 8 and np.array_equal(turned(NOISE, 0), NOISE)


def test_batches_that_train_are_softened_and_those_that_measure_are_not(records, tiny_trained):
    teachers = Teachers([tiny_trained])
    _, measured = Batches(records, 32, 8, teachers=teachers)[0]
    assert set(np.unique(measured[CLASS_HEAD])) == {0, 1}
    pictures, taught = Batches(records, 32, 8, seed=1, teachers=teachers)[0]
    same, keys = Batches(records, 32, 8, seed=1)[0]
    assert np.array_equal(pictures, same)
    assert (taught[CLASS_HEAD] < 1).all() and np.allclose(taught[CLASS_HEAD].sum(axis=1), keys[CLASS_HEAD].sum(axis=1))
    again = Batches(records, 32, 8, seed=1, teachers=teachers)[0][1]
    assert all(np.array_equal(again[head], taught[head]) for head in HEADS)


def test_a_run_with_teachers_is_another_run(records, tiny_trained):
    plans = [
        plan_of(records, RECIPE, None, teachers)
        for teachers in (None, Teachers([tiny_trained]), Teachers([tiny_trained], 0.5), Teachers([tiny_trained] * 2))
    ]
    assert all(plans.count(plan) == 1 for plan in plans)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(tiny_trained, share):
    with pytest.raises(InputError, match="no share"):
        Teachers([tiny_trained], share)


def test_teachers_see_what_the_student_sees(records, tmp_path, tiny_trained, tiny_model):
    with pytest.raises(InputError, match=r"sees 64 pixels, the student 32"):
        produce(records, tmp_path / "run", RECIPE, None, Teachers([tiny_trained, tiny_model]))
    assert not (tmp_path / "run").exists()
    with pytest.raises(ModelError, match="no model"):
        Teachers([tmp_path / "nowhere"])


def test_a_student_of_two_models_tells_on_its_card_where_it_comes_from(records, tmp_path, tiny_backbone):
    folders = [produce(records, tmp_path / name, RECIPE, None) for name in ("one", "two")]
    weights = [folder / KERAS_FILE for folder in folders]
    student = produce(records, tmp_path / "run", RECIPE, weights, Teachers(folders[1:], share=0.5))
    card, *cards = (load_card(folder).raw for folder in (student, *folders))
    sums = [made["files"][KERAS_FILE]["sha256"] for made in cards]
    assert [former["sha256"] for former in card["training"]["former"]] == sums
    assert card["training"]["backbone_weights"] == "the mean of 2 models"
    teaching = card["training"]["teachers"]
    assert teaching["share"] == 0.5 and [teacher["sha256"] for teacher in teaching["models"]] == sums[1:]
    assert teaching["models"][0]["recipe"] == cards[1]["training"]["recipe"]
    assert json.loads((tmp_path / "run" / "plan.json").read_text())["teachers"]["models"] == [
        load_card(folders[1]).version
    ]
    text = card_text(card, None)
    assert "Its weights at the start were the mean of 2 former models." in text
    assert "50.0 % of what it learned from a picture is what another model answers (distillation), the rest" in text
    assert f"| `{sums[0][:12]}` | start | random | 1 of 1 |" in text
    assert f"| `{sums[1][:12]}` | start and teacher | random | 1 of 1 |" in text
    assert f"`--teachers`: the models whose {KERAS_FILE} have the SHA-256 `{sums[1]}`." in text


def test_the_command_names_models_to_start_from_and_teachers(data, tiny_trained, monkeypatch):
    asked = []
    monkeypatch.setattr("hematovision.training.run.train", lambda *arguments: asked.append(arguments))
    named = ["--start-from", str(tiny_trained), str(tiny_trained), "--teachers", str(tiny_trained)]
    assert main(["train", "--data", str(data), *named, "--taught", "0.4"]) == 0
    assert main(["train", "--data", str(data), *named]) == 0
    for arguments, share in zip(asked, (0.4, 0.7), strict=True):
        recipe, weights, seeds, teachers = arguments[-4:]
        assert weights == [tiny_trained / KERAS_FILE] * 2 and recipe.frozen_epochs == 0 and not seeds
        assert [model.card.folder for model in teachers.models] == [tiny_trained] and teachers.share == share

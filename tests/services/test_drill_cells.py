"""Features first, then the class: what is asked of which cells, by the services."""

import csv
import random
import shutil
from datetime import UTC, datetime

import pytest

from hematovision.cells import ATTRIBUTES, CORE_FOUR
from hematovision.content import content
from hematovision.errors import InputError
from hematovision.quiz.progress import Figure
from hematovision.quiz.questions import CANNOT_TELL, Reply
from hematovision.quiz.session import Plan
from hematovision.services.explain import Explain
from hematovision.services.pictures import Pictures
from hematovision.services.practice import Practice
from hematovision.settings import Settings
from hematovision.storage.store import open_store


def open_practice(settings: Settings, seed: int = 0) -> Practice:
    pictures = Pictures(settings, Explain(settings.model))
    return Practice(open_store(settings.database), pictures, lambda: datetime.now(UTC), random.Random(seed))


def ask(practice, scope="core_four"):
    session = practice.start("ann", Plan("features_first", scope))
    return session, practice.next("ann", session.id)


def test_only_annotated_cells_of_annotated_classes_are_asked(app_environment):
    practice = open_practice(app_environment)
    for _ in range(15):
        _, asked = ask(practice, "all_eight")
        record = practice._pictures.record(asked.picture_id)
        # The library's own folder of real cells has no annotations: drawn ones know theirs.
        assert record.is_drawn and record.attributes.keys() == ATTRIBUTES.keys()
        assert set(asked.choices) == set(content().measured.n) and record.label in asked.choices
        practice.commit("ann", asked.id, Reply(asked.choices[0]))


def test_real_annotated_cells_come_before_drawn_ones_and_never_among_them(app_environment, tmp_path, cells_folder):
    data = tmp_path / "data" / "pbc"
    rows = []
    for label in ("monocyte", "lymphocyte"):
        folder = data / "PBC_dataset_normal_DIB" / label
        folder.mkdir(parents=True)
        for n, path in enumerate(sorted((cells_folder / label).iterdir())):
            shutil.copy(path, folder / path.name)
            known = {name: values[0] for name, values in ATTRIBUTES.items()} if n < 2 else {}
            rows.append({"name": path.name, "split": "test"} | known)
    with (data / "splits.csv").open("w", newline="") as table:
        writer = csv.DictWriter(table, ["name", "split", *ATTRIBUTES], restval="")
        writer.writeheader()
        writer.writerows(rows)
    practice = open_practice(app_environment.model_copy(update={"data": data.parent}))
    seen = set()
    for _ in range(12):
        _, asked = ask(practice)
        record = practice._pictures.record(asked.picture_id)
        assert record.attributes and not record.is_drawn and set(asked.choices) == {"monocyte", "lymphocyte"}
        seen.add(record.path.name)
        practice.commit("ann", asked.id, Reply("monocyte"))
    assert len(seen) == 4


@pytest.mark.parametrize(
    "scope", ["stages", "own:erythroblast,platelet", "own:monocyte,platelet", "set:band-segmented"]
)
def test_where_no_two_annotated_classes_are_left_it_says_so(app_environment, scope):
    with pytest.raises(InputError, match="Too few of these cells have annotated features") as found:
        ask(open_practice(app_environment), scope)
    assert "basophil, eosinophil, lymphocyte, monocyte, neutrophil" in found.value.hint


def test_the_same_features_are_asked_whenever_the_cell_is_shown_and_in_no_other_mode(app_environment):
    session, asked = ask(open_practice(app_environment))
    later = open_practice(app_environment, seed=9)
    features = later.features(session, asked)
    assert len(features) == 5 and features == open_practice(app_environment).features(session, asked)
    practiced = later.start("ann", Plan())
    assert later.features(practiced, later.next("ann", practiced.id)) == ()


def test_what_is_asked_tells_nothing_of_the_cell(app_environment):
    """The features follow from the choices and the number of the question: any cell would be asked the same ones."""
    practice = open_practice(app_environment)
    session, asked = ask(practice)
    features = practice.features(session, asked)
    for picture_id in practice._pictures.library.records:
        other = type(asked)(**{**asked.__dict__, "picture_id": picture_id})
        assert practice.features(session, other) == features


def test_features_and_class_are_one_answer_counted_apart(app_environment):
    practice = open_practice(app_environment)
    session, asked = ask(practice)
    annotation = practice._pictures.record(asked.picture_id).attributes
    first, second, *rest = practice.features(session, asked)
    wrong = next(value for value in ATTRIBUTES[second] if value != annotation[second])
    named = {first: annotation[first], second: wrong} | dict.fromkeys(rest, CANNOT_TELL)
    key = practice._store.question("ann", asked.id).key
    practice.commit("ann", asked.id, Reply(key, features=named))
    found = open_practice(app_environment).progress("ann")
    assert found.features == {name: Figure(int(name == first), 1) for name in named}
    assert found.total == Figure(1, 1) and found.by_class == {key: Figure(1, 1)} and key in CORE_FOUR
    assert key in practice._schedule("ann").topics
    (exported,) = practice.export("ann")["answers"]
    assert exported["features"] == named and exported["mode"] == "features_first"
    assert f"{second}={wrong}" in practice.export_csv("ann") and CANNOT_TELL in practice.export_csv("ann")

import csv
import io
import random
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hematovision import images
from hematovision.cells import CORE_FOUR
from hematovision.errors import DataError, InputError
from hematovision.quiz import blueprint
from hematovision.quiz.policy import Policy
from hematovision.quiz.publication import picture_id_of
from hematovision.quiz.questions import Reply
from hematovision.services import open_services
from hematovision.services.browse import Filters
from hematovision.services.explain import Explain
from hematovision.services.pictures import IndexState, Pictures
from hematovision.services.teach import Teach
from hematovision.settings import Settings
from hematovision.storage.store import open_store
from tests.services.clock import Clock

ME = "local"


@pytest.fixture
def settings(tmp_path, cells_folder, bank):
    """Without a model: an instructor needs none."""
    return Settings(home=tmp_path / "home", model=tmp_path / "none", data=cells_folder, bank=bank)


def open_teach(settings, instructors=frozenset(), seed=0) -> Teach:
    pictures = Pictures(settings, Explain(settings.model))
    return Teach(open_store(settings.database), pictures, instructors, Clock(), random.Random(seed))


@pytest.fixture
def teach(settings):
    return open_teach(settings)


@pytest.fixture
def knowing(settings, tiny_model):
    """With a model, and its answers in the index."""
    teach = open_teach(settings.model_copy(update={"model": tiny_model}))
    teach._pictures.build_index()
    return teach


def ids(teach, label, count):
    return teach._pictures.library.to_ask[label][:count]


def made(teach, count=2, **policy):
    """A draft with `count` cells of each of the core four."""
    draft = teach.new(ME, "Core four", CORE_FOUR)
    teach.add(ME, draft.quiz_set.id, [i for label in CORE_FOUR for i in ids(teach, label, count)])
    found = teach.draft(ME, draft.quiz_set.id).quiz_set
    return teach.save(ME, replace(found, policy=Policy(**policy)))


def jpeg(cell, comment="Patient: Ada"):
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = comment
    Image.fromarray(cell).save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


# Drafts


def test_a_draft_is_kept_in_a_file_beside_its_pictures(teach, settings):
    draft = made(teach)
    again = open_teach(settings).draft(ME, draft.quiz_set.id)
    assert again.quiz_set == draft.quiz_set and len(again.quiz_set.cells) == 8 and again.is_changed
    folder = settings.sets_folder / "drafts" / draft.quiz_set.id
    assert sorted(p.name for p in folder.iterdir()) == ["origins.json", "pictures", "sets"]
    assert {f"pictures/{p.name}" for p in (folder / "pictures").iterdir()} == {c.picture for c in again.quiz_set.cells}


def test_the_draft_changed_last_comes_first(teach):
    one, two = teach.new(ME, "One", CORE_FOUR), teach.new(ME, "Two", CORE_FOUR)
    assert [d.quiz_set.title for d in teach.drafts(ME)] == ["Two", "One"]
    teach.save(ME, replace(one.quiz_set, title="One again"))
    assert [d.quiz_set.title for d in teach.drafts(ME)] == ["One again", "Two"]
    teach.delete(ME, two.quiz_set.id)
    assert len(teach.drafts(ME)) == 1
    with pytest.raises(InputError, match="no longer there"):
        teach.draft(ME, two.quiz_set.id)


@pytest.mark.parametrize("set_id", ["../published", "..", "", "a/b", "nope"])
def test_a_name_that_is_no_draft_names_no_folder(teach, set_id):
    with pytest.raises(InputError):
        teach.delete(ME, set_id)


def test_a_damaged_draft_hides_no_other(teach, settings):
    good, bad = teach.new(ME, "Good", CORE_FOUR), teach.new(ME, "Bad", CORE_FOUR)
    (settings.sets_folder / "drafts" / bad.quiz_set.id / "sets" / f"{bad.quiz_set.id}.yaml").write_text("title: [")
    assert [d.quiz_set.id for d in teach.drafts(ME)] == [good.quiz_set.id]
    assert bad.quiz_set.id in teach.damaged(ME)[0].message


def test_what_is_edited_is_checked(teach):
    quiz_set = made(teach).quiz_set
    cell = replace(quiz_set.cells[0], note="Folded nucleus.", second_key="monocyte")
    edited = replace(quiz_set, cells=(cell, *quiz_set.cells[1:]), grading="severity")
    assert teach.save(ME, edited).quiz_set == edited
    for wrong in (
        replace(edited, title=" "),
        replace(edited, choices=("monocyte", "lymphocyte")),  # cells have other keys
        replace(edited, cells=(replace(cell, second_key=cell.key),)),
        replace(edited, cells=(replace(cell, picture="pictures/0000000000000000.png"),)),
        replace(edited, cells=(replace(cell, picture="../../../settings.py"),)),
    ):
        with pytest.raises(InputError):
            teach.save(ME, wrong)
    assert teach.draft(ME, quiz_set.id).quiz_set == edited


def test_a_duplicate_is_a_draft_of_its_own(teach):
    first = made(teach)
    second = teach.duplicate(ME, first.quiz_set.id, "Another")
    assert second.quiz_set == replace(first.quiz_set, id=second.quiz_set.id, title="Another")
    teach.delete(ME, first.quiz_set.id)
    assert teach.preview(ME, second.quiz_set.id).session.asked == 8
    assert teach.taken(ME, second.quiz_set.id) == {i for label in CORE_FOUR for i in ids(teach, label, 2)}


def test_a_set_of_the_library_can_be_taken_as_a_draft(teach):
    set_id = next(iter(teach._pictures.library.sets))
    draft = teach.duplicate(ME, set_id, "Mine")
    assert draft.quiz_set.title == "Mine" and draft.quiz_set.cells and all(c.key for c in draft.quiz_set.cells)


# Cells


def test_cells_of_the_library_come_with_their_keys_and_as_copies(teach):
    quiz_set = made(teach).quiz_set
    assert [cell.key for cell in quiz_set.cells] == [label for label in CORE_FOUR for _ in range(2)]
    source = teach._pictures.picture(ids(teach, "eosinophil", 1)[0])
    copy = teach._pictures.picture(picture_id_of(quiz_set.cells[0].picture))
    assert np.array_equal(copy, source)
    assert teach._pictures.record(picture_id_of(quiz_set.cells[0].picture)).label == ""


def test_a_cell_is_added_once_and_taken_out(teach):
    quiz_set = made(teach).quiz_set
    assert teach.add(ME, quiz_set.id, ids(teach, "monocyte", 2)).quiz_set == quiz_set
    out = teach.remove(ME, quiz_set.id, [quiz_set.cells[0].picture]).quiz_set
    assert out.cells == quiz_set.cells[1:]
    assert ids(teach, "eosinophil", 1)[0] not in teach.taken(ME, quiz_set.id)
    assert len(teach.add(ME, quiz_set.id, ids(teach, "eosinophil", 1)).quiz_set.cells) == 8


def test_a_cell_whose_key_is_none_of_the_choices_is_refused_and_none_is_added(teach):
    quiz_set = teach.new(ME, "Two", ["monocyte", "lymphocyte"]).quiz_set
    with pytest.raises(InputError, match="Unknown key 'platelet'"):
        teach.add(ME, quiz_set.id, [*ids(teach, "monocyte", 1), *ids(teach, "platelet", 1)])
    assert teach.draft(ME, quiz_set.id).quiz_set.cells == ()


def test_a_set_has_a_limit(teach, monkeypatch):
    monkeypatch.setattr("hematovision.quiz.set_cells.MOST_CELLS", 7)
    with pytest.raises(InputError, match="8 cells"):
        made(teach)


def test_uploads_lose_their_names_and_metadata_and_a_bad_one_stops_no_other(teach, cell):
    quiz_set = teach.new(ME, "Mine", CORE_FOUR).quiz_set
    large = np.tile(cell, (8, 8, 1))
    files = [
        ("EO_1.jpg", jpeg(cell)),
        ("bad.png", b"no"),
        ("again.jpg", jpeg(cell)),
        ("large.png", images.encode_png(large)),
    ]
    found = teach.upload(ME, quiz_set.id, files, "eosinophil")
    assert {name: error.kind for name, error in found.refused.items()} == {
        "bad.png": "not_a_picture",
        "again.jpg": "twice",
    }
    one, two = found.draft.quiz_set.cells
    assert one.key == two.key == "eosinophil"
    folder = teach._folders.draft_folder(quiz_set.id)
    content = (folder / one.picture).read_bytes()
    assert b"Ada" not in content and b"EO_1" not in content and "EO" not in one.picture
    assert images.decode((folder / two.picture).read_bytes()).shape == (1024, 1024, 3)
    with pytest.raises(InputError, match="Unknown key"):
        teach.upload(ME, quiz_set.id, [], "platelet")


def test_a_blueprint_fills_the_draft_the_same_way_for_the_same_seed(teach):
    rows = blueprint.parse([{"count": 3, "cell": "neutrophil"}, {"count": 2, "cell": "lymphocyte"}])
    drafts = [teach.new(ME, title, CORE_FOUR).quiz_set.id for title in "abc"]
    one, two, other = (teach.fill(ME, d, rows, seed).quiz_set for d, seed in zip(drafts, (1, 1, 2), strict=True))
    assert one.cells == two.cells != other.cells
    assert sorted(cell.key for cell in one.cells) == ["lymphocyte"] * 2 + ["neutrophil"] * 3
    more = teach.fill(ME, drafts[0], rows[1:], 1).quiz_set
    assert len({cell.picture for cell in more.cells}) == 7
    with pytest.raises(InputError, match=r"There are 2 lymphocytes; the blueprint asks for 20\."):
        teach.fill(ME, drafts[0], blueprint.parse([{"count": 20, "cell": "lymphocyte"}]), 1)
    with pytest.raises(InputError, match="platelet"):
        teach.fill(ME, drafts[0], blueprint.parse([{"count": 1, "cell": "platelet"}]), 1)


def test_a_draw_in_place_of_another_is_whole_or_not_at_all(teach):
    rows = blueprint.parse([{"count": 2, "cell": "neutrophil"}])
    set_id = teach.new(ME, "Again", CORE_FOUR).quiz_set.id
    teach.add(ME, set_id, ids(teach, "monocyte", 1))
    first = teach.fill(ME, set_id, rows, 1).quiz_set
    drawn = [cell.picture for cell in first.cells[1:]]
    with pytest.raises(InputError, match="the blueprint asks for 200"):
        teach.fill(ME, set_id, blueprint.parse([{"count": 200, "cell": "neutrophil"}]), 2, drawn)
    assert teach.draft(ME, set_id).quiz_set == first
    second = teach.fill(ME, set_id, rows, 2, drawn).quiz_set
    assert len(second.cells) == 3 and second.cells[0] == first.cells[0] and second.cells != first.cells
    # What was drawn before may come again.
    assert teach.fill(ME, set_id, rows, 1, [cell.picture for cell in second.cells[1:]]).quiz_set == first


def test_where_the_library_has_more_that_a_model_learned_from_it_says_so(teach):
    records = teach._pictures.library.records
    for picture_id in ids(teach, "monocyte", 4):
        records[picture_id] = replace(records[picture_id], split="train")
    teach._pictures.library.__dict__.pop("to_ask", None)
    asked = len(teach._pictures.library.to_ask["monocyte"])
    set_id = teach.new(ME, "More", CORE_FOUR).quiz_set.id
    with pytest.raises(InputError, match="it has more, which a model learned from") as caught:
        teach.fill(ME, set_id, blueprint.parse([{"count": asked + 1, "cell": "monocyte"}]), 1)
    assert caught.value.kind == "too_few"
    with pytest.raises(InputError, match="add pictures to the library"):
        teach.fill(ME, set_id, blueprint.parse([{"count": asked + 100, "cell": "monocyte"}]), 1)


def test_while_the_index_is_being_built_a_lack_of_pitfalls_says_how_far_it_is(teach):
    set_id = teach.new(ME, "Pitfalls", CORE_FOUR).quiz_set.id
    teach._pictures.index_state = IndexState(12, 72, running=True)
    with pytest.raises(InputError, match="The model has seen 12 of 72 pictures so far"):
        teach.fill(ME, set_id, blueprint.parse([{"count": 1, "pitfall": True}]), 1)


# Browsing


def test_the_library_is_browsed_by_class_and_source(teach):
    everything = teach.browse(ME, Filters(), 200)
    assert everything.total == len(everything.cells) == 72
    monocytes = teach.browse(ME, Filters("monocyte"), 4, offset=4)
    assert monocytes.total == 9 and {c.key for c in monocytes.cells} == {"monocyte"} and len(monocytes.cells) == 4
    assert sum(teach.browse(ME, Filters(source=s), 1).total for s in teach.sources(ME)) == 72
    bands = teach.browse(ME, Filters("band"), 200).cells
    assert bands and {(c.key, c.stage) for c in bands} == {("neutrophil", "band")}


def test_without_a_model_nothing_is_said_of_it(teach):
    assert teach.browse(ME, Filters(model="wrong"), 9).total == 0
    assert teach.browse(ME, Filters(), 1).cells[0].difficulty is None


def test_the_difficulty_is_what_the_model_does_not_give_the_key(knowing):
    teach = knowing
    hardest = teach.browse(ME, Filters(hardest_first=True), 72).cells
    for one in hardest[:3]:
        prediction = teach._pictures.prediction(one.picture_id)
        assert one.difficulty == pytest.approx(1 - prediction.probabilities[one.key], abs=1e-3)
        assert (one.model_label, one.model_status) == (prediction.label, prediction.status)
    assert [c.difficulty for c in hardest] == sorted((c.difficulty for c in hardest), reverse=True)
    wrong, right = (teach.browse(ME, Filters(model=m), 200) for m in ("wrong", "right"))
    assert wrong.total + right.total == 72 and all(c.model_label != c.key for c in wrong.cells)
    middle = hardest[20].difficulty
    assert teach.browse(ME, Filters(difficulty=(middle, 1.0)), 200).total == 21


def test_pitfalls_of_a_blueprint_are_cells_on_which_the_model_is_wrong(knowing):
    teach = knowing
    set_id = teach.new(ME, "Pitfalls", CORE_FOUR).quiz_set.id
    teach.fill(ME, set_id, blueprint.parse([{"count": 4, "pitfall": True}]), 3)
    for cell in teach.draft(ME, set_id).quiz_set.cells:
        assert teach._pictures.prediction(picture_id_of(cell.picture)).label != cell.key


# Publishing


def test_a_published_version_is_frozen_and_a_change_makes_the_next_one(teach, settings):
    draft = made(teach)
    set_id = draft.quiz_set.id
    one = teach.publish(ME, set_id)
    assert (one.version, one.title, one.owner) == (1, "Core four", ME) and len(one.code_in_words) == 7
    assert not teach.draft(ME, set_id).is_changed
    assert teach.publish(ME, set_id) == one  # a second click
    teach.save(ME, replace(draft.quiz_set, title="Better"))
    teach.remove(ME, set_id, [draft.quiz_set.cells[0].picture])
    assert teach.draft(ME, set_id).is_changed
    two = teach.publish(ME, set_id)
    assert two.version == 2 and two.code != one.code and two.title == "Better"
    assert len(teach.quiz_set(ME, one.code).cells) == 8 and len(teach.quiz_set(ME, two.code).cells) == 7
    assert teach.publications(ME) == [two, one] == list(teach.draft(ME, set_id).publications)
    teach.delete(ME, set_id)
    again = open_teach(settings)
    assert again.quiz_set(ME, one.code) == replace(draft.quiz_set, version=1)
    for cell in again.quiz_set(ME, one.code).cells:
        assert again._pictures.picture(picture_id_of(cell.picture)).shape[2] == 3


def test_a_published_file_that_was_changed_is_refused(teach, settings):
    code = teach.publish(ME, made(teach).quiz_set.id).code
    (path,) = (settings.sets_folder / "published").glob("*/sets/*.yaml")
    path.write_text(path.read_text().replace("key: monocyte", "key: lymphocyte", 1))
    with pytest.raises(DataError, match="changed after it was published"):
        open_teach(settings).quiz_set(ME, code)


def test_a_picture_that_was_changed_is_not_shown(teach, settings, cell):
    quiz_set = teach.quiz_set(ME, teach.publish(ME, made(teach).quiz_set.id).code)
    (folder,) = (settings.sets_folder / "published").iterdir()
    (folder / quiz_set.cells[0].picture).write_bytes(images.encode_png(cell))
    with pytest.raises(images.ImageError, match="changed"):
        teach._pictures.picture(picture_id_of(quiz_set.cells[0].picture))
    assert teach._pictures.picture(picture_id_of(quiz_set.cells[1].picture)).any()


@pytest.mark.parametrize("act", ["export", "exportable", "publish"])
def test_a_draft_that_lost_a_picture_names_it_and_what_to_do(teach, settings, act):
    quiz_set = made(teach).quiz_set
    lost = quiz_set.cells[3].picture
    (settings.sets_folder / "drafts" / quiz_set.id / lost).unlink()
    rest = ("zip",) if act == "export" else ()
    with pytest.raises(DataError) as caught:
        getattr(teach, act)(ME, quiz_set.id, *rest)
    assert caught.value.message == f"The picture of cell 4, {lost}, has gone." and caught.value.kind == "gone"
    assert caught.value.hint == "Take the cell out, or take the file back from a copy."
    teach.remove(ME, quiz_set.id, [lost])
    assert getattr(teach, act)(ME, quiz_set.id, *rest)


def test_a_set_without_a_key_for_each_cell_is_not_published(teach):
    with pytest.raises(InputError, match="key"):
        teach.publish(ME, teach.new(ME, "Empty", CORE_FOUR).quiz_set.id)
    quiz_set = made(teach).quiz_set
    teach.save(ME, replace(quiz_set, cells=(replace(quiz_set.cells[0], key=None), *quiz_set.cells[1:])))
    for act in (teach.publish, teach.preview, teach.exportable):
        with pytest.raises(InputError, match="key"):
            act(ME, quiz_set.id)


def test_what_a_kill_left_of_a_publication_is_taken_up(teach, settings, monkeypatch):
    draft = made(teach)

    def killed(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(teach._store.publications, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            teach.publish(ME, draft.quiz_set.id)
    teach.save(ME, replace(draft.quiz_set, title="Changed since"))
    found = open_teach(settings).publish(ME, draft.quiz_set.id)
    assert found.version == 2 and teach.quiz_set(ME, found.code).title == "Changed since"
    monkeypatch.undo()


def test_a_code_that_is_taken_is_drawn_anew(teach, settings):
    first = teach.publish(ME, made(teach).quiz_set.id)
    other = open_teach(settings, seed=1)
    codes = iter([*first.code, *"ABCDEF"])
    other._rng.choice = lambda letters: next(codes)
    assert other.publish(ME, made(other).quiz_set.id).code == "ABCDEF"


def test_a_preview_is_what_a_student_meets_and_leaves_nothing(teach, settings):
    quiz_set = made(teach, feedback="end", opens_at=Clock.LATER, show_model=False).quiz_set
    quiz_set = teach.save(
        ME, replace(quiz_set, cells=(replace(quiz_set.cells[0], note="Look."), *quiz_set.cells[1:]))
    ).quiz_set
    preview = teach.preview(ME, quiz_set.id)
    practice, who = preview.practice, preview.learner
    while asked := practice.next(who, preview.session_id):
        practice.commit(who, asked.id, Reply("monocyte"))
        if asked.number < 8:
            with pytest.raises(InputError, match="not been shown"):
                practice.reveal(who, asked.id)
    found = practice.summary(who, preview.session_id)
    assert (found.asked, found.right) == (8, 2)
    notes = {preview.remark(q.id).note for q in found.questions}
    assert notes == {"", "Look."} and all(q.model is None for q in found.questions)
    assert teach._store.learners() == [] and teach.publications(ME) == []


# Exchange, roles


def test_a_draft_goes_out_as_an_archive_and_comes_back(teach):
    draft = made(teach, feedback="end", minutes=5)
    archive = teach.export(ME, draft.quiz_set.id, "zip")
    back = teach.import_file(ME, archive).quiz_set
    assert back.id != draft.quiz_set.id and replace(back, id=draft.quiz_set.id) == draft.quiz_set
    rows = list(csv.reader(io.StringIO(teach.export(ME, back.id, "csv").decode("utf-8-sig"))))
    assert len(rows) == 9
    with pytest.raises(DataError):
        teach.import_file(ME, b"nothing")


def test_who_is_no_instructor_can_do_nothing(settings):
    account, other = "a" * 64, "b" * 64
    listed = open_teach(settings, frozenset({account}))
    assert listed.may_teach(account) and not listed.may_teach(other) and not listed.may_teach(ME)
    free = open_teach(settings)
    assert free.may_teach(ME) and not free.may_teach(account)
    set_id = listed.new(account, "Mine", CORE_FOUR).quiz_set.id
    listed.add(account, set_id, ids(listed, "monocyte", 1))
    code = listed.publish(account, set_id).code
    acts = {
        "drafts": (), "damaged": (), "draft": (set_id,), "new": ("x", CORE_FOUR), "delete": (set_id,), "sources": (),
        "save": (listed.draft(account, set_id).quiz_set,), "duplicate": (set_id, "x"), "taken": (set_id,),
        "export": (set_id, "zip"), "exportable": (set_id,), "import_file": (b"",), "browse": (Filters(), 1),
        "add": (set_id, []), "remove": (set_id, []), "fill": (set_id, [], 0), "upload": (set_id, [], "monocyte"),
        "preview": (set_id,),
        "publish": (set_id,), "publications": (), "quiz_set": (code,), "close": (code,), "results": (code,),
        "results_csv": (code,),
    }  # fmt: skip
    public = {name for name in dir(Teach) if not name.startswith("_")} - {"may_teach"}
    assert acts.keys() == public
    for name, arguments in acts.items():
        with pytest.raises(InputError) as caught:
            getattr(listed, name)(other, *arguments)
        assert caught.value.kind == "role", name


def test_the_instructors_of_a_site_are_set_by_their_ids(settings):
    services = open_services(settings.model_copy(update={"instructors": f" {'a' * 64}, ,ann "}))
    assert [who for who in ("a" * 64, "ann", "ben", "") if services.teach.may_teach(who)] == ["a" * 64, "ann"]
    set_id = services.teach.new("ann", "Mine", CORE_FOUR).quiz_set.id
    services.teach.add("ann", set_id, ids(services.teach, "monocyte", 2))
    code = services.teach.publish("ann", set_id).code
    services.attempts.join("ben", code)
    begun = services.attempts.begin("ben", code)
    asked = services.practice.next("ben", begun.id)
    assert services.pictures.picture(asked.picture_id).any() and asked.choices == CORE_FOUR

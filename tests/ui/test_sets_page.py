"""The Sets page as Streamlit runs it: from nothing to a published set, edited, with its rules, as a student sees it."""

import re
import shutil
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import streamlit as st

from hematovision.cells import CORE_FOUR
from hematovision.errors import InputError
from hematovision.images import encode_png
from hematovision.library.set_files import read_set
from hematovision.services import open_services
from hematovision.settings import load_settings
from hematovision.storage.store import open_store
from tests.ui.screen import new_tab, press, texts, visit

SETS = "teach/sets"


@pytest.fixture
def app(app):
    return visit(app, SETS)


def build(app, title="White cells", choices=None):
    app.text_input(key="new-title").set_value(title)
    if choices:
        app.pills(key="new-choices").set_value(list(choices))
    press(app, "create")


def set_id(app):
    return str(app.query_params["set"])


def draft(app, settings):
    return read_set(settings.sets_folder / "drafts" / set_id(app) / "sets" / f"{set_id(app)}.yaml")


def rows(app):
    return sorted({b.key for b in app.number_input if b.key and b.key.startswith("bp-")})


def ask_for(app, *counts):
    for key, count in zip(rows(app), counts, strict=True):
        app.number_input(key=key).set_value(count)
    app.run()


def view(app, name):
    app.segmented_control(key="view").set_value(name).run()
    assert not app.exception


def test_three_presses_make_a_published_set(app, app_environment):
    build(app)
    assert app.button(key="fill").label == "Fill with 20 cells"
    ask_for(app, 1, 1, 1, 1)
    assert app.button(key="fill").label == "Fill with 4 cells"
    press(app, "fill")
    made = draft(app, app_environment)
    assert sorted(cell.key for cell in made.cells) == sorted(CORE_FOUR)
    assert "4 cells drawn." in texts(app) and "not published" in texts(app)
    press(app, "publish")
    said = texts(app)
    assert "hv-code" in said and "published as" in said
    (link,) = [code.value for code in app.code]
    code = link.split("join?code=")[1]
    assert f"{code[:3]} {code[3:]}" in said
    assert not [b for b in app.button if b.key == "publish"]


def test_a_row_that_the_library_cannot_fill_is_named_and_nothing_is_added(app, app_environment):
    build(app)
    ask_for(app, 1, 1, 400, 1)
    press(app, "fill")
    assert "monocyte" in app.error[0].value and "the blueprint asks for 400" in app.error[0].value
    assert draft(app, app_environment).cells == ()


def test_what_was_drawn_can_be_drawn_again(app, app_environment):
    build(app)
    ask_for(app, 1, 1, 1, 1)
    press(app, "fill")
    drawn = {tuple(cell.picture for cell in draft(app, app_environment).cells)}
    for _ in range(4):
        press(app, "again")
        made = draft(app, app_environment)
        assert sorted(cell.key for cell in made.cells) == sorted(CORE_FOUR)
        drawn.add(tuple(sorted(cell.picture for cell in made.cells)))
    assert len(drawn) > 1


def test_some_cells_of_a_row_are_of_a_kind(app, app_environment):
    build(app, choices=["lymphocyte", "neutrophil"])
    ask_for(app, 1, 4)
    press(app, f"bp-{set_id(app)}-1-part")
    part = f"bp-{set_id(app)}-2"
    app.number_input(key=f"{part}-count").set_value(4).run()
    press(app, "fill")
    assert "Row 2: part 1: A row says nothing of its cells." in app.error[0].value
    assert draft(app, app_environment).cells == ()
    assert app.selectbox(key=f"{part}-cell").options == ["Any stage", "Band neutrophil", "Segmented neutrophil"]
    app.selectbox(key=f"{part}-cell").set_value("band").run()
    press(app, "fill")
    assert "There are 2 band neutrophils; the blueprint asks for 4." in app.error[0].value
    app.number_input(key=f"{part}-count").set_value(1).run()
    press(app, "fill")
    teach = open_services(app_environment).teach
    records = [teach._pictures.library.records[i] for i in teach.taken("local", set_id(app))]
    assert sorted(record.label for record in records) == ["lymphocyte"] + ["neutrophil"] * 4
    assert [record.stage for record in records].count("band") == 1


def test_a_part_forgets_its_stage_with_the_class_of_its_row(app):
    build(app, choices=["lymphocyte", "neutrophil"])
    press(app, f"bp-{set_id(app)}-1-part")
    app.selectbox(key=f"bp-{set_id(app)}-2-cell").set_value("band").run()
    app.selectbox(key=f"bp-{set_id(app)}-1-cell").set_value("lymphocyte").run()
    assert not [box for box in app.selectbox if box.key == f"bp-{set_id(app)}-2-cell"]
    press(app, "fill")
    assert "Row 2: part 1: A row says nothing of its cells." in app.error[0].value


def test_a_part_of_a_row_can_be_taken_out_with_it_or_alone(app):
    build(app)
    press(app, f"bp-{set_id(app)}-3-part")
    press(app, f"bp-{set_id(app)}-3-part")
    assert rows(app) == [f"bp-{set_id(app)}-{number}-count" for number in range(6)]
    assert app.button(key="fill").label == "Fill with 20 cells"  # parts are no further cells
    press(app, f"bp-{set_id(app)}-4-remove")
    assert rows(app) == [f"bp-{set_id(app)}-{number}-count" for number in (0, 1, 2, 3, 5)]
    press(app, f"bp-{set_id(app)}-3-remove")
    assert rows(app) == [f"bp-{set_id(app)}-{number}-count" for number in range(3)]


def test_a_draw_that_fails_leaves_what_was_drawn_before(app, app_environment, monkeypatch):
    build(app, choices=["lymphocyte", "monocyte"])
    ask_for(app, 2, 2)
    press(app, "fill")
    before = draft(app, app_environment)

    def fail(*arguments):
        raise InputError("There are no cells.", "Ask for fewer.", kind="too_few")

    monkeypatch.setattr("hematovision.quiz.blueprint.draw", fail)
    press(app, "again")
    assert "There are no cells." in app.error[0].value and "4 cells drawn." in texts(app)
    assert draft(app, app_environment) == before


def test_keys_and_notes_are_kept_as_they_are_edited(app, app_environment):
    build(app, choices=["lymphocyte", "monocyte"])
    ask_for(app, 1, 1)
    press(app, "fill")
    one, other = draft(app, app_environment).cells
    name = f"{set_id(app)}-{one.picture[9:25]}"
    wrong = next(choice for choice in ("lymphocyte", "monocyte") if choice != one.key)
    app.text_area(key=f"note-{name}").set_value("Folded nucleus.").run()
    app.selectbox(key=f"second-{name}").set_value(wrong).run()
    edited = draft(app, app_environment).cells[0]
    assert (edited.key, edited.note, edited.second_key) == (one.key, "Folded nucleus.", wrong)
    app.selectbox(key=f"key-{name}").set_value(wrong).run()
    assert not app.error  # what was the second key is the key now, and there is no second one
    edited = draft(app, app_environment).cells[0]
    assert (edited.key, edited.note, edited.second_key) == (wrong, "Folded nucleus.", None)
    assert app.selectbox(key=f"key-{name}").value == wrong and app.selectbox(key=f"second-{name}").value == ""
    press(app, f"remove-{one.picture[9:25]}")
    assert draft(app, app_environment).cells == (other,)


def test_what_is_refused_of_a_cell_leaves_the_controls_as_the_draft_is(app, app_environment):
    build(app, choices=["lymphocyte", "monocyte"])
    ask_for(app, 1, 1)
    press(app, "fill")
    before = draft(app, app_environment)
    one, other = before.cells
    (app_environment.sets_folder / "drafts" / before.id / other.picture).unlink()  # a draft that lacks one is not saved
    name, key = f"{before.id}-{one.picture[9:25]}", one.key
    wrong = next(choice for choice in ("lymphocyte", "monocyte") if choice != key)
    app.selectbox(key=f"key-{name}").set_value(wrong).run()
    assert "The draft has no" in app.error[0].value
    app.text_area(key=f"note-{name}").set_value("Folded.").run()
    app.selectbox(key=f"second-{name}").set_value(wrong).run()
    app.run()
    assert draft(app, app_environment) == before
    controls = app.selectbox(key=f"key-{name}"), app.selectbox(key=f"second-{name}"), app.text_area(key=f"note-{name}")
    assert [control.value for control in controls] == [key, "", ""]


def test_cells_are_added_out_of_the_library_one_by_one(app, app_environment):
    build(app, choices=["lymphocyte", "monocyte"])
    app.segmented_control(key="way").set_value("library").run()
    app.selectbox(key=f"browse-{set_id(app)}-cell").set_value("").run()
    cells = [b for b in app.button if b.key and b.key.startswith("add-")]
    assert len(cells) == 18 and all(b.label == "Not a choice" and b.disabled for b in cells)  # basophils come first
    app.selectbox(key=f"browse-{set_id(app)}-cell").set_value("monocyte").run()
    cells = [b for b in app.button if b.key and b.key.startswith("add-")]
    assert {(b.label, b.disabled) for b in cells} == {("Add", False)}
    press(app, cells[0].key)
    assert app.button(key=cells[0].key).label == "✓ In the set" and app.button(key=cells[0].key).disabled
    (added,) = draft(app, app_environment).cells
    assert added.key == "monocyte"


def test_all_filters_of_the_library_stay_while_one_looks_at_the_cells(app):
    build(app, choices=["lymphocyte", "monocyte"])
    ask_for(app, 1, 1)
    press(app, "fill")
    view(app, "add")
    app.segmented_control(key="way").set_value("library").run()
    filters = f"browse-{set_id(app)}"
    app.selectbox(key=f"{filters}-cell").set_value("monocyte").run()
    app.slider(key=f"{filters}-difficulty").set_value((20, 80)).run()
    app.toggle(key=f"{filters}-hardest").set_value(True).run()
    view(app, "cells")
    view(app, "add")
    app.segmented_control(key="way").set_value("library").run()
    assert app.selectbox(key=f"{filters}-cell").value == "monocyte"
    assert app.slider(key=f"{filters}-difficulty").value == (20, 80)
    assert app.toggle(key=f"{filters}-hardest").value is True
    press(app, "all-sets")
    build(app, "Another set")
    app.segmented_control(key="way").set_value("library").run()
    assert app.slider(key=f"browse-{set_id(app)}-difficulty").value == (0, 100)
    assert app.toggle(key=f"browse-{set_id(app)}-hardest").value is False


def test_pictures_of_ones_own_come_with_key_and_note_and_what_cannot_be_read_is_told(app, app_environment, cell):
    build(app, choices=["lymphocyte", "neutrophil"])
    app.segmented_control(key="way").set_value("upload").run()
    files = [("smith_neutrophil.png", encode_png(cell), "image/png"), ("notes.png", b"no picture", "image/png")]
    app.get("file_uploader")[0].set_value(files).run()
    app.selectbox(key="upload-key").set_value("neutrophil").run()
    app.text_area(key="upload-note").set_value("Three lobes.")
    press(app, "add-uploads")
    (added,) = draft(app, app_environment).cells
    assert (added.key, added.note) == ("neutrophil", "Three lobes.") and "smith" not in added.picture
    said = texts(app)
    assert "1 picture added." in said and "notes" in said and app.error


def test_the_rules_are_kept_at_once_and_a_fault_changes_nothing(app, app_environment):
    build(app)
    view(app, "rules")

    def rule(name):
        return f"rule-{set_id(app)}-{name}"

    app.radio(key=rule("feedback")).set_value("end").run()
    app.number_input(key=rule("minutes")).set_value(15).run()
    app.number_input(key=rule("attempts")).set_value(2).run()
    app.number_input(key=rule("pass_mark")).set_value(60).run()
    app.toggle(key=rule("show_model")).set_value(False).run()
    app.selectbox(key=rule("grading")).set_value("severity").run()
    made = draft(app, app_environment)
    policy = made.policy
    assert (policy.feedback, policy.minutes, policy.attempts, policy.pass_mark) == ("end", 15, 2, 0.6)
    assert (policy.show_model, made.grading) == (False, "severity")


@pytest.mark.parametrize("zone", ["Europe/Vienna", "UTC"])
def test_a_set_opens_and_closes_by_the_clock_of_the_instructor(app, app_environment, monkeypatch, zone):
    monkeypatch.setattr("hematovision.ui.teach.set_rules.learner_zone", lambda: ZoneInfo(zone))
    build(app)
    view(app, "rules")
    opens, closes = (f"rule-{set_id(app)}-{name}" for name in ("opens_at", "closes_at"))
    app.datetime_input(key=opens).set_value(datetime(2026, 7, 1, 8, 0)).run()
    app.datetime_input(key=closes).set_value(datetime(2026, 7, 1, 18, 30)).run()
    hours = 2 if zone == "Europe/Vienna" else 0
    kept = draft(app, app_environment).policy
    assert kept.opens_at == datetime(2026, 7, 1, 8 - hours, 0, tzinfo=UTC)
    assert kept.closes_at == datetime(2026, 7, 1, 18 - hours, 30, tzinfo=UTC)
    app.datetime_input(key=closes).set_value(datetime(2026, 6, 30, 18, 30)).run()
    for _ in range(2):  # told as long as it lasts
        assert "The set closes before it opens." in app.error[0].value
        assert "Until then the rules stay as they were." in app.error[0].value
        assert draft(app, app_environment).policy == kept
        app.run()
    app.datetime_input(key=opens).set_value(datetime(2026, 6, 1, 8, 0)).run()
    assert not app.error
    kept = draft(app, app_environment).policy
    assert kept.opens_at == datetime(2026, 6, 1, 8 - hours, 0, tzinfo=UTC)
    assert kept.closes_at == datetime(2026, 6, 30, 18 - hours, 30, tzinfo=UTC)


def test_the_answers_to_choose_from_can_be_changed_but_not_below_the_keys(app, app_environment):
    build(app, choices=["lymphocyte", "monocyte"])
    ask_for(app, 1, 1)
    press(app, "fill")
    view(app, "rules")
    choices = f"rule-{set_id(app)}-choices"
    app.pills(key=choices).set_value(["basophil", "monocyte", "lymphocyte"]).run()
    assert draft(app, app_environment).choices == ("lymphocyte", "monocyte", "basophil")
    app.pills(key=choices).set_value(["basophil", "monocyte"]).run()
    assert "Unknown key 'lymphocyte'." in app.error[0].value
    assert draft(app, app_environment).choices == ("lymphocyte", "monocyte", "basophil")


def test_a_set_of_the_library_is_copied(app, app_environment):
    app.selectbox(key="copy-of").set_value("monocyte-lymphocyte")
    press(app, "copy")
    made = draft(app, app_environment)
    original = open_services(app_environment).pictures.library.sets["monocyte-lymphocyte"]
    assert (made.title, made.choices) == (original.title, original.choices)
    assert len(made.cells) == 6 and {cell.key for cell in made.cells} == {"monocyte", "lymphocyte"}


def test_sets_of_one_title_are_told_apart_wherever_one_is_chosen(app_environment, monkeypatch, tmp_path, app):
    shutil.copytree(app_environment.bank, tmp_path / "bank")
    sets_folder = tmp_path / "bank" / "sets"
    title = read_set(sets_folder / "band-segmented.yaml").title
    other = sets_folder / "monocyte-lymphocyte.yaml"
    other.write_text(other.read_text().replace(read_set(other).title, title))
    monkeypatch.setenv("HEMATOVISION_BANK", str(tmp_path / "bank"))
    load_settings.cache_clear()
    st.cache_resource.clear()
    tab = visit(new_tab(), SETS)
    box = tab.selectbox(key="copy-of")
    both = [title, f"{title} (2)"]
    assert [label for label in box.options if label.startswith(title)] == both
    tab.selectbox(key="copy-of").select_index(box.options.index(title)).run()
    press(tab, "copy")
    assert draft(tab, app_environment).choices == ("band", "segmented")  # and has the title as it is written
    assert draft(tab, app_environment).title == title
    for page, key in (("learn/exam", "exam-scope"), ("learn/quiz", "scope-core_four")):
        box = visit(tab, page).selectbox(key=key)
        assert [label for label in box.options if label.startswith(title)] == both


def test_a_change_after_publishing_makes_a_new_version_with_a_code_of_its_own(app, app_environment):
    build(app, choices=["lymphocyte", "monocyte"])
    ask_for(app, 1, 1)
    press(app, "fill")
    press(app, "publish")
    first = app.code[0].value
    app.text_input(key=f"title-{set_id(app)}").set_value("Monocyte or lymphocyte").run()
    assert "changed since version 1" in texts(app) and app.button(key="publish").label == "Publish version 2"
    press(app, "publish")
    assert app.code[0].value != first
    assert sorted(p.name for p in (app_environment.sets_folder / "published").iterdir()) == [
        f"{set_id(app)}-1",
        f"{set_id(app)}-2",
    ]


def test_a_preview_runs_by_the_rules_and_stores_nothing(app, app_environment):
    build(app, choices=["lymphocyte", "monocyte"])
    ask_for(app, 1, 1)
    press(app, "fill")
    view(app, "preview")
    assert "Cell 1 of 2" in texts(app)
    press(app, "choice-monocyte")
    press(app, "commit")
    assert "hv-verdict" in texts(app)
    press(app, "next")
    press(app, "choice-monocyte")
    press(app, "commit")
    press(app, "next")
    assert "1 of 2 right" in texts(app)
    press(app, "preview-again")
    assert "Cell 1 of 2" in texts(app)
    assert open_store(app_environment.database).sessions("local") == []


def test_an_answer_that_was_not_committed_stays_in_its_own_preview(app, app_environment):
    build(app, choices=["lymphocyte", "monocyte"])
    ask_for(app, 1, 1)
    press(app, "fill")

    def is_untouched():
        labels = {app.button(key=f"choice-{name}").label for name in ("lymphocyte", "monocyte")}
        return labels == {"Lymphocyte", "Monocyte"} and app.button(key="commit").disabled

    view(app, "preview")
    press(app, "choice-monocyte")
    next(p for p in app.get("button_group") if p.label == "Cell size").set_value("big").run()
    view(app, "cells")
    view(app, "preview")
    assert app.button(key="choice-monocyte").label == "✓ Monocyte"  # the same preview goes on
    view(app, "cells")
    note = next(area.key for area in app.text_area)
    app.text_area(key=note).set_value("Folded.").run()
    view(app, "preview")
    assert is_untouched()  # the set was changed: a new preview
    assert next(p for p in app.get("button_group") if p.label == "Cell size").value is None
    press(app, "choice-monocyte")
    visit(app, "learn/quiz")  # whose first question has the same number
    assert app.button(key="commit").disabled and app.button(key="choice-monocyte").label == "Monocyte"


def test_a_set_is_duplicated_deleted_and_found_again(app):
    build(app, "One")
    press(app, "duplicate")
    assert app.title[0].value == "One \\(copy\\)"
    press(app, "delete")
    assert "One" in texts(app) and "copy" not in texts(app)
    press(app, next(b.key for b in app.button if b.key and b.key.startswith("open-")))
    assert app.title[0].value == "One"


def test_a_set_that_lost_a_picture_says_so_where_it_would_be_downloaded_or_published(app, app_environment):
    build(app, choices=["lymphocyte", "monocyte"])
    ask_for(app, 1, 1)
    press(app, "fill")
    assert [button.label for button in app.download_button] == ["Download"] and not app.error
    made = draft(app, app_environment)
    (app_environment.sets_folder / "drafts" / made.id / made.cells[1].picture).unlink()
    app.run()
    assert not app.exception and not app.download_button
    said = f"The picture of cell 2, {made.cells[1].picture}, has gone.** Take the cell out"
    assert said in texts(app)
    press(app, "publish")
    assert texts(app).count(said) == 2  # where one pressed, too
    press(app, f"remove-{made.cells[1].picture[9:25]}")
    assert [button.label for button in app.download_button] == ["Download"] and not app.error


def test_a_set_comes_out_of_a_file(app, app_environment):
    build(app, choices=["lymphocyte", "monocyte"])
    ask_for(app, 1, 1)
    press(app, "fill")
    made = draft(app, app_environment)
    archive = open_services(app_environment).teach.export("local", made.id, "zip")
    press(app, "all-sets")
    app.get("file_uploader")[0].set_value([("set.zip", archive, "application/zip")]).run()
    assert not app.exception
    assert set_id(app) != made.id
    assert [(cell.picture, cell.key) for cell in draft(app, app_environment).cells] == [
        (cell.picture, cell.key) for cell in made.cells
    ]


def test_the_pages_are_for_instructors_where_a_site_lists_them(app_environment, monkeypatch, app):
    monkeypatch.setenv("HEMATOVISION_INSTRUCTORS", "someone-else")
    load_settings.cache_clear()
    st.cache_resource.clear()
    for page in (SETS, "teach/results"):
        tab = visit(new_tab(), page)
        assert "This is for instructors" in texts(tab)
        assert [code.value for code in tab.code] == ["local"]  # the id to be listed by
        assert not tab.text_input and not tab.selectbox


def test_an_account_is_told_the_id_that_the_site_lists_and_then_may_teach(app_environment, monkeypatch, app):
    tab = new_tab()
    tab.user = {"is_logged_in": True, "iss": "https://login.example.edu", "sub": "42", "name": "Ann"}
    tab.user |= {"iat": int(datetime.now(UTC).timestamp()), "exp": 0}
    visit(tab, SETS)
    (account,) = [code.value for code in tab.code]
    assert re.fullmatch("[0-9a-f]{64}", account) and "list you as one" in texts(tab)
    monkeypatch.setenv("HEMATOVISION_INSTRUCTORS", account)
    load_settings.cache_clear()
    st.cache_resource.clear()
    tab.run()
    build(tab, choices=["lymphocyte", "monocyte"])
    ask_for(tab, 1, 1)
    press(tab, "fill")
    press(tab, "publish")
    assert "hv-code" in texts(tab) and "names are not checked" not in texts(tab)


def test_without_sign_in_the_code_comes_with_a_word_on_names(app):
    build(app, choices=["lymphocyte", "monocyte"])
    ask_for(app, 1, 1)
    press(app, "fill")
    press(app, "publish")
    assert "This site has no sign-in: names are not checked" in texts(app)


def test_a_title_is_shown_as_it_was_written(app):
    build(app, "Cells *and* [more](x)")
    assert app.title[0].value == "Cells \\*and\\* \\[more\\]\\(x\\)"

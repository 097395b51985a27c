"""The Differential page as Streamlit runs it: tally, undo, hold, finish, and the result against the key."""

from dataclasses import replace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hematovision.cells import WHITE_CELLS, display_name
from hematovision.quiz.differential import COUNTED, NRBC, result
from hematovision.quiz.questions import Reply
from hematovision.services.practice import Tally
from hematovision.settings import ROOT, load_settings
from hematovision.storage.store import open_store
from hematovision.ui.learn.tally import agreement, nrbc_words, tally_words
from tests.quiz.test_differential import slide
from tests.ui.screen import press, texts, visit

PAGE = "learn/differential"


def store_of(settings):
    return open_store(settings.database)


def questions(settings):
    store = store_of(settings)
    return store.questions(store.latest_session("local").id)


def begin(app, length=100):
    visit(app, PAGE)
    app.button(key=f"begin-{length}").click().run()
    assert not app.exception


def tally_all(settings, choose):
    """Tally the slide as `choose(question)` says, in the store: a hundred clicks would test nothing more."""
    store = store_of(settings)
    for question in questions(settings):
        if question.is_open:
            store.answer(replace(question, answered_at=question.asked_at, reply=Reply(choose(question))))


def key(app, name):
    """The board's key of that name for the cell that is shown."""
    (found,) = [button for button in app.button if button.key.rpartition("-")[0] == name]
    return found


def counts(app):
    return [key(app, f"tally-{name}").label for name in COUNTED]


@pytest.mark.parametrize("length", [100, 200])
def test_a_slide_begins_with_an_empty_board(app, app_environment, length):
    begin(app, length)
    assert counts(app) == [
        "Neutrophil **0**",
        "Lymphocyte **0**",
        "Monocyte **0**",
        "Eosinophil **0**",
        "Basophil **0**",
        "Immature granulocyte **0**",
        "Erythroblast (NRBC) **0**",
    ]
    assert [key(app, f"tally-{name}").proto.shortcut for name in COUNTED] == list("1234567")
    assert f"0 white cells counted. The slide has {length}." in texts(app)
    assert key(app, "undo").disabled
    assert sum(q.key != NRBC for q in questions(app_environment)) == length


def test_a_tally_is_stored_and_undone(app, app_environment):
    begin(app)
    press(app, key(app, "tally-monocyte").key)
    press(app, key(app, "tally-erythroblast").key)
    assert [q.choice for q in questions(app_environment)[:3]] == ["monocyte", NRBC, None]
    assert "Monocyte **1**" in counts(app) and "Erythroblast (NRBC) **1**" in counts(app)
    assert "1 white cell counted. The slide has 100." in texts(app)
    assert key(app, "undo").proto.shortcut == "backspace"
    press(app, key(app, "undo").key)
    assert [q.choice for q in questions(app_environment)[:3]] == ["monocyte", None, None]
    assert "Erythroblast (NRBC) **0**" in counts(app)


def tones(app):
    return [str(e.proto) for e in app.get("html") if "createOscillator" in str(e.proto)]


def test_each_key_has_a_tone_of_its_own_which_is_off_at_first(app):
    begin(app)
    press(app, key(app, "tally-monocyte").key)
    assert not tones(app) and app.toggle(key="has-tones").value is False
    app.toggle(key="has-tones").set_value(True).run()
    assert not tones(app), "what was tallied before is not sounded"
    heard = []
    for name in ("monocyte", "neutrophil", "monocyte"):
        press(app, key(app, f"tally-{name}").key)
        (tone,) = tones(app)
        heard.append(tone[tone.index("frequency.value") :][:22])
    assert heard[0] == heard[2] != heard[1]
    app.run()
    assert not tones(app), "drawn anew, it sounds no second time"
    press(app, "hold")
    press(app, "go-on")
    assert app.toggle(key="has-tones").value is True
    press(app, key(app, "tally-monocyte").key)
    assert len(tones(app)) == 1


def test_a_slide_goes_on_after_a_hold_a_reload_and_a_killed_server(app, app_environment):
    begin(app)
    press(app, key(app, "tally-monocyte").key)
    press(app, "hold")
    assert app.title[0].value == "On hold" and not app.image
    press(app, "go-on")
    assert "Monocyte **1**" in counts(app)
    st.cache_resource.clear()
    again = visit(AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30), PAGE)
    assert "Monocyte **1**" in counts(again)
    press(again, key(again, "tally-monocyte").key)
    assert [q.choice for q in questions(app_environment)[:3]] == ["monocyte", "monocyte", None]


def test_no_key_is_drawn_before_the_end(app, app_environment):
    """Each class is named once, by its own key; nothing differs from slide to slide but the picture."""
    drawn = set()
    for _ in range(2):
        begin(app)
        press(app, key(app, "tally-monocyte").key)
        shown = texts(app) + "".join(counts(app)) + "".join(image.alt for image in pictures(app))
        assert not [q.picture_id for q in questions(app_environment) if q.picture_id in shown]
        assert {shown.count(display_name(name)) for name in COUNTED} == {1}
        assert {image.alt for image in pictures(app)} == {"The cell to tally"}
        drawn.add(shown)
        store_of(app_environment).delete("local")
    assert len(drawn) == 1


def pictures(app):
    return [image for shown in app.image for image in shown.proto.imgs]


def test_all_right_says_so(app, app_environment):
    begin(app)
    cells = len(questions(app_environment))
    tally_all(app_environment, lambda question: question.key)
    visit(app, PAGE)
    assert "The slide is counted." in texts(app) and key(app, "tally-monocyte").disabled
    press(app, "finish")
    shown = texts(app)
    assert app.title[0].value == "Your last slide"
    assert f"{cells} of {cells} cells named as in the key" in shown
    assert "✓ Every share agrees with the key within the limits of your count." in shown
    assert shown.count("✓ agrees") == len(WHITE_CELLS) and "Every cell is named as in the key." in shown
    assert "n = 100 white cells." in shown and "Davis's Lab & Diagnostic Tests" in shown
    assert not pictures(app) and app.button(key="begin-200")


def captions(app):
    return [caption.value for caption in app.caption]


def test_a_wrong_cell_comes_with_picture_key_and_answer(app, app_environment):
    begin(app)
    first = questions(app_environment)[0]
    wrong = next(name for name in WHITE_CELLS if name != first.key)
    tally_all(app_environment, lambda question: wrong if question.number == 1 else question.key)
    visit(app, PAGE)
    press(app, "finish")
    key_name = display_name(first.key)
    assert [image.alt for image in pictures(app)] == [f"Cell 1: {key_name}"]
    assert f"**✗ Cell 1 · {key_name}**  \nyou said {display_name(wrong).lower()}" in captions(app)


def test_many_wrong_cells_come_page_by_page(app, app_environment):
    begin(app)
    cells = questions(app_environment)
    tally_all(app_environment, lambda question: "basophil")
    visit(app, PAGE)
    press(app, "finish")
    wrong = [q.number for q in cells if q.key != "basophil"]
    assert f"{len(wrong)} of {len(cells)} cells are not named as in the key." in texts(app)
    assert len(pictures(app)) == 18 and "✗ too many" in texts(app)
    press(app, f"wrong-{cells[0].session_id}-first-on")
    assert pictures(app)[0].alt.startswith(f"Cell {wrong[18]}:")


def test_a_slide_that_is_finished_at_once_claims_nothing(app):
    begin(app)
    press(app, "finish")
    assert "No cell was tallied: there is nothing to compare." in texts(app) and not app.get("pagination")
    press(app, "begin-100")
    assert "0 white cells counted." in texts(app)


def test_where_only_erythroblasts_were_tallied_there_are_no_percentages(app):
    begin(app)
    press(app, key(app, "tally-erythroblast").key)
    press(app, "finish")
    assert "No white cell was tallied: there are no percentages." in texts(app)


def test_without_pictures_it_says_so(app, monkeypatch, tmp_path):
    monkeypatch.setenv("HEMATOVISION_DATA", "")
    monkeypatch.setenv("HEMATOVISION_BANK", str(tmp_path))
    load_settings.cache_clear()
    visit(app, PAGE)
    app.button(key="begin-100").click().run()
    assert "The library has no pictures of these classes." in texts(app)


KEYS = ["neutrophil"] * 60 + ["lymphocyte"] * 30 + ["monocyte"] * 10 + [NRBC] * 5


def test_agreement_is_said_with_a_sign_and_in_words():
    found = result(slide(KEYS, ["neutrophil"] * 90 + ["monocyte"] * 10 + ["lymphocyte"] * 2 + [NRBC] * 3))
    said = {share.name: agreement(share) for share in found.shares}
    assert said["neutrophil"] == "✗ too many" and said["lymphocyte"] == "✗ too few"
    assert said["monocyte"] == said["basophil"] == "✓ agrees"
    assert agreement(replace(found.shares[0], key=None, agrees=None)) == "– no key"


def test_erythroblasts_stand_beside_the_white_cells():
    found = result(slide(KEYS, ["neutrophil"] * 60 + ["lymphocyte"] * 30 + ["monocyte"] * 12 + [NRBC] * 3))
    assert nrbc_words(found) == "**NRBC per 100 white cells: 2.9** (3 counted); by the key 5.0."


def test_the_words_of_the_tally_count_white_cells_only():
    assert (
        tally_words(Tally({"monocyte": 2, NRBC: 3}, 5, 107, None), 100) == "2 white cells counted. The slide has 100."
    )

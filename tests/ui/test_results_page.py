"""The Results page as Streamlit runs it: who answered what, each cell's share right, and the table to take away."""

import csv
import io
from datetime import UTC, datetime

import pytest

from hematovision.quiz.questions import Reply
from hematovision.services import open_services
from hematovision.storage.store import open_store
from tests.ui.screen import press, texts, visit

RESULTS = "teach/results"


@pytest.fixture
def answered(app_environment):
    """A set of a lymphocyte and a monocyte: Ada is right twice, Ben once and not done, Cleo has not begun."""
    services = open_services(app_environment)
    teach, attempts, practice = services.teach, services.attempts, services.practice
    made = teach.new("local", "Two cells", ["lymphocyte", "monocyte"]).quiz_set.id
    library = services.pictures.library
    teach.add("local", made, [library.to_ask[name][0] for name in ("lymphocyte", "monocyte")])
    code = teach.publish("local", made).code
    for name, count in (("Ada", 2), ("Ben", 1), ("=Cleo", 0)):
        learner = practice.enroll(name).id
        attempts.join(learner, code)
        if not count:
            continue
        session = attempts.begin(learner, code)
        for _ in range(count):
            asked = practice.next(learner, session.id)
            place = [cell.picture[9:25] for cell in teach.quiz_set("local", code).cells].index(asked.picture_id)
            key = ("lymphocyte", "monocyte")[place]
            practice.commit(learner, asked.id, Reply(key if name == "Ada" else "lymphocyte"))
    return services, code


def test_students_and_cells_against_the_key(app, answered):
    services, code = answered
    visit(app, RESULTS)
    said = texts(app)
    assert "**3 joined** · 1 not begun · 1 in the middle · 1 done" in said
    table = said[said.index("<table") :]
    assert "Ada" in table and "2 of 2" in table and "=Cleo" in table and "Not begun" in table
    ben = table[table.index("Ben") : table.index("=Cleo")]
    assert "1 of 2" in ben
    captions = [caption.value for caption in app.caption]
    assert "**✓ Cell 1 · Lymphocyte**" in captions and "**✓ Cell 2 · Monocyte**" in captions
    app.selectbox(key="student").select_index(1).run()
    captions = [caption.value for caption in app.caption]
    assert any("no answer" in words for words in captions)
    app.segmented_control[0].set_value("Cells").run()
    (found,) = [services.teach.results("local", code)]
    captions = "\n".join(caption.value for caption in app.caption)
    for item in found.items:
        assert f"{item.right.right} of {item.right.n} right" in captions
    assert sum(item.right.n for item in found.items) == 3


def test_the_reason_of_a_dispute_stands_below_its_cell_for_the_instructor(app, answered):
    services, code = answered
    (ada, *_) = services.teach.results("local", code).students
    (attempt,) = ada.attempts
    services.practice.dispute(ada.learner.id, attempt.answers[2].id, "A *promonocyte*, by its nucleoli.")
    visit(app, RESULTS)
    app.segmented_control[0].set_value("Cells").run()
    captions = [caption.value for caption in app.caption]
    said = captions.index(r"Disputed: “A \*promonocyte\*, by its nucleoli\.”")
    assert captions[said - 1].startswith("**Cell 2 ·")
    assert sum("Disputed" in words for words in captions) == 1


def test_students_of_one_name_are_told_apart_in_the_order_in_which_they_joined(app, answered, app_environment):
    services, code = answered
    library = services.pictures.library
    keys = {library.to_ask[name][0]: name for name in ("lymphocyte", "monocyte")}
    store = open_store(app_environment.database)
    for account, is_right in (("1" * 64, True), ("2" * 64, False)):  # as sign-in has them
        store.enroll(account, "Wei Chen", datetime.now(UTC), is_account=True)
        services.attempts.join(account, code)
        session = services.attempts.begin(account, code)
        while asked := services.practice.next(account, session.id):
            key = store.question(account, asked.id).key
            wrong = next(name for name in keys.values() if name != key)
            services.practice.commit(account, asked.id, Reply(key if is_right else wrong))
    visit(app, RESULTS)
    box = app.selectbox(key="student")
    assert box.options == ["Ada", "Ben", "Wei Chen", "Wei Chen (2)"]
    said = texts(app)
    assert said.count(">Wei Chen</th>") == said.count(">Wei Chen (2)</th>") == 1
    for place, mark in ((2, "✓"), (3, "✗")):
        app.selectbox(key="student").select_index(place).run()
        captions = [caption.value for caption in app.caption if "Cell " in caption.value]
        assert len(captions) == 2 and all(caption.startswith(f"**{mark} Cell") for caption in captions)


def test_the_table_to_take_away_has_a_row_for_each_answer_and_no_formula(answered):
    services, code = answered
    rows = list(csv.DictReader(io.StringIO(services.teach.results_csv("local", code))))
    assert [row["student"] for row in rows] == ["Ada"] * 2 + ["Ben"] * 2 + ["'=Cleo"]
    assert [row["right"] for row in rows[:2]] == ["True", "True"]


def test_the_page_offers_the_table_and_says_what_names_are_worth(app, answered):
    visit(app, RESULTS)
    (button,) = app.download_button
    assert (button.label, button.disabled) == ("Download CSV", False)
    assert "This site has no sign-in: names are not checked" in texts(app)


def test_a_set_is_closed_by_hand_and_says_so(app, answered):
    visit(app, RESULTS)
    press(app, "close")
    assert "Closed on" in texts(app) and not [b for b in app.button if b.key == "close"]
    assert "**3 joined** · 1 not begun · 0 in the middle · 2 done" in texts(app)


def test_with_nothing_published_it_leads_to_the_sets(app):
    visit(app, RESULTS)
    assert "Nothing is published yet." in texts(app)

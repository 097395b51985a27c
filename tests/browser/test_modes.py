"""Every way to learn, played to its end and through a killed server: nothing is lost, nothing counts twice."""

import csv
import io
import json
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from hematovision.cells import CORE_FOUR, are_look_alikes, display_name
from hematovision.quiz.differential import COUNTED, NRBC
from hematovision.quiz.questions import Reply
from hematovision.quiz.session import Plan
from hematovision.quiz.table import COLUMNS
from hematovision.services.explain import Explain
from hematovision.services.pictures import Pictures
from hematovision.services.practice import LEARNER, Practice
from hematovision.settings import Settings
from hematovision.storage.store import open_store
from tests.browser.acts import (
    boxes,
    choices,
    choose,
    choose_mode,
    go_on,
    name_cell,
    open_page,
    press,
    question_shown,
    questions_of,
    restart,
    settle,
    stored,
    verdict,
    wait_until,
)

COUNT = "SELECT count(*), count(choice) FROM questions"
"""(questions, answers) of the store."""


def open_practice(server, now=None) -> Practice:
    """The practice of the server's learner, opened beside it without a model; each look at its clock is 5 seconds."""
    names = ("home", "model", "data", "bank")
    settings = Settings(**{name: Path(server.environment[f"HEMATOVISION_{name.upper()}"]) for name in names})
    settings.home.mkdir(parents=True, exist_ok=True)
    moment = now or datetime.now(UTC)

    def clock():
        nonlocal moment
        moment += timedelta(seconds=5)
        return moment

    pictures = Pictures(settings, Explain(settings.home / "no model"))
    return Practice(open_store(settings.database), pictures, clock, random.Random(0))


def name_cells(server, count, days_ago=1, is_right=lambda number: True) -> None:
    """An exam of the core four that was taken so many days ago, each cell named rightly or not."""
    practice = open_practice(server, datetime.now(UTC) - timedelta(days=days_ago))
    session = practice.start(LEARNER, Plan("exam", "core_four", length=count, minutes=240))
    while asked := practice.next(LEARNER, session.id):
        ((key,),) = stored(server, "SELECT key FROM questions WHERE id = ?", asked.id)
        wrong = next(choice for choice in asked.choices if choice != key)
        practice.commit(LEARNER, asked.id, Reply(key if is_right(asked.number) else wrong))


@pytest.mark.parametrize("mode", ["practice", "contrast", "pitfalls"])
def test_a_mode_without_end_goes_on_through_killed_servers(page, server, mode):
    open_page(page, server, "quiz")
    if mode != "practice":
        question_shown(page)
        choose_mode(page, mode)
    choose(page, "1")
    page.keyboard.press("Enter")
    # The moment that the answer is in the store, perhaps before its key was drawn.
    wait_until(page, lambda: questions_of(server, mode)[0][4])
    restart(server)
    open_page(page, server, "quiz")
    ((_, _, key, _, choice),) = questions_of(server, mode)
    said = display_name(choice)
    assert verdict(page) == (
        f"✓ Right: {said}" if key == choice else f"✗ The key is {display_name(key)}. You said {said}."
    )
    go_on(page)
    shown = question_shown(page)
    choose(page, "2")
    restart(server)
    open_page(page, server, "quiz")
    # What was chosen and not committed to is no answer.
    assert question_shown(page) == shown
    assert page.locator(".st-key-commit button").is_disabled()
    name_cell(page, "2")
    go_on(page)
    name_cell(page, "1")
    asked = questions_of(server, mode)
    assert [number for number, *_ in asked] == [1, 2, 3]
    assert [offered.index(choice) for *_, offered, choice in asked] == [0, 1, 0]
    assert len({picture for _, picture, *_ in asked}) == 3
    if mode == "contrast":
        assert all(len(offered) == 2 and are_look_alikes(*offered) for *_, offered, _ in asked)
    named_right = sum(key == choice for _, _, key, _, choice in asked)
    open_page(page, server)
    page.get_by_text(f"3 cells named, {named_right} right.").wait_for()


def test_what_is_due_comes_to_its_end_through_killed_servers(page, server):
    name_cells(server, 12, days_ago=60)
    assert {key for (key,) in stored(server, "SELECT key FROM questions")} == set(CORE_FOUR)
    open_page(page, server, "quiz")
    question_shown(page)
    choose_mode(page, "due")
    for number in range(1, 5):
        if number == 2:
            restart(server)
            open_page(page, server, "quiz")
        question_shown(page)
        _, _, key, offered, choice = questions_of(server, "due")[-1]
        assert choice is None
        said = name_cell(page, str(1 + offered.index(key)))
        assert said == f"✓ Right: {display_name(key)}"
        if number == 4:
            restart(server)
            open_page(page, server, "quiz")
            assert verdict(page) == said
        go_on(page)
    page.get_by_role("heading", name="Nothing is due").wait_for()
    page.get_by_text(re.compile(r"^The next review is in \d+ (minute|hour|day)s?\.$")).wait_for()
    asked = questions_of(server, "due")
    assert [number for number, *_ in asked] == [1, 2, 3, 4]
    assert {key for _, _, key, _, choice in asked if key == choice} == set(CORE_FOUR)
    # On to mixed practice, as its key says.
    page.keyboard.press("Enter")
    question_shown(page)
    page.locator(".st-key-mode-practice").wait_for()
    assert stored(server, COUNT) == [(17, 16)]


def begin_slide(page, server):
    open_page(page, server, "differential")
    page.locator(".st-key-begin-100 button").click()
    page.locator(".st-key-tally-board").wait_for()
    settle(page)


def board(page) -> list[int]:
    """The counts on the keys of the counter."""
    settle(page)
    return [int(count) for count in page.locator(".st-key-tally-board strong").all_inner_texts()]


def wait_for_count(page, name, count):
    """Until the key of a class shows this count."""
    shown = page.locator(f'[class*="st-key-tally-{name}"] strong', has_text=re.compile(f"^{count}$"))
    shown.first.wait_for()


def counted(white=0, nrbc=0, **named) -> list[int]:
    """The counts when `white` cells were tallied as neutrophils and so many as erythroblasts."""
    return [{"neutrophil": white, NRBC: nrbc, **named}.get(name, 0) for name in COUNTED]


def tally_next(page, server) -> tuple[int, int]:
    """Tally the next cell as neutrophil, or where it is one as erythroblast: (white cells, erythroblasts) so far."""
    ((key, number),) = stored(server, "SELECT key, number FROM questions WHERE choice IS NULL ORDER BY number LIMIT 1")
    settle(page)
    page.keyboard.press("7" if key == NRBC else "1")
    ((nrbc,),) = stored(server, "SELECT count(*) FROM questions WHERE number <= ? AND key = ?", number, NRBC)
    white = number - nrbc
    name, count = (NRBC, nrbc) if key == NRBC else ("neutrophil", white)
    wait_for_count(page, name, count)
    return white, nrbc


def test_a_slide_goes_on_through_killed_servers_to_its_result(page, server):
    begin_slide(page, server)
    press(page, "3")
    wait_for_count(page, "monocyte", 1)
    assert board(page) == counted(monocyte=1)
    press(page, "Backspace")
    wait_for_count(page, "monocyte", 0)
    tally_next(page, server)
    white, nrbc = tally_next(page, server)
    shown = page.get_by_role("img", name="The cell to tally").get_attribute("src").split("/")[-1]
    restart(server)
    open_page(page, server, "differential")
    assert board(page) == counted(white, nrbc)
    assert page.get_by_role("img", name="The cell to tally").get_attribute("src").endswith(shown)
    page.locator(".st-key-hold button").click()
    page.get_by_role("heading", name="On hold").wait_for()
    settle(page)
    assert page.get_by_role("img", name="The cell to tally").count() == 0
    page.keyboard.press("Enter")
    page.locator(".st-key-tally-board").wait_for()
    assert board(page) == counted(white, nrbc)
    tally_next(page, server)
    # A hundred keys more would test nothing new: all but the last cell are tallied in the store.
    ((cells,),) = stored(server, "SELECT max(number) FROM questions")
    stored(
        server,
        "UPDATE questions SET choice = CASE key WHEN ?1 THEN ?1 ELSE 'neutrophil' END, features = '{}', "
        "answered_at = asked_at WHERE choice IS NULL AND number < ?2",
        NRBC,
        cells,
    )
    open_page(page, server, "differential")
    white, nrbc = tally_next(page, server)
    assert white == 100
    page.get_by_role("heading", name="The slide is counted.").wait_for()
    restart(server)
    open_page(page, server, "differential")
    page.get_by_role("heading", name="The slide is counted.").wait_for()
    assert board(page) == counted(100, nrbc)
    press(page, "Enter")
    page.get_by_role("heading", name="Your last slide").wait_for()
    asked = questions_of(server, "differential")
    assert [number for number, *_ in asked] == list(range(1, cells + 1))
    right = sum(key == choice for _, _, key, _, choice in asked)
    assert verdict(page) == f"{right} of {cells} cells named as in the key"
    heads = page.locator(".hv-table thead th").all_inner_texts()
    assert heads[-3:] == ["Rümke 95 %", "Wilson 95 %", "Typical %"]
    rows = [row.locator("th, td").all_inner_texts() for row in page.locator(".hv-table tbody tr").all()]
    limits = {row[0]: (row[1], row[2], row[heads.index("Rümke 95 %")], row[heads.index("Wilson 95 %")]) for row in rows}
    # 100 of 100 and 0 of 100: exactly (Clopper and Pearson), and after Wilson.
    assert limits.pop("Neutrophil") == ("100", "100.0", "96.4–100.0", "96.3–100.0")
    assert set(limits.values()) == {("0", "0.0", "0.0–3.6", "0.0–3.7")} and len(limits) == 5
    open_page(page, server, "differential")
    page.get_by_role("heading", name="Your last slide").wait_for()


@pytest.mark.parametrize(("key", "tallied"), [("3", 3), ("Backspace", 1)])
def test_a_second_press_before_the_next_cell_is_drawn_counts_no_other(page, server, key, tallied):
    """The server may be a cell further than the page: what a press means is the cell that it was made at.

    After two tallies, either key is pressed twice while the page waits for what the server draws.
    """
    held = []
    is_held = False

    def pass_on(route):
        upstream = route.connect_to_server()
        upstream.on_message(lambda frame: held.append((route, frame)) if is_held else route.send(frame))

    page.route_web_socket("**/_stcore/stream", pass_on)
    begin_slide(page, server)
    tally_next(page, server)
    tally_next(page, server)
    settle(page)
    is_held = True
    for runs in (1, 2):
        page.keyboard.press(key)
        wait_until(page, lambda runs=runs: sum(is_end_of_run(frame) for _, frame in held) >= runs)
    is_held = False
    for route, frame in held:
        route.send(frame)
    page.get_by_role("img", name="The cell to tally").wait_for()
    assert sum(board(page)) == tallied
    done = stored(server, "SELECT number FROM questions WHERE choice IS NOT NULL ORDER BY number")
    assert done == [(number,) for number in range(1, tallied + 1)]


def is_end_of_run(frame) -> bool:
    return ForwardMsg.FromString(frame).WhichOneof("type") == "script_finished"


def start_exam(page, server):
    """Three cells, a minute, and the first cell answered."""
    open_page(page, server, "exam")
    page.get_by_role("spinbutton", name="Number of cells").fill("3")
    press(page, "Tab")
    page.get_by_role("spinbutton", name="Minutes").fill("1")
    press(page, "Tab")
    page.locator(".st-key-start button").click()
    page.get_by_text("Cell 1 of 3").wait_for()
    choose(page, "1")
    page.keyboard.press("Enter")
    page.get_by_text("Cell 2 of 3").wait_for()


def set_back(server, seconds):
    """As if the exam had begun that many seconds ago."""
    started = datetime.now(UTC) - timedelta(seconds=seconds)
    stored(server, "UPDATE sessions SET started_at = ?", f"{started:%Y-%m-%d %H:%M:%S.%f}")


def check_result(page, server):
    """The first answer is kept, two cells have none, and the exam ended when its time was over."""
    page.get_by_text("Cell by cell").wait_for()
    settle(page)
    (key, choice), *others = [row[1:] for row in stored(server, "SELECT number, key, choice FROM questions")]
    assert choice and [choice for _, choice in others] == [None, None]
    assert verdict(page) == f"{int(key == choice)} of 3 right"
    page.get_by_text("2 cells have no answer.").wait_for()
    assert page.get_by_text(re.compile(r"^– Cell [23] · ")).count() == 2
    assert page.get_by_text("no answer", exact=True).count() == 2
    ((started, ended),) = stored(server, "SELECT started_at, ended_at FROM sessions")
    assert datetime.fromisoformat(ended) - datetime.fromisoformat(started) == timedelta(minutes=1)


def test_an_exam_whose_time_is_over_ends_on_a_page_that_nobody_touches(page, server):
    start_exam(page, server)
    set_back(server, 52)
    open_page(page, server, "exam")
    check_result(page, server)
    page.reload()
    check_result(page, server)


def test_an_answer_after_the_time_does_not_count(page, server):
    start_exam(page, server)
    choose(page, "2")
    set_back(server, 61)
    page.keyboard.press("Enter")
    check_result(page, server)


def test_of_two_tabs_the_first_answer_stands_and_the_other_goes_on(page, server):
    other = page.context.new_page()
    for tab in (page, other):
        open_page(tab, server, "quiz")
    assert question_shown(page) == question_shown(other)
    choose(page, "1")
    choose(other, "2")
    page.keyboard.press("Enter")
    first = verdict(page)
    other.keyboard.press("Enter")
    assert verdict(other) == first
    ((choice,),) = stored(server, "SELECT choice FROM questions")
    assert choice == choices(server)[0]
    go_on(other)
    shown = question_shown(other)
    go_on(page)
    assert question_shown(page) == shown
    # A tab that is a question behind: its key only shows where the other one is.
    name_cell(page, "1")
    press(other, "2")
    verdict(other)
    assert stored(server, COUNT) == [(2, 2)]
    assert stored(server, "SELECT choice FROM questions WHERE number = 2") == [(choices(server)[0],)]


def test_a_double_click_on_commit_is_one_answer(page, server):
    open_page(page, server, "quiz")
    choose(page, "1")
    page.locator(".st-key-commit button").dblclick()
    verdict(page)
    page.wait_for_timeout(1000)
    verdict(page)
    assert stored(server, COUNT) == [(1, 1)]


def test_back_and_forth_between_pages_keeps_the_question(page, server):
    open_page(page, server, "quiz")
    shown = question_shown(page)
    page.get_by_role("link", name="Progress").click()
    page.get_by_role("heading", name="Progress").wait_for()
    page.get_by_role("link", name="Quiz").click()
    assert question_shown(page) == shown
    page.go_back()
    page.get_by_role("heading", name="Progress").wait_for()
    page.go_forward()
    assert question_shown(page) == shown
    page.go_back()
    page.go_back()
    assert question_shown(page) == shown and page.url == f"{server.url}/quiz"
    assert stored(server, COUNT) == [(1, 0)]


def test_progress_gives_the_answers_out_and_deletes_them_for_good(page, server):
    name_cells(server, 4, is_right=lambda number: number != 2)
    open_page(page, server, "progress")
    page.get_by_text("3 of 4 cells (75 %; 95 % interval 30 % to 95 %) right.").wait_for()
    rows = {}
    for kind in ("json", "csv"):
        with page.expect_download() as download:
            page.locator(f".st-key-export-{kind} button").click()
        assert download.value.suggested_filename == f"hematovision.{kind}"
        rows[kind] = Path(download.value.path()).read_text()
    exported = json.loads(rows["json"])
    assert [row["number"] for row in exported["answers"]] == [1, 2, 3, 4]
    assert [row["right"] for row in exported["answers"]] == [True, False, True, True]
    table = list(csv.DictReader(io.StringIO(rows["csv"])))
    assert tuple(table[0]) == COLUMNS
    named = [(row["key"], row["choice"]) for row in exported["answers"]]
    assert [(row["key"], row["choice"]) for row in table] == named
    page.get_by_role("button", name="Delete my data").click()
    page.get_by_text("are deleted for good").wait_for()
    settle(page)
    assert stored(server, COUNT) == [(4, 4)]
    page.get_by_role("button", name="Delete for good").click()
    page.get_by_text("Your data were deleted.").wait_for()
    page.get_by_text("No cell has been named yet.").wait_for()
    assert [stored(server, f"SELECT count(*) FROM {name}") for name in ("learners", "sessions", "questions")] == [
        [(0,)],
        [(0,)],
        [(0,)],
    ]
    open_page(page, server, "quiz")
    question_shown(page)
    assert stored(server, COUNT) == [(1, 0)]


def test_the_atlas_lays_two_cells_side_by_side_and_its_key_leaves_one(page, server):
    open_page(page, server, "atlas")
    page.get_by_text("Compare", exact=True).first.click()
    page.get_by_role("combobox", name="One cell").wait_for()
    for label, name in (("One cell", "Eosinophil"), ("Another cell", "Basophil")):
        page.get_by_role("combobox", name=label).click()
        page.get_by_role("option", name=name, exact=True).click()
        page.get_by_role("img", name=name, exact=True).wait_for()
        settle(page)
    one, other = boxes(page, *(page.get_by_role("img", name=name, exact=True) for name in ("Eosinophil", "Basophil")))
    assert one["right"] <= other["left"] and one["top"] == other["top"] and one["width"] == other["width"]
    assert page.locator(".hv-beside thead th").all_inner_texts()[1:] == ["Eosinophil", "Basophil"]
    page.get_by_text("Identify", exact=True).click()
    heading_comes(page, "11 of 11 kinds fit")
    page.locator(".st-key-key-nucleus").get_by_text("Lobes", exact=True).click()
    heading_comes(page, "3 of 11 kinds fit")
    page.locator(".st-key-key-granules").get_by_text("Large, round, orange-red").click()
    heading_comes(page, "Only one fits: eosinophil")
    page.locator(".st-key-see-eosinophil button").click()
    heading_comes(page, "Eosinophil")


def heading_comes(page, words):
    page.get_by_role("heading", name=words, exact=True).wait_for()
    settle(page)

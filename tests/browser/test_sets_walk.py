"""A class from its first click to its results: a set by blueprint, and each rule of it as a student meets it."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hematovision.quiz.policy import Policy
from hematovision.services import Services, open_services
from hematovision.settings import Settings
from tests.browser.acts import choose, go_on, name_cell, open_page, settle, stored
from tests.browser.conftest import Server
from tests.browser.provider import CLIENT, SECRET, running_provider
from tests.browser.test_sign_in import SECRETS, sign_in

ME = "local"


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tiny_model, cells_folder, bank) -> dict[str, Path]:
    return {"home": tmp_path_factory.mktemp("home"), "model": tiny_model, "data": cells_folder, "bank": bank}


@pytest.fixture(scope="module")
def school(folders):
    """One server for all of these tests."""
    running = Server({f"HEMATOVISION_{name.upper()}": str(path) for name, path in folders.items()})
    yield running
    running.kill()


@pytest.fixture(scope="module")
def services(folders) -> Services:
    """What the pages call, on the server's own files."""
    return open_services(Settings(**folders))


@pytest.fixture
def publish(services):
    """Publishes a lymphocyte and a monocyte under a policy; returns the draft's id and its code."""

    def make(**policy) -> tuple[str, str]:
        teach, to_ask = services.teach, services.pictures.library.to_ask
        made = teach.new(ME, "Two cells", ["lymphocyte", "monocyte"]).quiz_set.id
        made_of = teach.add(ME, made, [to_ask[name][0] for name in ("lymphocyte", "monocyte")]).quiz_set
        teach.save(ME, replace(made_of, policy=Policy(**policy)))
        return made, teach.publish(ME, made).code

    return make


@pytest.fixture
def student(browser):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    yield opened
    context.close()


def press_button(page, key):
    page.locator(f".st-key-{key} button").click()
    settle(page)


def join(page, school, code, begins=True):
    open_page(page, school, f"join?code={code}")
    page.locator(".st-key-join-name input").fill(f"Student {code}")
    page.locator(".st-key-join button").click()
    page.get_by_role("heading", name="Two cells").wait_for()
    settle(page)
    if begins:
        press_button(page, "begin")
        page.get_by_text("Cell 1 of 2").wait_for()
        settle(page)


def answer(page, number):
    """Name a cell whose key does not show."""
    page.get_by_text(f"Cell {number} of 2").wait_for()
    choose(page, "1")
    page.keyboard.press("Enter")
    page.get_by_text(f"Cell {number} of 2").wait_for(state="detached")
    settle(page)


def words(page) -> str:
    return page.locator("[data-testid=stMain]").inner_text()


def test_an_instructor_publishes_twenty_cells_of_a_blueprint(page, school, services):
    page.set_default_timeout(60_000)
    open_page(page, school)
    page.get_by_text("Teach", exact=True).click()
    page.get_by_text("Sets", exact=True).click()
    page.locator(".st-key-new-title input").fill("White cells")
    press_button(page, "create")
    row = page.locator('[class*="st-key-row-bp-"]').nth(3)  # neutrophils
    row.get_by_role("button", name="Some of them").click()
    part = page.locator('[class*="st-key-part-bp-"]')
    part.locator("[data-testid=stSelectbox]").first.click()
    page.get_by_role("option", name="Band neutrophil").click()
    settle(page)
    page.get_by_role("button", name="Fill with 20 cells").click()
    page.get_by_text("20 cells drawn.").wait_for()
    press_button(page, "publish")
    page.locator(".hv-code").wait_for()
    ((set_id,),) = stored(school, "SELECT set_id FROM publications WHERE title = 'White cells'")
    records = [services.pictures.library.records[i] for i in services.teach.taken(ME, set_id)]
    assert len(records) == 20 and [record.stage for record in records].count("band") == 1


def test_the_key_comes_at_once_without_the_model_and_back_leads_to_it(student, school, publish):
    _, code = publish(show_model=False)
    join(student, school, code)
    told = name_cell(student, "1")
    assert "The model" not in words(student) and "Would you change your answer?" in words(student)
    student.reload()
    student.locator(".hv-verdict").wait_for()
    settle(student)
    go_on(student)
    student.get_by_text("Cell 2 of 2").wait_for()
    student.go_back()
    student.locator(".hv-verdict").wait_for()
    assert student.locator(".hv-verdict").inner_text() == told


def test_two_tabs_are_one_attempt_and_its_only_one(student, school, publish):
    _, code = publish(feedback="end", attempts=1, pass_mark=0.5)
    join(student, school, code)
    other = student.context.new_page()
    other.goto(student.url)
    other.get_by_text("Cell 1 of 2").wait_for()
    settle(other)
    answer(other, 1)
    # What was said first stays: a key that was pressed on the same cell here names no other one.
    student.keyboard.press("1")
    student.get_by_text("Cell 2 of 2").wait_for()
    settle(student)
    assert student.locator(".st-key-commit button").is_disabled()
    answer(student, 2)
    student.get_by_text("Cell by cell").wait_for()
    said = words(student)
    assert "1 of 2 right" in said and "✓ Passed" in said
    press_button(student, "back")
    student.get_by_text("You have used your attempt.").wait_for()
    assert student.locator(".st-key-begin").count() == 0
    assert len(stored(school, "SELECT id FROM sessions WHERE code = ?", code)) == 1


def test_keys_that_never_show(student, school, publish):
    _, code = publish(feedback="never", pass_mark=0.5)
    join(student, school, code)
    answer(student, 1)
    answer(student, 2)
    student.get_by_text("2 of 2 cells named. Your instructor sees your answers.").wait_for()
    assert not {"right", "points", "Passed", "key"} & set(words(student).split())


def test_the_time_runs_out_while_one_looks_on(student, school, publish):
    _, code = publish(feedback="end", minutes=5)
    join(student, school, code)
    assert "left" in student.locator(".hv-timer").inner_text()
    stored(school, "UPDATE sessions SET started_at = datetime(started_at, '-294 seconds') WHERE code = ?", code)
    student.reload()
    student.get_by_text("Time was up.").wait_for()
    settle(student)
    assert "2 cells have no answer." in words(student) and student.locator(".st-key-commit").count() == 0


def test_a_set_that_is_not_open_and_one_that_has_closed(student, school, publish):
    now = datetime.now(UTC)
    _, early = publish(opens_at=now + timedelta(days=1))
    _, late = publish(opens_at=now - timedelta(days=2), closes_at=now - timedelta(days=1))
    for code, said in ((early, "This set is not open yet."), (late, "This set closed on")):
        join(student, school, code, begins=False)
        student.get_by_text(said).wait_for()
        assert student.locator(".st-key-begin").count() == 0


def test_a_running_attempt_keeps_its_version_until_the_set_is_closed(student, school, services, publish):
    set_id, code = publish(feedback="end")
    join(student, school, code)
    draft = services.teach.draft(ME, set_id).quiz_set
    services.teach.save(ME, replace(draft, title="One cell", cells=draft.cells[:1], policy=Policy()))
    assert services.teach.publish(ME, set_id).code != code
    student.reload()
    answer(student, 1)
    student.get_by_text("Cell 2 of 2").wait_for()
    assert student.locator(".hv-verdict").count() == 0
    services.teach.close(ME, code)
    student.keyboard.press("1")
    student.get_by_text("Cell by cell").wait_for()
    assert "1 cell has no answer." in words(student)


def test_with_sign_in_those_teach_whose_ids_are_listed(browser, folders, tmp_path):
    with running_provider() as provider:
        ids = {name: hashlib.sha256(f"{provider.url} {name}".encode()).hexdigest() for name in ("ann", "ben")}
        secrets = tmp_path / "secrets.toml"
        secrets.write_text(SECRETS.format(client=CLIENT, secret=SECRET, url=provider.url))
        environment = {f"HEMATOVISION_{name.upper()}": str(path) for name, path in folders.items()}
        environment |= {"HEMATOVISION_HOME": str(tmp_path / "home"), "HEMATOVISION_INSTRUCTORS": ids["ann"]}
        site = Server({**environment, "STREAMLIT_SECRETS_FILES": str(secrets)})
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(60_000)
        try:
            open_page(page, site)
            sign_in(page, "Ben Okoro")
            assert page.get_by_text("Teach", exact=True).count() == 0
            open_page(page, site, "sets")
            page.get_by_role("heading", name="This is for instructors").wait_for()
            page.get_by_text(ids["ben"]).wait_for()
            context.clear_cookies()
            open_page(page, site)
            sign_in(page, "Ann Miller")
            page.get_by_text("Teach", exact=True).click()
            page.get_by_text("Sets", exact=True).click()
            page.get_by_role("button", name="Create the set").wait_for()
        finally:
            context.close()
            site.kill()

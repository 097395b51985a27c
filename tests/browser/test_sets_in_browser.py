"""A set as a class meets it: built and published by one person, taken by another through a killed server."""

import pytest

from tests.browser.acts import name_cell, open_page, question_shown, restart, settle, stored

CHOICES = ("eosinophil", "lymphocyte", "monocyte", "neutrophil")


@pytest.fixture
def student(browser):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    opened = context.new_page()
    yield opened
    context.close()


def press_button(page, key):
    page.locator(f".st-key-{key} button").click()
    settle(page)


def publish_five(page, server) -> str:
    """From nothing to a published set of five cells; returns its link."""
    open_page(page, server, "sets")
    page.locator(".st-key-new-title input").fill("White cells")
    press_button(page, "create")
    page.locator(".st-key-fill").wait_for()
    settle(page)
    counts = page.locator('[class*="st-key-bp-"][class*="-count"] input')
    for nth, count in enumerate("2111"):
        counts.nth(nth).fill(count)
        counts.nth(nth).press("Enter")
        settle(page)
    page.get_by_role("button", name="Fill with 5 cells").click()
    page.locator(".st-key-again").wait_for()
    settle(page)
    press_button(page, "publish")
    page.locator(".hv-code").wait_for()
    settle(page)
    return page.locator("[data-testid=stCode]").inner_text().strip()


def test_a_student_joins_by_the_link_and_goes_on_after_a_killed_server(page, student, server):
    link = publish_five(page, server)
    student.goto(link)
    student.locator(".st-key-join-name input").fill("Ada")
    student.locator(".st-key-join button").click()
    student.locator(".st-key-begin").wait_for()
    settle(student)
    press_button(student, "begin")
    student.get_by_text("Cell 1 of 5").wait_for()
    question_shown(student)
    ((picture,),) = stored(server, "SELECT picture_id FROM questions WHERE number = 1")
    html = student.content().lower()
    # Before the commit the page has no name of a file, and says of the key what it says of the other choices.
    assert picture not in html and len({html.count(choice) for choice in CHOICES}) == 1
    for number in (1, 2):
        name_cell(student, "1")
        if number == 1:
            student.keyboard.press("Enter")
            student.locator(".hv-verdict").wait_for(state="detached")
            student.get_by_text("Cell 2 of 5").wait_for()
    address = student.url
    restart(server)
    student.goto(address)
    student.locator(".hv-verdict").wait_for()  # the key of the cell that was answered last
    settle(student)
    for number in (3, 4, 5):
        student.keyboard.press("Enter")
        student.get_by_text(f"Cell {number} of 5").wait_for()
        question_shown(student)
        name_cell(student, "1")
    student.keyboard.press("Enter")
    student.get_by_text("Cell by cell").wait_for()
    rows = stored(server, "SELECT key, choice FROM questions ORDER BY number")
    right = sum(key == choice for key, choice in rows)
    assert len(rows) == 5 and all(choice for _, choice in rows)
    student.get_by_role("heading", name=f"{right} of 5 right").wait_for()

    open_page(page, server, "results")
    page.get_by_text("1 joined").wait_for()
    settle(page)
    table = page.locator(".hv-wide").inner_text()
    assert "Ada" in table and "Done" in table and f"{right} of 5" in table
    with page.expect_download() as download:
        page.locator(".st-key-csv button").click()
    assert download.value.path().read_text().count("Ada") == 5

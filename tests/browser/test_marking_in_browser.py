"""Zooming the cell of a question and marking the region that decided, in a real browser."""

import json

import pytest

from tests.browser.acts import choices, open_page, press, settle, stored


@pytest.fixture
def cell(page, server):
    """Of the first question: where the picture is marked and zoomed."""
    open_page(page, server, "quiz")
    found = page.locator(".stage")
    found.locator("img").wait_for()
    return found


def drag(page, cell, start, end):
    """With the mouse, from and to points in sides of the picture."""
    box = cell.bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=5)
    page.mouse.up()
    settle(page)


def begin_to_mark(page):
    page.get_by_role("button", name="Mark the region that decided").click()


def place(cell) -> list[float]:
    """Left, top, width and height of the mark that is seen, in percent of the stage."""
    mark = cell.locator(".mark")
    return [float(mark.evaluate(f"e => parseFloat(e.style.{side})")) for side in ("left", "top", "width", "height")]


def zoom(cell) -> float:
    return cell.locator("img").evaluate("e => new DOMMatrix(getComputedStyle(e).transform).a")


def stored_region(server) -> list[float] | None:
    (region,) = stored(server, "SELECT region FROM questions WHERE choice IS NOT NULL ORDER BY id DESC LIMIT 1")[0]
    return region and [json.loads(region)[side] for side in "xywh"]


def test_a_mark_stays_through_reruns_is_stored_and_spoken_of(page, server, cell):
    begin_to_mark(page)
    drag(page, cell, (0.1, 0.1), (0.3, 0.3))
    drag(page, cell, (0.75, 0.7), (0.25, 0.3))  # again, and from below: the last one counts
    drawn = place(cell)
    assert drawn == pytest.approx([25, 30, 50, 40], abs=0.5)
    source = cell.locator("img").get_attribute("src")
    page.locator(f".st-key-choice-{choices(server)[0]} button").click()
    settle(page)
    press(page, "f")
    assert place(cell) == drawn and cell.locator("img").get_attribute("src") == source
    press(page, "3")
    press(page, "Enter")
    page.get_by_text("The model says").wait_for()
    assert stored(server, "SELECT choice, certainty FROM questions") == [(choices(server)[2], 2)]
    assert stored_region(server) == pytest.approx([0.25, 0.3, 0.5, 0.4], abs=0.005)
    assert page.get_by_text("16 % of the picture").count() == 1  # of the fifth that the box takes, pi / 4
    assert page.get_by_role("img", name="with your mark").count() == 1
    press(page, "Enter")
    page.get_by_role("heading", name="Which cell is this?").wait_for()
    assert page.locator(".stage .mark").is_hidden()
    press(page, "1")
    press(page, "Enter")
    page.get_by_text("The model says").wait_for()
    assert stored_region(server) is None and page.get_by_text("Your mark").count() == 0


def test_a_region_is_marked_where_the_zoomed_picture_shows_it(page, server, cell):
    assert zoom(cell) == 1 and page.get_by_role("button", name="Zoom out").is_hidden()
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom in").click()
    assert zoom(cell) == pytest.approx(2.25)
    drag(page, cell, (0.5, 0.5), (1, 1))  # the picture follows: its middle now lies in the corner below
    begin_to_mark(page)
    drag(page, cell, (0.1, 0.1), (0.55, 0.55))
    left = (1.25 / 2 - 0.5) / 2.25  # what of the picture lies left of the stage
    expected = [left + 0.1 / 2.25, left + 0.1 / 2.25, 0.45 / 2.25, 0.45 / 2.25]
    cell.dblclick(position={"x": 5, "y": 5})
    assert zoom(cell) == 1 and place(cell) == pytest.approx([100 * side for side in expected], abs=0.5)
    cell.hover()
    page.mouse.wheel(0, -100)
    page.wait_for_function(
        "e => new DOMMatrix(getComputedStyle(e).transform).a > 1.2", arg=cell.locator("img").element_handle()
    )
    press(page, "1")
    press(page, "Enter")
    page.get_by_text("The model says").wait_for()
    assert stored_region(server) == pytest.approx(expected, abs=0.005)


def test_a_region_is_marked_by_keys_alone(page, server, cell):
    toggle = page.get_by_role("button", name="Mark the region that decided")
    press(page, "1")
    toggle.focus()
    press(page, "Enter")  # the button's, and no commit
    assert page.get_by_text("The model says").count() == 0 and toggle.get_attribute("aria-pressed") == "true"
    press(page, "ArrowRight")
    assert place(cell) == pytest.approx([35, 35, 30, 30])
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert place(cell) == pytest.approx([33, 33, 34, 28])
    page.keyboard.press("+")
    assert zoom(cell) == 1.5
    page.keyboard.press("-")
    page.keyboard.press("Delete")
    assert cell.locator(".mark").is_hidden()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")  # before the keys have rested: it commits to what is seen
    page.get_by_text("The model says").wait_for()
    assert stored_region(server) == pytest.approx([0.37, 0.35, 0.3, 0.3])

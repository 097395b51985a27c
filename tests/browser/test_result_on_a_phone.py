"""The result of a slide on a narrow screen: each class is a block, and the page is never wider than the screen."""

import pytest

from hematovision.cells import WHITE_CELLS, display_name
from tests.browser.acts import boxes, open_page, press, settle

HEADS = ["Count", "%", "Key %", "Rümke 95 %", "Wilson 95 %", "Typical %"]
HEAD_OF = "cell => getComputedStyle(cell, '::before').content"


@pytest.fixture
def result(page, server):
    """The result of a slide of which two cells were tallied."""
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, server, "differential")
    page.locator(".st-key-begin-100 button").click()
    page.locator(".st-key-tally-board").wait_for()
    settle(page)
    for key in "12":
        press(page, key)
    page.get_by_text("Finish", exact=True).click()
    page.locator(".st-key-finish button").click()
    page.locator(".hv-result").wait_for()
    settle(page)
    return page.locator(".hv-result")


def test_nothing_is_wider_than_the_screen_and_every_figure_has_its_head(page, result):
    width = "element => [element.scrollWidth, element.clientWidth]"
    for element in (result, page.locator("[data-testid=stMain]")):
        wide, shown = element.evaluate(width)
        assert wide <= shown <= 390
    rows = result.locator("tbody tr").all()
    assert [row.locator("th").inner_text() for row in rows] == [display_name(name) for name in WHITE_CELLS]
    for cell in result.locator("td").all():
        box = cell.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    heads = [cell.evaluate(HEAD_OF).strip('"') for cell in rows[0].locator("td").all()]
    assert [head for head in heads if head != "none"] == HEADS
    # It stays a table to a screen reader, with its heads.
    assert page.get_by_role("columnheader").count() == len(HEADS) + 2
    assert page.get_by_role("row").count() == len(WHITE_CELLS) + 1


def test_on_a_wide_screen_it_is_a_table_with_one_line_of_heads(page, result):
    page.set_viewport_size({"width": 1280, "height": 900})
    tops = {round(head["top"]) for head in boxes(page, *result.locator("thead th").all())}
    assert len(tops) == 1
    heads = {cell.evaluate(HEAD_OF) for cell in result.locator("td").all()}
    assert heads == {"none"}

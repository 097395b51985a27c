"""The Morphology lab in a real browser: what a slider does, and what it leaves alone."""

import pytest

from tests.browser.acts import boxes, open_page, settle


def open_lab(page, server):
    open_page(page, server, "lab")
    page.wait_for_selector(".st-key-lab-cell img")
    return page


@pytest.fixture
def lab(page, server):
    return open_lab(page, server)


def shown(page) -> tuple[str, str]:
    """The picture, by its content, and the answer in words."""
    page.wait_for_timeout(300)  # a slider rests before it tells its value
    settle(page)
    return page.locator(".st-key-lab-cell img").get_attribute("src"), page.locator(".hv-bars").inner_text()


def slider(page, name):
    return page.locator(f".st-key-lab-{name} input")


def test_a_key_on_a_slider_changes_picture_and_probabilities(lab):
    picture, answer = shown(lab)
    slider(lab, "share").focus()
    for _ in range(60):
        lab.keyboard.press("ArrowRight")
    lab.get_by_text("Lymphocyte", exact=True).first.wait_for()
    morphed = shown(lab)
    assert morphed[0] != picture and morphed[1] != answer
    lab.get_by_role("tab", name="Nucleus").click()
    slider(lab, "nuclear_ratio").focus()
    for _ in range(20):
        lab.keyboard.press("ArrowLeft")
    moved = shown(lab)
    assert moved[0] != morphed[0]
    assert slider(lab, "nuclear_ratio").input_value() == "46"
    assert slider(lab, "share").input_value() == "60"
    assert lab.locator("[data-testid=stException]").count() == 0


def test_a_drag_on_a_slider_changes_the_picture(lab):
    before, _ = shown(lab)
    thumb = lab.locator(".st-key-lab-diameter [role=slider], .st-key-lab-diameter input").first
    box = thumb.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.mouse.move(x, y)
    lab.mouse.down()
    lab.mouse.move(x - 60, y, steps=5)
    lab.mouse.up()
    assert shown(lab)[0] != before


def test_a_slider_that_is_moved_breaks_the_trials_off(lab):
    before, _ = shown(lab)
    lab.get_by_role("button", name="Try every feature").click()
    lab.get_by_text("cells drawn").wait_for()
    slider(lab, "diameter").focus()
    lab.keyboard.press("ArrowLeft")
    lab.get_by_role("button", name="Try every feature").wait_for()
    assert shown(lab)[0] != before
    lab.get_by_role("button", name="Try every feature").click()
    lab.get_by_text("percentage point").wait_for()
    settle(lab)
    assert lab.get_by_role("button", name="Try every feature").count() == 0


def test_a_saved_cell_is_asked_in_the_quiz(page, fresh_server):
    lab = open_lab(page, fresh_server)
    lab.locator(".st-key-lab-save button").click()
    lab.get_by_text("Saved. “My cells” has 1 cell.").wait_for()
    lab.goto(f"{fresh_server.url}/quiz")
    settle(lab)
    lab.get_by_role("combobox", name="Cells").click()
    lab.get_by_role("option", name="My cells", exact=True).click()
    settle(lab)
    assert lab.get_by_text("Drawn cell").count() == 1
    assert lab.get_by_role("button", name="Monocyte").count() == 1


def test_no_request_leaves_the_machine(page, server):
    outside = []
    page.on("request", lambda r: None if r.url.startswith((server.url, "data:", "blob:")) else outside.append(r.url))
    page.goto(f"{server.url}/lab")
    page.wait_for_selector(".st-key-lab-cell img")
    settle(page)
    for tab in ("Nucleus", "Cytoplasm", "Granules", "Slide"):
        page.get_by_role("tab", name=tab).click()
    assert outside == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)])
def test_the_cell_stays_in_sight_and_nothing_overflows(browser, server, scheme, width):
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto(f"{server.url}/lab")
    page.wait_for_selector(".st-key-lab-cell img")
    settle(page)
    page.get_by_role("tab", name="Nucleus").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # As far as one scrolls to reach the last slider.
    last = page.locator(".st-key-lab-chromatin_clumping")
    beyond = last.evaluate("e => e.getBoundingClientRect().bottom - innerHeight")
    page.locator("[data-testid=stMain]").evaluate("(e, beyond) => e.scrollBy(0, beyond)", beyond)
    picture, control = boxes(page, page.locator(".st-key-lab-cell img"), last)
    assert picture["top"] >= 0 and picture["bottom"] <= 844
    assert picture["width"] > 340 and control["bottom"] < 846
    if width == 390:
        assert picture["bottom"] < control["top"]
    context.close()

"""The Heat maps page in a real browser: the pointer on the cell, the worker, and work that is stopped."""

import os
import re
import signal
import subprocess

import pytest

from tests.browser.acts import boxes, settle, wait_until

LONG = 200_000
"""Milliseconds: TensorFlow starts in seconds, and in minutes on a machine that does much else."""


def open_maps(page, server):
    page.goto(f"{server.url}/heat-maps")
    answered(page, "Grad-CAM").wait_for(timeout=60_000)
    # It is offered as long as no worker runs.
    offer = page.get_by_role("button", name="Show LayerCAM")
    offer.or_(answered(page, "LayerCAM")).or_(page.get_by_text("TensorFlow is at work.")).first.wait_for()
    if offer.count():
        offer.click()
    return page


@pytest.fixture
def maps(page, server):
    return open_maps(page, server)


@pytest.fixture
def cold(page, fresh_server):
    """The page while TensorFlow starts for it."""
    return open_maps(page, fresh_server)


def shown(page, method):
    return page.get_by_role("img", name=re.compile(f"^{re.escape(method)}(,[^:]+)?: heat map of what speaks for "))


def answered(page, method):
    """The method's map, or the words that there is none: the tiny model may see nothing in a cell."""
    return shown(page, method).or_(page.get_by_text(f"By {method} nothing in this picture speaks for"))


def unfold(page, title):
    page.locator("summary").filter(has_text=title).click()


def choose(page, *methods):
    """Press methods, which are then in or out."""
    page.get_by_role("button", name="Methods").click()
    for method in methods:
        page.locator(".st-key-maps-methods").get_by_text(method, exact=True).click()
    page.keyboard.press("Escape")


def workers(server) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True).stdout.split()
    return [int(pid) for pid in found]


def test_a_deep_link_opens_the_page_and_no_request_leaves_the_machine(page, fresh_server):
    outside = []
    page.on(
        "request", lambda r: None if r.url.startswith((fresh_server.url, "data:", "blob:")) else outside.append(r.url)
    )
    page.goto(f"{fresh_server.url}/heat-maps")
    answered(page, "Grad-CAM").wait_for(timeout=60_000)
    assert page.get_by_text("Page not found").count() == 0 and page.title() == "Heat maps · HematoVision"
    unfold(page, "What adds up to the score")
    page.locator(".hv-sum").or_(page.get_by_text("No nucleus is found")).wait_for()
    # All of it by LiteRT: no TensorFlow was started, and what would start it says so.
    assert workers(fresh_server) == [] and page.get_by_text("800 MB").count() == 1
    assert page.locator("[data-testid=stException]").count() == 0 and outside == []


def middle_of_patch(page) -> list[float]:
    """Its place in percent of the picture's width and height."""
    sides = "e => [['left', 'width'], ['top', 'height']].map(s => s.map(n => parseFloat(e.style[n])))"
    return [start + size / 2 for start, size in page.locator(".stage .patch").evaluate(sides)]


def test_the_place_that_one_points_at_is_covered(maps):
    answered(maps, "LayerCAM").wait_for(timeout=LONG)  # it moves what is below
    unfold(maps, "Cover a place")
    stage, said = maps.locator(".stage"), maps.locator(".hv-change").locator("..")
    stage.locator("img").wait_for()
    stage.scroll_into_view_if_needed()
    maps.wait_for_timeout(500)
    assert stage.locator(".patch").is_hidden()

    def point(x, y):
        box = stage.bounding_box()
        maps.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3)

    def figures() -> str:
        return said.inner_text()

    point(0.35, 0.35)
    said.wait_for()
    maps.wait_for_timeout(1500)
    first = figures()
    point(0.5, 0.5)
    wait_until(maps, lambda: figures() != first)
    maps.wait_for_timeout(1500)
    middle = figures()
    before, after = re.search(r"score (\S+) → (\S+)", middle).groups()
    assert before != after and re.search(r"score (\S+) →", first).group(1) == before
    assert middle_of_patch(maps) == pytest.approx([50, 50], abs=1)
    stage.focus()
    for _ in range(4):
        maps.keyboard.press("ArrowLeft")
    wait_until(maps, lambda: middle_of_patch(maps) == pytest.approx([34, 50], abs=1))
    # Two places may cost a tiny model the same score, as far as it is told: then the next one does not.
    for _ in range(8):
        maps.wait_for_timeout(1500)
        if figures() != middle:
            break
        maps.keyboard.press("ArrowLeft")
    assert figures() != middle


def test_arrow_keys_go_on_when_the_map_that_was_waited_for_is_there(cold, fresh_server):
    wait_until(cold, lambda: workers(fresh_server))
    worker = workers(fresh_server)[0]
    os.kill(worker, signal.SIGSTOP)
    unfold(cold, "Cover a place")
    stage = cold.locator(".stage")
    stage.locator("img").wait_for()
    stage.focus()
    for _ in range(4):
        cold.keyboard.press("ArrowLeft")
    cold.locator(".hv-change").wait_for()
    assert answered(cold, "LayerCAM").count() == 0 and middle_of_patch(cold) == pytest.approx([38, 50])
    os.kill(worker, signal.SIGCONT)
    answered(cold, "LayerCAM").wait_for(timeout=LONG)
    # The first press from here on is what the whole page is run for once more; the others come after that.
    for _ in range(3):
        cold.keyboard.press("ArrowUp")
        settle(cold)
    assert middle_of_patch(cold) == pytest.approx([38, 38])


def test_five_methods_on_one_cell_survive_a_killed_worker(cold, fresh_server):
    wait_until(cold, lambda: workers(fresh_server))
    os.kill(workers(fresh_server)[0], signal.SIGKILL)
    cold.get_by_text("The gradient worker stopped in the middle of its work.").wait_for()
    cold.get_by_role("button", name="Try again").click()
    answered(cold, "LayerCAM").wait_for(timeout=LONG)
    choose(cold, "Grad-CAM++", "Score-CAM", "Occlusion")
    for method in ("Grad-CAM", "Grad-CAM++", "Score-CAM", "Occlusion", "LayerCAM"):
        answered(cold, method).wait_for(timeout=LONG)
    settle(cold)
    assert cold.get_by_role("button", name="Cancel").count() == 0
    widths = [found.bounding_box()["width"] for found in cold.get_by_role("img", name=re.compile("heat map of")).all()]
    assert len(widths) >= 2 and len(set(map(round, widths))) == 1
    assert cold.locator("[data-testid=stException]").count() == 0


def test_cancel_stops_and_another_press_goes_on(cold, fresh_server):
    choose(cold, "LayerCAM", "SmoothGrad")
    cold.get_by_role("button", name="Cancel").click()
    cold.get_by_text("SmoothGrad was stopped.").wait_for()
    assert cold.get_by_role("button", name="Cancel").count() == 0
    cold.wait_for_timeout(2000)
    assert answered(cold, "SmoothGrad").count() == 0
    cold.get_by_role("button", name="Go on").click()
    answered(cold, "SmoothGrad").wait_for(timeout=LONG)
    assert cold.get_by_text("was stopped").count() == 0


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_nothing_overflows_with_everything_unfolded(browser, server, scheme, width):
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto(f"{server.url}/heat-maps")
    answered(page, "Grad-CAM").wait_for(timeout=60_000)
    for title, there in (
        ("Cover a place", ".stage"),
        ("Why this and not that", "[aria-label*='Rather than'], .st-key-maps-other"),
        ("What adds up to the score", ".hv-sum, .stMarkdown"),
    ):
        unfold(page, title)
        page.locator(there).first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if width == 390:
        cell, first = page.get_by_role("img", name=re.compile("^The cell: ")).first, shown(page, "Grad-CAM")
        picture, heat = boxes(page, cell, first)
        assert picture["bottom"] <= heat["top"] and picture["width"] > 340
    context.close()

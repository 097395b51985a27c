"""What a person sees and does, in a real browser."""

import io
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

from hematovision.cells import CORE_FOUR
from hematovision.settings import ROOT
from tests.browser.acts import PATHS, answers, choices, open_page, press, settle, stored


def test_five_cells_by_keyboard_from_the_first_page_on(page, server):
    open_page(page, server)
    press(page, "Enter")
    for number in range(1, 6):
        page.get_by_role("heading", name="Which cell is this?").wait_for()
        assert page.get_by_text("The model says").count() == 0
        offered = choices(server)
        press(page, str(1 + number % 4))
        assert page.locator(".st-key-commit button").is_enabled()
        press(page, "Enter")
        page.get_by_text("The model says").wait_for()
        key, choice = answers(server)[-1][1:]
        assert choice == offered[number % 4]
        verdict = page.locator(".hv-verdict").inner_text()
        assert verdict.startswith("✓ Right") == (key == choice)
        assert page.get_by_role("img", name=re.compile("Heat map|without a heat map")).count() >= 1
        assert page.get_by_role("img", name=re.compile("^Reference cell")).count() == 2
        press(page, "Enter")
    assert [number for number, _, choice in answers(server) if choice] == [1, 2, 3, 4, 5]


def test_no_request_leaves_the_machine(page, server):
    outside = []
    page.on("request", lambda r: None if r.url.startswith((server.url, "data:", "blob:")) else outside.append(r.url))
    for path in PATHS:
        open_page(page, server, path)
    page.locator("body").press("Tab")
    assert outside == []


def test_nothing_that_reaches_the_browser_tells_the_class(page, server, cells_folder):
    """Not a file name, a URL, an alt text, metadata, or a frame of the websocket."""
    frames, pictures = [], []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: frames.append(data)))
    page.on("response", lambda r: pictures.append(r) if "/media/" in r.url else None)
    open_page(page, server, "quiz")
    names = [path.stem for path in cells_folder.rglob("*.png")]
    received = b"".join(f if isinstance(f, bytes) else f.encode() for f in frames)
    assert b"Which cell is this?" in received
    assert not [name for name in names if name.encode() in received]
    assert str(cells_folder).encode() not in received
    page.locator("[data-testid=stImage] img[src]").wait_for()
    (image,) = page.locator("[data-testid=stImage] img[src]").all()
    assert image.get_attribute("alt") == "The cell to name"
    (shown,) = [r for r in pictures if r.url == image.evaluate("e => e.src")]
    assert re.fullmatch(r"/media/[0-9a-f]+\.png", shown.url.removeprefix(server.url))
    assert "filename" not in shown.headers.get("content-disposition", "")
    assert Image.open(io.BytesIO(shown.body())).info == {}
    # Each choice is named as often as each other one, so that no count tells the key. Titles of sets are always there.
    for file in (ROOT / "quiz_bank" / "sets").glob("*.yaml"):
        received = received.replace(file.read_text().splitlines()[0].removeprefix("title: ").encode(), b"")
    counts = {received.count(name.capitalize().encode()) for name in CORE_FOUR}
    assert len(counts) == 1


def test_keys_work_after_the_scope_was_changed_with_the_mouse(page, server):
    open_page(page, server, "quiz")
    for scope, answer in (("All eight", "platelet"), ("Band or segmented neutrophil", "segmented")):
        cells = page.get_by_role("combobox", name=re.compile("Cells"))
        # As a person does: the list closes when the page scrolls.
        cells.scroll_into_view_if_needed()
        settle(page)
        cells.click()
        page.get_by_role("option", name=scope, exact=True).click()
        settle(page)
        press(page, str(1 + choices(server).index(answer)))
        press(page, "Enter")
        page.get_by_text("The model says").wait_for()
        assert answers(server)[-1][2] == answer
        press(page, "Enter")
        page.get_by_role("heading", name="Which cell is this?").wait_for()
        settle(page)


def test_the_mouse_does_not_take_enter_away(page, server):
    """Not a click on a choice, on a feature, or on what is chosen already."""
    open_page(page, server, "quiz")
    page.locator(".st-key-choice-monocyte button").click()
    settle(page)
    page.get_by_text("Features I see").click()
    page.get_by_text("big", exact=True).click()
    settle(page)
    page.locator(".st-key-mode-practice").get_by_text("Practice").click()
    page.get_by_role("combobox", name=re.compile("Cells")).click()
    page.get_by_role("option", name="Core four", exact=True).click()
    settle(page)
    press(page, "f")
    press(page, "Enter")
    page.get_by_text("The model says").wait_for()
    assert stored(server, "SELECT choice, certainty, features FROM questions") == [
        ("monocyte", 2, '{"cell_size": "big"}')
    ]


def name_cell(page, number):
    """Answer cell `number` of an exam of three with the choice of that key."""
    page.get_by_text(f"Cell {number} of 3").wait_for()
    page.locator(".st-key-commit button:disabled").wait_for()
    settle(page)
    page.keyboard.press(str(number))
    page.locator(".st-key-commit button:enabled").wait_for()
    page.keyboard.press("Enter")


def seconds_left(page) -> int:
    minutes, seconds = page.get_by_role("timer").inner_text().removesuffix(" left").split(":")
    return 60 * int(minutes) + int(seconds)


def test_an_exam_goes_on_through_a_killed_server_to_its_end(page, server):
    open_page(page, server, "exam")
    page.get_by_role("spinbutton", name="Number of cells").fill("3")
    press(page, "Tab")
    page.locator(".st-key-start button").click()
    name_cell(page, 1)
    page.get_by_text("Cell 2 of 3").wait_for()
    left = seconds_left(page)
    server.kill()
    server.start()
    open_page(page, server, "exam")
    page.get_by_text("Cell 2 of 3").wait_for()
    assert 0 < seconds_left(page) < left <= 600
    name_cell(page, 2)
    page.get_by_text("Cell 3 of 3").wait_for()
    assert page.get_by_text(re.compile("The key is|Right:")).count() == 0
    name_cell(page, 3)
    page.get_by_text("Cell by cell").wait_for()
    settle(page)
    given = answers(server)
    assert [number for number, _, choice in given if choice] == [1, 2, 3]
    right = sum(key == choice for _, key, choice in given)
    assert page.locator(".hv-verdict").inner_text() == f"{right} of 3 right"
    assert page.get_by_role("img", name=re.compile(r"^Cell \d: ")).count() == 3
    assert page.get_by_text(re.compile(r"^you said ")).count() == 3 - right
    page.reload()
    page.get_by_text("Cell by cell").wait_for()


def test_a_killed_server_costs_nothing(page, server):
    open_page(page, server, "quiz")
    press(page, "2")
    press(page, "Enter")
    press(page, "Enter")
    shown = page.locator("[data-testid=stImage] img[src]").get_attribute("src")
    server.kill()
    server.start()
    open_page(page, server, "quiz")
    assert page.locator("[data-testid=stImage] img[src]").get_attribute("src").split("/")[-1] == shown.split("/")[-1]
    assert len(answers(server)) == 2


def test_a_reload_after_the_commit_shows_the_same_reveal(page, server):
    open_page(page, server, "quiz")
    press(page, "1")
    press(page, "Enter")
    verdict = page.locator(".hv-verdict").inner_text()
    page.reload()
    settle(page)
    assert page.locator(".hv-verdict").inner_text() == verdict
    assert len(answers(server)) == 1


@pytest.mark.parametrize("path", ["quiz", "heat-maps", "library", "sets", "results"])
def test_a_deep_link_may_be_the_first_request_to_a_fresh_server(page, fresh_server, path):
    open_page(page, fresh_server, path)
    assert page.get_by_text("Page not found").count() == 0
    assert page.locator("[data-testid=stException]").count() == 0
    assert "HematoVision" in page.title()


def test_classify_shows_answer_and_map_without_tensorflow(page, server):
    open_page(page, server, "classify")
    page.locator(".st-key-classify button").click()
    settle(page)
    assert page.get_by_text("Key:").count() == 1
    assert page.get_by_role("img", name=re.compile("eat map")).count() == 1
    assert page.locator("[data-testid=stException]").count() == 0
    if sys.platform == "linux":
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()
        assert "tensorflow" not in maps and "litert" in maps


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_in_any_width_or_scheme(browser, server, scheme):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    for path in PATHS:
        open_page(page, server, path)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            # Charts follow a little later.
            page.wait_for_function(f"innerWidth == {width} && document.documentElement.scrollWidth <= innerWidth")
    dark = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", dark)[:3])) < 200) == (scheme == "dark")
    context.close()

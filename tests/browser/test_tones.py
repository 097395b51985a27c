"""The sound of the tally, in a browser: off at first, and the switch does not take the keys away."""

from tests.browser.acts import open_page, press, settle


def test_the_key_after_the_switch_is_tallied_and_sounds(page, server):
    faults = []
    page.on("pageerror", lambda fault: faults.append(fault))
    open_page(page, server, "differential")
    page.locator(".st-key-begin-100 button").click()
    page.locator(".st-key-tally-board").wait_for()
    press(page, "1")
    assert page.evaluate("typeof window.hvAudio") == "undefined"
    page.get_by_text("Sound", exact=True).click()
    settle(page)
    for count in (1, 2):
        press(page, "2")
        page.locator('[class*="st-key-tally-lymphocyte"] strong', has_text=str(count)).wait_for()
    page.wait_for_function("window.hvAudio instanceof AudioContext")
    assert faults == []

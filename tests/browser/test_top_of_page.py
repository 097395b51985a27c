"""Each step of a quiz begins at its top, however far down one pressed the button that led there."""

from tests.browser.acts import open_page, settle


def test_on_a_phone_the_verdict_and_the_next_cell_are_in_sight(browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 700})
    page = context.new_page()
    open_page(page, server, "quiz")
    page.locator(".st-key-choice-monocyte button").click()
    settle(page)
    commit = page.locator(".st-key-commit button")
    commit.scroll_into_view_if_needed()
    assert scrolled(page) > 100
    commit.click()
    page.locator(".hv-verdict").wait_for()
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop === 0")
    settle(page)
    page.get_by_text("Would you change your answer?").scroll_into_view_if_needed()
    assert scrolled(page) > 100
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Which cell is this?").wait_for()
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop === 0")
    context.close()


def scrolled(page) -> float:
    return page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")

"""Features first, then the class, played with the keys in a real browser and through a killed server."""

import json

from hematovision.cells import display_name
from tests.browser.acts import open_page, press, question_shown, questions_of, restart, settle, stored, verdict

MODE = "features_first"
ASKED = 5


def feature(page) -> str:
    """The feature that is asked for, as the page says it: its name and how many of all."""
    page.get_by_role("heading", name="What do you see?").wait_for()
    settle(page)
    return (
        page.locator(".st-key-feature-values").locator("xpath=preceding::*[@data-testid='stMarkdown'][1]").inner_text()
    )


def tell(page, key) -> str:
    """Press a key for the feature that is asked; returns which one that was."""
    asked = feature(page)
    before = page.locator("[class*=st-key-told-]").count()
    page.keyboard.press(key)
    page.wait_for_function("n => document.querySelectorAll('[class*=st-key-told-]').length > n", arg=before)
    settle(page)
    return asked


def test_features_and_class_are_named_with_the_keys_and_live_through_a_killed_server(page, server):
    open_page(page, server, "quiz")
    question_shown(page)
    page.locator('[class*="st-key-mode-"]').get_by_text("Features first", exact=True).click()
    page.locator(f".st-key-mode-{MODE}").wait_for()
    first = tell(page, "1")
    # A slip of the key is taken back.
    page.keyboard.press("Backspace")
    page.locator("[class*=st-key-told-]").wait_for(state="detached")
    assert feature(page) == first and "(1 of 5)" in first
    restart(server)
    open_page(page, server, "quiz")
    # The same features are asked anew: what was not committed to is no answer.
    told = [tell(page, "1") for _ in range(ASKED)]
    assert told[0] == first and len(set(told)) == ASKED
    page.get_by_role("heading", name="Which cell is this?").wait_for()
    assert page.locator(".st-key-commit button").is_disabled()
    press(page, "2")
    page.locator(".st-key-commit button:enabled").wait_for()
    page.keyboard.press("Enter")
    said = verdict(page)
    ((number, _, key, offered, choice),) = questions_of(server, MODE)
    assert (number, choice) == (1, offered[1]) and display_name(key) in said
    named = json.loads(stored(server, "SELECT features FROM questions WHERE features IS NOT NULL")[0][0])
    assert [display_name(name) for name in named] == [words.split(" (")[0] for words in told]
    words = page.get_by_text("of 5 features as annotated").inner_text()
    marks = [text[0] for text in page.locator(".hv-table td:nth-child(2)").all_inner_texts()]
    assert len(marks) == ASKED and set(marks) <= {"✓", "✗"} and words.startswith(f"{marks.count('✓')} of 5")
    restart(server)
    open_page(page, server, "quiz")
    assert verdict(page) == said and page.get_by_text(words).count() == 1
    press(page, "Enter")
    assert "(1 of 5)" in feature(page)

"""What tests in a browser do, as a person does it, and how they look into the store of the server."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'


def settle(page):
    page.wait_for_timeout(300)
    page.wait_for_selector(SETTLED)
    page.wait_for_timeout(200)


def open_page(page, server, path=""):
    page.goto(f"{server.url}/{path}")
    settle(page)


def press(page, key):
    page.keyboard.press(key)
    settle(page)


def restart(server):
    """Kill the server as a power cut does (SIGKILL), and start it again."""
    server.kill()
    server.start()


def choose_mode(page, mode):
    page.locator('[class*="st-key-mode-"]').get_by_text(mode.capitalize(), exact=True).click()
    page.locator(f".st-key-mode-{mode}").wait_for()
    settle(page)


def question_shown(page):
    """Wait for a question; returns its picture by its content, which is the same from one server to the next."""
    page.get_by_role("heading", name="Which cell is this?").wait_for()
    page.locator(".st-key-commit button").wait_for()
    settle(page)
    return page.get_by_role("img", name="The cell to name").get_attribute("src").split("/")[-1]


def choose(page, key):
    """Choose with a key; the commit is left to do."""
    question_shown(page)
    page.keyboard.press(key)
    page.locator(".st-key-commit button:enabled").wait_for()
    settle(page)


def verdict(page) -> str:
    page.locator(".hv-verdict").wait_for()
    settle(page)
    return page.locator(".hv-verdict").inner_text()


def name_cell(page, key) -> str:
    """Choose with a key and commit with Enter; returns the verdict."""
    choose(page, key)
    page.keyboard.press("Enter")
    return verdict(page)


def go_on(page):
    """From the verdict to what comes next."""
    page.keyboard.press("Enter")
    page.locator(".hv-verdict").wait_for(state="detached")
    settle(page)


def stored(server, query: str, *values) -> list[tuple]:
    """What the store answers; a statement that changes it is carried out."""
    path = Path(server.environment["HEMATOVISION_HOME"]) / "hematovision.sqlite"
    with closing(sqlite3.connect(path, timeout=30)) as database, database:
        return database.execute(query, values).fetchall()


def answers(server) -> list[tuple]:
    return stored(server, "SELECT number, key, choice FROM questions ORDER BY id")


def choices(server) -> list[str]:
    """Of the newest question, in the order of their keys."""
    return json.loads(stored(server, "SELECT choices FROM questions ORDER BY id DESC LIMIT 1")[0][0])


def questions_of(server, mode) -> list[tuple]:
    """(number, picture, key, choices, choice) of all questions of a mode, by number."""
    query = (
        "SELECT number, picture_id, key, choices, choice FROM questions JOIN sessions ON sessions.id = session_id "
        "WHERE json_extract(plan, '$.mode') = ? ORDER BY number, questions.id"
    )
    return [(*row[:3], json.loads(row[3]), row[4]) for row in stored(server, query, mode)]


def wait_until(page, is_so):
    """Wait for something outside the page."""
    for _ in range(400):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to pass within 20 seconds")

"""What tests in a browser do, as a person does it, and how they look into the store of the server."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from weakref import WeakKeyDictionary

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from hematovision.settings import ROOT

PATHS = ("", *re.findall(r'url_path="([^"]+)"', (ROOT / "streamlit_app.py").read_text(encoding="utf-8")))
"""Where each page is; the first one has no name."""
SETTLED = '[data-testid=stApp][data-test-script-state="notRunning"]'
_MOMENT = 100
"""Milliseconds in which a press has become a question to the server, and an answer is drawn."""


class _Talk:
    """Whether the server owes a page something: the page itself only knows once the server has begun to answer."""

    def __init__(self):
        self.socket, self.is_asked, self.is_running = None, False, False

    def follow(self, socket) -> None:
        if "/_stcore/stream" not in socket.url:
            return
        self.socket, self.is_asked, self.is_running = socket, True, False
        socket.on("framesent", lambda frame: self.sent(socket, frame))
        socket.on("framereceived", lambda frame: self.received(socket, frame))
        socket.on("close", lambda _: self.closed(socket))

    def requested(self, request) -> None:
        """A page that is loaded asks for its first run: before there is a socket, too, it is owed something."""
        if request.is_navigation_request() and request.frame.parent_frame is None:
            self.socket, self.is_asked, self.is_running = None, True, False

    def sent(self, socket, frame) -> None:
        if socket is self.socket and BackMsg.FromString(frame).WhichOneof("type") == "rerun_script":
            self.is_asked = True

    def received(self, socket, frame) -> None:
        if socket is not self.socket:
            return
        kind = (message := ForwardMsg.FromString(frame)).WhichOneof("type")
        if kind == "new_session":
            self.is_asked, self.is_running = False, True
        elif kind == "script_finished":
            early = ForwardMsg.ScriptFinishedStatus.FINISHED_EARLY_FOR_RERUN
            self.is_running = message.script_finished == early

    def closed(self, socket) -> None:
        if socket is self.socket:
            self.is_asked = self.is_running = False


_talks: WeakKeyDictionary = WeakKeyDictionary()


def watch(page) -> None:
    """Listen to what a new page asks of its server, so that `settle` can wait for it."""
    _talks[page] = talk = _Talk()
    page.on("request", talk.requested)
    page.on("websocket", talk.follow)


def settle(page):
    """Wait until the server has answered all that was asked by what one did before, and the page has drawn it.

    A page that is new to the browser is drawn before the parts are loaded that it is drawn with: until then there are
    gray bars where keys are to be pressed.
    """
    page.wait_for_timeout(_MOMENT)
    talk = _talks[page]
    while True:
        wait_until(page, lambda: not (talk.is_asked or talk.is_running))
        page.wait_for_selector(SETTLED)
        page.locator("[data-testid=stSkeleton]").first.wait_for(state="hidden")
        page.wait_for_timeout(_MOMENT)
        if not (talk.is_asked or talk.is_running):
            return


def boxes(page, *locators) -> list[dict]:
    """Where they are on the screen (`left`, `right`, `top`, `bottom`, `width`, `height`, in px), at one moment.

    Asked one after the other, as `bounding_box` does, the page may scroll or grow between the two answers.
    """
    settle(page)
    shown = [locator.element_handle() for locator in locators]
    return page.evaluate("shown => shown.map(element => element.getBoundingClientRect().toJSON())", shown)


def come_to_rest(page):
    """Let the server end what it does for a page that is about to be closed: it may still store something."""
    talk = _talks[page]
    for _ in range(40):
        if not (talk.is_asked or talk.is_running):
            return
        page.wait_for_timeout(50)


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
    for _ in range(1200):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to pass within 60 seconds")

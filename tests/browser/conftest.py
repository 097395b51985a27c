"""A real server with a tiny model and drawn cells, and a real browser."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from hematovision.settings import ROOT
from tests.browser.acts import come_to_rest, stored, watch

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def pytest_collection_modifyitems(items):
    if CHROMIUM is None:
        reason = "no Chromium found; install one with: apt-get install chromium"
        for item in items:
            if "/browser/" in str(item.path):
                item.add_marker(pytest.mark.skip(reason=reason))


class Server:
    """The app on a free port; it can be killed and started again with the same data."""

    def __init__(self, environment: dict[str, str]):
        with socket.socket() as found:
            found.bind(("localhost", 0))
            self.port = found.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        self.environment = os.environ | {"STREAMLIT_SERVER_HEADLESS": "true"} | environment
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "hematovision", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1).close()
                return
            except OSError:
                assert self.process.poll() is None, self.process.stderr.read().decode()
                time.sleep(0.2)
        self.kill()
        raise AssertionError("the server did not start within 60 seconds")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def forget(self) -> None:
        """Take away all that learners left: answers, publications and sets. Pages that are open are not told."""
        home = Path(self.environment["HEMATOVISION_HOME"])
        shutil.rmtree(home / "sets", ignore_errors=True)
        if (home / "hematovision.sqlite").is_file():
            for name in ("questions", "members", "sessions", "publications", "learners"):
                stored(self, f"DELETE FROM {name}")


@pytest.fixture(scope="session")
def settings_of(tiny_model, cells_folder, bank):
    """The environment of a server with its home in a folder."""
    return lambda folder: {
        "HEMATOVISION_HOME": str(folder / "home"),
        "HEMATOVISION_MODEL": str(tiny_model),
        "HEMATOVISION_DATA": str(cells_folder),
        "HEMATOVISION_BANK": str(bank),
    }


@pytest.fixture(scope="session")
def _server_of_all(settings_of, tmp_path_factory):
    running = Server(settings_of(tmp_path_factory.mktemp("server")))
    yield running
    running.kill()


@pytest.fixture
def server(_server_of_all):
    """The app without a learner: one server for all tests, some of which kill it and start it again."""
    _server_of_all.forget()
    return _server_of_all


@pytest.fixture
def fresh_server(settings_of, tmp_path):
    """A server that nobody has asked for anything: where its worker, its library or its first page is the matter."""
    running = Server(settings_of(tmp_path))
    yield running
    running.kill()


def _be_patient(context) -> None:
    """With a machine that does much else."""
    context.set_default_timeout(60_000)
    context.on("page", watch)


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        found.on("context", _be_patient)
        yield found
        found.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    yield opened
    come_to_rest(opened)
    context.close()

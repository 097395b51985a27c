"""How long from Enter, which commits to an answer, until its verdict is painted?

    python -m benchmarks.reveal [--questions 30]

A real server with the shipped model and the drawn cells of the quiz bank, and Chromium. The clock runs inside the page:
from the event of the key to the frame in which the verdict stood. The yardstick is a rerun of the page that changes
nothing: the choice is chosen once more. They take turns, so that whatever else the machine does hits both.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile

from playwright.sync_api import Page, sync_playwright

from benchmarks.load import wait_until_served
from hematovision.settings import ROOT

LIMIT = 0.3
"""Seconds from Enter to the verdict, at the median."""
PATIENCE = 60_000
"""Milliseconds."""
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

CLOCK = """
const app = () => document.querySelector("[data-testid=stApp]");
const moments = {
  verdict: () => document.querySelector(".hv-verdict"),
  ended: () => app().dataset.testScriptState === "notRunning",
};
window.hvClock = null;
addEventListener("keydown", (event) => {
  if (event.isTrusted) window.hvClock = { pressed: event.timeStamp, began: false };
}, true);
new MutationObserver((records) => {
  const clock = window.hvClock;
  if (!clock || !app()) return;
  // A quick rerun begins and ends between two calls: what changed tells of it, not how it stands.
  clock.began ||= records.some((record) => record.attributeName === "data-test-script-state");
  for (const [name, isThere] of Object.entries(moments)) {
    if (name in clock || !clock.began || !isThere()) continue;
    clock[name] = null;
    // The next frame draws it; the task after that frame comes when it is painted.
    requestAnimationFrame(() => setTimeout(() => { clock[name] = performance.now() - clock.pressed; }));
  }
}).observe(document, { attributes: true, childList: true, subtree: true });
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=30)
    questions = parser.parse_args().questions
    if CHROMIUM is None:
        parser.error("no Chromium found; install one with: apt-get install chromium")
    with socket.socket() as found:
        found.bind(("localhost", 0))
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"STREAMLIT_SERVER_HEADLESS": "true", "HEMATOVISION_HOME": home}
        environment |= {f"HEMATOVISION_{name}": "" for name in ("MODEL", "DATA", "BANK")}  # as shipped
        # The library's index is built first: the background build of a first start is not what is measured.
        subprocess.run(
            [sys.executable, "-m", "hematovision", "library", "index"], cwd=ROOT, env=environment, check=True
        )
        server = subprocess.Popen(
            [sys.executable, "-m", "hematovision", "serve", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_until_served(port)
            times = measure(f"http://localhost:{port}/quiz", questions)
        finally:
            server.terminate()
            server.wait()
    yardstick = statistics.median(times["a rerun that changes nothing"])
    print("| what | times | median | 95th percentile | times the rerun |")
    print("| --- | --- | --- | --- | --- |")
    for name, row in times.items():
        median, late = statistics.median(row), statistics.quantiles(row, n=20)[-1]
        print(f"| {name} | {len(row)} | {median:.0f} ms | {late:.0f} ms | {median / yardstick:.1f} |")
    is_kept = statistics.median(times["Enter to the verdict"]) < LIMIT * 1e3
    print(f"verdict within {LIMIT * 1e3:.0f} ms at the median: {'promise kept' if is_kept else 'PROMISE NOT KEPT'}")
    return 0 if is_kept else 1


def measure(url: str, questions: int) -> dict[str, list[float]]:
    """Milliseconds of each key, in turns; the first two questions warm everything up."""
    times: dict[str, list[float]] = {
        "a rerun that changes nothing": [],
        "Enter to the verdict": [],
        "Enter to the whole reveal": [],
    }
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM, args=flags) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.add_init_script(CLOCK)
        page.goto(url)
        page.locator(".st-key-commit button").wait_for()
        page.wait_for_timeout(1000)
        for turn in range(questions + 2):
            press(page, "1", "ended")
            page.locator(".st-key-commit button:enabled").wait_for()
            row = [press(page, "1", "ended")["ended"]]
            clock = press(page, "Enter", "verdict", "ended")
            row += [clock["verdict"], clock["ended"]]
            if turn >= 2:
                for name, milliseconds in zip(times, row, strict=True):
                    times[name].append(milliseconds)
            page.keyboard.press("Enter")
            page.locator(".hv-verdict").wait_for(state="detached")
            page.locator(".st-key-commit button:disabled").wait_for()
            page.wait_for_timeout(500)
    return times


def press(page: Page, key: str, *moments: str) -> dict[str, float]:
    """Press a key; milliseconds from its event until each of the moments was painted."""
    page.keyboard.press(key)
    page.wait_for_function("names => names.every((name) => window.hvClock?.[name])", arg=list(moments))
    clock = page.evaluate("window.hvClock")
    page.wait_for_timeout(300)
    return {name: clock[name] for name in moments}


if __name__ == "__main__":
    raise SystemExit(main())

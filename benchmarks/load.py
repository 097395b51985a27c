"""Thirty people click Classify once a second: how long until the page has answered?

    python -m benchmarks.load [--users 30] [--seconds 20]

Speaks Streamlit's websocket as a browser does. Each user draws another cell of the library and classifies it, once a
second; the clock runs from the click on Classify until the script of the page has finished. One user is measured
first: the ratio tells what the crowd costs.
"""

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from hematovision.settings import ROOT

LIMIT = 0.3


class User:
    """One browser tab on the Classify page."""

    def __init__(self, port: int):
        self.port = port
        self.buttons: dict[str, str] = {}
        self.page_hash = ""

    async def open(self) -> None:
        origin = f"http://localhost:{self.port}"
        url = f"ws://localhost:{self.port}/_stcore/stream"
        self.socket = await connect(url, origin=origin, subprotocols=["streamlit"], max_size=None)
        await self._run(BackMsg())

    async def click(self, label: str) -> float:
        """Seconds from the click until the page's script has finished."""
        message = BackMsg()
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id, widget.trigger_value = self.buttons[label], True
        return await self._run(message)

    async def _run(self, message: BackMsg) -> float:
        message.rerun_script.page_name = "" if self.page_hash else "classify"
        message.rerun_script.page_script_hash = self.page_hash
        self.buttons = {}
        start = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg.FromString(await self.socket.recv())
            kind = answer.WhichOneof("type")
            if kind == "navigation":
                self.page_hash = answer.navigation.page_script_hash
            elif kind == "delta" and answer.delta.new_element.WhichOneof("type") == "button":
                button = answer.delta.new_element.button
                self.buttons[button.label] = button.id
            elif kind == "delta" and answer.delta.new_element.WhichOneof("type") == "exception":
                raise RuntimeError(answer.delta.new_element.exception.message)
            elif kind == "script_finished":
                return time.perf_counter() - start


async def measure(port: int, users: int, seconds: int) -> list[float]:
    crowd = [User(port) for _ in range(users)]
    for user in crowd:
        await user.open()

    async def work(user: User, delay: float) -> list[float]:
        await asyncio.sleep(delay)
        times = []
        for _ in range(seconds):
            begin = time.perf_counter()
            if "Classify" not in user.buttons:
                await user.click("Another cell")
            times.append(await user.click("Classify"))
            if "Classify" in user.buttons:
                raise RuntimeError("the page did not answer")
            await asyncio.sleep(max(0, 1 - (time.perf_counter() - begin)))
        return times

    rows = await asyncio.gather(*(work(user, i / users) for i, user in enumerate(crowd)))
    for user in crowd:
        await user.socket.close()
    return [t for row in rows for t in row]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=30)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with socket.socket() as found:
        found.bind(("localhost", 0))
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"STREAMLIT_SERVER_HEADLESS": "true"}
        environment |= {"HEMATOVISION_HOME": os.environ.get("HEMATOVISION_HOME", home)}
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
            alone = asyncio.run(measure(port, 1, 10))
            crowd = asyncio.run(measure(port, options.users, options.seconds))
        finally:
            server.terminate()
            server.wait()
    median = statistics.median(crowd)
    print("| users | clicks | median | 95th percentile | times one user |")
    print("| --- | --- | --- | --- | --- |")
    for users, times in ((1, alone), (options.users, crowd)):
        late = statistics.quantiles(times, n=20)[-1]
        ratio = statistics.median(times) / statistics.median(alone)
        print(
            f"| {users} | {len(times)} | {statistics.median(times) * 1e3:.0f} ms | {late * 1e3:.0f} ms | {ratio:.1f} |"
        )
    print(f"median under {LIMIT * 1e3:.0f} ms: {'yes' if median < LIMIT else 'NO'}")
    return 0 if median < LIMIT else 1


def wait_until_served(port: int) -> None:
    for _ in range(150):
        try:
            urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the server did not start within 30 seconds")


if __name__ == "__main__":
    raise SystemExit(main())

import subprocess
import sys
import threading

import pytest

from hematovision.errors import WorkerError
from hematovision.ui.tasks import StoppedError, Task


def test_a_task_tells_how_far_it_is_and_what_it_found():
    go_on, far = threading.Event(), []

    def compute(tell):
        tell(3, 7)
        go_on.wait(30)
        return "map"

    task = Task(compute)

    def meanwhile():
        far.append((task.done, task.total))
        if task.total:
            go_on.set()

    assert task.result(meanwhile) == "map" and far[-1] == (3, 7)


def test_a_stopped_task_ends_at_its_next_step():
    stopped, steps = threading.Event(), []

    def compute(tell):
        for done in range(5):
            tell(done, 5)
            steps.append(done)
            stopped.wait(30)

    task = Task(compute)

    def stop():
        task.stop()
        stopped.set()

    with pytest.raises(StoppedError):
        task.result(stop)
    assert steps == [0]


def test_who_leaves_does_not_stop_the_work():
    go_on = threading.Event()
    task = Task(lambda tell: go_on.wait(30) and "map")

    def leave():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        task.result(leave)
    go_on.set()
    assert task.result(lambda: None) == "map"


def test_our_errors_come_through():
    def compute(tell):
        raise WorkerError("It stopped.", "Try again.")

    with pytest.raises(WorkerError, match="It stopped"):
        Task(compute).result(lambda: None)


def test_work_that_goes_on_does_not_keep_a_server_from_ending():
    code = "import threading; from hematovision.ui.tasks import Task; Task(lambda tell: threading.Event().wait())"
    ended = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)
    assert ended.stderr == b""

"""Work that takes longer than a page should be held up: it goes on while the page is used, until it is stopped."""

import atexit
from collections.abc import Callable
from functools import cache
from multiprocessing.pool import ThreadPool
from typing import Any

from hematovision.vision.passes import Progress

AT_ONCE = 32
"""Pieces of work at the same time, for all sessions together; others wait.

Many, because most do: model and worker take one batch at a time, and what is known already must not wait for those.
"""
_MOMENT = 0.15
"""Seconds between two looks at how far it is."""


class StoppedError(Exception):
    """The work was stopped: nobody waits for it any more."""


class Task:
    """A piece of work in a thread of its own: `compute` is given a progress to call between its steps."""

    def __init__(self, compute: Callable[[Progress], Any]):
        self.done, self.total = 0, 0
        self._is_stopped = False
        self._result = _pool().apply_async(self._run, (compute,))

    def stop(self) -> None:
        """End it at its next step."""
        self._is_stopped = True

    def result(self, meanwhile: Callable[[], None]) -> Any:
        """What `compute` finds, or raises.

        `meanwhile` is called again and again until then; what it raises leaves the work going on.
        """
        self._result.wait(_MOMENT)
        while not self._result.ready():
            meanwhile()
            self._result.wait(_MOMENT)
        return self._result.get()

    def _run(self, compute: Callable[[Progress], Any]) -> Any:
        self._tell(0, 0)
        return compute(self._tell)

    def _tell(self, done: int, total: int) -> None:
        if self._is_stopped:
            raise StoppedError
        self.done, self.total = done, total


@cache
def _pool() -> ThreadPool:
    """Its threads are no hindrance to a server that ends, unlike those of concurrent.futures."""
    pool = ThreadPool(AT_ONCE)
    atexit.register(pool.terminate)
    return pool

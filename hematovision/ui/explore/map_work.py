"""The work behind heat maps, which goes on while the page is used: shown in its places, and stopped by a press."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from hematovision.errors import HematoVisionError
from hematovision.ui.explore.map_cell import State
from hematovision.ui.page import show_error
from hematovision.ui.tasks import Task
from hematovision.vision.passes import Progress


@dataclass(frozen=True)
class Slot:
    """A place for one thing to see, and below it one for a button.

    Each is drawn over, never added to: what a container held of the same run, the browser keeps.
    """

    seen: DeltaGenerator
    pressed: DeltaGenerator

    @classmethod
    def here(cls) -> "Slot":
        return cls(st.empty(), st.empty())

    def clear(self) -> None:
        self.seen.empty()
        self.pressed.empty()


@dataclass(frozen=True)
class Job:
    """Something to compute for one slot: its `key` is unlike that of any other, its `name` unlike those beside it.

    `words` say what is done as long as it does not tell how far it is; `is_map` where a map takes its place.
    """

    slot: Slot
    title: str
    key: tuple[Hashable, ...]
    name: str
    compute: Callable[[Progress], Any]
    words: str = "At work"
    is_map: bool = True


def work(state: State, jobs: Sequence[Job]) -> Iterator[tuple[Job, Any]]:
    """Each job with what it finds, in their order, but for those that fail or were stopped: their slots say so.

    All begin at once, go on when the page is left for another run, and are taken up by that.
    """
    tasks, stopped = state.setdefault("maps-tasks", {}), state.setdefault("maps-stopped", set())
    waiting: dict[Job, Task] = {}
    for job in jobs:
        if job.key in stopped:
            _say(job, f"{job.title} was stopped.")
            job.slot.pressed.button("Go on", key=f"maps-go-on-{job.name}", on_click=stopped.discard, args=(job.key,))
        else:
            waiting[job] = tasks.get(job.key) or tasks.setdefault(job.key, Task(job.compute))
    cancelable: set[Job] = set()

    def meanwhile() -> None:
        for job, task in waiting.items():
            # Each time it is drawn lets a press on another button through.
            _show_progress(job, task)
            if job not in cancelable:
                cancelable.add(job)
                job.slot.pressed.button("Cancel", key=f"maps-cancel-{job.name}", on_click=_stop, args=(state, job.key))

    for job, task in list(waiting.items()):
        try:
            found = task.result(meanwhile)
        except HematoVisionError as error:
            with job.slot.seen:
                show_error(error)
            job.slot.pressed.button("Try again", key=f"maps-again-{job.name}")
        else:
            job.slot.clear()
            yield job, found
        # Not where the page is left for another run, which then finds them.
        del waiting[job]
        tasks.pop(job.key, None)


def is_at_work(state: State) -> bool:
    """Whether something was still being computed when the page was left for this run."""
    return bool(state.get("maps-tasks"))


def leave_the_rest(state: State, is_wanted: Callable[[tuple[Hashable, ...]], bool]) -> None:
    """Stop the work whose key is not wanted any more."""
    tasks = state.get("maps-tasks", {})
    for key in [key for key in tasks if not is_wanted(key)]:
        tasks.pop(key).stop()


def _stop(state: State, key: tuple[Hashable, ...]) -> None:
    # It may have ended before the press arrived.
    task = state["maps-tasks"].pop(key, None)
    if task is not None:
        task.stop()
        state["maps-stopped"].add(key)


def _show_progress(job: Job, task: Task) -> None:
    far = f"{task.done} of {task.total}" if task.total else job.words
    share = task.done / max(task.total, 1)
    if not job.is_map:
        job.slot.seen.progress(share, text=f"{job.title}: {far}")
        return
    bar = f'<div class="track"><div class="fill" style="width:{share:.0%}"></div></div>' if task.total else ""
    _say(job, far, bar)


def _say(job: Job, words: str, bar: str = "") -> None:
    kind = ' class="hv-waiting"' if job.is_map else ""
    # Who listens is told once, and not of every step.
    role = "" if bar else ' role="status"'
    job.slot.seen.html(f"<div{kind}{role}><div>{escape(words)}</div>{bar}</div>")

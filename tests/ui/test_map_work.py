"""The work behind heat maps, without a page: slots that write down what they are told to show."""

import threading

import pytest

from hematovision.ui.explore.map_work import Job, Slot, is_at_work, leave_the_rest, work


class Place:
    """Stands in for a place of the page: keeps what it shows last, and what a button in it would do."""

    def __init__(self):
        self.shows, self.press = "", None

    def empty(self):
        self.shows, self.press = "", None

    def html(self, words):
        self.shows = words

    def progress(self, share, text):
        self.shows = text

    def button(self, label, key, on_click, args):
        self.shows, self.press = label, lambda: on_click(*args)


class LeftError(Exception):
    """What ends a run of the page that is left for another one."""


def job(name, compute, **more):
    return Job(Slot(Place(), Place()), name.capitalize(), (1, name), name, compute, **more)


def test_all_begin_at_once_and_come_in_their_order():
    together = threading.Barrier(2)
    jobs = [job(name, lambda tell, name=name: together.wait(20) is not None and name) for name in ("one", "two")]
    state = {}
    assert [(done.name, found) for done, found in work(state, jobs)] == [("one", "one"), ("two", "two")]
    assert not is_at_work(state) and [one.slot.pressed.shows for one in jobs] == ["", ""]


def leave_at_button(place):
    """Makes a place end the run as soon as it has its button."""

    def button(label, key, on_click, args):
        Place.button(place, label, key, on_click, args)
        raise LeftError

    place.button = button


def test_cancel_stops_the_work_that_another_run_took_up_and_go_on_begins_it_anew():
    begun, held, asked = threading.Event(), threading.Event(), []

    def compute(tell):
        asked.append(None)
        begun.set()
        tell(3, 4)
        held.wait(20)
        tell(4, 4)
        return "map"

    state = {}
    for _ in range(2):
        left = job("one", compute)
        leave_at_button(left.slot.pressed)
        with pytest.raises(LeftError):
            list(work(state, [left]))
        assert left.slot.pressed.shows == "Cancel" and is_at_work(state) and begun.wait(20)
    left.slot.pressed.press()
    held.set()
    last = job("one", compute)
    assert list(work(state, [last])) == [] and not is_at_work(state) and len(asked) == 1
    assert "One was stopped." in last.slot.seen.shows and last.slot.pressed.shows == "Go on"
    last.slot.pressed.press()
    assert [found for _, found in work(state, [last])] == ["map"] and len(asked) == 2


def test_a_press_that_comes_when_the_work_has_ended_changes_nothing():
    end = threading.Event()
    late, presses = job("one", lambda tell: end.wait(20) and "map"), []

    def button(label, key, on_click, args):
        presses.append(lambda: on_click(*args))
        end.set()

    late.slot.pressed.button = button
    state = {}
    assert [found for _, found in work(state, [late])] == ["map"]
    presses[0]()
    assert state["maps-stopped"] == set() and [found for _, found in work(state, [late])] == ["map"]


def test_what_is_not_looked_at_any_more_is_stopped():
    ended = {name: threading.Event() for name in ("one", "two")}

    def endless(tell, name):
        try:
            while True:
                tell(1, 2)
        finally:
            ended[name].set()

    jobs = [job(name, lambda tell, name=name: endless(tell, name)) for name in ended]
    leave_at_button(jobs[0].slot.pressed)
    state = {}
    with pytest.raises(LeftError):
        list(work(state, jobs))
    leave_the_rest(state, lambda key: key == (1, "two"))
    assert ended["one"].wait(20) and not ended["two"].is_set() and list(state["maps-tasks"]) == [(1, "two")]
    leave_the_rest(state, lambda key: False)
    assert ended["two"].wait(20) and not is_at_work(state)

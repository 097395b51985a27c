"""The laws of practice, on whatever a learner does in two tabs while the server is killed and the clock moves:
no answer is lost, none counts twice, and nothing that is sent before the answer holds a key.
"""

import json
import random
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hematovision.cells import CELL_CLASSES, STAGES
from hematovision.errors import InputError
from hematovision.quiz.questions import Reply
from hematovision.quiz.session import Plan
from hematovision.services.practice import Practice
from hematovision.storage.store import open_store

PLANS = (
    Plan(),
    Plan("contrast", "all_eight"),
    Plan("due"),
    Plan("practice", "own:band,segmented", grading="certainty"),
    Plan("exam", "all_eight", choices=4, length=5, minutes=10),
    Plan("exam", "core_four", length=3, minutes=10, grading="certainty"),
    Plan("differential", "all_eight", length=100),
)
TABS = st.integers(0, 1)


class Pictures:
    """A library of five pictures for each class and stage, and a model that says monocyte of all."""

    model_version = "v1"

    def __init__(self):
        names = (*CELL_CLASSES, *STAGES)
        ids = {name: tuple(f"{number:02}{place}" for place in range(5)) for number, name in enumerate(names)}
        self.library = SimpleNamespace(to_ask=ids, sets={})

    def picture(self, picture_id):
        return None

    def prediction(self, picture_id):
        return SimpleNamespace(label="monocyte", probability=0.9, status="confident")


class Laws(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed):
        self.folder = tempfile.TemporaryDirectory()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.rng = random.Random(seed)
        self.pictures = Pictures()
        self.given: dict[int, Reply] = {}  # question -> the first answer that was accepted
        self.tabs = [None, None]  # what each tab shows
        self.undone = 0
        self.restart()

    @rule()
    def restart(self):
        """The server is killed and started again."""
        store = open_store(Path(self.folder.name) / "answers.sqlite")
        self.practice = Practice(store, self.pictures, lambda: self.now, self.rng)

    @rule(seconds=st.sampled_from([0, 1, 30, 400, 90_000]))
    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(tab=TABS, plan=st.sampled_from(PLANS))
    def start(self, tab, plan):
        session = self.practice.start("ann", plan)
        again = self.practice.start("ann", plan)  # a double click
        assert again.id == session.id and again.started_at == session.started_at
        self.show(tab, self.practice.next("ann", session.id))

    @rule(tab=TABS)
    def reload(self, tab):
        """Another device, or the same page again: it goes on where the learner was."""
        session = self.practice.current("ann")
        if session is not None:
            shown = self.practice.asked("ann", session.id)
            assert shown == self.practice.asked("ann", session.id)
            self.show(tab, shown)

    @precondition(lambda self: any(self.tabs))
    @rule(tab=TABS, place=st.integers(0, 8), certainty=st.sampled_from([None, 1, 2, 3]), clicks=st.integers(1, 2))
    def commit(self, tab, place, certainty, clicks):
        asked = self.tabs[tab]
        if asked is None:
            return
        reply = Reply(asked.choices[place % len(asked.choices)], certainty)
        for _ in range(clicks):
            try:
                self.show(tab, self.practice.commit("ann", asked.id, reply))
            except InputError as error:
                assert error.kind in ("over", "stale", "certainty")
                assert error.kind != "over" or asked.id not in self.given
                return
            self.given.setdefault(asked.id, reply)

    @precondition(lambda self: any(self.tabs))
    @rule(tab=TABS)
    def next(self, tab):
        if self.tabs[tab] is not None:
            self.show(tab, self.practice.next("ann", self.tabs[tab].session_id))

    @precondition(lambda self: any(self.tabs))
    @rule(tab=TABS)
    def revise(self, tab):
        asked = self.tabs[tab]
        if asked is None:
            return
        right = self.practice.counts("ann")
        try:
            found = self.practice.revise("ann", asked.id, asked.choices[0])
        except InputError as error:
            assert error.kind == "not_yet"
        else:
            assert found.reply == self.given[asked.id]
        assert self.practice.counts("ann") == right

    @precondition(lambda self: any(self.tabs))
    @rule(tab=TABS)
    def undo(self, tab):
        asked = self.tabs[tab]
        if asked is None:
            return
        try:
            last = self.practice.tally("ann", asked.session_id).last
            if last is None:
                return
            assert self.practice.undo("ann", last.id).is_open
            assert self.practice.undo("ann", last.id).is_open
        except InputError as error:
            assert error.kind == "over"
        else:
            self.undone += 1
            del self.given[last.id]

    def show(self, tab, asked):
        """What a browser gets; anything in it would be seen."""
        self.tabs[tab] = asked
        if asked is None:
            return
        sent = asdict(asked)
        assert set(sent) == {"id", "session_id", "number", "picture_id", "choices", "asked_at", "reply"}
        question = self.practice._store.question("ann", asked.id)
        assert question.key in asked.choices and len(set(asked.choices)) == len(asked.choices)
        # The key is there as one of the choices, as every other one, and nowhere else.
        rest = json.dumps({name: str(value) for name, value in sent.items() if name not in ("choices", "reply")})
        assert not any(name in rest for name in asked.choices)
        session = self.practice.session("ann", asked.session_id)
        if not session.shows_key(question, self.now):
            try:
                self.practice.reveal("ann", asked.id)
            except InputError as error:
                assert error.kind == "not_yet"
            else:
                raise AssertionError("the key was told before its time")

    @invariant()
    def no_answer_is_lost_and_none_counts_twice(self):
        if not hasattr(self, "practice"):
            return
        stored = self.practice._store.answers("ann")
        assert {question.id: question.reply for question in stored} == self.given
        assert len(stored) == len(self.given)
        hidden = set(self.practice._hidden("ann"))
        shown = [question for question in stored if question.session_id not in hidden]
        assert self.practice.counts("ann") == (len(shown), sum(question.is_right for question in shown))
        assert len(self.practice.export("ann")["answers"] if stored else []) == len(shown)

    def teardown(self):
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestLaws = Laws.TestCase
TestLaws.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)

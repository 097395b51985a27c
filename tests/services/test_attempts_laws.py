"""The law of a hidden key: whatever a student does, two classes whose keys differ show them the same to the letter.

So nothing that a service returns depends on a key: not the order, not a count, not the schedule of practice, not an
error, not a hash.
"""

import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.cells import CORE_FOUR
from hematovision.errors import InputError
from hematovision.quiz.policy import Policy
from hematovision.quiz.questions import Reply
from hematovision.quiz.session import Plan
from hematovision.storage.store import open_passing_store
from tests.services.classroom import CODE, Classroom, quiz_set

KEYS = st.lists(st.sampled_from(CORE_FOUR), min_size=3, max_size=3)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["answer", "answer", "reveal", "revise", "dispute", "wait", "practice", "undo", "begin"]),
        st.integers(0, 3),
    ),
    max_size=8,
)
LOOKS = [("look", 0), ("reveal", 0), ("sum", 0), ("practice", 1)]


def step(room: Classroom, ann: str, name: str, number: int) -> str:
    """Everything that a student is told by one step, as text."""
    try:
        return repr(_step(room, ann, name, number))
    except InputError as error:
        return f"{error.kind}: {error}"


def _step(room, ann, name, number):
    practice, attempts = room.practice, room.attempts
    mine = attempts.invitation(ann, CODE).attempts
    if name == "begin":
        return attempts.begin(ann, CODE)
    if name == "wait":
        room.now += timedelta(seconds=(1, 60, 900, 5)[number])
        return None
    if name == "practice":
        session = practice.start(ann, Plan("practice", "core_four"))
        asked = practice.next(ann, session.id)
        practice.commit(ann, asked.id, Reply(asked.choices[number]))
        return asked, practice.next(ann, session.id)
    if name == "look":
        outlook = [practice.counts(ann), practice.progress(ann), practice.due(ann, "core_four"), practice.export(ann)]
        outlook += [practice.export_csv(ann), practice.sessions(ann), practice.current(ann), practice.learners()]
        return [*outlook, attempts.joined(ann), attempts.join(ann, CODE), attempts.invitation(ann, CODE)]
    if not mine:
        return None
    run = mine[-1].id
    if name == "finish":
        return practice.finish(ann, run)
    if name == "sum":
        # Each by itself: the first one that refuses would hide the others.
        return [tell(practice.tally, ann, run), tell(practice.summary, ann, run)]
    asked = practice.next(ann, run) if name == "answer" else practice.asked(ann, run)
    if name == "answer":
        return asked and practice.commit(ann, asked.id, Reply(CORE_FOUR[number], 1 + number % 3))
    if name == "reveal":
        return tell(practice.reveal, ann, asked.id), tell(attempts.remark, ann, asked.id)
    act = {"revise": practice.revise, "dispute": practice.dispute}.get(name)
    return act(ann, asked.id, CORE_FOUR[number]) if act else practice.undo(ann, asked.id)


def tell(act, *arguments):
    try:
        return act(*arguments)
    except InputError as error:
        return f"{error.kind}: {error}"


@settings(max_examples=25, deadline=None)
@given(KEYS, KEYS, st.sampled_from(["end", "never"]), st.sampled_from(["plain", "certainty", "severity"]), STEPS)
def test_what_a_student_is_told_does_not_depend_on_a_hidden_key(one, other, feedback, grading, steps):
    policy = Policy(feedback=feedback, minutes=30, pass_mark=0.5)
    with tempfile.TemporaryDirectory() as folder:
        rooms = [
            Classroom(Path(folder) / str(number), open_passing_store(), quiz_set(keys, policy, grading))
            for number, keys in enumerate((one, other))
        ]
        anns = [room.enter("Ann")[0] for room in rooms]
        assert anns[0] == anns[1]
        # What never shows its keys does not do so once it has ended, either.
        last = [("finish", 0), *LOOKS] if feedback == "never" else []
        for name, number in [("begin", 0), *steps, *LOOKS, *last]:
            told = [step(room, ann, name, number) for room, ann in zip(rooms, anns, strict=True)]
            attempts = rooms[0].attempts.invitation(anns[0], CODE).attempts
            if feedback == "end" and any(attempt.is_over(rooms[0].now) for attempt in attempts):
                break  # now the keys may show
            assert told[0] == told[1], name


@settings(max_examples=10, deadline=None)
@given(KEYS, KEYS, st.lists(st.integers(0, 3), min_size=3, max_size=3))
def test_with_feedback_at_once_the_cells_to_come_depend_on_no_key(one, other, said):
    with tempfile.TemporaryDirectory() as folder:
        told = []
        for number, keys in enumerate((one, other)):
            room = Classroom(Path(folder) / str(number), open_passing_store(), quiz_set(keys, Policy()))
            (ann,) = room.enter("Ann")
            run = room.attempts.begin(ann, CODE)
            asked = []
            for place in said:
                asked.append(room.practice.next(ann, run.id))
                asked.append(tell(room.practice.reveal, ann, asked[-1].id))
                asked.append(room.practice.commit(ann, asked[-2].id, Reply(CORE_FOUR[place])))
            told.append(repr([run, *asked]))
        assert told[0] == told[1]

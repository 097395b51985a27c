"""An attempt at a set, cell after cell to its end: a student's, and an instructor's preview of it."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from hematovision.content.phrases import percent
from hematovision.errors import HematoVisionError
from hematovision.quiz import policy
from hematovision.quiz.grading import RULES
from hematovision.quiz.questions import Asked, Question
from hematovision.quiz.session import Session
from hematovision.services import Services
from hematovision.services.attempts import Remark
from hematovision.ui.learn import exam, quiz
from hematovision.ui.learn.reveal import reveal
from hematovision.ui.page import begin_at_top, errors_shown
from hematovision.ui.widgets import verdict

_CLOCK_SHOWS = 3600
"""Seconds before a set closes from which on the clock shows, also where an attempt has no limit."""


@dataclass(frozen=True)
class Sitting:
    """`services.practice` runs it. `place` keeps under `cell` which cell is shown with its key: the address does.

    `remark` tells what comes with the key of a question.
    """

    services: Services
    learner: str
    session_id: int
    remark: Callable[[int], Remark]
    place: MutableMapping[str, str]


def sit(sitting: Sitting, onward: Callable[[Session], object]) -> None:
    """The key of the cell just answered where it shows now, the next cell, or the result; `onward` draws above it."""
    practice, learner = sitting.services.practice, sitting.learner
    running = practice.session(learner, sitting.session_id)
    question = _shown(sitting)
    if question:
        label = "Next" if not running.is_over(datetime.now(UTC)) else "All cells"
        _reveal(sitting, question, running.plan.policy.show_model, label)
    elif asked := practice.next(learner, running.id):
        _ask(sitting, running, asked)
    else:
        _show_result(sitting, practice.finish(learner, running.id), onward)


def _ask(sitting: Sitting, running: Session, asked: Asked) -> None:
    practice, now = sitting.services.practice, datetime.now(UTC)
    rules = running.plan.policy

    def commit(question_id: int) -> None:
        if (reply := quiz.reply(st.session_state, quiz.known_as(sitting.learner, question_id))) is not None:
            with errors_shown():
                practice.commit(sitting.learner, question_id, reply)
                if rules.feedback == "now":
                    sitting.place["cell"] = str(question_id)

    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"Cell {asked.number} of {running.asked}")
        left = running.seconds_left(now)
        if left is not None and (rules.minutes or left <= _CLOCK_SHOWS):
            exam.timer(running)
    in_exam = rules.feedback != "now"
    state, pictures = st.session_state, sitting.services.pictures
    quiz.ask(state, pictures, sitting.learner, asked, running.plan.grading, commit, in_exam=in_exam)
    if running.plan.grading != "plain":
        st.caption(RULES[running.plan.grading])
    with st.popover("End the attempt", type="tertiary"):
        st.markdown("Cells without an answer bring 0 points.")
        st.button("End it now", key="end", on_click=_end, args=(sitting, running.id))


def _end(sitting: Sitting, session_id: int) -> None:
    with errors_shown():
        sitting.services.practice.finish(sitting.learner, session_id)


def _shown(sitting: Sitting) -> Question | None:
    """The cell of this attempt that is shown with its key; None where there is none, or its key may not show."""
    number = sitting.place.get("cell", "")
    if not number.isdecimal():
        return None
    try:
        found = sitting.services.practice.reveal(sitting.learner, int(number))
    except HematoVisionError:  # an address is no key
        return None
    return found if found.session_id == sitting.session_id else None


def _reveal(sitting: Sitting, question: Question, shows_model: bool, label: str) -> None:
    def go_on() -> None:
        sitting.place.pop("cell", None)

    remark = sitting.remark(question.id)
    reveal(sitting.services, question, sitting.learner, go_on, label, shows_model=shows_model, remark=remark)


def _show_result(sitting: Sitting, ended: Session, onward: Callable[[Session], object]) -> None:
    """Points, passed or not, and each cell, as far as the set tells; else that the answers are stored."""
    rules = ended.plan.policy
    begin_at_top(f"ended {ended.id}")
    onward(ended)

    def open_cell(question_id: int) -> None:
        sitting.place["cell"] = str(question_id)

    if rules.feedback == "never":
        verdict("Done")
        said = f"{ended.answered} of {ended.asked} cells named. Your instructor sees your answers."
        st.markdown(f"{_time_was_up(ended)}{said}")
        return
    found = sitting.services.practice.summary(sitting.learner, ended.id)
    passed = policy.is_passed(rules, found.points, found.most_points)
    if passed is not None and rules.pass_mark:
        words = "✓ Passed" if passed else "✗ Not passed"
        verdict(words)
        st.markdown(f"{percent(rules.pass_mark)} of the points are needed.")
    if words := _time_was_up(ended):
        st.markdown(words)
    exam.show_result(sitting.services.pictures, ended, found, open_cell)


def _time_was_up(ended: Session) -> str:
    """Said where nobody ended the attempt: it ended with its time, or the set closed."""
    is_up = ended.deadline is not None and ended.ended_at is not None and ended.ended_at >= ended.deadline
    return "Time was up. " if is_up else ""

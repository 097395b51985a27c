"""An exam on the page: how one is started, the time that is left, and its result."""

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from hematovision.cells import display_name
from hematovision.content.phrases import percent
from hematovision.quiz.grading import RULES
from hematovision.quiz.intervals import wilson
from hematovision.quiz.questions import Question
from hematovision.quiz.session import Plan, Session, Summary
from hematovision.services import Services
from hematovision.services.pictures import Pictures
from hematovision.ui.gallery import marked, paged_gallery, small_picture
from hematovision.ui.page import begin_at_top
from hematovision.ui.widgets import verdict


def plan_exam(services: Services) -> Plan:
    """What the learner wants: cells, how many, how long, and how it is graded. A set brings its own rule."""
    scopes = services.practice.scopes()
    scope = st.selectbox("Cells", list(scopes), format_func=scopes.__getitem__, key="exam-scope")
    with st.container(horizontal=True):
        length = st.number_input("Number of cells", 1, 200, 20, key="exam-length")
        minutes = st.number_input("Minutes", 1, 240, 10, key="exam-minutes")
    quiz_set = services.pictures.library.sets.get(scope.removeprefix("set:")) if scope.startswith("set:") else None
    if quiz_set:
        st.markdown(f"Grading of this set: {RULES[quiz_set.grading]}")
        return Plan("exam", scope, length=length, minutes=minutes, grading=quiz_set.grading)
    grading = st.radio(
        "Grading", list(RULES), format_func=display_name, captions=list(RULES.values()), key="exam-grading"
    )
    return Plan("exam", scope, length=length, minutes=minutes, grading=grading)


@st.fragment(run_every=1)
def timer(running: Session) -> None:
    """The time that is left by the server's clock; at its end the page is drawn anew. The service enforces it."""
    left = running.seconds_left(datetime.now(UTC))
    if left is None:
        return
    if left <= 0:
        st.rerun()
    st.html(f'<p class="hv-timer" role="timer">{clock(left)} left</p>')


def clock(seconds: float) -> str:
    """Minutes and seconds, begun seconds counted: `9:05`."""
    whole = int(-(-seconds // 1))
    return f"{whole // 60}:{whole % 60:02}"


def show_result(pictures: Pictures, running: Session, found: Summary, on_open: Callable[[int], None]) -> None:
    """Right of all with its interval, points where they are others, and each cell, which can be opened."""
    low, high = wilson(found.right, found.asked)
    verdict(f"{found.right} of {found.asked} right")
    begin_at_top(f"ended {running.id}")
    if found.asked:
        st.markdown(f"{percent(found.right / found.asked)} right; 95 % interval {percent(low)} to {percent(high)}.")
    grading = running.plan.grading
    # By the plain rule the points are the right answers, which were just told.
    points = "" if grading == "plain" else f"**{found.points:g} of {found.most_points:g} points.** "
    st.markdown(f"{points}{RULES[grading]}")
    if found.answered < found.asked:
        left = found.asked - found.answered
        st.markdown(f"{left} {'cell has' if left == 1 else 'cells have'} no answer.")
    st.subheader("Cell by cell")
    paged_gallery(f"exam-{running.id}", found.questions, lambda question: _show_cell(pictures, question, on_open))


def _show_cell(pictures: Pictures, question: Question, on_open: Callable[[int], None]) -> None:
    small_picture(pictures, question.picture_id, f"Cell {question.number}: {display_name(question.key)}")
    label = marked(question.number, question.key, question.choice)
    st.button(label, key=f"open-{question.id}", type="tertiary", on_click=on_open, args=(question.id,))
    if question.choice is None:
        st.caption("no answer")
    elif not question.is_right:
        st.caption(f"you said {display_name(question.choice).lower()}")

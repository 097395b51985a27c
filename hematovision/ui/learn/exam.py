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


def show_result(running: Session, found: Summary, on_open: Callable[[int], None]) -> None:
    """Points, right of all with its interval, and each cell with key and answer; one can be opened."""
    low, high = wilson(found.right, found.asked)
    verdict(f"{found.right} of {found.asked} right")
    begin_at_top(f"ended {running.id}")
    if found.asked:
        st.markdown(f"{percent(found.right / found.asked)} right; 95 % interval {percent(low)} to {percent(high)}.")
    st.markdown(f"**{found.points:g} of {found.most_points:g} points.** {RULES[running.plan.grading]}")
    if found.answered < found.asked:
        left = found.asked - found.answered
        st.markdown(f"{left} {'cell has' if left == 1 else 'cells have'} no answer.")
    st.subheader("Cell by cell")
    for question in found.questions:
        st.button(
            result_line(question), key=f"open-{question.id}", type="tertiary", on_click=on_open, args=(question.id,)
        )


def result_line(question: Question) -> str:
    """One cell of a result: number, right or wrong, the key and the answer."""
    mark = "–" if question.choice is None else "✓" if question.is_right else "✗"
    said = "no answer" if question.choice is None else f"you said {display_name(question.choice).lower()}"
    return f"{mark} Cell {question.number}: key {display_name(question.key).lower()}, {said}"

"""Exam: a fixed number of cells against the clock; keys, points and reasons come at the end."""

from datetime import UTC, datetime

import streamlit as st

from hematovision.errors import HematoVisionError
from hematovision.quiz.grading import RULES
from hematovision.services.practice import scope_title
from hematovision.ui.learn import exam, quiz
from hematovision.ui.learn.reveal import reveal
from hematovision.ui.learner import current_learner
from hematovision.ui.page import errors_shown, show_error, start_page
from hematovision.ui.times import in_zone, learner_zone

services = start_page("Exam")
practice, state = services.practice, st.session_state
learner = current_learner(services)
quiz.enter_stays()


def show(session_id):
    """Which exam is shown, in the address: a reload shows it again."""
    st.query_params["exam"] = str(session_id)
    state["exam-cell"] = None


def begin(plan):
    with errors_shown():
        show(practice.start(learner, plan).id)


def commit(question_id):
    if (reply := quiz.reply(state, quiz.known_as(learner, question_id))) is not None:
        with errors_shown():
            practice.commit(learner, question_id, reply)


def end(session_id):
    with errors_shown():
        practice.finish(learner, session_id)


def leave():
    st.query_params.pop("exam", None)


def open_cell(question_id):
    state["exam-cell"] = question_id


def offer(past):
    st.title("Exam")
    st.markdown("No feedback until the end. The clock runs from the start, also while this page is closed.")
    plan = exam.plan_exam(services)
    st.button("Start the exam", key="start", type="primary", shortcut="Enter", on_click=begin, args=(plan,))
    for found in past:
        begun = in_zone(found.started_at, learner_zone())
        title = f"Result of {begun}: {scope_title(practice.scopes(), found.plan.scope)}"
        st.button(title, key=f"result-{found.id}", type="tertiary", on_click=show, args=(found.id,))


def run(running, asked):
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"Cell {asked.number} of {running.asked}")
        exam.timer(running)
    quiz.ask(state, services.pictures, learner, asked, running.plan.grading, commit, in_exam=True)
    st.caption(RULES[running.plan.grading])
    with st.popover("End the exam", type="tertiary"):
        st.markdown("Cells without an answer bring 0 points.")
        st.button("End it now", key="end", on_click=end, args=(running.id,))


def result(ended):
    found = practice.summary(learner, ended.id)
    if any(question.id == state.get("exam-cell") for question in found.questions):
        question = practice.reveal(learner, state["exam-cell"])
        reveal(services, question, learner, lambda: open_cell(None), onward="All cells")
        return
    exam.show_result(services.pictures, ended, found, open_cell)
    st.button("Another exam", key="another", on_click=leave)


try:
    exams = [found for found in practice.sessions(learner) if found.plan.mode == "exam"]
    wanted = st.query_params.get("exam")
    shown = next((found for found in exams if str(found.id) == wanted), None)
    shown = shown or next((found for found in exams if not found.is_over(datetime.now(UTC))), None)
    if shown is None:
        offer(exams)
    else:
        st.query_params["exam"] = str(shown.id)
        asked = practice.next(learner, shown.id)
        if asked:
            run(shown, asked)
        else:
            result(practice.finish(learner, shown.id))
except HematoVisionError as error:
    show_error(error)
    st.button("Another exam", key="another", on_click=leave)

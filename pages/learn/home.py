"""Home: what is due, go on where one stopped, start practice in one click."""

from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from hematovision.content.phrases import counted
from hematovision.quiz.session import SET
from hematovision.ui.learn.quiz import endless
from hematovision.ui.learner import current_learner, learner_line
from hematovision.ui.page import errors_shown, start_page
from hematovision.ui.times import in_words
from hematovision.ui.widgets import show_picture

services = start_page("Home")
practice = services.practice
learner = current_learner(services)
sessions = practice.sessions(learner)
running = [s for s in sessions if s.has_fixed_cells and not s.is_over(datetime.now(UTC))]
# A clock runs; what has none waits, and is gone on with where it was the last thing done.
begun = next((s.plan for s in running if s.deadline or s == sessions[0]), None)
_, plan = endless(practice, learner)


def review():
    with errors_shown():
        practice.start(learner, replace(plan, mode="due"))


words, hero = st.columns([5, 4], gap="large", vertical_alignment="center")
with words:
    st.title("Name the cell.")
    st.markdown("Commit to an answer first. Then see the expert key, the model's answer and where it looked.")
    answered, right = practice.counts(learner)
    label = "Go on with practice" if answered else "Start practice"
    if begun:
        label = f"Go on with the {begun.mode}"
    if st.button(label, type="primary", shortcut="Enter", key="start"):
        if begun and begun.mode == SET:
            st.switch_page("pages/learn/join.py", query_params={"code": begun.code})
        st.switch_page(f"pages/learn/{begun.mode if begun else 'quiz'}.py")
    if answered and not begun:
        due = practice.due(learner, plan.scope)
        if due.count:
            if st.button(f"Review what is due: {counted(due.count, 'topic')}", key="review", on_click=review):
                st.switch_page("pages/learn/quiz.py")
        elif due.next_at:
            st.caption(f"Nothing is due. The next review is in {in_words(due.next_at - datetime.now(UTC))}.")
    if answered:
        st.caption(f"{counted(answered, 'cell')} named, {right} right.")
    state = services.pictures.index_state
    if state.running and state.total:
        st.caption(f"Preparing the library: {state.done:,} of {state.total:,} pictures. You can begin meanwhile.")
    learner_line(services, learner)
with hero, errors_shown():
    (cell,) = services.atlas.of_kind("eosinophil", 1)
    show_picture(cell.picture, alt="A stained blood cell")
    if cell.is_drawn:
        st.caption("Drawn cell")

"""Differential: tally a slide of 100 or 200 white cells; the key comes at the end."""

from functools import partial

import streamlit as st

from hematovision.errors import HematoVisionError
from hematovision.quiz.questions import Reply
from hematovision.quiz.session import SLIDES, Plan
from hematovision.ui.learner import current_learner
from hematovision.ui.page import errors_shown, show_error, start_page
from hematovision.ui.tally import show_board, show_result, show_wrong, tally_words
from hematovision.ui.widgets import show_cell

services = start_page("Differential")
practice = services.practice
learner = current_learner(services)


def begin(length):
    hold(False)
    with errors_shown():
        practice.start(learner, Plan("differential", "all_eight", length=length))


def count(question_id, choice):
    # In a callback: the tally is stored before the next cell is drawn.
    with errors_shown():
        practice.commit(learner, question_id, Reply(choice))


def take_back(question_id):
    with errors_shown():
        practice.undo(learner, question_id)


def hold(is_held):
    st.session_state.is_held = is_held


def finish(session_id):
    with errors_shown():
        practice.finish(learner, session_id)


def offer(label):
    st.markdown(
        f"{label} One cell comes after another. Tally each with its key; the expert key comes at the end. "
        "White cells make the count; erythroblasts (NRBC) are counted beside them."
    )
    with st.container(horizontal=True):
        for length in SLIDES:
            st.button(f"{length} white cells", key=f"begin-{length}", type="primary", on_click=begin, args=(length,))


def tally(session):
    asked = practice.next(learner, session.id)
    so_far = practice.tally(learner, session.id)
    cell, board = st.columns([1, 1], gap="large")
    with cell, st.container(key="tally-cell"):
        if asked:
            show_cell(services.pictures, asked.picture_id, alt="The cell to tally")
        else:
            st.header("The slide is counted.")
            st.markdown("Finish to see the key. The last tally can still be undone.")
    with board:
        show_board(so_far, partial(count, asked.id if asked else 0), is_open=asked is not None)
        last = so_far.last
        with st.container(horizontal=True):
            st.button(
                "Undo",
                key="undo",
                shortcut="Backspace",
                disabled=last is None,
                on_click=take_back,
                args=(last.id if last else 0,),
            )
            if asked:
                st.button("Hold", key="hold", on_click=hold, args=(True,))
                with st.popover("Finish"):
                    st.markdown("Cells that are left don't count. A slide that is finished stays finished.")
                    st.button("Finish now", key="finish", type="primary", on_click=finish, args=(session.id,))
            else:
                st.button("Finish", key="finish", type="primary", shortcut="Enter", on_click=finish, args=(session.id,))
        st.caption(tally_words(so_far, session.plan.length))


@st.fragment
def wrong_cells(found, session_id):
    show_wrong(services.pictures, found, session_id)


slides = [session for session in practice.sessions(learner) if session.plan.mode == "differential"]
running = next((session for session in slides if session.ended_at is None), None)
try:
    if running and st.session_state.get("is_held"):
        st.title("On hold")
        st.markdown("Every tally is stored. Go on now or on another day.")
        st.button("Go on", key="go-on", type="primary", shortcut="Enter", on_click=hold, args=(False,))
    elif running:
        tally(running)
    elif slides:
        st.title("Your last slide")
        found = practice.differential(learner, slides[0].id)
        show_result(found)
        wrong_cells(found, slides[0].id)
        st.header("Another slide")
        offer("")
    else:
        st.title("Differential")
        offer("Count a slide of white cells.")
except HematoVisionError as error:
    show_error(error)

"""Differential: tally a slide of 100 or 200 white cells; the key comes at the end."""

import streamlit as st

from hematovision.errors import HematoVisionError
from hematovision.quiz.session import SLIDES, Plan
from hematovision.ui.learn.quiz import enter_stays
from hematovision.ui.learn.tally import hold, show_result, show_slide, show_wrong
from hematovision.ui.learner import current_learner
from hematovision.ui.page import errors_shown, show_error, start_page

services = start_page("Differential")
practice = services.practice
learner = current_learner(services)
enter_stays()


def begin(length):
    hold(False)
    with errors_shown():
        practice.start(learner, Plan("differential", "all_eight", length=length))


def offer(label):
    st.markdown(
        f"{label} One cell comes after another: tally each. The expert key comes at the end. "
        "White cells make the count; erythroblasts (NRBC) are counted beside them."
    )
    with st.container(horizontal=True):
        for length in SLIDES:
            st.button(
                f"{length} white cells",
                key=f"begin-{length}",
                type="primary" if length == SLIDES[0] else "secondary",
                on_click=begin,
                args=(length,),
            )


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
        show_slide(services, learner, running)
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

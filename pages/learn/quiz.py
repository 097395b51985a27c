"""Quiz: a cell and the choices; after the commit the key, the model's answer and why."""

from datetime import UTC, datetime

import streamlit as st

from hematovision.errors import HematoVisionError
from hematovision.quiz.questions import Asked
from hematovision.quiz.session import Plan, Session
from hematovision.ui.learn import quiz
from hematovision.ui.learn.reveal import reveal
from hematovision.ui.learner import current_learner
from hematovision.ui.page import errors_shown, show_error, start_page
from hematovision.ui.times import in_words

services = start_page("Quiz")
practice, state = services.practice, st.session_state
learner = current_learner(services)
quiz.enter_stays()


def commit(question_id):
    # In a callback: it runs to its end before anything is drawn, so the answer is stored before the key is shown.
    if (reply := quiz.reply(state, quiz.known_as(learner, question_id))) is not None:
        with errors_shown():
            practice.commit(learner, question_id, reply)


def start(wanted: Plan) -> tuple[Session, Asked | None]:
    """The session of a plan and its next question. The question before it would be shown where none is due."""
    begun = practice.start(learner, wanted)
    found = practice.next(learner, begun.id)
    state["nothing-due"] = begun.id if found is None else None
    return begun, found


def ask_next(wanted):
    try:
        start(wanted)
    except HematoVisionError as error:
        state["refused"] = error  # said where the page is drawn, which would meet most of them again


def nothing_due():
    st.header("Nothing is due")
    next_at = practice.due(learner, plan.scope).next_at
    if next_at is None:
        st.markdown("Nothing was practiced of these cells yet.")
    else:
        st.markdown(f"The next review is in {in_words(next_at - datetime.now(UTC))}.")
    st.button("Practice", key="practice", type="primary", shortcut="Enter", on_click=ask_next, args=(mixed,))


def ended_by(error):
    show_error(error)
    if asked is None:
        st.page_link("pages/about/library.py", label="Open the library")
    else:
        st.button("Next", type="primary", on_click=ask_next, args=(plan,))
    quiz.choose_plan(plan, scopes, ask_next)


session, plan = quiz.endless(practice, learner)
asked = practice.asked(learner, session.id) if session else None
scopes = practice.scopes()
mixed = Plan("practice", plan.scope)
refused = state.pop("refused", None)
try:
    if refused and asked is None:
        raise refused
    if refused:
        show_error(refused)
    if session is None or asked is None:
        session, asked = start(plan)
    if asked is None or (not asked.is_open and state.get("nothing-due") == session.id):
        nothing_due()
        quiz.choose_plan(plan, scopes, ask_next)
    elif asked.is_open:
        features = practice.features(session, asked)
        quiz.ask(state, services.pictures, learner, asked, session.plan.grading, commit, features=features)
        quiz.choose_plan(plan, scopes, ask_next)
    else:
        reveal(services, practice.reveal(learner, asked.id), learner, lambda: ask_next(plan))
except HematoVisionError as error:
    ended_by(error)

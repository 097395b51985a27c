"""Join a set: a code and a name, what awaits, then cell after cell, and how it went."""

import streamlit as st

from hematovision.errors import HematoVisionError
from hematovision.ui.learn import quiz
from hematovision.ui.learn.joining import ask_to_join, joining_learner, show_invitation, show_joined
from hematovision.ui.learn.sitting import Sitting, sit
from hematovision.ui.page import errors_shown, show_error, start_page

services = start_page("Join a set")
attempts, practice, place = services.attempts, services.practice, st.query_params
quiz.enter_stays()
student = joining_learner(services) or ""


def open_set(code):
    for name in ("attempt", "cell"):
        place.pop(name, None)
    place["code"] = code


def begin():
    with errors_shown():
        open_attempt(attempts.begin(student, place["code"]))


def open_attempt(session):
    place["attempt"] = str(session.id)


def leave():
    for name in ("code", "attempt", "cell"):
        place.pop(name, None)


def run(session_id):
    sitting = Sitting(services, student, session_id, lambda question: attempts.remark(student, question), place)
    code = (place["code"],)
    sit(sitting, lambda ended: st.button("Back to the set", key="back", type="tertiary", on_click=open_set, args=code))


def show_set():
    found = attempts.invitation(student, place["code"])
    mine = {str(session.id): session for session in found.attempts}
    shown = found.running or mine.get(place.get("attempt", ""))
    if shown:
        open_attempt(shown)
        run(shown.id)
    else:
        show_invitation(found, begin, open_attempt)
        st.button("Other sets", key="leave", type="tertiary", on_click=leave)


def show_door():
    st.title("Join a set")
    st.markdown("With the code that your instructor gave you.")
    ask_to_join(services, student, place.get("code", ""), open_set)
    if student:
        show_joined(services, student, open_set)


try:
    joined = [known.code for known in attempts.joined(student)] if student else []
    if place.get("code") in joined:
        show_set()
    else:
        show_door()
except HematoVisionError as error:
    show_error(error)
    st.button("Join a set", key="leave", on_click=leave)

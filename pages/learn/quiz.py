"""Quiz: a cell and the choices; after the commit the key, the model's answer and why."""

import streamlit as st

from hematovision.cells import CLASS_HEAD, SCOPES, display_name
from hematovision.errors import HematoVisionError
from hematovision.ui.page import errors_shown, show_error, start_page
from hematovision.ui.widgets import (
    NOT_FOR_DIAGNOSIS,
    heat_map,
    opacity_slider,
    probability_bars,
    show_picture,
    status_line,
    verdict,
)

services = start_page("Quiz")
practice, pictures = services.practice, services.pictures


def choose(choice):
    st.session_state.choice = choice


def commit(number):
    # In a callback: it runs to its end before anything is drawn, so the answer is stored before the key is shown.
    choice = st.session_state.pop("choice", None)
    if choice is not None:
        practice.commit(number, choice)


def ask_next():
    st.session_state.pop("choice", None)
    practice.next(st.session_state.get("scope") or "core_four")


def ask(asked):
    question = asked.question
    cell, answer = st.columns([3, 2], gap="large")
    with cell:
        show_picture(pictures.picture(question.picture_id), alt="The cell to name")
    with answer:
        st.header("Which cell is this?")
        chosen = st.session_state.get("choice")
        for key, choice in enumerate(question.choices, start=1):
            is_chosen = choice == chosen
            name = display_name(choice)
            st.button(
                f"✓ {name}" if is_chosen else name,
                key=f"choice-{choice}",
                type="primary" if is_chosen else "secondary",
                shortcut=str(key),
                width="stretch",
                on_click=choose,
                args=(choice,),
            )
        st.space("small")
        st.button(
            "Commit",
            key="commit",
            type="primary",
            shortcut="Enter",
            width="stretch",
            disabled=chosen is None,
            on_click=commit,
            args=(asked.number,),
        )


def reveal(question):
    picture = pictures.picture(question.picture_id)
    key, choice = display_name(question.key), display_name(question.choice)
    words, onward = st.columns([4, 1], vertical_alignment="center")
    with words:
        verdict(f"✓ Right: {key}" if question.is_right else f"✗ The key is {key}. You said {choice}.")
    onward.button("Next", key="next", type="primary", shortcut="Enter", width="stretch", on_click=ask_next)
    cell, *maps = st.columns(3)
    with cell:
        show_picture(picture, alt=f"The cell: {key}")
        st.caption(f"Expert key: {key}")
    answer, compare = st.columns([1, 1], gap="large")
    with answer, errors_shown():
        show_model(question, picture, maps)
    with compare:
        show_references(question)
    st.caption(NOT_FOR_DIAGNOSIS)


def show_model(question, picture, places):
    """The model's answer in words, and in `places` why it says so and what speaks for another answer."""
    prediction = pictures.prediction(question.picture_id)
    st.subheader(f"The model says {display_name(prediction.label).lower()}")
    status_line(prediction.status)
    probability_bars(prediction)
    opacity = opacity_slider("quiz-opacity")
    wanted = dict.fromkeys([prediction.label, question.choice, question.key])
    for place, label in zip(places, wanted, strict=False):
        with place:
            heat_map(services.explain, picture, prediction, (CLASS_HEAD, label), opacity)
            st.caption(
                f"What speaks for {display_name(label).lower()}" + (", your answer" if label == question.choice else "")
            )


def show_references(question):
    """Two cells to compare with: of the key, and of what the learner took it for."""
    st.subheader("Compare")
    labels = [question.key, question.key] if question.is_right else [question.key, question.choice]
    for nth, (place, label) in enumerate(zip(st.columns(2), labels, strict=True)):
        found = pictures.references(label, 2, beside=question.picture_id)
        with place, errors_shown():
            for picture_id in found[nth : nth + 1]:
                show_picture(pictures.picture(picture_id), alt=f"Reference cell: {display_name(label)}")
                st.caption(display_name(label))


asked = practice.current()
st.session_state.setdefault("scope", asked.scope if asked else "core_four")
try:
    asked = asked or practice.next(st.session_state.scope)
    if asked.question.is_open:
        ask(asked)
        st.segmented_control(
            "Cells", list(SCOPES), format_func=display_name, key="scope", required=True, on_change=ask_next
        )
    else:
        reveal(asked.question)
except HematoVisionError as error:
    show_error(error)
    if asked is None:
        st.page_link("pages/about/library.py", label="Open the library")
    else:
        st.button("Next", type="primary", on_click=ask_next)

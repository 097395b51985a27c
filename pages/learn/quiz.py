"""Quiz: a cell and the choices; after the commit the key, the model's answer and why."""

from functools import partial

import streamlit as st

from hematovision.cells import display_name
from hematovision.errors import HematoVisionError
from hematovision.ui.page import errors_shown, show_error, start_page
from hematovision.ui.reveal import reveal
from hematovision.ui.widgets import show_cell

services = start_page("Quiz")
practice, pictures = services.practice, services.pictures


def choose(choice):
    st.session_state.choice = choice


def commit(number):
    # In a callback: it runs to its end before anything is drawn, so the answer is stored before the key is shown.
    choice = st.session_state.pop("choice", None)
    if choice is not None:
        with errors_shown():
            practice.commit(number, choice)


def ask_next(scope):
    st.session_state.pop("choice", None)
    with errors_shown():
        practice.next(scope)


def choose_scope(scopes, scope):
    # The key changes with the scope: a control that stays would keep the focus, and take Enter away from Commit.
    key = f"scope-{scope}"
    st.selectbox(
        "Cells",
        list(scopes),
        index=list(scopes).index(scope),
        format_func=scopes.__getitem__,
        key=key,
        width=320,
        on_change=lambda: ask_next(st.session_state[key]),
    )


def ask(asked):
    question = asked.question
    cell, answer = st.columns([3, 2], gap="large")
    with cell:
        show_cell(pictures, question.picture_id, alt="The cell to name")
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


asked = practice.current()
scopes = practice.scopes()
# A set may have gone since.
scope = asked.scope if asked and asked.scope in scopes else "core_four"
try:
    asked = asked or practice.next(scope)
    if asked.question.is_open:
        ask(asked)
        choose_scope(scopes, scope)
    else:
        reveal(services, asked.question, on_next=partial(ask_next, scope))
except HematoVisionError as error:
    show_error(error)
    if asked is None:
        st.page_link("pages/about/library.py", label="Open the library")
    else:
        st.button("Next", type="primary", on_click=ask_next, args=(scope,))

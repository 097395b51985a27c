"""The first step of the drill: the features of a cell, one after the other, before its class is named."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from hematovision.cells import ATTRIBUTES, display_name
from hematovision.content import content
from hematovision.quiz.questions import CANNOT_TELL

Told = Mapping[str, str]


def ask_feature(features: Sequence[str], told: Told, on_tell: Callable[[Told], None]) -> None:
    """Ask for the first of `features` that is not told yet, with keys 1 to n. `on_tell` gets all that is told then."""
    name = next(name for name in features if name not in told)
    text = content().attributes[name]
    st.header("What do you see?")
    st.markdown(f"**{display_name(name)}** ({len(told) + 1} of {len(features)}). {text.definition}")
    means = {value: f"**{value.capitalize()}**: {text.values[value]}" for value in ATTRIBUTES[name]}
    with st.container(key="feature-values"):
        for key, (value, words) in enumerate([*means.items(), (CANNOT_TELL, "I cannot tell")], start=1):
            st.button(
                words,
                key=f"{name}-{value}",
                shortcut=str(key),
                width="stretch",
                on_click=on_tell,
                args=({**told, name: value},),
            )


def show_told(told: Told, on_tell: Callable[[Told], None]) -> None:
    """What was told so far: a click takes it back, so that it is asked again; Backspace does so with the last one."""
    if not told:
        return
    *_, last = told
    with st.container(key="told"):
        st.caption("You see (a click asks again):")
        for name, value in told.items():
            st.button(
                f"{display_name(name)}: **{value}**",
                key=f"told-{name}",
                type="tertiary",
                shortcut="Backspace" if name == last else None,
                on_click=on_tell,
                args=({other: seen for other, seen in told.items() if other != name},),
            )

"""Morphology lab: draw a cell with sliders, and see what the model makes of it."""

import random

import streamlit as st

from hematovision.cells import CLASS_HEAD
from hematovision.content.phrases import counted
from hematovision.errors import HematoVisionError
from hematovision.ui.explore import lab, sliders
from hematovision.ui.page import errors_shown, show_error, start_page
from hematovision.ui.sign_in import current_account
from hematovision.ui.widgets import (
    NOT_FOR_DIAGNOSIS,
    heat_map,
    opacity_slider,
    probability_bars,
    show_picture,
    status_line,
)
from hematovision.vision.trust import NOT_BLOOD

services = start_page("Morphology lab")
state = st.session_state
sliders.begin(state)


def draw_another():
    state["lab-seed"] = random.randrange(2**31)


def save():
    title = state["lab-set"].strip()
    with errors_shown():
        count = services.lab.save(sliders.current(state), title)
        state["lab-saved"] = f"Saved. “{title}” has {counted(count, 'cell')}."


# A slider draws these three anew and nothing else. They ask for the cell themselves, because arguments would be those
# of the last run of the whole page.
@st.fragment(key="lab-picture")
def show_cell():
    found = services.lab.draw(sliders.current(state))
    answer = found.prediction
    if answer.status == NOT_BLOOD:
        with st.container(key="lab-cell"):
            show_picture(found.drawn.picture, alt="The drawn cell")
        status_line(answer.status)
        return
    place = st.container(key="lab-cell")
    lab.names(state["lab-kind"], answer.label)
    status_line(answer.status)
    probability_bars(answer)
    opacity = opacity_slider("lab-opacity", 40)
    with place:
        heat_map(services.explain, found.drawn.picture, answer, (CLASS_HEAD, answer.label), opacity)


@st.fragment(key="lab-features")
def show_features():
    lab.feature_table(services.lab.draw(sliders.current(state)))


@st.fragment(key="lab-what-tips")
def show_tips():
    lab.tips(state, services.lab)


def show_saving():
    name, button = st.columns([3, 1], vertical_alignment="bottom")
    name.text_input("Name of the set", "My cells", key="lab-set")
    button.button("Save", key="lab-save", on_click=save, width="stretch")
    if message := state.pop("lab-saved", None):
        st.success(message, icon=None)


st.title("Morphology lab")
try:
    services.lab.draw(sliders.current(state))
except HematoVisionError as error:
    show_error(error)
    st.stop()
left, right = st.columns(2, gap="large")
with left:
    show_cell()
with right:
    lab.choose_preset(state)
    lab.choose_features(state, ("lab-picture", "lab-features", "lab-what-tips"), draw_another)
    st.subheader("What tips the answer")
    show_tips()
st.space("small")
left, right = st.columns(2, gap="large")
with left:
    st.subheader("Drawn and seen")
    show_features()
if current_account() is None:  # the library of a site is for whoever runs it to fill
    with right:
        st.subheader("Save to a set")
        show_saving()
st.caption(f"The model has never seen a drawn cell in training. {NOT_FOR_DIAGNOSIS}")

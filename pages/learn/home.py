"""Home: start or go on with practice in one click."""

import streamlit as st

from hematovision.ui.page import errors_shown, start_page
from hematovision.ui.widgets import show_cell

services = start_page("Home")

words, hero = st.columns([5, 4], gap="large", vertical_alignment="center")
with words:
    st.title("Name the cell.")
    st.markdown("Commit to an answer first. Then see the expert key, the model's answer and where it looked.")
    answered, right = services.practice.counts()
    label = "Go on with practice" if answered else "Start practice"
    if st.button(label, type="primary", shortcut="Enter", key="start"):
        st.switch_page("pages/learn/quiz.py")
    if answered:
        st.caption(f"{answered} {'cell' if answered == 1 else 'cells'} named, {right} right.")
    state = services.pictures.index_state
    if state.running and state.total:
        st.caption(f"Preparing the library: {state.done:,} of {state.total:,} pictures. You can begin meanwhile.")
with hero, errors_shown():
    # A reference cell: where there are real ones, one that is never asked.
    for picture_id in services.pictures.library.to_show.get("monocyte", ())[:1]:
        show_cell(services.pictures, picture_id, alt="A stained blood cell")

"""Home: start or go on with practice in one click."""

import streamlit as st

from hematovision.ui.page import errors_shown, start_page
from hematovision.ui.widgets import show_picture

services = start_page("Home")
library = services.pictures.library

words, hero = st.columns([5, 4], gap="large", vertical_alignment="center")
with words:
    st.title("Name the cell.")
    st.markdown("Commit to an answer first. Then see the expert key, the model's answer and where it looked.")
    if not library.to_ask:
        st.markdown("There are no pictures yet. Add a folder with blood cells to begin.")
        if st.button("Open the library", type="primary"):
            st.switch_page("pages/about/library.py")
    else:
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
    # A reference cell: one that is never asked.
    for picture_id in library.to_show.get("monocyte", ())[:1]:
        show_picture(services.pictures.picture(picture_id), alt="A stained blood cell")

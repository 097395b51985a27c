"""Atlas: what each cell and each feature looks like, what tells two cells apart, and a key to name one."""

import streamlit as st

from hematovision.errors import HematoVisionError
from hematovision.ui.learn import atlas
from hematovision.ui.learner import current_learner
from hematovision.ui.page import show_error, start_page

services = start_page("Atlas")
state = st.session_state
current_learner(services)  # asks, where it must, before anything can be pressed
atlas.begin(state)

st.title("Atlas")
st.segmented_control(
    "View", list(atlas.SHOW), key="atlas-view", required=True, label_visibility="collapsed", persist_state="session"
)
try:
    atlas.SHOW[state["atlas-view"]](services, state)
except HematoVisionError as error:
    show_error(error)

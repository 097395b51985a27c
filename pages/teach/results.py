"""Results: how a class answered a published set, by student and by cell."""

import streamlit as st

from hematovision.errors import HematoVisionError
from hematovision.ui.page import show_error, start_page
from hematovision.ui.teach.instructors import teacher
from hematovision.ui.teach.results import choose_publication, show_head, show_items, show_students
from hematovision.ui.times import learner_zone

services = start_page("Results")
teach = services.teach
actor = teacher(services)

st.title("Results")
try:
    if known := teach.publications(actor):
        found = teach.results(actor, choose_publication(known).code)
        show_head(teach, actor, found)
        views = ["Students", "Cells"]
        view = st.segmented_control("View", views, default="Students", required=True, label_visibility="collapsed")
        if view == "Students":
            show_students(services, found, learner_zone())
        else:
            show_items(services, found)
    else:
        st.markdown("Nothing is published yet.")
        st.page_link("pages/teach/sets.py", label="Build a set")
except HematoVisionError as error:
    show_error(error)

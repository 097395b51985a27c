"""Sets: an instructor builds one, lays down its rules, publishes it."""

import streamlit as st

from hematovision.errors import HematoVisionError
from hematovision.ui.page import show_error, start_page
from hematovision.ui.teach.instructors import teacher
from hematovision.ui.teach.set_list import show_copy, show_drafts, show_import, show_new
from hematovision.ui.teach.set_views import forget_view, show_set

services = start_page("Sets")
teach = services.teach
actor = teacher(services)


def open_set(set_id):
    st.query_params["set"] = set_id
    forget_view()


def leave():
    st.query_params.pop("set", None)


def show_all():
    st.title("Sets")
    if drafts := teach.drafts(actor):
        show_drafts(teach, actor, drafts, open_set)
        with st.expander("New set"):
            show_new(teach, actor, open_set)
    else:
        st.markdown("Cells for a class to name, with a code to join by.")
        show_new(teach, actor, open_set)
    with st.expander("Copy or import a set"):
        show_copy(services, actor, open_set)
        show_import(teach, actor, open_set)


try:
    if set_id := st.query_params.get("set"):
        show_set(services, actor, teach.draft(actor, set_id), leave)
    else:
        show_all()
except HematoVisionError as error:
    show_error(error)
    st.button("All sets", key="all-sets", on_click=leave)

"""Classify: a picture of one's own or of the library, the model's answer and where it looked."""

import random

import streamlit as st

from hematovision import images
from hematovision.cells import CELL_CLASSES
from hematovision.quiz.questions import draw_picture
from hematovision.ui.explore.answer import show_answer
from hematovision.ui.page import errors_shown, start_page
from hematovision.ui.widgets import cell_caption, show_picture

services = start_page("Classify")
state = st.session_state
state.setdefault("subject", None)
state.setdefault("record", None)
state.setdefault("reading", None)


def draw_from_library():
    pictures = services.pictures
    with errors_shown():
        picture_id, _ = draw_picture(pictures.library.to_ask, CELL_CLASSES, set(), random.SystemRandom())
        state.subject, state.record, state.reading = pictures.picture(picture_id), pictures.record(picture_id), None


def take(upload):
    """A new file replaces the picture on the page; a bad one says why and leaves the former."""
    # A cell needs 224 pixels, a field of forty megapixels would be sent to the browser at every move of a slider.
    if upload is not None and state.get("upload") != upload.file_id:
        with errors_shown():
            picture, _ = images.at_most(images.decode(upload.getvalue()), 2000)
            state.subject, state.record, state.reading = picture, None, None
            state.upload = upload.file_id


def classify():
    with errors_shown():
        state.reading = services.explain.read(state.subject)


def choose_picture():
    sources = ["Library", "Upload", "Camera"]
    source = st.segmented_control("Picture from", sources, default="Library", required=True, key="source")
    if source == "Upload":
        # Any type may come: the decoder says more than the browser does.
        take(st.file_uploader("A picture of a stained cell or field"))
    elif source == "Camera":
        take(st.camera_input("Hold the camera to the eyepiece"))
    else:
        if state.subject is None:
            draw_from_library()
        st.button("Another cell", on_click=draw_from_library, key="another")


st.title("Classify")
choose_picture()
if state.subject is not None and state.reading is not None:
    show_answer(services, state.subject, state.reading, state.record)
elif state.subject is not None:
    left, right = st.columns(2, gap="large")
    with left:
        show_picture(state.subject, alt="The picture to classify")
        if state.record:
            cell_caption(state.record)
    with right:
        st.markdown("Name it for yourself first. Then ask the model.")
        st.button("Classify", type="primary", shortcut="Enter", on_click=classify, key="classify")

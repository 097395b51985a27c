"""Classify: a picture of one's own or of the library, the model's answer and where it looked."""

import random

import streamlit as st

from hematovision import images
from hematovision.cells import CLASS_HEAD, display_name
from hematovision.ui.page import errors_shown, start_page
from hematovision.ui.widgets import (
    NOT_FOR_DIAGNOSIS,
    all_targets,
    attribute_list,
    boxed,
    heat_map,
    opacity_slider,
    probability_bars,
    show_picture,
    status_line,
    target_name,
    verdict,
)
from hematovision.vision.heatmap import METHODS

services = start_page("Classify")
state = st.session_state
state.setdefault("subject", None)
state.setdefault("reading", None)


def draw_from_library():
    library = services.pictures.library
    label = random.choice(sorted(library.to_ask))
    picture_id = random.choice(library.to_ask[label])
    with errors_shown():
        state.subject, state.subject_key, state.reading = services.pictures.picture(picture_id), label, None


def take(upload):
    """A new file replaces the picture on the page; a bad one says why and leaves the former."""
    # A cell needs 224 pixels, a field of forty megapixels would be sent to the browser at every move of a slider.
    if upload is not None and state.get("upload") != upload.file_id:
        with errors_shown():
            picture, _ = images.at_most(images.decode(upload.getvalue()), 2000)
            state.subject, state.subject_key, state.reading = picture, None, None
            state.upload = upload.file_id


def classify():
    with errors_shown():
        state.reading = services.explain.read(state.subject)


def choose_picture():
    sources = ["Library", "Upload", "Camera"] if services.pictures.library.to_ask else ["Upload", "Camera"]
    source = st.segmented_control("Picture from", sources, default=sources[0], required=True, key="source")
    if source == "Upload":
        # Any type may come: the decoder says more than the browser does.
        take(st.file_uploader("A picture of a stained cell or field"))
    elif source == "Camera":
        take(st.camera_input("Hold the camera to the eyepiece"))
    else:
        if state.subject is None:
            draw_from_library()
        st.button("Another cell", on_click=draw_from_library, key="another")


def show_answer(reading):
    """The answer in words; returns the cell that is shown, if there is one."""
    if not reading.cells:
        verdict("No answer")
        status_line("not_blood" if reading.status == "not_blood" else "no_cell")
        return None
    nth = 0
    if len(reading.cells) > 1:
        nth = st.segmented_control(
            "Cell", range(len(reading.cells)), default=0, required=True, format_func=lambda i: str(i + 1)
        )
    cell = reading.cells[nth]
    verdict(display_name(cell.prediction.label))
    status_line(cell.prediction.status)
    probability_bars(cell.prediction)
    if state.get("subject_key"):
        st.markdown(f"Expert key: **{display_name(state.subject_key)}**")
    return cell


st.title("Classify")
choose_picture()
if state.subject is not None:
    left, right = st.columns([1, 1], gap="large")
    with right:
        if state.reading is None:
            st.markdown("Name it for yourself first. Then ask the model.")
            st.button("Classify", type="primary", shortcut="Enter", on_click=classify, key="classify")
            cell = None
        else:
            cell = show_answer(state.reading)
    if cell is None:
        with left:
            show_picture(state.subject, alt="The picture to classify")
    else:
        with right:
            targets = all_targets()
            likeliest = targets.index((CLASS_HEAD, cell.prediction.label))
            target = st.selectbox("What speaks for", targets, index=likeliest, format_func=target_name)
            method = st.selectbox("Method", tuple(METHODS), format_func=METHODS.__getitem__)
            opacity = opacity_slider("classify-opacity")
            with st.expander("Features the model sees"):
                attribute_list(cell.prediction.attributes)
            st.caption(NOT_FOR_DIAGNOSIS)
        with left:
            picture = boxed(state.subject, [c.box for c in state.reading.cells])
            heat_map(services.explain, state.subject, cell.prediction, target, opacity, method, cell.frame, picture)

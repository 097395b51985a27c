"""The model's answer for a picture on the Classify page."""

import streamlit as st

from hematovision.cells import CLASS_HEAD, display_name
from hematovision.images import Picture
from hematovision.library.records import Record
from hematovision.services import Services
from hematovision.ui.explain import show_reasons
from hematovision.ui.explore.map_cell import take_out
from hematovision.ui.explore.similar import show_similar
from hematovision.ui.page import errors_shown
from hematovision.ui.widgets import (
    NOT_FOR_DIAGNOSIS,
    all_targets,
    attribute_list,
    boxed,
    cell_caption,
    heat_map,
    opacity_slider,
    probability_bars,
    show_picture,
    status_line,
    target_name,
    verdict,
)
from hematovision.vision.classifier import Prediction
from hematovision.vision.reading import CellReading, PictureReading
from hematovision.vision.trust import CHECK, CONFIDENT


def show_answer(services: Services, picture: Picture, reading: PictureReading, record: Record | None) -> None:
    """The picture with the heat map on the left; answer, expert key and controls on the right.

    `record` is None for a picture that is not of the library.
    """
    left, right = st.columns(2, gap="large")
    with right:
        cell = _choose_cell(reading)
        if cell is None:
            verdict("No answer")
            status_line("not_blood" if reading.status == "not_blood" else "no_cell")
        else:
            verdict(display_name(cell.prediction.label))
            status_line(cell.prediction.status)
            probability_bars(cell.prediction)
            _answer_set(cell.prediction)
        if record:
            st.markdown(f"Key: **{display_name(record.label)}**")
            cell_caption(record)
        if cell is not None:
            with errors_shown():
                _show_words(services, cell.prediction)
    if cell is None:
        with left:
            show_picture(picture, alt="The picture to classify")
        return
    with right:
        targets = all_targets()
        likeliest = targets.index((CLASS_HEAD, cell.prediction.label))
        target = st.selectbox("What speaks for", targets, index=likeliest, format_func=target_name)
        opacity = opacity_slider("classify-opacity")
        if st.button("More heat maps of this cell", key="more-maps"):
            take_out(services, st.session_state, picture, cell, record)
            st.switch_page("pages/explore/heatmaps.py")
        with st.expander("Features the model sees"):
            attribute_list(cell.prediction.attributes)
        st.caption(NOT_FOR_DIAGNOSIS)
    with left:
        backdrop = boxed(picture, [c.box for c in reading.cells])
        heat_map(services.explain, picture, cell.prediction, target, opacity, cell.frame, backdrop)
    show_similar(services, cell.prediction, record.picture_id if record else "")


def _answer_set(prediction: Prediction) -> None:
    """The classes that it may be, where the model knows cells like this one."""
    if prediction.trust and prediction.answer_set:
        st.markdown(f"Answer set: **{', '.join(map(display_name, prediction.answer_set))}**")


def _show_words(services: Services, prediction: Prediction) -> None:
    """Why the answer, and why not another one: the runner-up, until one chooses."""
    other = None
    if prediction.status in (CONFIDENT, CHECK):
        others = sorted(prediction.probabilities, key=lambda label: -prediction.probabilities[label])[1:]
        other = st.selectbox("Why not", others, format_func=display_name)
    show_reasons(services, prediction, other)


def _choose_cell(reading: PictureReading) -> CellReading | None:
    """The only cell, or the one that is chosen by its number; None where there is none."""
    count = len(reading.cells)
    if count < 2:
        return reading.cells[0] if count else None
    numbers = range(1, count + 1)
    return reading.cells[st.segmented_control("Cell", numbers, default=1, required=True) - 1]

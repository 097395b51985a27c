"""What a learner sees after the commit."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from hematovision.cells import CLASS_HEAD, class_of, display_name
from hematovision.quiz.questions import Question
from hematovision.services import Services
from hematovision.ui.page import errors_shown
from hematovision.ui.widgets import (
    NOT_FOR_DIAGNOSIS,
    heat_map,
    opacity_slider,
    probability_bars,
    show_cell,
    status_line,
    verdict,
)


def reveal(services: Services, question: Question, on_next: Callable[[], None]) -> None:
    """The key first, then the model's answer, its heat map beside the learner's, and cells to compare with."""
    key, choice = display_name(question.key), display_name(str(question.choice))
    words, onward = st.columns([4, 1], vertical_alignment="center")
    with words:
        verdict(f"✓ Right: {key}" if question.is_right else f"✗ The key is {key}. You said {choice}.")
    onward.button("Next", key="next", type="primary", shortcut="Enter", width="stretch", on_click=on_next)
    cell, *maps = st.columns(3)
    with cell, errors_shown():
        show_cell(services.pictures, question.picture_id, alt=f"The cell: {key}", caption=f"Key: {key}")
    answer, compare = st.columns([1, 1], gap="large")
    with answer, errors_shown():
        _show_model(services, question, maps)
    with compare:
        _show_references(services, question)
    st.caption(NOT_FOR_DIAGNOSIS)


def _show_model(services: Services, question: Question, places: list[DeltaGenerator]) -> None:
    """The model's answer in words, and in `places` why it says so and what speaks for another answer.

    The model knows classes: it speaks of a stage's class.
    """
    picture = services.pictures.picture(question.picture_id)
    prediction = services.pictures.prediction(question.picture_id)
    st.subheader(f"The model says {display_name(prediction.label).lower()}")
    status_line(prediction.status)
    probability_bars(prediction)
    opacity = opacity_slider("quiz-opacity")
    choice = str(question.choice)
    wanted = dict.fromkeys([prediction.label, class_of(choice), class_of(question.key)])
    for place, label in zip(places, wanted, strict=False):
        with place:
            note = ", your answer" if label == choice else ""
            heat_map(services.explain, picture, prediction, (CLASS_HEAD, label), opacity, note=note)


def _show_references(services: Services, question: Question) -> None:
    """Two cells to compare with: of the key, and of what the learner took it for."""
    st.subheader("Compare")
    labels = [question.key, question.key] if question.is_right else [question.key, str(question.choice)]
    for nth, (place, label) in enumerate(zip(st.columns(2), labels, strict=True)):
        found = services.pictures.references(label, 2, beside=question.picture_id)
        with place, errors_shown():
            for picture_id in found[nth : nth + 1]:
                name = display_name(label)
                show_cell(services.pictures, picture_id, alt=f"Reference cell: {name}", caption=name)

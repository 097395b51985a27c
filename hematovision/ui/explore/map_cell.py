"""The cell whose heat maps are shown: one of the library, or out of a picture of one's own."""

import random
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from hematovision import images
from hematovision.cells import CELL_CLASSES, CLASS_HEAD, NO_NUCLEUS, display_name
from hematovision.content.phrases import percent, unbroken
from hematovision.images import Picture
from hematovision.library.records import Record
from hematovision.quiz.questions import draw_picture
from hematovision.services import Services
from hematovision.smear.framing import MIDDLE, Frame
from hematovision.ui.page import errors_shown
from hematovision.ui.widgets import boxed, cell_caption, show_picture, status_line
from hematovision.vision.classifier import Prediction
from hematovision.vision.reading import CellReading
from hematovision.vision.trust import CONFIDENT, NOT_BLOOD

State = MutableMapping[Any, Any]

_LONGEST = 2000
"""Pixels of a picture of one's own: as on the Classify page."""
_SHOWN = 800
"""And of what is looked at: eight maps are drawn of it at each press, four times as fine as the network sees."""
_ANY = ""


@dataclass(frozen=True)
class MapCell:
    """A picture of one cell and the model's answer: `frame` and `prediction` are None where it takes it for no cell.

    `number` counts the cells of a visit; `record` is None for a picture that is not of the library.
    """

    number: int
    picture: Picture
    frame: Frame | None
    prediction: Prediction | None
    record: Record | None = None

    @property
    def has_nucleus(self) -> bool:
        label = self.record.label if self.record else self.prediction.label if self.prediction else ""
        return label not in NO_NUCLEUS


def current_cell(state: State) -> MapCell | None:
    return state.get("maps-cell")


def take(services: Services, state: State, picture: Picture, record: Record | None = None) -> None:
    """Take a picture of one cell as the one to look at. Raises ModelError."""
    picture, _ = images.at_most(picture, _SHOWN)
    (cell,) = services.explain.read(picture, "cell").cells or (None,)
    number = state.get("maps-number", 0) + 1
    state["maps-number"] = number
    frame, prediction = (cell.frame, cell.prediction) if cell else (None, None)
    state["maps-cell"] = MapCell(number, picture, frame, prediction, record)


def take_out(
    services: Services, state: State, picture: Picture, cell: CellReading, record: Record | None = None
) -> None:
    """Take a cell out of a picture: its surroundings, as large as a picture of one cell. Raises ModelError."""
    height, width = picture.shape[:2]
    is_whole = cell.box == (0, 0, width, height)
    take(services, state, picture if is_whole else _around(picture, cell.frame), record)


def _around(picture: Picture, frame: Frame) -> Picture:
    """What of the picture lies around a frame, which is then the middle of it, as in a picture of one cell."""
    side, half = frame.side / MIDDLE, frame.side / MIDDLE / 2
    left, top = round(frame.x + frame.side / 2 - half), round(frame.y + frame.side / 2 - half)
    return picture[max(0, top) : round(top + side), max(0, left) : round(left + side)].copy()


def draw_another(services: Services, state: State) -> None:
    """A cell of the library by chance, of the chosen class. Raises ModelError, ImageError, InputError."""
    to_ask, cell = services.pictures.library.to_ask, current_cell(state)
    chosen = state.get("maps-class", _ANY)
    seen = {cell.record.picture_id} if cell and cell.record else set()
    labels = [chosen] if chosen else CELL_CLASSES
    picture_id, label = draw_picture(to_ask, labels, seen, random.SystemRandom())
    if chosen:
        state["maps-example"] = to_ask[label].index(picture_id) + 1
    _take_from_library(services, state, picture_id)


def _take_from_library(services: Services, state: State, picture_id: str) -> None:
    take(services, state, services.pictures.picture(picture_id), services.pictures.record(picture_id))
    state["maps-field"] = None


def choose_cell(services: Services, state: State) -> None:
    """The next cell by one press; a certain one, or a picture of one's own, behind a second button."""

    def another() -> None:
        with errors_shown():
            draw_another(services, state)

    st.button("Another cell", type="primary", shortcut="Enter", key="maps-another", on_click=another)
    with st.popover("Choose a cell", key="maps-choose"):
        source = st.segmented_control(
            "Picture from",
            ("Library", "Upload"),
            default="Library",
            required=True,
            key="maps-source",
            persist_state="session",
        )
        if source == "Upload":
            _choose_upload(services, state)
        else:
            _choose_example(services, state, another)


def _choose_example(services: Services, state: State, another) -> None:
    to_ask = services.pictures.library.to_ask
    labels = [label for label in CELL_CLASSES if to_ask.get(label)]
    chosen = st.selectbox(
        "Class",
        (_ANY, *labels),
        format_func=lambda label: display_name(label) if label else "Any class",
        key="maps-class",
        on_change=another,
        persist_state="session",
    )
    if not chosen:
        return

    def example() -> None:
        with errors_shown():
            _take_from_library(services, state, to_ask[chosen][state["maps-example"] - 1])

    count = len(to_ask[chosen])
    st.number_input(f"Example, of {count:,}", 1, count, key="maps-example", on_change=example, persist_state="session")


def _choose_upload(services: Services, state: State) -> None:
    # Any type may come: the decoder says more than the browser does.
    upload = st.file_uploader("A picture of a stained cell or field", key="maps-upload")
    if upload is not None and state.get("maps-upload-taken") != upload.file_id:
        with errors_shown():
            picture, _ = images.at_most(images.decode(upload.getvalue()), _LONGEST)
            reading = services.explain.read(picture)
            if reading.cells:
                take_out(services, state, picture, reading.cells[0])
            else:
                take(services, state, picture)
            state["maps-field"] = (picture, reading) if len(reading.cells) > 1 else None
            state["maps-upload-taken"] = upload.file_id
    if field := state.get("maps-field"):
        picture, reading = field

        def chosen() -> None:
            with errors_shown():
                take_out(services, state, picture, reading.cells[state["maps-nth"] - 1])

        numbers = range(1, len(reading.cells) + 1)
        st.segmented_control("Cell", numbers, default=1, required=True, key="maps-nth", on_change=chosen)
        show_picture(boxed(picture, [cell.box for cell in reading.cells]), alt="The field, its cells numbered")


def show_cell(cell: MapCell) -> None:
    """The picture, what it is by its key, and what the model says."""
    name = display_name(cell.record.label) if cell.record else ""
    show_picture(cell.picture, alt=f"The cell: {name.lower()}" if name else "The cell")
    words = [f"Key: **{name}**"] if name else []
    answer = cell.prediction
    if answer is not None:
        probability = unbroken(percent(answer.probability))
        words.append(f"The model says **{display_name(answer.label).lower()}**, {probability}")
    if words:
        st.markdown(". ".join(words) + ".")
    if cell.record:
        cell_caption(cell.record)
    if answer is None or answer.status != CONFIDENT:
        status_line(NOT_BLOOD if answer is None else answer.status)


def own_answer(cell: MapCell) -> tuple[str, str]:
    """What the model says of the cell, as a target."""
    assert cell.prediction is not None
    return CLASS_HEAD, cell.prediction.label

"""Fill a set by a blueprint: a row for each kind of cell, with parts of it, drawn by lot as often as one likes."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from hematovision.cells import ATTRIBUTES, STAGES, display_name
from hematovision.content.phrases import counted
from hematovision.errors import HematoVisionError
from hematovision.quiz import blueprint
from hematovision.quiz.blueprint import MOST, Row
from hematovision.quiz.sets import QuizSet
from hematovision.services import Services
from hematovision.ui.page import show_error
from hematovision.ui.teach.instructors import say_what_the_model_has_seen

USUAL = 20
"""Cells of a new blueprint."""
_CHANCE = random.SystemRandom()

FEATURES = ("", *(f"{name}={value}" for name, values in ATTRIBUTES.items() for value in values))


@dataclass(frozen=True)
class Filled:
    """What a blueprint has just put into a set, to be drawn again: cells by their `SetCell.picture`."""

    set_id: str
    rows: tuple[Row, ...]
    pictures: frozenset[str]


def cell_names(quiz_set: QuizSet) -> list[str]:
    """The classes and stages that a cell of a set may be asked for by: `""` for any, the choices and their stages."""
    return ["", *quiz_set.choices, *(s for s, c in STAGES.items() if c in quiz_set.choices)]


def show_blueprint(services: Services, actor: str, quiz_set: QuizSet, on_filled: Callable[[Filled], None]) -> None:
    """The rows, and one button that draws them all. At first as many of each choice."""
    state, set_id = st.session_state, quiz_set.id
    first: dict[int, tuple[int, ...]] = dict.fromkeys(range(len(quiz_set.choices)), ())
    # Row -> its parts. Both are known by numbers that are given once: widgets keep what was said of them.
    rows: dict[int, tuple[int, ...]] = state.setdefault(f"blueprint-{set_id}", first)
    new = max([*rows, *(part for parts in rows.values() for part in parts)], default=-1) + 1

    def change(changed: dict[int, tuple[int, ...]]) -> None:
        state[f"blueprint-{set_id}"] = changed

    def fill() -> None:
        said = [
            {**_said(set_id, row), "of_them": [_said_of_part(quiz_set, row, part) for part in parts]}
            for row, parts in rows.items()
        ]
        try:
            on_filled(_fill(services, actor, quiz_set, blueprint.parse(said)))
        except HematoVisionError as error:
            state["blueprint-error"] = error  # shown beside the button: the rows may be longer than the screen

    with st.container(key="blueprint", gap="small"):
        for row, parts in rows.items():
            without = {one: its for one, its in rows.items() if one != row}
            _show_row(quiz_set, row, partial(change, without), partial(change, {**rows, row: (*parts, new)}))
            for part in parts:
                left = tuple(one for one in parts if one != part)
                _show_part(quiz_set, row, part, partial(change, {**rows, row: left}))
    if any(_said(set_id, number)["pitfall"] for row, parts in rows.items() for number in (row, *parts)):
        say_what_the_model_has_seen(services.pictures)
    total = sum(_said(set_id, row)["count"] for row in rows)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(f"Fill with {counted(total, 'cell')}", key="fill", type="primary", disabled=not total, on_click=fill)
        st.button("Add a row", key="add-row", on_click=change, args=({**rows, new: ()},))
    if error := state.pop("blueprint-error", None):
        show_error(error)


def draw_again(services: Services, actor: str, quiz_set: QuizSet, filled: Filled) -> Filled:
    """Other cells for the same rows, in place of those that came, which stay where that fails. Raises InputError."""
    return _fill(services, actor, quiz_set, filled.rows, filled.pictures)


def cell_name(name: str) -> str:
    """A class or stage to choose; what is empty is any cell."""
    return display_name(name) if name else "Any cell"


def feature_name(feature: str) -> str:
    """`cell_size=big` -> `Cell size: big`; what is empty is any feature."""
    name, _, value = feature.partition("=")
    return f"{display_name(name)}: {value}" if name else "Any feature"


def _fill(
    services: Services,
    actor: str,
    quiz_set: QuizSet,
    rows: tuple[Row, ...],
    instead_of: frozenset[str] = frozenset(),
) -> Filled:
    """Raises InputError that names what the library lacks."""
    kept = {cell.picture for cell in quiz_set.cells} - instead_of
    draft = services.teach.fill(actor, quiz_set.id, rows, _CHANCE.getrandbits(32), instead_of)
    return Filled(quiz_set.id, rows, frozenset(cell.picture for cell in draft.quiz_set.cells) - kept)


def _show_row(quiz_set: QuizSet, number: int, on_remove: Callable[[], None], on_part: Callable[[], None]) -> None:
    key, choices = f"bp-{quiz_set.id}-{number}", quiz_set.choices
    share, rest = divmod(USUAL, len(choices))
    count = share + (number < rest) if number < len(choices) else 1
    with st.container(horizontal=True, vertical_alignment="center", key=f"row-{key}"):
        _ask(quiz_set, number, count, cell_names(quiz_set), number + 1 if number < len(choices) else 0, cell_name)
        st.button("Some of them", key=f"{key}-part", type="tertiary", on_click=on_part)
        st.button("Remove", key=f"{key}-remove", type="tertiary", on_click=on_remove)


def _show_part(quiz_set: QuizSet, row: int, number: int, on_remove: Callable[[], None]) -> None:
    """So many of the cells of a row: of a stage of its class, with a feature, or pitfalls."""
    key, of = f"bp-{quiz_set.id}-{number}", _said(quiz_set.id, row)["cell"]
    with st.container(horizontal=True, vertical_alignment="center", key=f"part-{key}"):
        st.markdown("of them", width=70)
        _ask(
            quiz_set,
            number,
            1,
            _names_of_part(quiz_set, of),
            0,
            lambda name: cell_name(name) if name or not of else "Any stage",
        )
        st.button("Remove", key=f"{key}-remove", type="tertiary", on_click=on_remove)


def _ask(quiz_set: QuizSet, number: int, count: int, names: list[str], at: int, words: Callable[[str], str]) -> None:
    """Count, class or stage, feature and pitfall of a row or a part of one."""
    key = f"bp-{quiz_set.id}-{number}"

    def choose(label: str, options: list[str], name: str, words: Callable[[str], str], width: int, at: int = 0) -> None:
        st.selectbox(
            label,
            options,
            index=at,
            format_func=words,
            key=f"{key}-{name}",
            width=width,
            label_visibility="collapsed",
            persist_state="session",
        )

    st.number_input(
        "Cells", 1, MOST, count, key=f"{key}-count", width=110, label_visibility="collapsed", persist_state="session"
    )
    if len(names) > 1:
        choose("Class or stage", names, "cell", words, 180, at)
    choose("Feature", list(FEATURES), "feature", feature_name, 300)
    st.checkbox("The model is wrong", key=f"{key}-pitfall", persist_state="session")


def _names_of_part(quiz_set: QuizSet, of: str) -> list[str]:
    """What cells of a part may be, where those of its row are of the class or stage `of`: any, or a stage of it."""
    return ["", *(stage for stage, cell in STAGES.items() if cell == of)] if of else cell_names(quiz_set)


def _said_of_part(quiz_set: QuizSet, row: int, number: int) -> dict[str, Any]:
    """A part of a row; a stage that was chosen before the row had another class is none of it."""
    said = _said(quiz_set.id, number)
    names = _names_of_part(quiz_set, _said(quiz_set.id, row)["cell"])
    return said if said["cell"] in names else {**said, "cell": ""}


def _said(set_id: str, number: int) -> dict[str, Any]:
    """A row, or a part of one, as `blueprint.parse` takes it."""
    state, key = st.session_state, f"bp-{set_id}-{number}"
    feature, _, value = state[f"{key}-feature"].partition("=")
    return {
        "count": state[f"{key}-count"],
        "cell": state.get(f"{key}-cell", ""),
        "attributes": {feature: value} if feature else {},
        "pitfall": state[f"{key}-pitfall"],
    }

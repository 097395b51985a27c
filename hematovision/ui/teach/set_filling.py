"""Fill a set out of the library one by one, or with pictures of one's own."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import streamlit as st

from hematovision.cells import class_of, display_name
from hematovision.content.phrases import counted, percent, unbroken
from hematovision.quiz.set_cells import LONGEST_NOTE
from hematovision.quiz.sets import QuizSet
from hematovision.services import Services
from hematovision.services.browse import MODEL_FILTERS, Filters, LibraryCell
from hematovision.ui.gallery import ON_PAGE, gallery, in_gallery, pages_of, small_picture
from hematovision.ui.page import errors_shown, show_error
from hematovision.ui.teach.instructors import say_what_the_model_has_seen
from hematovision.ui.teach.set_blueprint import FEATURES, cell_name, cell_names, feature_name
from hematovision.ui.widgets import plain

_MODEL: Mapping[str, str] = MappingProxyType(
    {
        "": "Any answer",
        "right": "Right",
        "wrong": "Wrong",
        "confident": "Confident",
        "check": "Not sure",
        "unfamiliar": "Unfamiliar",
        "not_blood": "Not a blood cell",
    }
)
assert tuple(_MODEL) == MODEL_FILTERS
_SEEN: Mapping[bool | None, str] = MappingProxyType({None: "Seen or not", True: "Seen", False: "Not seen yet"})


def show_browser(services: Services, actor: str, quiz_set: QuizSet, on_change: Callable[[], None]) -> None:
    """The library with its keys, filtered; each cell can be added."""
    filters = _choose_filters(services, actor, quiz_set)
    found = services.teach.browse(actor, filters, ON_PAGE, st.session_state.get("browse-first", 0))
    if filters.asks_model:
        say_what_the_model_has_seen(services.pictures)
    if not found.total:
        st.markdown("No cell of the library is like this.")
        return
    taken = services.teach.taken(actor, quiz_set.id)

    def add(picture_id: str) -> None:
        with errors_shown():
            services.teach.add(actor, quiz_set.id, [picture_id])
            on_change()

    with gallery("browse"):
        for cell in found.cells:
            with in_gallery():
                key = quiz_set.key(cell.key, cell.stage)
                small_picture(services.pictures, cell.picture_id, f"Cell of the library: {display_name(cell.key)}")
                st.caption(_in_words(cell))
                is_in = cell.picture_id in taken
                st.button(
                    "✓ In the set" if is_in else "Add" if key else "Not a choice",
                    key=f"add-{cell.picture_id}",
                    disabled=is_in or not key,
                    width="stretch",
                    on_click=add,
                    args=(cell.picture_id,),
                )
    pages_of(found.total, ON_PAGE, "browse-first")


def show_upload(services: Services, actor: str, quiz_set: QuizSet, on_change: Callable[[], None]) -> None:
    """Pictures of one's own, all with the same key, note and second key; each can be edited after."""
    state, turn = st.session_state, st.session_state.get("upload-turn", 0)
    words = "Pictures of one cell each, with the same key"
    types = ["png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp"]
    files = st.file_uploader(words, type=types, accept_multiple_files=True, key=f"upload-{turn}")
    with st.container(horizontal=True):
        st.selectbox("Key", quiz_set.choices, format_func=display_name, key="upload-key", width=240)
        others = ["", *(name for name in quiz_set.choices if name != state["upload-key"])]
        st.selectbox("Second key", others, format_func=second_name, key="upload-second", width=240)
    st.text_area("Note, shown with the key", key="upload-note", max_chars=LONGEST_NOTE, height=80)

    def take() -> None:
        content = [(file.name, file.getvalue()) for file in state[f"upload-{turn}"]]
        with errors_shown():
            uploaded = services.teach.upload(actor, quiz_set.id, content, state["upload-key"])
            have = {cell.picture for cell in quiz_set.cells}
            said = {"note": state["upload-note"], "second_key": state["upload-second"] or None}
            grown = uploaded.draft.quiz_set
            cells = tuple(cell if cell.picture in have else replace(cell, **said) for cell in grown.cells)
            services.teach.save(actor, replace(grown, cells=cells))
            state["upload-turn"] = turn + 1
            state["upload-note"] = ""
            state["uploaded"] = (len(cells) - len(quiz_set.cells), uploaded.refused)
            on_change()

    label = f"Add {counted(len(files), 'picture')}" if files else "Add"
    st.button(label, key="add-uploads", type="primary", disabled=not files, on_click=take)
    if "uploaded" in state:
        count, refused = state.pop("uploaded")
        if count:
            st.success(f"{counted(count, 'picture')} added.", icon=None)
        for name, error in refused.items():
            st.markdown(f"**{plain(name)}**")
            show_error(error)


def second_name(name: str) -> str:
    """A second key in a list of choices."""
    return display_name(name) if name else "No second key"


def _choose_filters(services: Services, actor: str, quiz_set: QuizSet) -> Filters:
    """Three filters that one uses most, the rest folded away. A change begins on the first page."""

    def begin() -> None:
        st.session_state["browse-first"] = 0

    def key(name: str) -> str:
        return f"browse-{quiz_set.id}-{name}"

    def choose(label: str, options: list[Any], name: str, words: Callable[[Any], str], first: int = 0) -> Any:
        return st.selectbox(
            label,
            options,
            index=first,
            format_func=words,
            key=key(name),
            on_change=begin,
            width=240,
            persist_state="session",
        )

    with st.container(horizontal=True):
        cell = choose("Class or stage", cell_names(quiz_set), "cell", cell_name, first=1)
        feature = choose("Feature", list(FEATURES), "feature", feature_name)
        model = choose("The model's answer", list(_MODEL), "model", _MODEL.__getitem__)
    with st.expander("More filters"):
        with st.container(horizontal=True):
            sources = ["", *services.teach.sources(actor)]
            source = choose("Source", sources, "source", lambda name: name or "Any source")
            seen = choose("In class", list(_SEEN), "seen", _SEEN.__getitem__)
        words = "Difficulty for the model"
        low, high = st.slider(
            words, 0, 100, (0, 100), 5, "%d %%", key=key("difficulty"), on_change=begin, persist_state="session"
        )
        hardest = st.toggle("The hardest first", key=key("hardest"), on_change=begin, persist_state="session")
    name, _, value = feature.partition("=")
    attributes = MappingProxyType({name: value} if name else {})
    return Filters(cell, attributes, model, (low / 100, high / 100), source, seen, hardest)


def _in_words(cell: LibraryCell) -> str:
    """Key, the model's answer where it is another one, difficulty, whether it was asked or drawn."""
    said = [f"**{display_name(cell.stage or cell.key)}**"]
    if cell.model_label and cell.model_label != class_of(cell.key):
        said.append(f"model: {display_name(cell.model_label).lower()}")
    if cell.difficulty is not None:
        said.append(f"difficulty {unbroken(percent(cell.difficulty))}")
    said += [f"seen by {cell.seen}"] * bool(cell.seen) + ["drawn"] * cell.is_drawn
    return " · ".join(said)

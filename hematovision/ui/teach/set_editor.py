"""One set on the Sets page: its state, its cells, what can be done with it."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from hematovision.cells import display_name
from hematovision.content.phrases import counted
from hematovision.errors import HematoVisionError
from hematovision.exchange.formats import FORMATS
from hematovision.quiz.publication import Publication, picture_id_of
from hematovision.quiz.set_cells import LONGEST_NOTE, SetCell
from hematovision.quiz.sets import LONGEST_TITLE, QuizSet
from hematovision.services import Services
from hematovision.services.drafting import Draft
from hematovision.services.teach import Teach
from hematovision.ui.gallery import first_of_page, pages_of, small_picture
from hematovision.ui.page import errors_shown, show_error
from hematovision.ui.teach.instructors import say_names_are_typed, show_code
from hematovision.ui.teach.set_blueprint import Filled, draw_again
from hematovision.ui.teach.set_filling import second_name
from hematovision.ui.teach.set_list import draft_line
from hematovision.ui.widgets import plain

_ON_PAGE = 10


def is_out(draft: Draft) -> bool:
    """Whether students can join the draft as it is now."""
    return not draft.is_changed and not draft.publications[0].closed_at


def show_head(
    services: Services,
    actor: str,
    draft: Draft,
    on_leave: Callable[[], None],
    on_published: Callable[[], None],
) -> None:
    """Title, state and the one next step: publish, as long as students cannot join what is there."""
    quiz_set = draft.quiz_set
    st.button("All sets", key="all-sets", type="tertiary", on_click=on_leave)
    words, acts = st.columns([3, 2], vertical_alignment="center")
    with words:
        st.title(plain(quiz_set.title))
        st.caption(draft_line(draft))
    with acts, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        if quiz_set.cells and not is_out(draft):
            _publish_button(services.teach, actor, draft, on_published)
        with st.popover("More"):
            _show_more(services, actor, draft, on_leave)


def show_publication(publication: Publication) -> None:
    """The code to give to a class, and the way to what it answers."""
    st.markdown("Students join with this code, or by the link.")
    show_code(publication)
    say_names_are_typed()
    st.page_link("pages/teach/results.py", label="Results", query_params={"code": publication.code})


def show_cells(services: Services, actor: str, quiz_set: QuizSet) -> None:
    """Each cell with its key, second key and note to edit; what was just drawn can be drawn again."""
    state = st.session_state
    filled: Filled | None = state.get("filled")

    def again(before: Filled) -> None:
        with errors_shown():
            state["filled"] = draw_again(services, actor, quiz_set, before)

    if filled and filled.set_id == quiz_set.id:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{counted(len(filled.pictures), 'cell')} drawn.")
            st.button("Draw again", key="again", on_click=again, args=(filled,))
    if not quiz_set.cells:
        st.markdown("No cell yet.")
    first = first_of_page(len(quiz_set.cells), _ON_PAGE, "cells-first")
    with st.container(key="set-cells"):
        for number, cell in list(enumerate(quiz_set.cells, start=1))[first : first + _ON_PAGE]:
            _show_cell(services, actor, quiz_set, number, cell)
    pages_of(len(quiz_set.cells), _ON_PAGE, "cells-first")


def _show_cell(services: Services, actor: str, quiz_set: QuizSet, number: int, cell: SetCell) -> None:
    picture_id = picture_id_of(cell.picture)
    key, second, note = (f"{part}-{quiz_set.id}-{picture_id}" for part in ("key", "second", "note"))

    def save() -> None:
        state = st.session_state
        if state[second] == state[key]:  # what was the second opinion is the key now
            state[second] = ""
        said = replace(cell, key=state[key], second_key=state[second] or None, note=state[note])
        try:
            now = services.teach.draft(actor, quiz_set.id).quiz_set  # another tab may have changed it
            cells = tuple(said if one.picture == cell.picture else one for one in now.cells)
            services.teach.save(actor, replace(now, cells=cells))
            state.pop("filled", None)
        except HematoVisionError as error:
            show_error(error)
            # The controls say what is stored, also when the error is gone.
            state[key], state[second], state[note] = cell.key, cell.second_key or "", cell.note

    def remove() -> None:
        with errors_shown():
            services.teach.remove(actor, quiz_set.id, [cell.picture])
            st.session_state.pop("filled", None)

    picture, keys, words, out = st.columns([2, 3, 4, 1], vertical_alignment="center")
    with picture:
        small_picture(services.pictures, picture_id, f"Cell {number}: {display_name(cell.key or '')}")
    with keys:
        choices = list(quiz_set.choices)
        at = choices.index(cell.key) if cell.key in choices else None
        label = f"Key of cell {number}"
        st.selectbox(
            label, choices, at, format_func=display_name, key=key, on_change=save, label_visibility="collapsed"
        )
        others = ["", *(name for name in choices if name != cell.key)]
        at = others.index(cell.second_key or "")
        label = f"Second key of cell {number}"
        st.selectbox(
            label, others, at, format_func=second_name, key=second, on_change=save, label_visibility="collapsed"
        )
    words.text_area(
        f"Note on cell {number}",
        cell.note,
        key=note,
        max_chars=LONGEST_NOTE,
        height=88,
        placeholder="Note, shown with the key",
        label_visibility="collapsed",
        on_change=save,
    )
    out.caption(f"Cell {number}")
    out.button("Remove", key=f"remove-{picture_id}", type="tertiary", on_click=remove)


def _publish_button(teach: Teach, actor: str, draft: Draft, on_published: Callable[[], None]) -> None:
    """Publish a draft that was changed, or whose last version was closed. A new version gets a code of its own."""
    version = draft.publications[0].version + 1 if draft.publications else 0

    def publish() -> None:
        with errors_shown():
            teach.publish(actor, draft.quiz_set.id)
            st.session_state.pop("filled", None)
            on_published()

    st.button(f"Publish version {version}" if version else "Publish", key="publish", type="primary", on_click=publish)


def _show_more(services: Services, actor: str, draft: Draft, on_leave: Callable[[], None]) -> None:
    """Rename, duplicate, download, delete."""
    teach, quiz_set = services.teach, draft.quiz_set
    state, title = st.session_state, f"title-{quiz_set.id}"

    def rename() -> None:
        with errors_shown():
            teach.save(actor, replace(teach.draft(actor, quiz_set.id).quiz_set, title=state[title]))

    def duplicate() -> None:
        with errors_shown():
            copy = teach.duplicate(actor, quiz_set.id, f"{quiz_set.title} (copy)"[:LONGEST_TITLE])
            st.query_params["set"] = copy.quiz_set.id

    def delete() -> None:
        with errors_shown():
            teach.delete(actor, quiz_set.id)
            on_leave()

    st.text_input("Title", quiz_set.title, max_chars=LONGEST_TITLE, key=title, on_change=rename)
    if quiz_set.cells:
        _show_download(teach, actor, quiz_set)
    st.button("Duplicate", key="duplicate", on_click=duplicate, width="stretch")
    with st.expander("Delete"):
        st.markdown("The draft and its pictures go. What was published stays.")
        st.button("Delete this set", key="delete", on_click=delete)


def _show_download(teach: Teach, actor: str, quiz_set: QuizSet) -> None:
    name = st.selectbox("Download as", list(FORMATS), format_func=lambda name: FORMATS[name].words, key="format")
    stem = "".join(letter if letter.isalnum() else "-" for letter in quiz_set.title.lower()).strip("-") or "set"
    with errors_shown():
        teach.exportable(actor, quiz_set.id)
        st.download_button(
            "Download",
            lambda: teach.export(actor, quiz_set.id, name),
            file_name=f"{stem}{FORMATS[name].suffix}",
            key="download",
            on_click="ignore",
            width="stretch",
        )

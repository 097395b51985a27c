"""The Sets page before one is opened: what there is, a new one, one from a file."""

from collections.abc import Callable

import streamlit as st

from hematovision.cells import CORE_FOUR, display_name
from hematovision.content.phrases import counted
from hematovision.quiz.publication import Publication
from hematovision.quiz.sets import LONGEST_TITLE
from hematovision.services import Services
from hematovision.services.drafting import Draft
from hematovision.services.teach import Teach
from hematovision.ui.page import errors_shown, show_error
from hematovision.ui.teach.instructors import ANSWERS, in_order
from hematovision.ui.widgets import plain

Open = Callable[[str], None]
"""Opens the draft of this id."""


def show_new(teach: Teach, actor: str, on_open: Open) -> None:
    """A title and the answers to choose from make a set."""

    def create() -> None:
        with errors_shown():
            choices = in_order(st.session_state["new-choices"], ANSWERS)
            on_open(teach.new(actor, st.session_state["new-title"], choices).quiz_set.id)

    with st.form("new", border=False):
        st.text_input("Title", key="new-title", max_chars=LONGEST_TITLE, placeholder="White cells, week 3")
        st.pills(
            "Answers to choose from",
            ANSWERS,
            selection_mode="multi",
            default=CORE_FOUR,
            format_func=display_name,
            key="new-choices",
            wrap=True,
        )
        st.form_submit_button("Create the set", key="create", type="primary", on_click=create)


def show_copy(services: Services, actor: str, on_open: Open) -> None:
    """A set of the library as a draft of one's own."""
    sets, titles = services.pictures.library.sets, services.practice.scopes()
    if not sets:
        return

    def copy() -> None:
        set_id = st.session_state["copy-of"]
        with errors_shown():
            on_open(services.teach.duplicate(actor, set_id, sets[set_id].title).quiz_set.id)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "A set of the library",
            list(sets),
            format_func=lambda set_id: titles[f"set:{set_id}"],
            key="copy-of",
            width=420,
        )
        st.button("Copy", key="copy", on_click=copy)


def show_import(teach: Teach, actor: str, on_open: Open) -> None:
    """A set out of a file."""

    def take() -> None:
        if (file := st.session_state["import"]) is not None:
            with errors_shown():
                on_open(teach.import_file(actor, file.getvalue()).quiz_set.id)

    words = "An archive of HematoVision (zip), or Moodle XML with a picture in each question"
    st.file_uploader(words, type=["zip", "xml"], key="import", on_change=take)


def show_drafts(teach: Teach, actor: str, drafts: list[Draft], on_open: Open) -> None:
    """Every draft with how far it is, and what was published of drafts that are no more."""
    for draft in drafts:
        quiz_set = draft.quiz_set
        with st.container(border=True, horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            with st.container(width="stretch", gap="xsmall"):
                st.markdown(f"**{plain(quiz_set.title)}**")
                st.caption(draft_line(draft))
            st.button("Open", key=f"open-{quiz_set.id}", on_click=on_open, args=(quiz_set.id,))
    for error in teach.damaged(actor):
        show_error(error)
    known = {draft.quiz_set.id for draft in drafts}
    if orphans := [one for one in teach.publications(actor) if one.set_id not in known]:
        st.caption("Published, and the draft deleted")
        for publication in orphans:
            _show_orphan(publication)


def draft_line(draft: Draft) -> str:
    """How far a draft is, in a line: `20 cells · published as K7M 4QX`."""
    return " · ".join([counted(len(draft.quiz_set.cells), "cell"), state_of(draft)])


def state_of(draft: Draft) -> str:
    """Whether a draft is published, and whether it was changed since."""
    if not draft.publications:
        return "not published"
    latest = draft.publications[0]
    if draft.is_changed:
        return f"changed since version {latest.version}"
    return "closed" if latest.closed_at else f"published as {latest.code_in_words}"


def _show_orphan(publication: Publication) -> None:
    st.markdown(f"{plain(publication.title)}, version {publication.version}: {publication.code_in_words}")

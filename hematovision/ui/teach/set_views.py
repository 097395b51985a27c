"""An opened set on the Sets page: what is looked at of it, and how it comes by its cells."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import streamlit as st

from hematovision.quiz.sets import QuizSet
from hematovision.services import Services
from hematovision.services.drafting import Draft
from hematovision.ui.learn import quiz
from hematovision.ui.learn.sitting import Sitting, sit
from hematovision.ui.teach import set_filling
from hematovision.ui.teach.set_blueprint import Filled, show_blueprint
from hematovision.ui.teach.set_editor import is_out, show_cells, show_head, show_publication
from hematovision.ui.teach.set_rules import edit_rules

_VIEWS: Mapping[str, str] = MappingProxyType(
    {"code": "Code", "cells": "Cells", "add": "Add", "rules": "Rules", "preview": "Preview"}
)
_WAYS: Mapping[str, str] = MappingProxyType({"blueprint": "Blueprint", "library": "Library", "upload": "Own pictures"})


def forget_view() -> None:
    """Another set is opened: it begins with its own first view and first page."""
    for name in ("view", "cells-first", "browse-first", "filled", "preview"):
        st.session_state.pop(name, None)


def show_set(services: Services, actor: str, draft: Draft, on_leave: Callable[[], None]) -> None:
    """A set from its first cell to its join code."""
    state, quiz_set = st.session_state, draft.quiz_set

    def show_published() -> None:
        state["view"] = "code"

    show_head(services, actor, draft, on_leave, show_published)
    views = [name for name in _VIEWS if is_out(draft) or name != "code"] if quiz_set.cells else ["add", "rules"]
    if state.get("view") not in views:
        state["view"] = views[0]
    view = _choose("View", views, _VIEWS, "view")
    if view == "code":
        show_publication(draft.publications[0])
    elif view == "cells":
        show_cells(services, actor, quiz_set)
    elif view == "add":
        _add_cells(services, actor, quiz_set)
    elif view == "rules":
        edit_rules(services.teach, actor, quiz_set)
    else:
        _preview(services, actor, quiz_set)


def _add_cells(services: Services, actor: str, quiz_set: QuizSet) -> None:
    state = st.session_state

    def show_filled(filled: Filled) -> None:
        state["filled"], state["view"] = filled, "cells"

    def changed() -> None:
        state.pop("filled", None)

    state.setdefault("way", "blueprint")
    way = _choose("How", list(_WAYS), _WAYS, "way")
    if way == "blueprint":
        show_blueprint(services, actor, quiz_set, show_filled)
    elif way == "library":
        set_filling.show_browser(services, actor, quiz_set, changed)
    else:
        set_filling.show_upload(services, actor, quiz_set, changed)


def _preview(services: Services, actor: str, quiz_set: QuizSet) -> None:
    """The set as a student meets it; begun anew once it was changed. Nothing of it is stored."""
    state = st.session_state
    kept = state.get("preview")
    if kept is None or kept[0] != quiz_set:
        kept = state["preview"] = (quiz_set, services.teach.preview(actor, quiz_set.id), {})
    _, shown, place = kept
    quiz.enter_stays()
    services = replace(services, practice=shown.practice)
    sitting = Sitting(services, shown.learner, shown.session_id, shown.remark, place)
    sit(sitting, lambda ended: st.button("Begin again", key="preview-again", on_click=state.pop, args=("preview",)))


def _choose(label: str, options: list[str], names: Mapping[str, str], key: str) -> str:
    chosen = st.segmented_control(
        label, options, required=True, format_func=names.__getitem__, key=key, label_visibility="collapsed"
    )
    return chosen or options[0]

"""The rules of a set, as an instructor lays them down."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any

import streamlit as st

from hematovision.cells import display_name
from hematovision.errors import InputError
from hematovision.quiz import sets
from hematovision.quiz.grading import RULES
from hematovision.quiz.policy import FEEDBACK, LONGEST_MINUTES, MOST_ATTEMPTS
from hematovision.quiz.sets import QuizSet
from hematovision.services.teach import Teach
from hematovision.ui.page import show_error
from hematovision.ui.teach.instructors import ANSWERS, in_order
from hematovision.ui.times import learner_zone

_FEEDBACK: Mapping[str, str] = MappingProxyType(
    {"now": "After each answer", "end": "At the end", "never": "Not at all"}
)
_AS_SAID = ("feedback", "minutes", "attempts", "shuffle")


def edit_rules(teach: Teach, actor: str, quiz_set: QuizSet) -> None:
    """The rules of a draft; each change is kept at once."""
    policy, zone = quiz_set.policy, learner_zone()

    def key(name: str) -> str:
        return f"rule-{quiz_set.id}-{name}"

    def said() -> QuizSet:
        """The draft as it is now, with the rules as the controls have them."""
        said: dict[str, Any] = {name: st.session_state[key(name)] for name in _AS_SAID}
        said |= {name: _to_utc(st.session_state[key(name)], zone) for name in ("opens_at", "closes_at")}
        share = st.session_state[key("pass_mark")]
        # Where no key shows, no answer of the model does; what was set stays for when they show again.
        model = st.session_state.get(key("show_model"), policy.show_model)
        changed = replace(policy, **said, pass_mark=share / 100 if share else None, show_model=model)
        chosen = in_order(st.session_state[key("choices")], tuple(dict.fromkeys((*quiz_set.choices, *ANSWERS))))
        now = teach.draft(actor, quiz_set.id).quiz_set  # another tab may have changed its cells
        return replace(now, policy=changed, grading=st.session_state[key("grading")], choices=tuple(chosen))

    def save() -> None:
        with suppress(InputError):  # told below, as long as it lasts
            teach.save(actor, said())

    st.radio(
        "Show the key",
        FEEDBACK,
        index=FEEDBACK.index(policy.feedback),
        format_func=_FEEDBACK.__getitem__,
        horizontal=True,
        key=key("feedback"),
        on_change=save,
    )
    if policy.feedback != "never":
        st.toggle("Show the model's answer with the key", policy.show_model, key=key("show_model"), on_change=save)
    st.toggle("Each student has an order of their own", policy.shuffle, key=key("shuffle"), on_change=save)
    with st.container(horizontal=True):
        minutes = "Minutes, 0 for no limit"
        st.number_input(minutes, 0, LONGEST_MINUTES, policy.minutes, key=key("minutes"), on_change=save, width=240)
        attempts = "Attempts, 0 for any number"
        st.number_input(attempts, 0, MOST_ATTEMPTS, policy.attempts, key=key("attempts"), on_change=save, width=240)
        share = round((policy.pass_mark or 0) * 100)
        words = "Percent to pass, 0 for no mark"
        st.number_input(words, 0, 100, share, 5, key=key("pass_mark"), on_change=save, width=240)
    with st.container(horizontal=True):
        for name, label, at in (("opens_at", "Opens", policy.opens_at), ("closes_at", "Closes", policy.closes_at)):
            local = at.astimezone(zone).replace(tzinfo=None) if at else None
            st.datetime_input(f"{label} (your time)", local, key=key(name), on_change=save, width=240)
    rules = list(RULES)
    st.selectbox(
        "Grading",
        rules,
        index=rules.index(quiz_set.grading),
        format_func=lambda rule: f"{display_name(rule)}: {RULES[rule]}",
        key=key("grading"),
        on_change=save,
    )
    st.pills(
        "Answers to choose from",
        ANSWERS,
        selection_mode="multi",
        default=quiz_set.choices,
        format_func=display_name,
        key=key("choices"),
        wrap=True,
        on_change=save,
    )
    try:
        sets.parse(quiz_set.id, said().as_dict())
    except InputError as error:
        show_error(InputError(error.message, f"{error.hint} Until then the rules stay as they were."))


def _to_utc(local: datetime | None, zone: tzinfo) -> datetime | None:
    """A time of the instructor's clock; `policy.parse` brings it to UTC."""
    return local.replace(tzinfo=zone) if local else None

"""A cell to name: the choices, how sure one is, what one sees in it; and what is practiced.

What was said of a cell but not yet committed to is a draft. `State` is `st.session_state`, or a plain dict in tests.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

import streamlit as st

from hematovision.cells import ATTRIBUTES, CELL_CLASSES, display_name
from hematovision.quiz.questions import Asked, Reply
from hematovision.quiz.session import KEYS_AT_THE_END, MODES, Plan, Session
from hematovision.services.pictures import Pictures
from hematovision.services.practice import Practice, scope_title
from hematovision.ui.learn.drill import Told, ask_feature, show_told
from hematovision.ui.marking import cell_to_mark, region_of
from hematovision.ui.page import begin_at_top, errors_shown

State = MutableMapping[Any, Any]

CERTAINTIES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {1: ("Guess", "g"), 2: ("Fairly sure", "f"), 3: ("Sure", "s")}
)
"""Certainty -> its words and its key."""

OWN = "own"
"""Begins the scope of one's own choice of classes."""

LOOK_AT = (
    "**Size**: how many red cells wide is it?",
    "**Nucleus**: what shape is it, and how much of the cell does it fill?",
    "**Chromatin**: loose or dense, even or in clumps?",
    "**Cytoplasm**: how much, which color, clear or frosted, any vacuoles?",
    "**Granules**: are there any, how large, which color?",
)
"""What to look at in any cell; it names no class."""

_ENTER = """<script>
if (!window.hvEnterStays) {
  window.hvEnterStays = true;
  document.addEventListener("click", (event) => {
    const target = event.detail && event.target.closest("button, summary, [role=option], .stCheckbox label");
    if (!target || target.closest(".stSelectbox")) return;
    const isOption = target.matches("[role=option]");
    setTimeout(() => {
      const focused = document.activeElement;
      if (target.contains(focused) || (isOption && focused?.matches("[role=combobox]"))) focused.blur();
    }, 100);
  }, true);
}
</script>"""


def enter_stays() -> None:
    """A click with the mouse leaves no control focused: the page's keys go on working. Keys move the focus as ever."""
    st.html(_ENTER, unsafe_allow_javascript=True)


def known_as(learner: str, question_id: int) -> str:
    """What a browser knows a question by: each preview of a set is a learner of its own, with questions from 1 on."""
    return f"{learner}-{question_id}"


def say(state: State, question: str, kind: str, value: object) -> None:
    """Note the `choice`, `certainty`, `region` or `features` of the draft of a question, as `known_as` calls it.

    The same certainty again takes it back.
    """
    draft = _draft(state, question)
    if kind == "certainty" and draft.get(kind) == value:
        value = None
    state["draft"] = {**draft, kind: value}


def reply(state: State, question: str) -> Reply | None:
    """What the draft of a question, as `known_as` calls it, would commit to; None as long as nothing is chosen."""
    draft = _draft(state, question)
    if not draft.get("choice"):
        return None
    seen = {name: state.get(_feature_key(name, question)) for name in ATTRIBUTES}
    features = draft.get("features") or {name: value for name, value in seen.items() if value}
    return Reply(draft["choice"], draft.get("certainty"), features, region_of(state.get(_region_key(question))))


def ask(
    state: State,
    pictures: Pictures,
    learner: str,
    question: Asked,
    rule: str,
    on_commit: Callable[[int], None],
    in_exam: bool = False,
    features: Sequence[str] = (),
) -> None:
    """The cell and the choices, with keys 1 to n; nothing here knows the key. In an exam there is no help.

    The choices come once all of `features` are named: the attributes that a drill asks for first.
    Raises InputError, ImageError.
    """
    name = known_as(learner, question.id)
    draft = _draft(state, name)
    is_ready = bool(draft.get("choice")) and (rule != "certainty" or bool(draft.get("certainty")))
    cell, answer = st.columns([3, 2], gap="large")
    with cell:
        start = draft.get("region")
        region = cell_to_mark(pictures, question.picture_id, "The cell to name", _region_key(name), start)
        if region != start:
            # The picture forgets its mark while another page is shown; the draft does not.
            say(state, name, "region", region)
        begin_at_top(f"asked {name}")
    told: Told = draft.get("features", {})

    def tell(features: Told) -> None:
        say(state, name, "features", features)

    with answer:
        if len(told) < len(features):
            ask_feature(features, told, tell)
            show_told(told, tell)
            return
        st.header("Which cell is this?")
        for key, choice in enumerate(question.choices, start=1):
            _option(state, name, "choice", choice, display_name(choice), str(key))
        st.caption("How sure are you?" + (" This counts." if rule == "certainty" else " (optional)"))
        with st.container(horizontal=True, gap="small"):
            for certainty, (words, shortcut) in CERTAINTIES.items():
                _option(state, name, "certainty", certainty, words, shortcut)
        st.button(
            "Commit",
            key="commit",
            type="primary",
            shortcut="Enter",
            width="stretch",
            disabled=not is_ready,
            on_click=on_commit,
            args=(question.id,),
        )
        show_told(told, tell)
        if not in_exam and not features:
            with st.expander("Show me what to look at", key=f"look-at-{name}"):
                st.markdown("\n".join(f"- {line}" for line in LOOK_AT))
            with st.expander("Features I see", key=f"features-{name}"):
                for feature, values in ATTRIBUTES.items():
                    st.pills(display_name(feature), values, key=_feature_key(feature, name))


def endless(practice: Practice, learner: str) -> tuple[Session | None, Plan]:
    """The session without an end where the learner was last, and its plan; the core four where its set has gone."""
    session = next((found for found in practice.sessions(learner) if not found.has_fixed_cells), None)
    plan = session.plan if session else Plan()
    if plan.scope.startswith("set:") and plan.scope not in practice.scopes():
        plan = Plan(plan.mode)
    return session, plan


def choose_plan(plan: Plan, scopes: dict[str, str], on_choose: Callable[[Plan], None]) -> None:
    """What is practiced and on which cells: one control below the question."""
    modes = [mode for mode in MODES if mode not in KEYS_AT_THE_END]
    # The keys change with the choice: a control that stays would keep the focus, and take Enter away from Commit.
    mode_key, scope_key = f"mode-{plan.mode}", f"scope-{plan.scope}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Mode",
            modes,
            default=plan.mode,
            required=True,
            format_func=display_name,
            key=mode_key,
            on_change=lambda: on_choose(replace(plan, mode=st.session_state[mode_key], grading="plain")),
        )
        options = list(dict.fromkeys([*scopes, plan.scope, OWN]))
        chosen = st.selectbox(
            "Cells",
            options,
            index=options.index(plan.scope),
            format_func=lambda scope: "Classes of my own" if scope == OWN else scope_title(scopes, scope),
            key=scope_key,
            width=320,
            on_change=lambda: _choose_scope(plan, st.session_state[scope_key], on_choose),
        )
    if chosen == OWN or plan.scope.startswith(f"{OWN}:"):
        own_key = f"own-{plan.scope}"
        st.pills(
            "Two classes or more",
            CELL_CLASSES,
            default=[name for name in plan.scope.removeprefix(f"{OWN}:").split(",") if name in CELL_CLASSES],
            selection_mode="multi",
            format_func=display_name,
            key=own_key,
            on_change=lambda: _choose_own(plan, st.session_state[own_key], on_choose),
        )
    st.caption(MODES[plan.mode])


def pair_button(practice: Practice, learner: str, pair: str, width: Literal["content", "stretch"] = "content") -> None:
    """Practices a pair, as `pair_of` names it, by contrast."""
    if st.button("Practice this pair", key=f"practice-{pair}", width=width):
        with errors_shown():
            # The first question is asked here, so that the Quiz page finds the session begun.
            session = practice.start(learner, Plan("contrast", f"{OWN}:{pair.replace('|', ',')}"))
            practice.next(learner, session.id)
            st.switch_page("pages/learn/quiz.py")


def _choose_scope(plan: Plan, scope: str, on_choose: Callable[[Plan], None]) -> None:
    if scope != OWN:  # which classes is said next
        on_choose(replace(plan, scope=scope, grading="plain"))


def _choose_own(plan: Plan, names: Sequence[str], on_choose: Callable[[Plan], None]) -> None:
    if len(names) > 1:
        in_order = ",".join(name for name in CELL_CLASSES if name in names)
        on_choose(replace(plan, scope=f"{OWN}:{in_order}", grading="plain"))


def _option(state: State, question: str, kind: str, value: object, words: str, shortcut: str) -> None:
    is_chosen = _draft(state, question).get(kind) == value
    st.button(
        f"✓ {words}" if is_chosen else words,
        key=f"{kind}-{value}",
        type="primary" if is_chosen else "secondary",
        shortcut=shortcut,
        width="stretch",
        on_click=say,
        args=(state, question, kind, value),
    )


def _draft(state: State, question: str) -> dict[str, Any]:
    """What was said of this question so far; a draft of another question is none."""
    draft = state.get("draft")
    return draft if draft and draft["question"] == question else {"question": question}


def _region_key(question: str) -> str:
    return f"region-{question}"


def _feature_key(feature: str, question: str) -> str:
    return f"feature-{feature}-{question}"

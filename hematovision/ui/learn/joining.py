"""The Join page before an attempt: code and name, what awaits, and what was joined before."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from types import MappingProxyType

import streamlit as st

from hematovision.cells import display_name
from hematovision.content.phrases import counted, percent
from hematovision.errors import InputError
from hematovision.quiz.grading import RULES
from hematovision.quiz.policy import Policy
from hematovision.quiz.session import LONGEST_NAME, Session
from hematovision.services import Services
from hematovision.services.attempts import Invitation
from hematovision.ui.learner import LEARNER_KEY, current_learner
from hematovision.ui.page import errors_shown
from hematovision.ui.sign_in import current_account
from hematovision.ui.times import in_zone, learner_zone
from hematovision.ui.widgets import plain

_KEYS_COME: Mapping[str, str] = MappingProxyType(
    {
        "now": "The key comes after each answer.",
        "end": "The keys come at the end.",
        "never": "No keys are shown; your instructor sees your answers.",
    }
)


def joining_learner(services: Services) -> str | None:
    """The account, or who chose a name in this browser; None where a name is still to be given.

    On the other pages the only learner of a machine is taken to be in front of it. A student who follows a link is not.
    """
    if current_account():
        return current_learner(services)
    chosen = str(st.session_state.get(LEARNER_KEY) or st.query_params.get(LEARNER_KEY, ""))
    if not any(known.id == chosen and known.name for known in services.practice.learners()):
        return None
    # Also where there is one learner alone: a reload, and a server that was killed, must not ask again.
    st.session_state[LEARNER_KEY] = chosen
    if st.query_params.get(LEARNER_KEY) != chosen:
        st.query_params[LEARNER_KEY] = chosen
    return current_learner(services)


def ask_to_join(services: Services, student: str, code: str, on_joined: Callable[[str], None]) -> None:
    """The code, the name where no account tells it, and one button."""
    account = current_account()
    names = {known.id: known.name for known in services.practice.learners()}

    def join() -> None:
        with errors_shown():
            publication = services.attempts.find(st.session_state["join-code"])  # first: a wrong code enrolls nobody
            learner = student if account else services.practice.enroll(st.session_state["join-name"]).id
            services.attempts.join(learner, publication.code)
            st.session_state[LEARNER_KEY] = learner
            on_joined(publication.code)

    with st.form("join", border=False, width=420):
        st.text_input("Code", code, max_chars=12, key="join-code", placeholder="K7M 4QX")
        if not account:
            st.text_input("Your name", names.get(student, ""), max_chars=LONGEST_NAME, key="join-name")
        st.form_submit_button("Join", key="join", type="primary", width="stretch", on_click=join)


def show_joined(services: Services, student: str, on_open: Callable[[str], None]) -> None:
    """The sets that a student joined before."""
    if joined := services.attempts.joined(student):
        st.subheader("Your sets")
    for publication in joined:
        label, key = plain(publication.title), f"open-{publication.code}"
        st.button(label, key=key, type="tertiary", on_click=on_open, args=(publication.code,))


def show_invitation(found: Invitation, on_begin: Callable[[], None], on_open: Callable[[Session], None]) -> None:
    """What awaits, and one button to begin; the results of attempts before."""
    used = len(found.attempts)
    st.title(plain(found.publication.title))
    st.markdown(f"**{in_short(found.cells, found.policy, used)}**")
    st.markdown(f"Choices: {', '.join(display_name(name).lower() for name in found.choices)}.")
    if found.refusal is None or found.refusal.kind == "not_open":
        st.markdown(" ".join(in_sentences(found.policy, found.grading, learner_zone())))
    if found.refusal:
        st.info(_refusal(found, found.refusal), icon=None)
    else:
        label = "Begin another attempt" if used else "Begin"
        st.button(label, key="begin", type="primary", shortcut="Enter", on_click=on_begin)
    for number, attempt in enumerate(found.attempts, start=1):
        st.button(
            f"Result of attempt {number}",
            key=f"result-{attempt.id}",
            type="tertiary",
            on_click=on_open,
            args=(attempt,),
        )


def _refusal(found: Invitation, refusal: InputError) -> str:
    """Why no attempt can be begun, with times by the student's own clock."""
    message, hint, policy = refusal.message, refusal.hint, found.policy
    if refusal.kind == "not_open" and policy.opens_at:
        hint = f"It opens on {in_zone(policy.opens_at, learner_zone())}."
    elif refusal.kind == "closed" and policy.closes_at and not found.publication.closed_at:
        message = f"This set closed on {in_zone(policy.closes_at, learner_zone())}."
    return f"**{message}** {hint}"


def in_short(cells: int, policy: Policy, used: int = 0) -> str:
    """`20 cells · 15 minutes · 2 attempts left`."""
    parts = [counted(cells, "cell"), counted(policy.minutes, "minute") if policy.minutes else "no time limit"]
    if policy.attempts:
        parts.append(f"{counted(max(0, policy.attempts - used), 'attempt')} left")
    return " · ".join(parts)


def in_sentences(policy: Policy, grading: str, zone: tzinfo) -> list[str]:
    """What a student should know before they begin."""
    said = [_KEYS_COME[policy.feedback]]
    if policy.minutes:
        said.append("The clock runs from the start, also while this page is closed.")
    if grading != "plain":
        said.append(RULES[grading])
    if policy.pass_mark is not None:
        said.append(f"It is passed with {percent(policy.pass_mark)} of the points.")
    if policy.closes_at:
        said.append(f"It closes on {in_zone(policy.closes_at, zone)}.")
    return said

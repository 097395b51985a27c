"""Who practices in this browser. Several learners may share a machine; of one alone nothing is asked.

Where the site has sign-in, the learner is the account: neither the address nor a choice can make it another.
"""

from collections.abc import Sequence
from html import escape
from typing import NoReturn

import streamlit as st

from hematovision.quiz.session import LONGEST_NAME, Learner
from hematovision.services import Services
from hematovision.services.practice import LEARNER, Practice
from hematovision.ui.page import errors_shown
from hematovision.ui.sign_in import Account, current_account

NAMELESS = "Without a name"

LEARNER_KEY = "learner"
"""In the session, which lasts from page to page, and in the address, which lasts over a reload.

Empty in the session once who was chosen has gone: nobody takes their place unasked.
"""


def current_learner(services: Services) -> str:
    """The id of the learner of this browser: the account, else the one that was chosen, or the only one there is.

    Where nobody is signed in, or the one who was chosen has gone, or there are several and none was chosen, it asks,
    and draws nothing else of the page.
    """
    practice = services.practice
    account = current_account()
    if account:
        return _enrolled(practice, account)
    known = [learner.id for learner in practice.learners()]
    if not known:
        _leave()
        return LEARNER
    learner = st.session_state.get(LEARNER_KEY, st.query_params.get(LEARNER_KEY))
    if learner not in known:
        if learner is not None or len(known) > 1:
            _ask_who(practice)
        learner = known[0]
    st.session_state[LEARNER_KEY] = learner
    if len(known) > 1 and st.query_params.get(LEARNER_KEY) != learner:
        st.query_params[LEARNER_KEY] = learner
    return learner


def forget_learner(services: Services, learner: str) -> None:
    """Delete a learner and all their answers; `say_forgotten` says so where the page is drawn next."""
    services.practice.forget(learner)
    st.session_state["forgotten"] = True


def say_forgotten() -> None:
    """That data were deleted, once after it was done."""
    if st.session_state.pop("forgotten", False):
        st.success("Your data were deleted.", icon=None)


def learner_line(services: Services, learner: str) -> None:
    """One quiet line: who practices, with a way to take a name or to change; with sign-in, to sign out."""
    practice = services.practice
    account = current_account()
    if account:
        _account_line(account)
        return
    name = next((found.name for found in practice.learners() if found.id == learner), "")
    label = f"Practicing as {name}" if name else "Practicing without a name"
    # The key changes with the learner: the choice closes once it is made.
    with st.popover(label, type="tertiary", key=f"learner-line-{learner}-{name}"):
        st.text_input(
            "Your name",
            name,
            max_chars=LONGEST_NAME,
            key=f"my-name-{learner}",
            on_change=lambda: _take_name(practice, learner),
        )
        others = [found for found in practice.learners() if found.id != learner]
        _choose_from(others)
        if name or others:
            _someone_else(practice)


def _enrolled(practice: Practice, account: Account) -> str:
    """The account's id. Known to the store once a browser session: whoever deletes their data is not stored at once."""
    if st.session_state.get(LEARNER_KEY) != account.id:
        if account.name:
            practice.enroll(account.name, account.id)
        st.session_state[LEARNER_KEY] = account.id
    return account.id


def _account_line(account: Account) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="account-line"):
        words = f"Practicing as {account.name}" if account.name else "Practicing without a name"
        st.html(f'<p class="hv-quiet">{escape(words)}</p>', width="content")
        st.button("Sign out", key="sign-out", type="tertiary", on_click=st.logout)


def _ask_who(practice: Practice) -> NoReturn:
    _leave()
    st.session_state[LEARNER_KEY] = ""
    say_forgotten()
    st.header("Who practices?")
    _choose_from(practice.learners())
    _someone_else(practice)
    st.stop()


def _leave() -> None:
    st.session_state.pop(LEARNER_KEY, None)
    st.query_params.pop(LEARNER_KEY, None)


def _choose(learner: str) -> None:
    st.session_state[LEARNER_KEY] = learner


def _choose_from(learners: Sequence[Learner]) -> None:
    for learner in learners:
        st.button(learner.name or NAMELESS, key=f"learner-{learner.id}", on_click=_choose, args=(learner.id,))


def _someone_else(practice: Practice) -> None:
    st.text_input("Someone else", max_chars=LONGEST_NAME, key="new-name", on_change=lambda: _enroll(practice))


def _enroll(practice: Practice) -> None:
    with errors_shown():
        _choose(practice.enroll(st.session_state["new-name"]).id)


def _take_name(practice: Practice, learner: str) -> None:
    """The learner's name from now on; whoever began without one keeps their answers."""
    name = st.session_state[f"my-name-{learner}"]
    with errors_shown():
        if any(found.id == learner for found in practice.learners()):
            practice.rename(learner, name)
        else:
            _choose(practice.enroll(name).id)

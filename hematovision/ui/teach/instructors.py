"""What the pages of Teach have in common: who may be there, a join code to give away."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from hematovision.cells import CELL_CLASSES, STAGES
from hematovision.quiz.publication import Publication
from hematovision.services import Services
from hematovision.services.pictures import Pictures
from hematovision.services.practice import LEARNER
from hematovision.services.roles import may_teach
from hematovision.settings import load_settings
from hematovision.ui.learner import LEARNER_KEY, current_learner
from hematovision.ui.sign_in import account_of, current_account, has_sign_in

ANSWERS = (*CELL_CLASSES, *STAGES)
"""What a set may offer to choose from."""


def teacher(services: Services) -> str:
    """The id of the instructor of this browser. To anyone else it says so, and draws nothing else of the page.

    On a machine of one's own it asks nobody who they are: whoever is there may teach.
    """
    actor = _without_account() if current_account() is None else current_learner(services)
    if not services.teach.may_teach(actor):
        actor = current_learner(services)
    if not services.teach.may_teach(actor):
        st.header("This is for instructors")
        st.markdown("Ask whoever runs this site to list you as one, by this id:")
        st.code(actor, language=None, wrap_lines=True)
        st.page_link("pages/learn/join.py", label="Join a set")
        st.stop()
    return actor


def is_shown_teaching() -> bool:
    """Whether the navigation names the pages of Teach; the pages and the services look again."""
    actor = _without_account()
    if has_sign_in():
        account = account_of(st.user.to_dict(), datetime.now(UTC))
        if account is None:
            return False
        actor = account.id
    return may_teach(actor, load_settings().instructor_ids)


def _without_account() -> str:
    """Who was chosen in this browser, if anyone; see ui/learner.py."""
    return st.session_state.get(LEARNER_KEY) or LEARNER


def join_link(code: str) -> str:
    """The address of the page where students join a set, beside the page that is shown."""
    here = urlsplit(st.context.url or "")
    return urlunsplit((here.scheme, here.netloc, f"{here.path.rpartition('/')[0]}/join", f"code={code}", ""))


def show_code(publication: Publication) -> None:
    """The join code, large enough for a lecture hall, and the link to copy."""
    st.html(f'<p class="hv-code">{publication.code_in_words}</p>')
    st.code(join_link(publication.code), language=None, wrap_lines=True)


def say_names_are_typed() -> None:
    """Where nobody signs in: what an instructor should know before grades depend on it."""
    if not has_sign_in():
        st.caption("This site has no sign-in: names are not checked, and whoever opens it can open these pages.")


def say_what_the_model_has_seen(pictures: Pictures) -> None:
    """While the index is being built: out of how many pictures come those that the model is wrong on, or right."""
    state = pictures.index_state
    if state.running:
        st.caption(f"The model has seen {state.done:,} of {state.total:,} pictures so far.")


def in_order(chosen: Sequence[str], options: Sequence[str]) -> list[str]:
    """What was chosen, in the order of the options."""
    return [name for name in options if name in chosen]

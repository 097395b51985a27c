"""How every page begins: its look, its title, the services it may use."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from hematovision.errors import HematoVisionError
from hematovision.services import Services, open_services
from hematovision.settings import load_settings
from hematovision.ui.sign_in import current_account

_HERE = Path(__file__).parent


def start_page(title: str) -> Services:
    """Set the page up and open the services, which all pages and people of this process share.

    Where the site has sign-in and nobody is signed in, it asks, and draws nothing else of the page.
    """
    st.set_page_config(page_title=f"{title} · HematoVision", page_icon=str(_HERE / "icon.png"), layout="wide")
    st.html(_HERE / "style.css")
    current_account()
    try:
        services = _services()
        _freeze_garbage_collector(title)
        return services
    except HematoVisionError as error:
        show_error(error)
        st.stop()


def show_error(error: HematoVisionError) -> None:
    """What went wrong and what to do, in words."""
    st.error(f"**{error.message}** {error.hint}", icon=None)


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show one of our errors where it happens; the rest of the page goes on."""
    try:
        yield
    except HematoVisionError as error:
        show_error(error)


def begin_at_top(step: str) -> None:
    """Scroll up where `step`, plain words, is another one than before: what it says first must not lie out of sight."""
    script = f'// {step}\ndocument.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);'
    st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


@st.cache_resource(show_spinner="Opening the library …")
def _services() -> Services:
    services = open_services(load_settings())
    services.pictures.start_indexing()
    return services


@st.cache_resource(show_spinner=False)
def _freeze_garbage_collector(title: str) -> None:
    """Once for each page, when its imports are loaded.

    Streamlit collects all garbage after every rerun; what lives as long as the process need not be looked at again.
    """
    gc.collect()
    gc.freeze()

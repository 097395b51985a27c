import pytest
import streamlit as st

from hematovision.settings import ROOT
from tests.ui.screen import new_tab


@pytest.fixture
def app(app_environment, monkeypatch):
    """The app in a new tab, with a tiny model and a library of drawn cells."""
    monkeypatch.chdir(ROOT)
    st.cache_resource.clear()
    yield new_tab()
    st.cache_resource.clear()

"""Start the app's server."""

from collections.abc import Sequence

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import cli

from hematovision.settings import ROOT


def serve(arguments: Sequence[str]) -> None:
    """`streamlit run` with `arguments` (its own options). Returns when the server ends."""
    # Streamlit takes a folder named pages/ for its older kind of navigation until a session has run st.navigation:
    # the first visitor of a fresh server who came by a deep link was told "Page not found". Under a bare
    # `streamlit run` no line of ours runs before that: it looks for the page first, and runs streamlit_app.py after.
    PagesManager.uses_pages_directory = False
    cli.main(["run", str(ROOT / "streamlit_app.py"), *arguments], prog_name="streamlit", standalone_mode=False)

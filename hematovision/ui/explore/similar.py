"""Reference cells that the network sees as nearest to a cell."""

import streamlit as st

from hematovision.cells import display_name
from hematovision.services import Services
from hematovision.ui.page import errors_shown
from hematovision.ui.widgets import show_cell
from hematovision.vision.classifier import Prediction

_COUNT = 4
_WIDTH = 150
"""Pixels: two beside each other on a phone."""

MEANING = (
    "Nearest by what the network sees; not a vote. The similarity is the cosine between what it sees in two pictures: "
    "1 is the same, and it is no probability."
)


def show_similar(services: Services, prediction: Prediction, beside: str = "") -> None:
    """The nearest reference cells, each with its class and in words how near it is; or that there is none yet.

    `beside` is the id of the picture itself, where it is one of the library.
    """
    with errors_shown():
        found = services.pictures.similar(prediction, _COUNT, beside=beside)
        known, total = services.pictures.indexed_references
        st.subheader("Similar reference cells")
        if not found:
            st.caption("None yet: the model has looked at no other reference cell so far.")
            return
        if not services.pictures.is_near(found[0][1]):
            st.markdown("None is close: nine of ten reference cells have a nearer one.")
        with st.container(horizontal=True, key="similar"):
            for picture_id, similarity in found:
                with st.container(width=_WIDTH), errors_shown():
                    near = "close" if services.pictures.is_near(similarity) else "less close"
                    name = display_name(services.pictures.record(picture_id).label)
                    words = f"{name} · {near}, {two_decimals(similarity)}"
                    show_cell(services.pictures, picture_id, alt=f"Similar reference cell: {name}", caption=words)
        so_far = f" Found among {known:,} of {total:,} reference cells, which the model has looked at so far."
        st.caption(MEANING + (so_far if known < total else ""))


def two_decimals(similarity: float) -> str:
    """Never 1.00 for what is not the same."""
    return f"{min(similarity, 0.99):.2f}"

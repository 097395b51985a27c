"""Heat maps: what speaks for an answer, by methods side by side, and how good each map is.

Opening the page starts no TensorFlow: a gradient method that was not chosen by hand is offered by a button, as long as
no worker runs.
"""

import streamlit as st

from hematovision.ui.explore.cover import show_cover
from hematovision.ui.explore.heatmaps import choose_case, map_colors, places, show_maps
from hematovision.ui.explore.map_cell import choose_cell, current_cell, draw_another, show_cell
from hematovision.ui.explore.map_details import show_contrast, show_mark, show_sum
from hematovision.ui.explore.map_quality import show_quality
from hematovision.ui.explore.map_work import is_at_work
from hematovision.ui.page import errors_shown, start_page
from hematovision.ui.widgets import NOT_FOR_DIAGNOSIS

services = start_page("Heat maps")
state = st.session_state

st.title("Heat maps")
if current_cell(state) is None:
    with errors_shown():
        draw_another(services, state)
top = st.container(horizontal=True, vertical_alignment="center")
with top:
    choose_cell(services, state)
cell = current_cell(state)
if cell is None:
    st.stop()
if cell.prediction is None:
    with places(1)[0]:
        show_cell(cell)
    st.markdown("There is no answer to explain, so there is no heat map.")
    st.stop()


def section(label, key):
    """A part of the page that is folded away, and drawn only while it is open."""
    found = st.expander(label, key=key, on_change="rerun")
    return found if found.open else None


# The target is chosen below the pictures, which are what one comes for.
pictures, choices, quick, slow = (st.container() for _ in range(4))
with choices:
    case = choose_case(services.explain, state, cell, top)
with pictures:
    place, *slots = places(1 + len(case.methods))
    map_colors(case)
with place:
    show_cell(cell)
with quick, errors_shown():
    if opened := section("Cover a place", "maps-cover"):
        with opened:
            show_cover(case, is_at_work(state))
    if opened := section("Why this and not that", "maps-contrast"):
        with opened:
            show_contrast(case)
    if opened := section("What adds up to the score", "maps-sum"):
        with opened:
            show_sum(case)
# Maps that take long come last, so that nothing else waits for them but what is measured of them.
maps = show_maps(state, case, slots)
with slow, errors_shown():
    if opened := section("Mark a region", "maps-mark"):
        with opened:
            show_mark(state, case, maps)
    if opened := section("How good these maps are", "maps-quality"):
        with opened:
            show_quality(state, case, maps)
    st.caption(NOT_FOR_DIAGNOSIS)

"""A patch over the cell at the place one points at, and what it does to the score there and then."""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st
from streamlit import runtime

from hematovision.content.phrases import percent
from hematovision.images import encode_png
from hematovision.smear.light import background
from hematovision.ui.explore.heatmaps import Case
from hematovision.ui.explore.map_details import two_decimals
from hematovision.vision.occlusion import Occluded

_HERE = Path(__file__).parent
SIDE = 0.25
"""Of the patch, as a share of the side of what the network sees: about a nucleus' lobe, or a third of a cell."""
_HTML = """
<div class="stage" tabindex="0" role="application" aria-label="The cell, to cover a place of" aria-describedby="how">
  <img draggable="false">
  <div class="patch" hidden></div>
</div>
<p class="said" id="how">Arrow keys move the patch.</p>
"""
_viewer = st.components.v2.component(
    "cell_to_cover",
    html=_HTML,
    css=(_HERE / "cover.css").read_text(),
    js=(_HERE / "cover.js").read_text(),
)

Place = tuple[float, float]


def show_cover(case: Case, is_page_at_work: bool) -> None:
    """The cell to point at, and how the target's probability and score change. A move draws nothing else anew.

    While the page is at work a fragment would wait for it, where a rerun of all does not.
    """
    if is_page_at_work:
        # A fragment draws into a container of its own. At another depth the browser would take the picture for a new
        # one, and the keys that are pressed meanwhile would be lost.
        with st.container():
            _cover(case)
    else:
        st.fragment(_cover)(case)


def _cover(case: Case) -> None:
    left, right = st.columns([1, 2], gap="large")
    with left:
        place = _cell_to_cover(case)
    with right:
        if place is None:
            st.markdown("Point at a place, or press arrow keys: it is covered with background.")
            return
        height, width = case.cell.picture.shape[:2]
        at, side = (place[0] * width, place[1] * height), SIDE * case.subject.frame.side
        found = case.explain.occlude(case.subject, at, side)
        st.html(change_in_words(case.name, found))


def change_in_words(name: str, found: Occluded) -> str:
    """The probability with and without the patch, as HTML, and the score under it."""
    points = round(100 * found.probability_after) - round(100 * found.probability_before)
    change = f"{points:+d} points".replace("-", "−") if points else "no change to speak of"
    return (
        f'<div role="status"><p class="hv-quiet">{name}, with this place covered</p>'
        f'<p class="hv-change">{percent(found.probability_before)} → {percent(found.probability_after)}</p>'
        f'<p class="hv-quiet">{change}; score {two_decimals(found.logit_before)} → '
        f"{two_decimals(found.logit_after)}</p></div>"
    )


def _cell_to_cover(case: Case) -> Place | None:
    """The picture; returns the place that was pointed at last, in shares of its width and height."""
    picture, frame = case.cell.picture, case.cell.frame
    assert frame is not None
    height, width = picture.shape[:2]
    key = f"maps-cover-{case.cell.number}"
    name = runtime.get_instance().media_file_mgr.add(encode_png(picture), "image/png", key)
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    place = place_of(st.session_state.get(key))
    result = _viewer(
        key=key,
        data={
            "source": f"/{base}{name}" if base else name,
            "alt": "The cell, with a patch where you point",
            "width": width,
            "height": height,
            "side": SIDE * frame.side,
            "color": "rgb({:.0f} {:.0f} {:.0f})".format(*background(picture)),
            "answered": place,
        },
        default={"place": None},
        on_place_change=lambda: None,
    )
    return place_of(result)


def place_of(sent: object) -> Place | None:
    """The place in what the browser sent; None where it sent none, or none that lies in the picture."""
    place = sent.get("place") if isinstance(sent, Mapping) else None
    if not isinstance(place, Mapping):
        return None
    try:
        x, y = float(place["x"]), float(place["y"])
    except (KeyError, TypeError, ValueError):
        return None
    return (x, y) if 0 <= x <= 1 and 0 <= y <= 1 else None

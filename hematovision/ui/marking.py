"""The cell of a question, which can be zoomed, and the region that decided: marked, shown again, and compared."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import cv2
import streamlit as st
from streamlit import runtime

from hematovision.cells import NO_NUCLEUS, class_of, display_name
from hematovision.content.phrases import percent
from hematovision.errors import InputError, ModelError
from hematovision.images import Picture, encode_png
from hematovision.quiz.questions import Region
from hematovision.services import Services
from hematovision.services.pictures import Pictures
from hematovision.ui.widgets import cell_caption
from hematovision.vision.marked import Parts, ellipse, parts_of, share_of_evidence
from hematovision.vision.trust import NOT_BLOOD

_HERE = Path(__file__).parent
_DARK, _LIGHT = (27, 19, 38), (255, 255, 255)
_FINE = 4
"""Bits of a pixel's fraction in what OpenCV draws."""
_HTML = """
<div class="frame stImage" data-testid="stImage">
  <div class="stage" tabindex="0" role="application" aria-label="The cell, to zoom and mark" aria-describedby="keys">
    <img draggable="false">
    <div class="mark" hidden></div>
  </div>
  <div class="zoom">
    <button type="button" class="out" aria-label="Zoom out">−</button>
    <button type="button" class="in" aria-label="Zoom in">+</button>
  </div>
</div>
<div class="bar">
  <div class="buttons">
    <button type="button" class="toggle" aria-pressed="false">Mark the region that decided</button>
    <button type="button" class="clear" hidden>Clear</button>
  </div>
  <p class="hint" hidden>Drag around it<span class="by-keys">, or press arrow keys</span>.</p>
</div>
<p class="said" id="keys">Plus and minus zoom. While marking, arrow keys move the mark, with Shift they size it.</p>
<p class="said" role="status"></p>
"""
_viewer = st.components.v2.component(
    "cell_to_mark",
    html=_HTML,
    css=(_HERE / "marking.css").read_text(),
    js=(_HERE / "marking.js").read_text(),
)


def cell_to_mark(pictures: Pictures, picture_id: str, alt: str, key: str, start: Region | None) -> Region | None:
    """A cell of the library with its caption, to zoom and mark. Raises InputError, ImageError."""
    marked = picture_to_mark(pictures.picture(picture_id), alt, key, start)
    cell_caption(pictures.record(picture_id))
    return marked


def picture_to_mark(picture: Picture, alt: str, key: str, start: Region | None) -> Region | None:
    """A picture as wide as its place, with zoom; returns what is marked in it now, at first `start`.

    Sent as PNG under a name made of its content: neither that nor anything else here tells the answer.
    """
    height, width = picture.shape[:2]
    name = runtime.get_instance().media_file_mgr.add(encode_png(picture), "image/png", key)
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    shown = None if start is None else {"x": start.x, "y": start.y, "w": start.w, "h": start.h}
    result = _viewer(
        key=key,
        data={
            "source": f"/{base}{name}" if base else name,
            "alt": alt,
            "width": width,
            "height": height,
            "region": shown,
        },
        default={"region": shown},
        on_region_change=lambda: None,
    )
    return region_of(result)


def region_of(marked: object) -> Region | None:
    """The region in what the browser sent of a picture to mark; None where it sent none, or none that can be."""
    sent = marked.get("region") if isinstance(marked, Mapping) else None
    if not isinstance(sent, Mapping):
        return None
    try:
        return Region(*(float(sent[side]) for side in "xywh"))
    except (InputError, KeyError, TypeError, ValueError):
        return None


def with_mark(picture: Picture, region: Region) -> Picture:
    """The picture with the outline of a marked region, light between dark lines: seen on any stain."""
    height, width = picture.shape[:2]
    drawn = picture.copy()
    fine = 1 << _FINE
    center = (round((region.x + region.w / 2) * width * fine), round((region.y + region.h / 2) * height * fine))
    axes = (round(region.w / 2 * width * fine), round(region.h / 2 * height * fine))
    line = max(1, round(max(height, width) / 240))
    for color, thickness in ((_DARK, line + 2), (_LIGHT, line)):
        cv2.ellipse(drawn, center, axes, 0, 0, 360, color, thickness, cv2.LINE_AA, _FINE)
    return drawn


def compare_mark(services: Services, picture_id: str, key: str, region: Region) -> None:
    """A line on what lies in a marked region: parts of the cell, and of the model's evidence where it gives a class.

    Raises InputError, ImageError.
    """
    picture = services.pictures.picture(picture_id)
    marked = ellipse(region, picture.shape)
    cell = None if class_of(key) in NO_NUCLEUS else services.explain.regions(picture)
    parts = None if cell is None else parts_of(marked, cell)
    evidence, label = None, ""
    with suppress(ModelError):
        prediction = services.pictures.prediction(picture_id)
        if prediction.status != NOT_BLOOD:
            evidence = share_of_evidence(marked, services.explain.evidence(picture, prediction))
            label = prediction.label
    st.markdown(mark_in_words(parts, float(marked.mean()), evidence, label))


def mark_in_words(parts: Parts | None, share: float, evidence: float | None, label: str) -> str:
    """What lies in a marked region that takes `share` of the picture; `evidence` is the model's for `label`."""
    start = "Your mark"
    if parts:
        nucleus, cytoplasm, outside = map(percent, (parts.nucleus, parts.cytoplasm, parts.outside))
        start = f"Your mark is about {nucleus} nucleus, {cytoplasm} cytoplasm and {outside} outside the cell. It"
    held = f"{start} holds {percent(share)} of the picture"
    if evidence is None:
        return f"{held}."
    return f"{held}, and {percent(evidence)} of the model's evidence for {display_name(label).lower()}."

"""What several pages show in the same way."""

from collections.abc import Sequence
from html import escape

import cv2
import streamlit as st

from hematovision.cells import CLASS_HEAD, HEADS, display_name
from hematovision.content.phrases import percent
from hematovision.errors import HematoVisionError
from hematovision.images import Picture, encode_png
from hematovision.library.records import Record
from hematovision.services.explain import Explain
from hematovision.services.pictures import Pictures
from hematovision.smear.framing import Box, Frame
from hematovision.ui.page import show_error
from hematovision.vision.classifier import Prediction
from hematovision.vision.heatmap import overlay

STATUS_WORDS = {
    "confident": "✓ Confident",
    "check": "? Check yourself: the model is not sure",
    "unfamiliar": "≠ Unfamiliar. Unlike the cells it learned from: take the answer with care",
    "no_cell": "– No white cell was found in this field",
    "not_blood": "✗ Not a blood cell: the model gives it no class",
}

_BOX_COLOR = (95, 61, 150)  # the theme's primary color

NOT_FOR_DIAGNOSIS = "For teaching, not for diagnosis."


def show_picture(picture: Picture, alt: str) -> None:
    """A picture as wide as its place. Sent as PNG under a name made of its content: neither tells the answer."""
    st.image(encode_png(picture), alt=alt, width="stretch", output_format="PNG")


def show_cell(pictures: Pictures, picture_id: str, alt: str, caption: str = "") -> None:
    """A cell of the library with its caption. Raises InputError, ImageError."""
    show_picture(pictures.picture(picture_id), alt)
    cell_caption(pictures.record(picture_id), caption)


def cell_caption(record: Record, words: str = "") -> None:
    """`words`, and of a drawn cell that it is drawn: in the same words for all, so that they tell no answer."""
    drawn = "Drawn cell" if record.is_drawn else ""
    if caption := " · ".join(filter(None, (words, drawn))):
        st.caption(caption)


def probability_bars(prediction: Prediction, count: int = 3) -> None:
    """The likeliest classes, each with a bar and its calibrated probability in numbers."""
    rows = sorted(prediction.probabilities.items(), key=lambda item: -item[1])[:count]
    cells = "".join(
        f"<span>{escape(display_name(label))}</span>"
        f'<span class="track" aria-hidden="true"><div class="fill" style="width:{p:.1%}"></div></span>'
        f'<span class="value">{percent(p)}</span>'
        for label, p in rows
    )
    st.html(f'<div class="hv-bars">{cells}</div>')


def plain(text: str) -> str:
    """Text in Markdown without a meaning of its own."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]<>()#+-.!|$~:" else letter for letter in text)


def verdict(words: str) -> None:
    """The one thing to read first."""
    st.html(f'<h2 class="hv-verdict">{escape(words)}</h2>')


def boxed(picture: Picture, boxes: Sequence[Box]) -> Picture:
    """The picture with the boxes of found cells, numbered where there are several; none around a whole picture."""
    height, width = picture.shape[:2]
    drawn = picture.copy()
    line = max(1, round(max(height, width) / 250))
    for number, (x, y, w, h) in enumerate(boxes, start=1):
        if (w, h) == (width, height):
            continue
        cv2.rectangle(drawn, (x, y), (x + w, y + h), _BOX_COLOR, line)
        if len(boxes) > 1:
            cv2.putText(
                drawn,
                str(number),
                (x + 2 * line, y + 14 * line),
                cv2.FONT_HERSHEY_SIMPLEX,
                0.5 * line,
                _BOX_COLOR,
                line,
            )
    return drawn


def status_line(status: str) -> None:
    """How far the model trusts its answer, in words."""
    st.html(f'<p class="hv-quiet">{STATUS_WORDS[status]}</p>')


def attribute_list(attributes: dict[str, str]) -> None:
    """The features that the model sees, one a line."""
    rows = "".join(f"<dt>{escape(display_name(k))}</dt><dd>{escape(v)}</dd>" for k, v in attributes.items())
    st.html(f'<dl class="hv-facts">{rows}</dl>')


def heat_map(
    explain: Explain,
    picture: Picture,
    prediction: Prediction,
    target: tuple[str, str],
    opacity: float,
    frame: Frame | None = None,
    backdrop: Picture | None = None,
    note: str = "",
    hint: str = "",
) -> None:
    """The picture (or `backdrop`) with the evidence for `target` laid over it, or the words that there is none.

    `note` is added to the caption, `hint` only where there is a map.
    """
    name = target_name(target)
    try:
        evidence = explain.evidence(picture, prediction, target, frame=frame)
    except HematoVisionError as error:
        show_error(error)
        return
    backdrop = picture if backdrop is None else backdrop
    if not evidence.any():
        show_picture(backdrop, alt="The cell, without a heat map")
        st.caption(f"Nothing in this picture speaks for {name.lower()}{note}: there is no map to show.")
        return
    show_picture(overlay(backdrop, evidence, opacity), alt=f"Heat map: what speaks for {name}")
    st.caption(f"What speaks for {name.lower()}{note}{hint}")


def opacity_slider(key: str, start: int = 60) -> float:
    """How much of the heat map shows, in [0, 1]; `start` in percent."""
    return st.slider("Heat map", 0, 100, start, 5, format="%d %%", key=key, persist_state="session") / 100


def target_name(target: tuple[str, str]) -> str:
    """`(cell_class, monocyte)` -> `Monocyte`; `(granularity, yes)` -> `Granularity: yes`."""
    head, value = target
    return display_name(value) if head == CLASS_HEAD else f"{display_name(head)}: {value}"


def all_targets() -> list[tuple[str, str]]:
    """Everything that a heat map can explain: classes first, then attribute values."""
    return [(head, value) for head, values in HEADS.items() for value in values]

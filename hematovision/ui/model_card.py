"""The parts of the Model card page: a section with its charts, and the gallery of wrong cells."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from hematovision.cells import CLASS_HEAD, display_name
from hematovision.content.phrases import percent
from hematovision.services import Services
from hematovision.services.model_card import Figure, Section
from hematovision.ui.charts import show_figures
from hematovision.ui.page import errors_shown
from hematovision.ui.widgets import STATUS_WORDS, heat_map, opacity_slider, show_cell
from hematovision.vision.wrong_cells import WrongCell, hints_text

PAGE = 5
"""Wrong cells that are shown at a time."""
ALL = "All"


def show_words(text: str) -> None:
    """Markdown in which a number and its percent sign stay on one line."""
    st.markdown(text.replace(" %", "\u00a0%"))


def show_section(section: Section, figures: Sequence[Figure]) -> None:
    """Title, words and charts; the numbers below them, folded away where there is a chart."""
    st.header(section.title)
    show_words(section.words)
    if figures:
        show_figures(section.key, figures)
    if section.table and figures:
        with st.expander("In numbers"):
            show_words(section.table)
    elif section.table:
        show_words(section.table)


def show_gallery(services: Services, section: Section, cells: Sequence[WrongCell]) -> None:
    """Every wrong cell, `PAGE` at a time, of all confusions or of one."""
    st.header(section.title)
    show_words(section.words)
    if not cells:
        return
    pairs = sorted({(cell.key, cell.answer) for cell in cells})
    choice, slider = st.columns([3, 2], gap="large", vertical_alignment="bottom")
    with choice:
        pair = st.selectbox("Confusion", [ALL, *pairs], format_func=lambda p: _pair_name(p, cells), key="error-pair")
    with slider:
        opacity = opacity_slider("error-opacity")
    chosen = [cell for cell in cells if pair in (ALL, (cell.key, cell.answer))]
    pages = -(-len(chosen) // PAGE)
    number = st.pagination(pages, key=f"error-page-{pair}") if pages > 1 else 1
    for cell in chosen[(number - 1) * PAGE : number * PAGE]:
        with st.container(border=True):
            _show_wrong(services, cell, opacity)


def _show_wrong(services: Services, cell: WrongCell, opacity: float) -> None:
    key, answer = display_name(cell.key), display_name(cell.answer)
    if cell.answer:
        st.markdown(f"**Key: {key}. The model said {answer.lower()}** ({percent(cell.probabilities[cell.answer])}).")
    else:
        st.markdown(f"**Key: {key}. The model refused it.**")
    st.caption(
        f"{cell.dataset} {cell.name} · {STATUS_WORDS[cell.status]} · {key} had {percent(cell.probabilities[cell.key])}."
    )
    picture_id = services.model_cards.picture_id(cell)
    if picture_id is None:
        st.caption("Your library does not hold its picture.")
    else:
        with errors_shown():
            _show_pictures(services, cell, picture_id, opacity)
    if not cell.answer:
        return
    rows = ((key, cell.for_key), (answer, cell.for_answer))
    st.html(
        '<dl class="hv-facts hv-sides">'
        + "".join(f"<dt>For {name.lower()}</dt><dd>{escape(hints_text(hints))}</dd>" for name, hints in rows)
        + "</dl>"
    )


def _show_pictures(services: Services, cell: WrongCell, picture_id: str, opacity: float) -> None:
    """The cell, and what speaks for the answer and for the key; neither where it was refused."""
    picture = services.pictures.picture(picture_id)
    prediction = services.pictures.prediction(picture_id)
    plain, *maps = st.columns(3)
    with plain:
        show_cell(services.pictures, picture_id, alt=f"The cell: {display_name(cell.key)}", caption="The cell")
    if not cell.answer:
        return
    for place, label, note in zip(maps, (cell.answer, cell.key), (", the answer", ", the key"), strict=True):
        with place:
            heat_map(services.explain, picture, prediction, (CLASS_HEAD, label), opacity, note=note)


def _pair_name(pair: str | tuple[str, str], cells: Sequence[WrongCell]) -> str:
    if isinstance(pair, str):
        return f"{pair} ({len(cells)})"
    key, answer = pair
    count = sum((cell.key, cell.answer) == pair for cell in cells)
    said = f"taken for {display_name(answer).lower()}" if answer else "refused"
    return f"{display_name(key)} {said} ({count})"

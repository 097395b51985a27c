"""Small pictures of cells side by side, to be found again: of a set, of a library, of a result."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import cv2
import streamlit as st

from hematovision.cells import display_name
from hematovision.images import encode_png
from hematovision.services.pictures import Pictures
from hematovision.ui.page import errors_shown

T = TypeVar("T")

ON_PAGE = 18
"""Of a gallery: three rows on a wide screen."""
_SMALL = 200
"""Pixels: the longer side of a small picture."""


def small_picture(pictures: Pictures, picture_id: str, alt: str) -> None:
    """A picture as wide as its place. What cannot be read is said in its place."""
    with errors_shown():
        st.image(_small(pictures, picture_id), alt=alt, width="stretch", output_format="PNG")


@contextmanager
def gallery(key: str) -> Iterator[None]:
    """Small pictures side by side, as many as fit."""
    with st.container(horizontal=True, gap="small", key=f"gallery-{key}"):
        yield


@contextmanager
def in_gallery() -> Iterator[None]:
    """One of a gallery, with its words below."""
    with st.container(width=148, gap="xsmall"):
        yield


def marked(number: int, key: str, choice: str | None) -> str:
    """Right, wrong or no answer, with number and key: `✗ Cell 3 · Monocyte`."""
    mark = "–" if choice is None else "✓" if choice == key else "✗"
    return f"{mark} Cell {number} · {display_name(key)}"


def paged_gallery(key: str, items: Sequence[T], show: Callable[[T], object]) -> None:
    """A gallery of `items`, each as `show` draws it, a page at a time."""
    first_key = f"{key}-first"
    first = first_of_page(len(items), ON_PAGE, first_key)
    with gallery(key):
        for item in items[first : first + ON_PAGE]:
            with in_gallery():
                show(item)
    pages_of(len(items), ON_PAGE, first_key)


def first_of_page(count: int, on_page: int, key: str) -> int:
    """The number of the first of those to show: on the last page where there are fewer than one leafed to."""
    return min(st.session_state.get(key, 0), max(0, count - 1) // on_page * on_page)


def pages_of(count: int, on_page: int, key: str) -> None:
    """Two buttons to leaf with where there is more than a page, and what is shown."""
    if count <= on_page:
        return
    first = first_of_page(count, on_page, key)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Previous", key=f"{key}-back", disabled=not first, on_click=_turn, args=(key, first - on_page))
        is_last = first + on_page >= count
        st.button("Next", key=f"{key}-on", disabled=is_last, on_click=_turn, args=(key, first + on_page))
        st.caption(f"{first + 1:,} to {min(first + on_page, count):,} of {count:,}")


def _turn(key: str, first: int) -> None:
    st.session_state[key] = first


@st.cache_data(max_entries=1000, show_spinner=False)
def _small(_pictures: Pictures, picture_id: str) -> bytes:
    """Raises InputError, ImageError."""
    picture = _pictures.picture(picture_id)
    height, width = picture.shape[:2]
    share = min(1.0, _SMALL / max(height, width))
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return encode_png(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))

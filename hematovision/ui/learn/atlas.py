"""The parts of the Atlas page: one cell, two side by side, the features, the identification key."""

from collections.abc import Mapping, MutableMapping, Sequence
from html import escape
from typing import Any

import cv2
import streamlit as st

from hematovision.cells import ATTRIBUTES, display_name, pair_of
from hematovision.content import NAMES, Content, PairText
from hematovision.content.key import Narrowed, narrow
from hematovision.content.phrases import percent
from hematovision.services import Services
from hematovision.services.atlas import Exemplar
from hematovision.ui.learn.quiz import pair_button
from hematovision.ui.learner import current_learner
from hematovision.ui.page import errors_shown
from hematovision.ui.widgets import show_picture, verdict

FACTS: Mapping[str, str] = {
    "size": "Size",
    "nc_ratio": "Nucleus to cytoplasm (N:C)",
    "nucleus": "Nucleus",
    "chromatin": "Chromatin",
    "cytoplasm": "Cytoplasm",
    "granules": "Granules",
    "normal": "Adult blood",
}
"""Field of `CellText` -> what it is called."""

_SMALL = 168
"""Pixels: height of a small picture, twice what a phone shows of it."""

State = MutableMapping[Any, Any]


def begin(state: State) -> None:
    """What is shown at first. `state` is `st.session_state`."""
    for key, value in (("atlas-cell", "monocyte"), ("atlas-one", "lymphocyte"), ("atlas-other", "monocyte")):
        state.setdefault(key, value)
    state.setdefault("atlas-view", "Cells")
    state.setdefault("atlas-turn", 0)


def choose(label: str, key: str, names: Sequence[str] = NAMES) -> str:
    """A class or stage, or an attribute."""
    return st.selectbox(label, names, key=key, format_func=display_name, width=320, persist_state="session")


def show_kind(services: Services, state: State) -> None:
    """A class or stage: the cell, its facts, its look-alikes, and how often each feature was annotated."""
    name = choose("Cell", "atlas-cell")
    text = services.atlas.content
    entry = text.cells[name]
    left, right = st.columns([5, 6], gap="large")
    with left, errors_shown():
        hero, *others = services.atlas.of_kind(name, 4, state["atlas-turn"])
        _show(hero, display_name(name))
        with st.container(key="atlas-more"):
            for place, exemplar in zip(st.columns(3), others, strict=False):
                with place:
                    _show_small(exemplar, display_name(name))
        _caption([hero, *others])
        st.button("Other cells", key="atlas-next", on_click=_turn, args=(state,))
    with right:
        verdict(display_name(name))
        st.markdown(entry.definition)
        facts = "".join(f"<dt>{title}</dt><dd>{escape(getattr(entry, field))}</dd>" for field, title in FACTS.items())
        st.html(f'<dl class="hv-facts">{facts}</dl>')
        _sources(text, entry.sources)
    st.header("Look-alikes")
    _look_alikes(services, state, name)
    st.header("Measured features")
    show_shares(text, [name])


def show_comparison(services: Services, state: State) -> None:
    """Two classes or stages side by side: cells, the feature that decides, facts, shares."""
    text = services.atlas.content
    boxes = (("One cell", "atlas-one"), ("Another cell", "atlas-other"))
    with st.container(key="atlas-pair"):
        names = []
        for place, (label, key) in zip(st.columns(2), boxes, strict=True):
            with place, errors_shown():
                names.append(choose(label, key))
                exemplars = services.atlas.of_kind(names[-1], 1, state["atlas-turn"])
                for exemplar in exemplars:
                    _show(exemplar, display_name(names[-1]))
                _caption(exemplars)
    st.button("Other cells", key="atlas-next", on_click=_turn, args=(state,))
    pair = text.pairs.get(pair_of(*names))
    if pair:
        verdict(pair.decides)
        pair_button(services.practice, current_learner(services), pair.pair)
    rows = [(title, [getattr(text.cells[name], field) for name in names]) for field, title in FACTS.items()]
    if pair:
        rows.insert(0, ("What decides", [pair.shows[name] for name in names]))
    st.html(_table(["", *map(display_name, names)], rows))
    st.header("Measured features")
    show_shares(text, names)
    _sources(text, tuple(dict.fromkeys(id for name in names for id in text.cells[name].sources)))


def show_attribute(services: Services, state: State) -> None:
    """An attribute: what it is, how to look for it, and each value with cells and its share in each class."""
    name = choose("Feature", "atlas-attribute", tuple(ATTRIBUTES))
    text = services.atlas.content
    entry = text.attributes[name]
    verdict(display_name(name))
    doubt = f" {entry.doubt.words}" if entry.doubt else ""
    st.markdown(f"{entry.definition} {entry.look}{doubt}")
    for value, words in entry.values.items():
        with st.container(border=True, key=f"atlas-value-{value.replace(' ', '-')}"):
            left, right = st.columns(2, gap="large", vertical_alignment="center")
            with left, errors_shown():
                exemplars = services.atlas.of_value(name, value, 3, state["atlas-turn"])
                for place, exemplar in zip(st.columns(3), exemplars, strict=False):
                    with place:
                        _show_small(exemplar, display_name(exemplar.name), display_name(exemplar.name))
                _caption(exemplars)
            with right:
                st.markdown(f"**{value.capitalize()}.** {words}.")
                _bars([(display_name(c), text.measured.share(c, name, value) or 0.0) for c in text.measured.n])
    st.button("Other cells", key="atlas-next", on_click=_turn, args=(state,))
    st.caption(f"Share of pictures with the value. {_counted(text, list(text.measured.n))}")
    _sources(text, entry.sources)


def show_key(services: Services, state: State) -> None:
    """The identification key: features on one side, on the other what the cell can still be, and why not the rest."""
    key = services.atlas.content.key
    left, right = st.columns([5, 6], gap="large")
    with left:
        for question, ask in key.asks.items():
            words = key.features[question]
            st.pills(
                ask,
                list(words),
                key=f"key-{question}",
                format_func=words.__getitem__,
                persist_state="session",
                wrap=True,
            )
        st.button("Start again", key="key-clear", on_click=_clear, args=(state, list(key.asks)))
    ticked = {question: state[f"key-{question}"] for question in key.asks if state.get(f"key-{question}")}
    found = narrow(key, ticked)
    with right:
        verdict(_count(found, len(key.kinds)))
        if not found.possible:
            st.markdown(
                "No kind of cell typically shows all of this. Take a feature back; the nearest come first below."
            )
        exemplars = {}
        with st.container(key="atlas-possible"), errors_shown():
            for start in range(0, len(found.possible), 4):
                for place, name in zip(st.columns(4), found.possible[start : start + 4], strict=False):
                    with place:
                        exemplars[name] = services.atlas.of_kind(name, 1)[0]
                        _show_small(exemplars[name], display_name(name))
                        st.button(
                            display_name(name), key=f"see-{name}", type="tertiary", on_click=_see, args=(state, name)
                        )
        _caption(list(exemplars.values()))
        if found.excluded:
            st.subheader("Ruled out, by what they show instead")
            st.html(_ruled_out(services.atlas.content, found))
    st.caption("The key goes by typical cells. A cell that is not typical may be none of these.")
    _sources(services.atlas.content, key.sources)


def show_shares(text: Content, names: Sequence[str]) -> None:
    """Every attribute value with a bar for each of one or two classes; in words, which of them have no annotations."""
    measured = text.measured
    known = [name for name in dict.fromkeys(names) if name in measured.n]
    for name in dict.fromkeys(names):
        if name not in known:
            st.markdown(f"{display_name(name)}: nothing was measured, as no annotations of it exist here.")
    if not known:
        return
    head = "".join(f'<th scope="col">{escape(display_name(name))}</th>' for name in known)
    rows = []
    for attribute, values in ATTRIBUTES.items():
        rows.append(
            f'<tr class="of"><th scope="rowgroup" colspan="{1 + len(known)}">'
            f"{escape(display_name(attribute))}{_doubt(text, attribute, known)}</th></tr>"
        )
        for value in values:
            shares = [measured.share(name, attribute, value) or 0.0 for name in known]
            if any(shares):
                cells = "".join(f"<td>{_bar(share)}</td>" for share in shares)
                rows.append(f'<tr><th scope="row">{escape(value)}</th>{cells}</tr>')
    st.html(
        f'<table class="hv-table hv-shares"><thead><tr><th scope="col">Feature</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
    st.caption(_counted(text, known))


def _doubt(text: Content, attribute: str, names: Sequence[str]) -> str:
    """Where the annotations of one of the classes differ from the atlases; empty where they do not."""
    doubt = text.attributes[attribute].doubt
    return f"<small>{escape(doubt.words)}</small>" if doubt and set(names) & set(doubt.classes) else ""


def _look_alikes(services: Services, state: State, name: str) -> None:
    """A card for each: a cell of it, the question that decides in bold, what each of the two shows."""
    text = services.atlas.content
    pairs = text.look_alikes(name)
    if text.cells[name].also:
        st.markdown(text.cells[name].also)
    for nth, place in enumerate(st.columns(2, gap="medium") if pairs else ()):
        with place:
            for pair in pairs[nth::2]:
                _card(services, state, name, pair)


def _card(services: Services, state: State, name: str, pair: PairText) -> None:
    other = pair.other(name)
    with st.container(border=True, key=f"atlas-card-{other}"):
        left, right = st.columns([1, 3], gap="small")
        with left, errors_shown():
            _show_small(services.atlas.of_kind(other, 1, state["atlas-turn"])[0], display_name(other))
        with right:
            st.markdown(f"{display_name(other)}\n\n**{pair.decides}**")
        shows = "".join(f"<dt>{escape(display_name(n))}</dt><dd>{escape(pair.shows[n])}</dd>" for n in (name, other))
        st.html(f'<dl class="hv-facts">{shows}</dl>')
        with st.container(horizontal=True):
            st.button("Compare", key=f"compare-{other}", on_click=_compare, args=(state, name, other))
            pair_button(services.practice, current_learner(services), pair.pair)


def _turn(state: State) -> None:
    state["atlas-turn"] += 1


def _see(state: State, name: str) -> None:
    state.update({"atlas-view": "Cells", "atlas-cell": name})


def _compare(state: State, one: str, other: str) -> None:
    state.update({"atlas-view": "Compare", "atlas-one": one, "atlas-other": other})


def _clear(state: State, questions: Sequence[str]) -> None:
    for question in questions:
        state[f"key-{question}"] = None


def _show(exemplar: Exemplar, alt: str) -> None:
    show_picture(exemplar.picture, alt)


def _show_small(exemplar: Exemplar, alt: str, caption: str = "") -> None:
    height, width = exemplar.picture.shape[:2]
    size = (round(width * _SMALL / height), _SMALL)
    show_picture(cv2.resize(exemplar.picture, size, interpolation=cv2.INTER_AREA), alt)
    if caption:
        st.caption(caption)


def _caption(exemplars: Sequence[Exemplar]) -> None:
    """Says which cells are drawn: by their names where others are not."""
    drawn = [exemplar for exemplar in exemplars if exemplar.is_drawn]
    words = "Drawn cell" if len(drawn) == 1 else "Drawn cells"
    if drawn and len(drawn) < len(exemplars):
        words += ": " + ", ".join(display_name(exemplar.name).lower() for exemplar in drawn)
    if drawn:
        st.caption(words)


def _bar(share: float) -> str:
    return (
        '<div class="bar"><span class="track" aria-hidden="true">'
        f'<div class="fill" style="width:{share:.1%}"></div></span><span class="value">{percent(share)}</span></div>'
    )


def _bars(rows: Sequence[tuple[str, float]]) -> None:
    cells = "".join(f'<tr><th scope="row">{escape(label)}</th><td>{_bar(share)}</td></tr>' for label, share in rows)
    st.html(f'<table class="hv-table hv-shares">{cells}</table>')


def _counted(text: Content, names: Sequence[str]) -> str:
    counts = ", ".join(f"{display_name(name).lower()} n = {text.measured.n[name]:,}" for name in names)
    return f"{counts[:1].upper()}{counts[1:]}. {text.sources['wbcatt'].title}, on pictures of PBC."


def _sources(text: Content, ids: Sequence[str]) -> None:
    st.caption("After " + ", ".join(text.sources[one].title for one in ids) + ". Laboratories differ.")


def _table(head: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{escape(title)}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        for title, cells in rows
    )
    return f'<table class="hv-table hv-beside"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def _count(found: Narrowed, total: int) -> str:
    if len(found.possible) == 1:
        return f"Only one fits: {display_name(found.possible[0]).lower()}"
    return f"{len(found.possible)} of {total} kinds fit"


def _ruled_out(text: Content, found: Narrowed) -> str:
    """One line a kind, those with the fewest reasons first."""
    key = text.key
    rows = []
    for kind, reasons in sorted(found.excluded.items(), key=lambda item: len(item[1])):
        words = []
        for reason in reasons:
            instead = " or ".join(key.features[reason.question][one].lower() for one in reason.instead)
            words.append(f"{key.asks[reason.question].split(' (')[0].lower()}: {instead or 'there is none'}")
        line = "; ".join(words)
        rows.append(f"<dt>{escape(display_name(kind))}</dt><dd>{escape(line[:1].upper() + line[1:])}</dd>")
    return f'<dl class="hv-facts">{"".join(rows)}</dl>'


SHOW = {"Cells": show_kind, "Compare": show_comparison, "Features": show_attribute, "Identify": show_key}
"""View -> what draws it."""

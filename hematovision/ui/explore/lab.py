"""The parts of the Morphology lab's page: controls, what was drawn beside what is seen, what tips the answer."""

from collections.abc import Callable, Sequence
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from hematovision.cells import ATTRIBUTES, display_name
from hematovision.library.drawn import DrawnCell
from hematovision.services.lab import GRANULES, STAIN, Lab, LabCell, Tip, matters
from hematovision.smear.morphology import KINDS, NIL, CellSpec
from hematovision.smear.stain import STAINS
from hematovision.ui.explore.sliders import (
    GROUPS,
    KNOBS,
    Kind,
    State,
    current,
    follow_granule_type,
    follow_morph,
    follow_preset,
)

STAIN_NAMES = {
    "mgg": "May-Grünwald-Giemsa",
    "mgg-bluish": "May-Grünwald-Giemsa, bluish light",
    "mgg-wright": "Halfway to Wright",
    "wright": "Wright",
}
_TYPES = {NIL: "None", "small": "Small", "round": "Round", "coarse": "Coarse"}
_COLORS = tuple(color for color in ATTRIBUTES["granule_colour"] if color != NIL)
_MOST_TIPS = 8


def kind_name(kind: Kind) -> str:
    """`(neutrophil, band)` -> `Band neutrophil`."""
    label, stage = kind
    return display_name(stage or label)


def choose_preset(state: State) -> None:
    """Two presets, and the slider between them."""
    boxes = (("Preset", "lab-from", follow_preset), ("Morph into", "lab-to", follow_morph))
    for place, (label, key, follow) in zip(st.columns(2), boxes, strict=True):
        place.selectbox(
            label, KINDS, key=key, format_func=kind_name, on_change=follow, args=(state,), persist_state="session"
        )
    st.slider(
        f"From {kind_name(state['lab-from']).lower()} to {kind_name(state['lab-to']).lower()}",
        0,
        100,
        format="%d %%",
        key="lab-share",
        on_change=follow_morph,
        args=(state,),
        disabled=state["lab-from"] == state["lab-to"],
        persist_state="session",
    )


def choose_features(state: State, followers: Sequence[str], draw_another: Callable[[], None]) -> None:
    """The sliders, a tab for each part of the cell; those that make no difference to this one are off.

    A slider draws the fragments `followers` anew; all of the page only where other sliders go on or off.
    """
    used = matters(current(state).spec)

    def follow() -> None:
        if matters(current(state).spec) == used:
            st.rerun(list(followers))

    *parts, slide = st.tabs([*GROUPS, "Slide"])
    for place, (group, knobs) in zip(parts, GROUPS.items(), strict=True):
        with place:
            if group == "Granules":
                _choose_granules(state)
            for knob in knobs:
                low, high = knob.limits
                st.slider(
                    knob.label,
                    low,
                    high,
                    step=knob.step,
                    format=knob.unit,
                    key=knob.key,
                    help=knob.help,
                    on_change=follow,
                    disabled=knob.name not in used,
                    persist_state="session",
                )
    with slide:
        st.selectbox(
            "Stain", tuple(STAINS), key="lab-stain", format_func=STAIN_NAMES.__getitem__, persist_state="session"
        )
        st.button("Another cell", key="lab-another", on_click=draw_another)
        st.caption("The same features, drawn once more.")


def _choose_granules(state: State) -> None:
    st.segmented_control(
        "Type",
        tuple(_TYPES),
        key="lab-granule_type",
        format_func=_TYPES.__getitem__,
        required=True,
        on_change=follow_granule_type,
        args=(state,),
        persist_state="session",
    )
    none = state["lab-granule_type"] == NIL
    st.segmented_control(
        "Color",
        _COLORS,
        key="lab-granule_colour",
        format_func=str.capitalize,
        required=not none,
        disabled=none,
        persist_state="session",
    )


def names(drawn: Kind, seen: str) -> None:
    """What the cell was drawn as, beside what the model takes it for."""
    pairs = {"Drawn as": kind_name(drawn), "The model says": display_name(seen)}
    cells = "".join(
        f"<div><p class='hv-quiet'>{what}</p><h2 class='hv-verdict'>{escape(name)}</h2></div>"
        for what, name in pairs.items()
    )
    st.html(f"<div class='hv-pair'>{cells}</div>")


def feature_table(cell: LabCell) -> None:
    """The attributes that were drawn beside those that the model sees; where they differ, a mark and a word."""
    rows = []
    for name, drawn, seen in cell.features:
        differs = drawn not in (None, seen)
        mark = " <span class='hv-differs'>≠ differs</span>" if differs else ""
        rows.append(
            f"<tr><th scope='row'>{escape(display_name(name))}</th><td>{escape(drawn or '–')}</td>"
            f"<td>{escape(seen)}{mark}</td></tr>"
        )
    head = "<tr><th scope='col'>Feature</th><th scope='col'>Drawn</th><th scope='col'>The model sees</th></tr>"
    st.html(f"<table class='hv-table'><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>")
    st.caption("The model learned these features from the five mature white cells.")


def tips(state: State, lab: Lab) -> None:
    """What tips the answer, when asked for. A slider that is moved meanwhile breaks it off. Raises ModelError."""
    cell = current(state)
    asked, found = state.get("lab-tips", (None, None))
    place = st.empty()
    if asked != cell:
        with place.container():
            st.button("Try every feature", type="primary", key="lab-try", on_click=_ask, args=(state,))
            st.caption("Each one is moved a step down and up on its own.")
        return
    if found is None:
        found = lab.sensitivity(cell, lambda done, total: _show_progress(place, done, total))
        state["lab-tips"] = cell, found
    with place.container():
        _tip_list(cell, lab.draw(cell).prediction.label, found)


def _ask(state: State) -> None:
    state["lab-tips"] = current(state), None


def _show_progress(place: DeltaGenerator, done: int, total: int) -> None:
    place.progress(done / total, text=f"{done} of {total} cells drawn")


def _tip_list(cell: DrawnCell, label: str, found: Sequence[Tip]) -> None:
    """The moves that turn the answer, or change its probability by a percentage point: the greatest few."""
    shown = [tip for tip in found if tip.becomes or abs(tip.change) >= 0.01][:_MOST_TIPS]
    name = display_name(label).lower()
    if not shown:
        st.markdown(f"No step of a single feature changes the probability of {name} by a percentage point.")
        return
    rows = []
    for tip in shown:
        feature, way = tip_words(cell, tip)
        width = f"width:{abs(tip.change):.1%}"
        points = f"{tip.change * 100:+.0f}".replace("-", "−")
        becomes = f"becomes {display_name(tip.becomes).lower()}" if tip.becomes else ""
        rows.append(
            f"<li><div><span>{escape(feature)} <span class='hv-quiet'>{escape(way)}</span></span>"
            f"<span class='value'>{points} points</span></div>"
            f"<div><span class='track' aria-hidden='true'><div class='fill' style='{width}'></div></span>"
            f"<span class='becomes'>{escape(becomes)}</span></div></li>"
        )
    st.html(f"<ol class='hv-tips'>{''.join(rows)}</ol>")
    st.caption(f"Change in the probability of {name}, in percentage points")


def tip_words(cell: DrawnCell, tip: Tip) -> tuple[str, str]:
    """A move in words: (feature and direction, from where to where)."""
    feature, moved = tip.trial.feature, tip.trial.cell
    if feature == STAIN:
        return "Stain", f"{STAIN_NAMES[cell.stain]} → {STAIN_NAMES[moved.stain]}"
    if feature == GRANULES:
        return "Granules", f"{_granules_text(cell.spec)} → {_granules_text(moved.spec)}"
    knob = KNOBS[feature]
    old, new = getattr(cell.spec, feature), getattr(moved.spec, feature)
    return f"{knob.label} {'up' if new > old else 'down'}", f"{knob.text(old)} → {knob.text(new)}"


def _granules_text(spec: CellSpec) -> str:
    return f"{spec.granule_type}, {spec.granule_colour}" if spec.has_granules else "none"

"""How good the maps of one picture are, measured: each figure beside that of a map that knows nothing."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import streamlit as st

from hematovision.content.phrases import percent
from hematovision.ui.explore.heatmaps import Case, Maps
from hematovision.ui.explore.map_cell import State
from hematovision.ui.explore.map_details import NO_NUCLEUS_FOUND, table, two_decimals
from hematovision.ui.explore.map_work import Slot, work
from hematovision.vision.methods import Method
from hematovision.vision.passes import Progress
from hematovision.vision.quality import GRID, SEED, STEPS, Inside

_WEIGHTS = ("Heads random", "Upper half too", "All random")


def show_quality(state: State, case: Case, maps: Maps) -> None:
    """Where the evidence lies, whether the maps agree; by a button what they are worth, and random weights."""
    methods = [method for method, evidence in maps.items() if evidence.any()]
    if not methods:
        st.markdown("There is no map to measure.")
        return
    _placement(case, methods)
    if len(methods) > 1:
        _agreement(case, methods)
    st.markdown("**Deletion and insertion**")
    if _asked(state, case, "faithfulness", "Take pixels away and give them back"):
        _faithfulness(state, case, methods)
    st.markdown("**Random weights**")
    if _asked(state, case, "sanity", "Make the network's weights random"):
        _sanity(state, case, methods)
    st.caption(f"All of it is of this picture alone (n = 1), for {case.name.lower()}.")


def _asked(state: State, case: Case, what: str, label: str) -> bool:
    """Whether it was asked for, of this very case; a button to ask."""
    key = (case.cell.number, case.target, case.methods, case.depth, what)
    asked = state.setdefault("maps-asked", set())
    if key not in asked:
        st.button(label, key=f"maps-{what}", on_click=asked.add, args=(key,))
    return key in asked


def _placement(case: Case, methods: Sequence[Method]) -> None:
    st.markdown("**Where the evidence lies**")
    found = {method: case.explain.placement(case.subject, method.name, case.depth) for method in methods}
    some = next((placed for placed in found.values() if placed), None)
    if some is None:
        st.markdown(NO_NUCLEUS_FOUND)
        return

    def row(name: str, inside: Inside) -> tuple[str, ...]:
        return (name, percent(inside.cell), percent(inside.nucleus))[: 3 if case.cell.has_nucleus else 2]

    rows = [row(case.title(method), placed.evidence) for method, placed in found.items() if placed]
    null = [row("A spot in the middle", some.gaussian), row("Even everywhere", some.uniform)]
    st.html(table(("Map", "In the cell", "In the nucleus")[: 3 if case.cell.has_nucleus else 2], rows, null))
    st.caption("The lower two have not seen the picture: a map says something where it does better than they do.")


def _agreement(case: Case, methods: Sequence[Method]) -> None:
    st.markdown("**Whether the maps agree**")
    names = [method.name for method in methods]
    found = case.explain.agreement(case.subject, names, case.depth)
    *columns, _ = methods
    rows = [
        (one.title, *(_correlation(found[other.name, one.name]) if n < nth else "" for n, other in enumerate(columns)))
        for nth, one in enumerate(methods)
        if nth
    ]
    st.html(f'<div class="hv-wide">{table(("Rank correlation", *(method.title for method in columns)), rows)}</div>')
    st.caption(f"1: the same order of places; 0: none in common. On {GRID} × {GRID} places.")


def _faithfulness(state: State, case: Case, methods: Sequence[Method]) -> None:
    rows, random = [], None
    for method, found in _measured(state, case, methods, "faithfulness"):
        rows.append((case.title(method), two_decimals(found.deletion.area), two_decimals(found.insertion.area)))
        random = ("Random map", two_decimals(found.random_deletion.area), two_decimals(found.random_insertion.area))
    if random:
        st.html(table(("Map", "Deletion, less is better", "Insertion, more is better"), rows, [random]))
        st.caption(
            f"Area under the probability of {case.name.lower()} as pixels are covered, or uncovered from a blur, the "
            f"strongest first, in {STEPS} steps. One random map (seed {SEED})."
        )


def _sanity(state: State, case: Case, methods: Sequence[Method]) -> None:
    rows = []
    for method, found in _measured(state, case, methods, "sanity"):
        rows.append((case.title(method), *map(_correlation, found.values())))
    if rows:
        st.html(table(("Map", *_WEIGHTS), rows))
        st.caption(
            "Rank correlation with the map under the trained weights, with what speaks against in it. A map that stays "
            f"the same (1) does not show what was learned. One draw of weights (seed {SEED})."
        )


def _measured(state: State, case: Case, methods: Sequence[Method], what: str) -> Iterator[tuple[Method, Any]]:
    """What is found of each method's map, one after the other."""
    measure = {"faithfulness": case.explain.faithfulness, "sanity": case.explain.sanity}[what]
    for method in methods:
        compute = partial(_of_map, measure, case, method)
        for _, found in work(state, [case.job(Slot.here(), method, compute, what)]):
            yield method, found


def _of_map(measure: Callable[..., Any], case: Case, method: Method, tell: Progress) -> Any:
    return measure(case.subject, method.name, case.depth, tell)


def _correlation(value: float | None) -> str:
    return "no evidence" if value is None else two_decimals(value)

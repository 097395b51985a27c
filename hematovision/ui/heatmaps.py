"""Heat maps side by side: which ones, how they are shown, and the work behind them, which can be stopped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from hematovision.errors import HematoVisionError
from hematovision.images import Picture
from hematovision.services.explain import Explain, Target
from hematovision.ui.map_cell import MapCell, State, own_answer
from hematovision.ui.page import show_error
from hematovision.ui.tasks import Task
from hematovision.ui.widgets import all_targets, show_picture, target_name
from hematovision.vision.classifier import Prediction
from hematovision.vision.methods import COMMON, DEPTHS, FUSED, LAYERCAM, METHODS, Method
from hematovision.vision.painting import COLORS, Look, paint
from hematovision.vision.passes import Progress

DEFAULT = ("gradcam", LAYERCAM)
"""The one that comes with the answer, and the one whose evidence lies best in the cell."""
DEPTH_NAMES = {
    COMMON: "What all depths show",
    FUSED: "The strongest of all depths",
    **dict(zip(DEPTHS, ("Fine depth", "Middle depth", "Coarse depth", "Last depth"), strict=True)),
}
Maps = Mapping[Method, NDArray]
"""The maps (H, W) in [0, 1] that are shown, without those that failed or were stopped."""
_OWN = ("", "")
_A_ROW = 3
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """What the page is about now: a cell that the model gives a class, a target, and the methods to look at it with."""

    explain: Explain
    cell: MapCell
    prediction: Prediction
    target: Target
    methods: tuple[Method, ...]
    depth: str
    look: Look

    @property
    def name(self) -> str:
        return target_name(self.target)

    @property
    def where(self) -> tuple[Picture, Prediction, Target]:
        """Picture, answer, target: the first arguments of all that is asked of `explain`."""
        return self.cell.picture, self.prediction, self.target

    def title(self, method: Method) -> str:
        return f"{method.title}, {DEPTH_NAMES[self.depth].lower()}" if method.name == LAYERCAM else method.title

    def evidence(self, method: Method, progress: Progress | None = None) -> NDArray:
        """The method's map (H, W). Raises WorkerError, ModelError."""
        return self.explain.evidence(
            *self.where, method.name, frame=self.cell.frame, depth=self.depth, progress=progress
        )


def choose_case(explain: Explain, state: State, cell: MapCell) -> Case:
    """What speaks for what, by which methods, and how it is shown."""
    st.html(_HERE / "heatmaps.css")
    assert cell.prediction is not None
    own = own_answer(cell)
    target_place, methods_place, look_place = st.columns([2, 1, 1], vertical_alignment="bottom")
    with target_place:
        target = st.selectbox(
            "What speaks for",
            (_OWN, *all_targets()),
            format_func=lambda t: f"{target_name(own)}, the model's answer" if t == _OWN else target_name(t),
            key="maps-target",
            persist_state="session",
        )
    with methods_place, st.popover("Methods", width="stretch", key="maps-methods-chosen"):
        methods, depth = _choose_methods()
    with look_place, st.popover("Look", width="stretch", key="maps-look"):
        look = _choose_look()
    return Case(explain, cell, cell.prediction, own if target == _OWN else target, methods, depth, look)


def _choose_methods() -> tuple[tuple[Method, ...], str]:
    chosen = st.pills(
        "Side by side",
        tuple(METHODS),
        selection_mode="multi",
        default=DEFAULT,
        format_func=lambda name: METHODS[name].title,
        key="maps-methods",
        persist_state="session",
    )
    depth = COMMON
    if LAYERCAM in chosen:
        depth = st.selectbox(
            "Layers of LayerCAM",
            tuple(DEPTH_NAMES),
            format_func=DEPTH_NAMES.__getitem__,
            key="maps-depth",
            persist_state="session",
        )
    return tuple(method for name, method in METHODS.items() if name in chosen), depth


def _choose_look() -> Look:
    slider: dict[str, Any] = {"step": 5, "format": "%d %%", "persist_state": "session"}
    return Look(
        st.slider("Opacity", 0, 100, 60, key="maps-opacity", **slider) / 100,
        st.slider("Hide what is weaker than", 0, 90, 0, key="maps-threshold", **slider) / 100,
        st.toggle("Outline at half the peak", key="maps-outline", persist_state="session"),
        st.segmented_control(
            "Colors", tuple(COLORS), default="Viridis", required=True, key="maps-colors", persist_state="session"
        ),
    )


def places(count: int) -> list[DeltaGenerator]:
    """Places for so many pictures of one size: three beside each other, one on a phone."""
    rows = [st.columns(_A_ROW) for _ in range(0, count, _A_ROW)]
    return [place for row in rows for place in row][:count]


def show_maps(state: State, case: Case, slots: Sequence[DeltaGenerator]) -> Maps:
    """Each method's map in its place as it is ready, those that come with the answer first; returns those there are."""
    _leave_the_rest(state, case)
    of = dict(zip(case.methods, slots, strict=True))
    places: dict[Method, DeltaGenerator] = {}
    for method, slot in of.items():
        with slot:
            places[method] = st.empty()
            _about(case, method)
    found = {}
    for method in sorted(of, key=lambda method: (method.is_long, method.needs_worker)):
        evidence = work(state, places[method], case, method, partial(case.evidence, method))
        if evidence is not None:
            found[method] = evidence
            _show_map(case, method, evidence, places[method])
    return {method: found[method] for method in case.methods if method in found}


def _show_map(case: Case, method: Method, evidence: NDArray, place: DeltaGenerator) -> None:
    with place.container():
        if evidence.any():
            alt = f"{case.title(method)}: heat map of what speaks for {case.name.lower()}"
            show_picture(paint(case.cell.picture, evidence, case.look), alt=alt)
        else:
            st.info(f"By {method.title} nothing in this picture speaks for {case.name.lower()}.", icon=None)


def work(
    state: State, place: DeltaGenerator, case: Case, method: Method, compute: Callable[[Progress], Any], what: str = ""
) -> Any:
    """What `compute` finds; None where it fails or was stopped, which `place` then says.

    It goes on while the page is used, and is taken up by the next run. Long work shows how far it is and can be
    stopped; a spinner shows while TensorFlow starts.
    """
    is_long = method.is_long or bool(what)
    if not (is_long or method.needs_worker):
        return compute(lambda done, total: None)
    key = (case.cell.number, case.target, method.name, case.depth, what)
    name = "-".join(map(str, (method.name, what, *case.target)))
    stopped, tasks = state.setdefault("maps-stopped", set()), state.setdefault("maps-tasks", {})
    if key in stopped:
        with place.container():
            st.markdown(f"{method.title} was stopped.")
            st.button("Go on", key=f"maps-go-on-{name}", on_click=stopped.discard, args=(key,))
        return None
    starts = case.explain.worker.pid is None
    task = tasks.get(key) or tasks.setdefault(key, Task(compute))

    def stop() -> None:
        stopped.add(key)
        tasks.pop(key).stop()

    shown: list[DeltaGenerator] = []

    def meanwhile() -> None:
        if not shown:
            with place.container():
                shown.append(st.empty())
                if is_long:
                    st.button("Cancel", key=f"maps-cancel-{name}", on_click=stop)
        # Each time it is drawn lets a press on another button through.
        if is_long:
            far = f"{task.done} of {task.total}" if task.total else "at work"
            shown[0].progress(task.done / max(task.total, 1), text=f"{method.title}: {far}")
        else:
            words = "TensorFlow starts, which takes a few seconds." if starts else "TensorFlow is at work."
            shown[0].html(f'<div class="hv-waiting" role="status">{words}</div>')

    try:
        found = task.result(meanwhile)
    except HematoVisionError as error:
        tasks.pop(key)
        with place.container():
            show_error(error)
            st.button("Try again", key=f"maps-again-{name}")
        return None
    tasks.pop(key)
    place.empty()
    return found


def is_at_work(state: State) -> bool:
    """Whether a map was still being made when the page was left for this run."""
    return bool(state.get("maps-tasks"))


def _leave_the_rest(state: State, case: Case) -> None:
    """Stop the work for what is no longer looked at."""
    tasks = state.get("maps-tasks", {})
    for key in [key for key in tasks if key[:2] != (case.cell.number, case.target)]:
        tasks.pop(key).stop()


def _about(case: Case, method: Method) -> None:
    """What a method is good for and where it misleads, behind its name."""
    with st.popover(case.title(method), type="tertiary", key=f"maps-about-{method.name}"):
        st.markdown(f"**Good for.** {method.good_for}\n\n**Misleads.** {method.misleads}")
        st.caption(f"[{method.paper}]({method.address})")


def color_bar(colors: Any, *words: str) -> None:
    """The colors of the maps, with what each end (and the middle) of them means."""
    steps = ", ".join(f"rgb({r} {g} {b})" for r, g, b in colors[::15])
    told = "".join(f"<span>{escape(word)}</span>" for word in words)
    st.html(
        '<div class="hv-colors"><div class="ramp" aria-hidden="true" '
        f'style="background:linear-gradient(90deg,{steps})"></div><div class="words">{told}</div></div>'
    )


def map_colors(case: Case) -> None:
    """The color bar of the maps side by side."""
    hidden = f", hidden below {case.look.threshold:.0%}".replace("%", " %") if case.look.threshold else ""
    name = case.name.lower()
    color_bar(COLORS[case.look.colors], "Nothing", f"What speaks for {name}{hidden}", "The map's own peak")

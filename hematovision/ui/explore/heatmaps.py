"""Heat maps side by side: which ones, how they are shown, and the work behind them, which can be stopped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from hematovision.content.phrases import percent
from hematovision.services.explain import Explain, Subject, Target
from hematovision.ui.explore.map_cell import MapCell, State, own_answer
from hematovision.ui.explore.map_work import Job, Slot, leave_the_rest, work
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

    @cached_property
    def subject(self) -> Subject:
        """What all is asked about of `explain`."""
        return Subject.of(self.cell.picture, self.prediction, self.target, self.cell.frame)

    def title(self, method: Method) -> str:
        return f"{method.title}, {DEPTH_NAMES[self.depth].lower()}" if method.name == LAYERCAM else method.title

    def evidence(self, method: Method, progress: Progress | None = None) -> NDArray:
        """The method's map (H, W). Raises WorkerError, ModelError."""
        return self.explain.map_of(self.subject, method.name, self.depth, progress)

    def job(
        self, slot: Slot, method: Method, compute: Callable[[Progress], Any], what: str = "", words: str = "At work"
    ) -> Job:
        """What is computed by a method for this case: its map, or `what` is measured of that."""
        key = (self.cell.number, self.target, method.name, self.depth, what)
        name = "-".join((method.name, what, *self.target))
        return Job(slot, method.title, key, name, compute, words, is_map=not what)

    def wants(self, key: tuple[Any, ...]) -> bool:
        """Whether a job of this key is one for what is looked at."""
        number, target, method, depth, _ = key
        names = [method.name for method in self.methods]
        return (number, target, depth) == (self.cell.number, self.target, self.depth) and method in names


def choose_case(explain: Explain, state: State, cell: MapCell, top: DeltaGenerator) -> Case:
    """What speaks for what, by which methods, and how it is shown.

    The latter two are chosen at the `top`: below the maps, each map more would push the choices out of sight.
    """
    st.html(_HERE / "heatmaps.css")
    assert cell.prediction is not None
    own = own_answer(cell)
    with top:
        with st.popover("Methods", key="maps-methods-chosen"):
            methods, depth = _choose_methods(state)
        with st.popover("Look", key="maps-look"):
            look = _choose_look()
    target = st.selectbox(
        "What speaks for",
        (_OWN, *all_targets()),
        format_func=lambda t: f"{target_name(own)}, the model's answer" if t == _OWN else target_name(t),
        key="maps-target",
        persist_state="session",
        width=480,
    )
    return Case(explain, cell, cell.prediction, own if target == _OWN else target, methods, depth, look)


def _choose_methods(state: State) -> tuple[tuple[Method, ...], str]:
    chosen = st.pills(
        "Side by side",
        tuple(METHODS),
        selection_mode="multi",
        default=DEFAULT,
        format_func=lambda name: METHODS[name].title,
        key="maps-methods",
        on_change=_want_worker,
        args=(state,),
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


def _want_worker(state: State) -> None:
    state["maps-worker"] = True


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
    leave_the_rest(state, case.wants)
    of: dict[Method, Slot] = {}
    for method, slot in zip(case.methods, slots, strict=True):
        with slot:
            of[method] = Slot.here()
            _about(case, method)
    found, jobs = {}, {}
    is_running = case.explain.worker.pid is not None
    for method in sorted(of, key=lambda method: (method.needs_worker, method.is_long)):
        if not (method.needs_worker or method.is_long):
            found[method] = case.evidence(method)
            _show_map(case, method, found[method], of[method])
        elif method.needs_worker and not is_running and not state.get("maps-worker"):
            _offer(state, of[method], method)
        else:
            words = "At work" if is_running or not method.needs_worker else "TensorFlow starts: a few seconds"
            jobs[case.job(of[method], method, partial(case.evidence, method), words=words)] = method
    for job, evidence in work(state, list(jobs)):
        found[jobs[job]] = evidence
        _show_map(case, jobs[job], evidence, job.slot)
    return {method: found[method] for method in case.methods if method in found}


def _offer(state: State, slot: Slot, method: Method) -> None:
    """A map that nobody asked for starts no TensorFlow by itself."""
    slot.seen.html('<div class="hv-waiting">TensorFlow makes this map: a few seconds to start, and 800 MB.</div>')
    slot.pressed.button(f"Show {method.title}", key=f"maps-show-{method.name}", on_click=_want_worker, args=(state,))


def _show_map(case: Case, method: Method, evidence: NDArray, slot: Slot) -> None:
    with slot.seen:
        if evidence.any():
            alt = f"{case.title(method)}: heat map of what speaks for {case.name.lower()}"
            show_picture(paint(case.cell.picture, evidence, case.look), alt=alt)
        else:
            st.info(f"By {method.title} nothing in this picture speaks for {case.name.lower()}.", icon=None)


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
    hidden = f", hidden below {percent(case.look.threshold)}" if case.look.threshold else ""
    name = case.name.lower()
    color_bar(COLORS[case.look.colors], "Nothing", f"What speaks for {name}{hidden}", "The map's own peak")

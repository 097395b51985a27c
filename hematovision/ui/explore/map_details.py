"""Below the heat maps, on demand: the contrast of two targets, the exact sum, what a mark holds, how good a map is."""

from collections.abc import Iterable, Sequence
from html import escape

import streamlit as st

from hematovision.cells import HEADS, output_index
from hematovision.content.phrases import percent
from hematovision.ui.explore.heatmaps import Case, Maps, color_bar
from hematovision.ui.explore.map_cell import State
from hematovision.ui.marking import mark_in_words, picture_to_mark
from hematovision.ui.widgets import show_picture, target_name
from hematovision.vision.exactness import LogitParts
from hematovision.vision.marked import ellipse, parts_of, share_of_evidence
from hematovision.vision.methods import GRADCAM, METHODS
from hematovision.vision.painting import TWO_SIDED, outlined_parts, paint_contrast

NO_NUCLEUS_FOUND = "No nucleus is found in this picture, so its parts cannot be told apart."


def show_contrast(case: Case) -> None:
    """What speaks for the target rather than another value of its head, signed."""
    head, value = case.target
    logits = case.prediction.logits
    others = sorted((v for v in HEADS[head] if v != value), key=lambda v: -float(logits[output_index(head, v)]))
    left, right = st.columns([1, 2], gap="large")
    with right:
        name = lambda value: target_name((head, value))  # noqa: E731
        other = (head, st.selectbox("Rather than", others, format_func=name, key="maps-other"))
        one_name, other_name = case.name.lower(), target_name(other).lower()
        # As they are shown, so that the figures agree with each other.
        one_score, other_score = (round(float(logits[output_index(*target)]), 2) for target in (case.target, other))
        found = case.explain.contrast(case.subject, other)
        if found.any():
            color_bar(TWO_SIDED, f"Speaks for {other_name}", "for neither", f"for {one_name}")
        st.markdown(
            f"The scores are {two_decimals(one_score)} and {two_decimals(other_score)}: {one_name} is "
            f"{'ahead' if one_score > other_score else 'behind'} by {two_decimals(abs(one_score - other_score))}."
        )
        if case.look.outline:
            st.caption(f"Solid outline: {one_name}. Dashed: {other_name}.")
    with left:
        if found.any():
            alt = f"{METHODS[GRADCAM].title}: what speaks for {one_name} rather than {other_name}"
            show_picture(paint_contrast(case.cell.picture, found, case.look), alt=alt)
        else:
            st.info(f"Nothing in this picture tells {one_name} and {other_name} apart.", icon=None)


def show_sum(case: Case) -> None:
    """The score taken apart: nucleus, cytoplasm, background and the bias, beside the outlines of these regions."""
    found, regions = case.explain.logit_parts(case.subject), case.explain.regions(case.cell.picture)
    if found is None or regions is None:
        st.markdown(NO_NUCLEUS_FOUND)
        return
    left, right = st.columns([1, 2], gap="large")
    with left:
        alt = "The cell, its nucleus and itself outlined" if case.cell.has_nucleus else "The cell, outlined"
        show_picture(outlined_parts(case.cell.picture, regions, case.cell.has_nucleus), alt=alt)
    with right:
        st.html(sum_table(found, case.cell.has_nucleus))
        lines = "Solid outline: nucleus. Dashed: cell. " if case.cell.has_nucleus else ""
        st.caption(
            f"{lines}The score (logit) is exactly this sum: what the Grad-CAM map adds in each region, and a bias that "
            "is the same for every picture. A region's rim may be counted to its neighbor."
        )


def sum_table(parts: LogitParts, has_nucleus: bool = True) -> str:
    """A row for each part, with its figure and a bar to its side, and their sum. Without a nucleus the cell is one."""
    cell = {"Nucleus": parts.nucleus, "Cytoplasm": parts.cytoplasm}
    if not has_nucleus:
        cell = {"Cell": parts.nucleus + parts.cytoplasm}
    named = {**cell, "Background": parts.background, "Bias": parts.bias}
    *shown, total = adding_up(list(named.values()))
    most = max(map(abs, named.values())) or 1.0
    rows = []
    for (name, value), number in zip(named.items(), shown, strict=True):
        bar = f'<div class="fill {"for" if value > 0 else "against"}" style="width:{abs(value) / most:.1%}"></div>'
        sides = f"<div></div><div>{bar}</div>" if value > 0 else f"<div>{bar}</div><div></div>"
        rows.append(
            f'<tr><th scope="row">{name}</th><td class="number">{signed(number)}</td>'
            f'<td class="side"><div class="track" aria-hidden="true">{sides}</div></td></tr>'
        )
    rows.append(f'<tr class="total"><th scope="row">Score</th><td class="number">{signed(total)}</td><td></td></tr>')
    return f'<table class="hv-sum"><tbody>{"".join(rows)}</tbody></table>'


def adding_up(values: Sequence[float]) -> list[int]:
    """The values in hundredths, and last their sum: so rounded that the figures add up to it.

    The sum is rounded as any number; those values give way that lie nearest to the next hundredth.
    """
    exact = [100 * value for value in values]
    total = round(sum(exact))
    rounded = [round(value) for value in exact]
    short = total - sum(rounded)
    step = 1 if short > 0 else -1
    nearest = sorted(range(len(exact)), key=lambda i: step * (rounded[i] - exact[i]))
    for i in nearest[: abs(short)]:
        rounded[i] += step
    return [*rounded, total]


def signed(hundredths: int) -> str:
    return f"{hundredths / 100:+.2f}".replace("-", "−") if hundredths else "0.00"


def two_decimals(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def show_mark(state: State, case: Case, maps: Maps) -> None:
    """A region to mark, and what of the cell and of each map lies in it."""
    left, right = st.columns([1, 2], gap="large")
    key = f"maps-mark-{case.cell.number}"
    with left:
        region = picture_to_mark(case.cell.picture, "The cell, to mark", key, state.get(f"{key}-kept"))
        state[f"{key}-kept"] = region
    with right:
        if region is None:
            st.markdown("Mark what decides for you. It is compared with the parts of the cell and with the maps above.")
            return
        marked = ellipse(region, case.cell.picture.shape)
        cell = case.explain.regions(case.cell.picture) if case.cell.has_nucleus else None
        st.markdown(mark_in_words(parts_of(marked, cell) if cell else None, float(marked.mean()), None, ""))
        rows = []
        for method, evidence in maps.items():
            share = share_of_evidence(marked, evidence)
            rows.append((case.title(method), "no evidence" if share is None else percent(share)))
        st.html(table((f"Evidence for {case.name.lower()}", "In your mark"), rows))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], null: Iterable[Sequence[str]] = ()) -> str:
    """A row for each method, and paler ones for maps that know nothing."""
    columns = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)

    def row(cells: Sequence[str], kind: str) -> str:
        name, *figures = map(escape, cells)
        return f'<tr{kind}><th scope="row">{name}</th>{"".join(f"<td>{figure}</td>" for figure in figures)}</tr>'

    body = "".join([*(row(cells, "") for cells in rows), *(row(cells, ' class="null"') for cells in null)])
    return f'<table class="hv-table hv-measures"><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>'

"""Charts of the Model card and of Progress: figures in Plotly's words, and how they are shown.

Series differ in color, mark and dash, so that no color vision is needed. Only Streamlit loads Plotly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from hematovision.services.model_card import Confusion, Curves, Figure, Reliability, Share, Shares

COLORS = ("#8660c9", "#c4681a", "#5f7d8c")
"""Each has a contrast of 3 or more to the page in light and in dark."""
MARKS = ("circle", "diamond", "square")
DASHES = ("solid", "dash", "dot")


@dataclass(frozen=True)
class Course:
    """A share over a learner's answers, with its interval: number of the answer -> share."""

    title: str
    note: str
    points: Mapping[int, Share]


@dataclass(frozen=True)
class Days:
    """How many in each of the next days; the first is today's."""

    title: str
    note: str
    counts: Sequence[int]


Drawable = Figure | Course | Days


@dataclass(frozen=True)
class Palette:
    """What differs between light and dark: letters, and the colors of none and of all of a row."""

    text: str
    none: str
    all: str


PALETTES = {"light": Palette("#4d4755", "#f3eff5", "#5f3d96"), "dark": Palette("#c9c4cf", "#231e2b", "#8660c9")}
_GRID = "rgba(128, 118, 145, 0.22)"
_ROW = 34
_LETTERS = 12
"""Size in pixels: small enough for eight classes on a phone."""


def show_figures(key: str, figures: Sequence[Drawable]) -> None:
    """Charts side by side, each with its title and n. `key` names them on the page."""
    palette = PALETTES["dark" if st.context.theme.type == "dark" else "light"]
    for nth, (place, figure) in enumerate(zip(st.columns(len(figures), gap="large"), figures, strict=True)):
        with place:
            st.markdown(f"**{figure.title}**")
            st.plotly_chart(
                chart(figure, palette),
                config={"displayModeBar": False, "showTips": False},
                alt=alt_text(figure),
                key=f"chart-{key}-{nth}",
            )
            if figure.note:
                st.caption(figure.note)


def chart(figure: Drawable, palette: Palette = PALETTES["light"]) -> dict[str, Any]:
    """A figure as Plotly takes it: data and layout."""
    if isinstance(figure, Shares):
        made = _shares(figure)
    elif isinstance(figure, Curves):
        made = _curves(figure)
    elif isinstance(figure, Confusion):
        made = _confusion(figure, palette)
    elif isinstance(figure, Course):
        made = _course(figure)
    elif isinstance(figure, Days):
        made = _days(figure, palette)
    else:
        made = _reliability(figure)
    layout = made["layout"]
    layout["font"] = layout["legend"]["font"] = {"color": palette.text}
    for name in ("xaxis", "yaxis"):
        for part in (layout[name]["tickfont"], layout[name]["title"].setdefault("font", {})):
            part["color"] = palette.text
    return made


def alt_text(figure: Drawable) -> str:
    """What a chart shows, for those who don't see it: the numbers where they are few."""
    if isinstance(figure, Shares):
        said = "; ".join(
            f"{name}: " + ", ".join(f"{one.name} {one.value:.1%}" for one in rows)
            for name, rows in figure.series.items()
        )
        return f"{figure.title}. {said}."
    if isinstance(figure, Curves):
        ends = (
            f"{name} from {_number(figure, line[0])} to {_number(figure, line[-1])}"
            for name, line in figure.lines.items()
        )
        return f"{figure.title} over the epochs: " + "; ".join(ends) + "."
    if isinstance(figure, Confusion):
        right = sum(row[figure.answers.index(key)] for key, row in zip(figure.keys, figure.rows, strict=True))
        return f"{figure.title}: {right:,} of {sum(map(sum, figure.rows)):,} answers are the key's class."
    if isinstance(figure, Course):
        course = "; ".join(f"answer {end}, {figure.points[end].value:.0%}" for end in _ends(figure))
        return f"{figure.title}: {course}."
    if isinstance(figure, Days):
        days = "; ".join(f"{_day(nth)} {count}" for nth, count in enumerate(figure.counts) if count)
        return f"{figure.title}: {days}."
    bins = (f"{sure:.0%} sure, {one.value:.0%} right" for sure, one in zip(*_bins(figure), strict=True))
    return f"Reliability on {figure.title}: " + "; ".join(bins) + "."


def _shares(figure: Shares) -> dict[str, Any]:
    data = []
    for nth, (name, rows) in enumerate(figure.series.items()):
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                # Without it, series that share a row are moved apart along it: to other values.
                "orientation": "h",
                "offsetgroup": name,
                "name": name,
                "x": [one.value for one in rows],
                "y": [_counted(one) if len(figure.series) == 1 else one.name for one in rows],
                "error_x": _error_bars(rows, COLORS[nth]),
                "marker": _mark(nth),
                "text": [_said(one) for one in rows],
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    count = len({one.name for rows in figure.series.values() for one in rows})
    layout = _layout(height=_ROW * count + 70 + 30 * (len(data) > 1), legend=len(data) > 1)
    lowest = min(one.low for rows in figure.series.values() for one in rows)
    highest = max(one.high for rows in figure.series.values() for one in rows)
    room = 0.04 * (highest - lowest)  # for a mark that lies at the end
    layout["xaxis"] |= {"tickformat": ".0%", "range": [lowest - room, highest + room], "nticks": 6}
    layout["yaxis"] |= {"autorange": "reversed", "type": "category", "showgrid": False}
    if len(data) > 1:
        layout["scattermode"], layout["scattergap"] = "group", 0.5
    return {"data": data, "layout": layout}


def _curves(figure: Curves) -> dict[str, Any]:
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": list(range(1, len(line) + 1)),
            "y": list(line),
            "line": {"color": COLORS[nth], "dash": DASHES[nth], "width": 2},
            "marker": _mark(nth, 6),
            "hovertemplate": f"epoch %{{x}}: %{{y:{'.1%' if figure.is_share else '.3f'}}}<extra>{name}</extra>",
        }
        for nth, (name, line) in enumerate(figure.lines.items())
    ]
    layout = _layout(height=300, legend=True)
    last = max(map(len, figure.lines.values()))
    layout["xaxis"] |= {"title": {"text": "epoch"}, "tickformat": "d", "range": [0.5, last + 0.5], "showgrid": False}
    layout["yaxis"] |= {"tickformat": ".0%"} if figure.is_share else {"rangemode": "tozero"}
    return {"data": data, "layout": layout}


def _confusion(figure: Confusion, palette: Palette) -> dict[str, Any]:
    shares = [[count / sum(row) for count in row] for row in figure.rows]
    data = {
        "type": "heatmap",
        "x": [_broken(name) for name in figure.answers],
        "y": [_broken(name) for name in figure.keys],
        "z": shares,
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[0, palette.none], [1, palette.all]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "text": [[f"{count:,}" if count else "" for count in row] for row in figure.rows],
        "texttemplate": "%{text}",
        "hovertemplate": "key %{y}, answer %{x}: %{text} (%{z:.1%})<extra></extra>",
    }
    layout = _layout(height=40 * len(figure.keys) + 110, legend=False)
    layout["xaxis"] |= {"showgrid": False, "side": "top", "tickangle": -60}
    layout["yaxis"] |= {"showgrid": False, "autorange": "reversed"}
    return {"data": [data], "layout": layout}


def _reliability(figure: Reliability) -> dict[str, Any]:
    sure, rows = _bins(figure)
    word = {
        "type": "scatter",
        "mode": "lines",
        "x": [0, 1],
        "y": [0, 1],
        "line": {"color": COLORS[2], "dash": "dot", "width": 1},
        "hoverinfo": "skip",
    }
    found = {
        "type": "scatter",
        "mode": "markers",
        "x": list(sure),
        "y": [one.value for one in rows],
        "error_y": _error_bars(rows, COLORS[0]),
        "marker": _mark(0),
        "text": [f"{_said(one)} right" for one in rows],
        "hovertemplate": "%{text}<extra></extra>",
    }
    layout = _layout(height=340, legend=False)
    layout["xaxis"] |= {"title": {"text": "probability of the answer"}, "tickformat": ".0%", "range": [0, 1.03]}
    layout["yaxis"] |= {"title": {"text": "right"}, "tickformat": ".0%", "range": [0, 1.03]}
    return {"data": [word, found], "layout": layout}


def _course(figure: Course) -> dict[str, Any]:
    numbers, shares = list(figure.points), list(figure.points.values())
    edge = {"type": "scatter", "mode": "lines", "x": numbers, "line": {"width": 0}, "hoverinfo": "skip"}
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": numbers,
        "y": [one.value for one in shares],
        "line": {"color": COLORS[0], "width": 2},
        "text": [f"answer {_said(one)}" for one in shares],
        "hovertemplate": "%{text}<extra></extra>",
    }
    low = edge | {"y": [one.low for one in shares]}
    high = edge | {"y": [one.high for one in shares], "fill": "tonexty", "fillcolor": _GRID}
    layout = _layout(height=300, legend=False)
    layout["xaxis"] |= {"title": {"text": "answer"}, "tickformat": "d", "nticks": 8, "showgrid": False}
    layout["yaxis"] |= {"tickformat": ".0%", "range": [0, 1.03]}
    return {"data": [low, high, line], "layout": layout}


def _days(figure: Days, palette: Palette) -> dict[str, Any]:
    data = {
        "type": "bar",
        "x": list(range(len(figure.counts))),
        "y": list(figure.counts),
        "marker": {"color": COLORS[0]},
        "text": [str(count) if count else "" for count in figure.counts],
        "textposition": "outside",
        "textfont": {"color": palette.text},
        "cliponaxis": False,
        "hovertext": [f"{_day(nth)}: {count}" for nth, count in enumerate(figure.counts)],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    layout = _layout(height=220, legend=False)
    layout["margin"]["t"] = 24
    layout["xaxis"] |= {"title": {"text": "days from now"}, "tickformat": "d", "dtick": 1, "showgrid": False}
    layout["yaxis"] |= {"showticklabels": False, "rangemode": "tozero", "showgrid": False}
    return {"data": [data], "layout": layout}


def _ends(figure: Course) -> tuple[int, int]:
    return min(figure.points), max(figure.points)


def _day(nth: int) -> str:
    return "now or within a day" if nth == 0 else f"in {nth} {'day' if nth == 1 else 'days'}"


def _layout(height: int, legend: bool) -> dict[str, Any]:
    # Nothing zooms: a finger that scrolls the page over a chart must not be caught by it.
    def axis() -> dict[str, Any]:
        shown = {"automargin": True, "zeroline": False, "showgrid": True, "gridcolor": _GRID}
        return {"fixedrange": True, "title": {}, "tickfont": {"size": _LETTERS}, **shown}

    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "dragmode": False,
        "showlegend": legend,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": axis(),
        "yaxis": axis(),
    }


def _mark(nth: int, size: int = 9) -> dict[str, Any]:
    return {"color": COLORS[nth], "symbol": MARKS[nth], "size": size}


def _error_bars(rows: Sequence[Share], color: str) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [one.high - one.value for one in rows],
        "arrayminus": [one.value - one.low for one in rows],
        "color": color,
        "thickness": 2,
        "width": 4,
    }


def _bins(figure: Reliability) -> tuple[Sequence[float], Sequence[Share]]:
    return figure.probabilities, figure.right


def _counted(one: Share) -> str:
    return one.name if one.n is None else f"{one.name}<br>n = {one.n:,}"


def _said(one: Share) -> str:
    count = "" if one.n is None else f", n = {one.n:,}"
    return f"{one.name}: {one.value:.1%} ({one.low:.1%} to {one.high:.1%}){count}"


def _broken(name: str) -> str:
    return name.replace(" ", "<br>")


def _number(figure: Curves, value: float) -> str:
    return f"{value:.1%}" if figure.is_share else f"{value:.3f}"

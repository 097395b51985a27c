import subprocess
import sys

import plotly.graph_objects as go
import pytest

from hematovision.services.model_card import Confusion, Curves, Reliability, Share, Shares
from hematovision.ui.charts import COLORS, PALETTES, Course, Days, alt_text, chart

ONE = Share("Monocyte", 0.9, 0.8, 0.95, 40)
SHARES = Shares("Right answers", "", {"recall": [ONE, Share("Platelet", 1.0, 0.7, 1.0, 9)]})
TWO = Shares("Said", "", {"PBC test": [ONE], "BCCD fields": [Share("Monocyte", 0.5, 0.2, 0.8, 4)]})
CURVES = Curves("Right on val", "", {"classes": [0.8, 0.95], "attributes": [0.7, 0.9]}, is_share=True)
LOSS = Curves("Loss", "", {"train": [1.5, 0.5]}, is_share=False)
CONFUSION = Confusion("Key and answer", "", ["Monocyte"], ["Immature granulocyte", "Monocyte"], [[1, 3]])
RELIABILITY = Reliability(
    "PBC test", "", [0.55, 0.95], [Share("55 %", 0.5, 0.1, 0.9, 2), Share("95 %", 0.9, 0.8, 1, 9)]
)
COURSE = Course(
    "Right, of the last 20", "", {20: Share("20", 0.5, 0.3, 0.7, 20), 22: Share("22", 0.55, 0.34, 0.74, 20)}
)
DAYS = Days("Due", "", [2, 0, 1])
ALL = [SHARES, TWO, CURVES, LOSS, CONFUSION, RELIABILITY, COURSE, DAYS]


@pytest.mark.parametrize("figure", ALL, ids=lambda figure: f"{type(figure).__name__}-{figure.title}")
@pytest.mark.parametrize("theme", PALETTES)
def test_plotly_knows_every_word_and_nothing_catches_a_finger(figure, theme):
    drawn = go.Figure(chart(figure, PALETTES[theme]))  # raises ValueError for an unknown property
    assert drawn.layout.xaxis.fixedrange and drawn.layout.yaxis.fixedrange and drawn.layout.dragmode is False
    assert drawn.layout.xaxis.tickfont.color == drawn.layout.yaxis.title.font.color == PALETTES[theme].text


def test_a_share_is_drawn_with_its_interval_and_n():
    (data,) = chart(SHARES)["data"]
    assert data["y"] == ["Monocyte<br>n = 40", "Platelet<br>n = 9"]
    assert data["x"] == [0.9, 1.0]
    assert data["error_x"]["array"] == [pytest.approx(0.05), 0]
    assert data["error_x"]["arrayminus"] == [pytest.approx(0.1), pytest.approx(0.3)]
    assert data["text"][0] == "Monocyte: 90.0% (80.0% to 95.0%), n = 40"


def test_series_differ_in_more_than_color():
    first, second = chart(TWO)["data"]
    assert first["marker"]["symbol"] != second["marker"]["symbol"] and first["name"] == "PBC test"
    assert {first["orientation"], second["orientation"]} == {"h"}  # moved apart across the row, not along it
    lines = chart(CURVES)["data"]
    assert len({line["line"]["dash"] for line in lines}) == 2 and len({line["line"]["color"] for line in lines}) == 2


def test_a_confusion_matrix_is_colored_by_row_and_says_counts():
    (data,) = chart(CONFUSION, PALETTES["dark"])["data"]
    assert data["z"] == [[0.25, 0.75]] and data["text"] == [["1", "3"]]
    assert data["colorscale"][1][1] == PALETTES["dark"].all


def test_a_reliability_diagram_has_the_line_to_compare_with():
    line, found = chart(RELIABILITY)["data"]
    assert line["x"] == line["y"] == [0, 1]
    assert (found["x"], found["y"]) == ([0.55, 0.95], [0.5, 0.9])


def test_a_learning_curve_has_a_band_of_its_intervals():
    low, high, line = chart(COURSE)["data"]
    assert (line["x"], line["y"]) == ([20, 22], [0.5, 0.55])
    assert (low["y"], high["y"], high["fill"]) == ([0.3, 0.34], [0.7, 0.74], "tonexty")
    assert line["text"][1] == "answer 22: 55.0% (34.0% to 74.0%), n = 20"


def test_a_day_without_anything_due_has_no_number():
    (data,) = chart(DAYS)["data"]
    assert (data["y"], data["text"]) == ([2, 0, 1], ["2", "", "1"])
    assert data["hovertext"] == ["now or within a day: 2", "in 1 day: 0", "in 2 days: 1"]


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (SHARES, "Right answers. recall: Monocyte 90.0%, Platelet 100.0%."),
        (CURVES, "Right on val over the epochs: classes from 80.0% to 95.0%; attributes from 70.0% to 90.0%."),
        (LOSS, "Loss over the epochs: train from 1.500 to 0.500."),
        (CONFUSION, "Key and answer: 3 of 4 answers are the key's class."),
        (RELIABILITY, "Reliability on PBC test: 55% sure, 50% right; 95% sure, 90% right."),
        (COURSE, "Right, of the last 20: answer 20, 50%; answer 22, 55%."),
        (DAYS, "Due: now or within a day 2; in 2 days 1."),
    ],
)
def test_a_chart_is_told_to_those_who_do_not_see_it(figure, said):
    assert alt_text(figure) == said


def luminance(color: str) -> float:
    """WCAG 2.2's relative luminance."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("theme", "page"), [("light", "#fdfcfb"), ("dark", "#17141c")])
def test_marks_and_letters_stand_out_from_the_page(theme, page):
    assert min(contrast(color, page) for color in COLORS) >= 3
    assert contrast(PALETTES[theme].text, page) >= 4.5


def test_our_modules_load_no_more_of_plotly_than_streamlit_does():
    code = (
        "import sys, streamlit; before = set(sys.modules); import hematovision.ui.charts, hematovision.ui.model_card; "
        "sys.exit(any(name.startswith('plotly') for name in set(sys.modules) - before))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0

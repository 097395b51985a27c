"""The parts of the Progress page: each figure with its n, and words instead of a chart where answers are few."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, time
from html import escape
from types import MappingProxyType

import streamlit as st

from hematovision.cells import CELL_CLASSES, STAGES, display_name
from hematovision.content.phrases import counted, percent
from hematovision.quiz.progress import CURVE_OF, Figure, Progress, Reliance, Times
from hematovision.services.model_card import Confusion, Share, Shares
from hematovision.services.practice import Practice
from hematovision.ui.charts import Course, Days, show_figures
from hematovision.ui.learn.quiz import CERTAINTIES, pair_button
from hematovision.ui.page import errors_shown
from hematovision.ui.times import learner_zone

FEW = 10
"""With fewer answers no chart is drawn: it would show chance."""
MOST_PAIRS = 5
MOST_POINTS = 200
"""Points of the learning curve: a browser draws no more of them in the width of a page."""

_NAMES = (*CELL_CLASSES, *STAGES)

REACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "kept_rightly": "Kept your answer, rightly",
        "kept_wrongly": "Kept your answer, wrongly",
        "switched_to_right": "Switched to the right one",
        "switched_to_wrong": "Switched to a wrong one",
        "undecided": "Did not say",
    }
)
"""Field of `Reliance` -> what it is called."""


def show_total(found: Progress) -> None:
    """How many cells were named and how many of them right; a streak only where there is one."""
    if not found.total.n:
        st.markdown("No cell has been named yet. What you know, and what you mix up, will stand here.")
        return
    streak = f" {found.streak} days in a row." if found.streak > 1 else ""
    st.markdown(f"**{_counted(found.total)} right.**{streak}")


def show_pairs(practice: Practice, learner: str, found: Progress) -> None:
    """The pairs that are mixed up the most often, each with a button that starts its contrast."""
    st.header("What you mix up")
    if not found.weak_pairs:
        st.markdown(f"Nothing so far (n = {found.total.n}).")
    for weak in found.weak_pairs[:MOST_PAIRS]:
        one, other = map(display_name, weak.pair.split("|"))
        words, button = st.columns([3, 1], vertical_alignment="center")
        words.markdown(f"**{one} and {other.lower()}**: {weak.confused} of {weak.n} cells")
        with button:
            pair_button(practice, learner, weak.pair, width="stretch")


def show_confusion(found: Progress) -> None:
    """The confusion matrix, and the share right of each class or stage."""
    st.header("Key and answer")
    if _enough(found.total.n, FEW):
        show_figures("confusion", [confusion_figure(found), class_figure(found)])


def show_curve(found: Progress) -> None:
    """The learning curve."""
    st.header("Learning curve")
    if _enough(found.total.n, CURVE_OF + FEW):
        show_figures("curve", [curve_figure(found)])


def show_times(found: Progress) -> None:
    """Median seconds to right and to wrong answers."""
    st.header("Time to an answer")
    rows = {f"{name.capitalize()} answers": times_words(times) for name, times in found.times.items()}
    st.html(_facts(rows))


def show_calibration(found: Progress) -> None:
    """Certainty against correctness."""
    st.header("How sure you were")
    count = sum(figure.n for figure in found.calibration.values())
    if _enough(count, FEW, "answers with a certainty"):
        show_figures("calibration", [calibration_figure(found)])


def show_features(found: Progress) -> None:
    """How often each attribute was named as annotated; nothing where none was named."""
    if not found.features:
        return
    st.header("Features")
    st.markdown("As the experts annotated them, of all that you named. What you could not tell counts as not named so.")
    rows = {display_name(name): f"{figure.right} of {figure.n}" for name, figure in found.features.items()}
    st.html(_facts(rows))


def show_reliance(found: Progress) -> None:
    """What the learner did where the model said something else, split by whether the model was right."""
    st.header("You and the model")
    right, wrong = found.reliance[True], found.reliance[False]
    if not right.n + right.undecided + wrong.n + wrong.undecided:
        st.markdown("The model has not yet contradicted an answer of yours.")
        return
    if not right.n + wrong.n:
        count = right.undecided + wrong.undecided
        st.markdown(
            f"The model gave another answer to {count} of your cells. You have not yet said of any whether you would "
            "change yours."
        )
        return
    st.markdown("What you did with your answer where the model gave another one. It is never graded.")
    st.html(_reliance_table(right, wrong))
    if right.n + wrong.n < FEW:
        st.caption(f"n = {right.n + wrong.n}: too few to read much into them.")


def show_due(found: Progress) -> None:
    """What falls due in the next days."""
    st.header("What falls due")
    days, count = len(found.due), sum(found.due)
    if not count:
        st.markdown(f"Nothing in the next {days} days.")
        return
    show_figures("due", [Days("Classes and pairs that fall due", f"n = {count} in {days} days", found.due)])


def ask_exam(practice: Practice, learner: str) -> None:
    """The day of the learner's own exam, which the schedule works toward."""
    zone = learner_zone()
    found, key = practice.exam(learner), f"exam-day-{learner}"  # nobody sees another learner's

    def keep() -> None:
        day = st.session_state[key]
        with errors_shown():
            practice.set_exam(learner, datetime.combine(day, time(), zone) if day else None)

    st.date_input(
        "Your exam: all comes once more on the day before",
        found.astimezone(zone).date() if found else None,
        min_value="today",
        format="YYYY-MM-DD",
        key=key,
        on_change=keep,
        width=320,
    )


def show_data(practice: Practice, learner: str, on_delete: Callable[[], None]) -> None:
    """Take the answers away as JSON or CSV, or delete them; deleting asks once more."""
    st.header("Your data")
    with st.container(horizontal=True):
        st.download_button(
            "Export as JSON",
            data=lambda: as_json(practice, learner),
            file_name="hematovision.json",
            mime="application/json",
            on_click="ignore",
            key="export-json",
        )
        st.download_button(
            "Export as CSV",
            data=lambda: practice.export_csv(learner),
            file_name="hematovision.csv",
            mime="text/csv",
            on_click="ignore",
            key="export-csv",
        )
        with st.popover("Delete my data"):
            st.markdown("Your name and all your answers are deleted for good. Export them first to keep them.")
            st.button("Delete for good", key="delete", type="primary", on_click=on_delete)


def as_json(practice: Practice, learner: str) -> str:
    """All that is stored of the learner, as JSON."""
    return json.dumps(practice.export(learner), indent=2, ensure_ascii=False)


def confusion_figure(found: Progress) -> Confusion:
    """Rows are the keys that were asked, columns these and what they were taken for."""
    keys = [name for name in _NAMES if name in {key for key, _ in found.confusion}]
    answers = [name for name in _NAMES if name in keys or name in {choice for _, choice in found.confusion}]
    rows = [[found.confusion.get((key, answer), 0) for answer in answers] for key in keys]
    return Confusion(
        "Key (rows) and your answer (columns)",
        f"n = {found.total.n}. The stronger the color, the larger the part of its row.",
        [display_name(key) for key in keys],
        [display_name(answer) for answer in answers],
        rows,
    )


def class_figure(found: Progress) -> Shares:
    """The share right of each class or stage."""
    rows = [_share(display_name(name), found.by_class[name]) for name in _NAMES if name in found.by_class]
    return Shares("Right, of each key", "Bars: 95 % intervals.", {"right": rows})


def curve_figure(found: Progress) -> Course:
    """The share right of the last answers, from the first full window on; at most `MOST_POINTS` of them."""
    ends = range(len(found.curve), CURVE_OF - 1, -max(1, -(-(len(found.curve) - CURVE_OF + 1) // MOST_POINTS)))
    points = {end: _share(str(end), found.curve[end - 1]) for end in sorted(ends)}
    return Course(f"Right, of the last {CURVE_OF} answers", f"n = {found.total.n}. Band: 95 % interval.", points)


def calibration_figure(found: Progress) -> Shares:
    """The share right of the answers given with each certainty."""
    rows = [_share(CERTAINTIES[sure][0], figure) for sure, figure in found.calibration.items() if figure.n]
    return Shares("Right, by how sure you were", "Bars: 95 % intervals.", {"right": rows})


def times_words(times: Times) -> str:
    """`3.2 s at the median, n = 12`."""
    return "none so far, n = 0" if times.seconds is None else f"{times.seconds:.1f} s at the median, n = {times.n}"


def _share(name: str, figure: Figure) -> Share:
    assert figure.share is not None
    return Share(name, figure.share, *figure.interval, figure.n)


def _counted(figure: Figure) -> str:
    assert figure.share is not None
    low, high = figure.interval
    return (
        f"{figure.right} of {counted(figure.n, 'cell')} "
        f"({percent(figure.share)}; 95 % interval {percent(low)} to {percent(high)})"
    )


def _enough(count: int, least: int, what: str = "answers") -> bool:
    """Whether there are enough answers for a chart; says so where there are not."""
    if count < least:
        st.markdown(f"n = {count} {what} so far: the chart is drawn from {least} on.")
    return count >= least


def _facts(rows: Mapping[str, str]) -> str:
    cells = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in rows.items())
    return f'<dl class="hv-facts">{cells}</dl>'


def _reliance_table(right: Reliance, wrong: Reliance) -> str:
    rows = [(words, getattr(right, name), getattr(wrong, name)) for name, words in REACTIONS.items()]
    # Where the model was right and the learner said something else, there was nothing to keep rightly.
    rows[0] = (rows[0][0], "–", rows[0][2])
    rows.append(("n", right.n + right.undecided, wrong.n + wrong.undecided))
    body = "".join(f"<tr><th>{words}</th><td>{one}</td><td>{other}</td></tr>" for words, one, other in rows)
    head = "<tr><td></td><th>Model right</th><th>Model wrong</th></tr>"
    return f'<table class="hv-table"><thead>{head}</thead><tbody>{body}</tbody></table>'

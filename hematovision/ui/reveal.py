"""What a learner sees after the commit."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from hematovision.cells import CLASS_HEAD, class_of, display_name
from hematovision.errors import HematoVisionError
from hematovision.quiz.questions import LONGEST_REASON, Question, Region
from hematovision.services import Services
from hematovision.services.practice import Practice
from hematovision.ui.marking import compare_mark, with_mark
from hematovision.ui.page import errors_shown
from hematovision.ui.widgets import (
    NOT_FOR_DIAGNOSIS,
    cell_caption,
    heat_map,
    opacity_slider,
    probability_bars,
    show_cell,
    show_picture,
    status_line,
    verdict,
)
from hematovision.vision.trust import NOT_BLOOD


def reveal(
    services: Services, question: Question, learner: str, on_next: Callable[[], None], onward: str = "Next"
) -> None:
    """The key first, then the model's answer, its heat map beside the learner's, and cells to compare with.

    Last what the learner says now, which is stored and never graded. A cell of an exam may have no answer.
    """
    words, further = st.columns([4, 1], vertical_alignment="center")
    with words:
        verdict(_verdict(question))
    further.button(onward, key="next", type="primary", shortcut="Enter", width="stretch", on_click=on_next)
    cell, *maps = st.columns(3)
    with cell, errors_shown():
        _show_cell(services, question)
    if region := _region(question):
        # An error would be said twice: the cell and the model's answer say theirs.
        with suppress(HematoVisionError):
            compare_mark(services, question.picture_id, question.key, region)
    answer, compare = st.columns([1, 1], gap="large")
    with answer, errors_shown():
        _show_model(services, question, maps)
    with compare:
        _show_references(services, question)
    if question.reply is not None:
        with errors_shown():
            _show_features(services, question)
        _ask_again(services.practice, question, learner)
    st.caption(NOT_FOR_DIAGNOSIS)


def _verdict(question: Question) -> str:
    key = display_name(question.key)
    if question.choice is None:
        return f"– The key is {key}. You gave no answer."
    return f"✓ Right: {key}" if question.is_right else f"✗ The key is {key}. You said {display_name(question.choice)}."


def _show_cell(services: Services, question: Question) -> None:
    """The cell with its key, and with the learner's mark where they made one."""
    key, region = display_name(question.key), _region(question)
    if region is None:
        show_cell(services.pictures, question.picture_id, alt=f"The cell: {key}", caption=f"Key: {key}")
        return
    show_picture(
        with_mark(services.pictures.picture(question.picture_id), region), alt=f"The cell with your mark: {key}"
    )
    cell_caption(services.pictures.record(question.picture_id), f"Key: {key}")


def _region(question: Question) -> Region | None:
    return question.reply.region if question.reply else None


def _show_features(services: Services, question: Question) -> None:
    """The features that the learner ticked, beside those of the key and those that the model sees."""
    if question.reply is None or not question.reply.features:
        return
    prediction = services.pictures.prediction(question.picture_id)
    model = {} if prediction.status == NOT_BLOOD else prediction.attributes
    st.subheader("Features")
    st.html(features_table(question.reply.features, services.pictures.record(question.picture_id).attributes, model))


def features_table(ticked: Mapping[str, str], key: Mapping[str, str], model: Mapping[str, str]) -> str:
    """A row for each ticked feature: what the learner, the key and the model say; a dash where one says nothing."""
    rows = []
    for name, value in ticked.items():
        mark = "" if name not in key else "✓ " if key[name] == value else "✗ "
        said = "".join(f"<td>{escape(text)}</td>" for text in (mark + value, key.get(name, "–"), model.get(name, "–")))
        rows.append(f'<tr><th scope="row">{escape(display_name(name))}</th>{said}</tr>')
    head = "".join(f'<th scope="col">{title}</th>' for title in ("Feature", "You", "Key", "Model"))
    return f'<table class="hv-table"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _ask_again(practice: Practice, question: Question, learner: str) -> None:
    """Would they change their answer, and do they doubt the key."""
    if question.revised is None:
        key = f"revise-{question.id}"

        def revise() -> None:
            if st.session_state[key] is not None:
                with errors_shown():
                    practice.revise(learner, question.id, st.session_state[key])

        st.pills(
            "Would you change your answer? It is stored, and never graded.",
            question.choices,
            format_func=lambda name: f"No: {display_name(name)}" if name == question.choice else display_name(name),
            key=key,
            on_change=revise,
        )
    else:
        now = "stay with" if question.revised == question.choice else "would now say"
        st.caption(f"You {now} {display_name(question.revised).lower()}. This is stored, and never graded.")
    with st.expander("I dispute this key", key=f"disputed-{question.id}"):
        reason = st.text_area(
            "What should the key be, and why?",
            question.dispute or "",
            max_chars=LONGEST_REASON,
            key=f"reason-{question.id}",
        )

        def dispute() -> None:
            with errors_shown():
                practice.dispute(learner, question.id, st.session_state[f"reason-{question.id}"])

        st.button("Store", key="dispute", disabled=not reason.strip(), on_click=dispute)
        if question.dispute:
            st.caption("Stored. Who looks after the cells reads it.")


def _show_model(services: Services, question: Question, places: list[DeltaGenerator]) -> None:
    """The model's answer in words, and in `places` why it says so and what speaks for another answer.

    The model knows classes: it speaks of a stage's class. What it takes for no blood cell gets none.
    """
    picture = services.pictures.picture(question.picture_id)
    prediction = services.pictures.prediction(question.picture_id)
    if prediction.status == NOT_BLOOD:
        st.subheader("The model gives no class")
        status_line(prediction.status)
        return
    st.subheader(f"The model says {display_name(prediction.label).lower()}")
    status_line(prediction.status)
    probability_bars(prediction)
    opacity = opacity_slider("quiz-opacity")
    region = _region(question)
    backdrop = with_mark(picture, region) if region else None
    choice = question.choice or question.key
    wanted = dict.fromkeys([prediction.label, class_of(choice), class_of(question.key)])
    for place, label in zip(places, wanted, strict=False):
        with place:
            note = ", your answer" if label == question.choice else ""
            target = (CLASS_HEAD, label)
            heat_map(services.explain, picture, prediction, target, opacity, backdrop=backdrop, note=note)


def _show_references(services: Services, question: Question) -> None:
    """Two cells to compare with: of the key, and of what the learner took it for."""
    st.subheader("Compare")
    labels = [question.key, question.choice or question.key]
    for nth, (place, label) in enumerate(zip(st.columns(2), labels, strict=True)):
        found = services.pictures.references(label, 2, beside=question.picture_id)
        with place, errors_shown():
            for picture_id in found[nth : nth + 1]:
                name = display_name(label)
                show_cell(services.pictures, picture_id, alt=f"Reference cell: {name}", caption=name)

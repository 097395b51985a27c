"""What a learner sees after the commit."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from html import escape

import streamlit as st

from hematovision.cells import CLASS_HEAD, class_of, display_name
from hematovision.content.phrases import percent
from hematovision.errors import HematoVisionError, ModelError
from hematovision.quiz.drill import AGREEMENT, as_annotated
from hematovision.quiz.questions import CANNOT_TELL, LONGEST_REASON, Question, Region
from hematovision.services import Services
from hematovision.services.attempts import Remark
from hematovision.services.practice import Practice
from hematovision.ui.explain import show_reasons
from hematovision.ui.learn.quiz import known_as
from hematovision.ui.marking import compare_mark, with_mark
from hematovision.ui.page import begin_at_top, errors_shown
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
from hematovision.vision.classifier import Prediction
from hematovision.vision.trust import NOT_BLOOD


def reveal(
    services: Services,
    question: Question,
    learner: str,
    on_next: Callable[[], None],
    onward: str = "Next",
    shows_model: bool = True,
    remark: Remark | None = None,
) -> None:
    """The key first, then the model's answer with its heat maps and reasons, the features, and cells to compare with.

    Last what the learner says now, which is stored and never graded. A cell of an exam may have no answer. Of an
    instructor's set comes what it remarks with the key, and the model only where the set shows it.
    """
    words, further = st.columns([4, 1], vertical_alignment="center")
    with words:
        verdict(_verdict(question))
        begin_at_top(f"revealed {known_as(learner, question.id)}")
        if question.reply and (named := _named(services, question)):
            st.markdown(f"{sum(named.values())} of {len(named)} features as annotated")
    further.button(onward, key="next", type="primary", shortcut="Enter", width="stretch", on_click=on_next)
    cell, answer = st.columns([1, 2])
    with cell:
        with errors_shown():
            _show_cell(services, question)
        if shows_model and (region := _region(question)):
            # An error would be said twice: the cell and the model's answer say theirs.
            with suppress(HematoVisionError):
                compare_mark(services, question.picture_id, question.key, region)
    prediction = None
    with answer, errors_shown():
        if remark:
            _show_remark(remark)
        if shows_model and (prediction := _show_model(services, question)):
            opacity = opacity_slider("quiz-opacity")
    if prediction:
        with errors_shown():
            _show_evidence(services, question, prediction, opacity)
    if question.reply is not None:
        with errors_shown():
            _show_features(services, question, shows_model)
    _show_references(services, question)
    if question.reply is not None:
        _ask_again(services.practice, question, learner)
    st.caption(NOT_FOR_DIAGNOSIS)


def _show_remark(remark: Remark) -> None:
    """An instructor's note as it was written, and what another expert calls the cell."""
    if remark.second_key:
        st.markdown(f"Another expert calls it {display_name(remark.second_key).lower()}.")
    if remark.note:
        st.html(f'<p class="hv-note">{escape(remark.note)}</p>')


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


def _named(services: Services, question: Question) -> dict[str, bool]:
    """The features that the learner named and that are annotated: whether as annotated. None of a picture that left."""
    record = services.pictures.library.records.get(question.picture_id)
    return as_annotated(question.reply.features, record.attributes) if record and question.reply else {}


def _show_features(services: Services, question: Question, shows_model: bool) -> None:
    """The features that the learner named, beside those of the key and those that the model sees."""
    if question.reply is None or not question.reply.features:
        return
    record, model = services.pictures.record(question.picture_id), {}
    with suppress(ModelError):  # its place says so
        prediction = services.pictures.prediction(question.picture_id) if shows_model else None
        model = prediction.attributes if prediction and prediction.status != NOT_BLOOD else {}
    st.subheader("Features")
    st.html(features_table(question.reply.features, record.attributes, model))
    if record.attributes and not record.is_drawn:
        st.caption(f"Two who annotate the same cell agree on {percent(AGREEMENT)} of the features, on average.")


def features_table(named: Mapping[str, str], key: Mapping[str, str], model: Mapping[str, str]) -> str:
    """A row for each feature named: what the learner, the key and the model say; a dash where one says nothing."""
    graded = as_annotated(named, key)
    rows = []
    for name, value in named.items():
        mark = "" if name not in graded or value == CANNOT_TELL else "✓ " if graded[name] else "✗ "
        said = "".join(f"<td>{escape(text)}</td>" for text in (mark + value, key.get(name, "–"), model.get(name, "–")))
        rows.append(f'<tr><th scope="row">{escape(display_name(name))}</th>{said}</tr>')
    head = "".join(f'<th scope="col">{title}</th>' for title in ("Feature", "You", "Key", "Model"))
    return f'<table class="hv-table hv-features"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _ask_again(practice: Practice, question: Question, learner: str) -> None:
    """Would they change their answer, and do they doubt the key."""
    name = known_as(learner, question.id)
    if question.revised is None:
        key = f"revise-{name}"

        def revise() -> None:
            if st.session_state[key] is not None:
                with errors_shown():
                    practice.revise(learner, question.id, st.session_state[key])

        st.pills(
            "Would you change your answer? It is stored, and never graded.",
            question.choices,
            format_func=lambda one: f"No: {display_name(one)}" if one == question.choice else display_name(one),
            key=key,
            on_change=revise,
        )
    else:
        now = "stay with" if question.revised == question.choice else "would now say"
        st.caption(f"You {now} {display_name(question.revised).lower()}. This is stored, and never graded.")
    with st.expander("I dispute this key", key=f"disputed-{name}"):
        reason = st.text_area(
            "What should the key be, and why?",
            question.dispute or "",
            max_chars=LONGEST_REASON,
            key=f"reason-{name}",
        )

        def dispute() -> None:
            with errors_shown():
                practice.dispute(learner, question.id, st.session_state[f"reason-{name}"])

        st.button("Store", key="dispute", disabled=not reason.strip(), on_click=dispute)
        if question.dispute:
            st.caption("Stored with your answers. In a set, its instructor reads it.")


def _show_model(services: Services, question: Question) -> Prediction | None:
    """The model's answer; None where it takes the cell for no blood cell, and so gives no class."""
    prediction = services.pictures.prediction(question.picture_id)
    is_cell = prediction.status != NOT_BLOOD
    st.subheader(f"The model says {display_name(prediction.label).lower()}" if is_cell else "The model gives no class")
    status_line(prediction.status)
    if not is_cell:
        return None
    probability_bars(prediction)
    return prediction


def _show_evidence(services: Services, question: Question, prediction: Prediction, opacity: float) -> None:
    """Why the model says so and what speaks for another answer, in maps and then in words.

    The model knows classes: it speaks of a stage's class.
    """
    picture, region = services.pictures.picture(question.picture_id), _region(question)
    backdrop = with_mark(picture, region) if region else None
    choice = question.choice or question.key
    labels = list(dict.fromkeys([prediction.label, class_of(choice), class_of(question.key)]))
    *maps, words = st.columns([1, 1, 1] if labels[1:] else [1, 2])
    for place, label in zip(maps, labels, strict=False):
        with place:
            note = ", your answer" if label == question.choice else ""
            target = (CLASS_HEAD, label)
            hint = ". Drawn up to its own peak: compare places, not strengths." if label != labels[0] else ""
            heat_map(services.explain, picture, prediction, target, opacity, None, backdrop, note, hint)
    with words:
        show_reasons(services, prediction, *labels[1:2])


def _show_references(services: Services, question: Question) -> None:
    """Cells to compare with: of the key, and of what the learner took it for; where they were right, two of the key."""
    st.subheader("Compare")
    labels = [question.key, question.choice or question.key]
    same = labels[0] == labels[1]
    with st.container(key="compare"):
        places = st.columns(3)[:2]
    for nth, (place, label) in enumerate(zip(places, labels, strict=True)):
        found = services.pictures.references(label, 1 + same, beside=question.picture_id)
        with place, errors_shown():
            for picture_id in found[nth * same :][:1]:
                name = display_name(label)
                show_cell(services.pictures, picture_id, alt=f"Reference cell: {name}", caption=name)

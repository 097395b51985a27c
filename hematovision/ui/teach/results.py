"""What a class answered to a published set: who is how far, each student cell by cell, each cell's share right."""

from datetime import tzinfo
from html import escape

import streamlit as st

from hematovision.cells import display_name
from hematovision.content.phrases import percent, told_apart
from hematovision.quiz.publication import Publication
from hematovision.quiz.results import Attempt, ItemResult, Results, Student
from hematovision.services import Services
from hematovision.services.teach import Teach
from hematovision.ui.gallery import marked, paged_gallery, small_picture
from hematovision.ui.learner import NAMELESS
from hematovision.ui.page import errors_shown
from hematovision.ui.teach.instructors import say_names_are_typed, show_code
from hematovision.ui.times import in_zone, learner_zone
from hematovision.ui.widgets import plain

_STATES = {"joined": "Not begun", "ended": "Done"}


def choose_publication(known: list[Publication]) -> Publication:
    """One of the publications, by the code in the address; at first the newest."""
    by_code = {one.code: one for one in known}
    wanted = st.query_params.get("code")

    def show() -> None:
        st.query_params["code"] = st.session_state["results-of"]

    codes = list(by_code)
    return by_code[
        st.selectbox(
            "Set",
            codes,
            index=codes.index(wanted) if wanted in codes else 0,
            format_func=lambda code: _in_words(by_code[code]),
            key="results-of",
            on_change=show,
        )
    ]


def show_head(teach: Teach, actor: str, found: Results) -> None:
    """How many have joined and are done, the code, the table to take away, and how to close the set."""
    publication = found.publication
    st.markdown(
        f"**{len(found.students)} joined** · {found.count('joined')} not begun · "
        f"{found.count('running')} in the middle · {found.count('ended')} done"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Look again", key="again")
        st.download_button(
            "Download CSV",
            lambda: teach.results_csv(actor, publication.code),
            file_name=f"results-{publication.code}.csv",
            mime="text/csv",
            key="csv",
            on_click="ignore",
        )
        if publication.closed_at:
            st.caption(f"Closed on {in_zone(publication.closed_at, learner_zone())}.")
            return
        with st.popover("Code"):
            show_code(publication)
        with st.popover("Close"):
            st.markdown("Nobody begins any more, and what runs ends now. It cannot be opened again.")
            st.button("Close this set", key="close", on_click=_close, args=(teach, actor, publication.code))


def show_students(services: Services, found: Results, zone: tzinfo) -> None:
    """A table of all attempts, and below it the answers of one student."""
    if not found.students:
        st.markdown("Nobody has joined yet. Give them the code.")
        return
    st.html(students_table(found, zone))
    say_names_are_typed()
    answered = [student for student in found.students if student.attempts]
    if not answered:
        return
    names = _names(found)
    student = st.selectbox("Answers of", answered, format_func=lambda one: names[one.learner.id], key="student")
    attempt = student.attempts[-1]
    if len(student.attempts) > 1:
        attempts = list(student.attempts)
        attempt = st.selectbox("Attempt", attempts, format_func=lambda one: f"Attempt {one.number}", key="attempt")
    _show_answers(services, found, attempt)


def show_items(services: Services, found: Results) -> None:
    """Each cell with the share right and what was said instead, the hardest first."""
    st.caption("Of each student the first attempt: later, the key may have been seen.")
    items = sorted(found.items, key=lambda item: (item.right.share is None, item.right.share or 0.0, item.number))

    def show(item: ItemResult) -> None:
        small_picture(services.pictures, item.picture_id, f"Cell {item.number}: {display_name(item.key)}")
        st.caption(item_words(item))
        for reason in item.disputes:
            st.caption(f"Disputed: “{plain(reason)}”")

    paged_gallery("items", items, show)


def students_table(found: Results, zone: tzinfo) -> str:
    """A row for each attempt, and one for each student who has not begun."""
    # On a phone what lies to the right is scrolled to: the score comes first.
    heads = ("Student", "State", "Right", "Points", "Passed", "Attempt", "Begun")
    names, cells = _names(found), len(found.items)
    rows = [
        [names[student.learner.id], *_row(attempt, cells, zone)]
        for student in found.students
        for attempt in _of(student)
    ]
    head = "".join(f'<th scope="col">{title}</th>' for title in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(text)}</td>" for text in rest)}</tr>'
        for name, *rest in rows
    )
    table = f'<table class="hv-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="hv-wide" role="region" aria-label="Students" tabindex="0">{table}</div>'


def item_words(item: ItemResult) -> str:
    """`**Cell 3 · Monocyte** 7 of 9 right (78 %), lymphocyte 2`."""
    words = f"**Cell {item.number} · {display_name(item.key)}**  \n"
    if item.right.share is None:
        return f"{words}no answer yet (n = 0)"
    words += f"{item.right.right} of {item.right.n} right ({percent(item.right.share)})"
    wrong = sorted(((name, n) for name, n in item.choices.items() if n and name != item.key), key=lambda one: -one[1])
    return words + "".join(f", {display_name(name).lower()} {n}" for name, n in wrong)


def _of(student: Student) -> tuple[Attempt | None, ...]:
    return student.attempts or (None,)


def _row(attempt: Attempt | None, cells: int, zone: tzinfo) -> list[str]:
    if attempt is None:
        return [_STATES["joined"], "", "", "", "", ""]
    passed = "" if attempt.is_passed is None else "✓ yes" if attempt.is_passed else "✗ no"
    state = _STATES["ended"] if attempt.has_ended else f"{attempt.answered} of {cells}"
    return [
        state,
        f"{attempt.right} of {cells if attempt.has_ended else attempt.answered}",
        f"{attempt.points:g} of {attempt.most_points:g}",
        passed,
        str(attempt.number),
        f"{attempt.session.started_at.astimezone(zone):%d %b %H:%M}",
    ]


def _show_answers(services: Services, found: Results, attempt: Attempt) -> None:
    """All cells of an attempt in the order of the set: the key and what was said."""

    def show(item: ItemResult) -> None:
        small_picture(services.pictures, item.picture_id, f"Cell {item.number}: {display_name(item.key)}")
        st.caption(answer_words(item, attempt))

    paged_gallery("answers", found.items, show)


def answer_words(item: ItemResult, attempt: Attempt) -> str:
    """One answer against the key: `✗ Cell 3 · Monocyte`, and what was said."""
    question = attempt.answers.get(item.number)
    choice = question.choice if question else None
    words = f"**{marked(item.number, item.key, choice)}**"
    if choice is None:
        return f"{words}  \nno answer"
    return words if choice == item.key else f"{words}  \nsaid {display_name(choice).lower()}"


def _close(teach: Teach, actor: str, code: str) -> None:
    with errors_shown():
        teach.close(actor, code)


def _names(found: Results) -> dict[str, str]:
    """Id of each student -> what they are called on the page. Two accounts may have one name."""
    return told_apart({student.learner.id: student.learner.name or NAMELESS for student in found.students})


def _in_words(publication: Publication) -> str:
    closed = ", closed" if publication.closed_at else ""
    return f"{plain(publication.title)}, version {publication.version} · {publication.code_in_words}{closed}"

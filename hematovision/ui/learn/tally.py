"""The parts of the Differential page: the running slide, the result against the key, and its wrong cells."""

from collections.abc import Callable
from functools import partial
from html import escape

import streamlit as st

from hematovision.cells import display_name
from hematovision.content.phrases import counted
from hematovision.quiz.differential import COUNTED, NRBC, TYPICAL_SOURCE, Differential, Share, TalliedCell
from hematovision.quiz.questions import Asked, Reply
from hematovision.quiz.session import Session
from hematovision.services import Services
from hematovision.services.pictures import Pictures
from hematovision.services.practice import Practice, Tally
from hematovision.ui.gallery import marked, paged_gallery, small_picture
from hematovision.ui.learn.tones import note_tally, sound, tone_switch
from hematovision.ui.page import begin_at_top, errors_shown
from hematovision.ui.widgets import show_cell, verdict

HEADS = ("Class", "Count", "%", "Key %", "Against the key", "Rümke 95 %", "Wilson 95 %", "Typical %")


def show_slide(services: Services, learner: str, session: Session) -> None:
    """A running slide: the cell to tally, and the board with undo, hold, finish and sound."""
    practice = services.practice
    asked = practice.next(learner, session.id)
    so_far = practice.tally(learner, session.id)
    cell, board = st.columns([1, 1], gap="large")
    with cell, st.container(key="tally-cell"):
        if asked:
            show_cell(services.pictures, asked.picture_id, alt="The cell to tally")
        else:
            st.header("The slide is counted.")
            st.markdown("Finish to see the key. The last tally can still be undone.")
    with board:
        on_tally = partial(_count, practice, learner, asked.id if asked else 0)
        show_board(so_far, on_tally, is_open=asked is not None)
        with st.container(horizontal=True, vertical_alignment="center"):
            _show_undo(practice, learner, so_far.last)
            _show_end(practice, learner, session.id, is_open=asked is not None)
            tone_switch()
        sound(st.session_state)
        st.caption(tally_words(so_far, session.plan.length))


def hold(is_held: bool) -> None:
    """Put the running slide away in this tab, or go on with it; what was tallied is stored anyway."""
    st.session_state.is_held = is_held


def show_board(tally: Tally, on_tally: Callable[[str], None], is_open: bool) -> None:
    """A key for each class with its count, as on a counter; keys 1 to n. Nothing can be counted once it is full.

    The keys are new for each cell: a press that was meant for the cell before counts nothing.
    """
    with st.container(key="tally-board"):
        for key, (name, count) in enumerate(tally.counts.items(), start=1):
            st.button(
                f"{_name(name)} **{count}**",
                key=f"tally-{name}-{tally.tallied}",
                shortcut=str(key),
                width="stretch",
                disabled=not is_open,
                on_click=on_tally,
                args=(name,),
            )


def tally_words(tally: Tally, length: int) -> str:
    """How far the count is, by the learner's own tally.

    Not by the cells of the slide: their number would tell how many erythroblasts it has.
    """
    white = tally.tallied - tally.counts.get(NRBC, 0)
    return f"{counted(white, 'white cell')} counted. The slide has {length}."


def show_result(found: Differential) -> None:
    """How many cells were named as in the key, the percentages with their limits, and the erythroblasts."""
    begin_at_top("the slide's result")
    if not found.cells:
        verdict("No cell was tallied: there is nothing to compare.")
        return
    verdict(f"{found.right} of {len(found.cells)} cells named as in the key")
    if not found.white:
        st.markdown("No white cell was tallied: there are no percentages.")
        return
    st.markdown(_agreement_words(found))
    head = "".join(f'<th role="columnheader">{name}</th>' for name in HEADS)
    rows = "".join(_row(share) for share in found.shares)
    # The roles are said: a table that a narrow screen lays out otherwise would be none to a screen reader.
    st.html(
        f'<table class="hv-table hv-result" role="table"><thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{rows}</tbody></table>'
    )
    st.markdown(nrbc_words(found))
    st.caption(
        f"n = {found.white} white cells. A share agrees where the key lies within Rümke's limits, the exact ones "
        f"(Clopper and Pearson 1934). Typical in adult blood: {TYPICAL_SOURCE}"
    )


def nrbc_words(found: Differential) -> str:
    """Erythroblasts per 100 white cells, by the learner and by the key."""
    key = "" if found.key_nrbc is None else f"; by the key {found.key_nrbc:.1f}"
    return f"**NRBC per 100 white cells: {found.nrbc:.1f}** ({found.nrbc_count} counted){key}."


def show_wrong(pictures: Pictures, found: Differential, session_id: int) -> None:
    """The cells that the key names otherwise, with their pictures."""
    wrong = [cell for cell in found.cells if not cell.is_right]
    if not found.cells:
        return
    st.header("Cell by cell")
    if not wrong:
        st.markdown("Every cell is named as in the key.")
        return
    st.markdown(f"{len(wrong)} of {len(found.cells)} cells are not named as in the key.")

    def show(cell: TalliedCell) -> None:
        small_picture(pictures, cell.picture_id, f"Cell {cell.number}: {display_name(cell.key)}")
        st.caption(f"**{marked(cell.number, cell.key, cell.choice)}**  \nyou said {_said(cell.choice)}")

    paged_gallery(f"wrong-{session_id}", wrong, show)


def _show_undo(practice: Practice, learner: str, last: Asked | None) -> None:
    st.button(
        "Undo",
        key=f"undo-{last.id if last else 0}",
        shortcut="Backspace",
        disabled=last is None,
        on_click=_take_back,
        args=(practice, learner, last.id if last else 0),
    )


def _show_end(practice: Practice, learner: str, session_id: int, is_open: bool) -> None:
    finish = partial(_finish, practice, learner, session_id)
    if not is_open:
        st.button("Finish", key="finish", type="primary", shortcut="Enter", on_click=finish)
        return
    st.button("Hold", key="hold", on_click=hold, args=(True,))
    with st.popover("Finish"):
        st.markdown("Cells that are left don't count. A slide that is finished stays finished.")
        st.button("Finish now", key="finish", type="primary", on_click=finish)


def _count(practice: Practice, learner: str, question_id: int, choice: str) -> None:
    # In a callback: the tally is stored before the next cell is drawn.
    with errors_shown():
        practice.commit(learner, question_id, Reply(choice))
        note_tally(st.session_state, question_id, COUNTED.index(choice))


def _take_back(practice: Practice, learner: str, question_id: int) -> None:
    with errors_shown():
        practice.undo(learner, question_id)


def _finish(practice: Practice, learner: str, session_id: int) -> None:
    with errors_shown():
        practice.finish(learner, session_id)


def _agreement_words(found: Differential) -> str:
    differing = [share for share in found.shares if share.agrees is False]
    if all(share.agrees is None for share in found.shares):
        return "By the key there is no white cell among these: there is nothing to compare with."
    if not differing:
        return "✓ Every share agrees with the key within the limits of your count."
    names = ", ".join(_said(share.name) for share in differing)
    return f"✗ {len(differing)} of {len(found.shares)} shares differ from the key by more than your limits: {names}."


def _row(share: Share) -> str:
    low, high = share.typical
    cells = (
        str(share.count),
        f"{share.percent:.1f}",
        "–" if share.key is None else f"{share.key:.1f}",
        agreement(share),
        _limits(share.rumke),
        _limits(share.wilson),
        f"{low:g}–{high:g}" + ("" if share.is_typical else " ▲ above" if share.percent > high else " ▼ below"),
    )
    # Each cell carries its head, which a narrow screen writes above it.
    row = "".join(
        f'<td role="cell" data-head="{head}">{cell}</td>' for head, cell in zip(HEADS[1:], cells, strict=True)
    )
    return f'<tr role="row"><th role="rowheader">{escape(_name(share.name))}</th>{row}</tr>'


def agreement(share: Share) -> str:
    """Whether the key's share lies within Rümke's limits, in a sign and in words."""
    if share.key is None:
        return "– no key"
    if share.agrees:
        return "✓ agrees"
    return "✗ too many" if share.key < share.rumke[0] else "✗ too few"


def _limits(limits: tuple[float, float]) -> str:
    return f"{limits[0]:.1f}–{limits[1]:.1f}"


def _name(name: str) -> str:
    return f"{display_name(name)} (NRBC)" if name == NRBC else display_name(name)


def _said(name: str) -> str:
    return display_name(name).lower()

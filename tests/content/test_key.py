import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.content import KINDS, content
from hematovision.content.key import Reason, narrow
from hematovision.errors import InputError

KEY = content().key
TICKS = st.fixed_dictionaries({}, optional={q: st.sampled_from(list(f)) for q, f in KEY.features.items()})


@st.composite
def typical_cells(draw):
    """A kind, and features that it may show: one for each question that has a meaning for it, or fewer."""
    kind = draw(st.sampled_from(KINDS))
    shown = {q: draw(st.sampled_from(sorted(f))) for q, f in KEY.kinds[kind].items() if f}
    return kind, {q: shown[q] for q in draw(st.sets(st.sampled_from(sorted(shown))))}


def test_nothing_ticked_leaves_every_kind():
    assert set(narrow(KEY, {}).possible) == set(KINDS) and not narrow(KEY, {}).excluded


@settings(deadline=None)
@given(TICKS, st.data())
def test_ticking_more_never_adds_a_kind(ticked, data):
    fewer = {q: ticked[q] for q in data.draw(st.sets(st.sampled_from(sorted(ticked))))} if ticked else {}
    assert set(narrow(KEY, ticked).possible) <= set(narrow(KEY, fewer).possible)


@settings(deadline=None)
@given(typical_cells())
def test_a_typical_cell_keeps_its_kind(cell):
    kind, ticked = cell
    assert kind in narrow(KEY, ticked).possible


@settings(deadline=None)
@given(TICKS)
def test_each_kind_is_possible_or_has_a_reason_that_was_ticked(ticked):
    found = narrow(KEY, ticked)
    assert set(found.possible) | set(found.excluded) == set(KINDS)
    assert not set(found.possible) & set(found.excluded)
    for kind, reasons in found.excluded.items():
        for reason in reasons:
            assert ticked[reason.question] == reason.seen and reason.seen not in reason.instead
            assert set(reason.instead) == KEY.kinds[kind][reason.question]


@pytest.mark.parametrize(
    ("ticked", "left"),
    [
        ({"granules": "orange"}, ("eosinophil",)),
        ({"granules": "black"}, ("basophil",)),
        ({"nucleus": "none"}, ("platelet",)),
        ({"nucleus": "band", "cytoplasm": "gray"}, ("monocyte",)),
        ({"nucleus": "band"}, ("monocyte", "band")),
        ({"chromatin": "ink"}, ("erythroblast",)),
        ({"cytoplasm": "sky"}, ("lymphocyte",)),
        ({"chromatin": "fine", "cytoplasm": "gray", "nucleus": "dented"}, ("monocyte",)),
        ({"nucleus": "lobed", "granules": "fine"}, ("segmented",)),
        ({"nucleus": "dented", "granules": "fine", "cytoplasm": "pink"}, ("metamyelocyte",)),
        ({"granules": "orange", "nucleus": "none"}, ()),
    ],
)
def test_what_features_lead_to(ticked, left):
    assert narrow(KEY, ticked).possible == left


def test_reasons_say_what_the_kind_shows_instead():
    found = narrow(KEY, {"granules": "fine", "chromatin": "clumped"})
    assert found.excluded["platelet"] == (Reason("chromatin", "clumped", ()),)
    assert found.excluded["eosinophil"] == (Reason("granules", "fine", ("orange",)),)
    assert len(found.excluded["basophil"]) == 2


def test_every_two_kinds_can_be_told_apart():
    for one in KINDS:
        for other in KINDS:
            shown = [KEY.kinds[one][q] != KEY.kinds[other][q] for q in KEY.asks]
            assert one == other or any(shown), (one, other)


@pytest.mark.parametrize("ticked", [{"tail": "long"}, {"nucleus": "square"}])
def test_unknown_features_are_refused(ticked):
    with pytest.raises(InputError, match="Unknown"):
        narrow(KEY, ticked)

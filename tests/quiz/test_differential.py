import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.cells import WHITE_CELLS
from hematovision.errors import InputError
from hematovision.quiz.differential import COUNTED, NRBC, TYPICAL, draw_shares, draw_slide, result
from tests.quiz.make import answered

POOL = {name: [f"{name}{i}" for i in range(300)] for name in COUNTED}


def slide(keys, choices):
    pairs = zip(keys, choices, strict=True)
    return [answered(k, c, number=n, choices=COUNTED, topic="") for n, (k, c) in enumerate(pairs, start=1)]


def test_a_hundred_cells_with_their_limits_against_the_key():
    keys = ["neutrophil"] * 60 + ["lymphocyte"] * 30 + ["monocyte"] * 7 + ["eosinophil"] * 3
    choices = keys[:58] + ["eosinophil"] * 2 + keys[60:]
    found = result(slide(keys, choices))
    shares = {share.name: share for share in found.shares}
    assert list(shares) == list(WHITE_CELLS) and found.white == found.key_white == 100
    eosinophil = shares["eosinophil"]
    assert (eosinophil.count, eosinophil.percent, eosinophil.key, eosinophil.key_count) == (5, 5.0, 3.0, 3)
    assert [round(limit, 1) for limit in eosinophil.rumke] == [1.6, 11.3]
    assert [round(limit, 1) for limit in eosinophil.wilson] == [2.2, 11.2]
    assert eosinophil.agrees and eosinophil.is_typical and eosinophil.typical == (0.0, 5.5)
    assert not shares["immature_granulocyte"].count and found.right == 98
    assert [cell.number for cell in found.cells if not cell.is_right] == [59, 60]


def test_a_count_that_chance_cannot_explain_does_not_agree():
    found = result(slide(["neutrophil"] * 90 + ["monocyte"] * 10, ["neutrophil"] * 70 + ["monocyte"] * 30))
    monocyte = next(share for share in found.shares if share.name == "monocyte")
    assert monocyte.agrees is False and not monocyte.is_typical


def test_erythroblasts_are_counted_beside_the_white_cells():
    keys = ["neutrophil"] * 50 + [NRBC] * 5
    found = result(slide(keys, ["neutrophil"] * 49 + [NRBC] * 6))
    assert (found.white, found.key_white, found.nrbc_count) == (49, 50, 6)
    assert found.nrbc == pytest.approx(100 * 6 / 49) and found.key_nrbc == 10.0
    assert sum(share.percent for share in found.shares) == pytest.approx(100.0)


def test_where_nothing_was_tallied_nothing_is_claimed():
    found = result([])
    assert (found.white, found.nrbc, found.key_nrbc, found.cells) == (0, None, None, ())
    assert all(share.agrees is None and share.rumke == (0.0, 100.0) for share in found.shares)


@given(st.integers())
def test_shares_of_a_slide_make_a_hundred_and_half_of_the_slides_are_typical(seed):
    shares = draw_shares(random.Random(seed))
    assert sum(shares.values()) == pytest.approx(100.0) and min(shares.values()) >= 0
    assert set(shares) == set(WHITE_CELLS)


def test_every_other_slide_is_normal():
    drawn = [draw_shares(random.Random(seed)) for seed in range(400)]
    typical = [all(TYPICAL[n][0] <= s[n] <= TYPICAL[n][1] for n in WHITE_CELLS) for s in drawn]
    # The rest has a class raised, which does not always leave its range.
    assert 200 < sum(typical) < 330


def test_a_slide_of_a_seed_is_frozen():
    drawn = draw_slide(POOL, 100, set(), random.Random(2))
    counts = {"lymphocyte": 45, "neutrophil": 41, "monocyte": 12, "immature_granulocyte": 2, "erythroblast": 1}
    assert Counter(name for _, name in drawn) == counts


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(),
    length=st.sampled_from([100, 200]),
    sizes=st.lists(st.integers(0, 9), min_size=7, max_size=7).filter(lambda sizes: any(sizes[:6])),
)
def test_a_slide_has_its_white_cells_and_uses_every_picture_before_one_comes_twice(seed, length, sizes):
    pool = {name: POOL[name][:size] for name, size in zip(COUNTED, sizes, strict=True)}
    drawn = draw_slide(pool, length, set(), random.Random(seed))
    assert sum(name != NRBC for _, name in drawn) == length
    for name in {name for _, name in drawn}:
        counts = Counter(picture for picture, key in drawn if key == name)
        assert set(counts) <= set(pool[name]) and max(counts.values()) - min(counts.values()) <= 1
        assert max(counts.values()) == 1 or len(counts) == len(pool[name])


def test_unseen_pictures_come_first():
    pool = {"neutrophil": POOL["neutrophil"][:150]}
    seen = set(pool["neutrophil"][:50])
    drawn = draw_slide(pool, 100, seen, random.Random(0))
    assert not {picture for picture, _ in drawn} & seen


def test_a_slide_needs_a_white_cell():
    with pytest.raises(InputError, match="no pictures"):
        draw_slide({NRBC: ["p"], "neutrophil": []}, 100, set(), random.Random(0))

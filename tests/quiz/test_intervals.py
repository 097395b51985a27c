import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.quiz.intervals import exact, wilson


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        # Rümke's table of sampling errors of a differential, 95 %.
        (5, 100, 1.6, 11.3),
        (30, 100, 21.2, 40.0),
        (5, 200, 0.8, 5.7),
        (10, 200, 2.4, 9.0),
        (0, 100, 0.0, 3.6),
        (100, 100, 96.4, 100.0),
    ],
)
def test_exact_limits_are_those_of_rumkes_table(count, total, low, high):
    found = exact(count, total)
    assert (round(100 * found[0], 1), round(100 * found[1], 1)) == (low, high)


@pytest.mark.parametrize(("count", "total", "low", "high"), [(5, 100, 0.0215, 0.1118), (9, 9, 0.7008, 1.0)])
def test_wilsons_interval(count, total, low, high):
    assert wilson(count, total) == pytest.approx((low, high), abs=1e-4)


def test_nothing_counted_says_nothing():
    assert wilson(0, 0) == exact(0, 0) == (0.0, 1.0)


@settings(deadline=None)
@given(st.integers(1, 200).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_limits_hold_the_share_and_mirror_each_other(numbers):
    count, total = numbers
    for limits in (exact, wilson):
        low, high = limits(count, total)
        assert -1e-9 <= low <= count / total + 1e-9 and count / total - 1e-9 <= high <= 1 + 1e-9
        assert limits(total - count, total) == pytest.approx((1 - high, 1 - low), abs=1e-6)

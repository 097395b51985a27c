from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.errors import InputError
from hematovision.quiz.policy import FREE, Policy, Sight, check_begin, ends_at, is_passed, order, parse, sight

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
EXAM = Policy("end", 20, NOON, NOON + 2 * HOUR, 2, 0.6, False, False)

policies = st.builds(
    Policy,
    feedback=st.sampled_from(["now", "end", "never"]),
    minutes=st.integers(0, 1440),
    opens_at=st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)),
    closes_at=st.none() | st.datetimes(datetime(2030, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    attempts=st.integers(0, 1000),
    pass_mark=st.none() | st.floats(0.01, 1),
    shuffle=st.booleans(),
    show_model=st.booleans(),
)


@settings(deadline=None)
@given(policies)
def test_a_policy_comes_back_from_what_is_written(policy):
    assert parse(policy.as_dict()) == policy


def test_what_goes_without_saying_is_not_written():
    assert FREE.as_dict() == {} and parse(None) == parse({}) == FREE
    assert Policy(minutes=5, shuffle=False).as_dict() == {"minutes": 5, "shuffle": False}


def test_times_are_kept_in_utc():
    assert parse({"opens_at": "2026-11-30T13:00+01:00"}).opens_at == NOON
    read = parse({"opens_at": datetime(2026, 11, 30, 7, tzinfo=timezone(-5 * HOUR))}).opens_at
    assert read == NOON and read.tzinfo is UTC
    assert EXAM.as_dict()["closes_at"] == "2026-11-30T14:00:00+00:00"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "policy should have fields"),
        ({"minute": 3}, "Unknown field of policy 'minute'"),
        ({"feedback": "later"}, "Unknown feedback 'later'"),
        ({"feedback": ["now"]}, "Unknown feedback"),
        ({"minutes": -1}, "minutes should be a whole number"),
        ({"minutes": 1441}, "minutes should be a whole number"),
        ({"minutes": 1.5}, "minutes should be a whole number"),
        ({"minutes": True}, "minutes should be a whole number"),
        ({"attempts": "2"}, "attempts should be a whole number"),
        ({"pass_mark": 60}, "pass_mark should be a share"),
        ({"pass_mark": 0}, "pass_mark should be a share"),
        ({"pass_mark": True}, "pass_mark should be a share"),
        ({"pass_mark": float("nan")}, "pass_mark should be a share"),
        ({"shuffle": 1}, "shuffle should be true or false"),
        ({"show_model": "yes"}, "show_model should be true or false"),
        ({"opens_at": "2026-11-30T13:00"}, "opens_at has no time zone"),
        ({"opens_at": "tomorrow"}, "opens_at is no date with a time"),
        ({"closes_at": 3}, "closes_at is no date with a time"),
        ({"closes_at": datetime(1, 1, 1, tzinfo=timezone(HOUR))}, "closes_at is no date with a time"),
        ({"opens_at": NOON, "closes_at": NOON}, "The set closes before it opens"),
    ],
)
def test_an_error_names_the_field_and_says_what_is_right(values, words):
    with pytest.raises(InputError) as caught:
        parse(values)
    assert words in caught.value.message and caught.value.hint


def test_a_set_may_be_begun_between_its_dates_and_as_often_as_it_says():
    check_begin(FREE, NOON, 1000)
    check_begin(EXAM, NOON, 0)
    check_begin(EXAM, NOON + 2 * HOUR - timedelta(seconds=1), 1)


@pytest.mark.parametrize(
    ("now", "attempts", "kind", "message"),
    [
        (NOON - timedelta(seconds=1), 0, "not_open", "not open yet. It opens on 30 November 2026 at 12:00 UTC."),
        (NOON + 2 * HOUR, 0, "closed", "This set closed on 30 November 2026 at 14:00 UTC. Ask your instructor"),
        (NOON, 2, "no_attempts", "You have used all 2 attempts. Ask your instructor for another one."),
    ],
)  # fmt: skip
def test_who_may_not_begin_is_told_why(now, attempts, kind, message):
    with pytest.raises(InputError) as caught:
        check_begin(EXAM, now, attempts)
    assert caught.value.kind == kind and message in str(caught.value)


def test_an_attempt_ends_with_its_time_or_with_the_set():
    assert ends_at(FREE, NOON) is None
    assert ends_at(EXAM, NOON) == NOON + timedelta(minutes=20)
    assert ends_at(EXAM, NOON + 2 * HOUR - timedelta(minutes=5)) == NOON + 2 * HOUR
    assert ends_at(Policy(closes_at=NOON), NOON - HOUR) == NOON


@pytest.mark.parametrize(
    ("feedback", "open_", "answered", "ended"),
    [
        ("now", (False, False, False), (True, True, False), (True, True, True)),
        ("end", (False, False, False), (False, False, False), (True, True, True)),
        ("never", (False, False, False), (False, False, False), (False, False, False)),
    ],
)
def test_what_an_attempt_sees(feedback, open_, answered, ended):
    policy = Policy(feedback)
    assert sight(policy, False, False) == Sight(*open_)
    assert sight(policy, True, False) == Sight(*answered)
    assert sight(policy, True, True) == sight(policy, False, True) == Sight(*ended)


@settings(deadline=None)
@given(policies, st.booleans(), st.booleans())
def test_the_model_never_shows_before_the_key_nor_against_the_policy(policy, is_answered, has_ended):
    seen = sight(policy, is_answered, has_ended)
    assert not seen.model or (seen.key and policy.show_model)
    assert is_answered or has_ended or not seen.key


def test_the_pass_mark_itself_is_enough():
    assert is_passed(FREE, 0, 10) is None
    assert [is_passed(Policy(pass_mark=0.6), points, 10) for points in (5.5, 6, 7)] == [False, True, True]
    # In floating point 0.07 times 100 is a little more.
    assert 0.07 * 100 > 7 and is_passed(Policy(pass_mark=0.07), 7, 100) is True


@settings(deadline=None)
@given(st.lists(st.text(max_size=4), unique=True, max_size=8), st.text(max_size=4), st.integers())
def test_an_order_keeps_every_cell_and_does_not_depend_on_the_order_before(cells, student, seed):
    found = order(cells, student, seed)
    assert sorted(found) == sorted(cells) and found == order(cells[::-1], student, seed)


def test_each_student_and_each_seed_has_an_order_of_its_own():
    cells = [f"{i}.png" for i in range(8)]
    assert order(cells, "ann", 1) == tuple(f"{i}.png" for i in (4, 1, 6, 2, 3, 7, 5, 0))
    assert len({order(cells, student, seed) for student in ("ann", "bob") for seed in (1, 2)}) == 4
    first = Counter(order(cells, f"student {i}", 1)[0] for i in range(800))
    assert set(first) == set(cells) and max(first.values()) < 140

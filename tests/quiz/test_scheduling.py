import random
from datetime import timedelta

import pytest
from fsrs import Rating
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.cells import CELL_CLASSES, CORE_FOUR
from hematovision.quiz import scheduling
from hematovision.quiz.questions import Question
from hematovision.quiz.scheduling import Schedule, learn, rating, schedule
from tests.quiz.make import NOW, answered

DAY = timedelta(days=1)


def series(choices, key="monocyte", every=DAY, **more):
    return [answered(key, choice, NOW + i * every, **more) for i, choice in enumerate(choices)]


def test_the_intervals_are_frozen():
    """A monocyte named rightly whenever it is due: FSRS's own intervals, in minutes and then in days."""
    known, moment, intervals = Schedule(), NOW, []
    for _ in range(6):
        known = learn(known, answered(at=moment, certainty=2))
        due = known.topics["monocyte"].card.due
        intervals.append(due - moment)
        moment = due
    assert intervals[0] == timedelta(minutes=10)
    assert [interval.days for interval in intervals[1:]] == [2, 11, 46, 163, 498]


def test_an_answer_counts_for_its_class_and_a_confusion_for_its_pair():
    known = schedule([answered(choice="lymphocyte", topic="")])
    assert set(known.topics) == {"monocyte", "lymphocyte|monocyte"}
    assert known.confused == {"lymphocyte|monocyte": 1}
    again = learn(known, answered(at=NOW + DAY))
    assert again.topics["monocyte"].recent == (False, True)
    assert again.topics["lymphocyte|monocyte"].answers == 1  # a monocyte among many says nothing of the pair
    asked_for = learn(again, answered(at=NOW + DAY, topic="lymphocyte|monocyte"))
    assert asked_for.topics["lymphocyte|monocyte"].recent == (False, True)


def test_an_open_question_changes_nothing():
    assert learn(Schedule(), Question(1, 1, 1, "p", "monocyte", CORE_FOUR, "", NOW)) == Schedule()


@pytest.mark.parametrize(
    ("choice", "certainty", "seconds", "expected"),
    [
        ("lymphocyte", 3, 1, Rating.Again),
        ("monocyte", 1, 1, Rating.Hard),
        ("monocyte", 3, 20, Rating.Hard),
        ("monocyte", None, 10, Rating.Good),
        ("monocyte", 2, 1, Rating.Good),
        ("monocyte", 3, 11, Rating.Good),
        ("monocyte", 3, 10, Rating.Easy),
        ("monocyte", 3, 4000, Rating.Good),  # was away
    ],
)
def test_the_rating_comes_from_correctness_time_and_certainty(choice, certainty, seconds, expected):
    assert rating(answered(choice=choice, certainty=certainty, seconds=seconds), 10.0) == expected


def test_nobody_is_slow_before_ten_right_answers():
    assert rating(answered(seconds=200, certainty=3), None) == Rating.Good
    known = schedule(series(["monocyte"] * 9, seconds=4))
    assert known.usual_seconds is None
    known = learn(known, answered(at=NOW + 9 * DAY, seconds=4 * 2**10))  # too long to count
    assert known.usual_seconds is None
    assert learn(known, answered(at=NOW + 9 * DAY, seconds=4)).usual_seconds == pytest.approx(4.0)


def test_what_is_due_comes_with_the_least_certain_first():
    answers = [answered("monocyte", "monocyte", NOW), answered("neutrophil", "neutrophil", NOW)]
    answers += [answered("neutrophil", "neutrophil", NOW + DAY)]
    known = schedule(answers)
    assert scheduling.due(known, CORE_FOUR, NOW) == []
    assert scheduling.due(known, CORE_FOUR, NOW + timedelta(minutes=11)) == ["monocyte"]
    assert scheduling.due(known, CORE_FOUR, NOW + 9 * DAY) == ["monocyte", "neutrophil"]
    assert scheduling.due(known, ["neutrophil"], NOW + 9 * DAY) == ["neutrophil"]
    assert scheduling.retrievability(known.topics["monocyte"], NOW) == 1.0


def test_before_an_exam_everything_is_due_once_more():
    known = schedule(series(["monocyte"] * 4, every=10 * DAY, certainty=2))
    topic, exam = known.topics["monocyte"], NOW + 40 * DAY
    assert topic.card.due > exam
    assert scheduling.due_at(topic) == scheduling.due_at(topic, NOW) == topic.card.due
    assert scheduling.due_at(topic, exam) == exam - DAY
    looked = learn(known, answered(at=exam - timedelta(hours=20)))
    assert scheduling.due_at(looked.topics["monocyte"], exam) > exam


def test_the_forecast_counts_topics_by_day():
    known = schedule([answered(choice="lymphocyte"), answered("neutrophil", "neutrophil")])
    assert scheduling.forecast(known, NOW, 3) == [3, 0, 0]
    known = learn(known, answered("neutrophil", "neutrophil", NOW + timedelta(minutes=20)))
    assert scheduling.forecast(known, NOW + timedelta(minutes=20), 3) == [2, 0, 1]
    assert scheduling.forecast(known, NOW + 30 * DAY, 2, exam_at=NOW + DAY) == [3, 0]


def test_blocks_get_shorter_as_a_pair_is_known():
    def pair(marks):
        choices = ["monocyte" if right else "lymphocyte" for right in marks]
        return schedule(series(choices, topic="lymphocyte|monocyte")).topics["lymphocyte|monocyte"]

    assert scheduling.block_length(None) == 6
    assert scheduling.block_length(pair([True] * 5)) == 6
    assert scheduling.block_length(pair([True, False] * 5)) == 6
    assert scheduling.block_length(pair([True] * 7 + [False] * 3)) == 3
    assert scheduling.block_length(pair([True] * 8)) == 1


def play(names, right, count, every=timedelta(seconds=20), pick=scheduling.next_topic):
    """The topics of `count` questions, answered rightly where `right(key, rng)` says so."""
    rng, known, moment, topics = random.Random(4), Schedule(), NOW, []
    for _ in range(count):
        topic = pick(known, names, moment, rng)
        key = rng.choice(scheduling.members(topic))
        wrong = next(name for name in names if name != key)
        moment += every
        known = learn(known, answered(key, key if right(key, rng) else wrong, moment, topic=topic, certainty=2))
        topics.append(topic)
    return topics, known


def test_the_first_questions_of_a_novice_are_frozen():
    topics, _ = play(CORE_FOUR, lambda key, rng: rng.random() < 0.5, 20)
    assert topics[:6] == [topics[0]] * 6 and scheduling.is_pair(topics[0])
    first, second, third = "eosinophil|neutrophil", "monocyte|neutrophil", "eosinophil|monocyte"
    assert topics == [first] * 6 + [second] * 6 + [third] * 5 + ["lymphocyte|monocyte"] * 3


def test_a_class_never_asked_does_not_wait_until_all_else_is_known():
    """A slow learner, to whom the four that are known are due all the time, moves on to all eight."""
    _, known = play(CORE_FOUR, lambda key, rng: True, 12, every=timedelta(minutes=2))
    rng = random.Random(1)
    later = NOW + timedelta(days=30)
    assert len(scheduling.due(known, CELL_CLASSES, later)) > 3
    asked = [scheduling.next_topic(known, CELL_CLASSES, later, rng) for _ in range(300)]
    new = [topic for topic in asked if not set(scheduling.members(topic)) <= set(CORE_FOUR)]
    assert 60 < len(new) < 130


def test_a_master_gets_a_mix():
    topics, known = play(CORE_FOUR, lambda key, rng: True, 120)
    late = topics[60:]
    runs = max(len(list(run)) for run in _runs(late))
    assert runs <= 6 and set(CORE_FOUR) <= set(late)
    assert all(scheduling.block_length(known.topics[pair]) == 1 for pair in scheduling.look_alike_pairs(CORE_FOUR))


def _runs(topics):
    run = []
    for topic in topics:
        if run and topic != run[-1]:
            yield run
            run = []
        run.append(topic)
    yield run


def test_the_class_that_is_not_known_comes_more_often():
    _, known = play(CORE_FOUR, lambda key, rng: key != "eosinophil" or rng.random() < 0.3, 200)
    answers = {name: known.topics[name].answers for name in CORE_FOUR}
    assert answers["eosinophil"] == max(answers.values()) > 1.3 * min(answers.values())


def test_contrast_takes_pairs_of_look_alikes_and_any_two_where_there_are_none():
    rng = random.Random(0)
    assert scheduling.next_pair(Schedule(), ("platelet", "monocyte"), NOW, rng) == "monocyte|platelet"
    assert scheduling.look_alike_pairs(("platelet", "monocyte", "erythroblast")) == []
    pair = scheduling.next_pair(Schedule(), ("platelet", "monocyte", "erythroblast"), NOW, rng)
    assert set(scheduling.members(pair)) < {"platelet", "monocyte", "erythroblast"}
    topics, _ = play(CORE_FOUR, lambda key, rng: True, 60, pick=scheduling.next_pair)
    assert set(topics) == set(scheduling.look_alike_pairs(CORE_FOUR))


names = st.lists(st.sampled_from(CORE_FOUR), min_size=2, unique=True)


@settings(max_examples=40, deadline=None)
@given(names=names, seed=st.integers(), skill=st.floats(0, 1), hours=st.integers(0, 90))
def test_whatever_happens_the_next_topic_can_be_asked(names, seed, skill, hours):
    rng, known, moment = random.Random(seed), Schedule(), NOW
    for _ in range(25):
        pick = rng.choice([scheduling.next_topic, scheduling.next_pair])
        topic = pick(known, names, moment, rng)
        assert set(scheduling.members(topic)) <= set(names)
        key = rng.choice(scheduling.members(topic))
        moment += timedelta(hours=hours, seconds=9)
        choice = key if rng.random() < skill else rng.choice(names)
        known = learn(known, answered(key, choice, moment, topic=topic))
    total = sum(known.topics[name].answers for name in names if name in known.topics)
    assert total == 25 and all(topic.card.due >= topic.card.last_review for topic in known.topics.values())


def test_an_answer_that_was_given_earlier_sets_no_clock_back():
    known = schedule([answered(at=NOW + DAY), answered(at=NOW)])
    assert known.topics["monocyte"].card.last_review == NOW + DAY

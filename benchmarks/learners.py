"""Whether the schedule teaches more than random order at the same number of questions, on simulated learners.

    python -m benchmarks.learners [--learners 200] [--seed 1] [--write FILE.json]

No person was asked: what comes out says that the schedule does what it is meant to, not how much people gain.
Ends with status 1 where the schedule does not win.

The assumptions, none of which knows of FSRS or of topics:

- A learner has, for each pair of look-alikes of the eight classes, a skill of telling them apart in [0, 1], evenly
  drawn from 0 to 0.9: some pairs are known and some are not.
- Skill is forgotten by halves. The half-life starts at 3 days; practice after a pause lengthens it by the share of it
  that had gone by, at most twofold a time.
- A cell is taken for one of its look-alikes with probability 0.5 × (1 - skill now), each look-alike by itself; for
  any other class once in a hundred times. Answers take no time that tells anything, and come without certainty.
- Feedback on a cell closes a part of the gap to full skill in every pair of its class: the learner's own rate, evenly
  drawn from 2 to 6 %, and three times that in the pair that was just confused.
- `contrast` is how many times more is learned of a pair when the cell before was of its other class. 1 says that order
  does nothing by itself; 1.5 follows what is found of contrast for novices.
- 20 cells a day on 15 days, every other day; the test comes a week later, each class counting the same. Every cell is a
  new one. In random order each class comes by even chance.
"""

import argparse
import json
import math
import random
import statistics
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hematovision.cells import CELL_CLASSES, LOOK_ALIKES, pair_of
from hematovision.quiz.questions import Question, Reply
from hematovision.quiz.scheduling import Schedule, learn, members, next_topic

DAYS, EVERY, QUESTIONS, TEST_AFTER = 15, 2.0, 20, 7.0
HALF_LIFE = 3.0
CONTRASTS = (1.0, 1.5)
START = datetime(2026, 1, 1, tzinfo=UTC)
PAIRS = {
    name: tuple((other, pair_of(*both)) for both in LOOK_ALIKES if name in both for other in both if other != name)
    for name in CELL_CLASSES
}


class Learner:
    """One simulated learner. Times are days from the start."""

    def __init__(self, seed: str, contrast: float):
        self.rng = random.Random(seed)
        self.contrast = contrast
        self.rate = self.rng.uniform(0.02, 0.06)
        self.skill = {pair_of(*both): self.rng.uniform(0, 0.9) for both in LOOK_ALIKES}
        self.half_life = dict.fromkeys(self.skill, HALF_LIFE)
        self.seen_at = dict.fromkeys(self.skill, 0.0)
        self.before = ""

    def skill_now(self, pair: str, day: float) -> float:
        return self.skill[pair] * 0.5 ** ((day - self.seen_at[pair]) / self.half_life[pair])

    def answer(self, key: str, day: float) -> str:
        if self.rng.random() < 0.01:
            return self.rng.choice(CELL_CLASSES)
        for other, pair in self.rng.sample(PAIRS[key], len(PAIRS[key])):
            if self.rng.random() < 0.5 * (1 - self.skill_now(pair, day)):
                return other
        return key

    def take_feedback(self, key: str, choice: str, day: float) -> None:
        for other, pair in PAIRS[key]:
            now = self.skill_now(pair, day)
            gain = self.rate * (3 if other == choice else 1) * (self.contrast if other == self.before else 1)
            gone = min(1.0, (day - self.seen_at[pair]) / self.half_life[pair])
            self.half_life[pair] *= 1 + gone
            self.seen_at[pair] = day
            self.skill[pair] = now + gain * (1 - now)
        self.before = key

    def expected(self, day: float) -> float:
        """Expected share of right answers in a test with each class as often."""
        shares = [math.prod(1 - 0.5 * (1 - self.skill_now(p, day)) for _, p in PAIRS[name]) for name in CELL_CLASSES]
        return statistics.mean(shares)


def taught(learner: Learner, is_scheduled: bool, seed: str) -> float:
    """Teach the learner; their expected share of right answers in the test."""
    rng, known = random.Random(seed), Schedule()
    for nth in range(DAYS * QUESTIONS):
        day = (nth // QUESTIONS) * EVERY + (nth % QUESTIONS) * 20 / 86400
        now = START + timedelta(days=day)
        topic = next_topic(known, CELL_CLASSES, now, rng) if is_scheduled else rng.choice(CELL_CLASSES)
        key = rng.choice(members(topic))
        choice = learner.answer(key, day)
        learner.take_feedback(key, choice, day)
        if is_scheduled:
            asked_at = now - timedelta(seconds=8)
            question = Question(nth, 1, nth, "", key, CELL_CLASSES, topic, asked_at, Reply(choice), now)
            known = learn(known, question)
    return learner.expected((DAYS - 1) * EVERY + TEST_AFTER)


def measure(learners: int, seed: int) -> dict[str, dict[str, Any]]:
    """For each assumption about contrast: mean expected share right in the test, and what the schedule adds."""
    result: dict[str, dict[str, Any]] = {}
    for contrast in CONTRASTS:
        arms: dict[bool, list[float]] = {True: [], False: []}
        for nth in range(learners):
            for is_scheduled, shares in arms.items():
                learner = Learner(f"{seed} {nth}", contrast)
                shares.append(taught(learner, is_scheduled, f"{seed} {nth} order"))
        gains = [one - other for one, other in zip(arms[True], arms[False], strict=True)]
        half = 1.96 * statistics.stdev(gains) / math.sqrt(learners)
        mean = statistics.mean(gains)
        result[f"contrast {contrast}"] = {
            "before": round(statistics.mean(Learner(f"{seed} {n}", contrast).expected(0) for n in range(learners)), 4),
            "scheduled": round(statistics.mean(arms[True]), 4),
            "random": round(statistics.mean(arms[False]), 4),
            "gain": round(mean, 4),
            "interval": [round(mean - half, 4), round(mean + half, 4)],
            "learners_better_off": sum(gain > 0 for gain in gains),
        }
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, metavar="FILE.json")
    options = parser.parse_args()
    found = measure(options.learners, options.seed)
    result = {"learners": options.learners, "questions": DAYS * QUESTIONS, "seed": options.seed, **found}
    text = json.dumps(result, indent=1) + "\n"
    print(text, end="")
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    return 0 if all(row["interval"][0] > 0 for row in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

"""A small set with pictures to exchange: what is said with each cell is easy to find in a file."""

from functools import cache

import numpy as np

from hematovision.exchange.bundle import SetBundle, bundle
from hematovision.quiz.policy import Policy
from hematovision.quiz.set_cells import SetCell
from hematovision.quiz.sets import QuizSet

CHOICES = ("lymphocyte", "monocyte", "band", "immature_granulocyte")
NOTE = "Folded = {nucleus} ~ 50 % #1: \\gray\\ <b>&\n\ncytoplasm"
POLICY = Policy("end", 20, attempts=2, pass_mark=0.6, shuffle=False, show_model=False)


@cache
def picture(seed: int):
    return np.random.default_rng(seed).integers(0, 256, (40 + seed, 48, 3), dtype=np.uint8)


def make(title='Für <Anna> & "Ben" / 血', note=NOTE, quiz_id="a-set", policy=POLICY) -> SetBundle:
    """Six cells: each choice is a key, the first has a note and a second key."""
    cells = [SetCell("EO_1.jpg", "monocyte", note, "lymphocyte")]
    cells += [SetCell(f"BA_{i}.jpg", key) for i, key in enumerate((*CHOICES, "monocyte"))]
    quiz_set = QuizSet(quiz_id, title, CHOICES, tuple(cells), "severity", policy)
    return bundle(quiz_set, ((cell, picture(i)) for i, cell in enumerate(cells)))

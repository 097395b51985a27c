"""A class without pictures: a published set on disk, practice beside it, and a model that says monocyte of all."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from hematovision.cells import CELL_CLASSES, CORE_FOUR, STAGES
from hematovision.library.set_folders import SetFolders
from hematovision.quiz.policy import Policy
from hematovision.quiz.publication import Publication
from hematovision.quiz.sets import QuizSet, SetCell
from hematovision.services.attempts import Attempts
from hematovision.services.practice import Practice
from hematovision.services.teach import Teach
from hematovision.storage.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)
CODE = "ABCDEF"


class Pictures:
    """Five pictures for each class and stage; every picture can be shown."""

    model_version = "v1"

    def __init__(self, folder: Path):
        names = (*CELL_CLASSES, *STAGES)
        ids = {name: tuple(f"{number:02}{place}" for place in range(5)) for number, name in enumerate(names)}
        self.library = SimpleNamespace(to_ask=ids, sets={}, records={})
        self.sets = SetFolders(folder)

    def picture(self, picture_id):
        return None

    def prediction(self, picture_id):
        return SimpleNamespace(label="monocyte", probability=0.9, status="confident")


def quiz_set(keys: Sequence[str], policy: Policy, grading: str = "plain") -> QuizSet:
    """A cell for each key, the note and the second key of which tell the key, too."""
    cells = tuple(
        SetCell(f"pictures/{number:016x}.png", key, f"This is a {key}.", CORE_FOUR[(CORE_FOUR.index(key) + 1) % 4])
        for number, key in enumerate(keys)
    )
    return QuizSet("a-set", "A set", CORE_FOUR, cells, grading, policy)


class Classroom:
    """A set that was published, and everyone's services on one store. `now` is the server's clock."""

    def __init__(self, folder: Path, store: Store, made: QuizSet, seed: int = 0):
        self.now, self.folder, self.rng = START, folder, random.Random(seed)
        self.restart(store)
        self.pictures.sets.write_draft(made, {cell.picture: b"a picture" for cell in made.cells})
        self.publish(made, CODE, 1)

    def restart(self, store: Store) -> None:
        """The server is killed and started again."""
        clock: Callable[[], datetime] = lambda: self.now  # noqa: E731
        self.store, self.pictures = store, Pictures(self.folder)
        self.practice = Practice(store, self.pictures, clock, self.rng)
        self.attempts = Attempts(store, self.pictures.sets, self.practice, clock)
        self.teach = Teach(store, self.pictures, frozenset(), clock, self.rng)

    def publish(self, made: QuizSet, code: str, version: int) -> None:
        frozen = self.pictures.sets.freeze(replace(made, version=version))
        publication = Publication(code, made.id, made.title, version, "teacher", self.now)
        self.store.publications.add(publication, frozen.content_hash)

    def enter(self, *names: str) -> list[str]:
        """Students who joined, by their ids."""
        found = [self.practice.enroll(name).id for name in names]
        for learner in found:
            self.attempts.join(learner, CODE)
        return found

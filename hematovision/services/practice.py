"""Practice: ask, commit, reveal, next. Every step is in the store before it is shown: a reload goes on where it was."""

import random
from collections.abc import Callable, Set
from datetime import datetime

from hematovision.cells import SCOPES, display_name
from hematovision.errors import ImageError, InputError, ModelError, unknown
from hematovision.quiz.questions import Asked, Question, commit, draw_picture
from hematovision.services.pictures import Pictures
from hematovision.storage.store import Store
from hematovision.vision.classifier import Prediction

LEARNER = "local"
"""The one learner of a machine of one's own."""

_SET = "set:"
"""Begins the scope of a set; its id follows."""


class Practice:
    """One learner's endless row of questions."""

    def __init__(self, store: Store, pictures: Pictures, clock: Callable[[], datetime], rng: random.Random):
        self._store, self._pictures, self._clock, self._rng = store, pictures, clock, rng

    def scopes(self) -> dict[str, str]:
        """What can be practiced: scope -> what it is called."""
        sets = self._pictures.library.sets.values()
        return {scope: display_name(scope) for scope in SCOPES} | {_SET + s.id: s.title for s in sets}

    def current(self, learner: str = LEARNER) -> Asked | None:
        """Where the learner stopped: an open question or one just revealed; None at the very start.

        A question whose picture has left the library, or was damaged, is passed over.
        """
        latest = self._store.latest(learner)
        return latest if latest and self._can_show(latest.question.picture_id) else None

    def next(self, scope: str, learner: str = LEARNER) -> Asked:
        """The open question of this scope, or a new one. Raises InputError where the library has no picture for it."""
        pool = self._pool(scope)
        latest = self._store.latest(learner)
        number = latest.number + 1 if latest else 1
        if latest and latest.question.is_open:
            if latest.scope == scope and self._can_show(latest.question.picture_id):
                return latest
            self._store.withdraw(learner, latest.number)
            number = latest.number
        picture_id, key = self._draw(pool, self._store.seen(learner))
        return self._store.ask(learner, number, scope, picture_id, key, tuple(pool), self._clock())

    def commit(self, number: int, choice: str, learner: str = LEARNER) -> Question:
        """Store the answer to question `number`, and what the model says of the cell; a second answer changes nothing.

        A model or a picture that cannot be read or has gone costs the learner nothing: the answer is stored without it.
        """
        latest = self._store.latest(learner)
        if latest is None or latest.number != number:
            raise InputError(
                "This question is no longer the current one.", "Go on with the one that is shown.", kind="stale"
            )
        answered = commit(latest.question, choice, self._clock())
        if latest.question.is_open:
            answer = self._model_answer(latest.question.picture_id)
            if answer is None:
                self._store.answer(answered, None, None, None)
            else:
                version, prediction = answer
                self._store.answer(answered, version, prediction.label, prediction.probability)
        return answered

    def counts(self, learner: str = LEARNER) -> tuple[int, int]:
        """(cells answered, answered right)."""
        return self._store.counts(learner)

    def _pool(self, scope: str) -> dict[str, list[str]]:
        """Choice -> ids of its pictures, in the order of the choices. Raises InputError for an unknown scope."""
        library = self._pictures.library
        if scope in SCOPES:
            return {label: list(library.to_ask.get(label, ())) for label in SCOPES[scope]}
        quiz_set = library.sets.get(scope.removeprefix(_SET))
        if quiz_set is None:
            raise unknown("scope", scope, self.scopes())
        return library.pool(quiz_set)

    def _draw(self, pool: dict[str, list[str]], seen: Set[str]) -> tuple[str, str]:
        """A picture that can be shown, and its key. Raises InputError where there is none."""
        while True:
            picture_id, key = draw_picture(pool, tuple(pool), seen, self._rng)
            if self._can_show(picture_id):
                return picture_id, key
            pool[key].remove(picture_id)

    def _can_show(self, picture_id: str) -> bool:
        try:
            self._pictures.picture(picture_id)
        except (InputError, ImageError):
            return False
        return True

    def _model_answer(self, picture_id: str) -> tuple[str, Prediction] | None:
        try:
            return self._pictures.model_version, self._pictures.prediction(picture_id)
        except (ModelError, ImageError, InputError):
            # The reveal asks again and shows the error with its hint.
            return None

"""What is asked next: the library's pictures, what a learner saw and knows, and chance, put together."""

import random
from collections.abc import Sequence, Set
from datetime import datetime
from functools import lru_cache

from hematovision.cells import ATTRIBUTES, SCOPES, class_of, display_name
from hematovision.content import content
from hematovision.content.phrases import told_apart
from hematovision.errors import ImageError, InputError, unknown
from hematovision.library.records import Record
from hematovision.quiz import differential, drill, scheduling
from hematovision.quiz.questions import Asked, draw_choices, draw_picture, no_pictures
from hematovision.quiz.scheduling import Schedule, members
from hematovision.quiz.session import Cell, Plan
from hematovision.quiz.sets import QuizSet, parse_choices
from hematovision.services.pictures import Pictures
from hematovision.vision.trust import NOT_BLOOD

_SET, _OWN = "set:", "own:"
"""Begin the scope of a set, whose id follows, and that of one's own choice of classes, which follow with commas."""

PITFALLS = 0.5
"""Share of cells on which the model is wrong. All of them would tell that it is, and trust would not be practiced."""

Pool = dict[str, list[str]]
"""Class or stage -> ids of its pictures."""


class Asking:
    """Draws cells out of the library."""

    def __init__(self, pictures: Pictures, rng: random.Random):
        self._pictures, self._rng = pictures, rng
        # What the model says of a picture never changes for one version; a walk through the library asks it once.
        self._label = lru_cache(maxsize=50_000)(self._ask_model)

    def scopes(self) -> dict[str, str]:
        """What can be practiced: scope -> what it is called, no two alike."""
        sets = self._pictures.library.sets.values()
        return told_apart({scope: display_name(scope) for scope in SCOPES} | {_SET + s.id: s.title for s in sets})

    def quiz_set(self, scope: str) -> QuizSet | None:
        """The set of a scope; None where the scope is none of a set. Raises InputError where the set has gone."""
        if not scope.startswith(_SET):
            return None
        found = self._pictures.library.sets.get(scope.removeprefix(_SET))
        if found is None:
            raise unknown("scope", scope, self.scopes())
        return found

    def pool(self, scope: str) -> Pool:
        """Choice -> ids of its pictures, in the order of the choices. Raises InputError for an unknown scope."""
        library = self._pictures.library
        if quiz_set := self.quiz_set(scope):
            return library.pool(quiz_set)
        if scope.startswith(_OWN):
            names: Sequence[str] = parse_choices(scope.removeprefix(_OWN).split(","))
        elif scope in SCOPES:
            names = SCOPES[scope]
        else:
            raise unknown("scope", scope, self.scopes())
        return {name: list(library.to_ask.get(name, ())) for name in names}

    def can_show(self, picture_id: str) -> bool:
        """Whether a picture is in the library and whole."""
        try:
            self._pictures.picture(picture_id)
        except (InputError, ImageError):
            return False
        return True

    def one(
        self, plan: Plan, known: Schedule, seen: Set[str], now: datetime, exam_at: datetime | None = None
    ) -> Cell | None:
        """The next cell of an endless session; None where nothing is due. Raises InputError where there is no picture.

        A picture that cannot be shown is passed over.
        """
        pool = self._annotated(plan.scope) if plan.mode == drill.MODE else self.pool(plan.scope)
        while True:
            names = [name for name, pictures in pool.items() if pictures]
            if not names:
                raise no_pictures()
            if plan.mode == "pitfalls":
                topic, (picture_id, key) = "", self._pitfall(pool, seen)
            else:
                chosen = self._topic(plan.mode, pool, names, known, seen, now, exam_at)
                if chosen is None:
                    return None
                topic, (picture_id, key) = chosen, draw_picture(pool, members(chosen), seen, self._rng)
            if self.can_show(picture_id):
                offered = members(topic) if plan.mode == "contrast" else tuple(pool)
                wanted = members(topic) if topic else (key,)
                choices = draw_choices(offered, wanted, plan.choices, known.confused, self._rng)
                return Cell(picture_id, key, choices, topic)
            pool[key].remove(picture_id)

    def all(self, plan: Plan, known: Schedule, seen: Set[str]) -> list[Cell]:
        """The cells of an exam or a differential; of an exam as many as there are. Raises InputError where none is."""
        if plan.mode == "differential":
            return self._slide(plan, seen)
        pool = self.pool(plan.scope)
        names = tuple(pool)
        cells: list[Cell] = []
        while len(cells) < plan.length and any(pool.values()):
            picture_id, key = draw_picture(pool, names, seen, self._rng)
            pool[key].remove(picture_id)
            if self.can_show(picture_id):
                choices = draw_choices(names, (key,), plan.choices, known.confused, self._rng)
                cells.append(Cell(picture_id, key, choices))
        if not cells:
            raise no_pictures()
        return cells

    def features(self, asked: Asked) -> tuple[str, ...]:
        """The features that the drill asks of a cell before its class: the same ones whenever it is shown."""
        chance = random.Random(f"{asked.session_id}/{asked.number}")
        return drill.draw_features(asked.choices, content().measured, chance)

    def _annotated(self, scope: str) -> Pool:
        """The pictures of a scope that have all features annotated; drawn ones only where two classes have no real one.

        Raises InputError where two classes are not left: of one alone there is nothing to name.
        """
        measured, records = content().measured.n, self._pictures.library.records
        pool = {name: ids for name, ids in self.pool(scope).items() if name in measured}
        # Never both: where one class was drawn and another not, that would tell them apart.
        for is_drawn in (False, True):
            every = is_drawn and not scope.startswith(_SET)
            found = {
                name: [i for i in (records if every else ids) if _is_annotated(records[i], name, is_drawn)]
                for name, ids in pool.items()
            }
            found = {name: ids for name, ids in found.items() if ids}
            if len(found) > 1:
                return found
        names = ", ".join(display_name(name).lower() for name in measured)
        raise InputError(
            "Too few of these cells have annotated features.",
            f"Choose cells of at least two of these: {names}.",
            kind="no_features",
        )

    def _slide(self, plan: Plan, seen: Set[str]) -> list[Cell]:
        """A slide out of the pictures that can be shown."""
        pool = self.pool(plan.scope)
        while True:
            slide = differential.draw_slide(pool, plan.length, seen, self._rng)
            broken = {(picture_id, key) for picture_id, key in set(slide) if not self.can_show(picture_id)}
            if not broken:
                return [Cell(picture_id, key, differential.COUNTED) for picture_id, key in slide]
            for picture_id, key in broken:
                pool[key].remove(picture_id)

    def _topic(
        self,
        mode: str,
        pool: Pool,
        names: list[str],
        known: Schedule,
        seen: Set[str],
        now: datetime,
        exam_at: datetime | None,
    ) -> str | None:
        if mode == "due":
            return next(iter(scheduling.due(known, names, now, exam_at)), None)
        if mode == "contrast":
            if len(names) < 2:
                raise no_pictures()
            return scheduling.next_pair(known, names, now, self._rng, exam_at)
        # Classes that still have a picture to see go first: none comes again while others were never seen.
        fresh = [name for name in names if any(picture not in seen for picture in pool[name])]
        return scheduling.next_topic(known, fresh or names, now, self._rng, exam_at)

    def _pitfall(self, pool: Pool, seen: Set[str]) -> tuple[str, str]:
        """A real cell on which the model is wrong, or by even chance any real cell. Raises InputError, ModelError.

        Where all of the first were seen, the second, as long as there is one that was not.
        """
        real = {name: [p for p in ids if not self._pictures.record(p).is_drawn] for name, ids in pool.items()}
        if not any(real.values()):
            raise InputError(
                "There are no real cells of these classes.", "Add a folder on the Library page.", kind="no_pictures"
            )
        wrong = self._model_error(real, seen)
        is_fresh = wrong[0] not in seen or all(picture in seen for ids in real.values() for picture in ids)
        if is_fresh and self._rng.random() < PITFALLS:
            return wrong
        return draw_picture(real, tuple(real), seen, self._rng)

    def _model_error(self, pool: Pool, seen: Set[str]) -> tuple[str, str]:
        cells = [(picture_id, name) for name, ids in pool.items() for picture_id in ids]
        self._rng.shuffle(cells)
        # Where the answer is at hand goes first: one in a hundred is wrong, and nobody should wait for all of them.
        cells.sort(key=lambda cell: (cell[0] in seen, not self._pictures.is_indexed(cell[0])))
        version = self._pictures.model_version
        for picture_id, name in cells:
            label = self._label(version, picture_id)
            if label is not None and label != class_of(name):
                return picture_id, name
        raise InputError(
            "The model is wrong on no cell of these classes.", "Practice other classes.", kind="no_pitfalls"
        )

    def _ask_model(self, version: str, picture_id: str) -> str | None:
        try:
            prediction = self._pictures.prediction(picture_id)
        except (ImageError, InputError):
            return None  # it cannot be shown either
        return None if prediction.status == NOT_BLOOD else prediction.label


def _is_annotated(record: Record, name: str, is_drawn: bool) -> bool:
    """Whether all features are known of a cell of this class that is drawn or not."""
    return record.is_drawn == is_drawn and record.label == name and record.attributes.keys() == ATTRIBUTES.keys()

"""A student's side of a published set: join by a code, begin an attempt under the set's policy.

What runs is a session of the mode `set`: `Practice.next`, `asked`, `commit`, `reveal`, `finish` and `summary` do the
rest and obey the policy. Before the key may show, nothing that is returned holds one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hematovision.errors import InputError
from hematovision.library.set_folders import SetFolders
from hematovision.quiz import policy
from hematovision.quiz.policy import Policy
from hematovision.quiz.publication import Publication, parse_code, picture_id_of, unknown_code
from hematovision.quiz.session import SET, Cell, Plan, Session
from hematovision.quiz.sets import QuizSet
from hematovision.services.practice import Practice
from hematovision.storage.store import Store


@dataclass(frozen=True)
class Invitation:
    """What a student may know of a set before beginning: no cell and no key.

    `attempts` are the student's own, the first one first; `running` is the one to go on with. `refusal` says why
    another one cannot be begun now (kinds `not_open`, `closed`, `no_attempts`); None where it can, or one runs.
    """

    publication: Publication
    cells: int
    choices: tuple[str, ...]
    grading: str
    policy: Policy
    attempts: tuple[Session, ...]
    running: Session | None
    refusal: InputError | None


@dataclass(frozen=True)
class Remark:
    """What comes with the key of a cell: the instructor's note, and what another expert calls it, if anything."""

    note: str
    second_key: str | None


class Attempts:
    """Safe to share between threads, and between processes that share the folder and the store."""

    def __init__(self, store: Store, folders: SetFolders, practice: Practice, clock: Callable[[], datetime]):
        self._store, self._folders, self._practice, self._clock = store, folders, practice, clock

    def find(self, code: str) -> Publication:
        """The set of a join code; case, spaces and hyphens do not matter.

        Raises InputError of the kind `code` where there is no such set.
        """
        found = self._store.publications.get(parse_code(code))
        if found is None:
            raise unknown_code()
        return found

    def join(self, learner: str, code: str) -> Publication:
        """The set of a join code, as `find` has it. Who joined once stays in.

        Raises InputError of the kind `code` where there is no such set, `closed` where it was closed before.
        """
        publication = self.find(code)
        if any(known.code == publication.code for known in self.joined(learner)):
            return publication
        if publication.closed_at:
            raise _closed()
        if self._store.learner(learner) is None:
            self._store.enroll(learner, "", self._clock())
        self._store.publications.join(publication.code, learner, self._clock())
        return publication

    def joined(self, learner: str) -> list[Publication]:
        """The sets that a student joined, the latest first."""
        return self._store.publications.joined(learner)

    def invitation(self, learner: str, code: str) -> Invitation:
        """Raises InputError where the student has not joined it, DataError where the set's files were changed."""
        publication, quiz_set = self._joined(learner, code)
        attempts = self._attempts(learner, publication.code)
        running = next((one for one in attempts if not one.is_over(self._clock())), None)
        refusal = None if running else self._refusal(publication, quiz_set, len(attempts))
        return Invitation(
            publication,
            len(quiz_set.cells),
            quiz_set.choices,
            quiz_set.grading,
            quiz_set.policy,
            tuple(attempts),
            running,
            refusal,
        )

    def begin(self, learner: str, code: str) -> Session:
        """The running attempt, or a new one: two clicks make one. Its cells, keys and policy are fixed from then on.

        Raises InputError of the kinds `not_open`, `closed` and `no_attempts`, DataError where the set was changed.
        """
        publication, quiz_set = self._joined(learner, code)
        attempts = self._attempts(learner, publication.code)
        for found in attempts:
            if not found.is_over(self._clock()):
                return found
        if refusal := self._refusal(publication, quiz_set, len(attempts)):
            raise refusal
        plan = plan_of(quiz_set, publication.code)
        token = f"{SET}/{publication.code}/{len(attempts) + 1}"
        begun = self._store.start(learner, token, plan, self._clock(), cells_of(quiz_set, learner))
        if self.find(publication.code).closed_at:  # in the very moment of the click
            self._store.end(begun.id, self._clock())
            raise _closed()
        return begun

    def remark(self, learner: str, question_id: int) -> Remark:
        """Raises InputError (`not_yet`) before the key may show."""
        question = self._practice.reveal(learner, question_id)
        plan = self._practice.session(learner, question.session_id).plan
        if plan.mode != SET:
            return Remark("", None)
        return remark_of(self._quiz_set(self.find(plan.code)), question.picture_id)

    def _joined(self, learner: str, code: str) -> tuple[Publication, QuizSet]:
        publication = self.find(code)
        if all(known.code != publication.code for known in self.joined(learner)):
            raise InputError("You have not joined this set.", "Join it with its code.", kind="not_joined")
        return publication, self._quiz_set(publication)

    def _quiz_set(self, publication: Publication) -> QuizSet:
        known = self._store.publications.content_hash(publication.code)
        return self._folders.published(publication.set_id, publication.version, known or "")

    def _attempts(self, learner: str, code: str) -> list[Session]:
        """In their order, each ended in the store as soon as it is over."""
        found = self._store.publications.attempts(code, learner)
        return [self._practice.session(learner, attempt.id) for attempt in found]

    def _refusal(self, publication: Publication, quiz_set: QuizSet, attempts: int) -> InputError | None:
        if publication.closed_at:
            return _closed()
        try:
            policy.check_begin(quiz_set.policy, self._clock(), attempts)
        except InputError as error:
            return error
        return None


def plan_of(quiz_set: QuizSet, code: str) -> Plan:
    """What an attempt at a published set runs by."""
    return Plan(
        SET,
        f"published:{quiz_set.id}",
        grading=quiz_set.grading,
        code=code,
        version=quiz_set.version,
        policy=quiz_set.policy,
    )


def cells_of(quiz_set: QuizSet, learner: str) -> list[Cell]:
    """All cells of a published set with their keys, in the order of a student."""
    keys = {cell.picture: cell.key for cell in quiz_set.cells}
    files = policy.order(list(keys), learner, quiz_set.version) if quiz_set.policy.shuffle else tuple(keys)
    return [Cell(picture_id_of(file), keys[file] or "", quiz_set.choices) for file in files]


def remark_of(quiz_set: QuizSet, picture_id: str) -> Remark:
    """What a set says of a cell beside its key."""
    cell = next(cell for cell in quiz_set.cells if picture_id_of(cell.picture) == picture_id)
    return Remark(cell.note, cell.second_key)


def _closed() -> InputError:
    return InputError("This set was closed by your instructor.", "Ask them for more time.", kind="closed")

"""An instructor's work: build a set, publish it under a join code, see how a class answers.

Each call takes the id of the learner who asks, as `actor`, and raises InputError of the kind `role` where they are no
instructor (`roles.may_teach`). Instructors of one site share drafts and publications.
"""

from dataclasses import replace

from hematovision import images
from hematovision.errors import DataError
from hematovision.exchange.bundle import name_of
from hematovision.quiz import results, sets
from hematovision.quiz.publication import Publication, draw_code, parse_code, picture_id_of, unknown_code
from hematovision.quiz.results import Results
from hematovision.quiz.sets import QuizSet
from hematovision.services.drafting import Drafting
from hematovision.services.preview import Preview, open_preview
from hematovision.services.results_table import as_csv


class Teach(Drafting):
    """Safe to share between threads, and between processes that share the folder and the store."""

    def preview(self, actor: str, set_id: str) -> Preview:
        """The draft as a student meets it now, whatever its open and close dates. Nothing of it is stored.

        Raises InputError (`no_key`) where a cell has no key, or there is none.
        """
        self._check(actor)
        return open_preview(sets.publish(self._folders.draft(set_id)), self._pictures, self._clock, self._rng)

    # Published

    def publish(self, actor: str, set_id: str) -> Publication:
        """Freeze the draft as its next version, under a new join code.

        One that is unchanged since its last publication, and still open, keeps that one. Raises InputError (`no_key`)
        where a cell has no key, or there is none; DataError where a picture was changed or has gone.
        """
        self._check(actor)
        with self._folders.changing():
            quiz_set, known = self._folders.draft(set_id), self._store.publications.all(set_id)
            frozen = sets.publish(replace(quiz_set, version=max((one.version for one in known), default=0)))
            if known and self._hash(known[0].code) == frozen.content_hash and not known[0].closed_at:
                return known[0]
            self._check_pictures(frozen)
            folder = self._folders.draft_folder(set_id)
            for cell in frozen.cells:
                if name_of(images.read(folder / cell.picture)) != picture_id_of(cell.picture):
                    raise DataError(f"{cell.picture} was changed.", "Take it out, and add it again.", kind="changed")
            frozen = self._folders.freeze(frozen)
            while True:
                publication = Publication(
                    draw_code(self._rng),
                    set_id,
                    frozen.title,
                    frozen.version,
                    actor,
                    self._clock(),
                )
                if stored := self._store.publications.add(publication, frozen.content_hash):
                    return stored

    def publications(self, actor: str) -> list[Publication]:
        """The newest first."""
        self._check(actor)
        return self._store.publications.all()

    def quiz_set(self, actor: str, code: str) -> QuizSet:
        """The frozen set with its keys. Raises DataError where its files were changed since."""
        publication = self._publication(actor, code)
        return self._folders.published(publication.set_id, publication.version, self._hash(publication.code))

    def close(self, actor: str, code: str) -> Publication:
        """Close a set now: nobody joins or begins, and what runs ends. A second close changes nothing."""
        publication = self._publication(actor, code)
        self._store.publications.close(publication.code, self._clock())
        return self._publication(actor, code)

    def results(self, actor: str, code: str) -> Results:
        """Who has begun and ended, cell by cell against the key, and the share right of each item."""
        publication, quiz_set = self._publication(actor, code), self.quiz_set(actor, code)
        store = self._store.publications
        attempts = store.attempts(publication.code)
        members = [(member.learner, member.joined_at) for member in store.members(publication.code)]
        return results.results(publication, quiz_set, members, attempts, store.questions(attempts), self._clock())

    def results_csv(self, actor: str, code: str) -> str:
        """One row for each cell of each attempt; see `results_table.COLUMNS`."""
        return as_csv(self.results(actor, code))

    def _publication(self, actor: str, code: str) -> Publication:
        self._check(actor)
        found = self._store.publications.get(parse_code(code))
        if found is None:
            raise unknown_code()
        return found

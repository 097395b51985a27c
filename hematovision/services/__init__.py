"""The use cases: the only thing that pages, command line and API call. Put together here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hematovision.services.atlas import Atlas
    from hematovision.services.attempts import Attempts
    from hematovision.services.explain import Explain
    from hematovision.services.lab import Lab
    from hematovision.services.model_card import ModelCards
    from hematovision.services.pictures import Pictures
    from hematovision.services.practice import Practice
    from hematovision.services.reasons import Reasons
    from hematovision.services.teach import Teach
    from hematovision.settings import Settings


@dataclass(frozen=True)
class Services:
    explain: Explain
    pictures: Pictures
    practice: Practice
    lab: Lab
    model_cards: ModelCards
    atlas: Atlas
    reasons: Reasons
    teach: Teach
    attempts: Attempts


def open_services(settings: Settings) -> Services:
    """Open the store and the library. The model is loaded at first need. Raises DataError."""
    # Imported here: `classify` needs no database, and starts in half the time without one.
    import random
    from datetime import UTC, datetime

    from hematovision.services.atlas import Atlas
    from hematovision.services.attempts import Attempts
    from hematovision.services.explain import Explain
    from hematovision.services.lab import Lab
    from hematovision.services.model_card import ModelCards
    from hematovision.services.pictures import Pictures
    from hematovision.services.practice import Practice
    from hematovision.services.reasons import Reasons
    from hematovision.services.teach import Teach
    from hematovision.storage.store import open_store

    explain = Explain(settings.model)
    pictures = Pictures(settings, explain)
    store = open_store(settings.database)
    clock, rng = (lambda: datetime.now(UTC)), random.SystemRandom()
    practice = Practice(store, pictures, clock, rng)
    return Services(
        explain,
        pictures,
        practice,
        Lab(explain, pictures, settings.own_cells),
        ModelCards(settings.model, pictures),
        Atlas(pictures),
        Reasons(),
        Teach(store, pictures, settings.instructor_ids, clock, rng),
        Attempts(store, pictures.sets, practice, clock),
    )

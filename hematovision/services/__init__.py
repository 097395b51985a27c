"""The use cases: the only thing that pages, command line and API call. Put together here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hematovision.services.atlas import Atlas
    from hematovision.services.explain import Explain
    from hematovision.services.lab import Lab
    from hematovision.services.model_card import ModelCards
    from hematovision.services.pictures import Pictures
    from hematovision.services.practice import Practice
    from hematovision.services.reasons import Reasons
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


def open_services(settings: Settings) -> Services:
    """Open the store and the library. The model is loaded at first need. Raises DataError."""
    # Imported here: `classify` needs no database, and starts in half the time without one.
    import random
    from datetime import UTC, datetime

    from hematovision.services.atlas import Atlas
    from hematovision.services.explain import Explain
    from hematovision.services.lab import Lab
    from hematovision.services.model_card import ModelCards
    from hematovision.services.pictures import Pictures
    from hematovision.services.practice import Practice
    from hematovision.services.reasons import Reasons
    from hematovision.storage.store import open_store

    explain = Explain(settings.model)
    pictures = Pictures(settings, explain)
    store = open_store(settings.database)
    practice = Practice(store, pictures, lambda: datetime.now(UTC), random.SystemRandom())
    lab = Lab(explain, pictures, settings.own_cells)
    return Services(explain, pictures, practice, lab, ModelCards(settings.model, pictures), Atlas(pictures), Reasons())

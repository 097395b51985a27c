"""What a run was begun with: it goes on with the same data and options only."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hematovision.errors import InputError
from hematovision.files import write_whole
from hematovision.library.datasets import data_hash
from hematovision.library.records import Record

if TYPE_CHECKING:
    from hematovision.training.fitting.fit import Recipe

PLAN = "plan.json"


def plan_of(records: Sequence[Record], recipe: "Recipe", weights: str | Path | None) -> dict[str, Any]:
    """All that decides what comes of training: recipe, pictures and keys, and the weights that it starts from."""
    begun = "random" if weights is None else str(weights)
    if weights is not None and Path(weights).is_file():
        begun = hashlib.sha256(Path(weights).read_bytes()).hexdigest()
    return {"recipe": asdict(recipe), "data": data_hash(records), "weights": begun}


def keep_plan(folder: Path, plan: dict[str, Any], writes: bool = True) -> None:
    """Note `plan`, of what JSON can hold, in an empty `folder`; made where there is none.

    Of several machines that share the folder one `writes`. Raises InputError where the folder holds another run, or
    something else than a run.
    """
    path = folder / PLAN
    if path.is_file():
        same = json.loads(path.read_text()) == plan
    else:
        same = not writes or not folder.exists() or not any(folder.iterdir())
    if not same:
        raise InputError(
            f"{folder} holds another run.", "Give another --run folder, or the same data and options as before."
        )
    if writes and not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(plan))

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
    from hematovision.training.fitting.teachers import Teachers

PLAN = "plan.json"

Weights = str | Path | Sequence[Path] | None
"""What training starts from: "imagenet", a file of a backbone without top or of a whole model, the files of several
whole models, whose mean is taken, or None: random weights."""


def plan_of(
    records: Sequence[Record], recipe: "Recipe", weights: Weights, teachers: "Teachers | None" = None
) -> dict[str, Any]:
    """All that decides what comes of training: recipe, pictures and keys, the weights that it starts from, teachers."""
    begun = [_content(part) for part in parts(weights)]
    plan = {"recipe": asdict(recipe), "data": data_hash(records), "weights": begun[0] if len(begun) == 1 else begun}
    if teachers:
        plan["teachers"] = {"share": teachers.share, "models": [model.card.version for model in teachers.models]}
    return plan


def parts(weights: Weights) -> Sequence[str | Path | None]:
    """Each of the files, or the name, that training starts from."""
    return [weights] if weights is None or isinstance(weights, str | Path) else weights


def _content(weights: str | Path | None) -> str:
    if weights is not None and Path(weights).is_file():
        return hashlib.sha256(Path(weights).read_bytes()).hexdigest()
    return "random" if weights is None else str(weights)


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

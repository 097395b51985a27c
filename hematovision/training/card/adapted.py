"""What the card says of other laboratories' cells that the model was adapted to (`train --extra`)."""

from collections.abc import Mapping
from typing import Any

from hematovision.training.card.origins import origins


def adaptations(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Each of them once, the first one first: those of the models that it came from, too."""
    found: list[Mapping[str, Any]] = []
    for one in [*_before(card.get("training", {})), *card.get("adaptations", ())]:
        if one not in found:
            found.append(one)
    return found


def _before(training: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for model in origins(training) for one in (*_before(model), *model.get("adaptations", ()))]


def adapted_data(card: Mapping[str, Any]) -> str:
    """To which cells, in sentences that begin with a space; empty where to none."""
    return "".join(
        f" Adapted to {one['pictures']['learned']:,} cells of {one['data']['name']}, {one['pictures']['held_out']:,} "
        f"more were held out; SHA-256 `{one['data']['sha256']}`."
        for one in adaptations(card)
    )


def adapted_how(card: Mapping[str, Any]) -> list[str]:
    """From which model and with which options, a line for each."""
    return [
        f"The model `{one['from']}` was adapted (`--extra`) to {one['data']['name']}, whose SHA-256 is above: "
        + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in one["how"].items())
        + "."
        for one in adaptations(card)
    ]


def adapted_epochs(card: Mapping[str, Any]) -> str:
    """How many epochs came after those of training; empty where none did."""
    own = card.get("adaptations", ())
    return f" After these it was adapted, in {sum(one['how']['epochs'] for one in own)} more epochs." if own else ""


def learned_from(card: Mapping[str, Any], laboratory: str) -> str:
    """Whether cells of `laboratory` were learned, as far as names tell, to stand behind its name."""
    adapted = [one["data"]["name"] for one in adaptations(card)]
    if any(laboratory in name for name in (card.get("data", {}).get("name", ""), *adapted)):
        return "which was trained on"
    if adapted:
        return f"which was not trained on, unless cells of {', '.join(adapted)} come from it"
    return "a laboratory that was never trained on"

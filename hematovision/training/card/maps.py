"""What the card says of heat maps: words and tables out of `metrics.heatmaps`, which `map_quality` measures."""

from collections.abc import Mapping
from typing import Any

from hematovision.training.card.tables import percent, percent_of, table
from hematovision.vision.methods import COMMON, FUSED, GRADCAM, LAYERCAM, METHODS

Numbers = Mapping[str, Any]

DEFAULT = (GRADCAM, f"{LAYERCAM}-{COMMON}")
"""The maps that the app shows where no method is chosen."""
SEEN_NOTHING = ("gaussian", "uniform")
KEPT = 0.3
"""A mean rank correlation that a map should not keep under random weights."""

_TITLES = {
    "model": "heat map",  # of cards from before there were methods
    f"{LAYERCAM}-{COMMON}": "LayerCAM, what all depths show",
    f"{LAYERCAM}-{FUSED}": "LayerCAM, the strongest of all depths",
    "gaussian": "Gaussian in the middle",
    "uniform": "even",
    "random": "random map",
}


def map_title(name: str) -> str:
    """How a map is called, at the start of a line: `Grad-CAM`, `Gaussian in the middle`."""
    title = METHODS[name].title if name in METHODS else _TITLES.get(name, name)
    return title[0].upper() + title[1:]


def rows_of(found: Numbers) -> dict[str, Numbers]:
    """Each map's shares in cell and nucleus, by name; those that have seen nothing come last."""
    methods = found["methods"] if "methods" in found else {"model": found["model"]}
    return {**methods, **{name: found[name] for name in SEEN_NOTHING}}


def map_words(found: Numbers, place: str) -> str:
    """What was measured, and what it says of the methods."""
    words = (
        "Share of the positive evidence for the model's own answer that lies inside the cell and inside its nucleus, "
        f"mean over n = {found['n']:,} cells of {place} with bootstrap intervals, beside two maps "
        "that saw no picture: an even one, and a Gaussian in the middle (sigma "
        f"{percent(found['sigma'])} of the width). A nucleus was found in {percent_of(found['found'])} of the cells "
        "that have one"
    )
    if "methods" not in found:
        return (
            f"{words}; {found['without_evidence']:,} maps had no evidence. Cells are outlined by program: granules "
            "that are stained like a nucleus count as nucleus."
        )
    words += ". Cells are outlined by program. Maps without evidence are not in the n of their method"
    words += ", and what takes many passes is measured on a sample." if len(found["methods"]) > 1 else "."
    said = (_default_words(found), _faithfulness_words(found), _random_words(found))
    return "\n\n".join((words, *filter(None, said)))


def map_tables(found: Numbers) -> str:
    """All figures as tables in Markdown."""
    if "methods" not in found:
        rows = [
            (_TITLES[name], percent_of(row["cell"]), percent_of(row["nucleus"])) for name, row in rows_of(found).items()
        ]
        return table(("map", "in the cell", "in the nucleus"), rows)
    placed = [
        (
            map_title(name),
            f"{row.get('n', found['n']):,}",
            *(percent_of(row[region]) if region in row else "–" for region in ("cell", "nucleus")),
        )
        for name, row in rows_of(found).items()
    ]
    tables = [table(("map", "n", "in the cell", "in the nucleus"), placed)]
    tables += [made for make in (_faithfulness, _agreement, _random_weights) if (made := make(found))]
    return "\n\n".join(tables)


def _default_words(found: Numbers) -> str:
    """Which maps are shown, and whether another has more evidence in the cell."""
    inside = {name: row["cell"]["value"] for name, row in found["methods"].items() if "cell" in row}
    shown = [
        f"{map_title(name)} ({percent(inside[name])} of its evidence in the cell)" for name in DEFAULT if name in inside
    ]
    if not shown or len(found["methods"]) == 1:
        return ""
    best = max(inside, key=inside.__getitem__)
    words = (
        f"The app shows {' and '.join(shown)}. {map_title(GRADCAM)} comes with the answer and adds up to its score. "
    )
    if best in DEFAULT:
        return words + f"{map_title(best)}: no method measured here has more of its evidence in the cell."
    return words + f"{map_title(best)} has more of its evidence there ({percent(inside[best])})."


def _faithfulness_words(found: Numbers) -> str:
    """Which maps' pixels matter to the model more than a random map's, by both curves' intervals."""
    checked = found.get("faithfulness")
    if not checked:
        return ""
    maps = {name: row for name, row in checked["maps"].items() if name != "random"}
    chance = checked["maps"]["random"]
    weak = [
        name
        for name, row in maps.items()
        if row["deletion"]["interval"][1] >= chance["deletion"]["interval"][0]
        or row["insertion"]["interval"][0] <= chance["insertion"]["interval"][1]
    ]
    words = (
        "Deletion and insertion: the answer's probability as pixels are taken away or given back, the strongest "
        f"evidence first, as the area under that curve (n = {checked['n']:,}). A good map deletes with little area "
        "and inserts with much. "
    )
    if not weak:
        return words + "Every method is clear of a random map in both."
    return words + f"Not clear of a random map in both: {_listed(weak)}."


def _random_words(found: Numbers) -> str:
    """What the check by random weights says, for better or worse."""
    checked = found.get("random_weights")
    if not checked:
        return ""
    left = {name: row["all"]["value"] for name, row in checked["maps"].items() if "all" in row}
    keeping = [f"{map_title(name)} ({value:.2f})" for name, value in left.items() if value >= KEPT]
    words = (
        "A map that explains what was learned becomes another one where the weights are made random. Rank correlation "
        f"of the two, 1 where the order of places is the same (n = {checked['n']:,}): "
    )
    if not keeping:
        return words + f"no method keeps {KEPT} or more with all weights random."
    return words + (
        f"with all weights random, {', '.join(keeping)} still keep{'s' if len(keeping) == 1 else ''} {KEPT} or more: "
        "such a map partly draws the edges of the picture, whatever was learned."
    )


def _faithfulness(found: Numbers) -> str:
    checked = found.get("faithfulness")
    if not checked:
        return ""
    rows = [
        (map_title(name), percent_of(row["deletion"]), percent_of(row["insertion"]))
        for name, row in checked["maps"].items()
    ]
    head = "Areas under both curves, of the most there can be"
    return f"{head} (n = {checked['n']:,}):\n\n" + table(("map", "deletion", "insertion"), rows)


def _agreement(found: Numbers) -> str:
    checked = found.get("agreement")
    if not checked:
        return ""
    titles = [map_title(name) for name in checked["maps"]]
    rows = [
        (f"**{title}**", *("–" if value is None else f"{value:.2f}" for value in row))
        for title, row in zip(titles, checked["rows"], strict=True)
    ]
    return f"Rank correlation of two methods' maps (n = {checked['n']:,}):\n\n" + table(("map", *titles), rows)


def _random_weights(found: Numbers) -> str:
    checked = found.get("random_weights")
    if not checked:
        return ""
    steps = ("heads", "half", "all")
    rows = [
        (map_title(name), *(_correlation(row[step]) if step in row else "–" for step in steps))
        for name, row in checked["maps"].items()
    ]
    head = ("map", "heads random", "upper half too", "all")
    return f"Rank correlation with the map under random weights (n = {checked['n']:,}):\n\n" + table(head, rows)


def _correlation(figure: Numbers) -> str:
    low, high = figure["interval"]
    return f"{figure['value']:.2f} ({low:.2f} to {high:.2f})"


def _listed(names: list[str]) -> str:
    return ", ".join(map_title(name) for name in names)

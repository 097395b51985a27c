"""The card in words: what `model/CARD.md` and the Model card page say, every number out of the model's files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hematovision.cells import CORE_FOUR, display_name
from hematovision.training.card.adapted import adapted_data, adapted_epochs, adapted_how, learned_from
from hematovision.training.card.maps import map_tables, map_words
from hematovision.training.card.origins import origin_commands, origin_table, origin_words, origins, short
from hematovision.training.card.tables import (
    class_name,
    class_table,
    epoch_table,
    estimate,
    matrix_table,
    most_confused,
    percent,
    percent_of,
    refused_words,
    seed_table,
    table,
)
from hematovision.training.measuring.metrics import best_on_val
from hematovision.vision.wrong_cells import WrongCells, hints_text

TEXT_FILE = "CARD.md"
EVALUATE = "python -m hematovision evaluate --data FOLDER --write"
HEAT_MAPS = EVALUATE + " --heatmaps"
TRAIN = "python -m hematovision train --data FOLDER"
PLACES = ("test", "bccd")
ERRORS = "errors"
"""Key of the last section, of which the page shows pictures."""


@dataclass(frozen=True)
class Section:
    """A part of the card, in Markdown. `table` is the numbers, which the page folds away below a chart."""

    key: str
    title: str
    words: str
    table: str = ""


def card_text(card: Mapping[str, Any], wrong: WrongCells | None) -> str:
    """The whole card as one Markdown page."""
    parts = [f"# {card.get('name', 'Model')}: model card", headline(card)]
    for section in sections(card, wrong):
        parts += [f"## {section.title}", *filter(None, (section.words, section.table))]
    return "\n\n".join(parts) + "\n"


def headline(card: Mapping[str, Any]) -> str:
    """One sentence: what the model is and how well it does."""
    accuracy = figures(card, "metrics", "test", "accuracy")
    how_well = (
        f"names {percent_of(accuracy)} of the cells of {place_name(card, 'test')} right"
        if accuracy
        else "is unmeasured"
    )
    return (
        f"{card.get('backbone', 'A network')} at {card['input']['size']} pixels, which sees one picture of one stained "
        f"blood cell, {how_well}. For teaching, not for diagnosis."
    )


def sections(card: Mapping[str, Any], wrong: WrongCells | None) -> tuple[Section, ...]:
    """All parts, in order; one whose figures the files lack says so, with the command that measures them."""
    return (
        _data(card),
        _results(card),
        _report(card),
        _confusion(card),
        _attributes(card),
        _curves(card),
        _calibration(card),
        _elsewhere(card),
        _refusal(card),
        _unfamiliar(card),
        _answer_sets(card),
        _heat_maps(card),
        _defects(card),
        _limits(card),
        _reproduce(card),
        _errors(card, wrong),
    )


def figures(card: Mapping[str, Any], *path: str) -> Any:
    """What the card holds at a path of keys; None where it holds nothing."""
    found: Any = card
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def place_name(card: Mapping[str, Any], place: str) -> str:
    """Where something was measured: `PBC test`, by the name of the data that the model was made with."""
    return "BCCD fields" if place == "bccd" else f"{figures(card, 'data', 'name') or ''} {place}".strip()


def not_measured(command: str = EVALUATE) -> str:
    return f"Not measured yet: `{command}`."


def _data(card: Mapping[str, Any]) -> Section:
    data = card.get("data")
    if not data or "sha256" not in data:
        return Section("data", "Data and split", not_measured(TRAIN))
    words = f"{data['name']}, split {data['split']}. SHA-256 over keys, splits and pictures: `{data['sha256']}`."
    words += adapted_data(card)
    rows = [(split, f"{count:,}") for split, count in data["pictures"].items()]
    return Section("data", "Data and split", words, table(("split", "pictures"), rows))


def _results(card: Mapping[str, Any]) -> Section:
    title, test = "How well it does", figures(card, "metrics", "test")
    if not test:
        return Section("results", title, not_measured())
    four = test["core_four"]
    core = ", ".join(CORE_FOUR[:-1]) + " and " + CORE_FOUR[-1]
    rows = [
        ("all eight classes", percent_of(test["accuracy"])),
        ("core four, answers among the four", percent_of(four["answers_among_four"])),
        ("core four, answers among all eight", percent_of(four["answers_among_eight"])),
        ("macro-F1 of the eight classes", percent(test["macro_f1"])),
    ]
    words = (
        f"Share of right answers on {place_name(card, 'test')}, with 95 % intervals by Wilson. "
        f"The core four are {core}.{refused_words(test)}"
    )
    return Section("results", title, words, table(("measured", "right"), rows))


def _report(card: Mapping[str, Any]) -> Section:
    title, test = "Classification report", figures(card, "metrics", "test")
    if not test:
        return Section("report", title, not_measured())
    words = "Recall is the share of a class's cells that are named right; precision is the share of its answers."
    return Section("report", title, f"{words} {place_name(card, 'test')}.", class_table(test))


def _confusion(card: Mapping[str, Any]) -> Section:
    title, test = "Confusion matrix", figures(card, "metrics", "test")
    if not test:
        return Section("confusion", title, not_measured())
    most = most_confused(test["confusion"])
    words = f"Rows are the keys, columns the answers. {place_name(card, 'test')}."
    words += f" Most often: {most}." if most else ""
    return Section("confusion", title, words + refused_words(test), matrix_table(test["confusion"]))


def _attributes(card: Mapping[str, Any]) -> Section:
    title, found = "Morphology attributes", figures(card, "metrics", "test", "attributes")
    if not found or not found["n"]:
        return Section("attributes", title, not_measured())
    words = (
        f"Mean accuracy {percent(found['mean_accuracy'])}, mean macro-F1 {percent(found['mean_macro_f1'])}, over "
        f"n = {found['n']:,} annotated cells of {place_name(card, 'test')}."
    )
    rows = [
        (display_name(name).lower(), percent(value), percent(found["macro_f1"][name]))
        for name, value in found["accuracy"].items()
    ]
    return Section("attributes", title, words, table(("attribute", "accuracy", "macro-F1"), rows))


def _curves(card: Mapping[str, Any]) -> Section:
    title, epochs = "Training", figures(card, "training", "epochs")
    if not epochs:
        return Section("curves", title, not_measured(TRAIN))
    best = best_on_val(epochs)
    pictures = figures(card, "data", "pictures", "val")
    count = f" (n = {pictures:,})" if pictures else ""
    words = (
        f"{len(epochs)} epochs; epoch {best['number']} was chosen, the best on val{count}. The two losses are not to "
        "be compared: that of training is of the class, of all attributes by their weight, and of the size of the "
        "heads' weights, over pictures as they are altered for training; that of val is of the class alone, over "
        "pictures as they are."
    )
    words += adapted_epochs(card)
    tables = [epoch_table(epochs)]
    seeds = figures(card, "training", "seeds")
    if seeds:
        kept = figures(card, "training", "recipe", "seed")
        words += f" {len(seeds)} models were trained so, from as many seeds; kept is seed {kept}, the best on val."
        tables += ["Each seed's model, on val and then on what had no part in the choice:", seed_table(seeds)]
    if origins(card["training"]):
        words += origin_words(card["training"])
        tables += ["The models that it came from:", origin_table(card["training"])]
    return Section("curves", title, words, "\n\n".join(tables))


def _calibration(card: Mapping[str, Any]) -> Section:
    title = "Calibration"
    found = {place: c for place in PLACES if "bins" in (c := figures(card, "metrics", place, "calibration") or {})}
    if not found:
        return Section("calibration", title, not_measured())
    words = (
        f"Whether answers of 80 % are right in 80 of 100. One temperature, {card['temperature']:.3f}, is fitted on "
        "val. Intervals: bootstrap, 95 %. ECE has none: drawing anew only ever adds to it."
    )
    rows = [
        (place_name(card, place), f"{c['n']:,}", f"{c['ece']:.4f}", estimate(c["nll"]), estimate(c["brier"]))
        for place, c in found.items()
    ]
    tables = [table(("measured on", "n", "ECE", "NLL", "Brier (0 to 2)"), rows)]
    for place, c in found.items():
        bins = [
            (percent(b["from"]), f"{b['n']:,}", percent(b["confidence"]), percent(b["accuracy"])) for b in c["bins"]
        ]
        tables.append(f"{place_name(card, place)}, by how sure the answer was:")
        tables.append(table(("from", "n", "mean probability", "right"), bins))
    return Section("calibration", title, words, "\n\n".join(tables))


def _elsewhere(card: Mapping[str, Any]) -> Section:
    title, bccd = "Other laboratories", figures(card, "metrics", "bccd")
    if not bccd:
        return Section("elsewhere", title, not_measured())
    words = (
        f"Fields of BCCD, {learned_from(card, 'BCCD')}, with one labeled white cell each. They were looked at while "
        "framing, light and detail of pictures and the shipped models were chosen, so these figures are somewhat kind. "
        "Nobody frames the cell: the largest that is found is answered for; where none is, or it is refused, that is "
        "wrong. "
        f"Found: {percent_of(bccd['cells_found'])}. Core four named right: {percent_of(bccd['core_four_accuracy'])}."
    )
    most = most_confused(bccd["confusion"])
    words += f" Most often confused: {most}." if most else ""
    tables = [class_table(bccd), matrix_table(bccd["confusion"])]
    read = bccd.get("second_reading")
    if read:
        words += (
            f" The key calls {read['changed']} cells eosinophils in which we see neutrophils, and {read['unclear']} in "
            "which we see neither: read so, by eye, with the key in view and by no hematologist, and without the "
            "unclear ones, "
            f"{percent_of(read['core_four_accuracy'])} of the core four are named right."
        )
        tables += ["By this second reading:", class_table(read)]
    return Section("elsewhere", title, words, "\n\n".join(tables))


def _refusal(card: Mapping[str, Any]) -> Section:
    title, refused = "Refusal of what is no blood cell", figures(card, "metrics", "trust", "refused")
    if not refused:
        return Section("refusal", title, not_measured())
    words = (
        "Pictures of other things, drawn by program, that are refused as no blood cell. Of kinds that no threshold was "
        f"fitted to: {percent_of(refused['held_out'])}; of the other kinds: {percent_of(refused['fitted'])}."
    )
    kept = {place: share for place in PLACES if (share := figures(card, "metrics", place, "status", "not_blood"))}
    words += "".join(
        f" Cells that are refused, {place_name(card, place)}: {percent_of(share)}." for place, share in kept.items()
    )
    rows = [(kind, percent(share)) for kind, share in refused["kinds"].items()]
    return Section("refusal", title, words, table(("kind", "refused"), rows))


def _unfamiliar(card: Mapping[str, Any]) -> Section:
    title = "Unfamiliar cells"
    found = {place: status for place in PLACES if (status := figures(card, "metrics", place, "status"))}
    if not found:
        return Section("unfamiliar", title, not_measured())
    words = "What is said of each answer: that it is confident, to be checked, unfamiliar, or no blood cell."
    auroc = figures(card, "metrics", "trust", "familiarity_auroc")
    if auroc is not None:
        words += f" A cell at home is more familiar than one of BCCD in {percent(auroc)} of all pairs (AUROC)."
    names = list(next(iter(found.values())))
    rows = [(display_name(name), *(percent_of(status[name]) for status in found.values())) for name in names]
    return Section("unfamiliar", title, words, table(("said", *(place_name(card, place) for place in found)), rows))


def _answer_sets(card: Mapping[str, Any]) -> Section:
    title = "Answer sets"
    found = {place: sets for place in PLACES if (sets := figures(card, "metrics", place, "answer_sets"))}
    if not found:
        return Section("answer_sets", title, not_measured())
    words = (
        "How often the classes that an answer leaves open hold the key, and how many they are, over the answers that "
        "have such a set. The promise is made for cells like those of val, class by class."
    )
    tables = []
    for place, sets in found.items():
        rows = [
            (class_name(label), percent_of(s["coverage"]), "–" if s["size"] is None else f"{s['size']:.2f}")
            for label, s in sets.items()
        ]
        tables += [f"{place_name(card, place)}:", table(("class", "holds the key", "mean size"), rows)]
    return Section("answer_sets", title, words, "\n\n".join(tables))


def _heat_maps(card: Mapping[str, Any]) -> Section:
    title, found = "Heat maps", figures(card, "metrics", "heatmaps")
    if not found or not found["n"]:
        return Section("heat_maps", title, not_measured(HEAT_MAPS))
    words = map_words(found, place_name(card, "test"))
    if len(found.get("methods", ())) == 1:
        words += f" Other methods are not measured yet: `{HEAT_MAPS}`."
    return Section("heat_maps", title, words, map_tables(found))


def _defects(card: Mapping[str, Any]) -> Section:
    title, check = "Known label defects of the data", figures(card, "data", "check")
    if not check:
        return Section("defects", title, not_measured())
    named = check["segmented"]
    rows = [
        ("pictures", f"{check['pictures']:,}"),
        ("with the very bytes of another", f"{check['copies']:,}"),
        ("of these, in another split than it", f"{check['copies_across_splits']:,}"),
        ("of these, with another key than it", f"{check['copies_with_other_keys']:,}"),
        ("with annotated attributes", f"{check['annotated']:,}"),
        ("named segmented neutrophils by their file (SNE)", f"{named['named']:,}"),
        ("of these, with an annotated nucleus", f"{named['annotated']:,}"),
        ("of these, annotated as a band", f"{named['called_band']:,}"),
    ]
    words = "Counted in the pictures that the model was made and measured with."
    if named["called_band"]:
        words += (
            f" Annotators called {percent(named['called_band'] / named['annotated'])} of the cells that PBC names "
            "segmented a band: no figure here tells the two apart."
        )
    return Section("defects", title, words, table(("in the data", "count"), rows))


def _limits(card: Mapping[str, Any]) -> Section:
    limits = [
        "For teaching, not for diagnosis.",
        "The key is the data set's; experts differ.",
        "The cells of one patient can be in several splits: figures of the same laboratory flatter.",
        "It knows eight classes: any other cell gets one of their names, or is called unfamiliar at best.",
        "Attributes were annotated for mature white cells only; what it sees in others is a guess from those.",
        "What an answer promises (probability, answer set) holds for cells like those it was calibrated on.",
    ]
    classes = figures(card, "metrics", "test", "classes")
    if classes:
        share = percent(classes["eosinophil"]["n"] / sum(scores["n"] for scores in classes.values()))
        limits.append(f"Class shares are the data set's and not those of blood: {share} of test are eosinophils.")
    abroad = figures(card, "metrics", "bccd", "core_four_accuracy")
    if abroad:
        limits.append(f"In another laboratory's fields it names {percent_of(abroad)} of the core four right.")
    return Section("limits", "Limits", "\n".join(f"- {limit}" for limit in limits))


def _reproduce(card: Mapping[str, Any]) -> Section:
    title, training = "How to reproduce", card.get("training")
    lines = ["Train, calibrate and measure, then measure once more and write this card:"]
    lines.append(f"    {TRAIN}\n    {HEAT_MAPS}")
    if not training:
        return Section("reproduce", title, "\n\n".join(lines))
    weights = training["backbone_weights"]
    versions = ", ".join(f"{name} {version}" for name, version in training["versions"].items())
    lines.append(f"FOLDER holds data of the SHA-256 above. Weights to begin with: {weights}. Versions: {versions}.")
    lines += origin_commands(training)
    lines += adapted_how(card)
    made = {"value": training, **{short(model): model for model in origins(training)}}
    rows = [
        (name.replace("_", " "), *(f"{how.get('recipe', {}).get(name, '–')}" for how in made.values()))
        for name in training["recipe"]
    ]
    files = [(f"`{name}`", f"`{entry['sha256']}`") for name, entry in card["files"].items()]
    tables = table(("recipe", *made), rows) + "\n\n" + table(("file", "SHA-256"), files)
    return Section("reproduce", title, "\n\n".join(lines), tables)


def _errors(card: Mapping[str, Any], wrong: WrongCells | None) -> Section:
    title = "Every wrong cell"
    if wrong is None:
        return Section(ERRORS, title, not_measured())
    words = (
        f"{len(wrong.cells):,} of the n = {wrong.n:,} cells of {place_name(card, wrong.split)}, by their file names. "
        "A feature that the model saw speaks for the class in which it sees it more often; in brackets, in what share "
        "of the rightly named cells of the key and of the answer."
    )
    rows = [
        (
            cell.name,
            class_name(cell.key),
            f"{class_name(cell.answer)}, {percent(cell.probabilities[cell.answer])}" if cell.answer else "refused",
            display_name(cell.status),
            hints_text(cell.for_key),
            hints_text(cell.for_answer),
        )
        for cell in wrong.cells
    ]
    head = ("cell", "key", "answer", "said", "for the key", "for the answer")
    return Section(ERRORS, title, words, table(head, rows))

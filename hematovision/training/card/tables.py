"""Numbers of the card as Markdown: shares with their intervals, and tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hematovision.cells import display_name
from hematovision.quiz.intervals import wilson


def percent(value: float) -> str:
    """A share to a tenth of a percent."""
    return f"{value:.1%}".replace("%", " %")


def percent_of(share: Mapping[str, Any]) -> str:
    """A share with interval and, where it is counted, n: `98.8 % (98.5 % to 99.1 %, n = 5,126)`."""
    if share["value"] is None:
        return "– (n = 0)"
    low, high = share["interval"]
    count = f", n = {share['n']:,}" if "n" in share else ""
    return f"{percent(share['value'])} ({percent(low)} to {percent(high)}{count})"


def class_table(metrics: Mapping[str, Any]) -> str:
    """Recall with its interval, precision and F1 of each class that the metrics name."""
    labels, matrix = metrics["confusion"]["labels"], metrics["confusion"]["rows"]
    rows = []
    for label, scores in metrics["classes"].items():
        right, n = matrix[labels.index(label)][labels.index(label)], scores["n"]
        recall = {"value": scores["recall"], "interval": wilson(right, n), "n": n}
        rest = ("–" if scores[name] is None else percent(scores[name]) for name in ("precision", "f1"))
        rows.append((class_name(label), percent_of(recall), *rest))
    return table(("class", "recall", "precision", "F1"), rows)


def epoch_table(epochs: Sequence[Mapping[str, Any]]) -> str:
    """What each epoch of a training gave, one a row."""
    rows = [
        (
            str(epoch["number"]),
            epoch["phase"],
            f"{epoch['loss']:.3f}",
            f"{epoch['val_loss']:.3f}",
            percent(epoch["val_accuracy"]),
            "–" if epoch["val_attribute_accuracy"] is None else percent(epoch["val_attribute_accuracy"]),
        )
        for epoch in epochs
    ]
    head = ("epoch", "phase", "training loss", "val loss of the class", "val classes right", "val attributes right")
    return table(head, rows)


def seed_table(seeds: Sequence[Mapping[str, Any]]) -> str:
    """The figures of the models of several seeds, one a row."""
    head = ("seed", "val", "test", "core four", "least recall", "attributes", "their macro-F1", "BCCD core four")
    rows = []
    for row in seeds:
        shares = [row["accuracy"]["value"], row["core_four_accuracy"]["value"], row["least_recall"]]
        shares += [row["attribute_accuracy"], row["attribute_macro_f1"], (row["fields_accuracy"] or {}).get("value")]
        cells = ("–" if share is None else percent(share) for share in shares)
        rows.append((str(row["seed"]), f"{row['val_accuracy']:.2%}".replace("%", " %"), *cells))
    return table(head, rows)


def matrix_table(confusion: Mapping[str, Any]) -> str:
    """Counts of a confusion matrix; keys that never occur have no row."""
    rows = [
        (f"**{class_name(label)}**", *(f"{count:,}" if count else "·" for count in row))
        for label, row in zip(confusion["labels"], confusion["rows"], strict=True)
        if any(row)
    ]
    return table(("key \\ answer", *map(class_name, confusion["labels"])), rows)


def most_confused(confusion: Mapping[str, Any], count: int = 3) -> str:
    """The `count` most frequent errors in words; empty where there is none."""
    labels = confusion["labels"]
    pairs = [
        (n, f"{class_name(key)} taken for {class_name(labels[j])} ({n})")
        for i, (key, row) in enumerate(zip(labels, confusion["rows"], strict=True))
        for j, n in enumerate(row)
        if i != j and n
    ]
    return ", ".join(words for _, words in sorted(pairs, key=lambda pair: -pair[0])[:count])


def refused_words(test: Mapping[str, Any]) -> str:
    """How many cells got no class, a sentence that begins with a space; empty where all did."""
    count = sum(scores["n"] for scores in test["classes"].values()) - sum(map(sum, test["confusion"]["rows"]))
    if not count:
        return ""
    cells = "1 cell was refused as no blood cell: it has no answer, and is wrong."
    if count > 1:
        cells = f"{count:,} cells were refused as no blood cell: they have no answer, and are wrong."
    return f" {cells}"


def class_name(label: str) -> str:
    """As it stands in the middle of a sentence."""
    return display_name(label).lower()


def estimate(figure: Mapping[str, Any]) -> str:
    """A figure that is no share, with its interval."""
    low, high = figure["interval"]
    return f"{figure['value']:.4f} ({low:.4f} to {high:.4f})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

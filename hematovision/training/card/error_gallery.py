"""Every cell that the model names wrong, and which of the features that it saw speak for the key and for its answer."""

from collections import Counter
from collections.abc import Mapping, Sequence

from hematovision.cells import ATTRIBUTES, CELL_CLASSES
from hematovision.library.records import Record
from hematovision.training.measuring.evaluate import classified, named
from hematovision.vision.classifier import Classifier, Prediction
from hematovision.vision.wrong_cells import Hint, WrongCell, WrongCells

TELLING = 0.25
"""A feature speaks for a class where its share among the cells of that class is higher by this at least."""

Shares = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Class -> attribute -> value -> share of the cells."""


def find_wrong_cells(
    classifier: Classifier, records: Sequence[Record], found: Sequence[Prediction] | None = None
) -> WrongCells:
    """The wrong ones among pictures of single cells of one split, in the order of `records`, and the refused ones.

    `found` are the classifier's answers for `records`, asked for where they are not given.
    """
    found = classified(classifier, records, "errors") if found is None else found
    shares = seen_shares(found, [record.label for record in records])
    cells = tuple(
        WrongCell(
            record.dataset,
            f"{record.path.parent.name}/{record.path.name}",
            record.label,
            named(answer),
            answer.status,
            answer.probabilities,
            answer.attributes,
            dict(record.attributes),
            hints(answer.attributes, shares, record.label, named(answer)),
        )
        for record, answer in zip(records, found, strict=True)
        if named(answer) != record.label
    )
    splits = sorted({record.split for record in records})
    return WrongCells(classifier.card.version, ", ".join(splits), len(records), cells)


def seen_shares(found: Sequence[Prediction], keys: Sequence[str]) -> Shares:
    """In what share of each class's rightly named cells the model sees each value of each attribute.

    Measured by the model's own eyes and not by annotators: three of the classes have no annotation. A class of which no
    cell is named right is left out.
    """
    right = [answer for answer, key in zip(found, keys, strict=True) if named(answer) == key]
    shares: dict[str, dict[str, dict[str, float]]] = {}
    for label in CELL_CLASSES:
        own = [answer.attributes for answer in right if answer.label == label]
        if own:
            counts = {name: Counter(seen[name] for seen in own) for name in ATTRIBUTES}
            shares[label] = {
                name: {value: counts[name][value] / len(own) for value in values} for name, values in ATTRIBUTES.items()
            }
    return shares


def hints(seen: Mapping[str, str], shares: Shares, key: str, answer: str) -> tuple[Hint, ...]:
    """The features seen that are more usual in one of two classes; those for the key first, the clearest first.

    None where one of the classes has no shares.
    """
    if key not in shares or answer not in shares:
        return ()
    compared = (Hint(n, value, shares[key][n][value], shares[answer][n][value]) for n, value in seen.items())
    telling = [hint for hint in compared if abs(hint.of_key - hint.of_answer) >= TELLING]
    return tuple(sorted(telling, key=lambda h: (h.of_key < h.of_answer, -abs(h.of_key - h.of_answer))))

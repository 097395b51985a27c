"""Prediction and measured facts -> words: what was seen, what it speaks for, what against another class, how sure.

The features are read beside the class, from the same embedding: they are not steps toward it. So the words say what
they speak for, never that the answer was given because of them, and whether they alone would give it too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hematovision.cells import CELL_CLASSES, CLASS_HEAD, HEADS, display_name, pair_of
from hematovision.content import Content
from hematovision.content.concepts import Concepts, Seen
from hematovision.content.phrases import Phrase, Phrases, percent, plural, sentence_case, with_article
from hematovision.errors import unknown
from hematovision.vision.classifier import Prediction
from hematovision.vision.evidence import CLAIMED, CLEAR, MOST, Feature, claimed, is_clear, seen, usual, weigh
from hematovision.vision.trust import CHECK, NOT_BLOOD, UNFAMILIAR

LONGEST = 5
"""Sentences, at most."""
_FEATURES, _OF_ONE_THING = 3, 2
"""Features that a sentence names at most, and of them of one subject."""

SEEN = "seen"
"""`number`: the model's probability of the attribute's value, not calibrated."""
SPEAKS = "speaks"
"""For the class `value`. `number`: how many times as often as in `other` each feature named was annotated, at least."""
SHOWS = "shows"
"""What the class `other` shows. `number`: the share of its annotated cells with the value."""
SHARED = "shared"
"""By the class `value`. `number`: the share of its annotated cells with each feature named, at least."""
UNCLEAR = "unclear"
"""`number`: how many features are clear enough to be named."""
UNWEIGHED = "unweighed"
"""Nothing speaks for the class `value`. `number`: the greatest ratio to `other` of a feature that is clear."""
UNMEASURED = "unmeasured"
"""`number`: the annotated cells of the class `value`, 0."""
CLASS = "class"
"""`number`: the calibrated probability of the class `value`."""
CONCEPT = "concept"
"""`number`: the probability of the class `value` by the concept model."""
CHANGE = "change"
"""A value that is not there and would make the concept model say `other`. `number`: by how much of a logit, or 0 where
there is no such value."""
REFUSED = "refused"
"""`number`: the score of familiarity, or of being a blood cell, less its threshold: below 0."""


@dataclass(frozen=True)
class Clause:
    """Words with the number that they stand on; what the number is depends on `kind`, see there."""

    text: str
    kind: str
    head: str
    value: str
    number: float
    other: str = ""


@dataclass(frozen=True)
class Sentence:
    """Clauses, and the words that join them."""

    parts: tuple[str | Clause, ...]

    @property
    def text(self) -> str:
        return sentence_case("".join(part.text if isinstance(part, Clause) else part for part in self.parts))

    @property
    def clauses(self) -> tuple[Clause, ...]:
        return tuple(part for part in self.parts if isinstance(part, Clause))


@dataclass(frozen=True)
class Knowledge:
    """What is known without the picture: teaching text and measured shares, wording, and the concept model."""

    content: Content
    phrases: Phrases
    concepts: Concepts


@dataclass(frozen=True)
class Explanation:
    """Why the model says `answer` and why not `other`, in at most `LONGEST` sentences."""

    answer: str
    other: str
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def clauses(self) -> tuple[Clause, ...]:
        return tuple(clause for sentence in self.sentences for clause in sentence.clauses)


def explain(prediction: Prediction, knowledge: Knowledge, other: str | None = None) -> Explanation:
    """Why the answer, and why not `other`: the runner-up where that is None or the answer itself.

    No class gets a reason where the cell is unfamiliar or none at all. Raises InputError for an unknown class.
    """
    if other is not None and other not in CELL_CLASSES:
        raise unknown("cell class", other, CELL_CLASSES)
    answer, runner_up = sorted(prediction.probabilities, key=lambda label: -prediction.probabilities[label])[:2]
    other = runner_up if other in (None, answer) else other
    assert other is not None
    if prediction.status in (UNFAMILIAR, NOT_BLOOD):
        return Explanation(answer, other, (_refusal(prediction),))
    read = seen(prediction)
    reasons = _reasons(claimed(read, prediction.claimed_from), knowledge, answer, other)
    ask = knowledge.content.pairs.get(pair_of(answer, other))
    question = ask.decides[0].lower() + ask.decides[1:] if ask else ""
    if prediction.status != CHECK and question and not {answer, other} <= knowledge.content.measured.n.keys():
        likely = Clause(question, CLASS, CLASS_HEAD, other, prediction.probabilities[other])
        reasons.append(Sentence((f"to tell it from {with_article(other)}, ask: ", likely)))
    reasons.append(_certainty(prediction, answer, other, runner_up, question))
    if answer in knowledge.concepts.biases:
        reasons.append(_concept(read, prediction.claimed_from, knowledge, answer, other))
    return Explanation(answer, other, tuple(reasons))


def _refusal(prediction: Prediction) -> Sentence:
    trust = prediction.trust
    assert trust is not None  # without it nothing is refused
    if prediction.status == UNFAMILIAR:
        score = trust.familiarity.scores(prediction.embedding[None], prediction.logits[None])[0]
        below = float(score) - trust.familiar_from
        words = "this cell is unlike those that the model learned from"
        rest = ", so what it reads of the features is not given as a reason."
    else:
        assert trust.gate is not None and prediction.early is not None
        below = float(trust.gate.scores(prediction.early[None])[0]) - trust.cell_from
        words, rest = "this does not look like a blood cell to the model", ", so there is no class to give reasons for."
    return Sentence((Clause(words, REFUSED, "", prediction.status, below), rest))


def _reasons(features: Sequence[Feature], knowledge: Knowledge, answer: str, other: str) -> list[Sentence]:
    """What speaks for the answer, what against the other class, and what for it: up to three sentences."""
    measured, phrases = knowledge.content.measured, knowledge.phrases
    if answer not in measured.n:
        return [Sentence((_unmeasured(answer), ", so they cannot be given as reasons."))]
    if other not in measured.n:
        rest = Sentence((_unmeasured(other), ", so they cannot be compared."))
        return [*_typical(features, knowledge, answer), rest]
    if not features:
        return [_nothing_clear()]
    weighed = weigh(features, measured, answer, [other])
    for_it = [one for one in weighed if one.ratio >= CLEAR]
    against = [one for one in reversed(weighed) if one.ratio <= 1 / CLEAR]
    words = f"speaks for {with_article(answer)} rather than {with_article(other)}"
    found = []
    if for_it:
        named = _choose([one.feature for one in for_it], phrases)
        least = min(one.ratio for one in for_it if one.feature in named)
        speaks = Clause(words, SPEAKS, CLASS_HEAD, answer, least, other)
        found.append(Sentence((*_said(named, phrases), ": that ", speaks, ".")))
        found += _contrast([one.feature for one in for_it], knowledge, other)
    else:
        nothing = Clause(words, UNWEIGHED, CLASS_HEAD, answer, weighed[0].ratio, other)
        found.append(Sentence(("none of the features that the model is sure of ", nothing, ".")))
    if against:
        speaks = Clause(f"speaks for {with_article(other)}", SPEAKS, CLASS_HEAD, other, 1 / against[0].ratio, answer)
        found.append(
            Sentence(("on the other hand, ", *_said([against[0].feature], phrases), ", which ", speaks, " instead."))
        )
    return found


def _unmeasured(label: str) -> Clause:
    return Clause(f"the features of {plural(label)} were not annotated", UNMEASURED, CLASS_HEAD, label, 0)


def _nothing_clear() -> Sentence:
    return Sentence((Clause("no feature is clear enough to be given as a reason", UNCLEAR, "", "", 0), "."))


def _typical(features: Sequence[Feature], knowledge: Knowledge, answer: str) -> list[Sentence]:
    """The features that most annotated cells of the class show, and the other annotated classes clearly less often."""
    measured = knowledge.content.measured
    shares = {f: measured.share(answer, f.head, f.value) or 0.0 for f in features}
    rest = [label for label in measured.n if label != answer]
    fitting = [
        one.feature
        for one in weigh(features, measured, answer, rest)
        if one.ratio >= CLEAR and shares[one.feature] >= MOST
    ]
    if not fitting:
        return [] if features else [_nothing_clear()]
    named = _choose(fitting, knowledge.phrases)
    least = min(shares[feature] for feature in named)
    shared = Clause(f"most annotated {plural(answer)}", SHARED, CLASS_HEAD, answer, least)
    return [Sentence((*_said(named, knowledge.phrases), ", as in ", shared, "."))]


def _contrast(features: Iterable[Feature], knowledge: Knowledge, other: str) -> list[Sentence]:
    """What the other class shows where this cell has the first of `features` for which it shows anything."""
    for feature in features:
        value, share = usual(knowledge.content.measured, other, feature.head)
        if share < MOST:
            continue
        its, here = (knowledge.phrases[feature.head, v] for v in (value, feature.value))
        like = its.subject == here.subject
        shows = f"{its.its_words} ({percent(share)} of annotated {plural(other)})"
        return [
            Sentence(
                (
                    f"against {with_article(other)}: ",
                    Clause(shows, SHOWS, feature.head, value, share, other),
                    ", and here ",
                    f"{here.pronoun} {here.verb} " if like else f"{here.subject} {here.verb} ",
                    _clause(feature, here.rest),
                    ".",
                )
            )
        ]
    return []


def _certainty(prediction: Prediction, answer: str, other: str, runner_up: str, question: str) -> Sentence:
    is_open = prediction.status == CHECK
    labels = dict.fromkeys([answer, runner_up, other] if is_open else [answer, other])
    chances: list[str | Clause] = []
    for label in labels:
        number = prediction.probabilities[label]
        words = f"{percent(number)} {display_name(label).lower()}"
        chances += [", " if chances else "", Clause(words, CLASS, CLASS_HEAD, label, number)]
    if not is_open:
        return Sentence(("the model is confident: ", *chances, "."))
    ending = f"), so decide for yourself{f': {question}' if question else '.'}"
    return Sentence(("the model is not sure (", *chances, ending))


def _concept(read: Seen, claimed_from: Mapping[str, float], knowledge: Knowledge, answer: str, other: str) -> Sentence:
    """Whether the concept model agrees, and which one feature that is read clearly would change its answer."""
    concepts = knowledge.concepts
    chances = concepts.probabilities(read)
    label = concepts.label(read)
    agrees = label == answer
    verb = "say" if chances[label] >= CLAIMED else "lean toward"
    words = f"would {verb} {display_name(label).lower()}"
    words += ", too" if agrees else f", not {display_name(answer).lower()}"
    parts: list[str | Clause] = ["the features alone ", Clause(words, CONCEPT, CLASS_HEAD, label, chances[label])]
    if agrees and other not in concepts.biases:
        words = f"but they cannot say {display_name(other).lower()}"
        return Sentence((*parts, ", ", Clause(words, UNMEASURED, CLASS_HEAD, other, 0), "."))
    changes = concepts.what_would_change(read)
    wanted = other if agrees else answer
    clear = [change for change in changes if is_clear(read, change.head, claimed_from)]
    clear.sort(key=lambda change: change.becomes != wanted)
    if clear and (agrees or clear[0].becomes == wanted):
        change = clear[0]
        words = f"would say {display_name(change.becomes).lower()} if "
        words += knowledge.phrases[change.head, change.value].if_words
        parts += ["; they ", Clause(words, CHANGE, change.head, change.value, change.margin, change.becomes)]
    elif agrees and not changes:
        parts += [", and ", Clause("no single other feature would change that", CHANGE, "", "", 0)]
    return Sentence((*parts, "."))


def _choose(features: Sequence[Feature], phrases: Phrases) -> list[Feature]:
    """The first few, no more than two of one subject."""
    named: list[Feature] = []
    for feature in features:
        subject = phrases[feature.head, feature.value].subject
        alike = [one for one in named if phrases[one.head, one.value].subject == subject]
        if len(named) < _FEATURES and len(alike) < _OF_ONE_THING:
            named.append(feature)
    return named


def _said(features: Sequence[Feature], phrases: Phrases) -> list[str | Clause]:
    """`the granules are large, round and red, and the nucleus has two lobes`: one run of words for each subject."""
    groups: dict[str, list[Feature]] = {}
    for feature in features:
        groups.setdefault(phrases[feature.head, feature.value].subject, []).append(feature)
    parts: list[str | Clause] = []
    for nth, (subject, unordered) in enumerate(groups.items()):
        group = sorted(unordered, key=lambda feature: list(HEADS).index(feature.head))
        if nth:
            # A comma where a run of words has an `and` of its own.
            parts.append(" and " if len(features) == len(groups) == 2 else ", and " if nth == len(groups) - 1 else ", ")
        parts += [f"{subject} ", *_joined(group, [phrases[one.head, one.value] for one in group])]
    return parts


def _joined(group: Sequence[Feature], said: Sequence[Phrase]) -> list[str | Clause]:
    if len(group) == 1:
        return [f"{said[0].verb} ", _clause(group[0], said[0].rest)]
    # Who is or looks comes before who has or takes: `is round and takes most of the cell`.
    (one, first), (other, second) = sorted(zip(group, said, strict=True), key=lambda pair: pair[1].verb in _HAVING)
    if first.verb != second.verb:
        return [f"{first.verb} ", _clause(one, first.rest), f" and {second.verb} ", _clause(other, second.rest)]
    return [f"{first.verb} ", _clause(one, first.rest.replace(" and ", ", ")), " and ", _clause(other, second.rest)]


_HAVING = ("has", "takes")


def _clause(feature: Feature, text: str) -> Clause:
    return Clause(text, SEEN, feature.head, feature.value, feature.probability)

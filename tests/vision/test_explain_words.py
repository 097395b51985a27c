"""The words are checked against numbers that this file works out anew, from logits, counts and weights."""

import math
import re
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.cells import ATTRIBUTES, CELL_CLASSES, HEADS, output_slice
from hematovision.content import content
from hematovision.content.concepts import concepts
from hematovision.content.phrases import percent, phrases
from hematovision.errors import InputError
from hematovision.vision import explain as words
from hematovision.vision.classifier import Prediction
from hematovision.vision.evidence import CLAIMED, CLEAR, MOST, claimed, ratio, seen, usual
from hematovision.vision.explain import Knowledge, explain
from hematovision.vision.trust import Likeness, Subspace, Trust
from tests.trusted import by_directions

KNOWN = Knowledge(content(), phrases(), concepts())
COUNTS, N = content().measured.counts, content().measured.n
WIDTH = sum(map(len, HEADS.values()))


def prediction(classes, attributes, trust=None, confident_from=0.9):
    """`classes`: class -> probability, `attributes`: name -> (value, probability). The others share what is left."""
    logits = []
    for head, values in HEADS.items():
        named = classes if head == "cell_class" else dict([attributes[head]])
        others = (1 - sum(named.values())) / max(1, len(values) - len(named))
        logits += [math.log(max(named.get(value, others), 1e-9)) for value in values]
    return of_logits(logits, trust, confident_from)


def of_logits(logits, trust=None, confident_from=0.9):
    maps, features = np.zeros((1, 1, WIDTH), np.float32), np.zeros(3, np.float32)
    return Prediction(np.array(logits, np.float32), maps, features, 1.0, confident_from, features, trust)


def typical(label, sure=0.97, **other):
    """Every attribute as most annotated cells of the class have it; those of `other` as given: value, probability."""
    return {head: (usual(KNOWN.content.measured, label, head)[0], sure) for head in ATTRIBUTES} | other


def rule(cell=-1.0, familiar=-2.0):
    """Rules of trust that score everything 0 and -1: the thresholds alone decide."""
    flat = np.zeros(3, np.float32), np.zeros((3, 1), np.float32)
    return Trust(Likeness(*flat), by_directions(Subspace(*flat)), cell, familiar, dict.fromkeys(CELL_CLASSES, 0.2))


def softmax(values):
    raised = np.exp(np.asarray(values, np.float64) - np.max(values))
    return raised / raised.sum()


def times(head, value, one, other):
    """How many times as often, half a picture added to each count."""
    (a, b) = ((COUNTS[c][head].get(value, 0) + 0.5) / (N[c] + len(ATTRIBUTES[head]) / 2) for c in (one, other))
    return a / b


def concept_scores(logits, changed=None):
    found = {}
    for label, bias in KNOWN.concepts.biases.items():
        found[label] = bias
        for head, values in ATTRIBUTES.items():
            chances = dict(zip(values, softmax(logits[output_slice(head)]), strict=True))
            if changed and changed[0] == head:
                chances = {changed[1]: 1.0}
            found[label] += sum(KNOWN.concepts.weights[label][head][value] * p for value, p in chances.items())
    return found


def top(numbers):
    return max(numbers, key=numbers.get)


def check_clause(clause, sentence, answer):
    """Each clause against its number, and its number against what it is made of."""
    logits = answer.logits
    named = [one for one in sentence.clauses if one.kind == words.SEEN]
    if clause.kind == words.SEEN:
        chances = dict(zip(ATTRIBUTES[clause.head], softmax(logits[output_slice(clause.head)]), strict=True))
        assert top(chances) == clause.value and clause.number == pytest.approx(chances[clause.value])
        assert clause.number >= CLAIMED
        rest = phrases()[clause.head, clause.value].rest
        assert clause.text in (rest, rest.replace(" and ", ", "))
    elif clause.kind == words.SPEAKS:
        least = min(times(one.head, one.value, clause.value, clause.other) for one in named)
        assert clause.number == pytest.approx(least) and least >= CLEAR
    elif clause.kind == words.SHOWS:
        share = COUNTS[clause.other][clause.head][clause.value] / N[clause.other]
        assert clause.number == share >= MOST and percent(share) in clause.text
        assert [one.head for one in named] == [clause.head] and named[0].value != clause.value
    elif clause.kind == words.SHARED:
        assert clause.number == min(COUNTS[clause.value][one.head][one.value] / N[clause.value] for one in named)
        assert clause.number >= MOST
    elif clause.kind == words.UNCLEAR:
        assert clause.number == 0 == len(claimed(seen(answer), {}))
    elif clause.kind == words.UNWEIGHED:
        best = max(times(f.head, f.value, clause.value, clause.other) for f in claimed(seen(answer), {}))
        assert clause.number == pytest.approx(best) and best < CLEAR
    elif clause.kind == words.UNMEASURED:
        assert clause.number == N.get(clause.value, 0) == 0
    elif clause.kind == words.CLASS:
        assert clause.number == answer.probabilities[clause.value]
        assert percent(clause.number) in clause.text or sentence.text.endswith("?")
    elif clause.kind == words.CONCEPT:
        found = concept_scores(logits)
        assert top(found) == clause.value
        assert clause.number == pytest.approx(max(softmax(list(found.values()))))
        assert ("lean" in clause.text) == (clause.number < CLAIMED)
        assert clause.text.endswith(", too") == (clause.value == answer.label)
    elif clause.kind == words.CHANGE and clause.other:
        before, after = concept_scores(logits), concept_scores(logits, (clause.head, clause.value))
        assert top(after) == clause.other != top(before)
        assert clause.number == pytest.approx(after[clause.other] - after[top(before)]) and clause.number >= 0
        assert softmax(logits[output_slice(clause.head)]).max() >= CLAIMED
    elif clause.kind == words.CHANGE:
        assert clause.number == 0 == len(KNOWN.concepts.what_would_change(seen(answer)))
    else:
        assert clause.kind == words.REFUSED and clause.number < 0


def check_grammar(found):
    assert 1 <= len(found.sentences) <= words.LONGEST
    for sentence in found.sentences:
        text = sentence.text
        assert text[0].isupper() and text[-1] in ".?" and text.count(".") + text.count("?") == 1, text
        assert not re.search(r"  | [,.;:?)]|,,|\ba [aeiou]|\ban [^aeiou]|_|\band and\b|\b(\w+) \1\b", text), text
        assert not re.search(r"\d", "".join(part for part in sentence.parts if isinstance(part, str))), text


CELLS = st.lists(st.floats(-9, 9, width=32), min_size=WIDTH, max_size=WIDTH)


@settings(max_examples=150, deadline=None)
@given(CELLS, st.sampled_from([None, *CELL_CLASSES]), st.sampled_from([0.0, 0.9]))
def test_every_clause_is_carried_by_its_number(logits, other, confident_from):
    answer = of_logits(logits, rule(), confident_from)
    found = explain(answer, KNOWN, other)
    assert found.answer == answer.label != found.other
    if other not in (None, answer.label):
        assert found.other == other
    check_grammar(found)
    for sentence in found.sentences:
        for clause in sentence.clauses:
            check_clause(clause, sentence, answer)


@settings(max_examples=40, deadline=None)
@given(CELLS, st.sampled_from([None, *CELL_CLASSES]), st.booleans())
def test_what_is_unfamiliar_or_no_cell_gets_no_reason_for_a_class(logits, other, is_cell):
    answer = of_logits(logits, rule(cell=-1.0 if is_cell else 0.5, familiar=-0.25))
    found = explain(answer, KNOWN, other)
    assert [clause.kind for clause in found.clauses] == [words.REFUSED]
    assert found.clauses[0].number == (-0.75 if is_cell else -0.5)
    assert not any(name.replace("_", " ") in found.text.lower() for name in CELL_CLASSES)
    check_grammar(found)


@pytest.mark.parametrize(("one", "other"), permutations(CELL_CLASSES, 2))
@pytest.mark.parametrize("sure", [0.99, 0.6])
def test_every_pair_of_classes_is_told_in_whole_sentences(one, other, sure):
    for label in N:
        answer = prediction({one: sure, other: 0.99 - sure + 0.005}, typical(label))
        found = explain(answer, KNOWN, other)
        check_grammar(found)
        for sentence in found.sentences:
            for clause in sentence.clauses:
                check_clause(clause, sentence, answer)
        if one in N and other in N and label == one:
            assert re.search(rf"speaks for an? {one} rather than an? {other}\.", found.text)


def said(classes, attributes, other=None, **more):
    return [sentence.text for sentence in explain(prediction(classes, attributes, **more), KNOWN, other).sentences]


def test_a_neutrophil_and_not_an_eosinophil():
    assert said({"neutrophil": 0.97, "eosinophil": 0.02}, typical("neutrophil")) == [
        "The granules are fine and pink, and the nucleus is an undivided band: that speaks for a neutrophil rather "
        "than an eosinophil.",
        "Against an eosinophil: its granules are large and round (> 99 % of annotated eosinophils), and here they are "
        "fine.",
        "The model is confident: 97 % neutrophil, 2 % eosinophil.",
        "The features alone would say neutrophil, too, and no single other feature would change that.",
    ]


def test_what_speaks_for_the_other_is_not_kept_back():
    lobed = typical("neutrophil", nucleus_shape=("segmented-bilobed", 0.9))
    assert said({"neutrophil": 0.97, "eosinophil": 0.02}, lobed)[2] == (
        "On the other hand, the nucleus has two lobes, which speaks for an eosinophil instead."
    )
    unsure = typical("neutrophil", nucleus_shape=("segmented-bilobed", 0.79))
    assert "lobes" not in " ".join(said({"neutrophil": 0.97, "eosinophil": 0.02}, unsure))


def test_where_the_model_is_not_sure_the_deciding_question_is_asked():
    found = said({"lymphocyte": 0.57, "monocyte": 0.42}, typical("lymphocyte"))
    assert found[0] == (
        "The nucleus is round and takes most of the cell, and the cell is small: that speaks for a lymphocyte rather "
        "than a monocyte."
    )
    assert found[2] == (
        "The model is not sure (57 % lymphocyte, 42 % monocyte), so decide for yourself: how is the chromatin?"
    )


def test_where_the_features_disagree_with_the_network_they_say_so():
    assert said({"monocyte": 0.95, "lymphocyte": 0.03}, typical("lymphocyte", cell_size=("small", 0.9)))[-1].startswith(
        "The features alone would say lymphocyte, not monocyte"
    )


def test_a_class_without_annotations_gets_no_features():
    assert said({"erythroblast": 0.97, "lymphocyte": 0.02}, typical("lymphocyte")) == [
        "The features of erythroblasts were not annotated, so they cannot be given as reasons.",
        "To tell it from a lymphocyte, ask: what color is the cytoplasm, and how even is the nucleus?",
        "The model is confident: 97 % erythroblast, 2 % lymphocyte.",
    ]


def test_nor_is_anything_held_against_one_and_the_concept_model_owns_that_it_cannot_name_it():
    assert said({"basophil": 0.97, "immature_granulocyte": 0.02}, typical("basophil")) == [
        "The granules are coarse and dark purple, as in most annotated basophils.",
        "The features of immature granulocytes were not annotated, so they cannot be compared.",
        "To tell it from an immature granulocyte, ask: is the nucleus lobed?",
        "The model is confident: 97 % basophil, 2 % immature granulocyte.",
        "The features alone would say basophil, too, but they cannot say immature granulocyte.",
    ]


def test_where_no_feature_is_clear_none_is_named():
    dim = {head: (values[0], 0.79) for head, values in ATTRIBUTES.items()}
    assert said({"monocyte": 0.97, "lymphocyte": 0.02}, dim)[0] == (
        "No feature is clear enough to be given as a reason."
    )


def test_where_nothing_that_is_clear_tells_the_two_apart_it_says_so():
    dim = {head: (values[0], 0.6) for head, values in ATTRIBUTES.items()} | {"cell_shape": ("round", 0.99)}
    assert said({"basophil": 0.97, "eosinophil": 0.02}, dim)[0] == (
        "None of the features that the model is sure of speaks for a basophil rather than an eosinophil."
    )


def test_each_attribute_is_claimed_from_the_probability_on_the_card_on():
    dim = {head: (values[0], 0.6) for head, values in ATTRIBUTES.items()} | {"cell_shape": ("round", 0.85)}
    answer = prediction({"basophil": 0.97, "eosinophil": 0.02}, dim)
    assert [feature.head for feature in claimed(seen(answer), {})] == ["cell_shape"]
    assert claimed(seen(answer), {"cell_shape": 0.9}) == ()
    assert [feature.head for feature in claimed(seen(answer), {"cell_size": 0.55, "cell_shape": 0.9})] == ["cell_size"]
    doubted = replace(answer, claimed_from={"cell_shape": 0.9})
    assert explain(doubted, KNOWN).text.startswith("No feature is clear enough to be given as a reason.")


def test_nothing_is_said_of_granules_that_contradict_themselves():
    torn = typical("neutrophil", granularity=("no", 0.99))
    assert not any(feature.head.startswith("granul") for feature in claimed(seen(prediction({}, torn)), {}))
    assert "The granules" not in " ".join(said({"neutrophil": 0.97, "eosinophil": 0.02}, torn))


def test_the_ratio_is_that_of_the_counts():
    measured = KNOWN.content.measured
    assert ratio(measured, "nucleus_shape", "unsegmented-band", "neutrophil", ["eosinophil"]) == pytest.approx(
        (COUNTS["neutrophil"]["nucleus_shape"]["unsegmented-band"] + 0.5) / (3171 + 3) * (2952 + 3) / (294 + 0.5)
    )


def test_the_refusals_in_words():
    assert explain(prediction({}, typical("monocyte"), rule(familiar=0.0)), KNOWN).text == (
        "This cell is unlike those that the model learned from, so what it reads of the features is not given as a "
        "reason."
    )
    assert explain(prediction({}, typical("monocyte"), rule(cell=0.5)), KNOWN).text == (
        "This does not look like a blood cell to the model, so there is no class to give reasons for."
    )


def test_one_subject_is_named_once_and_then_called_it():
    assert said({"monocyte": 0.97, "neutrophil": 0.02}, typical("monocyte"))[1] == (
        "Against a neutrophil: its cytoplasm is clear (100 % of annotated neutrophils), and here it looks like ground "
        "glass."
    )


def test_an_unknown_class_names_what_there_is():
    with pytest.raises(InputError, match="neutro"):
        explain(prediction({"neutrophil": 0.9}, typical("neutrophil")), KNOWN, "neutro")

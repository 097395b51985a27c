import json

import pytest

from hematovision.cells import ATTRIBUTES
from hematovision.content.concepts import CONCEPTS_FILE, Change, Concepts, agree, concepts, read_concepts
from hematovision.content.phrases import PHRASES_FILE, phrases, plural, read_phrases, with_article
from hematovision.errors import DataError

FIRST = {name: values[0] for name, values in ATTRIBUTES.items()}


def sure(**values):
    """Every attribute read for certain: its first value, or the one given; granules coarse and pink unless told."""
    chosen = FIRST | {"granule_colour": "pink", "granularity": "yes"} | values
    return {name: {value: float(value == chosen[name]) for value in of} for name, of in ATTRIBUTES.items()}


def linear(**weights):
    """A model of two classes: the weights, `head=value` -> weight, speak for a monocyte and against a lymphocyte."""
    tables = {}
    for label, sign in (("lymphocyte", -1), ("monocyte", 1)):
        tables[label] = {name: dict.fromkeys(values, 0.0) for name, values in ATTRIBUTES.items()}
        for key, weight in weights.items():
            head, value = key.split("__")
            tables[label][head][value.replace("_", " ")] = sign * weight
    return Concepts(tables, {"lymphocyte": 0.5, "monocyte": -0.5}, 10, 4, 3, (0.3, 0.95))


def test_the_answer_is_the_greatest_sum_of_weights_and_bias():
    model = linear(cell_size__big=2.0, cytoplasm_colour__light_blue=-3.0)
    assert model.scores(sure()) == {"lymphocyte": 0.5 - 2, "monocyte": -0.5 + 2}
    assert model.label(sure()) == "monocyte" and model.label(sure(cytoplasm_colour="light blue")) == "lymphocyte"
    assert model.probabilities(sure())["monocyte"] == pytest.approx(0.952574)  # 1 / (1 + exp(-3))


def test_a_value_counts_as_much_as_it_is_likely():
    half = {**sure(), "cell_size": {"big": 0.25, "small": 0.75}}
    assert linear(cell_size__big=2.0).scores(half) == {"lymphocyte": 0.5 - 0.5, "monocyte": -0.5 + 0.5}


def test_what_would_change_the_class_comes_with_its_margin_the_greatest_first():
    model = linear(cell_size__big=1.0, cell_shape__irregular=0.25, chromatin_density__loosely=-4.0)
    assert model.label(sure()) == "monocyte"
    assert model.what_would_change(sure()) == (
        Change("chromatin_density", "loosely", "lymphocyte", 6.5),
        Change("cell_size", "small", "lymphocyte", 0.5),
    )


def test_granules_without_form_or_color_are_no_change_worth_a_word():
    model = linear(granule_type__coarse=1.0, granule_type__nil=-9.0, granule_type__small=-2.0, granularity__no=-9.0)
    assert model.label(sure()) == "monocyte"
    assert [change.value for change in model.what_would_change(sure())] == ["small", "round"]
    assert agree({"granule_type": "nil", "granule_colour": "nil", "granularity": "no"})
    assert not agree({"granule_type": "nil", "granule_colour": "pink", "granularity": "yes"})


def test_the_model_that_comes_along_knows_the_annotated_classes_and_what_tells_them_apart():
    model = concepts()
    assert list(model.biases) == ["basophil", "eosinophil", "lymphocyte", "monocyte", "neutrophil"]
    assert (model.fitted, model.tested, model.right) == (5668, 3098, 3065)
    assert model.interval == pytest.approx((0.98508, 0.99241), abs=1e-5)
    basophil = sure(
        cell_size="small", cell_shape="round", nuclear_cytoplasmic_ratio="low", granule_colour="purple",
        cytoplasm_colour="light blue",
    )  # fmt: skip
    assert model.label(basophil) == "basophil"
    for change in model.what_would_change(basophil):
        flipped = {**basophil, change.head: {change.value: 1.0}}
        assert model.label(flipped) == change.becomes != "basophil"
    first = model.what_would_change(basophil)[0]
    assert (first.head, first.value, first.becomes) == ("granule_type", "small", "neutrophil")


@pytest.mark.parametrize("spoil", [lambda f: f.pop("test"), lambda f: f["biases"].update(neutro=1.0),
                                   lambda f: f["weights"]["monocyte"].pop("granularity")])  # fmt: skip
def test_a_damaged_model_says_how_to_write_it_again(tmp_path, spoil):
    found = json.loads(CONCEPTS_FILE.read_text(encoding="utf-8"))
    spoil(found)
    (tmp_path / "concepts.json").write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_concepts(tmp_path / "concepts.json")
    assert "benchmarks.concepts" in caught.value.hint or "basophil" in caught.value.hint


def test_every_value_has_a_phrase_in_each_form():
    assert set(phrases()) == {(head, value) for head, values in ATTRIBUTES.items() for value in values}
    fine, none, most = (
        phrases()[key]
        for key in (("granule_type", "small"), ("granularity", "no"), ("nuclear_cytoplasmic_ratio", "high"))
    )
    assert [fine.words, fine.its_words, fine.if_words] == [
        "the granules are fine", "its granules are fine", "the granules were fine"
    ]  # fmt: skip
    assert [none.its_words, none.if_words] == ["it has no granules", "the cell had no granules"]
    assert most.if_words == "the nucleus took most of the cell"


def test_names_take_their_article_and_plural():
    assert [with_article(name) for name in ("eosinophil", "immature_granulocyte", "basophil")] == [
        "an eosinophil", "an immature granulocyte", "a basophil"
    ]  # fmt: skip
    assert plural("immature_granulocyte") == "immature granulocytes"


@pytest.mark.parametrize(
    ("old", "new"),
    [("granularity:", "granules:"), ("[the cell, is, large]", "[the cell, be, large]"), ("  clear:", "  lucid:"),
     ("[the cell, is, small]", "small")],
)  # fmt: skip
def test_damaged_phrases_are_refused(tmp_path, old, new):
    text = PHRASES_FILE.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "phrases.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError):
        read_phrases(tmp_path / "phrases.yaml")

import json

import pytest

from hematovision.errors import ModelError
from hematovision.vision.card import load_card
from hematovision.vision.wrong_cells import (
    ERRORS_FILE,
    Hint,
    WrongCell,
    WrongCells,
    hints_text,
    load_wrong_cells,
    write_wrong_cells,
)

BAND = Hint("nucleus_shape", "unsegmented-band", 0.62, 0.05)
PINK = Hint("granule_colour", "pink", 0.1, 0.904)
CELL = WrongCell(
    "PBC",
    "neutrophil/BNE_1.jpg",
    "neutrophil",
    "immature_granulocyte",
    "check",
    {"neutrophil": 0.4, "immature_granulocyte": 0.6},
    {"granularity": "yes"},
    {},
    (BAND, PINK),
)


@pytest.fixture
def folder(tiny_model, tmp_path):
    (tmp_path / "card.json").write_bytes((tiny_model / "card.json").read_bytes())
    return tmp_path


def test_what_is_written_is_read_again(folder):
    card = load_card(folder)
    wrong = WrongCells(card.version, "test", 12, (CELL,))
    write_wrong_cells(folder, wrong)
    assert load_wrong_cells(card) == wrong
    assert WrongCells.from_json(json.loads(json.dumps(wrong.as_json()))) == wrong


def test_a_list_of_another_model_says_nothing_of_this_one(folder):
    card = load_card(folder)
    assert load_wrong_cells(card) is None
    write_wrong_cells(folder, WrongCells("another", "test", 12, (CELL,)))
    assert load_wrong_cells(card) is None


@pytest.mark.parametrize("content", ["{", "{}", '{"model": "m", "split": "test", "n": 1, "cells": [{}]}'])
def test_a_damaged_list_says_how_to_mend_it(folder, content):
    (folder / ERRORS_FILE).write_text(content)
    with pytest.raises(ModelError, match=r"cannot be read.*evaluate --write"):
        load_wrong_cells(load_card(folder))


def test_hints_are_told_apart_and_put_in_words():
    assert (CELL.for_key, CELL.for_answer) == ((BAND,), (PINK,))
    assert hints_text(CELL.hints) == "Nucleus shape: unsegmented-band (62 % : 5 %); Granule color: pink (10 % : 90 %)"
    assert hints_text(()) == "–"

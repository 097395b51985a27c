"""The nearest reference cells: exactly those, in an order that is always the same."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.cells import CELL_CLASSES
from hematovision.library.bank import Library, Source
from hematovision.library.records import Record
from hematovision.library.similar import Embeddings, References

numbers = st.integers(-3, 3)


@st.composite
def searches(draw):
    """A small matrix with many ties and copies, ids in no order, a query, and what is asked of it."""
    width = draw(st.integers(1, 4))
    vector = st.lists(numbers, min_size=width, max_size=width)
    vectors = draw(st.lists(vector, min_size=1, max_size=12))
    ids = draw(st.permutations([f"{nth:02d}" for nth in range(len(vectors))]))
    among = draw(st.lists(st.sampled_from([*ids, "gone"]), unique=True))
    return vectors, ids, draw(vector), among, draw(st.integers(0, 14)), draw(st.sampled_from([*ids, ""]))


def embeddings(vectors, ids):
    return Embeddings({i: row for row, i in enumerate(ids)}, np.array(vectors, np.float32))


def brute_force(vectors, ids, query, among, count, beside):
    """Every cosine by hand, then a sort of all of them."""
    found = []
    for i, vector in zip(ids, vectors, strict=True):
        product = sum(a * b for a, b in zip(vector, query, strict=True))
        squares = sum(a * a for a in vector) * sum(b * b for b in query)
        # In whole numbers: parallel vectors are copies.
        if i in among and i != beside and squares and not (product > 0 and product * product == squares):
            found.append((i, product / math.sqrt(squares)))
    found.sort(key=lambda near: (-round(near[1], 9), near[0]))
    return found[:count]


@settings(deadline=None)
@given(searches())
def test_the_search_is_exact_and_ties_go_by_id(search):
    vectors, ids, query, among, count, beside = search
    known = embeddings(vectors, ids)
    found = known.nearest(np.array(query, np.float32), known.among(among), count, beside)
    expected = brute_force(vectors, ids, query, among, count, beside)
    assert [i for i, _ in found] == [i for i, _ in expected]
    assert [s for _, s in found] == pytest.approx([s for _, s in expected], abs=1e-8)


def test_the_search_is_exact_where_single_precision_is_not():
    """Nearest ones whose similarities differ by less than single precision can tell."""
    rng = np.random.default_rng(0)
    query = rng.random(1280)
    near = query + 0.01 * rng.random(1280)
    vectors = np.stack([near + 1e-4 * rng.random(1280) for _ in range(50)]).astype(np.float32)
    known = embeddings(vectors, [f"{nth:02d}" for nth in range(50)])
    wide = vectors.astype(np.float64)
    exact = wide @ query / np.linalg.norm(wide, axis=1) / np.linalg.norm(query)
    order = sorted(range(50), key=lambda row: (-round(exact[row], 9), row))
    found = known.nearest(query, known.among([*known.rows]), 5)
    assert [i for i, _ in found] == [f"{row:02d}" for row in order[:5]]
    assert len(set(np.float32(exact))) < 10 < len({round(value, 9) for value in exact})


def test_pictures_that_are_all_the_same_are_copies_to_none_but_themselves():
    known = embeddings([[1, 2], [2, 4], [2, 1], [2, 1]], ["d", "c", "b", "a"])
    among = known.among("abcd")
    assert known.nearest(np.array([1, 2]), among, 9) == [("a", 0.8), ("b", 0.8)]
    assert known.nearest(np.array([2, 1]), among, 1) == [("c", 0.8)]


@pytest.mark.parametrize("bad", [[0, 0], [math.nan, 1], [math.inf, 1]])
def test_what_has_no_direction_is_near_nothing(bad):
    known = embeddings([[1, 0], bad, [0, 1]], ["a", "b", "c"])
    assert known.nearest(np.array(bad, np.float32), known.among("abc"), 3) == []
    assert [i for i, _ in known.nearest(np.array([3, 1]), known.among("abc"), 3)] == ["a", "c"]


def test_the_vectors_are_not_copied_for_a_search():
    """Rows of a class are one slice of the file: the search holds a number for each row, and no vector."""
    import tracemalloc

    vectors = np.random.default_rng(0).random((2000, 1280), np.float32)
    known = embeddings(vectors, [f"{nth:04d}" for nth in range(2000)])
    among = known.among([f"{nth:04d}" for nth in range(0, 2000, 2)])
    tracemalloc.start()
    try:
        known.nearest(vectors[1], among, 5)
        assert tracemalloc.get_traced_memory()[1] < vectors.nbytes / 20
    finally:
        tracemalloc.stop()


def test_what_is_usual_is_what_nine_of_ten_reach_with_their_nearest_other():
    angles = np.radians([0, 1, 2, 90, 91, 180, 181, 181])  # the last two are copies: not each other's neighbor
    known = embeddings(np.stack([np.cos(angles), np.sin(angles)], axis=1), "abcdefgh")
    usual = known.usual(known.among("abcdefgh"))
    assert usual == pytest.approx(math.cos(math.radians(1)), abs=1e-6)
    assert known.usual(known.among("a")) is None and known.usual(known.among("gh")) is None
    assert known.usual(known.among("")) is None
    # 60 degrees from each other, and one of ten far off.
    far = embeddings([[1, 0, 0], [0.5, math.sqrt(0.75), 0], [0, 0, 1]], "abc")
    assert far.usual(far.among("abc")) == pytest.approx(0.1, abs=1e-6)


def library(*pictures):
    """Drawn cells by id, class and split: their ids are their names."""
    records = (Record("d", Path(f"{i}.webp"), label, split, is_drawn=True) for i, label, split in pictures)
    return Library((Source(Path("d"), tuple(records)),))


@pytest.fixture
def cells():
    return library(
        ("a", "monocyte", "train"),
        ("b", "monocyte", "train"),
        ("q", "monocyte", "test"),
        ("l", "lymphocyte", "train"),
        ("p", "lymphocyte", "test"),
    )


VECTORS = {"a": [1, 0.1], "q": [1, 0.01], "b": [1, 0.3], "p": [1, 0.02], "l": [1, 0.2], "gone": [1, 0.03]}


def test_only_references_of_the_library_are_found_and_by_class(cells):
    found = References(cells, embeddings(list(VECTORS.values()), list(VECTORS)))
    query = np.array([1, 0])
    assert [i for i, _ in found.nearest(query, 9)] == ["a", "l", "b"]
    assert [i for i, _ in found.nearest(query, 9, "monocyte")] == ["a", "b"]
    assert [i for i, _ in found.nearest(query, 9, "lymphocyte")] == ["l"]
    assert found.nearest(query, 9, "basophil") == [] and found.nearest(query, 9, "band") == []
    assert [i for i, _ in found.nearest(query, 9, "monocyte", beside="a")] == ["b"]
    assert found.at_hand == (3, 3)


def test_an_index_that_is_being_built_gives_what_it_has(cells):
    half = References(cells, embeddings([VECTORS["b"], VECTORS["q"]], ["b", "q"]))
    assert [i for i, _ in half.nearest(np.array([1, 0]), 2)] == ["b"]
    assert half.at_hand == (1, 3) and half.usual is None
    none = References(cells, Embeddings({}, np.empty((0, 0), np.float32)))
    assert none.nearest(np.array([1, 0]), 2) == [] and none.at_hand == (0, 3)
    none.warm_up()


def test_all_classes_are_searched():
    every = library(*((label, label, "train") for label in CELL_CLASSES))
    found = References(every, embeddings(np.eye(8)[:, :] + 0.5, list(CELL_CLASSES)))
    assert {i for i, _ in found.nearest(np.ones(8) + np.arange(8), 8)} == set(CELL_CLASSES)

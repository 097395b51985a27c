from itertools import combinations, pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.errors import InputError
from hematovision.quiz.blueprint import Available, Row, draw, parse

NESTED = {"count": 2, "cell": "band", "of_them": [{"count": 1, "pitfall": True}]}
BAND = {"nucleus_shape": "unsegmented-band"}


def cells(label, count, start=0, **more):
    return [Available(f"{label}{start + i}", label, **more) for i in range(count)]


LIBRARY = [
    *cells("neutrophil", 20, attributes={"nucleus_shape": "segmented-multilobed"}),
    *cells("neutrophil", 6, 20, stage="band", attributes=BAND),
    *cells("monocyte", 10, model_label="monocyte"),
    *cells("monocyte", 3, 10, model_label="lymphocyte"),
    *cells("lymphocyte", 3, attributes={"cell_size": "big"}),
    *cells("lymphocyte", 9, 3, attributes={"cell_size": "small"}),
]
ASKED = parse(
    [
        {"count": 12, "cell": "neutrophil", "of_them": [{"count": 4, "attributes": BAND}]},
        {"count": 6, "cell": "monocyte"},
        {"count": 3, "cell": "lymphocyte", "attributes": {"cell_size": "big"}},
        {"count": 2, "pitfall": True},
    ]
)


def counts(drawn):
    found = {cell.id: cell for cell in LIBRARY}
    labels = [found[i].label for i in drawn]
    return {label: labels.count(label) for label in ("neutrophil", "monocyte", "lymphocyte")}


def test_a_draw_fills_every_row_and_takes_no_cell_twice():
    drawn = draw(ASKED, LIBRARY, seed=1)
    assert len(set(drawn)) == len(drawn) == 23
    assert counts(drawn) == {"neutrophil": 12, "monocyte": 8, "lymphocyte": 3}
    assert sum(i in {f"neutrophil{n}" for n in range(20, 26)} for i in drawn) == 4
    assert sum(i in {"monocyte10", "monocyte11", "monocyte12"} for i in drawn) >= 2


def test_the_same_seed_draws_the_same_cells_whatever_order_they_come_in():
    first = draw(ASKED, LIBRARY, seed=1)
    for rows in list(permutations(ASKED))[:6]:
        assert draw(rows, LIBRARY[::-1], seed=1) == first
    assert draw(ASKED, LIBRARY, seed=2) != first


def test_the_order_of_the_cells_does_not_follow_the_rows():
    labels = [i.rstrip("0123456789") for i in draw(ASKED, LIBRARY, seed=1)]
    assert sum(one != other for one, other in pairwise(labels)) > 8


def test_every_cell_has_its_chance():
    row = [Row(2, "monocyte")]
    drawn = [i for seed in range(200) for i in draw(row, LIBRARY, seed)]
    assert set(drawn) == {f"monocyte{i}" for i in range(13)} and max(map(drawn.count, drawn)) < 60


def test_rows_that_share_cells_give_way_to_each_other():
    """Bands go to the row that takes nothing else, even where the other row comes first and might take them."""
    few = [*cells("neutrophil", 2), *cells("neutrophil", 2, 2, stage="band")]
    rows = (Row(2, "neutrophil"), Row(2, "band"))
    assert all(len(draw(rows, few, seed)) == 4 for seed in range(20))


def test_a_chain_of_rows_moves_up():
    """Each cell fits two rows, and only one way of filling them is right."""
    a, b, c = (
        Available("a", "monocyte", attributes={"cell_size": "big"}),
        Available("b", "monocyte", attributes={"cell_size": "big", "granularity": "yes"}),
        Available("c", "monocyte", attributes={"granularity": "yes", "cell_shape": "round"}),
    )
    rows = [
        Row(1, attributes={"cell_size": "big"}),
        Row(1, attributes={"granularity": "yes"}),
        Row(1, attributes={"cell_shape": "round"}),
    ]
    assert {draw(rows, [a, b, c], seed)[0] for seed in range(30)} == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([Row(6, "lymphocyte", {"cell_size": "big"})], "There are 3 large lymphocytes; the blueprint asks for 6."),
        ([Row(1, "platelet")], "There are no platelets; the blueprint asks for 1."),
        ([Row(4, pitfall=True)], "There are 3 pitfalls; the blueprint asks for 4."),
        (
            [Row(9, "neutrophil", of_them=(Row(7, attributes=BAND),))],
            "There are 6 neutrophils with nucleus shape unsegmented-band; the blueprint asks for 7.",
        ),
        (
            [Row(25, "neutrophil", of_them=(Row(4, "band"),))],
            "There are 20 other neutrophils; the blueprint asks for 21.",
        ),
        (
            [Row(12, "monocyte"), Row(3, pitfall=True)],
            "There are 13 cells for pitfalls and monocytes; the blueprint asks for 15.",
        ),
    ],
)
def test_a_row_that_cannot_be_filled_is_named_with_how_many_there_are(rows, message):
    for seed in range(5):
        with pytest.raises(InputError) as caught:
            draw(rows, LIBRARY, seed)
        words = caught.value.message
        assert caught.value.kind == "too_few" and caught.value.hint
        assert words == message or words == message.replace("pitfalls and monocytes", "monocytes and pitfalls")


def test_one_cell_is_one_cell():
    with pytest.raises(InputError, match=r"^There is 1 large platelet; the blueprint asks for 2\."):
        draw([Row(2, "platelet", {"cell_size": "big"})], cells("platelet", 1, attributes={"cell_size": "big"}), 0)


def test_a_cell_of_two_kinds_counts_for_neither():
    both = [
        Available("both", "neutrophil", "band", BAND, "monocyte"),
        *cells("neutrophil", 2, attributes=BAND),
        *cells("neutrophil", 2, 2, model_label="monocyte"),
    ]
    row = Row(2, "neutrophil", of_them=(Row(1, attributes=BAND), Row(1, pitfall=True)))
    assert all("both" not in draw([row], both, seed) for seed in range(20))


def test_a_cell_that_the_model_was_not_asked_about_is_no_pitfall():
    assert not Row(1, pitfall=True).fits(Available("a", "monocyte"))
    assert not Row(1, pitfall=True).fits(Available("a", "monocyte", model_label="monocyte"))
    assert Row(1, pitfall=True).fits(Available("a", "monocyte", model_label="lymphocyte"))


def test_rows_come_back_from_what_is_written():
    assert parse([row.as_dict() for row in ASKED]) == ASKED
    assert ASKED[3].as_dict() == {"count": 2, "pitfall": True}


def test_yes_and_no_may_be_written_without_quotes():
    """YAML makes true and false of them."""
    yes, no = parse([{"count": 1, "attributes": {"granularity": value}} for value in (True, False)])
    assert (yes.attributes, no.attributes) == ({"granularity": "yes"}, {"granularity": "no"})


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "A blueprint is a list of rows"),
        ("12 neutrophils", "A blueprint is a list of rows"),
        ([7], "Row 1: A row has no fields"),
        ([{"count": 1}], "Row 1: A row says nothing of its cells"),
        ([{"cell": "band"}], "Row 1: count should be a whole number"),
        ([{"count": 501, "cell": "band"}], "Row 1: count should be a whole number"),
        ([{"count": True, "cell": "band"}], "Row 1: count should be a whole number"),
        ([{"count": 1, "cell": "band"}, {"count": 1, "cell": "mono"}], "Row 2: Unknown class or stage 'mono'"),
        ([{"count": 1, "size": "big"}], "Row 1: Unknown field of a row 'size'"),
        ([{"count": 1, "attributes": ["big"]}], "Row 1: attributes should be names with values"),
        ([{"count": 1, "attributes": {"size": "big"}}], "Row 1: Unknown attribute 'size'"),
        ([{"count": 1, "attributes": {"cell_size": "huge"}}], "Row 1: Unknown value of cell_size 'huge'"),
        ([{"count": 1, "pitfall": "yes"}], "Row 1: pitfall should be true or false"),
        ([{"count": 1, "cell": "band", "of_them": [{"count": 2, "pitfall": True}]}], "Of 1 band neutrophil, 2 are"),
        ([{"count": 3, "cell": "neutrophil", "of_them": [NESTED]}], "A row of a row has rows of its own"),
    ],
)  # fmt: skip
def test_an_error_names_the_row(rows, words):
    with pytest.raises(InputError) as caught:
        parse(rows)
    assert words in caught.value.message and caught.value.hint


def test_a_blueprint_asks_for_some_cells_and_not_too_many():
    for rows in ((), (Row(300, "monocyte"), Row(201, "monocyte"))):
        with pytest.raises(InputError, match="The blueprint asks for"):
            draw(rows, LIBRARY, 0)


values = st.sampled_from(["big", "small"]), st.sampled_from(["yes", "no"])
small_cells = st.lists(st.tuples(st.sampled_from(["monocyte", "platelet"]), *values), max_size=6)
small_rows = st.lists(
    st.builds(
        Row,
        st.integers(1, 2),
        st.sampled_from(["monocyte", "platelet"]),
        st.sampled_from(
            [{}, {"cell_size": "big"}, {"granularity": "yes"}, {"cell_size": "small", "granularity": "no"}]
        ),
    ),
    min_size=1,
    max_size=3,
)


@settings(deadline=None)
@given(small_cells, small_rows, st.integers(0, 5))
def test_a_draw_fails_only_where_no_choice_of_cells_would_do(found, rows, seed):
    """Against trying every choice."""
    library = [Available(str(i), k, "", {"cell_size": s, "granularity": g}) for i, (k, s, g) in enumerate(found)]
    try:
        drawn = draw(rows, library, seed)
    except InputError as error:
        assert error.kind == "too_few" and not possible(rows, library)
    else:
        assert len(set(drawn)) == sum(row.count for row in rows)
        assert possible(rows, [cell for cell in library if cell.id in drawn])


def possible(rows, left):
    if not rows:
        return True
    fitting = [cell for cell in left if rows[0].fits(cell)]
    return any(
        possible(rows[1:], [cell for cell in left if cell not in taken])
        for taken in combinations(fitting, rows[0].count)
    )

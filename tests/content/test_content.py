import re
import shutil

import pytest

from hematovision.cells import ATTRIBUTES, CELL_CLASSES, LOOK_ALIKES, STAGES, pair_of
from hematovision.content import FILES, HERE, KINDS, NAMES, STAGE_PAIRS, content, read_content, read_measured
from hematovision.errors import DataError


@pytest.fixture
def folder(tmp_path):
    """A copy of the text that a test may spoil."""
    for name in FILES:
        shutil.copy(HERE / name, tmp_path / name)
    return tmp_path


def spoil(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_every_class_stage_attribute_value_and_pair_has_its_text():
    text = content()
    assert tuple(text.cells) == NAMES == (*CELL_CLASSES, *STAGES)
    assert {name: set(entry.values) for name, entry in text.attributes.items()} == {
        name: set(values) for name, values in ATTRIBUTES.items()
    }
    assert set(text.pairs) == {pair_of(*pair) for pair in LOOK_ALIKES} | set(STAGE_PAIRS)
    assert STAGE_PAIRS == ("myelocyte|promyelocyte", "metamyelocyte|myelocyte", "band|metamyelocyte", "band|segmented")
    assert set(text.key.kinds) == set(KINDS) and len(KINDS) == 11


def test_every_entry_names_its_sources_and_every_source_is_used():
    text = content()
    entries = (*text.cells.values(), *text.attributes.values(), *text.pairs.values(), text.key)
    assert all(entry.sources for entry in entries)
    assert {one for entry in entries for one in entry.sources} == set(text.sources)


@pytest.mark.parametrize(
    ("name", "size", "normal"),
    [
        ("basophil", "8–14 µm", "Typically 0–1 % of white cells, 0–0.1 ×10⁹/L"),
        ("eosinophil", "10–15 µm", "Typically 0–5.5 % of white cells, 0.05–0.5 ×10⁹/L"),
        ("lymphocyte", "Small 7–8 µm, large 9–15 µm", "Typically 12–44 % of white cells, 1.5–3.7 ×10⁹/L"),
        ("monocyte", "12–20 µm", "Typically 4–9 % of white cells, 0.2–0.8 ×10⁹/L"),
        ("neutrophil", "10–15 µm", "Typically 40–75 % of white cells, 2.7–6.5 ×10⁹/L"),
        ("platelet", "1–4 µm", "Typically 150–450 ×10⁹/L"),
        ("band", "10–15 µm", "Typically 1–3 % of white cells"),
        ("immature_granulocyte", None, "Typically 0–0.9 % of white cells"),
    ],
)
def test_sizes_and_intervals_are_those_of_the_sources(name, size, normal):
    entry = content().cells[name]
    assert entry.normal == normal and size in (entry.size, None)


def test_normal_shares_are_called_typical():
    assert all(entry.normal.lower().find("typically") >= 0 for entry in content().cells.values())


def test_the_key_goes_by_the_sizes_of_the_text():
    text = content()
    steps = {"smaller": (0, 7), "alike": (7, 10), "larger": (10, 15), "giant": (15, 99)}
    for kind in KINDS:
        ranges = [(int(a), int(b)) for a, b in re.findall(r"(\d+)–(\d+)", text.cells[kind].size)]
        expected = {step for step, (low, high) in steps.items() if any(a < high and b > low for a, b in ranges)}
        assert text.key.kinds[kind]["size"] == expected, kind


def test_each_has_look_alikes_or_says_what_else_is_taken_for_it():
    text = content()
    assert [p.other("monocyte") for p in text.look_alikes("monocyte")] == [
        "immature_granulocyte",
        "lymphocyte",
        "neutrophil",
    ]
    assert all(text.look_alikes(name) or text.cells[name].also for name in NAMES)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("classes.yaml", "\nmonocyte:", "\nmonozyt:", "unknown name 'monozyt'"),
        ("classes.yaml", "  chromatin: Loose, like lace\n", "", "'monocyte' does not say its chromatin"),
        ("classes.yaml", "sources: [cellatlas, lichtman, outlines, davis]", "sources: [hearsay]", "not listed"),
        ("attributes.yaml", "    frosted:", "    misty:", "'cytoplasm_texture' has wrong values"),
        ("attributes.yaml", '    "no": None to be seen', "    no: None to be seen", "'cytoplasm_vacuole' has wrong"),
        ("pairs.yaml", "band|segmented:", "band|platelet:", "unknown name 'band|platelet'"),
        ("key.yaml", "nucleus: [none]", "nucleus: [nothing]", "unknown name 'nothing'"),
        ("key.yaml", "  platelet:\n", "  thrombocyte:\n", "unknown name 'thrombocyte'"),
        ("key.yaml", "questions:", "asks:", "not laid out as a key"),
        ("sources.yaml", "davis:", "davis: [", "cannot be read as YAML"),
        ("attribute_shares.json", '"big": 313', '"big": 314', "do not add up"),
        ("attribute_shares.json", '"n"', '"m"', "cannot be read"),
    ],
)
def test_text_that_is_not_whole_is_refused(folder, file, old, new, said):
    assert read_content(folder) == content()
    spoil(folder / file, old, new)
    with pytest.raises(DataError, match=re.escape(said)):
        read_content(folder)


def test_a_missing_entry_is_named(folder):
    path = folder / "pairs.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("band|segmented:")], encoding="utf-8")
    with pytest.raises(DataError, match=re.escape("nothing is said of band|segmented")):
        read_content(folder)


def test_shares_are_those_that_were_counted():
    measured = read_measured(HERE / "attribute_shares.json")
    assert dict(measured.n) == {
        "basophil": 1157,
        "eosinophil": 2952,
        "lymphocyte": 1154,
        "monocyte": 1360,
        "neutrophil": 3171,
    }
    assert measured.share("basophil", "cell_size", "big") == 313 / 1157
    assert measured.share("lymphocyte", "cytoplasm_vacuole", "yes") == 0.0
    assert measured.share("platelet", "cell_size", "big") is None and measured.share("band", "cell_size", "big") is None


def test_the_shares_that_a_doubt_names_are_those_that_were_counted():
    doubts = {name: entry.doubt for name, entry in content().attributes.items() if entry.doubt}
    assert {name: doubt.classes for name, doubt in doubts.items()} == {
        "nucleus_shape": ("neutrophil",),
        "cytoplasm_texture": ("lymphocyte",),
    }
    frosted = content().measured.share("lymphocyte", "cytoplasm_texture", "frosted")
    assert frosted is not None and f"{frosted:.0%}".replace("%", " %") in doubts["cytoplasm_texture"].words

import csv
import xml.etree.ElementTree as ET

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hematovision import images
from hematovision.smear.drawing import draw_field
from hematovision.smear.finder import JOIN, MIN_AREA, Tone, count_levels, find_cells, is_stained, multi_otsu
from hematovision.smear.stain import MGG


def overlap(a, b):
    """Intersection over union of two boxes."""
    width = max(0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    height = max(0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


def test_thresholds_lie_between_three_tones():
    tones = np.repeat(np.array([20, 90, 200], np.uint8), [500, 300, 100])
    low, high = multi_otsu(tones)
    assert 20 <= low < 90 <= high < 200


def test_thresholds_agree_with_an_exhaustive_search():
    values = np.random.default_rng(0).normal(0, 1, 600) * 6 + np.repeat([40, 80, 110], 200)
    values = values.astype(np.uint8)

    def between(a, b):
        parts = (values[values <= a], values[(values > a) & (values <= b)], values[values > b])
        return sum(len(p) * (p.mean() - values.mean()) ** 2 for p in parts if len(p))

    best = max(between(a, b) for a in range(20, 130) for b in range(a + 1, 131))
    assert between(*multi_otsu(values)) == pytest.approx(best)


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))), st.integers(0, 2))
def test_levels_are_counted_as_they_are(picture, channel):
    mask = (picture[..., 0] > 100).astype(np.uint8)
    assert np.array_equal(count_levels(picture, channel), np.bincount(picture[..., channel].ravel(), minlength=256))
    chosen = picture[..., channel][mask > 0]
    assert np.array_equal(count_levels(picture, channel, mask), np.bincount(chosen, minlength=256))


def test_more_pixels_are_counted_than_a_float_of_32_bits_can():
    counts = count_levels(np.zeros((4097, 4099), np.uint8))
    assert counts[0] == 4097 * 4099 > 2**24 and not counts[1:].any()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(-9, 170), st.integers(-9, 140), st.integers(1, 22)), max_size=9))
def test_nuclei_are_those_of_a_search_through_the_whole_picture(discs):
    """Wherever they lie, also at the picture's edge; only the part that holds something is searched."""
    values = np.zeros((131, 161), np.uint8)
    for x, y, radius in discs:
        cv2.circle(values, (x, y), radius, 200, -1)
    found = find_cells(np.zeros((131, 161, 3), np.uint8), Tone(values, 50, 100))

    def ellipse(radius):
        return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))

    mask = cv2.morphologyEx((values > 100).astype(np.uint8), cv2.MORPH_OPEN, ellipse(1))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(
        cv2.morphologyEx(mask, cv2.MORPH_CLOSE, ellipse(round(131 * JOIN)))
    )
    nuclei = [(parts == i) & (mask > 0) for i in sorted(range(1, count), key=lambda i: -stats[i, cv2.CC_STAT_AREA])]
    large = [nucleus for nucleus in nuclei if nucleus.sum() >= MIN_AREA * 131**2]
    assert len(found) == len(large)
    assert all(np.array_equal(cell.nucleus, nucleus) for cell, nucleus in zip(found, large, strict=True))


def test_two_drawn_cells_are_found_where_they_are(field):
    centers = [(160, 200), (460, 300)]
    found = find_cells(field.picture)
    assert len(found) == 2
    for cell in found:
        x, y, width, height = cell.box
        assert any(abs(x + width / 2 - cx) < 10 and abs(y + height / 2 - cy) < 10 for cx, cy in centers)
        assert (
            cell.nucleus.shape == (480, 640) and cell.nucleus[y : y + height, x : x + width].sum() == cell.nucleus.sum()
        )


def test_a_field_without_white_cells_has_none():
    assert find_cells(draw_field([], MGG, np.random.default_rng(1)).picture) == []


@pytest.mark.parametrize("tone", [0, 128, 255])
def test_a_flat_picture_is_not_stained(tone):
    assert not is_stained(np.full((100, 100, 3), tone, np.uint8))


def test_gray_is_not_stained_and_a_drawn_cell_is(cell):
    gray = np.repeat(np.random.default_rng(0).integers(0, 256, (100, 100, 1)), 3, axis=2).astype(np.uint8)
    assert not is_stained(gray)
    assert is_stained(cell)


def test_white_cells_of_real_fields_are_found(real_data):
    """Against BCCD's boxes: recall at least 0.98 and precision at least 0.95 at an overlap of a half."""
    root = real_data / "bccd" / "BCCD"
    hits = boxes = found_in_all = 0
    for annotation in sorted((root / "Annotations").glob("*.xml")):
        truth = [white_cell(o) for o in ET.parse(annotation).iter("object") if o.findtext("name") == "WBC"]
        found = [c.box for c in find_cells(images.read(root / "JPEGImages" / f"{annotation.stem}.jpg"))]
        boxes += len(truth)
        found_in_all += len(found)
        hits += sum(any(overlap(t, f) >= 0.5 for f in found) for t in truth)
    assert hits / boxes >= 0.98
    assert hits / found_in_all >= 0.95


def white_cell(annotation):
    left, top, right, bottom = (int(annotation.findtext(f"bndbox/{k}")) for k in ("xmin", "ymin", "xmax", "ymax"))
    return left, top, right - left, bottom - top


def test_real_cells_are_stained(real_data):
    with (real_data / "pbc" / "splits.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == "test"][::40]
    root = real_data / "pbc" / "PBC_dataset_normal_DIB"
    folders = {"immature_granulocyte": "ig"}
    for row in rows:
        assert is_stained(images.read(root / folders.get(row["class"], row["class"]) / row["name"])), row["name"]

"""Field -> white cells with boxes and masks.

Romanowsky stains make nuclei violet: Lab's a − b is high there and low in red cells and plasma, whatever the white
balance. A three-class threshold (Otsu 1979, for several classes) on it separates the nuclei.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture, at_most

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels of the picture."""

WORKING_SIDE = 640
"""Larger fields are searched at this longer side: finding a nucleus needs no finer grain."""
GATE_SIDE = 160
"""Asking whether anything is stained needs less still."""
MIN_CONTRAST = 12
"""Least distance of the two thresholds on the a − b scale. The pictures of PBC have 28 to 45, a gray or flat one 1."""
MIN_AREA = 0.006
"""Least nucleus, as a share of the square of the picture's shorter side: leaves platelets out of a 100× field."""
JOIN = 0.03
"""Lobes nearer than this share of the picture's shorter side belong to one nucleus; nuclei of two cells seldom do."""
MARGIN = 0.14
"""Cytoplasm around the nucleus, as a share of the nucleus' longer side."""


@dataclass(frozen=True)
class Tone:
    """How violet a picture is: `values` (H, W) uint8 as of `violet`, and the two thresholds between its three tones."""

    values: NDArray[np.uint8]
    low: int
    high: int

    @property
    def contrast(self) -> int:
        return self.high - self.low


@dataclass(frozen=True)
class FoundCell:
    """A white cell: `box` in pixels of the picture, `nucleus` a (H, W) bool mask of the whole picture."""

    box: Box
    nucleus: NDArray[np.bool_]


def is_stained(picture: Picture) -> bool:
    """Whether the picture holds three tones of a Romanowsky stain: plasma, red cells or cytoplasm, and violet.

    Refuses flat, gray and most printed pictures. It does not tell a blood cell from another violet thing.
    """
    return measure_tone(at_most(picture, GATE_SIDE)[0]).contrast >= MIN_CONTRAST


def find_cells(picture: Picture, tone: Tone | None = None) -> list[FoundCell]:
    """White cells of a field, largest nucleus first. Empty where nothing is stained like a nucleus.

    `tone` is that of a picture no larger than `WORKING_SIDE`, measured where it is not given.
    """
    height, width = picture.shape[:2]
    small, shrink = at_most(picture, WORKING_SIDE)
    tone = measure_tone(small) if tone is None else tone
    if tone.contrast < MIN_CONTRAST:
        return []
    side = min(small.shape[:2])
    least = MIN_AREA * side**2
    mask = (tone.values > tone.high).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disc(round(side * 0.008)))
    reach = round(side * JOIN)
    # Nothing is joined beyond this; what lies farther out is empty, and most of a picture does.
    start_x, start_y, end_x, end_y = _around(mask, 2 * max(1, reach))
    mask = mask[start_y:end_y, start_x:end_x]
    if not mask.size:
        return []
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _disc(reach))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(joined)
    found = []
    for part in sorted(range(1, count), key=lambda i: -stats[i, cv2.CC_STAT_AREA]):
        if stats[part, cv2.CC_STAT_AREA] < least:
            break  # and so are all that follow
        nucleus = (parts == part) & (mask > 0)
        if nucleus.sum() < least:
            continue
        x, y, w, h = (int(v) for v in stats[part, :4])
        x, y = x + start_x, y + start_y
        margin = round(MARGIN * max(w, h))
        left, top = max(0, x - margin), max(0, y - margin)
        right, bottom = min(small.shape[1], x + w + margin), min(small.shape[0], y + h + margin)
        box = tuple(round(v / shrink) for v in (left, top, right - left, bottom - top))
        whole = np.zeros(small.shape[:2], np.uint8)
        whole[start_y:end_y, start_x:end_x] = nucleus
        full = cv2.resize(whole, (width, height), interpolation=cv2.INTER_NEAREST) > 0
        found.append(FoundCell(box, full))  # type: ignore[arg-type]
    return found


def measure_tone(picture: Picture) -> Tone:
    """How violet a picture (H, W, 3) is, at its own size."""
    values = violet(picture)
    return Tone(values, *multi_otsu(values))


def multi_otsu(values: NDArray[np.uint8]) -> tuple[int, int]:
    """The two thresholds that make the variance between the three classes of an 8-bit picture greatest."""
    histogram = count_levels(values).astype(np.float64)
    used = np.flatnonzero(histogram)
    lowest, highest = int(used[0]), int(used[-1])
    if highest - lowest < 2:
        return lowest, lowest
    histogram = histogram[lowest : highest + 1]
    weight = np.cumsum(histogram)
    moment = np.cumsum(histogram * np.arange(lowest, highest + 1))

    def score(moment, weight):
        return moment**2 / np.maximum(weight, 1)

    # By the last level of the first class (rows) and of the second (columns); the third has a level at least.
    total, middle = moment - moment[:, None], weight - weight[:, None]
    np.square(total, out=total)
    total /= np.maximum(middle, 1, out=middle)
    total += score(moment, weight)[:, None]
    total += score(moment[-1] - moment, weight[-1] - weight)
    np.putmask(total, np.tri(len(histogram), dtype=bool), -1)
    first, second = divmod(int(total[:, :-1].argmax()), len(histogram) - 1)
    return lowest + first, lowest + second


def count_levels(picture: NDArray[np.uint8], channel: int = 0, mask: NDArray[np.uint8] | None = None) -> NDArray:
    """(256,): how many pixels of a channel have each level, where a mask (H, W) is given only those that it sets.

    As NumPy's `bincount`, in half the time.
    """
    # OpenCV answers in 32-bit floats, which count exactly up to 2**24: no more pixels than that at a time.
    rows = max(1, 2**24 // picture[0].size)
    counts = np.zeros(256, np.int64)
    for top in range(0, len(picture), rows):
        part = slice(top, top + rows)
        found = cv2.calcHist([picture[part]], [channel], None if mask is None else mask[part], [256], [0, 256])
        counts += found.ravel().astype(np.int64)
    return counts


def violet(picture: Picture) -> NDArray[np.uint8]:
    """Lab a − b, (H, W) uint8 around 128, slightly smoothed."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.int16)
    difference = np.clip(lab[..., 1] - lab[..., 2] + 128, 0, 255).astype(np.uint8)
    return cv2.GaussianBlur(difference, (5, 5), 0)


def _around(mask: NDArray[np.uint8], margin: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of all that is set, with a margin, within the picture; all 0 where nothing is.

    Left and top are even: components are numbered by blocks of two rows and columns.
    """
    x, y, width, height = cv2.boundingRect(mask)
    if not width:
        return 0, 0, 0, 0
    left, top = (max(0, start - margin) // 2 * 2 for start in (x, y))
    return left, top, min(mask.shape[1], x + width + margin), min(mask.shape[0], y + height + margin)


def _disc(radius: int) -> NDArray[np.uint8]:
    size = 2 * max(1, radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))

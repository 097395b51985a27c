"""Pictures that show no blood cell, made from a seed: what the model has to refuse.

Some kinds tell where the border lies; the others are held out, to see whether it holds for what was never shown.
None is a photograph of the world: what the border does to those is not measured here.
"""

import colorsys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture
from hematovision.smear.drawing import draw_field
from hematovision.smear.stain import STAINS, Stain, photograph, vary
from hematovision.smear.texture import Plane, band, blur, grains, noise, smoothstep, warp, waves

SIDE = 256
"""Pixels of each side, as the pictures of cells have."""
SHAPE = (SIDE, SIDE)

Rng = np.random.Generator
Floats = NDArray[np.floating]
Color = tuple[int, int, int]

VIOLET = (0.70, 0.98)
"""Hues of the stain, from blue over violet to pink, of 1."""


@dataclass(frozen=True)
class NonCell:
    """A picture (256, 256, 3) and the name of its kind."""

    kind: str
    picture: Picture


def noncells(each: int, seed: int, kinds: tuple[str, ...] | None = None) -> Iterator[NonCell]:
    """`each` pictures of every kind, or of those named, kind after kind. The same seed makes the same pictures."""
    names = list(KINDS)
    for kind in kinds or names:
        for nth in range(each):
            rng = np.random.default_rng((seed, names.index(kind), nth))
            yield NonCell(kind, np.ascontiguousarray(KINDS[kind](rng), dtype=np.uint8))


def _color(rng: Rng, hues: tuple[float, float] = (0, 1)) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(rng.uniform(*hues) % 1, rng.uniform(0.05, 1), rng.uniform(0.15, 1))
    return round(255 * red), round(255 * green), round(255 * blue)


def _plain(rng: Rng, pale: bool = False) -> Picture:
    """An empty picture of one color; a pale one is paper or a screen."""
    color = rng.integers(225, 256, 3) if pale else np.array(_color(rng))
    return np.full((*SHAPE, 3), color, np.uint8)


def _stain(rng: Rng) -> Stain:
    return vary(list(STAINS.values())[int(rng.integers(len(STAINS)))], rng)


def _stained(rng: Rng, *layers: tuple[str, Floats]) -> Picture:
    """Layers of (dye, amount (H, W)) as a camera sees them on a slide."""
    stain = _stain(rng)
    density = sum(amount[..., None] * np.array(getattr(stain, dye), np.float32) for dye, amount in layers)
    return photograph(np.asarray(density, np.float32), stain, rng)


def _blend(first: NDArray, second: NDArray, share: Floats) -> Picture:
    """From one color or picture to another, by a share (H, W) in [0, 1]."""
    a, b = np.asarray(first, np.float32), np.asarray(second, np.float32)
    return np.clip(a + (b - a) * share[..., None], 0, 255).astype(np.uint8)


def _ramp(rng: Rng) -> Plane:
    """A rise from 0 to 1, straight in any direction or round any center."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        plane = x * np.cos(angle) + y * np.sin(angle)
    else:
        plane = np.hypot(x - rng.uniform(0.2, 0.8), y - rng.uniform(0.2, 0.8))
    return ((plane - plane.min()) / np.ptp(plane)).astype(np.float32)


def _cloud(rng: Rng, steepness: float) -> Plane:
    """Noise whose amplitude falls with frequency by `steepness`: 0 is white, 1 pink, 2 clouds. In [0, 1]."""
    spectrum = np.fft.rfft2(rng.standard_normal(SHAPE))
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None])
    frequency[0, 0] = 1
    plane = np.fft.irfft2(spectrum / frequency**steepness, s=SHAPE)
    return np.clip(0.5 + plane / (5 * plane.std()), 0, 1).astype(np.float32)


def _flat(rng: Rng) -> Picture:
    picture = _plain(rng)
    return np.clip(picture + rng.normal(0, rng.uniform(0, 4), picture.shape), 0, 255).astype(np.uint8)


def _gradient(rng: Rng) -> Picture:
    return _blend(np.array(_color(rng)), np.array(_color(rng)), _ramp(rng))


def _stain_gradient(rng: Rng) -> Picture:
    return _stained(rng, ("purple", _ramp(rng) * rng.uniform(0.3, 2)), ("eosin", _ramp(rng) * rng.uniform(0, 0.8)))


def _color_noise(rng: Rng) -> Picture:
    steepness = rng.uniform(0, 2.2)
    return (np.stack([_cloud(rng, steepness) for _ in range(3)], axis=-1) * 255).astype(np.uint8)


def _violet_noise(rng: Rng) -> Picture:
    layers = [(dye, _cloud(rng, rng.uniform(0.3, 2)) * rng.uniform(0.3, 2)) for dye in ("purple", "eosin")]
    return _stained(rng, *layers)


def _violet_bands(rng: Rng) -> Picture:
    """Blotches of one size in the colors of the stain: the texture of chromatin without a cell."""
    wide, fine = noise(SHAPE, rng.uniform(8, 40), rng), band(SHAPE, rng.uniform(1, 8), rng)
    return _stained(rng, ("purple", np.maximum(0, wide + 0.5 * fine) * 0.9), ("eosin", np.maximum(0, -wide) * 0.4))


def _words(rng: Rng) -> str:
    return " ".join("".join(rng.choice(list("etaoinshrdlu"), int(rng.integers(2, 9)))) for _ in range(12))


def _text(rng: Rng) -> Picture:
    picture = _plain(rng, pale=rng.random() < 0.7)
    color = _color(rng) if rng.random() < 0.4 else (20, 20, 30)
    scale = rng.uniform(0.3, 1.0)
    for y in range(round(30 * scale), SIDE, round(34 * scale)):
        font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX]))
        cv2.putText(picture, _words(rng), (8, y), font, scale, color, 1 + int(scale > 0.7), cv2.LINE_AA)
    return _turned(picture, rng, 8)


def _turned(picture: NDArray, rng: Rng, most: float = 180) -> Picture:
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), rng.uniform(-most, most), rng.uniform(1, 1.3))
    return cv2.warpAffine(picture, matrix, SHAPE, borderMode=cv2.BORDER_REFLECT).astype(np.uint8)


def _screen(rng: Rng) -> Picture:
    """Bars, cards, buttons and lines of text, in the colors of one theme."""
    picture, theme = _plain(rng, pale=rng.random() < 0.7), [_color(rng) for _ in range(3)]
    cv2.rectangle(picture, (0, 0), (SIDE, int(rng.integers(15, 45))), theme[0], -1)
    for _ in range(int(rng.integers(4, 12))):
        x, y, w, h = (int(v) for v in rng.integers((0, 40, 20, 8), (200, 230, 120, 70)))
        cv2.rectangle(picture, (x, y), (x + w, y + h), theme[int(rng.integers(3))], int(rng.choice([-1, 1, 2])))
        cv2.putText(picture, _words(rng)[: w // 7], (x + 4, y + 14), 0, 0.35, (40, 40, 40), 1, cv2.LINE_AA)
    return picture


def _chart(rng: Rng) -> Picture:
    picture, way = _plain(rng, pale=True), rng.integers(3)
    cv2.line(picture, (24, 12), (24, 232), (60, 60, 60), 1)
    cv2.line(picture, (24, 232), (246, 232), (60, 60, 60), 1)
    heights = rng.integers(20, 200, 9)
    if way == 0:
        for i, height in enumerate(heights):
            cv2.rectangle(picture, (32 + i * 24, 231 - int(height)), (48 + i * 24, 231), _color(rng), -1)
    elif way == 1:
        for _ in range(3):
            line = np.column_stack([np.linspace(26, 244, 30), 230 - np.clip(np.cumsum(rng.normal(4, 12, 30)), 0, 210)])
            cv2.polylines(picture, [line.astype(np.int32)], False, _color(rng), 2, cv2.LINE_AA)
    else:
        ends = np.cumsum(heights) / heights.sum() * 360
        for start, end in zip([0, *ends], ends, strict=False):
            cv2.ellipse(picture, (135, 120), (90, 90), 0, float(start), float(end), _color(rng), -1, cv2.LINE_AA)
    return picture


def _face(rng: Rng) -> Picture:
    picture, radius = _plain(rng, pale=rng.random() < 0.5), int(rng.integers(60, 118))
    cv2.circle(picture, (128, 128), radius, _color(rng), -1, cv2.LINE_AA)
    for side in (-1, 1):
        eye = (128 + side * radius // 3, 128 - radius // 4)
        cv2.ellipse(picture, eye, (radius // 9, radius // 6), 0, 0, 360, (30, 20, 20), -1, cv2.LINE_AA)
    bow = (radius // 2, radius // 3)
    cv2.ellipse(picture, (128, 140), bow, 0, 10, 170, (40, 20, 20), int(rng.integers(2, 7)), cv2.LINE_AA)
    return _turned(picture, rng, 30)


def _diagram(rng: Rng) -> Picture:
    """A cell as a textbook's drawing has it: flat colors, outlines, a line that names a part."""
    picture, radius = _plain(rng, pale=True), int(rng.integers(50, 100))
    cv2.circle(picture, (128, 128), radius, _color(rng, VIOLET), -1, cv2.LINE_AA)
    cv2.circle(picture, (128, 128), radius, (40, 30, 60), 2, cv2.LINE_AA)
    inside = (128 + int(rng.integers(-15, 16)), 128 + int(rng.integers(-15, 16)))
    axes = (int(radius * rng.uniform(0.3, 0.6)), int(radius * rng.uniform(0.3, 0.6)))
    cv2.ellipse(picture, inside, axes, float(rng.uniform(0, 180)), 0, 360, _color(rng, VIOLET), -1, cv2.LINE_AA)
    cv2.line(picture, inside, (240, int(rng.integers(20, 230))), (30, 30, 30), 1, cv2.LINE_AA)
    return picture


def _checkers(rng: Rng) -> Picture:
    step, (y, x) = int(rng.integers(4, 64)), np.mgrid[0:SIDE, 0:SIDE]
    board = (x // step + y // step * int(rng.integers(2))) % 2
    return _turned(_blend(np.array(_color(rng)), np.array(_color(rng)), board.astype(np.float32)), rng)


def _fabric(rng: Rng) -> Picture:
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    period = rng.uniform(3, 14)
    weave = np.sin(2 * np.pi * x / period) * np.sin(2 * np.pi * y / (period * rng.uniform(0.5, 2)))
    plane = 0.5 + 0.25 * weave + 0.15 * noise(SHAPE, rng.uniform(1, 20), rng)
    picture = _blend(np.array(_color(rng)), np.array(_color(rng)), np.clip(plane, 0, 1).astype(np.float32))
    return _turned(picture, rng)


def _spots(rng: Rng, count: int, radius: tuple[float, float], long: float = 1.6, bend: float = 2) -> Plane:
    """About `count` filled ellipses, thrown anywhere, with bent outlines; (H, W) in [0, 1]."""
    mask = np.zeros(SHAPE, np.uint8)
    for x, y, turn in zip(*rng.uniform(0, SIDE, (2, count)), rng.uniform(0, 360, count), strict=True):
        width = rng.uniform(*radius)
        size = (2 * width, 2 * width * rng.uniform(1, long))
        cv2.ellipse(mask, ((x, y), size, turn), 255, -1, cv2.LINE_AA)
    return warp((mask / 255).astype(np.float32), waves(SHAPE, [(bend, 8)], rng))


def _tissue(rng: Rng) -> Picture:
    """Many nuclei in pink fibers, as a section stained with hematoxylin and eosin has at high power."""
    nuclei = _spots(rng, int(rng.integers(12, 45)), (9, 22)) * (0.8 + 0.2 * band(SHAPE, 3, rng))
    fibers = 0.35 + 0.15 * noise(SHAPE, rng.uniform(4, 14), rng) + 0.1 * band(SHAPE, 2, rng)
    return _stained(
        rng,
        ("purple", np.maximum(0, nuclei) * rng.uniform(0.6, 1.5)),
        ("eosin", np.maximum(0, fibers) * rng.uniform(0.6, 1.6)),
    )


def _tissue_from_afar(rng: Rng) -> Picture:
    """The same at low power: dots, glands and clefts."""
    gland = smoothstep(0.0, 0.7, noise(SHAPE, rng.uniform(10, 30), rng))
    dots = _spots(rng, int(rng.integers(300, 700)), (2, 4), bend=0.5) * gland
    flesh = np.maximum(0, 0.4 + 0.12 * band(SHAPE, 4, rng)) * smoothstep(-1.3, -0.9, noise(SHAPE, 22, rng))
    return _stained(rng, ("purple", dots * rng.uniform(0.5, 1.3)), ("eosin", flesh.astype(np.float32)))


def _fluorescence(rng: Rng) -> Picture:
    light = np.zeros((*SHAPE, 3), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        glow = blur(_spots(rng, int(rng.integers(4, 40)), (4, 24)), rng.uniform(1, 4))
        light += (glow * (0.7 + 0.2 * noise(SHAPE, 5, rng)))[..., None] * np.array(_color(rng), np.float32)
    return np.clip(light + rng.normal(8, 3, light.shape), 0, 255).astype(np.uint8)


def _bacteria(rng: Rng) -> Picture:
    """Rods or chains of cocci, violet or pink, as Gram's stain leaves them."""
    count, rods = int(rng.integers(30, 220)), rng.random() < 0.5
    bodies = _spots(rng, count, (2, 3.5), 5 if rods else 1.1, 0.5)
    dye = "purple" if rng.random() < 0.6 else "eosin"
    haze = np.maximum(0, 0.05 * noise(SHAPE, 12, rng))
    return _stained(rng, (dye, bodies * rng.uniform(0.8, 1.8)), ("eosin", haze))


def _red_cells(rng: Rng) -> Picture:
    """Red cells and plasma, and nothing that is stained violet."""
    while True:
        picture = draw_field([], _stain(rng), rng, SHAPE).picture
        lab = cv2.cvtColor(cv2.GaussianBlur(picture, (0, 0), 1.5), cv2.COLOR_RGB2LAB).astype(np.int16)
        violet = lab[..., 1] - lab[..., 2]
        if np.percentile(violet, 99.9) - np.median(violet) < 30:
            return picture


def _blobs(rng: Rng) -> Picture:
    """Something stained, so far out of focus that nothing can be told of it."""
    spots = blur(_spots(rng, int(rng.integers(2, 12)), (15, 60)), rng.uniform(14, 30))
    return _stained(rng, ("purple", spots * rng.uniform(0.4, 1.6)), ("eosin", np.maximum(0, 0.3 - 0.2 * spots)))


def _precipitate(rng: Rng) -> Picture:
    """Stain that fell out: heaps of dark grains on plasma, on nothing else."""
    heap = smoothstep(0.2, 1.6, noise(SHAPE, rng.uniform(6, 30), rng))
    amount = grains(heap, float(rng.uniform(150, 1500)), float(rng.uniform(0.8, 2.5)), rng)
    return _stained(rng, ("purple", np.minimum(amount, 3) * rng.uniform(0.6, 1.5)), ("eosin", heap * 0.1))


def _fruit(rng: Rng) -> Picture:
    """Round things in a heap, with light from one side: plums, grapes, berries, balls."""
    picture, hues = _plain(rng), (0.6, 1.05) if rng.random() < 0.7 else (0, 1)
    color, (y, x) = _color(rng, hues), np.mgrid[0:SIDE, 0:SIDE]
    size = rng.uniform(18, 80)
    for _ in range(int(rng.integers(1, 3 + 6000 / size**1.5))):
        radius, (cx, cy) = size * rng.uniform(0.8, 1.2), rng.uniform(0, SIDE, 2)
        inside = np.hypot(x - cx, y - cy) / radius
        lit = 1.1 - 0.7 * np.hypot(x - cx + radius * 0.35, y - cy + radius * 0.4) / radius
        shine = np.exp(-(((x - cx + radius * 0.4) ** 2 + (y - cy + radius * 0.45) ** 2) / (0.02 * radius**2)))
        ball = np.clip(np.array(color) * np.maximum(lit, 0.12)[..., None] + 200 * shine[..., None], 0, 255)
        picture = _blend(picture, ball, np.clip((1 - inside) * radius, 0, 1).astype(np.float32))
    return picture


def _flower(rng: Rng) -> Picture:
    y, x = np.mgrid[0:SIDE, 0:SIDE] - np.array(SHAPE)[:, None, None] / 2
    distance, angle = np.hypot(x, y), np.arctan2(y, x) + rng.uniform(0, 6)
    edge = rng.uniform(60, 115) * (0.65 + 0.35 * np.abs(np.cos(rng.integers(2, 7) * angle)))
    leaves = _blend(np.array(_color(rng, (0.2, 0.4))), np.array(_color(rng, (0.2, 0.4))), _cloud(rng, 1.3))
    petal = _blend(np.array(_color(rng, VIOLET)), np.array(_color(rng, VIOLET)), np.clip(distance / edge, 0, 1))
    picture = _blend(leaves, petal, np.clip((edge - distance) / 2, 0, 1).astype(np.float32))
    cv2.circle(picture, (128, 128), int(rng.integers(8, 30)), _color(rng, (0.1, 0.17)), -1, cv2.LINE_AA)
    return picture


def _leaves(rng: Rng) -> Picture:
    """Discs of all sizes, one over the other: edges as photographs of the world have them."""
    picture, hues = _plain(rng), VIOLET if rng.random() < 0.3 else (0, 1)
    for radius in np.sort(4 * rng.pareto(1.2, 350) + 4)[::-1]:
        x, y = rng.integers(0, SIDE, 2)
        cv2.circle(picture, (int(x), int(y)), min(round(radius), 120), _color(rng, hues), -1, cv2.LINE_AA)
    return picture


def _landscape(rng: Rng) -> Picture:
    """A sky and hills, each rougher and darker than the one behind it."""
    picture = _blend(np.array(_color(rng, (0.5, 1.0))), np.array([235, 225, 220]), _ramp(rng))
    rows = np.arange(SIDE)[:, None]
    for depth in range(int(rng.integers(2, 6))):
        ridge = 90 + 35 * depth + 22 * noise(SHAPE, rng.uniform(8, 40), rng)[:1]
        hill = _blend(np.array(_color(rng)) * 0.5, np.array(_color(rng)), _cloud(rng, rng.uniform(0.7, 1.6)))
        picture = _blend(picture, hill, (rows > ridge).astype(np.float32))
    return picture


def _mosaic(rng: Rng) -> Picture:
    """Straight-edged pieces, as maps, tiles and tissues of plants have them."""
    places, (y, x) = rng.uniform(0, SIDE, (int(rng.integers(8, 120)), 2)), np.mgrid[0:SIDE, 0:SIDE]
    hues = VIOLET if rng.random() < 0.4 else (0, 1)
    first, second = np.full(SHAPE, 1e6), np.full(SHAPE, 1e6)
    picture = _plain(rng)
    for place_x, place_y in places:
        distance = np.hypot(x - place_x, y - place_y)
        picture[distance < first] = _color(rng, hues)
        second = np.minimum(second, np.maximum(first, distance))
        first = np.minimum(first, distance)
    return _blend(np.array(_color(rng)), picture, smoothstep(0.5, 4, (second - first).astype(np.float32)))


KINDS: Mapping[str, Callable[[Rng], Picture]] = MappingProxyType(
    {
        "flat": _flat,
        "gradient": _gradient,
        "stain gradient": _stain_gradient,
        "noise": _color_noise,
        "violet noise": _violet_noise,
        "violet bands": _violet_bands,
        "text": _text,
        "screen": _screen,
        "chart": _chart,
        "face": _face,
        "cell diagram": _diagram,
        "checkers": _checkers,
        "fabric": _fabric,
        "tissue": _tissue,
        "tissue from afar": _tissue_from_afar,
        "fluorescence": _fluorescence,
        "bacteria": _bacteria,
        "red cells": _red_cells,
        "blobs": _blobs,
        "precipitate": _precipitate,
        "fruit": _fruit,
        "flower": _flower,
        "leaves": _leaves,
        "landscape": _landscape,
        "mosaic": _mosaic,
    }
)

HELD_OUT = frozenset(
    ("stain gradient", "violet bands", "screen", "face", "fabric", "tissue", "bacteria", "blobs", "fruit", "landscape")
)
"""Kinds that no threshold is fitted to."""

NO_WHITE_CELL = "red cells"
"""A blood smear all the same: what the network sees of it is what it sees around a platelet."""

NOT_FITTED = HELD_OUT | {NO_WHITE_CELL}

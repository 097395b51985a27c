"""Draw a blood cell from its morphology, as a 100× oil lens shows it, with its true masks and attributes.

Everything absorbs light in the amounts of its dyes, so what lies over something else darkens it as on a slide.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.cells import CORE_FOUR
from hematovision.images import Picture
from hematovision.smear import nucleus as nuclei
from hematovision.smear.morphology import CellSpec, plausible
from hematovision.smear.ruler import RED_CELL
from hematovision.smear.stain import Stain, photograph
from hematovision.smear.texture import (
    Plane,
    band,
    blur,
    discs,
    edge,
    grains,
    line,
    noise,
    packed_grains,
    polygon,
    smoothstep,
)

PIXELS_PER_UM = 7.0
"""Scale of PBC's pictures at 256 pixels, in which red cells measure about 50 pixels."""

NEIGHBORS = 0.05
"""Share of the pictures of one cell in which the edge cuts a second white cell; photographs have about as many."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Drawn:
    """A drawn picture (H, W, 3), its masks (H, W) and the morphology attributes that are true of the cell.

    A field of several cells has no attributes. `cytoplasm` is the cell without its nucleus; `granules` may lie over
    both.
    """

    picture: Picture
    nucleus: Mask
    cytoplasm: Mask
    granules: Mask
    red_cells: Mask
    attributes: Mapping[str, str]


def draw(cell: CellSpec, stain: Stain, rng: np.random.Generator, size: int = 256) -> Drawn:
    """The cell in the middle of a picture of `size` × `size` pixels, among red cells, plasma and platelets.

    The scale stays 7 pixels a µm. The same `rng` state gives the same picture.
    """
    slide = draw_field([(cell, (size / 2, size / 2))], stain, rng, (size, size))
    return replace(slide, attributes=cell.attributes)


def draw_field(
    cells: Sequence[tuple[CellSpec, tuple[float, float]]],
    stain: Stain,
    rng: np.random.Generator,
    shape: tuple[int, int] = (480, 640),
) -> Drawn:
    """A field (H, W) with each cell at its center (x, y). The masks are those of all cells together."""
    # Streams of their own: one more lobe moves neither a red cell nor the grain of the camera.
    around, camera, *inside = (int(seed) for seed in rng.integers(2**63, size=2 + len(cells)))
    white = tuple((spec.diameter / 2 * PIXELS_PER_UM, center) for spec, center in cells)
    slide = deepcopy(_surroundings(shape, stain, white, around))
    for (spec, center), seed in zip(cells, inside, strict=True):
        _paint_cell(slide, spec, center, np.random.default_rng(seed))
    cell, nucleus = slide.cell > 0.5, slide.nucleus > 0.5
    return Drawn(
        picture=photograph(slide.density, stain, np.random.default_rng(camera)),
        nucleus=nucleus,
        cytoplasm=cell & ~nucleus,
        granules=slide.granules > 0.5,
        red_cells=(slide.red_cells > 0.5) & ~cell,
        attributes={},
    )


def _streams(rng: np.random.Generator, count: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in rng.integers(2**63, size=count)]


class _Slide:
    """What absorbs light so far, and where what lies."""

    def __init__(self, shape: tuple[int, int], stain: Stain):
        self.shape = shape
        self.stain = stain
        self.density = np.zeros((*shape, 3), np.float32)
        self.cell, self.nucleus, self.granules, self.red_cells = (np.zeros(shape, np.float32) for _ in range(4))

    def window(self, center: tuple[float, float], reach: float) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """The square of half side `reach` around `center`: its part on the slide, and that part in the square."""
        left, top = (int(np.floor(c - reach)) for c in center)
        side = 2 * int(np.ceil(reach)) + 1
        on_slide, in_square = [], []
        for start, length in ((top, self.shape[0]), (left, self.shape[1])):
            first, last = max(0, start), min(length, start + side)
            on_slide.append(slice(first, max(first, last)))
            in_square.append(slice(first - start, max(first, last) - start))
        return (on_slide[0], on_slide[1]), (in_square[0], in_square[1])


@lru_cache(maxsize=8)
def _surroundings(
    shape: tuple[int, int], stain: Stain, cells: tuple[tuple[float, tuple[float, float]], ...], seed: int
) -> _Slide:
    """Red cells that keep off the white ones (radius, center), with overlaps among themselves, and a few platelets.

    Kept, because most of what a person changes about a cell leaves it alone; never paint on it, but on a copy.
    """
    slide, rng = _Slide(shape, stain), np.random.default_rng(seed)
    height, width = shape
    radius = RED_CELL / 2 * PIXELS_PER_UM
    habit = _Habit(
        pallor=rng.uniform(0.2, 0.9), crenation=max(0.0, rng.normal(-0.1, 0.25)), stretch=abs(rng.normal(0, 0.05))
    )
    wanted = rng.uniform(0.6, 1.3) * (height + 2 * radius) * (width + 2 * radius) / (2.6 * radius) ** 2
    placed: list[tuple[float, float, float]] = []
    for stream in _streams(rng, int(wanted * 3)):
        x, y = stream.uniform(-radius, width + radius), stream.uniform(-radius, height + radius)
        size = radius * stream.normal(1, 0.06)
        closest = 0.75 if stream.random() < 0.12 else 1.01
        if any(np.hypot(x - px, y - py) < closest * (size + ps) for px, py, ps in placed):
            continue
        if any(np.hypot(x - cx, y - cy) < size * 0.9 + cell for cell, (cx, cy) in cells):
            continue
        placed.append((x, y, size))
        _paint_red_cell(slide, (x, y), size, habit, stream)
        if len(placed) >= wanted:
            break
    for stream in _streams(rng, rng.poisson(0.9 * height * width / 256**2)):
        x, y = stream.uniform(0, width), stream.uniform(0, height)
        spec = plausible("platelet", stream)
        spec = replace(spec, diameter=spec.diameter * 0.55)
        away = [np.hypot(x - cx, y - cy) > cell * 1.25 + 12 for cell, (cx, cy) in cells]
        if all(away) and all(np.hypot(x - px, y - py) > ps for px, py, ps in placed):
            _paint_body(slide, spec, (x, y), stream)
    neighbor, angle = plausible(CORE_FOUR[int(rng.integers(len(CORE_FOUR)))], rng), rng.uniform(0, 2 * np.pi)
    if len(cells) == 1 and rng.random() < NEIGHBORS:
        # Cut by the edge, as a second white cell of a photograph is.
        aside = 0.5 * max(height, width) * np.array([np.cos(angle), np.sin(angle)]) + np.array([width, height]) / 2
        _paint_body(slide, neighbor, (float(aside[0]), float(aside[1])), rng)
    return slide


@dataclass(frozen=True)
class _Habit:
    """What the red cells of one slide have in common."""

    pallor: float
    crenation: float
    stretch: float


def _paint_red_cell(
    slide: _Slide, center: tuple[float, float], radius: float, habit: _Habit, rng: np.random.Generator
) -> None:
    on_slide, _ = slide.window(center, radius * 1.3)
    ys, xs = np.mgrid[on_slide].astype(np.float32)
    distance, angle = cv2.cartToPolar(xs - center[0], ys - center[1])
    angles = np.linspace(0, 2 * np.pi, 512, dtype=np.float32)
    reach = np.full_like(angles, radius)
    for k, size in ((2, 0.03 + habit.stretch), (3, 0.02), (4, 0.012)):
        reach += radius * size * rng.normal() * np.cos(k * angles + rng.uniform(0, 6.3))
    if rng.random() < habit.crenation:
        reach += radius * 0.035 * np.cos(rng.integers(9, 15) * angles + rng.uniform(0, 6.3))
    outline = reach[(angle * (511 / (2 * np.pi))).astype(np.intp)]
    share = distance / outline
    body = smoothstep(-1.3, 1.3, outline - distance)
    pallor = np.clip(rng.normal(habit.pallor, 0.2), 0, 0.95)
    width = rng.uniform(0.28, 0.46)
    dish = 0.86 + 0.3 * share**2 - 0.14 * smoothstep(0.8, 1.0, share) - pallor * cv2.exp(-cv2.pow(share / width, 2.6))
    amount = body * np.maximum(dish, 0.04) * rng.normal(1, 0.05)
    slide.density[on_slide] += amount[..., None] * np.array(slide.stain.hemoglobin, np.float32)
    slide.red_cells[on_slide] = np.maximum(slide.red_cells[on_slide], body)


def _paint_cell(slide: _Slide, spec: CellSpec, center: tuple[float, float], rng: np.random.Generator) -> None:
    on_slide, parts = _paint_body(slide, spec, center, rng)
    for plane, part in zip((slide.cell, slide.nucleus, slide.granules), parts, strict=True):
        plane[on_slide] = np.maximum(plane[on_slide], part)


def _paint_body(
    slide: _Slide, spec: CellSpec, center: tuple[float, float], rng: np.random.Generator
) -> tuple[tuple[slice, slice], tuple[Plane, Plane, Plane]]:
    """One nucleated cell or platelet; returns where it lies on the slide, and there its cell, nucleus and granules."""
    radius = spec.diameter / 2 * PIXELS_PER_UM
    on_slide, inside = slide.window(center, radius * 1.5 + 4)
    side = 2 * int(np.ceil(radius * 1.5 + 4)) + 1
    outline, shape, plasm, threads, grain, holes = _streams(rng, 6)
    cell = _outline(spec, radius, side, outline)
    nucleus = nuclei.shape_nucleus(spec, cell, radius, shape)
    stain = slide.stain
    azure, eosin = _cytoplasm(spec, cell, nucleus, plasm)
    purple = nuclei.chromatin(spec, nucleus, threads)
    # The cytoplasm over and under the nucleus is thin.
    azure, eosin = azure * (1 - 0.6 * nucleus), eosin * (1 - 0.6 * nucleus)
    grain_eosin, grain_purple, granules = _granules(spec, cell, nucleus, grain)
    left = _vacuoles(spec, cell, nucleus, holes)
    density = sum(
        (amount * left)[..., None] * np.array(dye, np.float32)
        for amount, dye in (
            (azure, stain.azure),
            (eosin + grain_eosin, stain.eosin),
            (purple + grain_purple, stain.purple),
        )
    )
    beneath = 1 - np.minimum(cell, 1)
    slide.density[on_slide] *= beneath[inside][..., None]
    slide.density[on_slide] += np.asarray(density)[inside]
    slide.red_cells[on_slide] *= beneath[inside]
    return on_slide, (cell[inside], nucleus[inside], granules[inside])


def _outline(spec: CellSpec, radius: float, side: int, rng: np.random.Generator) -> Plane:
    """The cell as a mask in [0, 1] in the middle of a square."""
    angles = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    reach = np.ones_like(angles)
    for k, size in ((2, 0.12), (3, 0.08), (4, 0.05), (5, 0.035), (7, 0.02)):
        reach += (0.12 + spec.irregularity) * size * rng.normal(0, 0.75) * np.cos(k * angles + rng.uniform(0, 6.3))
    if spec.irregularity > 0.5 and rng.random() < spec.irregularity:
        away = np.angle(np.exp(1j * (angles - rng.uniform(0, 6.3))))
        reach += rng.uniform(0.1, 0.5) * spec.irregularity * np.exp(-((away / rng.uniform(0.2, 0.45)) ** 2))
    # A fringe grows on one part of the outline more than on others.
    where = 0.35 + 0.65 * np.cos(angles / 2 + rng.uniform(0, 6.3)) ** 2
    if spec.ruffles > 0.05:
        spikes = np.maximum(0, rng.normal(0, 1, angles.size)) + np.maximum(0, np.repeat(rng.normal(0, 1, 60), 4))
        reach += spec.ruffles * where * spikes * 1.7 / radius
    reach = np.clip(reach, 0.6, 1.45)
    reach /= np.sqrt(np.mean(reach**2))
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * (radius * reach - 0.6)[:, None] + side / 2
    cell = polygon((side, side), points)
    for x, y in points[rng.random(angles.size) < 0.3 * max(0.0, spec.ruffles - 0.2) * where]:
        # A hair: thin enough to be seen through.
        outward = np.array([x, y]) - side / 2
        tip = np.array([x, y]) + outward / np.hypot(*outward) * rng.uniform(2, 5) + rng.normal(0, 1, 2)
        cell = np.maximum(cell, 0.45 * line((side, side), np.array([[x, y], tip]), 1))
    return blur(cell, 0.6)


def _cytoplasm(spec: CellSpec, cell: Plane, nucleus: Plane, rng: np.random.Generator) -> tuple[Plane, Plane]:
    """Amounts of azure and eosin in the cytoplasm: two mottled hues, ground glass, a rim, a halo."""
    shape = cell.shape
    blue = 0.55 * spec.basophilia + 0.9 * spec.basophilia**3
    pink = 0.62 * spec.acidophilia
    fine = band(shape, 0.9, rng)
    mottle = noise(shape, 4.5, rng)
    grain = 0.05 + 0.07 * spec.ground_glass
    azure = blue * (1 + 0.22 * mottle + grain * fine + 0.8 * grain * band(shape, 1.8, rng))
    eosin = pink * (1 - 0.2 * mottle + 0.15 * noise(shape, 1.0, rng) + 0.2 * noise(shape, 8, rng))
    eosin += 0.07 * spec.ground_glass * np.maximum(fine - 0.3, 0)
    azure += edge(cell, 1.3) * (0.03 + 0.6 * spec.basophilia**2) * (1 + 0.3 * fine)
    if not spec.has_nucleus:
        azure *= smoothstep(0.1, 0.9, blur(cell, 2.5))  # a platelet thins out into its fringe
    elif spec.basophilia > 0.3:
        azure *= 0.8 + 0.4 * smoothstep(0.95, 0.45, blur(cell, 5))
    if spec.halo > 0 and spec.has_nucleus:
        azure *= 1 - 0.75 * spec.halo * smoothstep(0.05, 0.5, blur(nucleus, 3))
    return (cell * np.maximum(azure, 0)).astype(np.float32), (cell * np.maximum(eosin, 0)).astype(np.float32)


def _granules(spec: CellSpec, cell: Plane, nucleus: Plane, rng: np.random.Generator) -> tuple[Plane, Plane, Plane]:
    """Amounts of eosin and purple in the granules, and where granules are."""
    none = np.zeros_like(cell)
    if not spec.has_granules:
        return none, none, none
    size = spec.granule_size / 2 * PIXELS_PER_UM
    over = spec.granules_over_nucleus
    chance: Plane = np.clip(smoothstep(0.6, 0.95, cell) * (1 - (1 - over) * nucleus), 0, 1).astype(np.float32)
    if not spec.has_nucleus:
        chance *= smoothstep(0.55, 0.95, blur(cell, 3))  # a platelet's granules keep to its middle
    chance *= np.clip(1 + 0.35 * noise(cell.shape, 7, rng), 0.2, 1)
    if spec.granule_type == "small":
        room = float(chance.sum()) / (np.pi * max(size, 0.8) ** 2)
        body = np.minimum(grains(chance, 0.9 * spec.granules * room, size, rng), 1.5)
        there = smoothstep(0.25, 0.7, body)
    else:
        if spec.granule_type == "coarse":
            chance *= np.clip(1.05 + 0.45 * noise(cell.shape, 3.5, rng), 0.25, 1)  # they lie in heaps
        # Several layers of granules: the deeper ones only tint the ground.
        heap = np.minimum(packed_grains(chance * spec.granules, 1.6 * size, size, rng), 1.6)
        deeper = packed_grains(chance * spec.granules, 1.9 * size, size, rng)
        body = 0.6 * heap * np.clip(1 + 0.3 * noise(cell.shape, 2.0, rng), 0.5, 1.6) + 0.4 * blur(deeper, 1.0)
        there = smoothstep(0.2, 0.6, body)
    if spec.granule_colour == "red":
        rim = smoothstep(0.95, 0.6, blur(cell, 3))
        ground = 0.26 * chance * spec.granules
        eosin, purple = ground + body * 0.37, body * (0.02 + 0.45 * rim)
    elif spec.granule_colour == "pink":
        dark = grains(chance, 0.14 * spec.granules * chance.sum() / size**2 / np.pi, size, rng)
        eosin, purple = body * 0.12, body * 0.05 + np.minimum(dark, 1.5) * 0.36
    elif not spec.has_nucleus:
        eosin, purple = body * 0.1, 0.45 * chance * spec.granules + 0.6 * blur(body, 0.6)
    else:
        eosin, purple = body * 0.12, body * (1.15 if spec.granule_type == "coarse" else 0.36)
    return eosin.astype(np.float32), purple.astype(np.float32), there


def _vacuoles(spec: CellSpec, cell: Plane, nucleus: Plane, rng: np.random.Generator) -> Plane:
    """Share of the dyes that is left: nearly none where a vacuole is, a little more at its border."""
    left = np.ones_like(cell)
    ys, xs = np.nonzero((blur(cell, 2) > 0.9) & (nucleus < 0.5 if spec.has_nucleus else cell > 0))
    if not spec.vacuoles or not len(xs):
        return left
    chosen = rng.integers(len(xs), size=spec.vacuoles)
    centers = np.stack([xs[chosen], ys[chosen]], axis=1).astype(float)
    radii = rng.uniform(2.0, 5.5, spec.vacuoles)
    shape = (cell.shape[0], cell.shape[1])
    holes = discs(shape, centers, radii)
    return left + 0.15 * blur(discs(shape, centers, radii + 1.5), 0.7) - 1.12 * blur(holes, 0.5)

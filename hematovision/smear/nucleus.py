"""Outline and chromatin of a nucleus."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hematovision.smear.morphology import CellSpec
from hematovision.smear.texture import Plane, band, blur, discs, edge, line, noise, smoothstep, warp, waves

_SPAN = 2.1
"""Half angle, in radians, of the arc that a fully indented nucleus follows."""


def shape_nucleus(spec: CellSpec, cell: Plane, radius: float, rng: np.random.Generator) -> Plane:
    """The nucleus as a mask in [0, 1] inside the mask `cell` of a cell of `radius` pixels in the middle."""
    if not spec.has_nucleus:
        return np.zeros_like(cell)
    target = spec.nuclear_ratio * float(cell.sum())
    points, radii, links = _lobes(spec, rng) if spec.lobes > 1 else _arc(spec, rng)
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points, links = points @ turn, links @ turn
    # A nucleus that lies aside turns its hollow towards the middle of the cell.
    aside = spec.eccentricity * turn[0]
    length = float(np.hypot(*np.diff(points, axis=0).T).sum())
    area = 0.8 * np.pi * np.sum(np.square(radii)) if spec.lobes > 1 else np.pi + 1.9 * length
    scale = np.sqrt(target / area)
    inside = smoothstep(0.75, 0.97, blur(cell, 1.6))
    unit = radius / 45
    bends = (((0.8 + 2.6 * spec.folding) * unit, 7.0 * unit), ((0.45 + 1.7 * spec.folding) * unit, 4.0))
    bent = waves((cell.shape[0], cell.shape[1]), bends, rng)
    for _ in range(3):
        mask = _laid(points * scale, radii * scale, links * scale, cell.shape, radius, aside)
        mask = np.minimum(warp(mask, bent), inside)
        # What the membrane cuts off is made up for elsewhere.
        scale *= float(np.clip(np.sqrt(target / max(float(mask.sum()), 1)), 0.8, 1.25))
    return smoothstep(0.2, 0.8, blur(mask, 0.9))


def chromatin(spec: CellSpec, mask: Plane, rng: np.random.Generator) -> Plane:
    """Amount of nuclear stain, 0 outside the mask: threads or blocks of chromatin, paler between, a dark rim."""
    clumping, density = spec.chromatin_clumping, spec.chromatin_density
    shape = (mask.shape[0], mask.shape[1])
    tone = 0.6 * band(shape, 0.7, rng) + band(shape, 0.95 + 0.5 * clumping, rng)
    tone /= max(float(tone.std()), 1e-6)
    # Small pale gaps in a dark ground; broader and deeper ones where the chromatin is blocky.
    blocks = (0.04 + 0.14 * clumping) * band(shape, 2.2, rng) + 0.05 * noise(shape, 6.0, rng)
    gaps = (0.4 + 0.55 * clumping) * smoothstep(0.45, 1.6, tone)
    amount = 0.76 + 1.15 * density + blocks - gaps - 0.11 * tone + 0.8 * edge(mask, 1.3)
    if spec.folding > 0.3 and spec.lobes == 1:
        amount += _creases(spec, mask, rng)
    return (mask * np.clip(amount, 0.3, None)).astype(np.float32)


def _arc(spec: CellSpec, rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray]:
    """One lobe: a disc that stretches along an arc as it is indented. Unit: half its width."""
    share = np.linspace(-1, 1, 21)
    bend = _SPAN * spec.indentation**1.25 * rng.uniform(0.9, 1.1)
    bow = 0.75 + 1.35 * spec.indentation
    # The heading turns steadily along a C; along an S, which some bands are, it turns back.
    winding = spec.indentation > 0.7 and rng.random() < 0.3
    heading = bend * (1.3 * share**2 - 0.3 if winding else share)
    steps = bow * bend * 0.1 * np.stack([-np.sin(heading), np.cos(heading)], axis=1)
    points = np.cumsum(steps, axis=0)
    waist = 0.16 * spec.indentation * np.cos(np.pi * share)
    radii = 1 - waist + 0.07 * np.sin(np.linspace(0, rng.uniform(3, 9), 21) + rng.uniform(0, 6))
    return points - points.mean(axis=0), radii, np.zeros((0, 2))


def _lobes(spec: CellSpec, rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray]:
    """A chain of lobes that turns one way, with a filament through them. Unit: radius of a middling lobe."""
    sizes = rng.uniform(0.8, 1.2, spec.lobes)
    heading, turn = 0.0, rng.choice([-1, 1]) * {2: 0.7, 3: 1.0, 4: 1.15, 5: 1.15}[spec.lobes]
    chain = [np.zeros(2)]
    for before, after in pairwise(sizes):
        gap = (before + after) * rng.uniform(0.9, 1.0 + 0.08 * spec.lobes)
        chain.append(chain[-1] + gap * np.array([np.cos(heading), np.sin(heading)]))
        heading += turn * rng.uniform(0.7, 1.3)
    links = np.array(chain)
    points, radii = [], []
    for center, size in zip(chain, sizes, strict=True):
        # Two discs make a lobe oblong, in a direction of its own.
        direction = rng.uniform(0, np.pi)
        off = 0.28 * size * np.array([np.cos(direction), np.sin(direction)])
        points += [center - off, center + off]
        radii += [0.86 * size, 0.8 * size * rng.uniform(0.85, 1.1)]
    middle = np.mean(points, axis=0)
    return np.array(points) - middle, np.array(radii), links - middle


def _laid(
    points: NDArray, radii: NDArray, links: NDArray, shape: tuple[int, ...], radius: float, aside: NDArray
) -> Plane:
    """Discs and filaments drawn into the cell, pulled together where they would leave it, then moved aside."""
    frame = (shape[0], shape[1])
    room, widest = 0.93 * radius, float(radii.max())
    reach = float((np.hypot(*points.T) + radii).max())
    if reach > room and len(links):
        squeeze = max(0.45, (room - widest) / max(reach - widest, 1e-6))
        points, links = points * squeeze, links * squeeze
        reach = float((np.hypot(*points.T) + radii).max())
    offset = np.array([shape[1], shape[0]]) / 2 + aside * max(0.0, 0.97 * radius - reach)
    mask = discs(frame, points + offset, radii)
    if len(links):
        mask = np.maximum(mask, line(frame, links + offset, 0.07 * radius))
    return mask


def _creases(spec: CellSpec, mask: Plane, rng: np.random.Generator) -> Plane:
    """One or two folds across the nucleus: a dark line with a pale one beside it."""
    height, width = mask.shape
    ys, xs = np.nonzero(mask > 0.5)
    creases = np.zeros_like(mask)
    if len(xs) < 50:
        return creases
    for _ in range(1 + int(rng.random() < spec.folding)):
        first, last = rng.integers(len(xs), size=2)
        start, end = np.array([xs[first], ys[first]], float), np.array([xs[last], ys[last]], float)
        share = np.linspace(0, 1, 9)[:, None]
        across = np.array([end[1] - start[1], start[0] - end[0]]) * rng.uniform(-0.25, 0.25)
        path = start + (end - start) * share + across * np.sin(np.pi * share)
        fold = blur(line((height, width), path, 2), 0.8)
        pale = blur(line((height, width), path + rng.choice([-2.2, 2.2]), 2), 0.8)
        creases += 0.55 * fold - 0.35 * pale
    return creases

"""Stain, light and camera of a slide: what turns absorbed light into a picture."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture

Channels = tuple[float, float, float]
"""One value each for red, green and blue."""
Absorption = Channels
"""Optical density (natural logarithm) in red, green and blue at unit amount of a dye."""


@dataclass(frozen=True)
class Stain:
    """A Romanowsky stain as a camera sees it. The dyes' absorptions were read from photographs' colors."""

    light: Channels
    """Color of the empty field, 0 to 255."""
    azure: Absorption
    """Blue: ribonucleic acid of the cytoplasm."""
    eosin: Absorption
    """Pink to orange: proteins of the cytoplasm, eosinophil granules."""
    purple: Absorption
    """Azure with eosin on deoxyribonucleic acid: nuclei, azurophil granules."""
    hemoglobin: Absorption
    defocus: float = 0.55
    """Standard deviation of the blur, in pixels at 7 pixels a µm."""
    fringe: float = 0.25
    """Shift of red against blue, in pixels."""
    unevenness: float = 0.015
    """Fall of the light from one side to the other."""
    sharpening: float = 0.9
    """Of the camera's unsharp mask."""
    noise: float = 1.0
    """Standard deviation, in gray levels."""
    quality: float = 90.0
    """Of JPEG."""


MGG = Stain(
    light=(254, 228, 203),
    azure=(1.0, 1.0, 0.22),
    eosin=(0.40, 1.0, 0.50),
    purple=(0.56, 1.0, 0.20),
    hemoglobin=(0.22, 0.32, 0.19),
)
"""May-Grünwald-Giemsa as in PBC."""

WRIGHT = Stain(
    light=(205, 214, 203),
    azure=(0.75, 0.7, 0.1),
    eosin=(0.25, 0.8, 0.35),
    purple=(0.5, 0.62, 0.02),
    hemoglobin=(0.15, 0.47, 0.52),
    defocus=1.3,
    fringe=0.6,
    unevenness=0.05,
    sharpening=0.2,
    noise=1.5,
    quality=85.0,
)
"""Paler Wright through a softer lens, as in BCCD."""


def _channels(values: NDArray) -> Channels:
    red, green, blue = (float(v) for v in values)
    return red, green, blue


def mix(start: Stain, end: Stain, share: float) -> Stain:
    """The stain at `share` of the way between two."""

    def between(name: str) -> float | Channels:
        a, b = np.array(getattr(start, name)), np.array(getattr(end, name))
        value = (1 - share) * a + share * b
        return _channels(value) if value.ndim else float(value)

    return Stain(**{field.name: between(field.name) for field in fields(Stain)})  # type: ignore[arg-type]


STAINS: Mapping[str, Stain] = MappingProxyType(
    {
        "mgg": MGG,
        "mgg-bluish": replace(MGG, light=(228, 220, 234), hemoglobin=(0.2, 0.3, 0.14)),
        "mgg-wright": mix(MGG, WRIGHT, 0.5),
        "wright": WRIGHT,
    }
)
"""By the names of the command line."""


def vary(stain: Stain, rng: np.random.Generator) -> Stain:
    """The same stain on another day: a little more or less of each dye, other light, other focus."""
    strength = rng.normal(1, 0.05)

    def dye(absorption: Absorption) -> Absorption:
        varied = np.array(absorption) * strength * rng.normal(1, 0.05) * rng.normal(1, 0.02, 3)
        return _channels(np.maximum(varied, 0))

    light = np.clip(np.array(stain.light) * rng.normal(1, 0.006) + rng.normal(0, 1.5, 3), 0, 255)
    return replace(
        stain,
        light=_channels(light),
        azure=dye(stain.azure),
        eosin=dye(stain.eosin),
        purple=dye(stain.purple),
        hemoglobin=dye(stain.hemoglobin),
        defocus=stain.defocus * float(rng.uniform(0.8, 1.3)),
        fringe=stain.fringe * float(rng.uniform(0, 2)),
        unevenness=stain.unevenness * float(rng.uniform(0, 2)),
        sharpening=stain.sharpening * float(rng.uniform(0.8, 1.2)),
        noise=stain.noise * float(rng.uniform(0.7, 1.3)),
        quality=float(np.clip(stain.quality + rng.uniform(-6, 5), 50, 98)),
    )


def photograph(density: NDArray[np.float32], stain: Stain, rng: np.random.Generator) -> Picture:
    """Optical density (H, W, 3) -> the picture that the camera would store, (H, W, 3) uint8.

    Light falls off exponentially with the density (Beer-Lambert); then lens, sensor and JPEG have their say.
    """
    height, width = density.shape[:2]
    light = cv2.exp(-density) * np.array(stain.light, np.float32)
    light = cv2.GaussianBlur(light, (0, 0), stain.defocus)
    for channel, sign in ((0, 1), (2, -1)):
        shift = np.array([[1, 0, sign * stain.fringe], [0, 1, sign * stain.fringe / 2]], np.float32)
        light[..., channel] = cv2.warpAffine(
            np.ascontiguousarray(light[..., channel]), shift, (width, height), borderMode=cv2.BORDER_REPLICATE
        )
    if stain.sharpening > 0:
        light += stain.sharpening * (light - cv2.GaussianBlur(light, (0, 0), 1.3))
    angle = rng.uniform(0, 2 * np.pi)
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    slope = (np.cos(angle) * x)[None, :] + (np.sin(angle) * y)[:, None]
    light *= (1 - stain.unevenness * (slope + 1) / 2)[..., None].astype(np.float32)
    light += stain.noise * rng.standard_normal(light.shape, np.float32)
    picture = np.clip(light + 0.5, 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, round(stain.quality)])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), np.uint8)

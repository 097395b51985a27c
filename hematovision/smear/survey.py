"""What image analysis measures of a picture, each thing once however many ask for it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Union

import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture
from hematovision.smear.finder import WORKING_SIDE, FoundCell, Tone, find_cells, measure_tone
from hematovision.smear.light import Table, measure_light
from hematovision.smear.ruler import pixels_per_um, red_cells


@dataclass(frozen=True, eq=False)
class Survey:
    """What is seen of a picture (H, W, 3), which must not change meanwhile: measured at first need, then kept.

    Everything is what the function of that name says of the picture by itself.
    """

    picture: Picture

    @classmethod
    def of(cls, picture: Union[Picture, "Survey"]) -> "Survey":
        """A new survey of a picture, or the one that there is already."""
        return picture if isinstance(picture, Survey) else cls(picture)

    @cached_property
    def tone(self) -> Tone:
        return measure_tone(self.picture)

    @cached_property
    def cells(self) -> tuple[FoundCell, ...]:
        return tuple(find_cells(self.picture, self.tone if self._is_small else None))

    @cached_property
    def red_cells(self) -> NDArray[np.uint8]:
        return red_cells(self.picture, self.tone)

    @cached_property
    def pixels_per_um(self) -> float | None:
        return pixels_per_um(self.picture, self.red_cells if self._is_small else None)

    @cached_property
    def light(self) -> Table:
        return measure_light(self.picture, self.red_cells)

    @property
    def _is_small(self) -> bool:
        """Whether cells are searched at the picture's own size: larger ones are shrunk before, but for their light."""
        return max(self.picture.shape[:2]) <= WORKING_SIDE

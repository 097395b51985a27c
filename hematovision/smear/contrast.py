"""The local contrast of a cell: what defocus, a coarse camera or thick packing took away is given back.

Light, scale and stain alone leave the blurred cells of another laboratory apart from those that the network learned
from: a lymphocyte whose chromatin and cytoplasm run into one becomes an erythroblast (docs/tried.md).
"""

import cv2

from hematovision.images import Picture

REACH = 5 / 192
"""Standard deviation of the Gaussian that tells detail from what is around it, as a share of the side: 0.7 µm."""
LEAST_DETAIL = 13.9
"""Levels: standard deviation of the gray of detail. A quarter of PBC's `val` has less, half of it 15.7."""
_MOST = 1.5
"""How much of the detail is added at most: more would show noise."""
_UNSEEN = 0.02
"""What is added below this cannot be seen."""


def contrasted(picture: Picture) -> Picture:
    """The picture (H, H, 3) of a framed cell, its detail raised towards `LEAST_DETAIL` where it has less.

    An unsharp mask over each channel. Most pictures of PBC come back as they are.
    """
    reach = REACH * picture.shape[0]
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    detail = cv2.meanStdDev(cv2.subtract(gray, cv2.GaussianBlur(gray, (0, 0), reach), dtype=cv2.CV_16S))[1].item()
    amount = min(LEAST_DETAIL / max(detail, 1e-6) - 1, _MOST)
    if amount < _UNSEEN:
        return picture
    around = cv2.GaussianBlur(picture, (0, 0), reach)
    return cv2.addWeighted(picture, 1 + amount, around, -amount, 0)

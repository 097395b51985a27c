"""Heat maps: evidence for a class or an attribute value, scaled, laid over the picture.

The model ends in global average pooling and one linear layer, so Grad-CAM on the logit (Selvaraju et al. 2017) equals
the class activation map (Zhou et al. 2016) up to a constant: it comes out of the same pass as the answer.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture
from hematovision.smear.framing import Frame, paste

GRADCAM = "gradcam"
GRADCAM_GRADIENTS = "gradcam-gradients"
METHODS: dict[str, str] = {
    GRADCAM: "Grad-CAM out of the same pass as the answer",
    GRADCAM_GRADIENTS: "Grad-CAM by gradients (tf-keras-vis)",
}


def positive(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    """Evidence for the target in [0, 1]: ReLU first, then scaled to a peak of 1. All zero where there is none."""
    evidence = np.maximum(raw, 0)
    peak = evidence.max()
    return (evidence / peak if peak > 0 else evidence).astype(np.float32)


def lay(raw: NDArray[np.float32], frame: Frame, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A raw map (h, w) as evidence (H, W) in [0, 1] at the size of the picture, 0 outside the frame."""
    return paste(positive(raw), frame, shape)


def overlay(picture: Picture, evidence: NDArray[np.float32], opacity: float = 0.6) -> Picture:
    """The picture with evidence (H, W) in [0, 1] laid over it; where there is none, the picture shows as it is.

    Colors are Viridis, which people with any color vision can read. `opacity` is in [0, 1].
    """
    levels = np.round(evidence * 255).astype(np.uint8)
    colors = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)
    # Steeper than the evidence itself, so that a middling one is seen, and smooth where it fades out.
    weight = (opacity * np.sin(evidence * np.pi / 2)).astype(np.float32)
    return cv2.blendLinear(picture, colors, 1 - weight, weight).astype(np.uint8)

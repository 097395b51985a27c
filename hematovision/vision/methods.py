"""The heat-map methods by name: what each is good for, and where it misleads.

All keep one contract: evidence (H, W) float32 in [0, 1] at the picture's size; ReLU before scaling; all zero where
nothing speaks for the target.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hematovision.errors import unknown

GRADCAM = "gradcam"
GRADCAM_GRADIENTS = "gradcam-gradients"
GRADCAM_PLUS_PLUS = "gradcam++"
LAYERCAM = "layercam"
SCORECAM = "scorecam"
OCCLUSION = "occlusion"
SALIENCY = "saliency"
SMOOTHGRAD = "smoothgrad"

OF_PLACES = (OCCLUSION, SALIENCY, SMOOTHGRAD)
"""Methods whose maps are of places in the picture itself; the cells of the others are those of a layer."""

FUSED, COMMON = FUSIONS = ("fused", "common")
"""LayerCAM over all depths: the largest of them, as in its paper; or their product, what all of them have in common."""
DEPTHS = ("fine", "middle", "coarse", "last")
"""LayerCAM's layers: the last ReLU of each size of map, of 48, 24, 12 and 6 cells a side at 192 pixels."""

TRAINED = "trained"
WEIGHTS = (TRAINED, "heads", "half", "all")
"""Weights of the network: trained; or random in the heads, in the upper half of the layers too, or in all layers
(the cascade of Adebayo et al. 2018, https://arxiv.org/abs/1810.03292)."""


@dataclass(frozen=True)
class Method:
    """A heat-map method. `good_for` and `misleads` are one sentence each, for the person who looks at the map.

    `needs_worker`: it is computed by TensorFlow in the worker. `is_long`: it takes many passes, tells how far it is,
    and can be stopped in between.
    """

    name: str
    title: str
    good_for: str
    misleads: str
    paper: str
    address: str
    needs_worker: bool = False
    is_long: bool = False


_ALL = (
    Method(
        GRADCAM,
        "Grad-CAM",
        "Comes with the answer and adds up: its mean, with what speaks against, plus a constant is the score.",
        "It has only six cells a side, so it cannot tell a nucleus from the granules beside it.",
        "Selvaraju et al. 2017",
        "https://arxiv.org/abs/1610.02391",
    ),
    Method(
        GRADCAM_GRADIENTS,
        "Grad-CAM by gradients",
        "The same map by TensorFlow's gradients: a check that the map which comes with the answer is right.",
        "It shows nothing that Grad-CAM does not, and takes longer.",
        "Selvaraju et al. 2017",
        "https://arxiv.org/abs/1610.02391",
        needs_worker=True,
    ),
    Method(
        GRADCAM_PLUS_PLUS,
        "Grad-CAM++",
        "Gives several spots that speak for the same answer their due, as the lobes of one nucleus.",
        "It counts only what speaks for the answer, so its sum is no longer the score.",
        "Chattopadhay et al. 2018",
        "https://arxiv.org/abs/1710.11063",
        needs_worker=True,
    ),
    Method(
        LAYERCAM,
        "LayerCAM",
        "Looks at earlier layers, whose maps are finer, so that nucleus and granules can be told apart.",
        "Early layers answer to any edge or grain: a sharp outline there is not always a reason.",
        "Jiang et al. 2021",
        "https://doi.org/10.1109/TIP.2021.3089943",
        needs_worker=True,
    ),
    Method(
        SCORECAM,
        "Score-CAM",
        "Asks the model itself, without gradients: it shows the picture through 64 masks and sees what each is worth.",
        "The masks are as coarse as Grad-CAM, and the model never learned from cells seen through a soft mask.",
        "Wang et al. 2020",
        "https://arxiv.org/abs/1910.01279",
        is_long=True,
    ),
    Method(
        OCCLUSION,
        "Occlusion",
        "The plainest question: how much does the score fall when a patch is covered with background?",
        "A thing that the patch is smaller than, or that is there twice, hardly shows; the cover's edge is new to the "
        "model.",
        "Zeiler and Fergus 2014",
        "https://arxiv.org/abs/1311.2901",
        is_long=True,
    ),
    Method(
        SALIENCY,
        "Saliency",
        "Shows to which pixels the score is most sensitive, at full resolution.",
        "It has no sign, so it shows what matters and not what speaks for the answer; and it is noisy.",
        "Simonyan et al. 2014",
        "https://arxiv.org/abs/1312.6034",
        needs_worker=True,
    ),
    Method(
        SMOOTHGRAD,
        "SmoothGrad",
        "Saliency as the mean over noisy copies of the picture, which is far less grainy.",
        "It has no sign either, and the noise blurs away what is as fine as itself, such as dust-like granules.",
        "Smilkov et al. 2017",
        "https://arxiv.org/abs/1706.03825",
        needs_worker=True,
        is_long=True,
    ),
)

METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for method in _ALL})


def parse_method(name: str) -> Method:
    """Raises InputError for a name that is not in `METHODS`."""
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    return METHODS[name]


def parse_depth(name: str) -> str:
    """Raises InputError for what is neither one of `DEPTHS` nor of `FUSIONS`."""
    if name not in (*FUSIONS, *DEPTHS):
        raise unknown("depth", name, (*FUSIONS, *DEPTHS))
    return name

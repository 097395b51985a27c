"""What finished models answer, as a part of what a model is to learn: distillation (Hinton, Vinyals, Dean 2015)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hematovision.cells import output_slice
from hematovision.errors import InputError
from hematovision.vision.classifier import Classifier, softmax

TAUGHT = 0.7
"""Share of what is learned that the teachers say; the rest is the key."""


class Teachers:
    """Models whose answers are learned beside the keys: the mean of their probabilities.

    They see the very variant of a picture that is learned from (Beyer et al. 2022), each turned or mirrored by lot: the
    student, which looks once, learns what several looks would say.
    """

    def __init__(self, folders: Sequence[Path], share: float = TAUGHT):
        """The models of `folders`, of one input size. Raises InputError, ModelError."""
        if not 0 <= share <= 1:
            raise InputError(f"{share} is no share of what is learned.", "--taught should be between 0 and 1.")
        self.share = share
        self.models = [Classifier(folder) for folder in folders]

    def check_size(self, size: int) -> None:
        """Raises InputError where a teacher takes pictures of another `size` in pixels."""
        for model in self.models:
            if model.card.size != size:
                raise InputError(
                    f"The teacher {model.card.folder} sees {model.card.size} pixels, the student {size}.",
                    "Teachers see what the student sees: choose those of its size.",
                )

    def soften(
        self, rows: Mapping[str, np.ndarray], pictures: np.ndarray, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Targets {head: (N, values)} of `pictures` (N, size, size, 3), where the share of each row is the teachers'.

        The sum of each row stays what it is: a row of zeros, a missing attribute, is not taught either.
        """
        answers = [model.logits_of(turned(pictures, int(rng.integers(8)))) for model in self.models]
        softened = {}
        for head, own in rows.items():
            taught = np.mean([softmax(logits[:, output_slice(head)]) for logits in answers], axis=0)
            weight = own.sum(axis=1, keepdims=True)
            softened[head] = ((1 - self.share) * own + self.share * weight * taught).astype(np.float32)
        return softened


def turned(pictures: np.ndarray, symmetry: int) -> np.ndarray:
    """Pictures (N, size, size, 3) under one of the eight symmetries of the square; 0 leaves them as they are."""
    mirrored = pictures[:, :, ::-1] if symmetry > 3 else pictures
    return np.rot90(mirrored, symmetry % 4, axes=(1, 2))

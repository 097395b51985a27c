"""Put a model in its place, keep the one that was there, and take it back."""

import shutil
from pathlib import Path

from hematovision.errors import ModelError
from hematovision.vision.card import load_card


def former_of(folder: Path) -> Path:
    """Where the model lies that was in `folder` before: `model` -> `model-former`, beside it."""
    return _beside(folder, "former")


def put_in_place(made: Path, folder: Path) -> None:
    """Make a copy of the model folder `made` the model in `folder`; the one that was there becomes the former one.

    The copy is whole before anything is moved, and what is moved is folders: `folder` never holds parts of two models.
    """
    draft, former = _beside(folder, "draft"), former_of(folder)
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(made, draft)
    if folder.exists():
        shutil.rmtree(former, ignore_errors=True)
        folder.rename(former)
    draft.rename(folder)


def restore(folder: Path) -> Path:
    """Change the model in `folder` and the former one; a second time changes them back. Raises ModelError where there
    is no former model; returns where the other one lies now."""
    former, draft = former_of(folder), _beside(folder, "draft")
    if not former.is_dir():
        raise ModelError(f"There is no former model {former}.", "One is kept whenever a model is replaced.")
    load_card(former)
    shutil.rmtree(draft, ignore_errors=True)
    former.rename(draft)
    if folder.exists():
        folder.rename(former)
    draft.rename(folder)
    return former


def _beside(folder: Path, word: str) -> Path:
    folder = folder.resolve()
    return folder.with_name(f"{folder.name}-{word}")

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
    _finish_change(folder)
    if folder.exists():
        shutil.rmtree(former, ignore_errors=True)
        folder.rename(former)
    draft.rename(folder)


def restore(folder: Path) -> Path:
    """Change the model in `folder` and the former one; a second time changes them back, and after a kill it finishes
    the change. Raises ModelError where there is no former model; returns where the other one lies now."""
    former = former_of(folder)
    if not _finish_change(folder):
        if not former.is_dir():
            raise ModelError(f"There is no former model {former}.", "One is kept whenever a model is replaced.")
        load_card(former)
        former.rename(_beside(folder, "restored"))
        _finish_change(folder)
    return former


def _finish_change(folder: Path) -> bool:
    """Bring back the model that is on its way, the one in `folder` becoming the former; whether there was any.

    On its way it has a name that nothing deletes."""
    restored = _beside(folder, "restored")
    if not restored.is_dir():
        return False
    if folder.exists():
        folder.rename(former_of(folder))
    restored.rename(folder)
    return True


def _beside(folder: Path, word: str) -> Path:
    folder = folder.resolve()
    return folder.with_name(f"{folder.name}-{word}")

"""Search for a better recipe: each trial is a training run in a folder of its own, judged by its accuracy on `val`."""

import hashlib
import json
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras
import optuna
from optuna.samplers import BaseSampler, GridSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from tqdm import tqdm

from hematovision.errors import InputError, unknown
from hematovision.library.records import Record
from hematovision.training.fitting.fit import Epoch, Recipe, fit, read_history, recipe_phases
from hematovision.training.plans import keep_plan, plan_of

METHODS = ("tpe", "random", "grid")

RANGES: Mapping[str, tuple[float, float, bool]] = MappingProxyType(
    {"rate": (2e-5, 1e-3, True), "dropout": (0.0, 0.6, False), "l2": (1e-6, 1e-2, True)}
)
"""Field of a recipe -> (least, greatest, whether by factors instead of by steps)."""
CHOICES: Mapping[str, tuple[int | None, ...]] = MappingProxyType(
    {"batch_size": (16, 32, 64), "epochs": (4, 8, 12, 16), "unfrozen_layers": (4, 12, 24, None)}
)
"""Field of a recipe -> its values."""
SEARCHED = (*RANGES, *CHOICES)
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


def tune(
    records: Sequence[Record],
    recipe: Recipe,
    searched: Sequence[str],
    folder: Path,
    method: str,
    trials: int,
    backbone_weights: str | Path | None,
) -> dict[str, Any]:
    """Run trials until `trials` have ended, counting those that `folder` holds from before; returns the best one.

    What is not `searched` (names of `SEARCHED`) is as in `recipe`. A trial behind the others' median at the same
    epoch is ended early, from the sixth one on. Raises InputError for another search's folder.
    """
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    if trials < 1 or not searched:
        raise InputError("There is nothing to search.", "Ask for one trial at least, and leave some option free.")
    keep_plan(folder, {"method": method, "searched": list(searched), **plan_of(records, recipe, backbone_weights)})
    study = _open(folder)
    for killed in study.get_trials(states=(TrialState.RUNNING,)):
        # The same values again go on from the epoch that it had reached.
        study.tell(killed.number, state=TrialState.FAIL)
        study.enqueue_trial(killed.params)

    while len(study.get_trials(states=_ENDED)) < trials:
        # A search that goes on must not draw the numbers of its beginning again; a grid is numbered by its seed.
        seed = recipe.seed + (len(study.trials) if method != "grid" else 0)
        sampler = study.sampler = _sampler(method, searched, seed)
        waiting = study.get_trials(states=(TrialState.WAITING,))
        if isinstance(sampler, GridSampler) and sampler.is_exhausted(study) and not waiting:
            break
        trial = study.ask()
        chosen = replace(recipe, **{name: _suggest(trial, name) for name in searched})
        trial.set_user_attr("recipe", asdict(chosen))
        tqdm.write(f"trial {trial.number + 1}: {_options(chosen)}", file=sys.stderr)
        value = _run(trial, chosen, records, folder / "trials", backbone_weights)
        # The sampler of a grid stops the loop of `optimize` at its end, and there is no such loop here.
        study.sampler = RandomSampler()
        study.tell(trial, value, state=TrialState.PRUNED if value is None else TrialState.COMPLETE)
    return _summary(study)


def train_command(recipe: Recipe, *rest: str) -> str:
    """The command line that trains with `recipe`; `rest` is added as it is."""
    return shlex.join(["python", "-m", "hematovision", "train", *rest]) + (" " + _options(recipe)).rstrip()


def _options(recipe: Recipe) -> str:
    default = Recipe()
    changed = [f.name for f in fields(recipe) if getattr(recipe, f.name) != getattr(default, f.name)]
    return " ".join(f"--{name.replace('_', '-')} {getattr(recipe, name)}" for name in changed if name != "size")


def _open(folder: Path) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        study_name="tune",
        storage=JournalStorage(JournalFileBackend(str(folder / "trials.journal"))),
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
        load_if_exists=True,
    )


def _sampler(method: str, searched: Sequence[str], seed: int) -> BaseSampler:
    if method == "grid":
        return GridSampler({name: _grid(name) for name in searched}, seed=seed)
    return TPESampler(seed=seed) if method == "tpe" else RandomSampler(seed=seed)


def _grid(name: str) -> list[Any]:
    """Three values of a range, its ends and its middle; all values of a choice."""
    if name in CHOICES:
        return list(CHOICES[name])
    least, greatest, by_factors = RANGES[name]
    return [least, (least * greatest) ** 0.5 if by_factors else (least + greatest) / 2, greatest]


def _suggest(trial: optuna.Trial, name: str) -> Any:
    if name in CHOICES:
        return trial.suggest_categorical(name, CHOICES[name])
    least, greatest, by_factors = RANGES[name]
    return trial.suggest_float(name, least, greatest, log=by_factors)


def _run(
    trial: optuna.Trial, recipe: Recipe, records: Sequence[Record], folder: Path, backbone_weights: str | Path | None
) -> float | None:
    """The best accuracy on `val`; None where the trial was ended early."""
    run = folder / hashlib.sha256(json.dumps(asdict(recipe)).encode()).hexdigest()[:12]

    def report(epoch: Epoch) -> None:
        trial.report(epoch.val_accuracy, epoch.number)
        if trial.should_prune():
            raise optuna.TrialPruned

    if len(read_history(run)) < len(recipe_phases(recipe)):
        keras.backend.clear_session()
        try:
            fit(records, recipe, run, backbone_weights, report)
        except optuna.TrialPruned:
            shutil.rmtree(run)
            return None
    # A search is for numbers: only those are kept.
    for path in run.glob("*.keras"):
        path.unlink()
    return max(epoch.val_accuracy for epoch in read_history(run))


def _summary(study: optuna.Study) -> dict[str, Any]:
    states = [trial.state for trial in study.trials]
    best = study.best_trial
    return {
        "trials": {"complete": states.count(TrialState.COMPLETE), "pruned": states.count(TrialState.PRUNED)},
        "val_accuracy": best.value,
        "recipe": best.user_attrs["recipe"],
    }

"""The commands of a trainer: train, tune, crossvalidate, leaveout, evaluate, model restore."""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hematovision.errors import InputError
from hematovision.files import cannot_write

if TYPE_CHECKING:
    from hematovision.training.fitting.fit import Recipe
    from hematovision.training.fitting.teachers import Teachers

BACKBONES = ("mobilenet_v2", "resnet50", "vgg16", "inception_v3")
"""As in `training.fitting.backbone`, which would load TensorFlow to tell."""

RECIPE_OPTIONS: tuple[tuple[str, type, str], ...] = (
    ("frozen_epochs", int, "epochs with the backbone frozen"),
    ("epochs", int, "epochs with everything trained and strong augmentation; with --extra: all epochs"),
    ("settled_epochs", int, "last epochs, with mild augmentation"),
    ("batch_size", int, "pictures a step"),
    ("frozen_rate", float, "Adam's learning rate while frozen"),
    ("rate", float, "highest learning rate afterwards"),
    ("settled_rate", float, "highest learning rate of the last epochs"),
    ("dropout", float, "share of features dropped before the heads"),
    ("l2", float, "weight of the L2 penalty on the heads"),
    ("unfrozen_layers", int, "how many of the backbone's last layers are trained (default: all)"),
    ("attribute_weight", float, "weight of each attribute's loss beside the class's"),
    ("seed", int, "seed of everything random"),
)
TRAINED, ADAPTED_IN = "runs/train", "runs/adapt"
ADAPTED = ("epochs", "batch_size", "rate", "attribute_weight", "seed")
"""The options of a recipe that --extra understands."""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    train = commands.add_parser("train", help="train the model and replace the one in the model folder")
    _add_recipe(train, TRAINED)
    # Which it is by default is only known with the other options.
    train.set_defaults(run_folder=None)
    _add_model(train)
    train.add_argument(
        "--start-from",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="train on from the model in FOLDER, heads and all, or from the mean of the weights of several, instead of "
        "from a backbone: no epoch with it frozen",
    )
    train.add_argument(
        "--teachers",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="learn what these models answer together beside the keys (distillation)",
    )
    train.add_argument(
        "--taught", type=float, metavar="SHARE", help="with --teachers: how much of it is their answer (default: 0.7)"
    )
    train.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        default=(),
        metavar="SEED",
        help="train once from each, tell the figures of all, and keep the model that is best on val",
    )
    train.add_argument(
        "--extra",
        type=Path,
        metavar="FOLDER",
        help="adapt the present model to the cells in FOLDER, one sub-folder for each class, in the run folder "
        f"{ADAPTED_IN} by default; it is replaced only where nothing gets worse, and the exit status is 0 either way",
    )
    train.add_argument(
        "--replay", type=float, metavar="SHARE", help="with --extra: original pictures in each batch (default: 0.5)"
    )
    train.set_defaults(run=_train)

    tune = commands.add_parser(
        "tune", help="search for a better recipe: what is not set by an option is searched, where it can be"
    )
    _add_recipe(tune, "runs/tune")
    tune.add_argument("--method", choices=("tpe", "random", "grid"), default="tpe", help="default: %(default)s")
    tune.add_argument("--trials", type=int, default=20, metavar="N", help="counting those of a stopped search")
    tune.set_defaults(run=_tune)

    crossvalidate = commands.add_parser("crossvalidate", help="measure a recipe on every picture of train and val")
    _add_recipe(crossvalidate, "runs/folds")
    crossvalidate.add_argument("--folds", type=int, default=5, metavar="K", help="3 or more (default: %(default)s)")
    crossvalidate.set_defaults(run=_crossvalidate)

    leaveout = commands.add_parser(
        "leaveout",
        help="leave one class out: train eight times, each without one class, and measure how unfamiliar it is then",
    )
    _add_recipe(leaveout, "runs/leaveout")
    leaveout.add_argument("--write", type=Path, metavar="FILE.json", help="default: in the run's folder")
    leaveout.set_defaults(run=_leaveout)

    evaluate = commands.add_parser("evaluate", help="measure the model on a split it was not trained on")
    _add_data(evaluate)
    _add_model(evaluate)
    evaluate.add_argument("--split", choices=("val", "test"), default="test")
    evaluate.add_argument(
        "--heatmaps",
        action="store_true",
        help="measure the heat maps of every method too: where the evidence lies, and whether it can be trusted",
    )
    evaluate.add_argument(
        "--write",
        action="store_true",
        help="write what was measured into the model's card, with every wrong cell and CARD.md beside it",
    )
    evaluate.set_defaults(run=_evaluate)

    model = commands.add_parser("model", help="the model that the app uses")
    actions = model.add_subparsers(required=True, metavar="ACTION")
    restore = actions.add_parser("restore", help="change it for the one it replaced; once more changes them back")
    _add_model(restore)
    restore.set_defaults(run=_restore)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, help="folder with the data sets (default: HEMATOVISION_DATA)")


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, help="folder of the model (default: the model folder)")


def _add_recipe(parser: argparse.ArgumentParser, run_folder: str) -> None:
    _add_data(parser)
    parser.add_argument("--backbone", choices=BACKBONES, help="the network below the heads (default: mobilenet_v2)")
    parser.add_argument(
        "--backbone-weights",
        type=_without_heads,
        default="imagenet",
        metavar="FILE",
        help="weights of the backbone without top; default: download ImageNet's",
    )
    parser.add_argument(
        "--run",
        dest="run_folder",
        type=Path,
        default=Path(run_folder),
        help=f"folder for checkpoints; a stopped run goes on (default: {run_folder})",
    )
    for name, kind, text in RECIPE_OPTIONS:
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, type=kind, help=text)


def _without_heads(name: str) -> str:
    """Not a whole model: it has seen every class and picture that another command may leave out."""
    if name.endswith(".keras"):
        raise argparse.ArgumentTypeError(f"{name} is a whole model: 'train --start-from FOLDER' takes its folder")
    return name


def _train(options: argparse.Namespace) -> int:
    if options.extra is not None:
        return _adapt(options)
    if options.replay is not None:
        raise InputError("There is nothing to replay beside.", "--replay goes with --extra FOLDER.")
    if len(set(options.seeds)) < len(options.seeds) or (options.seeds and options.seed is not None):
        raise InputError("A seed is named twice.", "Give --seed N, or --seeds with different ones.")
    weights = options.backbone_weights
    if options.start_from is not None:
        if weights != "imagenet":
            raise InputError("--backbone-weights does not go with --start-from.", "The model brings its own.")
        from hematovision.vision.card import KERAS_FILE, load_card

        weights = [load_card(folder).folder / KERAS_FILE for folder in options.start_from]
        options.frozen_epochs = options.frozen_epochs or 0
    recipe = _recipe(options)
    from hematovision.training.run import train

    run_folder = options.run_folder or Path(TRAINED)
    card = train(_data(options), _model(options), run_folder, recipe, weights, options.seeds, _teachers(options))
    if card is not None:
        print(json.dumps(card["metrics"], indent=1))
    return 0


def _teachers(options: argparse.Namespace) -> "Teachers | None":
    if options.teachers is None:
        if options.taught is not None:
            raise InputError("There is nobody to teach.", "--taught goes with --teachers FOLDER.")
        return None
    from hematovision.training.fitting.teachers import TAUGHT, Teachers

    return Teachers(options.teachers, TAUGHT if options.taught is None else options.taught)


def _adapt(options: argparse.Namespace) -> int:
    if options.teachers is not None or options.taught is not None:
        raise InputError("--teachers does not go with --extra.", "Adapting learns from the keys alone.")
    if options.seeds:
        raise InputError("--seeds does not go with --extra.", "One model is adapted, from one --seed.")
    if options.start_from is not None:
        raise InputError("--start-from does not go with --extra.", "It is the model of --model that is adapted.")
    chosen = _chosen(options)
    if unfit := [name for name in chosen if name not in ADAPTED]:
        raise InputError(
            f"--{unfit[0].replace('_', '-')} does not go with --extra.",
            "The model stays what it is. Of a recipe, --extra takes: " + ", ".join(ADAPTED).replace("_", "-") + ".",
        )
    _quiet_tensorflow()
    from hematovision.training.adapt import Adaptation, adapt

    if options.replay is not None:
        chosen["replay"] = options.replay
    run_folder = options.run_folder or Path(ADAPTED_IN)
    report = adapt(_data(options), options.extra, _model(options), run_folder, Adaptation(**chosen))
    print(json.dumps(report, indent=1))
    return 0


def _tune(options: argparse.Namespace) -> int:
    recipe = _recipe(options)
    from hematovision.library.datasets import read_datasets
    from hematovision.training.fitting.fit import Recipe
    from hematovision.training.tune import SEARCHED, train_command, tune

    data = _data(options)
    free = [name for name in SEARCHED if getattr(options, name) is None]
    report = tune(
        read_datasets(data), recipe, free, options.run_folder, options.method, options.trials, options.backbone_weights
    )
    weights = () if options.backbone_weights == "imagenet" else ("--backbone-weights", options.backbone_weights)
    report["command"] = train_command(Recipe(**report["recipe"]), "--data", str(data), *weights)
    print(json.dumps(report, indent=1))
    return 0


def _crossvalidate(options: argparse.Namespace) -> int:
    recipe = _recipe(options)
    from hematovision.library.datasets import read_datasets
    from hematovision.training.crossval import crossvalidate

    records = read_datasets(_data(options))
    report = crossvalidate(records, options.folds, recipe, options.run_folder, options.backbone_weights)
    print(json.dumps(report, indent=1))
    return 0


def _leaveout(options: argparse.Namespace) -> int:
    _quiet_tensorflow()
    from hematovision.library.datasets import read_datasets
    from hematovision.training.leaveout import SHORT, leave_out

    recipe = replace(SHORT, **_chosen(options))
    report = leave_out(read_datasets(_data(options)), recipe, options.run_folder, options.backbone_weights)
    text = json.dumps(report, indent=1)
    print(text)
    path = options.write or options.run_folder / "leave_one_class_out.json"
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise cannot_write(path, error) from error
    print(f"written to {path}", file=sys.stderr)
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    if options.write and options.split != "test":
        raise InputError("The card tells of the split 'test' only.", "Leave out --split, or --write.")
    _quiet_tensorflow()
    from hematovision.library.datasets import read_datasets
    from hematovision.training.card.report import write_report
    from hematovision.training.measuring.map_quality import map_quality
    from hematovision.training.run import check_same_data, measure
    from hematovision.vision.card import load_card
    from hematovision.vision.classifier import Classifier
    from hematovision.vision.gradients import Gradients

    data, model = _data(options), _model(options)
    records = read_datasets(data)
    if options.write:
        check_same_data(load_card(model), records)
    metrics = measure(data, model, options.split)
    if options.heatmaps:
        measured = [record for record in records if record.split == options.split]
        metrics["heatmaps"] = map_quality(Classifier(model), measured, gradients=Gradients(model))
    if options.write:
        write_report(model, records, metrics)
    print(json.dumps(metrics, indent=1))
    return 0


def _restore(options: argparse.Namespace) -> int:
    from hematovision.training.shelf import restore

    model = _model(options)
    print(json.dumps({"model": str(model), "former": str(restore(model))}))
    return 0


def _chosen(options: argparse.Namespace) -> dict[str, Any]:
    names = ("backbone", *(name for name, _, _ in RECIPE_OPTIONS))
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def _recipe(options: argparse.Namespace) -> "Recipe":
    _quiet_tensorflow()
    from hematovision.training.fitting.fit import Recipe

    return Recipe(**_chosen(options))


def _data(options: argparse.Namespace) -> Path:
    from hematovision.settings import load_settings

    data = options.data or load_settings().data
    if data is None:
        raise InputError("No data set was named.", "Give --data FOLDER or set HEMATOVISION_DATA.")
    return data


def _model(options: argparse.Namespace) -> Path:
    from hematovision.settings import load_settings

    return options.model or load_settings().model


def _quiet_tensorflow() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

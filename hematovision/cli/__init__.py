"""The command line. Results on stdout, progress and errors on stderr, exit status 0 only when all was done."""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hematovision.cli import sets, training
from hematovision.cli.sets import SOME_FAILED
from hematovision.errors import HematoVisionError, ImageError
from hematovision.files import cannot_write

if TYPE_CHECKING:
    from hematovision.services.explain import Explain

FAILED = 1
NO_READER = 128 + 13
"""As a shell tells that a program was ended by SIGPIPE."""


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return NO_READER
    except OSError as error:
        _drop_output()
        what = error.filename or "Cannot write the output"
        print(f"error: {what}: {error.strerror or error}. Check the disk.", file=sys.stderr)
        return FAILED


def _drop_output() -> None:
    """What is still to be written goes nowhere: Python would try it again as it ends, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except HematoVisionError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hematovision", description="Learn to tell blood cells apart.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    classify = commands.add_parser("classify", help="name the cells in pictures")
    classify.add_argument("paths", nargs="+", metavar="PATH", help="a picture file")
    classify.add_argument(
        "--as",
        dest="mode",
        choices=("auto", "cell", "field"),
        default="auto",
        help="one cell, a field of a smear, or by the picture's shape (default)",
    )
    classify.add_argument(
        "--json", action="store_true", help="one JSON object a line (always so where the output is no terminal)"
    )
    classify.set_defaults(run=_classify)

    heatmap = commands.add_parser("heatmap", help="show what speaks for a class or an attribute value")
    heatmap.add_argument("path", metavar="PATH", help="a picture of one cell")
    heatmap.add_argument(
        "--target", help="a class (monocyte) or an attribute value (granularity=yes); default: the model's answer"
    )
    heatmap.add_argument(
        "--method",
        default="gradcam",
        metavar="NAME",
        help="gradcam (default), scorecam, occlusion; by TensorFlow: gradcam-gradients, gradcam++, layercam, saliency, "
        "smoothgrad",
    )
    heatmap.add_argument("--overlay", type=Path, metavar="OUT.png", help="write the picture with the map over it")
    heatmap.add_argument("--array", type=Path, metavar="OUT.npy", help="write the map: (H, W) float32 in [0, 1]")
    heatmap.set_defaults(run=_heatmap)

    library = commands.add_parser("library", help="the pictures for the quiz")
    actions = library.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="the folders and what is in them").set_defaults(run=_library_list)
    add = actions.add_parser("add", help="add a folder (PBC, or one sub-folder for each class)")
    add.add_argument("folder", type=Path)
    add.set_defaults(run=_library_add)
    actions.add_parser("index", help="compute the model's answer for each picture, once").set_defaults(
        run=_library_index
    )

    draw = commands.add_parser("draw", help="draw blood cells into a folder, with a row on each")
    draw.add_argument("--class", dest="cell_class", required=True, metavar="CLASS", help="a class, or all of them: all")
    draw.add_argument("--count", type=int, required=True, metavar="N", help="cells of each class")
    draw.add_argument("--seed", type=int, required=True, metavar="S", help="the same seed draws the same cells")
    draw.add_argument("--stain", default="mgg", metavar="NAME", help="mgg (default), mgg-bluish, mgg-wright or wright")
    draw.add_argument("--stage", help="band, say; default: spread evenly over the stages of the class")
    draw.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="added to, where it holds drawn cells")
    draw.set_defaults(run=_draw)

    training.add_commands(commands)
    sets.add_commands(commands)

    serve = commands.add_parser("serve", help="start the app in the browser")
    serve.add_argument("--port", type=int, default=8501, help="on this machine only (default: %(default)s)")
    serve.set_defaults(run=_serve)
    return parser


def _explain() -> "Explain":
    from hematovision.services.explain import Explain
    from hematovision.settings import load_settings

    return Explain(load_settings().model)


def _classify(options: argparse.Namespace) -> int:
    from hematovision import images

    explain = _explain()
    explain.classifier  # noqa: B018 - without a model there is nothing to say of any picture
    as_json = options.json or not sys.stdout.isatty()
    failed = False
    for path in options.paths:
        row: dict[str, Any] = {"path": path, "status": None, "cells": [], "error": None}
        try:
            reading = explain.read(images.read(path), options.mode)
            row |= {"status": reading.status, "cells": [cell.as_json() for cell in reading.cells]}
        except ImageError as error:
            failed = True
            row["error"] = error.as_json()
        print(json.dumps(row) if as_json else _in_words(row), flush=True)
    return SOME_FAILED if failed else 0


def _in_words(row: dict[str, Any]) -> str:
    from hematovision.cells import display_name

    if row["error"]:
        return f"{row['path']}: {row['error']['message']} {row['error']['hint']}"
    if row["status"] == "not_blood":
        return f"{row['path']}: not a blood cell"
    cells = [f"{display_name(c['label'])} {c['probability']:.0%} ({c['status']})" for c in row["cells"]]
    return f"{row['path']}: {', '.join(cells) or 'no white cell found'}"


def _heatmap(options: argparse.Namespace) -> int:
    import numpy as np

    from hematovision import images
    from hematovision.cells import CLASS_HEAD, parse_target
    from hematovision.vision.heatmap import overlay
    from hematovision.vision.methods import parse_method

    parse_method(options.method)
    target = parse_target(options.target) if options.target else None
    explain = _explain()
    picture = images.read(options.path)
    reading = explain.read(picture, "cell")
    if not reading.cells:
        raise ImageError(
            "This picture shows no stained blood cell.",
            "Use a picture of a stained cell.",
            kind="not_blood",
        )
    answer = reading.cells[0].prediction
    evidence = explain.evidence(picture, answer, target, options.method)
    head, value = target or (CLASS_HEAD, answer.label)
    has_evidence = bool(evidence.any())
    if not has_evidence:
        print(f"There is no evidence for {value} in this picture: the map is empty.", file=sys.stderr)
    if options.array:
        array = io.BytesIO()
        np.save(array, evidence)
        _write(options.array, array.getvalue())
    if options.overlay:
        _write(options.overlay, images.encode_png(overlay(picture, evidence)))
    print(
        json.dumps(
            {
                "path": options.path,
                "target": {"head": head, "value": value},
                "method": options.method,
                "evidence": has_evidence,
                "label": answer.label,
            }
        )
    )
    explain.close()
    return 0


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise cannot_write(path, error) from error


def _pictures():
    from hematovision.services.pictures import Pictures
    from hematovision.settings import load_settings

    return Pictures(load_settings(), _explain())


def _library_list(options: argparse.Namespace) -> int:
    failed = False
    for source in _pictures().library.sources:
        row = {"folder": str(source.folder), "pictures": len(source.records), "error": None}
        if source.error:
            failed = True
            row["error"] = source.error.as_json()
        print(json.dumps(row))
    return SOME_FAILED if failed else 0


def _library_add(options: argparse.Namespace) -> int:
    source = _pictures().add_folder(options.folder)
    print(json.dumps({"folder": str(source.folder), "pictures": len(source.records)}))
    return 0


def _library_index(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    with tqdm(desc="indexing", unit="picture") as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        unreadable = _pictures().build_index(report)
    for path in unreadable:
        print(f"not readable: {path}", file=sys.stderr)
    return SOME_FAILED if unreadable else 0


def _draw(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from hematovision.cells import CELL_CLASSES
    from hematovision.library.drawn import row, save, series

    classes = CELL_CLASSES if options.cell_class == "all" else (options.cell_class,)
    cells = series(classes, options.count, options.seed, options.stain, options.stage)
    for cell in tqdm(cells, desc="drawing", unit="picture"):
        print(json.dumps(row(cell, save(options.out, cell))), flush=True)
    return 0


def _serve(options: argparse.Namespace) -> int:
    from hematovision.ui.server import serve

    serve(["--server.port", str(options.port)])
    return 0

"""The commands of an instructor: sets export, import, check."""

import argparse
import json
from pathlib import Path

from hematovision.errors import HematoVisionError, InputError
from hematovision.exchange.formats import FORMATS

SOME_FAILED = 3


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    sets = commands.add_parser("sets", help="the quiz sets")
    actions = sets.add_subparsers(required=True, metavar="ACTION")

    export = actions.add_parser("export", help="write a set with its pictures to a file, for others or another program")
    export.add_argument("set_id", metavar="SET_ID", help="the name of its file, without .yaml")
    export.add_argument(
        "--format",
        choices=FORMATS,
        required=True,
        help="zip: HematoVision's own, with everything; qti: for Canvas; pdf: a sheet without the keys; "
        "every other one holds the keys",
    )
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help="replaced where it is there")
    export.set_defaults(run=_export)

    add = actions.add_parser("import", help="read a set out of an archive of HematoVision or a Moodle XML file")
    add.add_argument("file", type=Path, metavar="FILE")
    add.add_argument(
        "--to", type=Path, metavar="FOLDER", help="a folder of the library (default: the folder of one's own cells)"
    )
    add.set_defaults(run=_import)

    check = actions.add_parser("check", help="name every fault of a set's file, with its line")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE", help="FOLDER/sets/NAME.yaml")
    check.set_defaults(run=_check)


def _export(options: argparse.Namespace) -> int:
    from hematovision.exchange.bundle import from_library
    from hematovision.exchange.formats import write
    from hematovision.files import cannot_write, write_whole

    if options.out.is_dir():
        raise InputError(f"{options.out} is a folder.", "Name a file in it.")
    bundle = from_library(_library(), options.set_id)
    try:
        write_whole(options.out, write(bundle, options.format))
    except OSError as error:
        raise cannot_write(options.out, error) from error
    row = {"set": options.set_id, "format": options.format, "cells": len(bundle.items), "file": str(options.out)}
    print(json.dumps(row))
    return 0


def _import(options: argparse.Namespace) -> int:
    from hematovision.exchange.formats import read_file
    from hematovision.files import expanded
    from hematovision.library.bank import keep_set
    from hematovision.settings import load_settings

    bundle = read_file(options.file)
    folder = expanded(options.to or load_settings().own_cells)
    taken = {
        quiz_set.id
        for source in _library().sources
        if source.folder.resolve() != folder.resolve()
        for quiz_set in source.sets
    }
    kept = keep_set(folder, bundle.quiz_set, bundle.pictures, taken)
    row = {"set": kept.id, "title": kept.title, "cells": len(kept.cells), "folder": str(folder)}
    print(json.dumps(row, ensure_ascii=False))
    return 0


def _check(options: argparse.Namespace) -> int:
    from hematovision.library.sets_check import check_set

    failed = False
    for path in options.files:
        row: dict[str, object] = {"path": str(path), "faults": [], "error": None}
        try:
            faults = check_set(path)
            row["faults"] = [{"line": fault.line} | fault.error.as_json() for fault in faults]
            failed = failed or bool(faults)
        except HematoVisionError as error:
            row["error"] = error.as_json()
            failed = True
        print(json.dumps(row, ensure_ascii=False))
    return SOME_FAILED if failed else 0


def _library():
    from hematovision.services.explain import Explain
    from hematovision.services.pictures import Pictures
    from hematovision.settings import load_settings

    settings = load_settings()
    return Pictures(settings, Explain(settings.model)).library

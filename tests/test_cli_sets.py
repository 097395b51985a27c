"""The commands for quiz sets, as a person or a script uses them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hematovision.cli import main
from hematovision.library.bank import open_library
from hematovision.settings import ROOT, load_settings


@pytest.fixture
def home(tmp_path, monkeypatch, bank):
    """The environment of an app with a small bank and no model; settings read anew."""
    for name, path in (("HOME", tmp_path / "home"), ("BANK", bank), ("MODEL", tmp_path / "none")):
        monkeypatch.setenv(f"HEMATOVISION_{name}", str(path))
    monkeypatch.delenv("HEMATOVISION_DATA", raising=False)
    load_settings.cache_clear()
    yield tmp_path / "home"
    load_settings.cache_clear()


@pytest.fixture
def run(home, capsys):
    def command(*arguments):
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, [json.loads(line) for line in out.splitlines()], err

    return command


@pytest.mark.parametrize("name", ["zip", "moodle", "gift", "qti", "anki", "pdf", "pdf-key", "csv"])
def test_a_set_is_exported_in_each_format(run, tmp_path, name):
    out = tmp_path / f"set.{name}"
    assert run("sets", "export", "core-four", "--format", name, "--out", out) == (
        0,
        [{"set": "core-four", "format": name, "cells": 12, "file": str(out)}],
        "",
    )
    assert out.stat().st_size > 100


@pytest.mark.parametrize("name", ["zip", "moodle"])
def test_what_was_exported_is_imported_into_ones_own_folder(run, home, tmp_path, name):
    run("sets", "export", "core-four", "--format", name, "--out", tmp_path / "set")
    # The bank has a set of that name already.
    set_id = {"zip": "core-four-2", "moodle": open_id()}[name]
    row = {"set": set_id, "title": "Core four, drawn cells", "cells": 12, "folder": str(home / "drawn")}
    for _ in range(2):
        assert run("sets", "import", tmp_path / "set") == (0, [row], "")
    library = open_library([home / "drawn"])
    assert {len(ids) for ids in library.pool(library.sets[set_id]).values()} == {3}
    assert len(list((home / "drawn" / "sets").iterdir())) == 1
    status, rows, _ = run("sets", "check", home / "drawn" / "sets" / f"{set_id}.yaml")
    assert status == 0 and rows[0]["faults"] == []


def open_id():
    from hematovision.library.bank import id_of

    return id_of("Core four, drawn cells")


def test_a_set_is_imported_into_a_folder_that_is_named(run, tmp_path):
    run("sets", "export", "band-segmented", "--format", "zip", "--out", tmp_path / "set.zip")
    status, (row,), _ = run("sets", "import", tmp_path / "set.zip", "--to", tmp_path / "mine")
    assert status == 0 and row["folder"] == str(tmp_path / "mine")
    assert (tmp_path / "mine" / "sets" / f"{row['set']}.yaml").is_file()


def test_nothing_is_imported_of_a_file_that_is_refused(run, home, tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04")
    status, rows, error = run("sets", "import", tmp_path / "bad.zip")
    assert (status, rows) == (1, []) and error.startswith("error: The archive is damaged. Export, copy or download")
    assert not home.exists()


def test_an_export_that_cannot_be_made_is_an_error(run, tmp_path):
    status, rows, error = run("sets", "export", "mine", "--format", "pdf", "--out", tmp_path / "a.pdf")
    assert (status, rows) == (1, []) and "Unknown set 'mine'. Should be one of: " in error
    status, rows, error = run("sets", "export", "core-four", "--format", "csv", "--out", tmp_path / "none" / "a.csv")
    assert (status, rows) == (1, []) and "Cannot write" in error
    assert not list(tmp_path.glob("*.pdf"))


@pytest.mark.parametrize("out", [".", "/", "folder"])
def test_an_export_into_a_folder_asks_for_a_file(run, tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    status, rows, error = run("sets", "export", "core-four", "--format", "csv", "--out", out)
    assert (status, rows) == (1, []) and f"{out} is a folder. Name a file in it." in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder"]


@pytest.mark.parametrize("command", [("sets", "import", "set.zip", "--to"), ("library", "add")])
def test_the_home_of_nobody_is_refused(run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    run("sets", "export", "core-four", "--format", "zip", "--out", "set.zip")
    status, rows, error = run(*command, "~nosuchuser/x")
    assert (status, rows) == (1, []) and "There is no ~nosuchuser/x" in error


def start(*arguments, stdout):
    command = [sys.executable, "-m", "hematovision", *map(str, arguments)]
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_a_command_whose_reader_has_gone_ends_quietly(home):
    with start("library", "list", stdout=subprocess.PIPE) as process:
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 141)


def test_a_command_whose_reader_has_seen_enough_stops(home, tmp_path):
    options = ("--class", "platelet", "--count", "100", "--seed", "1", "--out", tmp_path / "drawn")
    with start("draw", *options, stdout=subprocess.PIPE) as process:
        assert json.loads(process.stdout.readline())["class"] == "platelet"
        process.stdout.close()
        assert "Traceback" not in process.stderr.read() and process.wait() == 141
    assert len(list((tmp_path / "drawn" / "pictures").iterdir())) < 100


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no device that is always full")
def test_an_output_that_cannot_be_written_is_an_error(home):
    with Path("/dev/full").open("w") as full, start("library", "list", stdout=full) as process:
        assert process.stderr.read() == "error: Cannot write the output: No space left on device. Check the disk.\n"
        assert process.wait() == 1


def test_an_export_of_a_set_that_lost_a_picture_is_an_error(run, home, tmp_path):
    run("sets", "export", "core-four", "--format", "zip", "--out", tmp_path / "set.zip")
    _, (row,), _ = run("sets", "import", tmp_path / "set.zip")
    lost = sorted((home / "drawn" / "pictures").iterdir())[0]
    lost.unlink()
    status, rows, error = run("sets", "export", row["set"], "--format", "zip", "--out", tmp_path / "again.zip")
    assert (status, rows) == (1, []) and f"cannot be asked: pictures/{lost.name}. The picture has gone" in error
    assert not (tmp_path / "again.zip").exists()


def test_every_fault_of_every_file_is_named(run, bank, tmp_path):
    shutil.copytree(bank, tmp_path / "mine")
    bad = tmp_path / "mine" / "sets" / "bad.yaml"
    bad.write_text("title: ''\nchoices: [band, mono]\ncells:\n- a.png\n")
    good = tmp_path / "mine" / "sets" / "core-four.yaml"
    status, rows, _ = run("sets", "check", good, bad, tmp_path / "none.yaml")
    assert status == 3
    assert [[(fault["line"], fault["message"]) for fault in row["faults"]] for row in rows] == [
        [],
        [(1, "title is missing."), (2, "Unknown name in choices 'mono'.")],
        [],
    ]
    assert [row["error"] and row["error"]["kind"] for row in rows] == [None, None, "data"]


def test_help_names_what_there_is(run, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["sets", "export", "--help"])
    assert caught.value.code == 0 and "pdf-key" in capsys.readouterr().out

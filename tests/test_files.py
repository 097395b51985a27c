from pathlib import Path

import pytest

from hematovision.errors import DataError, InputError
from hematovision.files import cannot_write, changing, expanded, write_whole

FULL = OSError(28, "No space left on device")
"""As a write to an open file raises it: without a file name."""


def test_text_and_bytes_replace_what_was_there(tmp_path):
    for content, stored in (("Rümke", "Rümke".encode()), (b"\x00\xff", b"\x00\xff")):
        write_whole(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == stored
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_write_that_breaks_off_leaves_the_former_file(tmp_path, monkeypatch):
    write_whole(tmp_path / "file", "former")

    def breaks(path, content):
        with path.open("wb") as file:
            file.write(content[:2])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", breaks)
    with pytest.raises(OSError, match="full"):
        write_whole(tmp_path / "file", "latter")
    assert (tmp_path / "file").read_text() == "former"


def test_the_error_names_what_could_not_be_written_and_why(tmp_path):
    error = cannot_write(tmp_path, FULL)
    assert error.message == f"Cannot write {tmp_path}: No space left on device." and error.hint


def test_a_change_that_fails_says_where_and_claims_no_write_that_was_a_read(tmp_path):
    with pytest.raises(DataError) as caught, changing(tmp_path):
        (tmp_path / "none").read_text()
    assert caught.value.message == f"Cannot change {tmp_path}: {tmp_path / 'none'}: No such file or directory."
    with pytest.raises(DataError) as caught, changing(tmp_path):
        raise FULL
    assert caught.value.message == f"Cannot change {tmp_path}: No space left on device."
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="Cannot change"), changing(tmp_path / "file"):
        pass


def test_the_home_of_nobody_is_no_folder():
    with pytest.raises(InputError, match="There is no ~nosuchuser/x"):
        expanded(Path("~nosuchuser/x"))
    assert expanded(Path("~/x")) == Path.home() / "x"

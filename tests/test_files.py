from pathlib import Path

import pytest

from hematovision.files import write_whole


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

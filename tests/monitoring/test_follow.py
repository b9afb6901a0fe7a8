"""A followed folder gives each file once, when it no longer changes."""

import os

import pytest

from simulacra.errors import SimulacraError
from simulacra.monitoring.follow import Folder


def test_a_growing_file_waits_and_a_replaced_one_comes_again(tmp_path):
    folder, file = Folder(tmp_path), tmp_path / "a.h5"
    assert folder.ready() == []
    file.write_text("half")
    assert folder.ready() == []
    file.write_text("half and more")
    assert folder.ready() == []
    assert folder.ready() == [file]
    assert folder.ready() == []
    file.write_text("another content")
    assert folder.ready() == []
    assert folder.ready() == [file]


def test_files_come_in_the_order_of_their_times_and_hidden_ones_never(tmp_path):
    for name, time in (("b.h5", 10), ("a.h5", 20), (".part.h5", 5)):
        (tmp_path / name).write_text("content")
        os.utime(tmp_path / name, (time, time))
    (tmp_path / "inside").mkdir()
    (tmp_path / "empty.h5").touch()
    folder = Folder(tmp_path)
    folder.ready()
    assert [path.name for path in folder.ready()] == ["b.h5", "a.h5"]


def test_a_file_is_no_folder(tmp_path):
    with pytest.raises(SimulacraError, match="is no folder"):
        Folder(tmp_path / "nothing")

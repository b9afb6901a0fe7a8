"""A name holds the old output or the whole new one, whoever writes, reads or is killed."""

import errno
import os
import subprocess
import sys
import threading

import pytest

from simulacra.files import atomic
from simulacra.files.atomic import require_place, settled, whole_file, whole_folder


def names(folder):
    return sorted(item.name for item in folder.iterdir())


def test_the_last_of_two_writers_wins_whole(tmp_path):
    path = tmp_path / "out"
    with whole_file(path) as first, whole_file(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # the outer block ends last
    assert names(tmp_path) == ["out"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "out"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), whole_file(path) as part:
        (part.write_text("half"), (tmp_path / "none").read_text())
    assert path.read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_what_users_call_alike_is_left_alone(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    own = ["out.part", "out.parts", "out.old.part", ".out.part"]
    for name in own:
        (tmp_path / name).symlink_to(elsewhere)
    with whole_file(tmp_path / "out") as part:
        part.write_text("new")
    with whole_folder(tmp_path / "folder") as part:
        (part / "a").write_text("new")
    assert elsewhere.read_text() == "mine"
    assert set(names(tmp_path)) == {*own, "elsewhere", "out", "folder"}


def test_an_unwritable_place_is_told_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError), whole_file(tmp_path / "file" / "out"):
        pytest.fail("the block must not begin")


def test_places_are_tried_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    require_place(tmp_path / "none" / "yet" / "out.h5")
    assert names(tmp_path) == ["file"]
    with pytest.raises(NotADirectoryError) as caught:
        require_place(tmp_path / "file" / "out.h5")
    assert str(tmp_path / "file" / "out.h5") in str(caught.value)  # not a name of ours


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to(os.devnull)])
def test_only_files_are_replaced_by_files(make, tmp_path):
    path = tmp_path / "out"
    make(path)
    with pytest.raises(FileExistsError, match="out"), whole_file(path):
        pytest.fail("the block must not begin")
    assert names(tmp_path) == ["out"]
    assert not path.is_file()


@pytest.mark.parametrize("make", [whole_file, whole_folder])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_names_the_output(make, number, tmp_path):
    path = tmp_path / "out"
    with pytest.raises(OSError, match=str(path)) as caught, make(path):
        raise OSError(number, os.strerror(number))  # as write() does
    assert caught.value.errno == number
    assert names(tmp_path) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from simulacra.files.atomic import whole_file, whole_folder
with {kind}(Path(sys.argv[1])) as part:
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("kind", ["whole_file", "whole_folder"])
def test_what_a_killed_process_leaves_goes_with_the_next_one(kind, tmp_path):
    path = tmp_path / "out"
    subprocess.run([sys.executable, "-c", KILLED.format(kind=kind), str(path)], check=False)
    assert len(names(tmp_path)) == 1
    with whole_file(path) as part:
        assert len(names(tmp_path)) == 1  # its own; the other is gone
        part.write_text("new")
    assert names(tmp_path) == ["out"]


@pytest.mark.slow
def test_a_reader_sees_the_old_folder_or_the_new_one(tmp_path):
    path, files = tmp_path / "out", ("a", "b", "c")

    def write(number):
        with whole_folder(path) as part:
            for name in files:
                (part / name).write_text(str(number))

    write(0)
    done = threading.Event()

    def replace():
        for number in range(1, 100):
            write(number)
        done.set()

    writer = threading.Thread(target=replace)
    writer.start()
    seen = 0
    while not done.is_set():
        found = settled(path, lambda folder: {(folder / name).read_text() for name in files})
        assert len(found) == 1
        seen += 1
    writer.join()
    assert seen > 10
    assert names(tmp_path) == ["out"]


def test_without_an_exchange_of_names_a_kill_between_two_renames_is_repaired(tmp_path, monkeypatch):
    path = tmp_path / "out"
    monkeypatch.setattr(atomic, "_exchange", lambda *_: False)
    for number in range(2):
        with whole_folder(path) as part:
            (part / "a").write_text(str(number))
    assert (path / "a").read_text() == "1"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    name = atomic.own_name(path, "old").name.replace(f"-{os.getpid()}-", f"-{ended.pid}-")
    path.rename(tmp_path / name)  # as the killed process left it
    assert settled(path, lambda folder: (folder / "a").read_text()) == "1"
    assert names(tmp_path) == ["out"]


def test_long_names_that_begin_alike_are_told_apart(tmp_path):
    one, other = (tmp_path / ("long" * 20 + end) for end in ("-a", "-b"))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = atomic.own_name(one, "old").name.replace(f"-{os.getpid()}-", f"-{ended.pid}-")
    (tmp_path / left).mkdir()  # a folder whose replacement was killed between two renames
    with pytest.raises(FileNotFoundError):
        settled(other, lambda folder: (folder / "a").read_text())
    assert names(tmp_path) == [left]

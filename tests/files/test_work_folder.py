"""One process works in a folder; others are refused, and what is not ours is left alone."""

import subprocess
import sys

import pytest

from simulacra.errors import SimulacraError
from simulacra.files.work_folder import LOCK, MARKER, SIGNATURE, is_work, publish_work, workplace


def test_a_second_one_is_refused_and_a_killed_one_is_in_nobodys_way(tmp_path):
    folder = tmp_path / "out.parts"
    code = (
        "import sys, time; from pathlib import Path; from simulacra.files.work_folder "
        "import workplace\n"
        "with workplace(Path(sys.argv[1]), 'chunk-*') as folder:\n"
        "    (folder / 'chunk-1').write_text('done'); print('there', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    with other.stdout:
        assert other.stdout.readline() == "there\n"
        with pytest.raises(SimulacraError, match="in use"), workplace(folder, "chunk-*"):
            pass
        other.kill()
        other.wait()
    with workplace(folder, "chunk-*") as again:
        assert (again / "chunk-1").read_text() == "done"
    assert folder.is_dir()


def test_it_goes_where_nothing_is_left_to_go_on_from(tmp_path):
    folder = tmp_path / "out.parts"
    with workplace(folder, "chunk-*", "mark"):
        (folder / "mark").write_text("")
    assert not folder.exists()


def _file(folder, _other):
    folder.write_text("mine")


def _empty(folder, _other):
    folder.mkdir()


def _names_of_ours(folder, _other):
    folder.mkdir()
    for name in ("chunk-1", "chunk-2", "mark", LOCK):
        (folder / name).write_text("mine")


def _another_marker(folder, _other):
    _names_of_ours(folder, _other)
    (folder / MARKER).write_text(SIGNATURE + "of another program")


def _linked_marker(folder, other):
    folder.mkdir()
    (other / MARKER).write_text(SIGNATURE)
    (folder / MARKER).symlink_to(other / MARKER)


def _more_than_ours(folder, _other):
    _names_of_ours(folder, _other)
    (folder / MARKER).write_text(SIGNATURE)
    (folder / "notes").write_text("mine")


def _link(folder, other):
    (other / MARKER).write_text(SIGNATURE)
    folder.symlink_to(other)


def _link_to_nothing(folder, other):
    folder.symlink_to(other / "nothing")


@pytest.mark.parametrize(
    "make",
    [
        _file, _empty, _names_of_ours, _another_marker, _linked_marker, _more_than_ours, _link,
        _link_to_nothing,
    ],
)  # fmt: skip
def test_what_is_not_ours_is_refused_and_kept(make, tmp_path):
    """Names alone make no folder ours, and the marker none with files that are not."""
    folder, other = tmp_path / "out.parts", tmp_path / "other"
    other.mkdir()
    make(folder, other)
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    with (
        pytest.raises(SimulacraError, match="holds something else"),
        workplace(folder, "chunk-*", "mark"),
    ):
        pass
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before


def test_a_folder_has_its_marker_as_long_as_it_has_its_name(tmp_path):
    folder, output = tmp_path / "out.part", tmp_path / "out"
    with workplace(folder, "checkpoint", "result"):
        assert is_work(folder)
        (folder / "result").write_text("done")
        (folder / LOCK).unlink()
        publish_work(folder, output)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in output.iterdir()] == ["result"]


def test_what_a_kill_leaves_while_the_folder_is_made_or_removed_is_swept(tmp_path):
    folder = tmp_path / "out.parts"
    code = (
        "import os, sys; from pathlib import Path\n"
        "from simulacra.files import atomic, work_folder\n"
        "atomic.remove = lambda path: os._exit(9)\n"
        "with work_folder.workplace(Path(sys.argv[1]), 'chunk-*'): pass"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(folder)], check=False)
    assert killed.returncode == 9
    assert not folder.exists()
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".out.parts.")
    with workplace(folder, "chunk-*"):
        assert list(tmp_path.iterdir()) == [folder]
    assert not list(tmp_path.iterdir())

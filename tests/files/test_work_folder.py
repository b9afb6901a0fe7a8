"""One process works in a folder; others are refused, and what is not ours is left alone."""

import subprocess
import sys

import pytest

from simulacra.errors import SimulacraError
from simulacra.files.work_folder import workplace


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


@pytest.mark.parametrize("make", ["file", "folder", "link"])
def test_what_is_not_ours_is_refused_and_kept(make, tmp_path):
    folder, other = tmp_path / "out.parts", tmp_path / "other"
    other.mkdir()
    if make == "file":
        folder.write_text("mine")
    elif make == "folder":
        folder.mkdir()
        (folder / "notes").write_text("mine")
    else:
        folder.symlink_to(other)
    with pytest.raises(SimulacraError, match="holds something else"), workplace(folder, "chunk-*"):
        pass
    assert folder.exists()
    assert not list(other.iterdir())

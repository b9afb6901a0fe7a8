"""What an output replaces: nothing that is somebody else's, told before any work."""

import os

import pytest

from simulacra.cli.options import (
    require_free,
    require_report_folder,
    require_simulator_folder,
)
from simulacra.errors import SimulacraError
from simulacra.files.simulator_files import NEEDED


def test_a_link_to_nothing_is_there_already(tmp_path):
    path = tmp_path / "out.h5"
    path.symlink_to("nowhere")
    with pytest.raises(SimulacraError, match="--overwrite"):
        require_free(path, overwrite=False)
    with pytest.raises(SimulacraError, match="is not a report"):
        require_report_folder(path)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_overwriting_replaces_files_alone(make, tmp_path):
    path = tmp_path / "out.h5"
    make(path)
    with pytest.raises(FileExistsError):
        require_free(path, overwrite=True)


def test_folders_with_files_of_the_user_are_not_replaced(tmp_path):
    for name in NEEDED:
        (tmp_path / name).write_text("")
    require_simulator_folder(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SimulacraError, match=r"notes\.txt, which is no part of a simulator"):
        require_simulator_folder(tmp_path)

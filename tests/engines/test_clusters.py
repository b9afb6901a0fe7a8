"""Real engines: Dask workers on this machine, and SLURM where there is one."""

import shutil
import subprocess

import numpy as np
import pytest

from simulacra.engines import parse_engine
from simulacra.errors import SimulacraError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("workers_know_the_task")]


def has_slurm():
    """Whether SLURM's commands reach a controller."""
    if shutil.which("sbatch") is None:
        return False
    return subprocess.run(["squeue"], capture_output=True, check=False).returncode == 0


@pytest.fixture(params=["dask", "slurm"])
def where(request, tmp_path):
    if request.param == "slurm":
        if not has_slurm():
            pytest.skip("no SLURM: sbatch is missing or reaches no controller")
        path = tmp_path / "cluster.yaml"
        path.write_text("chunks_per_job: 3\nretries: 1\n")
        yield f"slurm:{path}"
        return
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
    ) as cluster:
        yield f"dask:{cluster.scheduler_address}"


def test_a_command_that_is_killed_is_started_again(where, described):
    parts = described(dies=4, times=1)
    assert sorted(parse_engine(where).run(parts, range(6))) == [*range(6)]
    squares = [parts.load(number)[0]["square"] for number in range(6)]
    assert np.array_equal(squares, np.arange(6)[:, None] ** 2 * np.ones(3))


def test_a_chunk_that_fails_is_told_with_its_log(where, described):
    parts = described(fails=1)
    with pytest.raises(SimulacraError, match=r"1 chunks were not made.*no square of this number"):
        list(parse_engine(where).run(parts, range(3)))
    assert parts.missing(range(3)) == [1]


def test_a_scheduler_that_is_not_there_is_one_line(monkeypatch, described):
    pytest.importorskip("distributed")
    from simulacra.engines import dask

    monkeypatch.setattr(dask, "PATIENCE", "0.2s")
    with pytest.raises(SimulacraError, match="no Dask scheduler responds at tcp://127.0.0.1:9"):
        list(parse_engine("dask:tcp://127.0.0.1:9").run(described(), range(3)))

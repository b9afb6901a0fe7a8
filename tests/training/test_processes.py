"""Several processes share a batch; a batch system's variables and signals are taken as meant."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from simulacra.errors import CardError, PeerEndedError, SimulacraError, TrainingStoppedError
from simulacra.io import read_events
from simulacra.observables.selection_score import EpochSelection
from simulacra.simulators.trained import train
from simulacra.training import fit
from simulacra.training.card import Card
from simulacra.training.compute import ComputeKeys, launched, together
from tests.training.processes import losses
from tests.training.test_training import with_training

ROOT = Path(__file__).parents[2]


def _run(card, folder, on_progress=lambda *_: None):
    train, selection = (read_events(path) for path in (*card.data.train, *card.data.selection))
    return fit(card, train, selection, folder, EpochSelection, on_progress)


def _started(*arguments, **options):
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(tmp_path):
    """The same global batches and noise: to 1e-5 for 50 steps."""
    file = tmp_path / "losses.json"
    arguments = ("flow-matching", "2", "50", str(file))
    process = _started("tests.training.processes", *arguments)
    one = losses("flow-matching", 1, 50)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    for alone, shared in zip(one, json.loads(file.read_text()), strict=True):
        assert shared == pytest.approx(alone, rel=1e-5, abs=1e-5)


@pytest.mark.slow
def test_two_processes_are_stopped_and_one_goes_on(small_card, tmp_path):
    card = with_training(small_card("flow-matching", steps=2_000), devices=2)
    file, output, log = tmp_path / "card.yaml", tmp_path / "out", tmp_path / "out.part"
    file.write_text(card.to_yaml())
    process = _started("simulacra", "train", str(file), "-o", str(output))
    while not (log / "checkpoint.safetensors").is_file():  # of the first evaluation
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 75, errors
    assert "SIGTERM: stopped at step" in errors.splitlines()[-1]
    seen = []
    with pytest.raises(TrainingStoppedError):
        train(with_training(card, devices=1), output, lambda *told: _signal_at(seen, told, 1))
    assert seen[0][1] > 2
    written = (log / "metrics.csv").read_text().splitlines()
    assert len(written) > 2


def _signal_at(seen, told, step, number=signal.SIGUSR1):
    seen.append(told)
    if len(seen) > step:
        os.kill(os.getpid(), number)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_stopped_training_goes_on_bit_by_bit(small_card, tmp_path, number):
    card = small_card()
    handler = signal.getsignal(number)
    whole = _run(card, tmp_path / "whole")
    seen = []
    with pytest.raises(TrainingStoppedError, match="stopped at step 3 of 6"):
        _run(card, tmp_path / "parts", lambda *told: _signal_at(seen, told, 3, number))
    assert signal.getsignal(number) == handler
    resumed = _run(with_training(card, accelerator="cpu"), tmp_path / "parts")
    for name, value in whole.surrogate.state_dict().items():
        assert np.array_equal(resumed.surrogate.state_dict()[name], value), name
    for a, b in zip(whole.history, resumed.history, strict=True):
        same = {k: v for k, v in b.items() if "second" not in k}
        assert {k: v for k, v in a.items() if "second" not in k} == pytest.approx(
            same, rel=0, abs=0, nan_ok=True
        )


@pytest.mark.slow
def test_a_checkpoint_is_written_by_time(small_card, tmp_path):
    card = with_training(small_card(steps=3), checkpoint_minutes=1e-9)
    late = card.model_copy(update={"selection": card.selection.model_copy(update={"every": 100})})
    found = []

    def look(phase, step, steps):
        found.append((tmp_path / "checkpoint.safetensors").is_file())

    _run(late, tmp_path, look)
    assert found == [False, True, True, True]


BATCH_SYSTEMS = {
    "a login node": {},
    "an interactive allocation": {"SLURM_NTASKS": "1", "SLURM_JOB_NAME": "interactive"},
    "an allocation": {"SLURM_NTASKS": "1", "SLURM_PROCID": "0", "SLURM_JOB_ID": "7"},
    "a larger allocation": {"SLURM_NTASKS": "4", "SLURM_PROCID": "2", "SLURM_LOCALID": "2"},
    "torchrun's leftovers": {"LOCAL_RANK": "1", "RANK": "1", "WORLD_SIZE": "2"},
}


@pytest.mark.parametrize("place", BATCH_SYSTEMS)
def test_one_process_takes_no_notice_of_a_batch_system(tmp_path, monkeypatch, place):
    (tmp_path / "srun").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "srun").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for name, value in BATCH_SYSTEMS[place].items():
        monkeypatch.setenv(name, value)
    fabric = launched(ComputeKeys(accelerator="cpu"))
    assert (fabric.world_size, fabric.global_rank, fabric.device.type) == (1, 0, "cpu")


def test_tasks_that_do_not_fit_the_card_are_refused(monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "2")
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv("SLURM_JOB_NAME", "study")
    with pytest.raises(CardError, match="ntasks-per-node"):
        launched(ComputeKeys(accelerator="cpu", devices=2))


@pytest.mark.parametrize(
    ("processes", "message", "expected"),
    [
        (
            2,
            "[gloo/transport/tcp/pair.cc:538] Connection closed by peer [10.0.0.1]",
            PeerEndedError,
        ),
        (2, "mat1 and mat2 shapes cannot be multiplied", RuntimeError),
        (1, "Connection closed by peer", RuntimeError),
    ],
)
def test_the_end_of_another_process_is_an_error_of_its_own(processes, message, expected):
    fabric = SimpleNamespace(world_size=processes)
    with pytest.raises(expected) as caught, together(fabric):
        raise RuntimeError(message)
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"accelerator": "mps"}, "no device 'mps' on this machine; there is cpu"),
        ({"devices": 0}, "is no number of devices"),
    ],
)
def test_devices_that_are_not_there_are_refused(keys, words):
    with pytest.raises(SimulacraError, match=words):
        launched(ComputeKeys(**keys))


def test_on_what_a_training_runs_is_not_its_course(small_card):
    card: Card = small_card()
    assert with_training(card, devices=4, accelerator="cpu").course == card.course
    assert with_training(card, precision="bf16-mixed").course != card.course

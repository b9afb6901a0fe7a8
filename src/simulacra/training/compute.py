"""On what a training runs: device, number of processes and nodes; launched by Lightning Fabric."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field

from simulacra.detectors.base import Frozen
from simulacra.errors import CardError, PeerEndedError, TrainingStoppedError
from simulacra.files.devices import device_of
from simulacra.files.loggers import quiet
from simulacra.transforms.drawn import SharedGenerator

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment

Precision = Literal["32-true", "bf16-mixed"]
"""Fabric's names: all in single precision, or the products of tensors in bfloat16, which some
processors compute several times faster; weights and their updates stay in single precision."""


class ComputeKeys(Frozen):
    """Keys of a training that say on what it runs; a checkpoint goes on under others.

    Attributes:
        accelerator: ``auto`` is CUDA where there is a device of it, or else the CPU; ``mps`` has to
            be asked for by name.
        devices: processes on each node, each with a device of its own (or a share of the CPU's
            cores); ``auto`` means all CUDA devices, or one process on a CPU.
        nodes: nodes, each with as many processes.
        strategy: of several processes. ``ddp`` is data-parallel training of networks in which every
            weight has a gradient at each step; ``auto`` is the same, and for networks that grow a
            search for the weights that have one.
        compile: compile the network with torch's compiler, which takes minutes and a C++ compiler
            on a CPU; of adversarial models the generator alone.
        checkpoint_minutes: time after which a checkpoint is written between evaluations.
    """

    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    devices: Literal["auto"] | int = Field(default=1)
    nodes: int = Field(default=1, gt=0)
    strategy: Literal["auto", "ddp"] = "auto"
    compile: bool = False
    checkpoint_minutes: float = Field(default=10.0, gt=0)
    precision: Precision = "32-true"


CLOSED = "onnection closed"
"""A part of the message of the plain ``RuntimeError`` that gloo raises where a peer has ended."""
_PROCESS: ContextVar[int] = ContextVar("process", default=0)
FREE = ("accelerator", "devices", "nodes", "strategy", "compile", "checkpoint_minutes")
"""Keys that a training may be continued under other values of."""


def launched(keys: ComputeKeys, *, grows: bool = False) -> Fabric:
    """Return Fabric for a training, in each of its processes.

    Several processes are those of torchrun or srun, where one of these started this one; otherwise
    this process starts the others, by its own command line. A single process takes no notice of a
    batch system's variables.

    Args:
        keys: on what to run.
        grows: whether some weights have no gradient at first.

    Raises:
        SimulacraError: there is no such device.
        CardError: processes were started in another number.
    """
    # slow to import, and only training needs it
    from lightning_fabric import Fabric

    accelerator = device_of(keys.accelerator)
    each = _devices(keys, accelerator)
    try:
        with quiet("lightning_fabric"):  # else it reports each process that it starts
            fabric = Fabric(
                accelerator=accelerator,
                devices=each,
                num_nodes=keys.nodes,
                strategy=_strategy(keys, each * keys.nodes, grows=grows),
                precision=keys.precision,
                plugins=[_environment(each * keys.nodes)],
            )
            fabric.launch()
        _PROCESS.set(fabric.global_rank)
    except (RuntimeError, ValueError, TypeError) as error:
        words = f"{each} devices ({accelerator}) on {keys.nodes} nodes"
        msg = f"training.devices: {words} cannot be used: {error}"
        raise CardError(msg) from None
    return fabric


def wait_for(device: torch.device) -> None:
    """Wait until a device has computed what it was given; calls return before."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


@contextmanager
def together(fabric: Fabric) -> Iterator[None]:
    """Let all processes leave the block together, and without threads of their connection.

    Python would end before these threads, and the process with an abort in place of its exit code.

    Raises:
        PeerEndedError: another process has ended before this one.
    """
    try:
        yield
    except TrainingStoppedError:
        _part(fabric)
        raise
    except RuntimeError as error:
        if fabric.world_size == 1 or CLOSED not in str(error):
            raise
        msg = "another process of the training has ended"
        raise PeerEndedError(msg) from error
    _part(fabric)


def _part(fabric: Fabric) -> None:
    if fabric.world_size > 1:
        gc.collect()  # networks hold the connection
        fabric.barrier()
        torch.distributed.destroy_process_group()


def shared_generator(fabric: Fabric, seed: int) -> SharedGenerator:
    """Return a generator on Fabric's device that all processes draw a batch from."""
    rng = SharedGenerator(fabric.device)
    rng.manual_seed(seed)
    rng.rank, rng.processes = fabric.global_rank, fabric.world_size
    return rng


def own_share(size: int, fabric: Fabric) -> int:
    """Return how many events of a batch are this process's.

    Raises:
        CardError: the processes cannot have equal parts.
    """
    if size % fabric.world_size:
        msg = (
            f"training.batch_size: {size} events cannot be shared by {fabric.world_size} processes"
        )
        raise CardError(msg)
    return size // fabric.world_size


def common_clock(fabric: Fabric, clock: Callable[[], float]) -> Callable[[], float]:
    """Return a clock that shows the same time in all processes, that of the first one."""
    if fabric.world_size == 1:
        return clock
    return lambda: float(fabric.broadcast(clock()))


def only_first(fabric: Fabric, call: Callable[..., None]) -> Callable[..., None]:
    """Return what calls ``call`` in the first process, and does nothing in others."""
    return call if fabric.is_global_zero else lambda *_: None


def number_of_process() -> int:
    """Return which of a training's processes this is; the first one is 0, and alone otherwise."""
    return _PROCESS.get()


def described_device(fabric: Fabric) -> str:
    """Return on what a training runs, in words; empty for one process on the CPU."""
    device, processes = fabric.device, fabric.world_size
    if device.type == "cpu" and processes == 1:
        return ""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
    return f"trained in {processes} processes on {name}" if processes > 1 else f"trained on {name}"


def _devices(keys: ComputeKeys, accelerator: str) -> int:
    if keys.devices != "auto":
        if keys.devices < 1:
            msg = f"training.devices: {keys.devices} is no number of devices"
            raise CardError(msg)
        return keys.devices
    return torch.cuda.device_count() if accelerator == "cuda" else 1


def _strategy(keys: ComputeKeys, processes: int, *, grows: bool) -> str:
    if processes == 1:
        return "auto"
    searches = grows and keys.strategy == "auto"
    return "ddp_find_unused_parameters_true" if searches else "ddp"


def _environment(processes: int) -> ClusterEnvironment:
    """Return who started the processes; never by Fabric's own search, which warns of srun."""
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    if processes > 1 and TorchElasticEnvironment.detect():
        return TorchElasticEnvironment()
    if processes > 1 and int(os.environ.get("SLURM_NTASKS", "1")) == processes:
        return SLURMEnvironment(auto_requeue=False)
    return LightningEnvironment()


def wall_clock() -> float:
    """Return seconds that a training's checkpoints are spaced by."""
    return time.monotonic()

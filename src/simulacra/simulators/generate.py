"""Generate events with a simulator, in one call."""

from __future__ import annotations

from pathlib import Path

from simulacra.conditions import Conditions, conditions_at
from simulacra.errors import SimulacraError
from simulacra.events import Events
from simulacra.files.devices import CPU
from simulacra.simulators.load import load_simulator
from simulacra.simulators.protocol import Simulator
from simulacra.simulators.requests import asked_particles, conditions_like


def generate(
    simulator: Simulator | str | Path,
    *,
    energy: str | None = None,
    n: int | None = None,
    seed: int = 1,
    particle: str | None = None,
    like: str | None = None,
    extrapolate: bool = False,
    device: str = CPU,
) -> Events:
    """Generate events; equal arguments give equal events, those of the command ``generate``.

    Args:
        simulator: a simulator, or what :func:`simulacra.load_simulator` takes.
        energy: the spectrum of the detector's scale: ``50GeV``; ``1GeV,2GeV`` is cycled;
            ``1GeV..65GeV`` is log-uniform, ``1GeV-65GeV`` uniform. It needs ``n``.
        n: number of events.
        seed: where conditions and response come from.
        particle: ``gamma``; ``e-,gamma`` in turn; ``e-:2,gamma:1`` with weights.
        like: an events file, or ``sample:test``, whose conditions are taken instead.
        extrapolate: generate events far outside of the training range as well.
        device: where the network of a simulator that is named runs; see
            :func:`simulacra.load_simulator`.

    Raises:
        SimulacraError: there is no such simulator or device, it was trained on others than what is
            asked for, or neither or both of ``energy`` and ``like`` are given.
    """
    if isinstance(simulator, str | Path):
        simulator = load_simulator(simulator, device)
    conditions = asked_conditions(simulator, energy, n, seed, particle, like)
    return simulator.simulate(conditions, seed, extrapolate=extrapolate)


def asked_conditions(
    simulator: Simulator,
    energy: str | None,
    n: int | None,
    seed: int,
    particle: str | None = None,
    like: str | None = None,
) -> Conditions:
    """Return the conditions that a simulator is asked for: drawn ones, or those of a file.

    The arguments are those of :func:`generate`.

    Raises:
        SimulacraError: as for :func:`generate`.
    """
    if (like is None) == (energy is None) or (energy is not None and n is None):
        msg = "give either --like FILE, or --energy (--momentum) and -n"
        raise SimulacraError(msg)
    mixture = asked_particles(simulator, particle)
    if like is not None:
        return conditions_like(simulator, like, n, mixture, seed)
    assert energy is not None
    assert n is not None
    return conditions_at(simulator.detector, energy, n, seed, mixture)

"""Make a classical simulation of a detector, in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulacra.datasets.samples import open_parts
from simulacra.detectors import Detector, load_detector
from simulacra.errors import CardError, SimulatorError
from simulacra.events import Events, require_same_detector
from simulacra.files.progress import OnProgress, silent
from simulacra.files.yaml_text import one_line_errors
from simulacra.io.joined import whole
from simulacra.particles import PDG, ParticleMixture, in_order, names_of, particle_name
from simulacra.simulators.classical.base import ClassicalSimulator, Inputs, Made
from simulacra.simulators.classical.catalogue import find_classical


def build(
    kind: str,
    detector: Detector | str | Path | None = None,
    *,
    sample: Events | str | Sequence[str] | None = None,
    particle: str | None = None,
    options: Mapping[str, Any] | None = None,
    output: str | Path | None = None,
    replace_output: bool = False,
    seed: int = 1,
    on_progress: OnProgress = silent,
    on_note: Callable[[str], None] = lambda _: None,
) -> ClassicalSimulator:
    """Make a classical simulation; equal arguments give an equal one.

    Args:
        kind: a name of the catalogue: ``gflash``, ``frozen-showers`` …
        detector: a detector, a shipped one's name or a file; None: that of the sample.
        sample: full simulation to learn from: events, or files as a card's ``data.train`` has
            them; None: formulas and the detector's file alone, where the method has them.
        particle: ``gamma`` or ``e-,gamma``; None: those of the sample.
        options: the method's own.
        output: a folder to write the simulator to as well.
        replace_output: it takes the place of a folder that is there.
        seed: the source of random numbers while it is made.
        on_progress: called with (phase, parts done, parts in all).
        on_note: called with what was decided or fitted, line by line.

    Raises:
        SimulacraError: an argument cannot be used, or the output is there.

    Example:
        >>> build("gflash", "atlas-barrel", particle="gamma").particles
        ('gamma',)
    """
    if output is not None and Path(output).exists() and not replace_output:
        msg = f"{output} is there already; remove it or choose another output"
        raise SimulatorError(msg)
    cls = find_classical(kind)
    with one_line_errors(f"options of {kind}", CardError):
        chosen = cls.Options.model_validate(dict(options or {}))
    inputs = _inputs(cls, detector, sample, particle, seed, on_progress, on_note)
    simulator = _with_facts(cls.built(inputs, chosen), inputs)
    simulator.check()
    if output is not None:
        simulator.save(output)
    return simulator


def _inputs(
    cls: type[ClassicalSimulator],
    detector: Detector | str | Path | None,
    sample: Events | str | Sequence[str] | None,
    particle: str | None,
    seed: int,
    on_progress: OnProgress,
    on_note: Callable[[str], None],
) -> Inputs:
    named = load_detector(detector) if isinstance(detector, str | Path) else detector
    events = _events(sample, None if cls.finer and named is not None else named)
    if named is None:
        if events is None:
            msg = "which detector? give --detector, or --sample"
            raise SimulatorError(msg)
        named = events.detector
    if particle is not None:
        ids = ParticleMixture.parse(particle).ids
        if events is not None and not events.particles and len(ids) == 1:
            events = events.named(particle)
    else:
        ids = events.particles if events is not None else ()
    if not ids:
        msg = "which particle? give --particle"
        raise SimulatorError(msg)
    return _of_particles(named, events, ids, seed, on_progress, on_note)


def _events(
    sample: Events | str | Sequence[str] | None, detector: Detector | None
) -> Events | None:
    """Return the sample, checked; its events are of the detector where one is named."""
    if sample is None:
        return None
    if not isinstance(sample, Events):
        sources = [sample] if isinstance(sample, str) else sample
        bare = None if detector is None else detector.without_particles()
        sample = whole([part for source in sources for part in open_parts(source, bare)])
    elif detector is not None:
        require_same_detector(detector, sample.detector)
    sample.check()
    if not len(sample):
        msg = "the sample holds no events"
        raise SimulatorError(msg)
    return sample


def _of_particles(
    detector: Detector,
    events: Events | None,
    ids: tuple[int, ...],
    seed: int,
    on_progress: OnProgress,
    on_note: Callable[[str], None],
) -> Inputs:
    """Return the inputs; several particles are told apart by the condition ``pdg``."""
    declared = detector.particles
    if declared and not set(ids) <= set(declared):
        others = names_of(pdg for pdg in ids if pdg not in declared)
        msg = f"{detector.name} declares {names_of(declared)}, not {others}"
        raise SimulatorError(msg)
    if len(ids) > 1 and not declared:
        detector = detector.with_particles(ids)
    if events is not None:
        if more := in_order(set(events.particles) - set(ids)):
            msg = f"the sample holds {names_of(more)}, not only {names_of(ids)}"
            raise SimulatorError(msg)
        if PDG in detector.conditions:
            events = events.labelled(detector.particles)
    return Inputs(detector, ids, events, seed, on_progress, on_note)


def _with_facts(simulator: ClassicalSimulator, inputs: Inputs) -> ClassicalSimulator:
    """Return the simulator with the facts on its making."""
    facts: dict[str, Any] = {"particles": [particle_name(pdg) for pdg in inputs.particles]}
    if inputs.sample is not None:
        from simulacra.training.run import fingerprint  # slow to import

        facts |= {
            "train_events": len(inputs.sample),
            "train_sha256": fingerprint(inputs.sample),
            "build_seed": inputs.seed,
        }
    made = simulator.made
    about = {**made.about, **facts}
    return replace(simulator, made=Made(made.detector, made.particles, made.ranges, about))

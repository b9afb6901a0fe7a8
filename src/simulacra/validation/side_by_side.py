"""Several simulators against one sample of full simulation: one table, one picture per observable.

Each is validated as it is alone (:func:`simulacra.validate`); the reference is measured once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from simulacra.errors import SimulacraError
from simulacra.events import EventSource
from simulacra.files.progress import OnProgress, silent
from simulacra.validation.classifiers.whole_samples import Profile
from simulacra.validation.compare import require_comparable, validate
from simulacra.validation.result import Validation
from simulacra.validation.sample import Sample, measured
from simulacra.validation.text import side_by_side_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 8
"""Simulators that one picture can hold."""


@dataclass(frozen=True)
class SideBySide(Mapping[str, Validation]):
    """The validations of several simulators, by name, all against the same events.

    Attributes:
        validations: by the name of the simulator, in the order of the tables and legends.
    """

    validations: Mapping[str, Validation]

    def __getitem__(self, name: str) -> Validation:
        return self.validations[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.validations)

    def __len__(self) -> int:
        return len(self.validations)

    def __repr__(self) -> str:
        """Return the table."""
        return self.table()

    @property
    def first(self) -> Validation:
        """The validation of the first simulator."""
        return next(iter(self.validations.values()))

    def table(self) -> str:
        """Return one line per simulator: ratios, verdicts and the highest AUC."""
        return side_by_side_text(self.validations)

    def plot(self, observable: str, energy: str | None = None) -> Figure:
        """Draw an observable of full simulation and of all simulators, with the ratios below.

        Args:
            observable: its name, such as ``response``.
            energy: where: ``"16GeV"``; all energies together without one.

        Returns:
            A matplotlib figure.

        Raises:
            SimulacraError: there is no such observable or energy, or nothing to draw.
        """
        from simulacra.validation.report.overlay import overlay_figure

        return overlay_figure(self, observable, energy)

    def report(self, folder: str | Path, on_progress: OnProgress = silent) -> Path:
        """Write ``index.html`` with all simulators, and the report of each in a folder of its name.

        Args:
            folder: appears whole or not at all; its previous content is replaced.
            on_progress: called with (phase, done, total).

        Returns:
            The path of ``index.html``.
        """
        from simulacra.validation.report.overlay_html import write_overlay_report

        return write_overlay_report(self, folder, on_progress)


def validate_side_by_side(
    reference: EventSource | Sample,
    generated: Mapping[str, EventSource | Sample],
    *,
    baseline: EventSource | Sample | None = None,
    seed: int = 0,
    profile: Profile | Literal["none"] = "none",
    device: str = "cpu",
    on_progress: OnProgress = silent,
) -> SideBySide:
    """Compare several generated samples with one reference.

    Args:
        reference: events of the full simulation.
        generated: the events of each simulator, by its name; at most :data:`MOST`.
        baseline: further, independent events of the full simulation.
        seed: what the baselines and the classifiers draw from; the same for each simulator.
        profile: how thoroughly classifiers and metrics of whole samples judge.
        device: where the classifiers train.
        on_progress: called with (phase, done, total).

    Raises:
        EventsError: a sample does not fit the reference; before anything is measured.
        SimulacraError: there is none, or there are too many for one picture.

    Example:
        >>> import simulacra as sim
        >>> test, train = sim.load_sample("test")[:200], sim.load_sample("train")[:400]
        >>> fast = sim.load_simulator("atlas-barrel-photons").simulate(test.conditions, seed=1)
        >>> both = sim.validate_side_by_side(test, {"default": fast, "Geant4": train})
        >>> list(both)
        ['default', 'Geant4']
    """
    if not 0 < len(generated) <= MOST:
        msg = f"{len(generated)} samples to compare: give 1 to {MOST}"
        raise SimulacraError(msg)
    for sample in generated.values():
        require_comparable(reference, sample, baseline=baseline)
    full = measured(reference, on_progress, "measuring the reference")
    extra = (
        None
        if baseline is None
        else measured(baseline, on_progress, "measuring the baseline sample")
    )

    def judged(name: str, sample: EventSource | Sample) -> Validation:
        def named(phase: str, done: int, total: int) -> None:
            on_progress(f"{name}: {phase}", done, total)

        return validate(
            full,
            sample,
            baseline=extra,
            seed=seed,
            profile=profile,
            device=device,
            on_progress=named,
        )

    return SideBySide({name: judged(name, sample) for name, sample in generated.items()})

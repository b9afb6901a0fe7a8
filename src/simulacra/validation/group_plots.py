"""Histograms of all observables, one figure per group: a panel for each layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from simulacra.arrays import FloatArray
from simulacra.energies import energies_of, energy_groups
from simulacra.events import Events
from simulacra.observables import Observable, observables_of, observe
from simulacra.validation.binning import binning_of
from simulacra.validation.canvas import (
    BLACK,
    COLOUR,
    FAST,
    FULL,
    Plot,
    axis_label,
    draw_histograms,
    finish,
    panels,
)
from simulacra.validation.result import Comparison, Validation

MOST_MEMBERS = 8
"""Panels of one figure; of a group with more observables (layers), some are drawn."""


def grouped_histograms(
    validation: Validation, reference: Events, generated: Events
) -> Iterator[Plot]:
    """Yield one figure per group of observables, one panel per member (layer), energies pooled."""
    groups: dict[str, list[Observable]] = {}
    for observable in observables_of(reference.detector):
        groups.setdefault(observable.group, []).append(observable)
    alone = [members[0] for members in groups.values() if len(members) == 1]
    several = {name: members for name, members in groups.items() if len(members) > 1}
    shared = shared_events(validation, reference, generated)
    if shared is None:
        return
    first = {"whole event": alone} if alone else {}
    for name, members in (first | several).items():
        drawn = _some(members)
        values = [values_of(drawn, events) for events in shared]
        left = f" {len(drawn)} of {len(members)} are drawn." if len(drawn) < len(members) else ""
        figure, pairs = panels(len(drawn))
        for observable, (main, ratio) in zip(drawn, pairs, strict=True):
            full, fast = (finite(of[observable.name]) for of in values)
            if len(full):
                histogram_panel(main, ratio, observable, full, fast, log=True)
        yield Plot(
            f"group-{name}",
            label_text(name).capitalize(),
            f"All energies together, logarithmic.{left}",
            finish(figure),
        )


def shared_events(
    validation: Validation, reference: Events, generated: Events
) -> tuple[Events, Events] | None:
    """Return the events of the energies that both samples have, or None where there are none."""
    energies = [energies_of(events) for events in (reference, generated)]
    labels = {group.label for group in validation.energies}
    groups = [g for g in energy_groups(*energies) if g.label in labels]
    if not groups:
        return None
    chosen = [np.any([g.select(e) for g in groups], axis=0) for e in energies]
    return reference.take(chosen[0]), generated.take(chosen[1])


def _some(members: list[Observable]) -> list[Observable]:
    """Return at most ``MOST_MEMBERS``, evenly spaced, with the first and the last."""
    places = np.linspace(0, len(members) - 1, min(len(members), MOST_MEMBERS))
    return [members[int(i)] for i in np.round(places)]


def profiles(validation: Validation, reference: Events, generated: Events) -> Iterator[Plot]:
    """Yield mean and spread against the layer, for groups with too many layers to draw each."""
    del reference, generated  # the numbers are in the result
    groups: dict[str, list[str]] = {}
    for name, info in validation.observables.items():
        groups.setdefault(info.group, []).append(name)
    long = {group: names for group, names in groups.items() if len(names) > MOST_MEMBERS}
    if validation.pooled is None or not long:
        return
    figure, pairs = panels(len(long), most_columns=3)
    for (group, names), pair in zip(long.items(), pairs, strict=True):
        rows = [validation.pooled.comparisons.get(name) for name in names]
        label = axis_label(label_text(group), validation.observables[names[0]].unit)
        _profile_panel(*pair, rows, label)
    yield Plot(
        "profiles",
        "Layer by layer",
        "Mean over all events against the layer; the grey band is the spread (one standard "
        "deviation) of the full simulation. Below, the difference of the means in units of it.",
        finish(figure),
    )


def _profile_panel(main: Axes, ratio: Axes, rows: list[Comparison | None], label: str) -> None:
    points = [(i, c.reference, c.generated) for i, c in enumerate(rows) if c is not None]
    layer = np.array([i for i, _, _ in points])
    full = np.array([reference.mean.value for _, reference, _ in points])
    spread = np.array([reference.std.value for _, reference, _ in points])
    fast = np.array([generated.mean.value for _, _, generated in points])
    main.fill_between(layer, full - spread, full + spread, color="0.85", lw=0)
    main.plot(layer, full, color=BLACK, label=FULL)
    main.plot(layer, fast, color=COLOUR, ls="--", label=FAST)
    main.set_ylabel(label)
    main.legend()
    ratio.plot(layer, (fast - full) / np.where(spread > 0, spread, np.nan), color=COLOUR)
    ratio.axhline(0, color=BLACK, lw=0.6)
    ratio.set_ylim(-0.5, 0.5)
    ratio.set_ylabel(r"$\Delta / \sigma$")
    ratio.set_xlabel("layer")


def values_of(observables: Sequence[Observable], events: Events) -> dict[str, FloatArray]:
    """Return observables of each event (n,) by name, also of broken ones, without a warning."""
    with np.errstate(invalid="ignore", over="ignore"):
        return observe(events, observables)


def finite(values: FloatArray) -> FloatArray:
    """Return the finite ones of the values."""
    return values[np.isfinite(values)]


def histogram_panel(
    main: Axes,
    ratio: Axes,
    observable: Observable,
    full: FloatArray,
    fast: FloatArray,
    *,
    title: str | None = None,
    log: bool = False,
) -> None:
    """Draw one observable's histograms with legend and labels; ``title`` heads the legend."""
    draw_histograms(main, ratio, binning_of(full).edges, full, fast)
    room = 12.0 if log else 1.4  # for the legend
    high = main.get_ylim()[1]
    if log:
        main.set_yscale("log")
        main.minorticks_off()
    main.set_ylim(0.3 / max(len(full), len(fast), 1) if log else 0.0, high * room)
    main.legend(loc="upper left", title=title, alignment="left", title_fontsize=9)
    if not log:
        main.yaxis.set_major_locator(MaxNLocator(5, prune="lower"))
    ratio.set_xlabel(axis_label(observable.label, observable.unit))
    main.set_ylabel("share of events")


def label_text(name: str) -> str:
    """Return an observable's or group's name as words."""
    return name.replace("_", " ")

"""Pictures of jets: mean images, their differences, the spectrum of pixels, and single jets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm, SymLogNorm
from matplotlib.figure import Figure

from simulacra.arrays import FloatArray
from simulacra.detectors import JetImage
from simulacra.detectors.jet_image import PROCESS
from simulacra.validation.compared import Compared
from simulacra.validation.jets.images import SPECTRUM, image_sums
from simulacra.validation.report.canvas import (
    BLACK,
    COLOUR,
    FAST,
    FULL,
    Plot,
    finish,
    new_figure,
    panels,
    ratio_axis,
)
from simulacra.validation.report.pairing import pairs_of
from simulacra.validation.result import Validation
from simulacra.validation.sample import Sample

SHOWN = 5
"""Jets of each sample that are drawn."""
DECADES, DIFFERENT = 1e-5, 1e-3
"""The lowest colour over the highest: of images, and of differences, where colours are linear."""
SMALLEST = 1e-9
"""Momentum in GeV of the highest colour where images are empty."""


def mean_images(_: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield the mean image of each process in both samples, and their difference."""
    detector = compared.detector
    assert isinstance(detector, JetImage)
    full, fast = (sample.summed(image_sums) for sample in (compared.full, compared.fast))
    names = [name for name in full if name in fast]
    figure = new_figure(10.5, 3.3 * len(names), "constrained")
    grid = figure.subplots(len(names), 3, squeeze=False)
    for row, name in zip(grid, names, strict=True):
        means = full[name].mean, fast[name].mean
        top = max(SMALLEST, *(float(mean.max()) for mean in means))
        for axes, mean, title in zip(row, means, (FULL, FAST), strict=False):
            _draw(figure, axes, mean, detector, LogNorm(DECADES * top, top))
            axes.set_title(f"{name}, {title}", fontsize=9, loc="left")
        _difference(figure, row[2], means[1] - means[0], detector)
        row[2].set_title("fast - full", fontsize=9, loc="left")
    yield Plot(
        "mean-images",
        "Mean images",
        "Transverse momentum in GeV, the mean over the jets of a process, and the difference.",
        finish(figure),
    )


def process_difference(_: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield how the mean images of two processes differ, in both samples."""
    detector = compared.detector
    assert isinstance(detector, JetImage)
    full, fast = (sample.summed(image_sums) for sample in (compared.full, compared.fast))
    pairs = list(itertools.combinations([name for name in full if name in fast], 2))
    if not pairs:
        return
    figure = new_figure(7.5, 3.3 * len(pairs), "constrained")
    grid = figure.subplots(len(pairs), 2, squeeze=False)
    for row, (first, second) in zip(grid, pairs, strict=True):
        for axes, sums, title in zip(row, (full, fast), (FULL, FAST), strict=True):
            _difference(figure, axes, sums[second].mean - sums[first].mean, detector)
            axes.set_title(f"{second} - {first}, {title}", fontsize=9, loc="left")
    yield Plot(
        "process-difference",
        "Difference of processes",
        "Difference of the mean images of two processes, GeV: where a tagger looks.",
        finish(figure),
    )


def pixel_spectrum(_: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield how often pixels have which momentum, process by process."""
    full, fast = (sample.summed(image_sums) for sample in (compared.full, compared.fast))
    names = [name for name in full if name in fast]
    figure, pairs = panels(len(names), width=4.5)
    centres = np.sqrt(SPECTRUM[1:] * SPECTRUM[:-1])
    for name, (main, ratio) in zip(names, pairs, strict=True):
        rates = [sums[name].counts / sums[name].events for sums in (full, fast)]
        errors = [np.sqrt(sums[name].counts) / sums[name].events for sums in (full, fast)]
        for rate, error, colour, label in zip(
            rates, errors, (BLACK, COLOUR), (FULL, FAST), strict=True
        ):
            seen = rate > 0
            main.errorbar(
                centres[seen], rate[seen], error[seen], fmt=".", ms=3, color=colour, label=label
            )
        main.set(xscale="log", yscale="log", ylabel=f"pixels in a jet, {name}")
        main.legend()
        both = (rates[0] > 0) & (rates[1] > 0)
        value = rates[1][both] / rates[0][both]
        spread = value * np.hypot(
            errors[0][both] / rates[0][both], errors[1][both] / rates[1][both]
        )
        ratio.errorbar(centres[both], value, spread, fmt=".", ms=3, color=COLOUR)
        ratio_axis(ratio)
        ratio.set_xlabel("momentum of a pixel [GeV]")
    yield Plot(
        "pixel-spectrum",
        "Spectrum of pixels",
        "Pixels with momentum in logarithmic bins, for a mean jet of each process, with "
        "statistical errors of independent pixels; below, fast over full simulation.",
        finish(figure),
    )


def single_jets(_: Validation, compared: Compared) -> Iterator[Plot]:
    """Yield pictures of some jets of each process in both samples."""
    full, fast, detector = compared.full, compared.fast, compared.detector
    assert isinstance(detector, JetImage)
    for label, name in detector.processes.items():
        own = tuple(s.take(s.conditions[PROCESS] == label) for s in (full, fast))
        if not all(map(len, own)):
            continue
        pairs, matched = pairs_of(own[0], own[1], SHOWN)
        figure = new_figure(2.3 * len(pairs), 4.6, "constrained")
        grid = figure.subplots(2, len(pairs), squeeze=False)
        for column, places in enumerate(pairs):
            images = [_image(s, place) for s, place in zip(own, places, strict=True)]
            top = max(SMALLEST, *(float(image.max()) for image in images))
            norm = LogNorm(DECADES * top, top)
            for axes, image in zip(grid[:, column], images, strict=True):
                _pixels(axes, image, detector, norm)
        for axes, title in zip(grid[:, 0], (FULL, FAST), strict=True):
            axes.set_title(title, fontsize=9, loc="left")
        same = "the same conditions" if matched else "the closest conditions of the fast sample"
        yield Plot(
            f"jets-{name}",
            f"Single jets, {name}",
            f"Transverse momentum of the pixels, colours logarithmic; one column has {same}.",
            finish(figure),
        )


def _image(sample: Sample, place: int) -> FloatArray:
    ((_, events),) = sample.take(np.array([place])).pieces()
    image: FloatArray = events["images"][0].astype(np.float64)
    return image


def _draw(
    figure: Figure, axes: Axes, image: FloatArray, detector: JetImage, norm: LogNorm | SymLogNorm
) -> None:
    mesh = _pixels(axes, image, detector, norm)
    figure.colorbar(mesh, ax=axes)


def _difference(figure: Figure, axes: Axes, image: FloatArray, detector: JetImage) -> None:
    top = max(SMALLEST, float(np.abs(image).max()))
    norm = SymLogNorm(DIFFERENT * top, vmin=-top, vmax=top)
    mesh = _pixels(axes, image, detector, norm, signed=True)
    figure.colorbar(mesh, ax=axes)


def _pixels(
    axes: Axes,
    image: FloatArray,
    detector: JetImage,
    norm: LogNorm | SymLogNorm,
    *,
    signed: bool = False,
) -> QuadMesh:
    """Draw pixels, the azimuth upwards; those without momentum stay white."""
    edges = np.linspace(-detector.half_width, detector.half_width, detector.pixels + 1)
    shown = image.T if signed else np.ma.masked_less_equal(image.T, 0.0)
    mesh = axes.pcolormesh(edges, edges, shown, norm=norm, cmap="RdBu_r" if signed else "viridis_r")
    axes.set(xlabel=r"$\eta$", ylabel=r"$\phi$", aspect="equal")
    return mesh

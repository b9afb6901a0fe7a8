"""The plots of a report on jets."""

from simulacra.validation.report.jets.image_plots import (
    mean_images,
    pixel_spectrum,
    process_difference,
    single_jets,
)

PLOTS = (mean_images, process_difference, pixel_spectrum, single_jets)

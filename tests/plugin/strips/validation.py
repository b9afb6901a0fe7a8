"""What a validation adds: words for the scale, and one more plot."""

from matplotlib.figure import Figure

from simulacra.validation.kinds import Kind, Scale
from simulacra.validation.report.canvas import Plot, finish

KIND = Kind(scale=Scale("charge", "charges", "charge"))


def strip_plot(_, compared):
    figure = Figure()
    figure.add_subplot().plot(range(compared.detector.strips))
    yield Plot("strips", "Strips", "The strips.", finish(figure))


PLOTS = (strip_plot,)

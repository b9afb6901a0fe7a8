"""The plots of a report on a TPC."""

from simulacra.validation.report.tpc.track_plots import energy_loss, pad_rows, single_tracks

PLOTS = (pad_rows, energy_loss, single_tracks)

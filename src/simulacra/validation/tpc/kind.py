"""Time-projection chambers, as a validation sees them."""

from simulacra.validation.division import track_divisions
from simulacra.validation.kinds import Kind, Scale
from simulacra.validation.tpc.features import track_tables
from simulacra.validation.tpc.tables import with_tracks

KIND = Kind(
    scale=Scale("momentum", "momenta", "transverse momentum"),
    summary="quantiles",
    tables=track_tables,
    divisions=track_divisions,
    complete=with_tracks,
)

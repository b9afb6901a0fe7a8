"""Jet images, as a validation sees them."""

from simulacra.validation.jets.divisions import process_divisions
from simulacra.validation.jets.features import image_tables
from simulacra.validation.jets.shares import with_processes
from simulacra.validation.kinds import Kind, Scale

KIND = Kind(
    scale=Scale("momentum", "momenta", "transverse momentum"),
    summary="quantiles",
    tables=image_tables,
    divisions=process_divisions,
    complete=with_processes,
)

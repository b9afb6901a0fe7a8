"""Calorimeters, as a validation sees them."""

from simulacra.validation.calorimeter.cell_features import cell_tables
from simulacra.validation.calorimeter.configurations import divisions
from simulacra.validation.calorimeter.relations import with_showers
from simulacra.validation.kinds import Kind

KIND = Kind(tables=cell_tables, divisions=divisions, complete=with_showers)

"""Statistics that know no detector: binned counts, and what single precision can tell apart."""

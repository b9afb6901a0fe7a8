"""Building blocks that several published systems share."""

"""What a validation adds for a TPC."""

"""Files of jets that others made."""

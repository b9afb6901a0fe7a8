"""Models of jets."""

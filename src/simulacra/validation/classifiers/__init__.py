"""Classifier tests: whether a classifier can tell generated events from the reference."""

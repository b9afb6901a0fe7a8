"""Metrics of one observable and of whole samples, each beside its baseline."""

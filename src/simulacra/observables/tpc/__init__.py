"""Observables of a TPC."""

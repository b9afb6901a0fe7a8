"""Observables of calorimeters."""

"""Calorimeters as data."""

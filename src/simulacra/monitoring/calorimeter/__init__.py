"""Monitoring of calorimeters."""

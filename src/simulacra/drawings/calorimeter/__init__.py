"""Drawings of calorimeters and of showers in them."""

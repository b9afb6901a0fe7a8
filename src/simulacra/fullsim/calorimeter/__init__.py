"""Full simulation of calorimeters."""

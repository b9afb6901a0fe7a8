"""Preprocessing of showers and of the conditions of a calorimeter."""

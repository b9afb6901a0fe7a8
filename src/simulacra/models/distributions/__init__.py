"""Distributions with parameters that networks give."""

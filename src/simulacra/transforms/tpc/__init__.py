"""Preprocessing of tracks and of the conditions of a TPC."""
